"""What a session answers: its board, the decisions of `evaluate`, its events, and what its verbs take."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest
from builders import (
    CREATED,
    LATER,
    MOVING,
    ONE_UNIT,
    PlainSession,
    SlottedSession,
    at_minute,
    fire,
    judged,
    session_in,
    snapshot,
)

from session_fsm import CustomerSession, InvalidValue, ReturnedCartItem, State, Trigger, WrongState


class TestBoard:
    """The board shows all five triggers, allowed and refused."""

    @pytest.mark.parametrize("state", State)
    def test_it_agrees_with_evaluate(self, state: str) -> None:
        session = session_in(state)
        before = snapshot(session)
        board = session.board(returned_cart_items=ONE_UNIT, now=LATER)
        assert tuple(board) == MOVING
        for trigger, decision in board.items():
            expected = judged(session, trigger, LATER)
            assert (decision.allowed, decision.target, decision.checks, decision.violations) == (
                expected.allowed,
                expected.target,
                expected.checks,
                expected.violations,
            )
            assert (decision.after is None) == (not expected)
        assert session.allowed_triggers == tuple(trigger for trigger, decision in board.items() if decision)
        assert snapshot(session) == before

    def test_it_takes_changes_for_update_and_closing(self) -> None:
        board = session_in("open").board(coupon_codes=["NEW"])
        assert board[Trigger.UPDATE].after.coupon_codes == ("NEW",)
        assert board[Trigger.CLOSE].after.coupon_codes == ("NEW",)
        assert board[Trigger.CANCEL].after.coupon_codes == ("XMAS",)

    def test_without_a_return_it_tries_everything_that_remains(self) -> None:
        session = session_in("partially_returned")
        after = session.board()[Trigger.RETURN_ITEMS].after
        assert [item.remaining_quantity for item in after.cart_items] == [0, 0]
        session.return_items([ReturnedCartItem(position=0), ReturnedCartItem(position=1)])
        (violation,) = session.board()[Trigger.RETURN_ITEMS].violations
        assert violation.code == "nothing_to_return"

    def test_it_cannot_be_changed(self) -> None:
        with pytest.raises(TypeError):
            session_in("open").board()[Trigger.CLOSE] = None


class TestEvents:
    """Every success records one event, which is pending until it is taken."""

    def test_they_are_pending_in_order_until_they_are_taken(self) -> None:
        session = session_in("partially_returned")
        names = [str(event.name) for event in session.pending_events]
        assert names == ["talon_session_created", "talon_session_closed", "talon_session_partially_returned"]
        taken = session.take_events()
        assert [str(event.name) for event in taken] == names
        assert session.pending_events == session.take_events() == []
        event = session.cancel()
        assert session.pending_events == [event]

    def test_the_list_of_pending_events_is_the_callers_own(self) -> None:
        session = session_in("open")
        session.pending_events.clear()
        assert len(session.pending_events) == 1

    def test_an_event_tells_what_it_was_about(self) -> None:
        session = session_in("open")
        assert session.update(coupon_codes=["A"]).change.coupon_codes == ("A",)
        assert session.close().change.given() == {}
        assert session.return_items(list(ONE_UNIT)).change == ONE_UNIT
        assert session.cancel().change is None


class TestTime:
    """D-09, D-12: `updated` is the time of the latest event, and times are aware."""

    def test_now_is_kept_with_its_own_zone(self) -> None:
        zone = timezone(timedelta(hours=2))
        event = session_in("open").close(now=LATER.astimezone(zone))
        assert event.at == LATER
        assert event.at.tzinfo is zone

    def test_without_now_it_is_the_current_time(self) -> None:
        before = datetime.now(UTC)
        session = CustomerSession.create("x")
        event = session.close()
        after = datetime.now(UTC)
        assert before <= session.created <= event.at == session.updated <= after
        assert event.at.utcoffset() == timedelta(0)

    @pytest.mark.parametrize("now", [datetime(2026, 3, 1), "2026-03-01T00:00:00Z", 0])
    @pytest.mark.parametrize("trigger", MOVING)
    def test_a_naive_time_is_refused(self, trigger: Trigger, now: Any) -> None:
        session = session_in("open")
        before = snapshot(session)
        for ask in (fire, judged):
            with pytest.raises(InvalidValue) as refusal:
                ask(session, trigger, now)
            assert refusal.value.pointer == "/now"
        assert snapshot(session) == before

    def test_a_creation_at_a_naive_time_is_refused(self) -> None:
        with pytest.raises(InvalidValue) as refusal:
            CustomerSession.create("x", now=datetime(2026, 3, 1))
        assert refusal.value.pointer == "/now"

    def test_created_never_moves(self) -> None:
        session = session_in("partially_returned")
        assert (session.created, session.updated, session.update_count) == (CREATED, at_minute(2), 3)


class TestEvaluate:
    """A question changes nothing, and its answer is independent of the session."""

    @pytest.mark.parametrize("cls", [CustomerSession, SlottedSession, PlainSession])
    def test_after_is_an_independent_session_with_its_event_pending(self, cls: type[CustomerSession]) -> None:
        session = session_in("open", cls)
        before = snapshot(session)
        after = session.evaluate("close", coupon_codes=["NEW"], now=LATER).after
        assert type(after) is type(session)
        assert [str(event.name) for event in after.pending_events][-1] == "talon_session_closed"
        after.cancel()
        after.take_events()
        assert snapshot(session) == before
        session.update()
        assert (after.state, after.coupon_codes) == (State.CANCELLED, ("NEW",))

    def test_every_decision_has_an_after_of_its_own(self) -> None:
        session = session_in("open")
        assert session.evaluate("close").after is not session.evaluate("close").after

    @pytest.mark.parametrize("trigger", ["closing", "", "CLOSE", None, 5])
    def test_there_is_no_other_trigger(self, trigger: Any) -> None:
        with pytest.raises(InvalidValue, match="the triggers are update, close, cancel, return_items, reopen"):
            session_in("open").evaluate(trigger)

    @pytest.mark.parametrize(
        ("trigger", "arguments", "keywords"),
        [
            ("cancel", ("x",), {}),
            ("cancel", (), {"coupon_codes": []}),
            ("reopen", ([],), {}),
            ("return_items", (), {"coupon_codes": []}),
            ("return_items", (5,), {}),
            ("return_items", ([5],), {}),
            ("update", (ONE_UNIT,), {}),
        ],
    )
    def test_what_the_trigger_does_not_take_is_refused(self, trigger: str, arguments: Any, keywords: Any) -> None:
        with pytest.raises(InvalidValue):
            session_in("closed").evaluate(trigger, *arguments, **keywords)

    def test_a_return_without_entries_is_judged_as_empty(self) -> None:
        (violation,) = session_in("closed").evaluate("return_items").violations
        assert violation.code == "nothing_to_return"


class TestReturnArgument:
    """A return takes a list of entries, or a request that holds one."""

    def test_a_request_is_taken_as_it_is(self) -> None:
        @attrs.frozen
        class Request:
            returned_cart_items: tuple[ReturnedCartItem, ...]

        session = session_in("closed")
        assert session.return_items(Request(ONE_UNIT)).change == ONE_UNIT

    def test_any_list_like_value_will_do(self) -> None:
        session = session_in("closed")
        session.return_items(entry for entry in ONE_UNIT)
        assert session.cart_items[0].returned_quantity == 1

    @pytest.mark.parametrize(
        ("given", "pointer"),
        [
            (None, "/returnedCartItems"),
            (ONE_UNIT[0], "/returnedCartItems"),
            ("A", "/returnedCartItems"),
            ([*ONE_UNIT, {"position": 0}], "/returnedCartItems/1"),
        ],
    )
    def test_anything_else_is_refused(self, given: Any, pointer: str) -> None:
        session = session_in("closed")
        before = snapshot(session)
        with pytest.raises(InvalidValue) as refusal:
            session.return_items(given)
        assert refusal.value.pointer == pointer
        assert snapshot(session) == before


def test_a_refusal_repeats_as_often_as_it_is_asked_for() -> None:
    session = session_in("closed")
    before = snapshot(session)
    for _ in range(3):
        with pytest.raises(WrongState):
            session.close()
    assert snapshot(session) == before
