"""The session as an object: read-only, independent of its copies, and alike in every subclass."""

import copy
import pickle
from collections.abc import Callable
from datetime import datetime
from typing import Any

import attrs
import pytest
from builders import (
    CREATED,
    LATER,
    PlainSession,
    SlottedSession,
    TenantSession,
    cart,
    fire,
    session_in,
    session_of,
    snapshot,
)

from session_fsm import CustomerSession, InvalidValue, RuleViolated, State, rule


def tenant_session(state: str) -> Any:
    return session_in(state, TenantSession, tenant="north")


ALL_KINDS: list[Callable[[str], Any]] = [
    session_in,
    tenant_session,
    lambda state: session_in(state, SlottedSession),
    lambda state: session_in(state, PlainSession),
]
KIND_IDS = ["CustomerSession", "TenantSession", "SlottedSession", "PlainSession"]

FIELDS = [
    "id",
    "created",
    "integration_id",
    "application_id",
    "profile_id",
    "store_integration_id",
    "evaluable_campaign_ids",
    "coupon_codes",
    "referral_code",
    "loyalty_cards",
    "state",
    "cart_items",
    "additional_costs",
    "identifiers",
    "attributes",
    "first_session",
    "total",
    "cart_item_total",
    "additional_cost_total",
    "updated",
    "closure_prediction",
    "update_count",
    "cart_item_additional_cost_total",
    "experiment_variant_allocations",
]


def test_the_fields_are_those_of_the_api() -> None:
    """F-01 to F-24."""
    names = [attribute.name for attribute in attrs.fields(CustomerSession)]
    assert [name for name in names if not name.startswith("_")] == FIELDS


class TestConstructor:
    """`create` makes new sessions; the constructor restores stored ones."""

    @pytest.mark.parametrize(
        ("arguments", "fields"), [(["order-1"], {}), ([], {}), ([], {"integration_id": "order-1"})]
    )
    def test_a_call_without_the_stored_fields_ends_in_an_error_that_names_create(
        self, arguments: list[str], fields: dict[str, str]
    ) -> None:
        with pytest.raises(TypeError, match=r"; CustomerSession\.create\(\.\.\.\) makes a new session$"):
            CustomerSession(*arguments, **fields)  # type: ignore[call-arg, misc, arg-type]  # what is missing is the point

    def test_an_error_of_a_restored_session_stays_as_it_is(self) -> None:
        now = datetime.fromisoformat("2026-09-14T09:12:00Z")
        with pytest.raises(TypeError, match=r"unexpected keyword argument 'cart'$"):
            CustomerSession(integration_id="order-1", created=now, updated=now, cart=())  # type: ignore[call-arg]  # no such field is the point


@pytest.mark.parametrize("make", ALL_KINDS, ids=KIND_IDS)
class TestReadOnly:
    """Nothing but the verbs changes a session, in any subclass."""

    @pytest.mark.parametrize("name", [*FIELDS, "pending_events"])
    def test_no_field_can_be_assigned_or_deleted(self, make: Callable[[str], Any], name: str) -> None:
        session = make("open")
        before = snapshot(session)
        with pytest.raises(AttributeError):
            setattr(session, name, getattr(session, name))
        with pytest.raises(AttributeError):
            delattr(session, name)
        assert snapshot(session) == before

    def test_there_are_no_back_doors_to_a_state(self, make: Callable[[str], Any]) -> None:
        session = make("open")
        for state in State:
            for name in (f"to_{state}", f"is_{state}", f"may_{state}", f"on_enter_{state}"):
                assert not hasattr(session, name)
        for name in ("trigger", "may_trigger", "may_close", "machine_state", "set_state"):
            assert not hasattr(session, name)

    def test_sessions_are_compared_by_identity(self, make: Callable[[str], Any]) -> None:
        one, other = make("open"), make("open")
        assert snapshot(one) == snapshot(other)
        assert one != other
        held = {one, other}
        assert len(held) == 2
        one.close()
        assert one in held


