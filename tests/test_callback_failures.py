"""Callbacks that fail, or that move the session themselves: nothing is ever half-done."""

from typing import Any

import pytest
from builders import LATER, add_callback, fire, fresh, session_in, snapshot

from session_fsm import RuleViolated, SessionEvent, SessionFSMError, State, WrongState, rule

MOMENTS = [
    "prepare_event",
    "prepare",
    "before_state_change",
    "before",
    "on_exit",
    "on_enter",
    "on_final",
    "after",
    "after_state_change",
]
BY_MOMENT = [(moment, "cancel") for moment in MOMENTS] + [
    (moment, trigger)
    for moment in MOMENTS
    for trigger in ("close", "update")
    if moment != "on_final" and not (trigger == "update" and moment in ("on_exit", "on_enter"))
]


class TestCallbackThatFails:
    """Whatever a callback raises, at whatever moment: the session is as it was, and no event is recorded."""

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
    @pytest.mark.parametrize(("moment", "trigger"), BY_MOMENT)
    def test_nothing_is_half_done(self, moment: str, trigger: str, error: type[BaseException]) -> None:
        cls = fresh()
        session = session_in("open", cls)
        before = snapshot(session)

        def fail(event_data: Any) -> None:
            raise error("no stock")

        add_callback(cls, moment, fail)
        with pytest.raises(error, match="no stock") as raised:
            fire(session, trigger, LATER)
        assert snapshot(session) == before
        (note,) = raised.value.__notes__
        assert "order-1042" in note
        assert trigger in note

    def test_a_method_of_the_session_that_fails(self) -> None:
        def fail(self: Any, event_data: Any) -> None:
            raise ValueError("no stock")

        cls = fresh(on_enter_cancelled=fail)
        session = session_in("closed", cls)
        before = snapshot(session)
        with pytest.raises(ValueError, match="no stock"):
            session.cancel()
        assert snapshot(session) == before

    def test_what_it_put_into_a_plain_session_is_gone_too(self) -> None:
        def fail(event_data: Any) -> None:
            event_data.model.remark = "changed"
            event_data.model.other = "new"
            raise ValueError("no stock")

        cls = fresh()
        session = session_in("open", cls)
        session.remark = "old"
        before = snapshot(session)
        add_callback(cls, "after", fail)
        with pytest.raises(ValueError, match="no stock"):
            session.close()
        assert snapshot(session) == before
        assert not hasattr(session, "other")

    def test_events_that_were_taken_meanwhile_are_pending_again(self) -> None:
        def fail(event_data: Any) -> None:
            event_data.model.take_events()
            raise ValueError("no stock")

        cls = fresh()
        session = session_in("open", cls)
        before = snapshot(session)
        add_callback(cls, "after", fail)
        with pytest.raises(ValueError, match="no stock"):
            session.close()
        assert snapshot(session) == before

    def test_a_rule_that_fails_on_the_way_past_callbacks(self) -> None:
        @rule("own_rule", on=["close"])
        def own_rule() -> bool:
            """The shop is content."""
            raise OSError("down")

        cls = fresh(rules=(own_rule,))
        add_callback(cls, "before", lambda event_data: None)
        session = session_in("open", cls)
        before = snapshot(session)
        with pytest.raises(RuleViolated) as refusal:
            session.close()
        assert snapshot(session) == before
        assert isinstance(refusal.value.__cause__, OSError)

    def test_after_a_failure_the_session_works(self) -> None:
        cls = fresh()
        failing = [True]

        def fail_once(event_data: Any) -> None:
            if failing.pop():
                raise ValueError("no stock")

        add_callback(cls, "on_enter", fail_once)
        session = session_in("open", cls)
        with pytest.raises(ValueError, match="no stock"):
            session.close()
        failing.append(False)
        session.close()
        assert (session.state, session.update_count, len(session.pending_events)) == (State.CLOSED, 2, 2)

    def test_a_finalize_callback_comes_too_late_to_undo_anything(self) -> None:
        """`transitions` logs what these raise and goes on: the session has moved, wholly."""

        def fail(event_data: Any) -> None:
            raise ValueError("no stock")

        cls = fresh()
        one, other = session_in("open", cls), session_in("open")
        add_callback(cls, "finalize_event", fail)
        event = one.close(now=LATER)
        other.close(now=LATER)
        assert snapshot(one) == snapshot(other)
        assert one.pending_events[-1] is event


