"""The neutral model of a session class's life, which every renderer reads and none adds to.

A `Diagram` is made of the table and the rules alone, in table order. An `Overlay` lies upon it: what a
particular session may do now, its history of events, how often tests have exercised what.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen

from session_fsm.decisions import Decision
from session_fsm.diagrams.drawable import drawable
from session_fsm.errors import InvalidValue
from session_fsm.events import SessionEvent
from session_fsm.lifecycle import FINAL, Authority
from session_fsm.session import CustomerSession
from session_fsm.states import MEANING_OF_STATE, EventName, Operation, State, Trigger

__all__ = ["Diagram", "Edge", "Moment", "Node", "Overlay", "RuleText", "Verdict", "model", "overlay"]


@frozen(kw_only=True)
class Node:
    """A state."""

    state: State
    """Which one."""
    final: bool
    """Whether nothing leads out of it."""
    meaning: str = ""
    """What it means to Talon.One that a session is in it, in words."""


@frozen(kw_only=True)
class RuleText:
    """A rule as a reader sees it."""

    code: str
    """The stable name of the fault."""
    text: str
    """The rule in the words of the business."""


@frozen(kw_only=True)
class Edge:
    """A row of the table: a creation, a transition, or an internal transition."""

    id: str
    """The number of the row, such as ``T-04``."""
    source: State | None
    """None for a creation."""
    trigger: Trigger
    """What is asked."""
    target: State
    """The state after."""
    operation: Operation
    """The API call that carries it."""
    event_name: EventName
    """What is recorded."""
    authority: Authority
    """The source: documented, observed or chosen."""
    rules: tuple[str, ...]
    """The codes of the rules that guard it, in the order in which they are judged."""
    note: str = ""
    """What there is to say about it besides."""

    @property
    def internal(self) -> bool:
        """Whether the session stays in its state."""
        return self.source is self.target


@frozen(kw_only=True)
class Diagram:
    """What there is to draw. Every text in it is ``drawable``."""

    title: str
    """What stands above."""
    class_name: str
    """The name of the session class."""
    nodes: tuple[Node, ...]
    """The states."""
    edges: tuple[Edge, ...]
    """The transitions, creations first, in the order of the table."""
    rules: tuple[RuleText, ...]
    """Every rule that guards an edge."""


def model(kind: type[CustomerSession] = CustomerSession, *, title: str | None = None) -> Diagram:
    """Return the diagram of a session class.

    Raises:
        InvalidValue: *kind* is no session class.
    """
    if not (isinstance(kind, type) and issubclass(kind, CustomerSession)):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
        raise InvalidValue("", f"{kind!r} is not CustomerSession or a subclass of it")
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
class Verdict:
    """What a session's board says of one trigger."""

    trigger: Trigger
    """What was asked."""
    target: State | None
    """Where it leads; None where the table has no transition."""
    reasons: tuple[str, ...]
    """Why the session may not, in words; empty where it may."""


@frozen(kw_only=True)
class Moment:
    """One entry of a session's history: an event, or a refusal."""

    text: str
    """What happened, in words."""
    edges: tuple[str, ...] = ()
    """The ids of the edges that match it; none where it was refused."""
    state: State | None
    """Where the session stood afterwards; None where it did not come into being."""
    at: str = ""
    """When, in ISO 8601, where that is known."""
    refused: bool = False
    """Whether it was refused."""
    tried: tuple[str, ...] = ()
    """The ids of the edges that rules refused, where it was refused by rules."""


