"""What is said where the table has no transition: in the words of the API, and with what would work instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from session_fsm.decisions import Decision, decision
from session_fsm.errors import Violation, WrongState
from session_fsm.json_values import FrozenDict
from session_fsm.lifecycle import Row
from session_fsm.states import State, Trigger
from session_fsm.values import UNSET, SessionUpdate

__all__ = ["Refusals"]

# How each trigger's refusal ends: "Only closed sessions can ..."
_CAN_BE = {
    Trigger.CREATE: "be created",
    Trigger.UPDATE: "be updated",
    Trigger.CLOSE: "be closed",
    Trigger.CANCEL: "be cancelled",
    Trigger.RETURN_ITEMS: "have items returned",
    Trigger.REOPEN: "be reopened",
}


class Refusals:
    """The refusals of one table."""

    def __init__(self, table: Iterable[Row]) -> None:
        rows = tuple(table)
        self.allowed: Mapping[State | None, tuple[Trigger, ...]] = {
            state: tuple(dict.fromkeys(row.trigger for row in rows if row.source is state)) for state in (None, *State)
        }
        """The triggers that the table opens from each state, whatever the rules say."""
        self._targets = {trigger: {row.target for row in rows if row.trigger is trigger} for trigger in Trigger}
        self._only = {trigger: _only(rows, trigger) for trigger in Trigger}
        self._judged: dict[tuple[Trigger, State], Decision[Any]] = {}

    def judged(self, trigger: Trigger, state: State, change: Any) -> Decision[Any]:
        """Write down that the table has no transition by *trigger* from *state*."""
        wanted = change.state if isinstance(change, SessionUpdate) else UNSET
        if wanted is not UNSET and wanted is not State.CLOSED:
            return _refused(trigger, state, f'Cannot move session to state "{wanted}" from state "{state}".')
        known = self._judged.get((trigger, state))
        if known is None:  # it says the same of every session
            known = _refused(trigger, state, f"{self._only[trigger]}; this one is {state}.")
            self._judged[trigger, state] = known
        return known

    def error(self, trigger: Trigger, session: Any, change: Any) -> WrongState:
        """Make the error that says so."""
        state: State = session.state
        wanted = change.state if isinstance(change, SessionUpdate) else UNSET
        already = state in self._targets[trigger] if wanted is UNSET else state is wanted
        return WrongState(self.judged(trigger, state, change), session.integration_id, self.allowed[state], already)

    def of_creation(self, newborn: Any) -> WrongState:
        """Make the error that no session can be created in the state of *newborn*."""
        violation = Violation(code="wrong_state", message=f"A session cannot be created as {newborn.state}.")
        refused = decision(Trigger.CREATE, None, None, None, (), (violation,), None)
        return WrongState(refused, newborn.integration_id, self.allowed[None])


def _refused(trigger: Trigger, state: State, message: str) -> Decision[Any]:
    violation = Violation(code="wrong_state", message=message, details=FrozenDict(state=str(state)))
    return decision(trigger, state, None, None, (), (violation,), None)


def _only(rows: Iterable[Row], trigger: Trigger) -> str:
    sources = " or ".join(row.source for row in rows if row.trigger is trigger and row.source)
    return f"Only {sources or 'new'} sessions can {_CAN_BE[trigger]}"
