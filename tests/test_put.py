"""The Update operation calls the verbs, overridden or not, and can be judged without being carried out."""

from typing import Any

import pytest
from builders import LATER, ONE_UNIT, cart_session, session_in, snapshot

from session_fsm import CustomerSession, InvalidValue, SessionUpdate, State, Trigger, WrongState


class LoggingSession(CustomerSession):
    """Overrides the verbs, one without knowing of further keywords."""

    def update(self, change: Any = None, /, **given: Any) -> Any:
        """Note the call."""
        LOG.append(("update", change, sorted(given)))
        return super().update(change, **given)

    def close(self, change: Any = None, /, **given: Any) -> Any:
        """Note the call."""
        LOG.append(("close", change, sorted(given)))
        return super().close(change, **given)

    def cancel(self) -> Any:  # type: ignore[override]  # as it was written before verbs took more
        """Note the call."""
        LOG.append(("cancel", None, []))
        return super().cancel()


LOG: list[Any] = []


class TestOverriddenVerbs:
    def test_put_calls_them(self) -> None:
        LOG.clear()
        session = LoggingSession.create("order-1")
        session.put(coupon_codes=["XMAS"], now=LATER, context={"actor": "ann"})
        session.put(SessionUpdate(state="closed"))
        session.put(state="cancelled", coupon_codes=["NEW"])
        assert [
            ("update", SessionUpdate(coupon_codes=["XMAS"]), ["context", "now"]),
            ("close", SessionUpdate(state="closed"), []),
            ("cancel", None, []),
        ] == LOG
        assert session.state is State.CANCELLED
        assert session.coupon_codes == ("XMAS",)
        assert session.pending_events[1].at == LATER
        assert session.pending_events[1].context == {"actor": "ann"}


def refused(do: Any) -> WrongState:
    """Do what the table refuses, and return the refusal."""
    with pytest.raises(WrongState) as refusal:
        do()
    return refusal.value


class TestDryRun:
    """`evaluate("put", ...)` says what `put` would do."""

    @pytest.mark.parametrize("state", State)
    @pytest.mark.parametrize("wanted", [None, *State])
    def test_it_agrees_with_put(self, state: State, wanted: State | None) -> None:
        session = session_in(state)
        change: dict[str, Any] = {"coupon_codes": ["NEW"]} | ({} if wanted is None else {"state": wanted})
        held = snapshot(session)
        decision = session.evaluate("put", now=LATER, **change)
        assert str(session.evaluate("put", SessionUpdate(**change), now=LATER)) == str(decision)
        assert snapshot(session) == held
        if decision:
            assert decision.trigger == session.put(now=LATER, **change).trigger
            assert snapshot(decision.after) == snapshot(session)
        else:
            refusal = refused(lambda: session.put(now=LATER, **change))
            assert refusal.decision == decision
            assert refusal.already is decision.already
            assert str(refused(decision.raise_if_refused)) == str(refusal)

    def test_of_a_cancellation_changes_are_not_applied(self) -> None:
        decision = session_in("open").evaluate("put", state="cancelled", coupon_codes=["NEW"])
        assert decision.trigger is Trigger.CANCEL
        assert decision.after is not None
        assert decision.after.coupon_codes == ("XMAS",)

    def test_what_is_no_update_is_refused(self) -> None:
        with pytest.raises(InvalidValue):
            session_in("open").evaluate("put", returned_cart_items=ONE_UNIT)


class TestDryRunOfAReturn:
    """`evaluate` takes what comes back by the name that `board` has for it."""

    def test_by_its_name_and_by_its_place(self) -> None:
        session = cart_session(2)
        by_name = session.evaluate("return_items", returned_cart_items=ONE_UNIT, now=LATER)
        by_place = session.evaluate("return_items", ONE_UNIT, now=LATER)
        on_board = session.board(returned_cart_items=ONE_UNIT, now=LATER)[Trigger.RETURN_ITEMS]
        for decision in (by_name, by_place, on_board):
            assert decision.after is not None
            assert decision.after.remaining_items()[0].quantity == 1

    def test_not_by_both(self) -> None:
        with pytest.raises(InvalidValue, match="give what comes back once"):
            cart_session(2).evaluate("return_items", ONE_UNIT, returned_cart_items=ONE_UNIT)


class TestWantedStates:
    """D-15: two wanted states that differ are refused."""

    @pytest.mark.parametrize(("first", "second"), [("closed", "open"), ("open", "closed")])
    def test_of_a_creation(self, first: Any, second: Any) -> None:
        with pytest.raises(InvalidValue) as refusal:
            CustomerSession.create("order-1", SessionUpdate(state=first), state=second)
        assert refusal.value.pointer == "/state"
        assert CustomerSession.create("order-1", SessionUpdate(state=first), state=first).state == first
        assert CustomerSession.create("order-1", SessionUpdate(), state=second).state == second
