"""The rules of the API itself, each at its boundary, and how refusals report them."""

from typing import Any

import pytest
from builders import CREATED, LATER, cart, cart_session, session_in, snapshot

from session_fsm import CartItem, CustomerSession, ReturnedCartItem, RuleViolated, State, Violation
from session_fsm.decisions import Outcome
from session_fsm.rules import BUILT_IN


def back(position: int | None = None, quantity: int | None = None, sku: str | None = None) -> ReturnedCartItem:
    return ReturnedCartItem(position=position, quantity=quantity, sku=sku)


def only_violation(refusal: Any) -> Violation:
    (violation,) = refusal.value.violations
    return violation


def refused_return(session: CustomerSession, *entries: ReturnedCartItem) -> tuple[Violation, ...]:
    """Try a return that must be refused: by the verb, by evaluate alike, and without a trace."""
    before = snapshot(session)
    decision = session.evaluate("return_items", entries, now=LATER)
    with pytest.raises(RuleViolated) as refusal:
        session.return_items(entries, now=LATER)
    assert snapshot(session) == before
    assert refusal.value.violations == decision.violations
    assert decision.after is None
    assert refusal.value.decision.target is State.PARTIALLY_RETURNED
    return refusal.value.violations


def remaining(session: CustomerSession) -> list[int]:
    return [item.remaining_quantity for item in session.cart_items]


FILLING = ["create", "create closed", "update", "close"]


def fill(way: str, items: list[CartItem]) -> CustomerSession:
    """Bring *items* into a cart by one of the ways in which a cart is filled."""
    if way.startswith("create"):
        return CustomerSession.create("order-1042", cart_items=items, state="closed" if "closed" in way else None)
    session = CustomerSession.create("order-1042")
    getattr(session, way)(cart_items=items)
    return session


@pytest.mark.parametrize("way", FILLING)
class TestCartSize:
    """L-01, L-02: a request fills a cart with at most 1000 items, and at most 10,000 units altogether."""

    def test_a_thousand_items_are_accepted(self, way: str) -> None:
        assert len(fill(way, [CartItem(sku="A", quantity=1)] * 1000).cart_items) == 1000

    def test_a_thousand_and_one_items_are_refused(self, way: str) -> None:
        with pytest.raises(RuleViolated) as refusal:
            fill(way, [CartItem(sku="A", quantity=1)] * 1001)
        violation = only_violation(refusal)
        assert violation.code == "too_many_cart_items"
        assert violation.message == "The cart holds 1001 items; at most 1000 are allowed."
        assert violation.details == {"items": 1001, "limit": 1000}
        assert violation.pointer == "/cartItems"

    def test_ten_thousand_units_are_accepted(self, way: str) -> None:
        session = fill(way, [CartItem(sku="A", quantity=9_999), CartItem(sku="B", quantity=1)])
        assert sum(item.quantity for item in session.cart_items) == 10_000

    def test_ten_thousand_and_one_units_are_refused(self, way: str) -> None:
        with pytest.raises(RuleViolated) as refusal:
            fill(way, [CartItem(sku="A", quantity=9_999), CartItem(sku="B", quantity=2)])
        violation = only_violation(refusal)
        assert violation.code == "too_many_units"
        assert violation.message == "The quantities in the cart add up to 10001 units; at most 10000 are allowed."
        assert violation.details == {"units": 10_001, "limit": 10_000}
        assert violation.pointer == "/cartItems"

    def test_both_faults_are_reported_together(self, way: str) -> None:
        with pytest.raises(RuleViolated) as refusal:
            fill(way, [CartItem(sku="A", quantity=10)] * 1001)
        assert [v.code for v in refusal.value.violations] == ["too_many_cart_items", "too_many_units"]


class TestCartSizeElsewhere:
    """L-01, L-02: triggers that do not fill the cart do not count it."""

    def huge(self, state: str) -> CustomerSession:
        items = [CartItem(sku=f"S{n}", quantity=11) for n in range(1001)]
        return CustomerSession(
            integration_id="order-1042", created=CREATED, updated=CREATED, cart_items=items, state=state
        )

    def test_a_cart_that_was_read_too_large_can_be_returned_reopened_and_cancelled(self) -> None:
        session = self.huge("closed")
        session.reopen()
        session.cancel()
        returned = self.huge("closed")
        returned.return_items([back(0, 1)])
        assert (session.state, returned.state) == (State.CANCELLED, State.PARTIALLY_RETURNED)

    def test_but_it_cannot_close_as_it_stands(self) -> None:
        with pytest.raises(RuleViolated) as refusal:
            self.huge("open").close()
        assert [v.code for v in refusal.value.violations] == ["too_many_cart_items", "too_many_units"]


class TestNothingToReturn:
    """L-03: a return names at least one item."""

    def test_an_empty_return_is_refused(self) -> None:
        (violation,) = refused_return(cart_session(3))
        assert (violation.code, violation.pointer) == ("nothing_to_return", "/returnedCartItems")
        assert violation.message == "The return names no item."

    def test_a_return_of_one_item_is_accepted(self) -> None:
        session = cart_session(3, 2)
        session.return_items([back(1, 1)])
        assert remaining(session) == [3, 1]