def test_a_session_is_slotted() -> None:
    assert not hasattr(session_in("open"), "__dict__")
    assert not hasattr(tenant_session("open"), "__dict__")
    assert not hasattr(session_in("open", SlottedSession), "__dict__")
    with pytest.raises(AttributeError):
        session_in("open").remark = "x"


def test_a_session_prints_what_matters() -> None:
    assert repr(session_in("closed")) == "<CustomerSession 'order-1042': closed, 2 items, total 71.12>"
    assert repr(tenant_session("open")).startswith("<TenantSession 'order-1042': open")
    assert "1 item," in repr(CustomerSession.create("x", cart_items=cart(1)))


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {protocol}": (lambda session, protocol=protocol: pickle.loads(pickle.dumps(session, protocol)))
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.mark.parametrize("make", ALL_KINDS, ids=KIND_IDS)
class TestCopies:
    """A copy of a session is an independent session that works."""

    @pytest.mark.parametrize("copy_of", COPIES.values(), ids=COPIES.keys())
    @pytest.mark.parametrize("state", State)
    def test_a_copy_holds_the_same(self, make: Callable[[str], Any], copy_of: Callable[[Any], Any], state: str) -> None:
        session = make(state)
        copied = copy_of(session)
        assert copied is not session
        assert type(copied) is type(session)
        assert snapshot(copied) == snapshot(session)
        assert len(copied.pending_events) == len(session.pending_events) > 0

    @pytest.mark.parametrize("copy_of", [*COPIES.values(), attrs.evolve], ids=[*COPIES.keys(), "evolve"])
    @pytest.mark.parametrize("state", State)
    def test_moving_one_leaves_the_other(
        self, make: Callable[[str], Any], copy_of: Callable[[Any], Any], state: str
    ) -> None:
        session = make(state)
        for still, moved in ((session, copy_of(session)), (copy_of(session), session)):
            before = snapshot(still)
            for trigger in moved.allowed_triggers[:1]:
                fire(moved, trigger, LATER)
                assert moved.updated == LATER
            moved.take_events()
            assert snapshot(still) == before

    @pytest.mark.parametrize("state", State)
    def test_an_evolved_session_holds_the_same(self, make: Callable[[str], Any], state: str) -> None:
        session = make(state)
        copied = attrs.evolve(session)
        assert snapshot(copied) == snapshot(session)
        assert attrs.evolve(session, pending_events=()).pending_events == []
        assert copied.allowed_triggers == session.allowed_triggers
        assert attrs.evolve(session, application_id=9).application_id == 9

    @pytest.mark.parametrize("copy_of", [*COPIES.values(), attrs.evolve], ids=[*COPIES.keys(), "evolve"])
    def test_a_copy_is_as_read_only(self, make: Callable[[str], Any], copy_of: Callable[[Any], Any]) -> None:
        copied = copy_of(make("open"))
        with pytest.raises(AttributeError):
            copied.state = State.CANCELLED
        assert copied.state is State.OPEN


@pytest.mark.parametrize("copy_of", COPIES.values(), ids=COPIES.keys())
def test_what_a_plain_subclass_holds_besides_its_fields_is_copied(copy_of: Callable[[Any], Any]) -> None:
    session = session_in("open", PlainSession)
    session.remark = ["call back"]
    copied = copy_of(session)
    assert copied.remark == ["call back"]
    copied.remark = None
    assert session.remark == ["call back"]
    assert session.evaluate("close").after.remark == ["call back"]


