"""The machine of a session class: a `transitions.Machine` built from the table and the class's rules.

The verbs of a session call it. One machine serves all sessions of a class; they are not registered with it, each call
is given the session to change.

It answers the questions that `transitions` documents (`get_triggers`, `get_transitions`, `get_state`) and runs the
callbacks that are added to it (`before_close`, `on_enter_cancelled`, `prepare_event`, ...) in the documented order. A
callback receives the `EventData`, whose ``model`` is the session and whose ``kwargs`` are the trigger's ``change``,
``now`` and ``context``.

A transition without callbacks takes the fast path (`Transition.run`); one with callbacks takes that of `transitions`,
which is several times slower. ``tests/test_fast_and_slow_transitions.py`` compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from functools import partial, wraps
from typing import Any, Never, TypeVar

import transitions

from session_fsm.changes import argument_of, as_time, as_update
from session_fsm.decisions import Decision, Rule, is_async, is_unawaited, name_of
from session_fsm.entities import contents, restore
from session_fsm.errors import ConcurrentChange, InvalidValue, SessionFSMError, TransitionRefused
from session_fsm.events import SessionEvent
from session_fsm.json_values import EMPTY, as_context
from session_fsm.lifecycle import FINAL, TABLE, WANTED, Row, check_definition
from session_fsm.logs import LOG, log_refused, log_succeeded
from session_fsm.reentrancy import BUSY, busy_error, moving, refuse_if_busy
from session_fsm.states import State, Trigger
from session_fsm.subclasses.own_fields import NO_OWN_FIELDS, OwnFields
from session_fsm.transition import Context, Transition
from session_fsm.validators import is_list, kind_of
from session_fsm.values import NO_CHANGE, UNSET, SessionUpdate
from session_fsm.wrong_state import WrongStateDecisions

__all__ = ["LifecycleEvent", "LifecycleEventData", "LifecycleMachine", "LifecycleState", "LifecycleTransition"]

S = TypeVar("S")

_LISTS = {
    *("_prepare_event", "_before_state_change", "_after_state_change"),
    *("_finalize_event", "_on_exception", "_on_final"),
    *("prepare", "before", "after", "on_enter", "on_exit"),
}
"""The names of the lists of callbacks that a machine, a transition and a state have."""


def _state_name(state: Any) -> Any:
    """Return the name of *state*, which is a name or an enumeration member."""
    return state.value if isinstance(state, Enum) else state


class _HoldsCallbacks:
    """A state or transition; it tells the machine when one of its lists of callbacks is replaced."""

    machine: LifecycleMachine | None = None

    def __setattr__(self, name: str, value: object) -> None:
        if self.machine is not None and name in _LISTS:
            self.machine.check_callbacks(value)
        super().__setattr__(name, value)
        if self.machine is not None:
            self.machine.find_transitions_without_callbacks()


class _Callbacks(list[Any]):
    """A list of callbacks that tells the machine when it changes. A change that the machine refuses is undone."""

    machine: LifecycleMachine


def _notifying(change: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(change)
    def change_and_notify(self: _Callbacks, *args: Any, **kwargs: Any) -> Any:
        held: list[Any] = list(self)
        answer = change(self, *args, **kwargs)
        try:
            self.machine.check_callbacks(self)
        except InvalidValue:
            list[Any].__setitem__(self, slice(None), held)
            raise
        self.machine.find_transitions_without_callbacks()
        return answer

    return change_and_notify


for _name in (
    *("append", "extend", "insert", "remove", "pop", "clear"),
    *("__setitem__", "__delitem__", "__iadd__", "__imul__"),
):
    setattr(_Callbacks, _name, _notifying(getattr(list, _name)))


def _all_empty(lists: Iterable[Any]) -> bool:
    """Whether all these lists of callbacks are empty, and each would notify the machine of an addition."""
    return all(isinstance(one, _Callbacks) and not one for one in lists)


class LifecycleState(_HoldsCallbacks, transitions.State):
    """A state of the machine, named by the value of its enumeration member, as ``"open"``."""

    @property
    def name(self) -> str:
        """The value of the enumeration member."""
        return str(_state_name(self._name))


class LifecycleEventData(transitions.EventData):
    """What callbacks receive; its `model` is the session."""

    update_count: int
    """The session's update count when the trigger was called. A callback that changes the session raises the count."""
    values: dict[str, Any]
    """The fields that the trigger changes, with their new values."""
    recorded: SessionEvent | None = None
    """The event that the trigger led to, once it has."""


