"""The machine of a session class, built from the table and the class's rules on top of `transitions`.

One machine serves all sessions of a class. They are not registered with it: it is handed one at a time, and it
alone moves them, wholly or not at all.

It is a `transitions.Machine` that answers what those who know that library ask (`get_triggers`,
`get_transitions`, `get_state`) and that runs the callbacks they add (`before_close`, `on_enter_cancelled`,
`prepare_event`, ...) where that library's documentation says. A callback receives the `EventData`, whose
``model`` is the session and whose ``kwargs`` are the trigger's ``change``, ``now`` and ``context``. As long as nobody has
added any, a trigger takes a shorter way that does the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from functools import partial, wraps
from typing import Any, Never, TypeVar

import transitions
from attrs import fields, has

from session_fsm.changes import argument_of, as_time, as_update
from session_fsm.decisions import Decision, Rule, is_async, is_unawaited, name_of
from session_fsm.entities import cached_names, contents, restore
from session_fsm.errors import ConcurrentChange, InvalidValue, SessionFSMError, TransitionRefused
from session_fsm.events import SessionEvent
from session_fsm.json_values import EMPTY, as_context
from session_fsm.lifecycle import FINAL, TABLE, WANTED, Row, check_definition
from session_fsm.reentrancy import BUSY, busy_error, moving, refuse_if_busy
from session_fsm.refusals import Refusals
from session_fsm.states import State, Trigger
from session_fsm.subclasses.own_fields import NO_OWN_FIELDS, OwnFields
from session_fsm.transition import Context, Transition
from session_fsm.validators import is_list, kind_of
from session_fsm.values import NO_CHANGE, UNSET, SessionUpdate

__all__ = ["LifecycleEvent", "LifecycleEventData", "LifecycleMachine", "LifecycleState", "LifecycleTransition"]

S = TypeVar("S")

_LISTS = {
    *("_prepare_event", "_before_state_change", "_after_state_change"),
    *("_finalize_event", "_on_exception", "_on_final"),
    *("prepare", "before", "after", "on_enter", "on_exit"),
}
"""The names of the lists of callbacks that a machine, a transition and a state have."""


def _spelled(state: Any) -> Any:
    """Return the name that the machine knows a state by, whichever way it is given."""
    return state.value if isinstance(state, Enum) else state


class _Watched:
    """What tells the machine, once it is built, that a list of callbacks may have been replaced."""

    machine: LifecycleMachine | None = None

    def __setattr__(self, name: str, value: object) -> None:
        if self.machine is not None and name in _LISTS:
            self.machine.judge_callbacks(value)
        super().__setattr__(name, value)
        if self.machine is not None:
            self.machine.look_for_listeners()


class _Callbacks(list[Any]):
    """A list of callbacks that tells the machine when it has changed."""

    machine: LifecycleMachine


def _telling(change: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(change)
    def tell(self: _Callbacks, *args: Any, **kwargs: Any) -> Any:
        held: list[Any] = list(self)
        answer = change(self, *args, **kwargs)
        try:
            self.machine.judge_callbacks(self)
        except InvalidValue:
            list[Any].__setitem__(self, slice(None), held)
            raise
        self.machine.look_for_listeners()
        return answer

    return tell


for _name in (
    *("append", "extend", "insert", "remove", "pop", "clear"),
    *("__setitem__", "__delitem__", "__iadd__", "__imul__"),
):
    setattr(_Callbacks, _name, _telling(getattr(list, _name)))


def _silent(callbacks: Iterable[Any]) -> bool:
    """Whether none of these lists holds anything, and each would tell if it did."""
    return all(isinstance(one, _Callbacks) and not one for one in callbacks)


class LifecycleState(_Watched, transitions.State):
    """A state of the machine, named by the value of its enumeration member, as ``"open"``."""

    @property
    def name(self) -> str:
        """The value of the enumeration member."""
        return str(_spelled(self._name))


class LifecycleEventData(transitions.EventData):
    """What callbacks receive; its `model` is the session."""

    update_count: int
    """The session's count when the trigger was called; no callback may move the session before the trigger does."""
    values: dict[str, Any]
    """The fields that the trigger changes, with their new values."""
    recorded: SessionEvent | None = None
    """The event that the trigger led to, once it has."""