class TestOnException:
    """Callbacks of `on_exception` are told of every error; a verb raises all the same."""

    def session_with_witness(self, trouble: str | None) -> tuple[Any, list[Any]]:
        cls, seen = fresh(), []

        def fail(event_data: Any) -> None:
            raise ValueError("no stock")

        session = session_in("open", cls)
        before = snapshot(session)
        if trouble:
            add_callback(cls, trouble, fail)
        add_callback(cls, "on_exception", lambda e: seen.append((type(e.error), snapshot(e.model) == before)))
        return session, seen

    @pytest.mark.parametrize("moment", [moment for moment in MOMENTS if moment != "on_final"])
    def test_they_see_the_restored_session_and_the_verb_raises(self, moment: str) -> None:
        session, seen = self.session_with_witness(moment)
        before = snapshot(session)
        with pytest.raises(ValueError, match="no stock"):
            session.close()
        assert seen == [(ValueError, True)]
        assert snapshot(session) == before

    def test_refusals_are_told_too(self) -> None:
        session, seen = self.session_with_witness(None)
        with pytest.raises(WrongState):
            session.reopen()
        assert seen == [(WrongState, True)]

    def test_the_machine_answers_false(self) -> None:
        session, seen = self.session_with_witness("before")
        assert session.machine.events["close"].trigger(session) is False
        assert seen == [(ValueError, True)]
        assert session.state is State.OPEN

    def test_one_that_fails_itself_raises_its_own_error(self) -> None:
        session, _ = self.session_with_witness("after")
        before = snapshot(session)

        def fail(event_data: Any) -> None:
            raise LookupError("no log")

        add_callback(type(session), "on_exception", fail)
        with pytest.raises(LookupError):
            session.close()
        assert snapshot(session) == before


class TestNestedTriggers:
    """A callback may move the session once the move under way has taken place, and not before."""

    @pytest.mark.parametrize("nested", ["update", "cancel"])
    @pytest.mark.parametrize("moment", ["prepare_event", "prepare", "before_state_change", "before", "on_exit"])
    def test_before_the_state_changes_it_is_refused(self, moment: str, nested: str) -> None:
        def meddle(event_data: Any) -> None:
            if event_data.event.name == "close":
                getattr(event_data.model, nested)()

        cls = fresh()
        session = session_in("open", cls)
        before = snapshot(session)
        add_callback(cls, moment, meddle)
        with pytest.raises(SessionFSMError, match="callback"):
            session.close()
        assert snapshot(session) == before

    @pytest.mark.parametrize("moment", ["on_enter", "after", "after_state_change"])
    def test_afterwards_it_works(self, moment: str) -> None:
        def go_on(event_data: Any) -> None:
            if event_data.event.name == "close":
                event_data.model.cancel(now=LATER)

        cls = fresh()
        session = session_in("open", cls)
        add_callback(cls, moment, go_on)
        event = session.close()
        assert isinstance(event, SessionEvent)
        assert (event.target, event.update_count) == (State.CLOSED, 2)
        assert (session.state, session.update_count, session.updated) == (State.CANCELLED, 3, LATER)
        names = [str(one.name).removeprefix("talon_session_") for one in session.pending_events]
        assert names == ["created", "closed", "revoked"]

    @pytest.mark.parametrize("moment", ["on_enter", "after", "after_state_change"])
    def test_one_that_is_refused_undoes_both_unless_it_is_caught(self, moment: str) -> None:
        def close_again(event_data: Any) -> None:
            event_data.model.close()

        cls = fresh()
        session = session_in("open", cls)
        before = snapshot(session)
        add_callback(cls, moment, close_again)
        with pytest.raises(WrongState):
            session.close()
        assert snapshot(session) == before

    def test_a_failure_after_a_nested_one_undoes_both(self) -> None:
        def go_on_and_fail(event_data: Any) -> None:
            if event_data.event.name == "close":
                event_data.model.cancel()
                raise ValueError("no stock")

        cls = fresh()
        session = session_in("open", cls)
        before = snapshot(session)
        add_callback(cls, "after", go_on_and_fail)
        with pytest.raises(ValueError, match="no stock"):
            session.close()
        assert snapshot(session) == before
