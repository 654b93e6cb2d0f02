"""Omitted, empty and a value are three different things."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import attrs
import pytest
from builders import LATER, cart, session_in, snapshot

from session_fsm import (
    UNSET,
    AdditionalCost,
    CartItem,
    CustomerSession,
    ExperimentVariantAllocation,
    InvalidValue,
    RuleViolated,
    SessionUpdate,
    State,
    WrongState,
)
from session_fsm.rules import coupon_code_required

VARIANT = ExperimentVariantAllocation(experiment_id=1, variant_id=2)

FIELDS = [
    # field, what it holds, what is given instead, what it holds then, empty, what it holds then
    ("coupon_codes", ("XMAS",), ["A", "B"], ("A", "B"), [], ()),  # U-01
    ("referral_code", "FRIEND", "OTHER", "OTHER", "", ""),  # U-02
    ("profile_id", "customer-7", "customer-8", "customer-8", "", ""),  # U-04
    ("attributes", {"ShippingCity": "Berlin"}, {"ShippingCity": "Rome"}, {"ShippingCity": "Rome"}, {}, None),  # U-05
    ("additional_costs", {"a": AdditionalCost(1)}, {"b": AdditionalCost(2)}, {"b": AdditionalCost(2)}, {}, {}),  # U-06
    ("identifiers", ("ip-hash",), ["x", "y"], ("x", "y"), [], ()),  # U-07
    ("loyalty_cards", ("card-1",), ["card-2"], ("card-2",), [], ()),
    ("evaluable_campaign_ids", (11,), [12, 13], (12, 13), [], ()),
    ("experiment_variant_allocations", (VARIANT,), [VARIANT, VARIANT], (VARIANT, VARIANT), [], ()),
]


@pytest.mark.parametrize("verb", ["update", "close"])
@pytest.mark.parametrize(("field", "held", "value", "with_value", "empty", "with_empty"), FIELDS)
class TestField:
    """U-01, U-02, U-04 to U-07: omitted keeps, empty discards, a value replaces; attributes are merged."""

    def session(self, field: str, held: Any) -> CustomerSession:
        session = session_in("open", **{field: held})
        assert getattr(session, field) == held
        return session

    @pytest.mark.parametrize("omitted", [{}, None, UNSET])
    def test_omitted_is_kept(
        self, verb: str, field: str, held: Any, value: Any, with_value: Any, empty: Any, with_empty: Any, omitted: Any
    ) -> None:
        session = self.session(field, held)
        before = snapshot(session)
        getattr(session, verb)(**(omitted if omitted == {} else {field: omitted}))
        after = snapshot(session)
        for name in before.keys() - {"state", "updated", "update_count", "pending_events"}:
            assert after[name] == before[name], name

    def test_a_value_replaces(
        self, verb: str, field: str, held: Any, value: Any, with_value: Any, empty: Any, with_empty: Any
    ) -> None:
        session = self.session(field, held)
        getattr(session, verb)(**{field: value})
        assert getattr(session, field) == with_value

    def test_empty_discards(
        self, verb: str, field: str, held: Any, value: Any, with_value: Any, empty: Any, with_empty: Any
    ) -> None:
        session = self.session(field, held)
        getattr(session, verb)(SessionUpdate(**{field: empty}))
        assert getattr(session, field) == (held if with_empty is None else with_empty)

    def test_only_that_field_changes(
        self, verb: str, field: str, held: Any, value: Any, with_value: Any, empty: Any, with_empty: Any
    ) -> None:
        session = self.session(field, held)
        before = snapshot(session)
        getattr(session, verb)(**{field: value})
        changing = {field, "state", "updated", "update_count", "pending_events"}
        changing |= {"total", "additional_cost_total"} if field == "additional_costs" else set()
        assert {name: held for name, held in snapshot(session).items() if name not in changing} == {
            name: held for name, held in before.items() if name not in changing
        }


class TestCart:
    """U-03: a given cart replaces the whole one; what is not sent is gone."""

    def test_omitted_is_kept(self) -> None:
        session = session_in("open")
        items = session.cart_items
        session.update(cart_items=None, coupon_codes=[])
        assert session.cart_items == items

    def test_empty_empties_the_cart(self) -> None:
        session = session_in("open")
        session.update(cart_items=[])
        assert session.cart_items == ()
        assert session.cart_item_total == 0

    def test_a_value_replaces_all_items_with_their_attributes_and_costs(self) -> None:
        session = session_in("open")
        session.update(cart_items=[CartItem(sku="A", quantity=1)])
        (item,) = session.cart_items
        assert (item.attributes, item.additional_costs, item.price) == ({}, {}, None)
        assert session.total == session.additional_cost_total == Decimal("4.90")

    def test_items_get_their_positions(self) -> None:
        session = session_in("open")
        session.update(cart_items=list(reversed(cart(1, 1, 1))))
        assert [(item.sku, item.position) for item in session.cart_items] == [("C", 0), ("B", 1), ("A", 2)]


class TestProfile:
    """U-04, F-16: an empty profile makes the session anonymous, and an anonymous session is always a first one."""

    def test_a_session_that_becomes_anonymous_is_a_first_session(self) -> None:
        session = session_in("open", first_session=False)
        assert session.first_session is False
        session.update(profile_id="")
        assert (session.profile_id, session.first_session) == ("", True)

    def test_naming_the_customer_leaves_it_a_first_session(self) -> None:
        session = session_in("open", profile_id="", first_session=False)
        assert session.first_session is True
        session.update(profile_id="customer-8")
        assert (session.profile_id, session.first_session) == ("customer-8", True)


class TestAttributes:
    """U-05: attributes are merged name by name, and a name with null is removed."""

    def test_others_stay(self) -> None:
        session = session_in("open", attributes={"a": 1, "b": 2})
        session.update(attributes={"b": 3, "c": [4]})
        assert session.attributes == {"a": 1, "b": 3, "c": (4,)}

    def test_null_removes(self) -> None:
        session = session_in("open", attributes={"a": 1, "b": 2})
        event = session.update(attributes={"a": None, "unknown": None})
        assert session.attributes == {"b": 2}
        assert event.change == SessionUpdate(attributes={"a": None, "unknown": None})

    def test_null_at_creation_is_not_there(self) -> None:
        assert session_in("open", attributes={"a": None, "b": 2}).attributes == {"b": 2}

    def test_the_value_of_an_attribute_is_replaced_as_a_whole(self) -> None:
        session = session_in("open", attributes={"place": {"lat": 1, "lon": 2}})
        session.update(attributes={"place": {"lat": 3}})
        assert session.attributes == {"place": {"lat": 3}}


class TestStore:
    """U-08: the store is kept or replaced, and never discarded."""

    def test_omitted_is_kept_and_a_value_replaces(self) -> None:
        session = session_in("open")
        session.update()
        assert session.store_integration_id == "store-3"
        session.update(store_integration_id="store-4")
        assert session.store_integration_id == "store-4"

    @pytest.mark.parametrize("verb", ["update", "close"])
    def test_empty_is_refused(self, verb: str) -> None:
        session = session_in("open")
        before = snapshot(session)
        with pytest.raises(InvalidValue) as refusal:
            getattr(session, verb)(store_integration_id="")
        assert refusal.value.pointer == "/storeIntegrationId"
        assert snapshot(session) == before


def test_closing_with_nothing_else_closes_the_cart_as_it_stands() -> None:
    """U-09: the commonest request in practice."""
    session = session_in("open")
    before = snapshot(session)
    session.put(SessionUpdate(state="closed"), now=LATER)
    after = snapshot(session)
    for name in before.keys() - {"state", "updated", "update_count", "pending_events"}:
        assert after[name] == before[name], name
    assert session.state is State.CLOSED


READ_ONLY = {
    "position": 7,
    "returned_quantity": 1,
    "catalog_item_id": 5,
    "selected_price_type": "sale",
    "adjustment_reference_id": UUID(int=1),
    "adjustment_effective_from": datetime(2026, 1, 1, tzinfo=UTC),
    "adjustment_effective_until": datetime(2026, 2, 1, tzinfo=UTC),
    "prices": {"base": {"price": 1}},
}


class TestReadOnlyFields:
    """U-10: what Talon.One alone sets is ignored in a request."""

    item = CartItem(sku="A", quantity=3, name="Apple", price=2, weight=150, **READ_ONLY)
    plain = CartItem(sku="A", quantity=3, name="Apple", price=2, weight=150, position=0)
    held = attrs.evolve(item, position=0)

    @pytest.mark.parametrize("verb", ["update", "close"])
    def test_a_verb_ignores_them(self, verb: str) -> None:
        session = session_in("open")
        getattr(session, verb)(cart_items=[self.item])
        assert session.cart_items == (self.plain,)
        assert session.cart_items[0].remaining_quantity == 3

    def test_a_creation_ignores_them(self) -> None:
        assert CustomerSession.create("order-1042", cart_items=[self.item]).cart_items == (self.plain,)

    @pytest.mark.parametrize("name", READ_ONLY)
    def test_each_of_them(self, name: str) -> None:
        item = CartItem(sku="A", quantity=3, name="Apple", price=2, weight=150, **{name: READ_ONLY[name]})
        assert CustomerSession.create("order-1042", cart_items=[item]).cart_items == (self.plain,)

    def test_a_session_that_is_read_keeps_them(self) -> None:
        session = CustomerSession(integration_id="order-1042", created=LATER, updated=LATER, cart_items=[self.held])
        (item,) = session.cart_items
        assert item.position == 0
        for name in READ_ONLY.keys() - {"position"}:
            assert getattr(item, name) == READ_ONLY[name]

    def test_they_survive_an_update_of_something_else(self) -> None:
        session = CustomerSession(integration_id="order-1042", created=LATER, updated=LATER, cart_items=[self.held])
        items = session.cart_items
        session.update(coupon_codes=["A"])
        assert session.cart_items == items


class ShopWithCoupons(CustomerSession):
    rules = (*CustomerSession.rules, coupon_code_required)


class TestDryRun:
    """U-11: judged by the same rules, changes nothing; a dry run of closing can look at the payload alone."""

    def test_a_dry_run_sees_what_the_session_holds(self) -> None:
        session = session_in("open", ShopWithCoupons)
        assert session.evaluate("close").allowed

    def test_the_payload_alone_has_no_coupon(self) -> None:
        session = session_in("open", ShopWithCoupons)
        before = snapshot(session)
        decision = session.evaluate("close", payload_only=True)
        assert [v.code for v in decision.violations] == ["coupon_code_required"]
        assert session.evaluate("close", payload_only=True, coupon_codes=["A"]).allowed
        assert snapshot(session) == before

    def test_what_follows_is_built_of_the_payload_alone(self) -> None:
        session = session_in("open")
        before = snapshot(session)
        change = SessionUpdate(cart_items=cart(2), referral_code="R")
        after = session.evaluate("close", change, payload_only=True, now=LATER).after
        assert snapshot(session) == before
        assert after.state is State.CLOSED
        assert (after.integration_id, after.id, after.created) == ("order-1042", 5, session.created)
        assert (after.cart_items[0].sku, after.referral_code, after.total) == ("A", "R", Decimal("3.00"))
        assert (after.coupon_codes, after.attributes, after.additional_costs) == ((), {}, {})
        assert (after.profile_id, after.store_integration_id, after.identifiers) == ("", None, ())
        assert (after.update_count, after.updated) == (2, LATER)

    def test_an_empty_payload_has_no_totals(self) -> None:
        after = session_in("open").evaluate("close", payload_only=True).after
        assert (after.total, after.cart_item_total, after.additional_cost_total) == (0, 0, 0)
        assert after.cart_item_additional_cost_total == 0

    def test_an_update_is_judged_with_what_the_session_holds(self) -> None:
        assert session_in("open").evaluate("update", payload_only=True).after.coupon_codes == ("XMAS",)

    def test_the_state_counts_as_ever(self) -> None:
        session = session_in("closed")
        decision = session.evaluate("close", payload_only=True)
        assert not decision
        assert "Only open sessions can be closed [wrong_state]" in str(decision)

    def test_a_class_with_a_required_field_of_its_own_is_judged_too(self) -> None:
        @attrs.define(kw_only=True, eq=False, repr=False)
        class Tenant(CustomerSession):
            tenant: str

        after = Tenant.create("order-1042", tenant="north").evaluate("close", payload_only=True).after
        assert after is not None
        assert (after.tenant, after.state) == ("north", State.CLOSED)


def test_cart_and_codes_survive_the_five_steps_of_an_order() -> None:
    """U-01, U-02, U-03, U-09: every request builds on those before it, and what it omits is kept."""
    session = CustomerSession.create("order-1042", cart_items=cart(1))
    session.put(SessionUpdate(cart_items=cart(2, 3)))
    session.put(SessionUpdate(coupon_codes=["XMAS"]))
    session.put(SessionUpdate(referral_code="FRIEND"))
    session.put(SessionUpdate(state="closed"))

    assert session.state is State.CLOSED
    assert [(item.sku, item.quantity) for item in session.cart_items] == [("A", 2), ("B", 3)]
    assert (session.coupon_codes, session.referral_code) == (("XMAS",), "FRIEND")
    assert session.total == Decimal("10.50")
    assert [str(event.name).removeprefix("talon_session_") for event in session.take_events()] == [
        "created",
        "updated",
        "updated",
        "updated",
        "closed",
    ]
    with pytest.raises(WrongState) as refusal:
        session.put(SessionUpdate(state="closed"))
    assert refusal.value.already


def test_a_refused_update_applies_nothing_of_what_it_was_given() -> None:
    session = session_in("open", ShopWithCoupons)
    before = snapshot(session)
    with pytest.raises(RuleViolated):
        session.close(cart_items=[], coupon_codes=[], referral_code="", attributes={"a": 1}, profile_id="")
    assert snapshot(session) == before


class TestArguments:
    """A verb takes one `SessionUpdate` or keywords."""

    def test_both_mean_the_same(self) -> None:
        one, other = session_in("open"), session_in("open")
        one.update(SessionUpdate(coupon_codes=["A"], profile_id=""), now=LATER)
        other.update(coupon_codes=["A"], profile_id="", now=LATER)
        assert snapshot(one) == snapshot(other)

    @pytest.mark.parametrize(
        ("arguments", "keywords", "pointer"),
        [
            ((SessionUpdate(),), {"coupon_codes": []}, ""),
            (({"couponCodes": []},), {}, ""),
            (("closed",), {}, ""),
            ((), {"coupon_code": "A"}, "/coupon_code"),
            ((), {"total": 1}, "/total"),
            ((), {"coupon_codes": "XMAS"}, "/couponCodes"),
        ],
    )
    @pytest.mark.parametrize("verb", ["update", "close", "put"])
    def test_anything_else_is_refused(self, verb: str, arguments: Any, keywords: Any, pointer: str) -> None:
        session = session_in("open")
        before = snapshot(session)
        with pytest.raises(InvalidValue) as refusal:
            getattr(session, verb)(*arguments, **keywords)
        assert refusal.value.pointer == pointer
        assert snapshot(session) == before
