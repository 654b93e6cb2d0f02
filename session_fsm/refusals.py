"""What is said where the table has no transition: in the words of the API, and with what would work instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from session_fsm.decisions import Decision, decision
from session_fsm.errors import Violation
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
        """The triggers that the table allows from each state, whatever the rules say."""
        self._targets = {trigger: {row.target for row in rows if row.trigger is trigger} for trigger in Trigger}
        self._sources = {trigger: _sources(rows, trigger) for trigger in Trigger}
        self._violations: dict[tuple[Trigger, State], Violation] = {}

    def judged(self, trigger: Trigger, session: Any, change: Any) -> Decision[Any]:
        """Return the decision that the table has no transition by *trigger* from where *session* is."""
        state: State = session.state
        wanted = change.state if isinstance(change, SessionUpdate) else UNSET
        if wanted is not UNSET and wanted is not State.CLOSED:
            violation = _violation(state, f'Cannot move session to state "{wanted}" from state "{state}"')
        else:
            violation = self._violations.get((trigger, state)) or self._only(trigger, state)
        already = state in self._targets[trigger] if wanted is UNSET else state is wanted
        judged = (trigger, state, None, None, (), (violation,), None)
        return decision(*judged, session.integration_id, self.allowed[state], already)

    def of_creation(self, newborn: Any) -> Decision[Any]:
        """Return the decision that no session can be created in the state of *newborn*."""
        violation = Violation(code="wrong_state", message=f"A session cannot be created as {newborn.state}")
        judged = (Trigger.CREATE, None, None, None, (), (violation,), None)
        return decision(*judged, newborn.integration_id, self.allowed[None], False)  # noqa: FBT003 - the last field

    def _only(self, trigger: Trigger, state: State) -> Violation:
        """Return the violation that says from where *trigger* is possible; it is the same for every session."""
        violation = _violation(state, f"Only {self._sources[trigger]} sessions can {_CAN_BE[trigger]}")
        self._violations[trigger, state] = violation
        return violation


def _violation(state: State, message: str) -> Violation:
    # The message has no full stop, since integrations compare the API's own as a whole (W-19).
    return Violation(code="wrong_state", message=message, details=FrozenDict(state=str(state)))


def _sources(rows: Iterable[Row], trigger: Trigger) -> str:
    return " or ".join(row.source for row in rows if row.trigger is trigger and row.source) or "new"
