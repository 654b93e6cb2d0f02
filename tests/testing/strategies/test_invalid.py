"""Tests of the invalid strategies: each draws one fault, which is reported alone."""

from typing import Any

import attrs
import pytest
from builders import TenantSession, session_in, snapshot
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from session_fsm import (
    CartItem,
    CustomerSession,
    InvalidValue,
    RuleViolated,
    SessionEvent,
    SessionUpdate,
    State,
    WireError,
    WrongState,
    rule,
    wire,
)
from session_fsm.rules import BUILT_IN, coupon_code_required
from session_fsm.testing import (
    Planted,
    invalid_cart_items,
    invalid_json_documents,
    invalid_operations,
    invalid_returns,
    invalid_sessions,
    invalid_updates,
    sessions,
)
from session_fsm.testing.strategies.bad_values import (
    bad_creation_values,
    bad_event_values,
    bad_item_values,
    bad_return_values,
    bad_session_values,
    bad_update_values,
)

SETTINGS = settings(settings.get_profile("tests"), max_examples=60, suppress_health_check=list(HealthCheck))


class Shop(CustomerSession):
    rules = (*CustomerSession.rules, coupon_code_required)


def planted_by(strategy: st.SearchStrategy[Planted], number: int = 120) -> list[Planted]:
    """Draw from a strategy, prove every example, and return them."""
    found: list[Planted] = []

    @settings(SETTINGS, max_examples=number, derandomize=True, phases=[Phase.generate])
    @given(strategy)
    def prove(planted: Planted) -> None:
        planted.prove()
        found.append(planted)

    prove()
    return found


def rich_order() -> CustomerSession:
    """Return a closed session whose cart allows every violation of a return rule: two SKUs, one on two items."""
    items = [CartItem(sku=sku, quantity=2, price=5) for sku in "AAB"]
    return Shop.create("order-1", cart_items=items, coupon_codes=["X"], state="closed")


@pytest.mark.parametrize(
    "strategy",
    [
        invalid_cart_items(),
        invalid_updates(),
        invalid_sessions(),
        invalid_sessions(TenantSession, own={"tenant": "acme"}),
        invalid_operations(TenantSession, own={"tenant": "acme"}),
        invalid_json_documents(),
        invalid_json_documents(TenantSession, own={"tenant": "acme"}),
        invalid_json_documents(SessionUpdate),
        invalid_json_documents(wire.ReturnRequest),
        invalid_json_documents(SessionEvent),
        sessions(Shop).flatmap(invalid_operations),
        sessions(CustomerSession, "closed").flatmap(invalid_returns),
        sessions(CustomerSession, "partially_returned").flatmap(invalid_returns),
    ],
    ids=lambda strategy: repr(strategy)[:40],
)
def test_every_drawn_fault_is_reported_alone(strategy: st.SearchStrategy[Planted]) -> None:
    @SETTINGS
    @given(strategy)
    def prove(planted: Planted) -> None:
        planted.prove()

    prove()


class TestBadValues:
    """Each bad value of the tables, without drawing."""

    @pytest.mark.parametrize("name", bad_item_values())
    def test_every_bad_value_of_an_item_is_refused(self, name: str) -> None:
        for value, place, text in bad_item_values()[name]:
            with pytest.raises(InvalidValue) as refusal:
                CartItem(**({"sku": "A", "quantity": 1} | {name: value}))
            assert refusal.value.problem == text
            assert refusal.value.pointer.endswith(place)

    @pytest.mark.parametrize(("table", "cls"), [(bad_item_values, CartItem), (bad_update_values, SessionUpdate)])
    def test_every_field_has_bad_values(self, table: Any, cls: type) -> None:
        assert set(table()) == {attribute.name for attribute in attrs.fields(cls)} - {"own"}

    def test_every_member_of_a_document_has_bad_values(self) -> None:
        fields = {attribute.name for attribute in attrs.fields(CustomerSession)} - {"_pending_events"}
        assert set(bad_session_values()) == fields
        assert set(bad_event_values()) == {a.name for a in attrs.fields(SessionEvent)} - {"change"}
        assert set(bad_return_values()) == {"returned_cart_items"}

    def test_every_problem_text_occurs(self) -> None:
        texts = {
            text
            for table in (bad_creation_values(), bad_item_values(), bad_update_values(), bad_update_values(json=True))
            for faults in table.values()
            for _, _, text in faults
        } | {text for faults in bad_session_values().values() for _, _, text in faults}
        for part in (
            *("is not a string", "is empty", "has 101 characters; at most 100", "half of a surrogate pair"),
            *("is not an integer", "does not fit into 64 bits", "is less than", "is not a boolean"),
            *("is a binary float", "is not a number", "is not finite", "out of the range", "is not between"),
            *("is not a time", "has no time zone", "has no equal in UTC", "must be one of", "is not a UUID"),
            *("is not a list", "has 6 entries; at most 5", "is not an object", "a name in it is not a string"),
            *("is nested deeper", "cannot be written as JSON", "is not the name of an attribute"),
            *("cannot come back of", "remaining units are not", "is missing", "as RFC 3339 writes it"),
        ):
            assert any(part in text for text in texts), part


