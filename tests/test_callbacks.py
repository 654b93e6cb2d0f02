"""Callbacks that users of `transitions` add: when they run, and what they receive."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import attrs
import pytest
from builders import LATER, MACHINE_WIDE, ONE_UNIT, add_callback, fire, fresh, judged, session_in, snapshot

from session_fsm import CustomerSession, InvalidValue, RuleViolated, SessionFSMError, WrongState


def logging_class() -> tuple[type[CustomerSession], list[tuple[str, Any]]]:
    """Make a class whose callbacks log every moment together with the state that the session then has."""
    cls, log = fresh(), []

    def logger(moment: str) -> Callable[[Any], None]:
        return lambda event_data: log.append((moment, str(event_data.model.state)))

    for moment in [*MACHINE_WIDE, "prepare", "before", "on_exit", "on_enter", "after"]:
        add_callback(cls, moment, logger(moment))
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
        fire(session, trigger)
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
        add_callback(cls, "after", seen.append)
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


class TestInheritance:
    """What was added to a class's machine is there in subclasses that are made afterwards."""

    def test_a_subclass_calls_what_was_added_to_its_parent(self) -> None:
        cls, log = logging_class()
        session_in("cancelled", type("Sub", (cls,), {}))
        inherited = list(log)
        log.clear()
        session_in("cancelled", cls)
        assert inherited == log != []

    def test_what_is_added_to_either_later_is_its_own(self) -> None:
        cls, log = fresh(), []
        sub = type("Sub", (cls,), {})
        cls.machine.on_enter_closed(lambda event_data: log.append("parent"))
        sub.machine.on_enter_closed(lambda event_data: log.append("child"))
        session_in("closed", sub)
        session_in("closed", cls)
        assert log == ["child", "parent"]

    def test_both_of_two_parents_hand_theirs_down(self) -> None:
        log: list[str] = []
        base = fresh(on_exit_open=lambda self, event_data: log.append("base"))
        left, right = (type(name, (base,), {}) for name in ("Left", "Right"))
        left.machine.on_enter_closed(lambda event_data: log.append("left"))
        right.machine.before_close(lambda event_data: log.append("right"))
        session_in("closed", type("Both", (left, right), {}))
        assert log == ["right", "base", "left"]

    def test_one_that_was_added_twice_is_inherited_twice(self) -> None:
        cls, log = fresh(), []

        def note(event_data: Any) -> None:
            log.append("noted")

        cls.machine.on_enter_closed(note)
        cls.machine.on_enter_closed(note)
        session_in("closed", type("Sub", (cls,), {}))
        assert log == ["noted", "noted"]

    def test_a_method_that_a_subclass_sets_to_none_is_not_called(self) -> None:
        log: list[str] = []
        cls = fresh(on_enter_closed=lambda self, event_data: log.append("parent"))
        session_in("closed", type("Sub", (cls,), {"on_enter_closed": None}))
        assert log == []

    def test_a_class_that_attrs_makes_anew_has_them_once(self) -> None:
        log: list[str] = []
        cls = fresh(on_enter_closed=lambda self, event_data: log.append("entered"))

        @attrs.define(kw_only=True, eq=False, repr=False)
        class Sub(cls):  # type: ignore[misc, valid-type]  # made at run time
            branch: str = "main"

        session_in("closed", Sub)
        assert log == ["entered"]


async def sends(event_data: Any) -> None:
    """Send a mail, if somebody awaits it."""


async def streams(event_data: Any) -> Any:
    """Yield, if somebody iterates."""
    yield event_data  # pragma: no cover - nobody does


class Sender:
    """Calls back asynchronously."""

    async def __call__(self, event_data: Any) -> None: ...

    async def send(self, event_data: Any) -> None: ...


ASYNCHRONOUS = {
    "function": (sends, "sends"),
    "generator": (streams, "streams"),
    "partial": (partial(sends), "sends"),
    "partial of a partial": (partial(partial(streams)), "streams"),
    "object": (Sender(), "Sender"),
    "partial of an object": (partial(Sender()), "Sender"),
    "method": (Sender().send, "send"),
    "unbound method": (Sender.send, "send"),
}


