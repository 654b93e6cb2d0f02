"""What holds whatever is done to a session, in whatever order, be it legal or not."""

from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from typing import Any

import pytest
from builders import at_minute, picture
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from strategies import carts, costs, returns, updates

from session_fsm import CustomerSession, InvalidValue, SessionUpdate, State, TransitionRefused
from session_fsm.rules import coupon_code_required

EXITS = {
    "open": {"update", "close", "cancel"},
    "closed": {"cancel", "return_items", "reopen"},
    "partially_returned": {"cancel", "return_items"},
    "cancelled": set(),
}


class Shop(CustomerSession):
    rules = (*CustomerSession.rules, coupon_code_required)


def outcome(do: Callable[..., Any], *arguments: Any, now: datetime) -> tuple[Any, Any]:
    """Return the event that *do* led to, or the refusal; the other is None."""
    try:
        return do(*arguments, now=now), None
    except TransitionRefused as refusal:
        return None, refusal


class LifeOfASession(RuleBasedStateMachine):
    """Does anything to a session, and keeps count of what must hold."""

    @initialize(
        cls=st.sampled_from([CustomerSession, Shop]), cart=carts, own=costs, state=st.sampled_from(["open", "closed"])
    )
    def create(self, cls: type[CustomerSession], cart: Any, own: Any, state: str) -> None:
        self.minute = 0
        content = {"cart_items": cart, "additional_costs": own, "coupon_codes": ["XMAS"]}
        self.session = cls.create("order-1042", state=state, now=at_minute(0), **content)
        self.successes = 1
        self.latest = at_minute(0)
        self.gross = self.sums()
        self.bought = [item.quantity for item in self.session.cart_items]

    def sums(self) -> list[Fraction]:
        """Compute the totals in another way than the library does."""
        session = self.session
        items = sum((item.quantity * Fraction(item.price or 0) for item in session.cart_items), Fraction())
        own = sum((Fraction(cost.price) for cost in session.additional_costs.values()), Fraction())
        per_item = [
            item.quantity * Fraction(cost.price)
            for item in session.cart_items
            for cost in item.additional_costs.values()
        ]
        of_items = sum(per_item, Fraction())
        return [items, own, of_items, items + own + of_items]

    def attempt(self, trigger: str, do: Callable[..., Any], *arguments: Any) -> None:
        """Ask for a transition, foretold by evaluate, and check that it takes place wholly or not at all."""
        session = self.session
        self.minute += 1
        now = at_minute(self.minute)
        before = picture(session)
        source = session.state
        decision = session.evaluate(trigger, *arguments, now=now)
        assert picture(session) == before, "evaluate changed something"
        assert (decision.target is not None) == (trigger in EXITS[source])
        event, refusal = outcome(do, *arguments, now=now)
        if refusal is not None:
            assert not decision.allowed
            assert refusal.decision == decision
            assert decision.after is None
            assert refusal.violations
            assert picture(session) == before, "a refused operation changed something"
            return
        assert decision.allowed
        assert (event.source, event.target) == (source, session.state) == (source, decision.target)
        assert event.name == decision.event_name
        assert picture(decision.after) == picture(session)
        assert session.pending_events == [*before["pending_events"], event]
        self.successes += 1
        self.latest = now
        if trigger in ("update", "close"):
            self.gross = self.sums()
            self.bought = [item.quantity for item in session.cart_items]

    @rule(change=updates)
    def update(self, change: SessionUpdate) -> None:
        self.attempt("update", self.session.update, change)

    @rule(change=st.none() | updates)
    def close(self, change: SessionUpdate | None) -> None:
        self.attempt("close", self.session.close, *([] if change is None else [change]))

    @rule()
    def cancel(self) -> None:
        self.attempt("cancel", self.session.cancel)

    @rule(entries=returns)
    def return_items(self, entries: Any) -> None:
        self.attempt("return_items", self.session.return_items, entries)

    @rule()
    def reopen(self) -> None:
        self.attempt("reopen", self.session.reopen)

    @rule()
    def take_events(self) -> None:
        pending = self.session.pending_events
        assert self.session.take_events() == pending
        assert self.session.pending_events == []

    @rule(wrong=st.sampled_from([{"coupon_codes": "A"}, {"store_integration_id": ""}, {"unknown": 1}]))
    def update_with_what_is_no_value(self, wrong: dict[str, Any]) -> None:
        before = picture(self.session)
        with pytest.raises(InvalidValue) as refusal:
            self.session.update(**wrong)
        assert refusal.value.pointer
        assert picture(self.session) == before

    @invariant()
    def bought_units_either_came_back_or_remain(self) -> None:
        for item in self.session.cart_items:
            assert item.quantity == item.returned_quantity + item.remaining_quantity
            assert item.returned_quantity >= 0
            assert item.remaining_quantity >= 0
        assert [item.quantity for item in self.session.cart_items] == self.bought
        assert [item.position for item in self.session.cart_items] == list(range(len(self.bought)))

    @invariant()
    def totals_are_gross_and_exact(self) -> None:
        session = self.session
        names = ("cart_item_total", "additional_cost_total", "cart_item_additional_cost_total", "total")
        assert [Fraction(getattr(session, name)) for name in names] == self.gross == self.sums()

    @invariant()
    def the_count_is_that_of_the_successes_and_the_time_that_of_the_last(self) -> None:
        assert self.session.update_count == self.successes
        assert self.session.updated == self.latest
        assert self.session.created == at_minute(0)

    @invariant()
    def units_come_back_of_orders_alone(self) -> None:
        returned = any(item.returned_quantity for item in self.session.cart_items)
        assert not returned or self.session.state in (State.PARTIALLY_RETURNED, State.CANCELLED)

    @invariant()
    def the_board_opens_nothing_that_the_table_does_not(self) -> None:
        before = picture(self.session)
        assert set(self.session.allowed_triggers) <= EXITS[self.session.state]
        assert picture(self.session) == before


LifeOfASession.TestCase.settings = settings(settings.get_profile("tests"), max_examples=100, stateful_step_count=25)
TestLifeOfASession = LifeOfASession.TestCase
