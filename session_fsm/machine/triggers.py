"""The triggers of a machine: the verbs of a session call `LifecycleEvent.argument` and `LifecycleEvent.fire`.

A trigger without callbacks takes the fast path, which is `Transition.run`; one with callbacks is handed to
`transitions`. ``tests/test_fast_and_slow_transitions.py`` compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import transitions

from session_fsm.changes import argument_of, as_time, as_update
from session_fsm.decisions import Decision
from session_fsm.entities import contents, restore
from session_fsm.errors import InvalidValue, SessionFSMError, TransitionRefused
from session_fsm.events import SessionEvent
from session_fsm.json_values import EMPTY, as_context
from session_fsm.lifecycle import WANTED
from session_fsm.logs import LOG, log_refused, log_succeeded
from session_fsm.machine.rows import LifecycleTransition
from session_fsm.reentrancy import BUSY, busy_error, moving, refuse_if_busy
from session_fsm.states import State, Trigger
from session_fsm.transition import Context, Transition
from session_fsm.values import NO_CHANGE, UNSET

if TYPE_CHECKING:
    from session_fsm.machine import LifecycleMachine

__all__ = ["LifecycleEvent", "LifecycleEventData"]


class LifecycleEventData(transitions.EventData):
    """What callbacks receive; its `model` is the session."""

    update_count: int
    """The session's update count when the trigger was called. A callback that changes the session raises the count."""
    values: dict[str, Any]
    """The fields that the trigger changes, with their new values."""
    recorded: SessionEvent | None = None
    """The event that the trigger led to, once it has."""


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