class TestSubclasses:
    """A subclass is a definition of its own: own fields, own rules, own machine."""

    def test_own_fields_are_given_at_creation(self) -> None:
        session = TenantSession.create("order-1042", tenant="north", note="call back", coupon_codes=["A"], now=CREATED)
        assert (session.tenant, session.note, session.coupon_codes) == ("north", "call back", ("A",))
        session.close()
        assert (session.state, session.tenant) == (State.CLOSED, "north")

    def test_the_decorator_needs_no_options(self) -> None:
        @attrs.define
        class Shop(CustomerSession):
            shop: str
            note: str = "none"

        session = Shop.create("order-1042", shop="north", coupon_codes=["A"])
        session.close()
        assert (session.shop, session.note, session.state) == ("north", "none", State.CLOSED)
        assert copy.copy(session).shop == "north"

    def test_own_fields_are_changed_by_the_verbs_alone(self) -> None:
        session = tenant_session("open")
        with pytest.raises(
            AttributeError, match=r"note cannot be assigned; update\(note=\.\.\.\) or close\(\) changes it"
        ):
            session.note = "call back"
        event = session.close(note="call back")
        assert (session.note, event.update_count) == ("call back", 2)

    def test_required_fields_are_required(self) -> None:
        with pytest.raises(TypeError, match="tenant"):
            TenantSession.create("order-1042")

    def test_own_fields_belong_to_the_subclass_alone(self) -> None:
        with pytest.raises(InvalidValue) as refusal:
            CustomerSession.create("order-1042", tenant="north")  # type: ignore[call-arg]  # that is what is refused
        assert refusal.value.pointer == "/tenant"

    def test_own_fields_are_seen_by_rules(self) -> None:
        @rule("closed_for_the_south", on=["close"])
        def session_is_northern(tenant: str) -> bool:
            """Only northern tenants close."""
            return tenant == "north"

        @attrs.define(kw_only=True, eq=False, repr=False)
        class Shop(TenantSession):
            rules = (*CustomerSession.rules, session_is_northern)

        assert Shop.create("x", tenant="north").evaluate("close")
        assert not Shop.create("x", tenant="south").evaluate("close")

    @pytest.mark.parametrize("decorate", [attrs.define, attrs.define(eq=False), lambda cls: cls])
    def test_own_rules_hold_with_and_without_a_decorator(self, decorate: Callable[[type], Any]) -> None:
        @rule("never", on=["cancel"])
        def never_cancelled() -> bool:
            """No session is cancelled."""
            return False

        class Shop(CustomerSession):
            rules = (*CustomerSession.rules, never_cancelled)

        shop = decorate(Shop)
        session = session_in("open", shop)
        with pytest.raises(RuleViolated):
            session.cancel()
        assert session.allowed_triggers == ("update", "close")
        assert session_in("open").allowed_triggers == ("update", "close", "cancel")
        assert shop.machine is not CustomerSession.machine
        assert shop.machine.rules == shop.rules

    def test_a_subclass_without_rules_of_its_own_has_those_of_its_base(self) -> None:
        assert SlottedSession.rules is CustomerSession.rules
        assert SlottedSession.machine is not CustomerSession.machine
        with pytest.raises(RuleViolated):
            session_in("closed", SlottedSession).return_items([])

    def test_methods_of_a_subclass_see_the_verbs(self) -> None:
        class Shop(CustomerSession):
            def cancel(self, *, now: datetime | None = None) -> Any:
                self.update(attributes={"reason": "none"}, now=now)
                return super().cancel(now=now)

        session = session_in("open", Shop)
        session.cancel()
        assert (session.state, session.attributes["reason"], session.update_count) == (State.CANCELLED, "none", 3)


class TestFirstSession:
    """F-16: it is true unless the creator says otherwise, and always for an anonymous session."""

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({}, True),
            ({"profile_id": "customer-7"}, True),
            ({"profile_id": "customer-7", "first_session": False}, False),
            ({"profile_id": "", "first_session": False}, True),
            ({"first_session": False}, True),
        ],
    )
    def test_at_creation_and_when_read(self, given: dict[str, Any], expected: bool) -> None:
        assert CustomerSession.create("x", **given).first_session is expected
        assert session_of(**given).first_session is expected
