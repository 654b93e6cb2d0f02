"""The machine of a session class: a `transitions.Machine` built from the table and the class's rules.

The verbs of a session call it. One machine serves all sessions of a class; they are not registered with it, each call
is given the session to change.

It answers the questions that `transitions` documents (`get_triggers`, `get_transitions`, `get_state`) and runs the
callbacks that are added to it (`before_close`, `on_enter_cancelled`, `prepare_event`, ...) in the documented order. A
callback receives the `EventData`, whose ``model`` is the session and whose ``kwargs`` are the trigger's ``change``,
``now`` and ``context``.

``triggers.py`` has what happens when a verb is called, ``rows.py`` the states and transitions, and ``callbacks.py`` the
lists of callbacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Never

import transitions

from session_fsm.decisions import Decision
from session_fsm.errors import SessionFSMError, TransitionRefused
from session_fsm.events import SessionEvent
from session_fsm.guards import Rule
from session_fsm.json_values import EMPTY
from session_fsm.lifecycle import FINAL, TABLE, Row, check_definition
from session_fsm.logs import log_refused, log_succeeded
from session_fsm.machine.callbacks import HoldsCallbacks, all_empty, copy_callbacks, lists_of, observe
from session_fsm.machine.rows import LifecycleState, LifecycleTransition, state_name
from session_fsm.machine.triggers import LifecycleEvent, LifecycleEventData
from session_fsm.states import State, Trigger
from session_fsm.subclasses.own_fields import NO_OWN_FIELDS, OwnFields
from session_fsm.transition import Context, Transition
from session_fsm.user_functions import is_unawaited, name_of
from session_fsm.values import SessionUpdate
from session_fsm.wrong_state import WrongStateDecisions

__all__ = ["LifecycleEvent", "LifecycleEventData", "LifecycleMachine", "LifecycleState", "LifecycleTransition"]


class LifecycleMachine(HoldsCallbacks, transitions.Machine):
    """The machine of one session class: the table and the class's rules, as a `transitions.Machine`."""

    events: dict[str, LifecycleEvent]  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleVariableOverride]  # narrower
    """The five triggers by name."""
    own_fields: OwnFields = NO_OWN_FIELDS
    """The fields that the class adds to `CustomerSession`."""
    kind: type | None = None
    """The session class; None while the machine is being copied."""
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
        for holder in self._callback_holders().values():
            observe(holder, self)
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
        if self.machine is None:  # it is being copied
            return
        vars(self)["without_callbacks"] = all_empty(lists_of(self))  # an assignment would call this method again
        for event in self.events.values():
            rows: Any = [leaving[0] for leaving in event.transitions.values()]
            event.without_callbacks = {
                row.row.source: row.logic for row in rows if self.without_callbacks and self._has_no_callbacks(row)
            }

    def callback(self, func: Any, event_data: Any) -> None:
        """Call one callback.

        Raises:
            SessionFSMError: it returned something that somebody would have to await.
        """
        answer: Any = self.resolve_callable(func, event_data)(event_data)
        if is_unawaited(answer):
            name = func if isinstance(func, str) else name_of(func)
            raise SessionFSMError(f"the callback {name:.80} is asynchronous, and what it began would never run")

    def inherit_callbacks(self, other: LifecycleMachine) -> None:
        """Copy the callbacks of another class's machine, except for names of methods that the class sets to None."""
        holders = self._callback_holders()
        for key, holder in other._callback_holders().items():
            if key in holders:
                copy_callbacks(holders[key], holder, self.kind)

    def _callback_holders(self) -> dict[object, Any]:
        """Return everything that has lists of callbacks: the machine, its states by name, its transitions by row."""
        found: list[Any] = self.get_transitions()
        return {"": self, **self.states, **{one.row: one for one in found}}

    def _has_no_callbacks(self, transition: LifecycleTransition) -> bool:
        states: Any = () if transition.dest is None else map(self.get_state, (transition.source, transition.dest))
        passed = (callbacks for state in states for callbacks in (state.on_exit, state.on_enter))
        return all_empty((transition.prepare, transition.before, transition.after, *passed))

    # Questions may name a state by its value or by its enumeration member.

    def get_state(self, state: Any) -> transitions.State:
        """Return a state, by its name or its enumeration member."""
        return super().get_state(state_name(state))

    def get_triggers(self, *args: Any) -> list[str]:
        """Return the triggers that lead out of any of these states."""
        return super().get_triggers(*map(state_name, args))

    def get_transitions(self, trigger: str = "", source: Any = "*", dest: Any = "*") -> list[transitions.Transition]:
        """Return the transitions by *trigger* from *source* to *dest*, each of which may be left open."""
        return super().get_transitions(trigger, state_name(source), state_name(dest))

    # The table is fixed: methods that add states, transitions or models raise.

    def _refuse(self, *_: object, **__: object) -> Never:
        raise SessionFSMError("the table of a session class is fixed, and sessions are not registered with the machine")

    add_model = add_transition = add_transitions = add_ordered_transitions = remove_transition = _refuse

    def add_states(self, *args: Any, **kwargs: Any) -> None:
        """Refuse further states, once the machine has those of the table."""
        if self.machine is not None:
            self._refuse()
        super().add_states(*args, **kwargs)
