"""`PartCounters` counts what a part of a backtest did; the counters of all parts are added up.

They travel as JSON text in one row beside the verdicts, so that every engine can transport it.
"""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from attrs import define, field

from session_fsm.totals import add

__all__ = ["Change", "Example", "Group", "PartCounters"]


class Change(StrEnum):
    """How the verdict of the tested class differs from that of the class it is compared with."""

    NEWLY_REFUSED = "newly_refused"
    """Refused, and was not before."""
    NEWLY_ALLOWED = "newly_allowed"
    """Not refused, and was before."""
    OTHER_REASON = "other_reason"
    """Refused as before, with other codes."""
    OTHER_STATE = "other_state"
    """Not refused, as before, but the session is in another state or has another total."""


class Group(NamedTuple):
    """What examples have in common: the change (or ``refused``), the trigger, and the codes."""

    change: str
    trigger: str
    codes: tuple[str, ...]


class Example(NamedTuple):
    """A session that shows a refusal or a change. Examples are compared by their length, the shortest first."""

    length: int
    """The number of its operations up to the one that is shown."""
    session: str
    lines: tuple[str, ...]
    """Its lines up to that operation, in the format of ``docs/replay-format.md``."""


Key = tuple[str, ...]


@define
class PartCounters:
    """The counts of a backtest, or of a part of it."""

    sessions: int = 0
    unreadable: int = 0
    snapshots: int = 0
    refused_by_both: int = 0
    """Operations that this class and the one that it is compared with refuse."""
    fired: Counter[Key] = field(factory=Counter[Key])
    """Transitions by source (empty for a creation), trigger, target and month."""
    others: Counter[Key] = field(factory=Counter[Key])
    """Operations that changed nothing by trigger, outcome (``refused``, ``allowed`` for a dry run) and month."""
    codes: Counter[Key] = field(factory=Counter[Key])
    """Refused operations by trigger, code and month; an operation with two codes counts under both."""
    changes: Counter[Key] = field(factory=Counter[Key])
    """Changed operations by change, trigger, code and month, and whether they are a ``cause`` or a ``consequence``. The
    code is that of the refusal, or the former one."""
    changed: Counter[Key] = field(factory=Counter[Key])
    """Sessions by the change of the first operation that changed."""
    amounts: dict[Key, Decimal] = field(factory=dict[Key, Decimal])
    """The totals of the sessions in `changed`, or of those with a refusal under ``refused``."""
    ends: Counter[Key] = field(factory=Counter[Key])
    """Sessions by the state in which they end, and the one in which they ended before; ``none`` without a session."""
    missing: Counter[Key] = field(factory=Counter[Key])
    """Refusals for which the table has no row, by state and trigger."""
    rules: Counter[Key] = field(factory=Counter[Key])
    """Outcomes of rules in refusals, by code, function and outcome."""
    examples: dict[Group, Example] = field(factory=dict[Group, Example])

    def amount(self, key: Key, total: Decimal | None) -> None:
        """Add *total* to the amount of *key*, exactly."""
        self.amounts[key] = add(self.amounts.get(key, Decimal(0)), total or Decimal(0))

    def offer(self, group: Group, example: Example) -> None:
        """Keep *example* if it is the shortest of *group* so far."""
        held = self.examples.get(group)
        if held is None or example < held:
            self.examples[group] = example

    def is_shorter(self, group: Group, length: int, session: str) -> bool:
        """Whether an example of *length* operations of *session* would be kept."""
        held = self.examples.get(group)
        return held is None or (length, session) < held[:2]

    def add(self, other: PartCounters) -> None:
        """Add the counts of *other* to these."""
        self.sessions += other.sessions
        self.unreadable += other.unreadable
        self.snapshots += other.snapshots
        self.refused_by_both += other.refused_by_both
        for name in _COUNTERS:
            getattr(self, name).update(getattr(other, name))
        for key, total in other.amounts.items():
            self.amount(key, total)
        for group, example in other.examples.items():
            self.offer(group, example)

    def to_json(self) -> str:
        """Return the counters as JSON, the same text for the same counts."""
        document: dict[str, Any] = {name: getattr(self, name) for name in _NUMBERS}
        document |= {name: sorted([*key, n] for key, n in getattr(self, name).items()) for name in _COUNTERS}
        document["amounts"] = sorted([*key, str(total)] for key, total in self.amounts.items())
        document["examples"] = sorted([group, example] for group, example in self.examples.items())
        return json.dumps(document, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> PartCounters:
        """Read what `to_json` returns."""
        document = json.loads(text)
        counters = cls(**{name: document[name] for name in _NUMBERS})
        for name in _COUNTERS:
            getattr(counters, name).update({tuple(key): n for *key, n in document[name]})
        counters.amounts = {tuple(key): Decimal(total) for *key, total in document["amounts"]}
        for (change, trigger, codes), (length, session, lines) in document["examples"]:
            counters.examples[Group(change, trigger, tuple(codes))] = Example(length, session, tuple(lines))
        return counters


_NUMBERS = ("sessions", "unreadable", "snapshots", "refused_by_both")
_COUNTERS = ("fired", "others", "codes", "changes", "changed", "ends", "missing", "rules")
