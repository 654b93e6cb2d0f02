"""Edge labels and legend texts, shared by the renderers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from session_fsm.diagrams.model import Diagram, Edge, Overlay, RuleText

__all__ = ["Legend", "is_uncovered", "label", "legend", "remarks", "rule_counts", "times"]

Legend: TypeAlias = "tuple[tuple[str, tuple[tuple[str, str], ...]], ...]"
"""The legend of a diagram: sections, each a heading with entries of a term and its text."""


def label(edge: Edge, *, detail: str) -> list[str]:
    """Return the label of *edge*, line by line: its trigger, its event, and the codes of its rules."""
    if detail == "simple":
        return [edge.trigger.value]
    codes = [f"{'or' if index else 'unless'} {code}" for index, code in enumerate(edge.rules)]
    return [f"{edge.id} {edge.trigger}", edge.event_name.value, *codes]


def remarks(edge: Edge, overlay: Overlay) -> list[str]:
    """Return what the overlay says of *edge*, line by line: allowed or refused now, its steps, how often tested."""
    lines: list[str] = []
    if edge.id in overlay.allowed:
        lines.append("ALLOWED NOW")
    if edge.id in overlay.refused:
        lines.append("REFUSED NOW")
    if numbers := overlay.numbers(edge):
        total = f" ({times(len(numbers))})" if len(numbers) > 1 else ""
        lines.append(f"step {', '.join(map(str, numbers))}{total}")
    if refused := overlay.refusals_of(edge):
        lines.append(f"refused {times(refused)}")
    if overlay.counts is not None:
        lines.append("NEVER TESTED" if is_uncovered(edge, overlay) else f"tested {times(overlay.counts[edge.id])}")
    return lines


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
        return "NEVER TESTED"
    return ", ".join(f"{name} {times(count)}" if count else f"NEVER {name}" for name, count in outcomes.items())


def legend(diagram: Diagram, overlay: Overlay, *, detail: str) -> Legend:
    """Return the legend of *diagram*: what the overlay says, and in full detail also the rules and the states."""
    sections = [("Now", tuple(_now(diagram, overlay))), ("History", tuple(_history(overlay)))]
    if detail == "full":
        rules = ((rule.code, _rule_text(rule, overlay)) for rule in diagram.rules)
        states = ((node.state.value, node.meaning) for node in diagram.nodes)
        sections += [("Rules, by the fault that they refuse", tuple(rules)), ("States", tuple(states))]
    return tuple((heading, entries) for heading, entries in sections if entries)


def _rule_text(rule: RuleText, overlay: Overlay) -> str:
    counts = rule_counts(rule.code, overlay)
    return f"{rule.text} [{counts}]" if counts else rule.text


def _now(diagram: Diagram, overlay: Overlay) -> Iterator[tuple[str, str]]:
    if overlay.current is None:
        return
    yield overlay.subject, f"is {overlay.current}"
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
