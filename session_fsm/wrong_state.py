"""The decisions that refuse a trigger because the table has no such transition, in the words of the API (D-07, W-19)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from session_fsm.decisions import Decision
from session_fsm.decisions import decision as make_decision
from session_fsm.errors import Violation
from session_fsm.json_values import FrozenDict
from session_fsm.lifecycle import Row
from session_fsm.states import State, Trigger
from session_fsm.values import UNSET, SessionUpdate

__all__ = ["WrongStateDecisions"]

# How each trigger's refusal ends: "Only closed sessions can ..."
_CAN_BE = {
    Trigger.CREATE: "be created",
    Trigger.UPDATE: "be updated",
    Trigger.CLOSE: "be closed",
    Trigger.CANCEL: "be cancelled",
    Trigger.RETURN_ITEMS: "have items returned",
    Trigger.REOPEN: "be reopened",
}


class WrongStateDecisions:
    """The decisions of one table. The machine makes one of these objects, and asks it when it finds no transition."""

    def __init__(self, table: Iterable[Row]) -> None:
        rows = tuple(table)
        self.allowed: Mapping[State | None, tuple[Trigger, ...]] = {
            state: tuple(dict.fromkeys(row.trigger for row in rows if row.source is state)) for state in (None, *State)
        }
        """The triggers that the table allows from each state, whatever the rules say."""
        self._targets = {trigger: {row.target for row in rows if row.trigger is trigger} for trigger in Trigger}
        self._sources = {trigger: _sources(rows, trigger) for trigger in Trigger}
        self._violations: dict[tuple[Trigger, State], Violation] = {}

    def decision(self, trigger: Trigger, session: Any, change: Any) -> Decision[Any]:
        """Return the decision that the table has no transition by *trigger* from the state of *session*."""
        state: State = session.state
        wanted = change.state if isinstance(change, SessionUpdate) else UNSET
        if wanted is not UNSET and wanted is not State.CLOSED:
            violation = _violation(state, f'Cannot move session to state "{wanted}" from state "{state}"')
        else:
            violation = self._violations.get((trigger, state)) or self._only(trigger, state)
        already = state in self._targets[trigger] if wanted is UNSET else state is wanted
        judged = (trigger, state, None, None, (), (violation,), None)
        return make_decision(*judged, session.integration_id, self.allowed[state], already)

    def of_creation(self, session: Any) -> Decision[Any]:
        """Return the decision that no session can be created in the state of *session*."""
        violation = Violation(code="wrong_state", message=f"A session cannot be created as {session.state}")
        judged = (Trigger.CREATE, None, None, None, (), (violation,), None)
        return make_decision(*judged, session.integration_id, self.allowed[None], False)  # noqa: FBT003 - the last field

    def _only(self, trigger: Trigger, state: State) -> Violation:
        """Return the violation that names the states which *trigger* is possible from; it is the same for every session."""
        violation = _violation(state, f"Only {self._sources[trigger]} sessions can {_CAN_BE[trigger]}")
        self._violations[trigger, state] = violation
        return violation


def _violation(state: State, message: str) -> Violation:
    # The message has no full stop, since integrations compare the API's own as a whole (W-19).
    return Violation(code="wrong_state", message=message, details=FrozenDict(state=str(state)))


def _sources(rows: Iterable[Row], trigger: Trigger) -> str:
    return " or ".join(row.source for row in rows if row.trigger is trigger and row.source) or "new"