class LifecycleTransition(_HoldsCallbacks, transitions.Transition):
    """A row of the table together with the rules that guard it."""

    def __init__(self, row: Row, logic: Transition) -> None:
        super().__init__(str(row.source), str(row.target))
        if row.internal:
            self.dest = None
        self.row = row
        self.logic = logic
        self.rules = self.logic.rules
        # What `transitions` shows as the guards. A tuple, because conditions are added as rules.
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
            problem = f"a callback changed it during {self.row.trigger}"
            raise ConcurrentChange(f"session {session.integration_id!r}: {problem}")
        event_data.recorded = self.logic.record(session, values=event_data.values, **event_data.kwargs)
        self.logic.commit(session, event_data.values)


class LifecycleEvent(transitions.Event):
    """A trigger of the machine."""

    def __init__(self, name: str, machine: LifecycleMachine) -> None:
        super().__init__(name, machine)
        self._trigger_name = Trigger(name)
        self.no_argument = argument_of(self._trigger_name, None)
        """The argument of the trigger when the caller gives none."""
        self.without_callbacks: dict[State, Transition] = {}
        """The transitions by this trigger that have no callbacks, by the state that they leave."""

    machine: LifecycleMachine  # pyright: ignore[reportIncompatibleVariableOverride]  # narrower, and never reassigned

    def fire(
        self, session: Any, change: Any, now: datetime | None = None, context: Mapping[str, Any] | None = None
    ) -> SessionEvent:
        """Run the transition of *session* and return its event. *change* is what `argument` returned.

        Raises:
            InvalidValue: *now* is not an aware time, or *context* does not hold JSON values.
            ConcurrentChange: the session is being judged, or something else has moved it in the meantime.
            WrongState: the table has no such transition from the session's state.
            RuleViolated: a rule forbids it, or failed.
        """
        at, asked_by = as_time(now), EMPTY if context is None else as_context(context)
        if BUSY:
            refuse_if_busy(session)
        transition = self.without_callbacks.get(session.state)
        try:
            if transition is not None and not LOG.level:
                return transition.run(session, change, at, asked_by)
            event = self._fire_slowly(session, change, at, asked_by)
        except TransitionRefused as error:
            log_refused(error)
            raise
        log_succeeded(event)
        return event

    def _fire_slowly(self, session: Any, change: Any, at: datetime, context: Context) -> SessionEvent:
        """Do what `fire` does, whether or not there are callbacks."""
        transition = self.without_callbacks.get(session.state)
        if transition is not None:
            return transition.run(session, change, at, context)
        if self.machine.without_callbacks and not self.transitions.get(session.state):
            raise self.machine.wrong_state(self._trigger_name, session, change)
        event_data = self._run(session, change, at, context)
        if event_data.error is not None:  # callbacks of `on_exception` have seen it; a verb raises all the same
            raise event_data.error
        if event_data.recorded is None:
            raise self.machine.wrong_state(self._trigger_name, session, change)
        return event_data.recorded

    def _run(self, session: Any, change: Any, now: datetime, context: Context) -> LifecycleEventData:
        given = {"change": change, "now": now, "context": context}
        event_data = LifecycleEventData(None, self, self.machine, session, (), given)
        self._trigger(event_data)
        return event_data

    def trigger(
        self, model: Any, change: Any = None, now: datetime | None = None, context: Mapping[str, Any] | None = None
    ) -> bool:
        """Do what the verb does to the session *model*. The name and the answer are those of `transitions`.

        False means that callbacks of `on_exception` have handled an error, or that the machine ignores invalid triggers.
        """
        refuse_if_busy(model)
        return bool(self._run(model, self.argument(change), as_time(now), as_context(context)).result)

    def argument(self, change: Any, keywords: Mapping[str, Any] = EMPTY) -> Any:
        """Return the trigger's argument in the form in which rules and events hold it.

        Raises:
            InvalidValue: the trigger takes something else, or is given an update that wants another state than
                the one it leads to.
        """
        if change is None and not keywords:
            return self.no_argument
        if self.no_argument is not NO_CHANGE:
            return argument_of(self._trigger_name, change, keywords)
        update = as_update(change, keywords, self.machine.own_fields)
        if update.state is not UNSET and WANTED.get(update.state) is not self._trigger_name:
            raise InvalidValue(
                "/state", f"{self._trigger_name}() does not lead to {update.state}; put() obeys a wanted state"
            )
        return update

    def transition(self, state: State) -> LifecycleTransition | None:
        """Return the transition that leaves *state* by this trigger, or None."""
        found: Any = self.transitions.get(state)
        return found[0] if found else None

    def decide(self, session: Any, change: Any, now: datetime, context: Context = EMPTY) -> Decision[Any]:
        """Return the decision on the trigger; nothing changes."""
        transition = self.transition(session.state)
        if transition is None:
            return self.machine.not_in_table(self._trigger_name, session, change)
        return transition.logic.decide(session, change, now, context)

    def _is_valid_source(self, state: Any) -> bool:
        ignore = state.ignore_invalid_triggers
        if ignore is None:
            ignore = self.machine.ignore_invalid_triggers
        return state.name in self.transitions or not ignore

    def _process(self, event_data: Any) -> bool:
        session = event_data.model
        if self.transition(session.state) is None:
            raise self.machine.wrong_state(self._trigger_name, session, event_data.kwargs["change"])
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
    without_callbacks = False
    """Whether the machine itself has no callbacks; those would be called for refused triggers too."""

    def __init__(
        self,
        rules: Sequence[Rule],
        table: Sequence[Row] = TABLE,
        name: str = "CustomerSession",
        *,
        unchecked: bool = False,
        kind: type | None = None,
    ) -> None:
        """Build the machine of *rules* and *table* for the session class *kind*.

        With *unchecked*, the table may be wrong, as that of a mutant is.

        Raises:
            InvalidValue: see `check_definition`.
        """
        check_definition(TABLE if unchecked else table, rules)
        self.unchecked = unchecked
        states = [LifecycleState(state, final=state in FINAL) for state in State]
        super().__init__(None, states, State.OPEN.value, auto_transitions=False, send_event=True, name=name)
        self.table = tuple(table)
        self.rules = tuple(rules)
        self.kind = kind
        transition = partial(Transition, kind=kind)
        self._wrong_state = WrongStateDecisions(self.table)
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
        holders = self._callback_holders()
        for one in holders:
            for held in _LISTS:
                if held in vars(one):
                    callbacks = _Callbacks(getattr(one, held))
                    callbacks.machine = self
                    setattr(one, held, callbacks)
        for holder in holders[1:]:
            vars(holder)["machine"] = self
        self._built = True
        self.find_transitions_without_callbacks()

    def __setattr__(self, name: str, value: object) -> None:
        if self._built and name in _LISTS:
            self.check_callbacks(value)
        super().__setattr__(name, value)
        if name != "without_callbacks":
            self.find_transitions_without_callbacks()

    def rules_of(self, row: Row) -> tuple[Rule, ...]:
        """Return the rules that guard *row*, in their order."""
        return tuple(rule for rule in self.rules if rule.guards(row.trigger, row.target))

    def allowed_from(self, state: State | None) -> tuple[Trigger, ...]:
        """Return the triggers that the table allows from *state*, whatever the rules say."""
        return self._wrong_state.allowed[state]

    def create(self, session: Any, change: SessionUpdate, now: datetime, context: Context = EMPTY) -> SessionEvent:
        """Run the creation rules on a new session and return its creation event.

        Raises:
            RuleViolated: a rule forbids it, or failed.
            WrongState: the table lets no session be created in that state.
        """
        transition = self._creations[session.state]
        values: dict[str, Any] = {"update_count": session.update_count}
        refusal: TransitionRefused | None = None
        if failures := transition.judged(None, session, change, now, values, context):
            refusal = transition.refusal(session, failures)
        elif transition.target is None:
            refusal = self._wrong_state.of_creation(session).refusal()
        if refusal is not None:
            log_refused(refusal)
            raise refusal
        event = transition.record(session, change, now, values, context)
        object.__setattr__(session, "_pending_events", values["_pending_events"])
        log_succeeded(event)
        return event

    def refuse(self, trigger: Trigger, session: Any, change: Any) -> Never:
        """Refuse what the table has no transition for.

        Raises:
            WrongState: always.
        """
        refusal = self.wrong_state(trigger, session, change)
        log_refused(refusal)
        raise refusal

    def not_in_table(self, trigger: Trigger, session: Any, change: Any) -> Decision[Any]:
        """Return the decision that the table has no transition by *trigger* from the state of *session*."""
        return self._wrong_state.decision(trigger, session, change)

    def wrong_state(self, trigger: Trigger, session: Any, change: Any) -> TransitionRefused:
        """Return the error that the table has no transition by *trigger* from the state of *session*."""
        return self._wrong_state.decision(trigger, session, change).refusal()

    def find_transitions_without_callbacks(self) -> None:
        """Recompute which transitions have no callbacks; those take the fast path.

        Every change of a list of callbacks calls this. A list of another type, which would not, counts as not empty.
        """
        if not self._built:  # it is under construction, or being copied
            return
        lists: Any = vars(self)
        self.without_callbacks = _all_empty(lists[name] for name in lists.keys() & _LISTS)
        for event in self.events.values():
            rows: Any = [found[0] for found in event.transitions.values()]
            event.without_callbacks = {
                row.row.source: row.logic for row in rows if self.without_callbacks and self._has_no_callbacks(row)
            }

    def check_callbacks(self, callbacks: Any) -> None:
        """Check callbacks when they are added, so that none fails, or does nothing, when it is called.

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
        """Copy the callbacks of a parent class's machine, except for names of methods that the class sets to None."""
        for own, inherited in zip(self._callback_holders(), parent._callback_holders(), strict=True):
            held: dict[str, Any] = inherited.__dict__
            for name in sorted(_LISTS.intersection(held)):
                callbacks: list[Any] = getattr(own, name)
                given: list[Any] = getattr(inherited, name)
                if wanted := [one for one in given if one not in callbacks and not self._is_unset(one)]:
                    callbacks.extend(wanted)

    def _is_unset(self, callback: Any) -> bool:
        """Whether *callback* is the name of a method that the class has set to None."""
        return isinstance(callback, str) and getattr(self.kind, callback, callback) is None

    def _callback_holders(self) -> list[Any]:
        """Return everything that has lists of callbacks: the machine, its states and its transitions."""
        return [self, *self.states.values(), *self.get_transitions()]

    def _has_no_callbacks(self, transition: Any) -> bool:
        states: Any = () if transition.dest is None else map(self.get_state, (transition.source, transition.dest))
        passed = (callbacks for state in states for callbacks in (state.on_exit, state.on_enter))
        return _all_empty((transition.prepare, transition.before, transition.after, *passed))

    # Questions may name a state by its value or by its enumeration member.

    def get_state(self, state: Any) -> transitions.State:
        """Return a state, by its name or its enumeration member."""
        return super().get_state(_state_name(state))

    def get_triggers(self, *args: Any) -> list[str]:
        """Return the triggers that lead out of any of these states."""
        return super().get_triggers(*map(_state_name, args))

    def get_transitions(self, trigger: str = "", source: Any = "*", dest: Any = "*") -> list[transitions.Transition]:
        """Return the transitions by *trigger* from *source* to *dest*, each of which may be left open."""
        return super().get_transitions(trigger, _state_name(source), _state_name(dest))

    # The table is fixed: methods that add states, transitions or models raise.

    def _refuse(self, *_: object, **__: object) -> Never:
        raise SessionFSMError("the table of a session class is fixed, and sessions are not registered with the machine")

    add_model = add_transition = add_transitions = add_ordered_transitions = remove_transition = _refuse

    def add_states(self, *args: Any, **kwargs: Any) -> None:
        """Refuse further states, once the machine has those of the table."""
        if self._built:
            self._refuse()
        super().add_states(*args, **kwargs)