class TestUnknownItem:
    """L-04: what comes back is in the cart."""

    def test_the_last_position_is_accepted(self) -> None:
        session = cart_session(1, 1, 1)
        session.return_items([back(2)])
        assert remaining(session) == [1, 1, 0]

    def test_the_position_after_the_last_is_refused(self) -> None:
        (violation,) = refused_return(cart_session(1, 1, 1), back(3, 1))
        assert violation.code == "unknown_cart_item"
        assert violation.message == "The cart has no item at position 3; it holds 3 items."
        assert violation.details == {"position": 3, "items": 3}
        assert violation.pointer == "/returnedCartItems/0/position"

    def test_a_known_sku_is_accepted(self) -> None:
        session = cart_session(1, 2)
        session.return_items([back(sku="B")])
        assert remaining(session) == [1, 0]

    def test_an_unknown_sku_is_refused(self) -> None:
        (violation,) = refused_return(cart_session(2, 2), back(0, 1), back(sku="Z"))
        assert violation.code == "unknown_cart_item"
        assert violation.message == 'The cart has no item with the SKU "Z".'
        assert violation.details == {"sku": "Z"}
        assert violation.pointer == "/returnedCartItems/1/sku"

    def test_unknown_position_and_sku_in_one_entry_are_both_reported(self) -> None:
        violations = refused_return(cart_session(2), back(7, 1, "Z"))
        assert [(v.code, v.pointer) for v in violations] == [
            ("unknown_cart_item", "/returnedCartItems/0/position"),
            ("unknown_cart_item", "/returnedCartItems/0/sku"),
        ]

    def test_an_empty_cart_has_nothing_to_give_back(self) -> None:
        (violation,) = refused_return(cart_session(), back(0))
        assert violation.details == {"position": 0, "items": 0}


class TestPositionAndSku:
    """L-05: where a return gives both, they name the same item."""

    def test_a_matching_pair_is_accepted(self) -> None:
        session = cart_session(2, 2)
        session.return_items([back(1, 1, "B")])
        assert remaining(session) == [2, 1]

    def test_the_position_tells_two_items_of_one_sku_apart(self) -> None:
        session = CustomerSession.create("x", cart_items=cart(2)[:1] * 2, state="closed")
        session.return_items([back(1, 2, "A")])
        assert remaining(session) == [2, 0]

    def test_a_pair_that_does_not_match_is_refused(self) -> None:
        (violation,) = refused_return(cart_session(2, 2), back(1, 1, "A"))
        assert violation.code == "sku_position_mismatch"
        assert violation.message == 'The item at position 1 has the SKU "B", not "A".'
        assert violation.details == {"position": 1, "sku": "A", "sku_at_position": "B"}
        assert violation.pointer == "/returnedCartItems/0/sku"


class TestAmbiguousSku:
    """L-06: a SKU that stands on several items needs a position beside it."""

    def twice(self) -> CustomerSession:
        items = [CartItem(sku=sku, quantity=2) for sku in ("A", "B", "A")]
        return CustomerSession.create("order-1042", cart_items=items, state="closed")

    def test_a_sku_on_two_items_is_refused(self) -> None:
        (violation,) = refused_return(self.twice(), back(sku="B"), back(sku="A", quantity=1))
        assert violation.code == "ambiguous_sku"
        assert violation.message == 'The SKU "A" stands at positions 0, 2; give one.'
        assert violation.details == {"sku": "A", "positions": [0, 2], "count": 2}
        assert violation.pointer == "/returnedCartItems/1/sku"

    def test_a_sku_on_one_item_is_accepted_beside_it(self) -> None:
        session = self.twice()
        session.return_items([back(sku="B", quantity=1), back(2, 1)])
        assert remaining(session) == [2, 1, 1]