@frozen(kw_only=True)
class Overlay:
    """What lies upon a diagram; every part of it may be absent. Every text in it is ``drawable``."""

    current: State | None = None
    """The state that the session is in."""
    refused: Mapping[str, tuple[str, ...]] = field(factory=dict[str, tuple[str, ...]])
    """The edges that leave the current state and are refused now: edge id -> the reasons, in words."""
    allowed: frozenset[str] = frozenset()
    """The ids of the edges that leave the current state and are allowed now."""
    steps: tuple[tuple[str, ...], ...] = ()
    """The history: for each event in order the edge ids that match it (one)."""
    refusals: tuple[str, ...] = ()
    """What was refused in the history, in words, where that is known."""
    subject: str = ""
    """Whose session it is: its integration ID."""
    board: tuple[Verdict, ...] = ()
    """What the session may do now and why not the rest: every trigger, those too that no edge answers."""
    history: tuple[Moment, ...] = ()
    """The events and refusals, in the order in which they were given."""
    counts: Mapping[str, int] | None = None
    """How often tests exercised each edge, by its id, and each rule's outcomes, as ``code:passed`` and ``code:violated``."""

    def numbers(self, edge: Edge) -> tuple[int, ...]:
        """Return the places of *edge* in the history, counted from 1."""
        return tuple(place for place, ids in enumerate(self.steps, start=1) if edge.id in ids)

    def refusals_of(self, edge: Edge) -> int:
        """Return how often the rules refused *edge* in the history."""
        return sum(edge.id in moment.tried for moment in self.history)


def overlay(
    diagram: Diagram,
    *,
    session: CustomerSession | None = None,
    events: Iterable[SessionEvent | Decision[Any]] = (),
    coverage: Mapping[str, int] | None = None,
) -> Overlay:
    """Judge what is to lie upon *diagram*.

    Args:
        diagram: the model of the session's class.
        session: its current state is marked, and each edge that leaves it is allowed or refused by its `board`.
        events: the history; a refused `Decision` among them is a refusal.
        coverage: counts by edge id and by ``code:passed`` or ``code:violated``.

    Raises:
        InvalidValue: among *events* is something that neither happened nor was refused.
    """
    verdicts: tuple[Verdict, ...] = ()
    leaving: list[Edge] = []
    if session is not None:
        verdicts = tuple(_verdict(decision) for decision in session.board().values())
        leaving = [edge for edge in diagram.edges if edge.source is session.state]
    reasons = {verdict.trigger: verdict.reasons for verdict in verdicts}
    history = tuple(_moment(diagram, event) for event in events)
    return Overlay(
        current=None if session is None else session.state,
        refused={edge.id: reasons[edge.trigger] for edge in leaving if reasons[edge.trigger]},
        allowed=frozenset(edge.id for edge in leaving if not reasons[edge.trigger]),
        steps=tuple(moment.edges for moment in history if not moment.refused),
        refusals=tuple(moment.text for moment in history if moment.refused),
        subject="" if session is None else drawable(session.integration_id),
        board=verdicts,
        history=history,
        counts=None if coverage is None else _counted(coverage),
    )


def _verdict(decision: Decision[Any]) -> Verdict:
    reasons = tuple(drawable(violation.message) for violation in decision.violations)
    return Verdict(trigger=decision.trigger, target=decision.target, reasons=reasons)


def _moment(diagram: Diagram, event: SessionEvent | Decision[Any]) -> Moment:
    match event:
        case SessionEvent():
            text = f"{event.trigger}: {event.source or 'new'} -> {event.target} ({event.name})"
            ids = _matching(diagram, event)
            return Moment(text=text, edges=ids, state=event.target, at=event.at.isoformat())
        case Decision(allowed=False):
            tried = _matching(diagram, event)
            return Moment(text=drawable(str(event)), state=event.source, refused=True, tried=tried)
        case _:
            raise InvalidValue("/events", f"{event!r} is neither a SessionEvent nor a refused Decision")


def _matching(diagram: Diagram, event: SessionEvent | Decision[Any]) -> tuple[str, ...]:
    way = (event.source, event.trigger, event.target)
    return tuple(edge.id for edge in diagram.edges if (edge.source, edge.trigger, edge.target) == way)


def _counted(coverage: Mapping[str, int]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for key, count in coverage.items():
        counts[drawable(key)] += count
    return counts
