"""What a decision says that a session would be: made when somebody asks, and of the moment of the decision."""

import pickle

import attrs
from builders import at_minute, session_in, snapshot

from session_fsm import CustomerSession, SessionUpdate, State, Trigger


@attrs.define(kw_only=True)
class Wrapped(CustomerSession):
    wish: str = attrs.field(init=False)


def test_it_is_one_session_however_often_it_is_asked_for() -> None:
    decision = session_in(State.OPEN).evaluate("close")
    assert decision.after is decision.after
    assert decision.after is not None


def test_it_shows_the_session_of_the_moment_of_the_decision() -> None:
    session = session_in(State.OPEN)
    decision = session.evaluate("close", now=at_minute(9))
    session.cancel()
    assert decision.after is not None
    assert decision.after.state is State.CLOSED
    assert [event.trigger for event in decision.after.pending_events][-1] is Trigger.CLOSE


def test_a_decision_travels_with_it() -> None:
    decision = session_in(State.OPEN).evaluate("close", now=at_minute(9))
    arrived = pickle.loads(pickle.dumps(decision))
    assert snapshot(arrived.after) == snapshot(decision.after)


def test_a_field_without_a_value_has_none_afterwards() -> None:
    decision = Wrapped.create("order-1042").evaluate("close")
    assert decision.after is not None
    assert decision.after.state is State.CLOSED
    assert not hasattr(decision.after, "wish")


def test_the_board_leaves_the_wanted_state_of_a_change_aside() -> None:
    change = SessionUpdate(coupon_codes=["XMAS"], state="closed")
    board = session_in(State.OPEN).board(change)
    updated, closed = board[Trigger.UPDATE].after, board[Trigger.CLOSE].after
    assert updated is not None
    assert closed is not None
    assert (updated.state, updated.coupon_codes) == (State.OPEN, ("XMAS",))
    assert (closed.state, closed.coupon_codes) == (State.CLOSED, ("XMAS",))


def test_an_update_that_says_nothing_changes_nothing() -> None:
    session = session_in(State.OPEN)
    held = session.cart_items, session.total
    session.update(SessionUpdate())
    assert (session.cart_items, session.total) == held