class LifecycleTransition(_Watched, transitions.Transition):
    """A row of the table together with the rules that guard it."""

    def __init__(self, row: Row, logic: Transition) -> None:
        super().__init__(str(row.source), str(row.target))
        if row.internal:
            self.dest = None
        self.row = row
        self.logic = logic
        self.rules = self.logic.rules
        # For those who ask the machine what guards a transition. It is a tuple: a condition is added as a rule.
        self.conditions = tuple(map(transitions.core.Condition, self.rules))  # type: ignore[assignment, arg-type]  # pyright: ignore[reportAttributeAccessIssue]

    def execute(self, event_data: Any) -> bool:
        """Run the transition with every callback in its place, in the order that `transitions` documents."""
        machine, session = event_data.machine, event_data.model
        machine.callbacks(self.prepare, event_data)
        event_data.values = self.logic.passed(session, **event_data.kwargs)
        machine.callbacks([*machine.before_state_change, *self.before], event_data)
        if self.dest is None:
            self._commit(event_data)
        else:
            self._change_state(event_data)
        machine.callbacks([*self.after, *machine.after_state_change], event_data)
        return True

    def _change_state(self, event_data: Any) -> None:
        machine = event_data.machine
        target = machine.get_state(self.dest)
        machine.get_state(self.source).exit(event_data)
        self._commit(event_data)
        event_data.state = target
        target.enter(event_data)
        if target.final:
            machine.callbacks(machine.on_final, event_data)

    def _commit(self, event_data: Any) -> None:
        session = event_data.model
        if session.update_count != event_data.update_count:
            problem = f"a callback moved it while {self.row.trigger} was under way"
            raise ConcurrentChange(f"session {session.integration_id!r}: {problem}")
        event_data.recorded = self.logic.record(session, values=event_data.values, **event_data.kwargs)
        self.logic.commit(session, event_data.values)


class LifecycleEvent(transitions.Event):
    """A trigger of the machine."""

    def __init__(self, name: str, machine: LifecycleMachine) -> None:
        super().__init__(name, machine)
        self._asked = Trigger(name)
        self.nothing = argument_of(self._asked, None)
        """The argument of a trigger that was given none."""
        self.unheard: dict[State, Transition] = {}
        """From each state the transition by this trigger, where it has no callbacks."""

    machine: LifecycleMachine  # pyright: ignore[reportIncompatibleVariableOverride]  # narrower, and never reassigned

    def fire(self, session: Any, change: Any, now: datetime, context: Context = EMPTY) -> SessionEvent:
        """Move *session* and return the event that this recorded.

        Raises:
            ConcurrentChange: the session is being judged, or something else has moved it in the meantime.
            WrongState: the table has no such transition from the session's state.
            RuleViolated: a rule forbids it, or failed.
        """
        if BUSY:
            refuse_if_busy(session)
        transition = self.unheard.get(session.state)
        if transition is not None:
            return transition.run(session, change, now, context)
        if self.machine.unheard and not self.transitions.get(session.state):
            raise self.machine.wrong_state(self._asked, session, change)
        event_data = self._run(session, change, now, context)
        if event_data.error is not None:  # callbacks of `on_exception` have seen it; a verb raises all the same
            raise event_data.error
        if event_data.recorded is None:
            raise self.machine.wrong_state(self._asked, session, change)
        return event_data.recorded

    def _run(self, session: Any, change: Any, now: datetime, context: Context) -> LifecycleEventData:
        given = {"change": change, "now": now, "context": context}
        event_data = LifecycleEventData(None, self, self.machine, session, (), given)
        self._trigger(event_data)
        return event_data

    def trigger(
        self, model: Any, change: Any = None, now: datetime | None = None, context: Mapping[str, Any] | None = None
    ) -> bool:
        """Move the session *model* as its verb would, and say in the way of `transitions` whether it moved.

        False means that callbacks of `on_exception` have dealt with an error, or that the machine is told to
        ignore invalid triggers.
        """
        refuse_if_busy(model)
        return bool(self._run(model, self.argument(change), as_time(now), as_context(context)).result)

    def argument(self, change: Any, keywords: Mapping[str, Any] = EMPTY) -> Any:
        """Return what the trigger was given in the form in which rules and events hold it.

        Raises:
            InvalidValue: the trigger takes something else, or is given an update that wants another state than
                the one it leads to.
        """
        if change is None and not keywords:
            return self.nothing
        if self.nothing is not NO_CHANGE:
            return argument_of(self._asked, change, keywords)
        update = as_update(change, keywords, self.machine.own_fields)
        if update.state is not UNSET and WANTED.get(update.state) is not self._asked:
            raise InvalidValue("/state", f"{self._asked}() does not lead to {update.state}; put() obeys a wanted state")
        return update

    def transition(self, state: State) -> LifecycleTransition | None:
        """Return the transition that leaves *state* by this trigger, or None."""
        found: Any = self.transitions.get(state)
        return found[0] if found else None

    def decide(self, session: Any, change: Any, now: datetime, context: Context = EMPTY) -> Decision[Any]:
        """Judge the trigger without pulling it."""
        transition = self.transition(session.state)
        if transition is None:
            return self.machine.no_way(self._asked, session, change)
        return transition.logic.decide(session, change, now, context)

    def _is_valid_source(self, state: Any) -> bool:
        ignore = state.ignore_invalid_triggers
        if ignore is None:
            ignore = self.machine.ignore_invalid_triggers
        return state.name in self.transitions or not ignore

    def _process(self, event_data: Any) -> bool:
        session = event_data.model
        if self.transition(session.state) is None:
            raise self.machine.wrong_state(self._asked, session, event_data.kwargs["change"])
        with moving(session):
            if session.state != event_data.state.name:  # another thread was quicker
                raise busy_error(session)
            held = contents(session)
            event_data.update_count = session.update_count
            try:
                super()._process(event_data)
            except BaseException as error:
                restore(session, held)
                if not isinstance(error, SessionFSMError):
                    error.add_note(f"session {session.integration_id!r} is as it was before {self.name}")
                raise
        return True


