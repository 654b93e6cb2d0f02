"""The data that every renderer draws. `session_fsm.diagrams.render` creates it.

A `Diagram` holds the table and the rules of a session class, in table order. An `Overlay` adds what is known of one
session or test run: the allowed triggers, the history, how often tests have exercised each part.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from session_fsm.decisions import Decision
from session_fsm.diagrams.drawable import drawable
from session_fsm.errors import InvalidValue
from session_fsm.events import SessionEvent
from session_fsm.lifecycle import FINAL, Authority
from session_fsm.session import CustomerSession
from session_fsm.states import MEANING_OF_STATE, EventName, Operation, State, Trigger

__all__ = [
    "SHORT_LIST",
    "BoardEntry",
    "Diagram",
    "Edge",
    "HistoryEntry",
    "Node",
    "Overlay",
    "RuleText",
    "model",
    "overlay",
]
_TIME = re.compile(r"(\d+-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?([+-]\d\d:.+)", re.ASCII)

SHORT_LIST = 3
"""Rules of two edges that are the same are listed once if there are at least this many."""


@frozen(kw_only=True)
class Node:
    """A state."""

    state: State
    """The state."""
    final: bool
    """Whether no transition leaves it."""
    meaning: str = ""
    """What this state of a session means to Talon.One, in words."""


@frozen(kw_only=True)
class RuleText:
    """The code and the text of a rule."""

    code: str
    """The code of the violation that the rule reports."""
    text: str
    """The rule in business words."""


@frozen(kw_only=True)
class Edge:
    """A row of the table: a creation, a transition, or an internal transition."""

    id: str
    """The ID of the row, such as ``T-04``."""
    source: State | None
    """None for a creation."""
    trigger: Trigger
    """The trigger."""
    target: State
    """The state after the transition."""
    operation: Operation
    """The API call that fires it."""
    event_name: EventName
    """The event that it records."""
    authority: Authority
    """The source: documented, observed or chosen."""
    rules: tuple[str, ...]
    """The codes of the rules that guard it, in the order of evaluation."""
    note: str = ""
    """A remark about it."""

    @property
    def internal(self) -> bool:
        """Whether the session stays in its state."""
        return self.source is self.target


@frozen(kw_only=True)
class Diagram:
    """The states, transitions and rules to draw. ``drawable`` has cleaned every text in it."""

    title: str
    """The title."""
    class_name: str
    """The name of the session class."""
    nodes: tuple[Node, ...]
    """The states."""
    edges: tuple[Edge, ...]
    """The transitions, creations first, in the order of the table."""
    rules: tuple[RuleText, ...]
    """Every rule that guards an edge."""

    def listed_at(self, edge: Edge) -> Edge:
        """Return the edge at which a picture lists the rules of *edge*: an earlier one with the same rules, or itself.

        A list of fewer than `SHORT_LIST` rules is repeated.
        """
        if len(edge.rules) < SHORT_LIST:
            return edge
        return next((one for one in self.edges if one.rules == edge.rules), edge)


def model(kind: type[CustomerSession] = CustomerSession, *, title: str | None = None) -> Diagram:
    """Return the diagram of a session class.

    Raises:
        InvalidValue: *kind* is not a session class.
    """
    if not (isinstance(kind, type) and issubclass(kind, CustomerSession)):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
        hint = "; give its class, and the session as session=..." if isinstance(kind, CustomerSession) else ""
        raise InvalidValue("", f"{kind!r} is not CustomerSession or a subclass of it{hint}")
    machine = kind.machine
    return Diagram(
        title=drawable(kind.__name__ if title is None else title),
        class_name=drawable(kind.__name__),
        nodes=tuple(Node(state=state, final=state in FINAL, meaning=MEANING_OF_STATE[state]) for state in State),
        edges=tuple(
            Edge(
                id=row.id,
                source=row.source,
                trigger=row.trigger,
                target=row.target,
                operation=row.operation,
                event_name=row.event_name,
                authority=row.authority,
                rules=tuple(drawable(rule.code) for rule in machine.rules_of(row)),
                note=row.note,
            )
            for row in machine.table
        ),
        rules=tuple(RuleText(code=drawable(rule.code), text=drawable(rule.text)) for rule in machine.rules),
    )


@frozen(kw_only=True)
class BoardEntry:
    """The entry of one trigger on a session's board."""

    trigger: Trigger
    """The trigger."""
    target: State | None
    """The state it leads to; None if the table has no transition."""
    reasons: tuple[str, ...]
    """Why it is refused, in words; empty if it is allowed."""


@frozen(kw_only=True)
class HistoryEntry:
    """One entry of a session's history: an event, or a refusal."""

    text: str
    """What happened, in words."""
    edges: tuple[str, ...] = ()
    """The IDs of the edges that match the event; empty for a refusal."""
    state: State | None
    """The state after it; None if the session was not created."""
    at: str = ""
    """The time in ISO 8601; empty if unknown."""
    refused: bool = False
    """Whether this is a refusal."""
    tried: tuple[str, ...] = ()
    """The IDs of the edges that rules refused; empty if the table has none."""

    @property
    def shown_time(self) -> str:
        """The time for readers: to the second, with its zone."""
        return _shown_time(self.at)


def _shown_time(at: str) -> str:
    found = _TIME.fullmatch(at)
    if found is None:
        return at
    date, time, zone = found.groups()
    return f"{date} {time} {'UTC' if zone == '+00:00' else zone}"