class TestUnitsThatRemain:
    """L-07: no item gets back more units than remain on it; several entries for one item are added up first."""

    def test_all_that_remain_may_come_back(self) -> None:
        session = cart_session(3)
        session.return_items([back(0, 3)])
        assert remaining(session) == [0]
        assert session.cart_items[0].returned_quantity == 3

    def test_one_more_than_remain_is_refused(self) -> None:
        (violation,) = refused_return(cart_session(1, 3), back(1, 4))
        assert violation.code == "returns_more_than_remaining"
        assert violation.message == "4 units of the item at position 1 cannot come back; 3 remain."
        assert violation.details == {"position": 1, "requested": 4, "remaining": 3}
        assert violation.pointer == "/returnedCartItems/0/quantity"

    def test_what_came_back_before_counts(self) -> None:
        session = cart_session(3)
        session.return_items([back(0, 2)])
        (violation,) = refused_return(session, back(0, 2))
        assert violation.details == {"position": 0, "requested": 2, "remaining": 1}
        session.return_items([back(0, 1)])
        assert remaining(session) == [0]

    def test_entries_for_one_item_are_added_up_whatever_they_name_it_by(self) -> None:
        session = cart_session(3, 3)
        session.return_items([back(0, 1), back(1, 1), back(sku="A", quantity=1), back(0, 1, "A")])
        assert remaining(session) == [0, 2]
        violations = refused_return(cart_session(3, 3), back(0, 2), back(1, 3), back(sku="A", quantity=2))
        assert [(v.details, v.pointer) for v in violations] == [
            ({"position": 0, "requested": 4, "remaining": 3}, "/returnedCartItems/2/quantity")
        ]

    def test_an_entry_without_a_quantity_takes_all_that_remain(self) -> None:
        session = cart_session(5, 2)
        session.return_items([back(0, 2)])
        session.return_items([back(0), back(sku="B")])
        assert remaining(session) == [0, 0]

    def test_an_entry_without_a_quantity_needs_a_unit_that_remains(self) -> None:
        session = cart_session(2)
        session.return_items([back(0)])
        (violation,) = refused_return(session, back(0))
        assert violation.details == {"position": 0, "requested": 1, "remaining": 0}

    def test_all_that_remain_and_one_more_are_too_many(self) -> None:
        (violation,) = refused_return(cart_session(2), back(0), back(0, 1))
        assert violation.details == {"position": 0, "requested": 3, "remaining": 2}

    def test_every_item_that_lacks_units_is_reported(self) -> None:
        violations = refused_return(cart_session(1, 1, 1), back(0, 2), back(1, 1), back(2, 3))
        assert [v.details["position"] for v in violations] == [0, 2]


class TestUnnamedItem:
    """L-08: an entry has a position, a SKU, or both."""

    def test_an_entry_without_both_is_refused(self) -> None:
        (violation,) = refused_return(cart_session(2), back(0, 1), back(quantity=1))
        assert violation.code == "return_item_unnamed"
        assert violation.message == "Entry 1 of the return has neither a position nor a SKU."
        assert violation.pointer == "/returnedCartItems/1"

    @pytest.mark.parametrize("entry", [back(0), back(sku="A"), back(0, sku="A")])
    def test_one_name_is_enough(self, entry: ReturnedCartItem) -> None:
        session = cart_session(2)
        session.return_items([entry])
        assert remaining(session) == [0]


class TestAllAtOnce:
    """A refusal names every fault, so that all can be mended together."""

    def test_a_return_with_every_fault(self) -> None:
        items = [CartItem(sku=sku, quantity=1) for sku in ("A", "B", "A")]
        session = CustomerSession.create("order-1042", cart_items=items, state="closed")
        violations = refused_return(
            session, back(), back(9), back(sku="Z"), back(0, 1, "B"), back(sku="A"), back(1, 5), back(quantity=2)
        )
        assert [(v.code, v.pointer) for v in violations] == [
            ("return_item_unnamed", "/returnedCartItems/0"),
            ("return_item_unnamed", "/returnedCartItems/6"),
            ("unknown_cart_item", "/returnedCartItems/1/position"),
            ("unknown_cart_item", "/returnedCartItems/2/sku"),
            ("sku_position_mismatch", "/returnedCartItems/3/sku"),
            ("ambiguous_sku", "/returnedCartItems/4/sku"),
            ("returns_more_than_remaining", "/returnedCartItems/5/quantity"),
        ]

    def test_a_creation_with_every_fault(self) -> None:
        with pytest.raises(RuleViolated) as refusal:
            CustomerSession.create("x", state="cancelled", cart_items=[CartItem(sku="A", quantity=10)] * 1001)
        codes = [v.code for v in refusal.value.violations]
        assert codes == ["state_not_creatable", "too_many_cart_items", "too_many_units"]
        assert [check.outcome for check in refusal.value.decision.checks] == [Outcome.VIOLATED] * 3

    def test_the_decision_lists_the_rules_that_passed_too(self) -> None:
        decision = cart_session(2).evaluate("return_items", [back(0, 3)])
        assert {check.rule.code: str(check.outcome) for check in decision.checks} == {
            "nothing_to_return": "passed",
            "return_item_unnamed": "passed",
            "unknown_cart_item": "passed",
            "sku_position_mismatch": "passed",
            "ambiguous_sku": "passed",
            "returns_more_than_remaining": "violated",
        }
        violated = decision.checks[-1]
        assert violated.violation == decision.violations[0]
        assert decision.checks[0].violation is None

    def test_triggers_without_rules_have_no_checks(self) -> None:
        assert session_in("closed").evaluate("reopen").checks == ()
        assert session_in("open").evaluate("cancel").checks == ()

    def test_each_built_in_rule_has_its_own_code_and_says_what_it_demands(self) -> None:
        assert {rule.code for rule in BUILT_IN} == {
            "too_many_cart_items",
            "too_many_units",
            "nothing_to_return",
            "unknown_cart_item",
            "sku_position_mismatch",
            "ambiguous_sku",
            "returns_more_than_remaining",
            "return_item_unnamed",
            "state_not_creatable",
        }
        assert all(rule.text.endswith(".") and "\n" not in rule.text for rule in BUILT_IN)
        assert CustomerSession.rules == BUILT_IN