class LifecycleMachine(transitions.Machine):
    """The machine of one session class: the table and the class's rules, as a `transitions.Machine`."""

    events: dict[str, LifecycleEvent]  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleVariableOverride]  # narrower
    """The five triggers by name."""
    own_fields: OwnFields = NO_OWN_FIELDS
    """The fields that the class adds to `CustomerSession`."""
    _built = False
    unheard = False
    """Whether no callback wants to know of every trigger, even of one that is refused."""

    def __init__(
        self,
        rules: Sequence[Rule],
        table: Sequence[Row] = TABLE,
        name: str = "CustomerSession",
        *,
        wrong_on_purpose: bool = False,
        kind: type | None = None,
    ) -> None:
        """Build the machine of *rules* and *table* for the session class *kind*.

        A table that is *wrong on purpose*, as that of a mutant, is not checked; rules are then those of `TABLE`.

        Raises:
            InvalidValue: see `check_definition`.
        """
        check_definition(TABLE if wrong_on_purpose else table, rules)
        self.wrong_on_purpose = wrong_on_purpose
        states = [LifecycleState(state, final=state in FINAL) for state in State]
        super().__init__(None, states, State.OPEN.value, auto_transitions=False, send_event=True, name=name)
        self.table = tuple(table)
        self.rules = tuple(rules)
        self.kind = kind
        names = [attribute.name for attribute in fields(kind)] if kind is not None and has(kind) else []
        transition = partial(Transition, fields_seen=names, cached=cached_names(kind))
        self._refusals = Refusals(self.table)
        creations = {row.target: row for row in table if row.source is None}
        self._creations = {
            state: transition(Trigger.CREATE, None, state, self.rules, creations.get(state)) for state in State
        }
        for trigger in Trigger:
            if trigger is not Trigger.CREATE:
                self.events[trigger.value] = LifecycleEvent(trigger.value, self)
        for row in table:
            if row.source is not None:
                logic = transition(row.trigger, row.source, row.target, rules, row)
                self.events[row.trigger.value].add_transition(LifecycleTransition(row, logic))
        everything = self.all_with_callbacks()
        for one in everything:
            for held in _LISTS:
                if held in vars(one):
                    callbacks = _Callbacks(getattr(one, held))
                    callbacks.machine = self
                    setattr(one, held, callbacks)
        for watched in everything[1:]:
            vars(watched)["machine"] = self
        self._built = True
        self.look_for_listeners()

    def __setattr__(self, name: str, value: object) -> None:
        if self._built and name in _LISTS:
            self.judge_callbacks(value)
        super().__setattr__(name, value)
        if name != "unheard":
            self.look_for_listeners()

    def rules_of(self, row: Row) -> tuple[Rule, ...]:
        """Return the rules that guard *row*, in their order."""
        return tuple(rule for rule in self.rules if rule.guards(row.trigger, row.target))

    def allowed_from(self, state: State | None) -> tuple[Trigger, ...]:
        """Return the triggers that the table allows from *state*, whatever the rules say."""
        return self._refusals.allowed[state]

    def create(self, newborn: Any, change: SessionUpdate, now: datetime, context: Context = EMPTY) -> SessionEvent:
        """Let *newborn*, a session that nobody has seen yet, into the world, and return the event.

        Raises:
            RuleViolated: a rule forbids it, or failed.
            WrongState: the table lets no session be created in that state.
        """
        transition = self._creations[newborn.state]
        values: dict[str, Any] = {"update_count": newborn.update_count}
        if failures := transition.judged(None, newborn, change, now, values, context):
            raise transition.refusal(newborn, failures)
        if transition.target is None:
            raise self._refusals.of_creation(newborn).refusal()
        event = transition.record(newborn, change, now, values, context)
        object.__setattr__(newborn, "_pending_events", values["_pending_events"])
        return event

    def no_way(self, trigger: Trigger, session: Any, change: Any) -> Decision[Any]:
        """Write down that the table has no transition by *trigger* from where *session* is."""
        return self._refusals.judged(trigger, session, change)

    def wrong_state(self, trigger: Trigger, session: Any, change: Any) -> TransitionRefused:
        """Return the error that the table has no transition by *trigger* from where *session* is."""
        return self._refusals.judged(trigger, session, change).refusal()

    def look_for_listeners(self) -> None:
        """Note of which triggers no callback wants to know; they take the short way.

        Whoever changes or replaces a list of callbacks calls this. A list that would not is taken for a full one.
        """
        if not self._built:  # it is being made, or copied
            return
        mine: Any = vars(self)
        self.unheard = _silent(mine[name] for name in mine.keys() & _LISTS)
        for event in self.events.values():
            rows: Any = [found[0] for found in event.transitions.values()]
            event.unheard = {row.row.source: row.logic for row in rows if self.unheard and self._is_silent(row)}

    def judge_callbacks(self, callbacks: Any) -> None:
        """Refuse callbacks that would silently do nothing, or fail when it is too late.

        Raises:
            InvalidValue: one is asynchronous, is a name that the session class does not have, or cannot be called.
        """
        given: list[Any] = list(callbacks) if is_list(callbacks) else [callbacks]
        for callback in given:
            function: Any = callback
            if isinstance(callback, str):
                if self.kind is None or "." in callback:  # the path of a function, which may not be there yet
                    continue
                function = getattr(self.kind, callback, None)
                if not callable(function):
                    raise InvalidValue("", f"{self.kind.__name__} has no method {callback:.80} to be called back")
            elif not callable(callback):
                raise InvalidValue("", f"{kind_of(callback)} cannot be called back")
            if is_async(function):
                name = callback if isinstance(callback, str) else name_of(callback)
                raise InvalidValue("", f"the callback {name:.80} is asynchronous, and would never run")

    def callback(self, func: Any, event_data: Any) -> None:
        """Call one callback.

        Raises:
            SessionFSMError: it returned something that somebody would have to await.
        """
        answer: Any = self.resolve_callable(func, event_data)(event_data)
        if is_unawaited(answer):
            name = func if isinstance(func, str) else name_of(func)
            raise SessionFSMError(f"the callback {name:.80} is asynchronous, and what it began would never run")

    def inherit_callbacks(self, parent: LifecycleMachine) -> None:
        """Take over the callbacks that were added to the machine of a parent class, but for methods set to None."""
        for mine, theirs in zip(self.all_with_callbacks(), parent.all_with_callbacks(), strict=True):
            held: dict[str, Any] = theirs.__dict__
            for name in sorted(_LISTS.intersection(held)):
                callbacks: list[Any] = getattr(mine, name)
                given: list[Any] = getattr(theirs, name)
                if wanted := [one for one in given if one not in callbacks and not self._is_unset(one)]:
                    callbacks.extend(wanted)

    def _is_unset(self, callback: Any) -> bool:
        """Whether *callback* is the name of a method that the class has set to None."""
        return isinstance(callback, str) and getattr(self.kind, callback, callback) is None

    def all_with_callbacks(self) -> list[Any]:
        """Return the machine, its states and its transitions: everything that has lists of callbacks."""
        return [self, *self.states.values(), *self.get_transitions()]

    def _is_silent(self, transition: Any) -> bool:
        states: Any = () if transition.dest is None else map(self.get_state, (transition.source, transition.dest))
        passed = (callbacks for state in states for callbacks in (state.on_exit, state.on_enter))
        return _silent((transition.prepare, transition.before, transition.after, *passed))

    # Questions may name a state by its value or by its enumeration member.

    def get_state(self, state: Any) -> transitions.State:
        """Return a state, by its name or its enumeration member."""
        return super().get_state(_spelled(state))

    def get_triggers(self, *args: Any) -> list[str]:
        """Return the triggers that lead out of any of these states."""
        return super().get_triggers(*map(_spelled, args))

    def get_transitions(self, trigger: str = "", source: Any = "*", dest: Any = "*") -> list[transitions.Transition]:
        """Return the transitions by *trigger* from *source* to *dest*, each of which may be left open."""
        return super().get_transitions(trigger, _spelled(source), _spelled(dest))

    # The table is fixed: methods that add states, transitions or models raise.

    def _refuse(self, *_: object, **__: object) -> Never:
        raise SessionFSMError("the table of a session class is fixed, and sessions are not registered with the machine")

    add_model = add_transition = add_transitions = add_ordered_transitions = remove_transition = _refuse

    def add_states(self, *args: Any, **kwargs: Any) -> None:
        """Refuse further states, once the machine has those of the table."""
        if self._built:
            self._refuse()
        super().add_states(*args, **kwargs)
