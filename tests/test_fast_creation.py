"""What the library makes in a shorter way than the class itself would is the same."""

from itertools import permutations
from typing import Any

import attrs
import pytest
from builders import (
    CREATED,
    LATER,
    PlainSession,
    SlottedSession,
    TenantSession,
    at_minute,
    cart,
    fresh,
    session_in,
    snapshot,
)
from hypothesis import given

from session_fsm import CartItem, CustomerSession, InvalidValue, ReturnedCartItem, SessionUpdate, State, rule
from session_fsm.testing import updates

WRONG: dict[str, Any] = {"profile_id": 7, "coupon_codes": ["X" * 101], "cart_items": ["A"], "referral_code": None}


def problems_of(make: Any) -> Any:
    with pytest.raises(InvalidValue) as refusal:
        make()
    return refusal.value.problems


class TestUpdates:
    """Keywords make the `SessionUpdate` that its class makes of them."""

    @given(update=updates())
    def test_they_hold_the_same(self, update: SessionUpdate) -> None:
        session = CustomerSession.create("order-1042")
        keywords: dict[str, Any] = {name: value for name, value in update.given().items() if name != "state"}
        event = session.update(**keywords)
        assert event.change == SessionUpdate(**keywords)
        assert type(event.change) is SessionUpdate

    @pytest.mark.parametrize("names", list(permutations(WRONG)))
    def test_of_several_wrong_values_the_first_field_is_told(self, names: tuple[str, ...]) -> None:
        session, wrong = session_in("open"), {name: WRONG[name] for name in names}
        before = snapshot(session)
        assert problems_of(lambda: session.update(**wrong)) == problems_of(lambda: SessionUpdate(**wrong))
        assert snapshot(session) == before

    def test_what_can_be_read_only_once_is_read_once(self) -> None:
        session = session_in("open")
        for wrong in ({"coupon_codes": iter([7])}, {"coupon_codes": iter(["XMAS"]), "profile_id": 7}):
            with pytest.raises(InvalidValue, match=r"7|number"):
                session.update(**wrong)
        with pytest.raises(InvalidValue) as refusal:
            CustomerSession.create("order-1042", coupon_codes=iter(["XMAS", 7]))
        assert refusal.value.pointer == "/couponCodes/1"
        assert session.update(coupon_codes=iter(["XMAS"])).change == SessionUpdate(coupon_codes=["XMAS"])


class TestCreation:
    """A session that is created is the one that its class makes."""

    @pytest.mark.parametrize("cls", [CustomerSession, PlainSession, SlottedSession])
    @given(update=updates())
    def test_it_holds_the_same(self, cls: Any, update: SessionUpdate) -> None:
        held = {name: value for name, value in update.given().items() if name != "state"}
        created = cls.create("order-1042", id=3, application_id=4, first_session=False, now=CREATED, **held)
        fields = {"integration_id": "order-1042", "id": 3, "application_id": 4, "first_session": False}
        made = cls(created=CREATED, updated=CREATED, **fields, **held)
        assert type(created) is cls
        created.take_events()
        assert snapshot(created) == snapshot(made)

    @pytest.mark.parametrize("cls", [CustomerSession, PlainSession, SlottedSession])
    def test_of_several_wrong_values_the_first_field_is_told(self, cls: Any) -> None:
        wrong: dict[str, Any] = {"id": "x", "application_id": True, "first_session": 1}
        problems = problems_of(lambda: cls.create("", **wrong))
        assert problems == problems_of(lambda: cls(integration_id="", created=CREATED, updated=CREATED, **wrong))
        assert problems[0].pointer == "/id"

    def test_fields_of_a_subclass_are_given_and_checked(self) -> None:
        session = TenantSession.create("order-1042", tenant="north", cart_items=cart(2))
        assert (session.tenant, session.note, session.total) == ("north", "none", session.cart_items[0].price * 2)
        with pytest.raises(TypeError, match="tenant"):
            TenantSession.create("order-1042")

    def test_what_a_subclass_does_to_its_new_sessions_is_done(self) -> None:
        def complete(self: Any) -> None:
            CustomerSession.__attrs_post_init__(self)
            self.remark = f"worth {self.total}"

        assert fresh(__attrs_post_init__=complete).create("order-1042", cart_items=cart(2)).remark == "worth 3.00"


@attrs.frozen(kw_only=True)
class Bottle(CartItem):
    """An item of the service's own."""

    deposit: int = 25


class TestItemsOfTheServicesOwn:
    """An item of a class that adds fields is refused, because reading JSON would lose them; one that adds none is not."""

    @pytest.mark.parametrize("act", [CustomerSession.create, lambda _, **held: SessionUpdate(**held)])
    def test_what_adds_fields_enters_no_cart(self, act: Any) -> None:
        with pytest.raises(InvalidValue, match=r"a Bottle has fields that JSON would lose \(deposit\)") as refusal:
            act("order-1042", cart_items=[*cart(1), Bottle(sku="B", quantity=2, deposit=8)])
        assert refusal.value.pointer == "/cartItems/1"

    def test_nor_does_it_come_back(self) -> None:
        @attrs.frozen(kw_only=True)
        class Reasoned(ReturnedCartItem):
            reason: str = ""

        with pytest.raises(InvalidValue, match="reason"):
            session_in("closed").return_items([Reasoned(position=0)])

    def test_what_adds_methods_alone_keeps_its_class(self) -> None:
        class Weighed(CartItem):
            @property
            def grams(self) -> Any:
                return self.weight

        (held,) = CustomerSession.create("order-1042", cart_items=[Weighed(sku="B", quantity=1, weight=7)]).cart_items
        assert (type(held), held.position, held.grams) == (Weighed, 0, 7)

    def test_what_only_talon_one_sets_is_left_out(self) -> None:
        item = CartItem(sku="B", quantity=2, returned_quantity=1, catalog_item_id=7, position=9)
        (held,) = CustomerSession.create("order-1042", cart_items=[item]).cart_items
        assert (held.returned_quantity, held.catalog_item_id, held.position) == (0, None, 0)


class TestRulesThatSeeTheSessionAfterwards:
    """A verb that changes nothing but the state shows rules the same as its dry run."""

    @pytest.mark.parametrize("ask", ["verb", "dry run"])
    def test_what_every_trigger_changes(self, ask: str) -> None:
        seen: list[Any] = []

        @rule("own_rule", on=["close"])
        def looks(after: Any, session: Any, state: Any, updated: Any, update_count: Any, now: Any) -> None:
            """The rule looks on."""
            seen.extend([after.state, after.updated, after.update_count, state, updated, update_count, now])
            seen.append(session.state)

        session = session_in("open", fresh(rules=(*CustomerSession.rules, looks)))
        if ask == "verb":
            session.close(now=LATER)
        else:
            session.evaluate("close", now=LATER)
        assert seen == [State.CLOSED, LATER, 2, State.CLOSED, LATER, 2, LATER, State.OPEN]

    def test_each_rule_is_asked_once(self) -> None:
        asked: list[Any] = []

        @rule("own_rule", on=["close"])
        def counts(trigger: Any) -> Any:
            """The rule counts."""
            asked.append(trigger)
            return [] if len(asked) % 2 else False

        session = session_in("open", fresh(rules=(counts,)))
        session.close(now=at_minute(3))
        session.reopen()
        assert not session.evaluate("close")
        assert asked == ["close", "close"]
