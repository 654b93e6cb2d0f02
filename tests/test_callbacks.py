"""Callbacks that users of `transitions` add: when they run, and what they receive."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from builders import LATER, MACHINE_WIDE, ONE_UNIT, fresh, judged, listen, pull, session_in

from session_fsm import CustomerSession, RuleViolated, WrongState


def logging_class() -> tuple[type[CustomerSession], list[tuple[str, Any]]]:
    """Make a class whose callbacks log every moment together with the state that the session then has."""
    cls, log = fresh(), []

    def logger(moment: str) -> Callable[[Any], None]:
        return lambda event_data: log.append((moment, str(event_data.model.state)))

    for moment in [*MACHINE_WIDE, "prepare", "before", "on_exit", "on_enter", "after"]:
        listen(cls, moment, logger(moment))
    return cls, log


class TestOrder:
    """Callbacks run in the order that `transitions` documents."""

    def test_of_a_transition_to_another_state(self) -> None:
        cls, log = logging_class()
        session_in("open", cls).close()
        assert log == [
            ("prepare_event", "open"),
            ("prepare", "open"),
            ("before_state_change", "open"),
            ("before", "open"),
            ("on_exit", "open"),
            ("on_enter", "closed"),
            ("after", "closed"),
            ("after_state_change", "closed"),
            ("finalize_event", "closed"),
        ]

    def test_of_a_transition_into_a_final_state(self) -> None:
        cls, log = logging_class()
        session_in("open", cls).cancel()
        assert log[5:8] == [("on_enter", "cancelled"), ("on_final", "cancelled"), ("after", "cancelled")]

    @pytest.mark.parametrize(("state", "trigger"), [("open", "update"), ("partially_returned", "return_items")])
    def test_an_internal_transition_leaves_and_enters_nothing(self, state: str, trigger: str) -> None:
        cls, log = logging_class()
        session = session_in(state, cls)
        log.clear()
        pull(session, trigger)
        assert [moment for moment, _ in log] == [
            "prepare_event",
            "prepare",
            "before_state_change",
            "before",
            "after",
            "after_state_change",
            "finalize_event",
        ]

    def test_of_a_refusal_by_a_rule(self) -> None:
        cls, log = logging_class()
        session = session_in("closed", cls)
        log.clear()
        with pytest.raises(RuleViolated):
            session.return_items([])
        assert [moment for moment, _ in log] == ["prepare_event", "prepare", "on_exception", "finalize_event"]

    def test_of_a_refusal_by_the_table(self) -> None:
        cls, log = logging_class()
        session = session_in("cancelled", cls)
        log.clear()
        with pytest.raises(WrongState):
            session.close()
        assert [moment for moment, _ in log] == ["on_exception", "finalize_event"]

    def test_questions_run_none(self) -> None:
        cls, log = logging_class()
        session = session_in("open", cls)
        session.board()
        assert judged(session, "close").allowed
        assert log == []


class TestWhatACallbackReceives:
    """Every callback receives the `EventData` of `transitions`."""

    def test_it_tells_the_session_the_trigger_and_its_argument(self) -> None:
        cls, seen = fresh(), []
        listen(cls, "after", seen.append)
        session = session_in("closed", cls)
        seen.clear()
        event = session.return_items(ONE_UNIT, now=LATER, context={"actor": "ann"})
        (event_data,) = seen
        assert event_data.model is session
        assert event_data.machine is cls.machine
        assert event_data.event.name == "return_items"
        assert event_data.kwargs == {"change": ONE_UNIT, "now": LATER, "context": {"actor": "ann"}}
        assert (event_data.transition.source, event_data.transition.dest) == ("closed", "partially_returned")
        assert event_data.state.name == "partially_returned"
        assert event_data.recorded is event
        assert event_data.error is None

    def test_callbacks_are_added_by_the_names_that_transitions_gives_them(self) -> None:
        cls, log = fresh(), []
        cls.machine.before_close(lambda event_data: log.append("before_close"))
        cls.machine.after_close(lambda event_data: log.append("after_close"))
        cls.machine.on_exit_open(lambda event_data: log.append("on_exit_open"))
        cls.machine.on_enter_closed(lambda event_data: log.append("on_enter_closed"))
        cls.machine.on_enter_cancelled(lambda event_data: log.append("on_enter_cancelled"))
        session_in("closed", cls)
        assert log == ["before_close", "on_exit_open", "on_enter_closed", "after_close"]

    def test_methods_of_a_subclass_are_called(self) -> None:
        log: list[str] = []
        cls = fresh(
            on_enter_closed=lambda self, event_data: log.append(f"entered {self.state}"),
            on_exit_open=lambda self, event_data: log.append(f"left {self.state} by {event_data.event.name}"),
            on_enter_open=None,
        )
        session = session_in("closed", cls)
        session.reopen()
        assert log == ["left open by close", "entered closed"]

    def test_a_subclass_of_that_class_calls_them_too(self) -> None:
        log: list[str] = []
        cls = fresh(on_enter_closed=lambda self, event_data: log.append(str(self.state)))
        session_in("closed", type("Sub", (cls,), {}))
        assert log == ["closed"]

    @pytest.mark.parametrize(
        ("begin", "add"),
        [
            ([], lambda held, seen: held.append(seen)),
            ([], lambda held, seen: held.extend([seen])),
            ([], lambda held, seen: held.insert(0, seen)),
            ([], lambda held, seen: held.__iadd__([seen])),
            ([], lambda held, seen: held.__setitem__(slice(0, 0), [seen])),
            ([len, len], lambda held, seen: (held.pop(), held.remove(len), held.append(seen))),
            ([len, len], lambda held, seen: (held.__delitem__(0), held.__imul__(0), held.append(seen))),
            ([len], lambda held, seen: (held.clear(), held.append(seen))),
        ],
    )
    def test_callbacks_count_from_when_they_are_put_into_a_list_until_they_are_taken_out(
        self, begin: list[Any], add: Callable[..., Any]
    ) -> None:
        cls, log = fresh(), []
        held = cls.machine.get_state("closed").on_enter
        held += begin
        add(held, lambda event_data: log.append(event_data.model.state))
        closed = session_in("closed", cls)
        assert log == ["closed"]
        held.clear()
        closed.reopen()
        closed.close()
        assert log == ["closed"]

    def test_a_list_of_the_users_own_may_be_filled_later(self) -> None:
        cls, mine, log = fresh(), [], []
        cls.machine.get_transitions("close")[0].before = mine
        assert session_in("closed", cls).state == "closed"
        mine.append(lambda event_data: log.append("before"))
        assert session_in("closed", cls).state == "closed"
        assert log == ["before"]

    def test_callbacks_of_one_class_are_not_those_of_another(self) -> None:
        other = type("Before", (fresh(),), {})
        _, log = logging_class()
        session_in("cancelled", other)
        session_in("cancelled")
        assert log == []


class TestCopies:
    """A copied machine has callbacks of its own."""

    def test_a_copied_machine_runs_what_it_was_given_and_what_it_is_given_later(self) -> None:
        cls, log = fresh(), []
        cls.machine.before_close(_note_closing)
        session, _NOTED[:] = session_in("open", cls), []
        copied = deepcopy(cls.machine)
        copied.get_state("closed").on_enter.append(lambda event_data: log.append(event_data.model.state))
        copied.events["close"].trigger(session)
        assert (log, _NOTED) == (["closed"], ["open"])
        copied.events["reopen"].trigger(session)
        session.close()
        assert (log, _NOTED) == (["closed"], ["open", "open"])


_NOTED: list[str] = []


def _note_closing(event_data: Any) -> None:
    _NOTED.append(str(event_data.model.state))
