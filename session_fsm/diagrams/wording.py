"""Edge labels and legend texts, shared by the renderers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from session_fsm.diagrams.model import Diagram, Edge, Overlay, RuleText

__all__ = [
    "ALLOWED",
    "REFUSED",
    "TRAVELLED",
    "UNTESTED",
    "Legend",
    "is_uncovered",
    "label",
    "legend",
    "remarks",
    "rule_counts",
    "same_rules",
    "times",
]

ALLOWED = "✓ ALLOWED NOW"
REFUSED = "✗ REFUSED NOW"
TRAVELLED = "travelled"
UNTESTED = "NEVER TESTED"
_MOST_STEPS = 5
"""The greatest number of steps in a label; the history in the legend has all."""

Legend: TypeAlias = "tuple[tuple[str, tuple[tuple[str, str], ...]], ...]"
"""The legend of a diagram: sections, each a heading with entries of a term and its text."""


def label(diagram: Diagram, edge: Edge, *, detail: str) -> list[str]:
    """Return the label of *edge*, line by line: its trigger, its event, and the codes of its rules.

    Rules that an earlier edge of *diagram* lists are not repeated; a line names that edge.
    """
    if detail == "simple":
        return [edge.trigger.value]
    lines = [f"{edge.id} {edge.trigger}", edge.event_name.value]
    listed = diagram.listed_at(edge)
    if listed is not edge:
        return [*lines, same_rules(listed)]
    return lines + [f"{'or' if index else 'unless'} {code}" for index, code in enumerate(edge.rules)]


def same_rules(edge: Edge) -> str:
    """Return the reference to the list of rules at *edge*."""
    return f"same rules as {edge.id}"


def remarks(edge: Edge, overlay: Overlay) -> list[str]:
    """Return what the overlay says of *edge*, line by line: allowed or refused now, its steps, how often tested."""
    lines: list[str] = []
    if edge.id in overlay.allowed:
        lines.append(ALLOWED)
    if edge.id in overlay.refused:
        lines.append(REFUSED)
    if numbers := overlay.numbers(edge):
        lines.append(f"{TRAVELLED} in {_steps(numbers)}")
    if refused := overlay.refusals_of(edge):
        lines.append(f"refused {times(refused)}")
    if overlay.counts is not None:
        never = is_uncovered(edge, overlay)
        lines.append(_untested(overlay) if never else f"{overlay.counted} {times(overlay.counts[edge.id])}")
    return lines


def _untested(overlay: Overlay) -> str:
    """Return the words for a transition that was never counted."""
    return UNTESTED if overlay.counted == "tested" else f"NEVER {overlay.counted.upper()}"


def _steps(numbers: Sequence[int]) -> str:
    """Return *numbers* in words; many are shortened to the first ones and their count."""
    first = ", ".join(map(str, numbers[:_MOST_STEPS]))
    rest = f" … ({times(len(numbers))})" if len(numbers) > _MOST_STEPS else ""
    return f"{'step' if len(numbers) == 1 else 'steps'} {first}{rest}"


def times(count: int) -> str:
    """Return ``once`` or ``<count> times``."""
    return "once" if count == 1 else f"{count} times"


def is_uncovered(edge: Edge, overlay: Overlay) -> bool:
    """Whether tests were counted and none exercised *edge*."""
    return overlay.counts is not None and not overlay.counts.get(edge.id)


def rule_counts(code: str, overlay: Overlay) -> str:
    """Return how often the rule *code* passed and refused in tests, or an empty string without test counts."""
    if overlay.counts is None:
        return ""
    outcomes = {"passed": overlay.counts.get(f"{code}:passed"), "refused": overlay.counts.get(f"{code}:violated")}
    if not any(outcomes.values()):
        return _untested(overlay)
    return ", ".join(f"{name} {times(count)}" if count else f"NEVER {name}" for name, count in outcomes.items())


def legend(diagram: Diagram, overlay: Overlay, *, detail: str, looks: Mapping[str, str] | None = None) -> Legend:
    """Return the legend of *diagram*: what the overlay says, and in full detail also the rules and the states.

    Args:
        diagram: the diagram.
        overlay: what is known of a session or a test run.
        detail: ``full`` or ``simple``.
        looks: how the format draws an arrow with the mark `ALLOWED`, `REFUSED`, `TRAVELLED` or `UNTESTED`, in words.
    """
    sections = [
        ("Marks", tuple(_marks(diagram, overlay, looks or {}))),
        ("Now", tuple(_now(diagram, overlay))),
        ("History", tuple(_history(overlay))),
    ]
    if detail == "full":
        rules = ((rule.code, _rule_text(rule, overlay)) for rule in diagram.rules)
        states = ((node.state.value, node.meaning) for node in diagram.nodes)
        sections += [("Rules, by the fault that they refuse", tuple(rules)), ("States", tuple(states))]
    return tuple((heading, entries) for heading, entries in sections if entries)


def _rule_text(rule: RuleText, overlay: Overlay) -> str:
    counts = rule_counts(rule.code, overlay)
    return f"{rule.text} [{counts}]" if counts else rule.text


def _marks(diagram: Diagram, overlay: Overlay, looks: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the marks that edges of *diagram* have, each with its meaning."""
    counted = "no test has taken this transition"
    if overlay.counted != "tested":
        counted = "no recorded request has taken this transition"
    for mark, meaning, used in (
        (ALLOWED, "the session allows this transition", bool(overlay.allowed)),
        (REFUSED, "a rule refuses this transition", bool(overlay.refused)),
        (TRAVELLED, "the session has taken this transition, in these steps of its history", any(overlay.steps)),
        (UNTESTED, counted, any(is_uncovered(edge, overlay) for edge in diagram.edges)),
    ):
        if used:
            shown = _untested(overlay) if mark is UNTESTED else mark
            yield shown, f"{looks[mark]}; {meaning}" if mark in looks else meaning


def _now(diagram: Diagram, overlay: Overlay) -> Iterator[tuple[str, str]]:
    if overlay.current is None:
        return
    yield overlay.subject, f"is {overlay.current} {overlay.when}" if overlay.now else f"is {overlay.current}"
    for edge in diagram.edges:
        if edge.id in overlay.allowed:
            yield f"{edge.id} {edge.trigger}", "is allowed"
        elif edge.id in overlay.refused:
            yield f"{edge.id} {edge.trigger}", f"is refused: {' '.join(overlay.refused[edge.id])}"


def _history(overlay: Overlay) -> Iterator[tuple[str, str]]:
    step = 0
    for entry in overlay.history:
        if entry.refused:
            yield f"after {step}", entry.text
        else:
            step += 1
            unknown = "" if entry.edges else " - not in this table"
            yield f"{step}", f"{entry.text}{unknown}"