class TestRules:
    def test_every_built_in_rule_is_violated(self) -> None:
        """L-01 to L-09."""
        planted = planted_by(invalid_sessions()) + planted_by(invalid_operations(rich_order()), 400)
        planted += planted_by(invalid_operations(session_in("open")))
        assert {one.code for one in planted} >= {one.code for one in BUILT_IN} | {"wrong_state", ""}

    def test_the_session_is_unchanged(self) -> None:
        session = rich_order()
        before = snapshot(session)
        planted_by(invalid_operations(session))
        planted_by(invalid_returns(session))
        assert snapshot(session) == before

    def test_the_errors_are_those_of_the_verbs(self) -> None:
        kinds = {type(one.prove()) for one in planted_by(invalid_operations(rich_order()), 100)}
        assert kinds == {WrongState, RuleViolated, InvalidValue}
        assert {type(one.prove()) for one in planted_by(invalid_json_documents(), 20)} == {WireError}

    def test_returns_of_a_session_without_a_cart(self) -> None:
        codes = {one.code for one in planted_by(invalid_returns(session_in("closed", cart_items=[])))}
        assert codes == {"", "nothing_to_return", "return_item_unnamed", "unknown_cart_item"}

    def test_violations_of_added_rules_are_ignored(self) -> None:
        @rule("never", on=["create"])
        def nothing_is_created() -> bool:
            """Nothing is created."""
            return False

        class Never(CustomerSession):
            rules = (*CustomerSession.rules, nothing_is_created)

        planted_by(invalid_sessions(Never))


class TestProve:
    def test_a_fault_that_is_not_refused_is_an_error(self) -> None:
        planted = Planted({"sku": "A"}, "/sku", "is empty", "", lambda: None)
        with pytest.raises(AssertionError, match=r"is empty.* was not refused"):
            planted.prove()

    @pytest.mark.parametrize(
        ("pointer", "problem", "code", "call"),
        [
            ("/sku", "is empty", "", lambda: CartItem(sku="A", quantity=0)),
            ("/quantity", "0 is less than 1", "some_code", lambda: CartItem(sku="A", quantity=0)),
            (None, "", "some_code", lambda: session_in("open").reopen()),
            ("/quantity", "", "wrong_state", lambda: session_in("open").reopen()),
        ],
    )
    def test_another_problem_is_an_error(self, pointer: Any, problem: str, code: str, call: Any) -> None:
        with pytest.raises(AssertionError, match="was refused otherwise"):
            Planted({}, pointer, problem, code, call).prove()

    def test_the_repr_cuts_a_long_value(self) -> None:
        (many,) = {
            one.code: one for one in planted_by(invalid_sessions()) if one.code == "too_many_cart_items"
        }.values()
        assert len(many.value["cart_items"]) == 1001
        assert len(repr(many)) < 600
        assert "..." in repr(many)

    def test_planted_is_frozen(self) -> None:
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            Planted({}, "", "", "", int).code = "other"


def test_invalid_operations_cover_every_state_and_verb() -> None:
    found = [planted.value[0] for state in State for planted in planted_by(invalid_operations(session_in(state)), 60)]
    assert set(found) == {"update", "close", "cancel", "reopen", "return_items", "put"}


def test_other_kinds_of_documents_are_refused() -> None:
    with pytest.raises(InvalidValue, match="is not a supported kind of document"):
        invalid_json_documents(int)