class TestWhatIsRefused:
    """A callback that would silently do nothing is refused when it is added, or when its class is made."""

    @pytest.mark.parametrize(("callback", "name"), ASYNCHRONOUS.values(), ids=ASYNCHRONOUS.keys())
    @pytest.mark.parametrize("moment", [*MACHINE_WIDE, "prepare", "before", "after", "on_enter", "on_exit"])
    def test_an_asynchronous_one(self, moment: str, callback: Any, name: str) -> None:
        cls = fresh()
        with pytest.raises(InvalidValue, match=f"the callback {name} is asynchronous"):
            add_callback(cls, moment, callback)
        assert session_in("closed", cls).state == "closed"

    def test_an_asynchronous_method(self) -> None:
        with pytest.raises(InvalidValue, match="the callback on_enter_closed is asynchronous"):
            fresh(on_enter_closed=Sender.send)
        cls = fresh(notify=Sender.send)
        with pytest.raises(InvalidValue, match="the callback notify is asynchronous"):
            cls.machine.on_enter_closed("notify")

    @pytest.mark.parametrize("asynchronous", [sends, streams])
    def test_one_that_returns_what_nobody_awaits_fails_and_the_session_stays(self, asynchronous: Any) -> None:
        def begin(event_data: Any) -> Any:
            return asynchronous(event_data)

        by_name = fresh(notify=lambda self, event_data: asynchronous(event_data))
        by_name.machine.on_enter_closed("notify")
        by_itself = fresh()
        by_itself.machine.on_enter_closed(begin)
        for cls, name in ((by_name, "notify"), (by_itself, "begin")):
            session = session_in("open", cls)
            held = snapshot(session)
            with pytest.raises(SessionFSMError, match=f"the callback {name} is asynchronous"):
                session.close()
            assert snapshot(session) == held

    @pytest.mark.parametrize(
        ("method", "said"),
        [
            ("on_enter_close", "on_enter_closed is"),
            ("on_exit_opened", "on_exit_open is"),
            ("on_enter_canceled", "on_enter_cancelled is"),
            ("on_enter_CLOSED", "on_enter_closed is"),
            ("on_exit_partiallyReturned", "on_exit_partially_returned is"),
            ("on_enter_warehouse", "the states are open, closed, partially_returned, cancelled"),
        ],
    )
    def test_a_method_that_no_state_calls(self, method: str, said: str) -> None:
        """The message names what was meant."""
        with pytest.raises(InvalidValue) as refusal:
            fresh(**{method: lambda self, event_data: None})
        assert refusal.value.problem == f"FreshSession.{method} is never called, for no state has that name; {said}"

    def test_a_value_with_such_a_name_is_no_method(self) -> None:
        assert fresh(on_enter_warehouse=("a", "b")).create("order-1")

    @pytest.mark.parametrize("name", ["notfy", "total", "pending_events", "units"])
    def test_the_name_of_what_cannot_be_called(self, name: str) -> None:
        cls = fresh(units=property(lambda self: 1))
        with pytest.raises(InvalidValue, match=f"FreshSession has no method {name} to be called back"):
            cls.machine.on_enter_closed(name)

    @pytest.mark.parametrize("callback", [None, 7, ("a", "b")])
    def test_what_cannot_be_called(self, callback: Any) -> None:
        held = fresh().machine.get_state("closed").on_enter
        with pytest.raises(InvalidValue, match="cannot be called back"):
            held.append(callback)
        assert held == []

    def test_a_path_is_looked_up_when_it_is_called(self) -> None:
        """As `transitions` has it: what it names may not be there yet."""
        cls = fresh()
        cls.machine.on_enter_closed("nowhere.to_be_found")
        session = session_in("open", cls)
        with pytest.raises(AttributeError, match=r"nowhere\.to_be_found"):
            session.close()
        assert session.state == "open"


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

    def test_a_copied_machine_calls_the_methods_that_are_named(self) -> None:
        class NotingSession(CustomerSession):
            def on_enter_closed(self, event_data: Any) -> None:
                _NOTED.append(f"{event_data.transition.source} -> {self.state}")

        copied = deepcopy(NotingSession.machine)
        session, _NOTED[:] = session_in("open", NotingSession), []
        copied.events["close"].trigger(session)
        assert _NOTED == ["open -> closed"]


_NOTED: list[str] = []


def _note_closing(event_data: Any) -> None:
    _NOTED.append(str(event_data.model.state))