@frozen(kw_only=True)
class Overlay:
    """What is added to a diagram; every part is optional. ``drawable`` has cleaned every text in it."""

    current: State | None = None
    """The current state of the session."""
    now: str = ""
    """The time at which the rules judged the session, in ISO 8601; empty if it was not given."""
    refused: Mapping[str, tuple[str, ...]] = field(factory=dict[str, tuple[str, ...]])
    """The edges that leave the current state and are refused now: edge ID -> the reasons, in words."""
    allowed: frozenset[str] = frozenset()
    """The IDs of the edges that leave the current state and are allowed now."""
    steps: tuple[tuple[str, ...], ...] = ()
    """The events of the history, oldest first: for each the IDs of the edges that match it (one)."""
    refusals: tuple[str, ...] = ()
    """The refusals of the history, in words."""
    subject: str = ""
    """The integration ID of the session."""
    board: tuple[BoardEntry, ...] = ()
    """Whether each trigger is allowed now, and why not; includes triggers that have no edge."""
    history: tuple[HistoryEntry, ...] = ()
    """The events and refusals, oldest first."""
    counts: Mapping[str, int] | None = None
    """How often tests exercised each edge, by its ID, and each rule's outcomes, as ``code:passed`` and ``code:violated``."""
    counted: str = "tested"
    """The word for what `counts` counts: ``tested``, or ``occurred`` if they are those of recorded requests."""

    @property
    def when(self) -> str:
        """``now``, or the time at which the rules judged the session, for readers."""
        return f"at {_shown_time(self.now)}" if self.now else "now"

    def numbers(self, edge: Edge) -> tuple[int, ...]:
        """Return the step numbers of *edge* in the history, counted from 1."""
        return tuple(number for number, ids in enumerate(self.steps, start=1) if edge.id in ids)

    def refusals_of(self, edge: Edge) -> int:
        """Return how often the rules refused *edge* in the history."""
        return sum(edge.id in entry.tried for entry in self.history)


def overlay(
    diagram: Diagram,
    *,
    session: CustomerSession | None = None,
    events: Iterable[SessionEvent | Decision[Any]] = (),
    coverage: Mapping[str, int] | None = None,
    counted: str = "tested",
    now: datetime | None = None,
) -> Overlay:
    """Return the overlay of *diagram* for a session, a history and test counts.

    Args:
        diagram: the model of the session's class.
        session: its current state is marked, and each edge that leaves it is allowed or refused by its `board`.
        events: the history; a refused `Decision` among them is a refusal.
        coverage: counts by edge ID and by ``code:passed`` or ``code:violated``.
        counted: the word for what *coverage* counts.
        now: when the rules judge *session*; by default the current time.

    Raises:
        InvalidValue: an element of *events* is neither an event nor a refused decision.
    """
    board: tuple[BoardEntry, ...] = ()
    leaving: list[Edge] = []
    if session is not None:
        board = tuple(_board_entry(decision) for decision in session.board(now=now).values())
        leaving = [edge for edge in diagram.edges if edge.source is session.state]
    reasons = {entry.trigger: entry.reasons for entry in board}
    history = tuple(_history_entry(diagram, event) for event in events)
    return Overlay(
        current=None if session is None else session.state,
        now="" if session is None or now is None else now.isoformat(),
        refused={edge.id: reasons[edge.trigger] for edge in leaving if reasons[edge.trigger]},
        allowed=frozenset(edge.id for edge in leaving if not reasons[edge.trigger]),
        steps=tuple(entry.edges for entry in history if not entry.refused),
        refusals=tuple(entry.text for entry in history if entry.refused),
        subject="" if session is None else drawable(session.integration_id),
        board=board,
        history=history,
        counts=None if coverage is None else _clean_counts(coverage),
        counted=counted,
    )


def _board_entry(decision: Decision[Any]) -> BoardEntry:
    reasons = tuple(drawable(violation.message) for violation in decision.violations)
    return BoardEntry(trigger=decision.trigger, target=decision.target, reasons=reasons)


def _history_entry(diagram: Diagram, event: SessionEvent | Decision[Any]) -> HistoryEntry:
    match event:
        case SessionEvent():
            text = f"{event.trigger}: {event.source or 'new'} -> {event.target} ({event.name})"
            ids = _matching_ids(diagram, event)
            return HistoryEntry(text=text, edges=ids, state=event.target, at=event.at.isoformat())
        case Decision(allowed=False):
            tried = _matching_ids(diagram, event)
            return HistoryEntry(text=drawable(str(event)), state=event.source, refused=True, tried=tried)
        case _:
            raise InvalidValue("/events", f"{event!r} is neither a SessionEvent nor a refused Decision")


def _matching_ids(diagram: Diagram, event: SessionEvent | Decision[Any]) -> tuple[str, ...]:
    """Return the IDs of the edges with the source, trigger and target of *event*."""
    key = (event.source, event.trigger, event.target)
    return tuple(edge.id for edge in diagram.edges if (edge.source, edge.trigger, edge.target) == key)


def _clean_counts(coverage: Mapping[str, int]) -> Counter[str]:
    """Return *coverage* with drawable keys; counts whose keys become equal are added."""
    counts: Counter[str] = Counter()
    for key, count in coverage.items():
        counts[drawable(key)] += count
    return counts
