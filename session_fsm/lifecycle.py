"""The table of transitions, and the check of a table and its rules.

* Every transition, the creations included, is a `Row` of `TABLE`. A trigger without a row is refused.
* A row names the trigger, the states, the API operation and the event. The rules name the triggers that they guard
  (`Rule.on`, `Rule.target`).
* `check_definition` runs when a session class is made, so a wrong table or rule list cannot be imported.

`session_fsm.machine` builds the machine from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from session_fsm.errors import InvalidValue
from session_fsm.guards import Rule
from session_fsm.states import EventName, Operation, State, Trigger

__all__ = ["FINAL", "TABLE", "WANTED", "Authority", "Row", "check_definition"]


class Authority(StrEnum):
    """The source of a transition: documented, observed or chosen."""

    DOCUMENTED = "documented"
    """Talon.One's published documentation says so."""
    OBSERVED = "observed"
    """Public code that calls the API depends on it."""
    CHOSEN = "chosen"
    """There is no public source; this library chose it."""


@frozen
class Row:
    """One transition: from a state, by a trigger, into a state."""

    id: str
    """Its number, such as ``T-04``."""
    source: State | None
    """The state before; None where the session is created."""
    trigger: Trigger
    """The trigger."""
    target: State
    """The state after."""
    operation: Operation
    """The API operation that performs it."""
    event_name: EventName
    """The event that is recorded."""
    authority: Authority = Authority.DOCUMENTED
    """Its source."""
    note: str = field(default="", kw_only=True)
    """A remark on the source."""

    @property
    def internal(self) -> bool:
        """Whether the session stays in its state."""
        return self.source is self.target


_UPDATE, _RETURN, _REOPEN = Operation.UPDATE, Operation.RETURN, Operation.REOPEN
_OPEN, _CLOSED, _RETURNED, _CANCELLED = State

# fmt: off
TABLE: tuple[Row, ...] = (
    Row("T-01", None, Trigger.CREATE, _OPEN, _UPDATE, EventName.CREATED),
    Row("T-02", None, Trigger.CREATE, _CLOSED, _UPDATE, EventName.CREATED,
        note="Talon.One's pages disagree about the event; that it is the one of a creation is chosen."),
    Row("T-03", _OPEN, Trigger.UPDATE, _OPEN, _UPDATE, EventName.UPDATED),
    Row("T-04", _OPEN, Trigger.CLOSE, _CLOSED, _UPDATE, EventName.CLOSED),
    Row("T-05", _OPEN, Trigger.CANCEL, _CANCELLED, _UPDATE, EventName.CANCELLED),
    Row("T-06", _CLOSED, Trigger.CANCEL, _CANCELLED, _UPDATE, EventName.REVOKED),
    Row("T-07", _CLOSED, Trigger.RETURN_ITEMS, _RETURNED, _RETURN, EventName.PARTIALLY_RETURNED),
    Row("T-08", _CLOSED, Trigger.REOPEN, _OPEN, _REOPEN, EventName.REOPENED),
    Row("T-09", _RETURNED, Trigger.CANCEL, _CANCELLED, _UPDATE, EventName.REVOKED,
        note="That the event is the one of a revoked order is chosen."),
    Row("T-10", _RETURNED, Trigger.RETURN_ITEMS, _RETURNED, _RETURN, EventName.PARTIALLY_RETURNED, Authority.CHOSEN,
        note="The API lists previous returns and counts up per item, so a second return must be possible."),
)
# fmt: on
"""Every transition, in the order in which documentation and diagrams show them."""

FINAL: frozenset[State] = frozenset({State.CANCELLED})
"""The states without exit."""

WANTED: Mapping[State, Trigger] = {
    row.target: row.trigger for row in TABLE if row.source and row.operation is Operation.UPDATE
}
"""The trigger of the Update operation, by the state that the request wants (D-07)."""


def check_definition(table: Sequence[Row], rules: Sequence[Any]) -> None:
    """Check a table and its rules.

    Raises:
        InvalidValue: two rows leave one state by one trigger, or two create the same state; a state cannot be
            reached; a final state has an exit; a rule is none, guards nothing, or shares its code with another.
    """
    for place, row in enumerate(table):
        # Two creations differ by their targets, other rows of one trigger by the state that they leave.
        rivals = [(r.trigger, r.source, r.target if r.source is None else None) for r in table[: place + 1]]
        if rivals.count(rivals[-1]) > 1:
            raise InvalidValue(f"/table/{place}", f"{row.id} is the second row for {row.trigger} from {row.source}")
        if row.source in FINAL:
            raise InvalidValue(f"/table/{place}", f"{row.id} leads out of {row.source}, which is final")
    reached: set[State | None] = {None}
    for _ in State:
        reached |= {row.target for row in table if row.source in reached}
    if lost := [state for state in State if state not in reached]:
        raise InvalidValue("/table", f"no way leads to {', '.join(lost)}")
    for place, one in enumerate(rules):
        if not isinstance(one, Rule):
            raise InvalidValue(f"/rules/{place}", f"{one!r} is not a rule; make one with the decorator rule")
        if one.code in {other.code for other in rules[:place]}:
            raise InvalidValue(f"/rules/{place}", f"the code {one.code} is used twice")
        if not any(one.guards(row.trigger, row.target) for row in table):
            raise InvalidValue(f"/rules/{place}", f"the rule {one.code} guards no transition")
        if unknown := [trigger for trigger in one.on if trigger not in {row.trigger for row in table}]:
            raise InvalidValue(f"/rules/{place}", f"the rule {one.code} guards {unknown[0]}, which the table lacks")
