"""The states and the transitions of a machine; `LifecycleMachine` makes them of the table.

`LifecycleTransition.execute` is the slow path: `transitions` calls it where a transition has callbacks.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import transitions

from session_fsm.errors import ConcurrentChange
from session_fsm.lifecycle import Row
from session_fsm.machine.callbacks import HoldsCallbacks
from session_fsm.transition import Transition

__all__ = ["LifecycleState", "LifecycleTransition", "state_name"]


def state_name(state: Any) -> Any:
    """Return the name of *state*, which is a name or an enumeration member."""
    return state.value if isinstance(state, Enum) else state


class LifecycleState(HoldsCallbacks, transitions.State):
    """A state of the machine, named by the value of its enumeration member, as ``"open"``."""

    @property
    def name(self) -> str:
        """The value of the enumeration member."""
        return str(state_name(self._name))


class LifecycleTransition(HoldsCallbacks, transitions.Transition):
    """A row of the table together with the rules that guard it."""

    def __init__(self, row: Row, logic: Transition) -> None:
        super().__init__(str(row.source), str(row.target))
        if row.internal:
            self.dest = None
        self.row = row
        self.logic = logic
        self.rules = self.logic.rules
        # What `transitions` shows as the guards. A tuple, because conditions are added as rules.
        self.conditions = tuple(map(transitions.core.Condition, self.rules))  # type: ignore[assignment, arg-type]  # pyright: ignore[reportAttributeAccessIssue]  # its stubs want a list of functions

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
