"""The words on a diagram and below it, alike in every format that draws boxes and arrows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from session_fsm.diagrams.model import Diagram, Edge, Overlay

__all__ = ["Legend", "is_uncovered", "label", "legend", "remarks", "rule_counts", "times"]

Legend: TypeAlias = "tuple[tuple[str, tuple[tuple[str, str], ...]], ...]"
"""What stands below a diagram: sections, each a heading with entries of a term and its text."""


def label(edge: Edge, *, detail: str) -> list[str]:
    """Return the lines on *edge*: its trigger, the event that it records, and the faults that it is refused for."""
    if detail == "simple":
        return [edge.trigger.value]
    faults = [f"{'or' if place else 'unless'} {code}" for place, code in enumerate(edge.rules)]
    return [f"{edge.id} {edge.trigger}", edge.event_name.value, *faults]


def remarks(edge: Edge, overlay: Overlay) -> list[str]:
    """Return what lies upon *edge*, as further lines: allowed or refused now, its steps in the history, how often tested."""
    lines: list[str] = []
    if edge.id in overlay.allowed:
        lines.append("ALLOWED NOW")
    if edge.id in overlay.refused:
        lines.append("REFUSED NOW")
    if numbers := overlay.numbers(edge):
        many = f" ({times(len(numbers))})" if len(numbers) > 1 else ""
        lines.append(f"step {', '.join(map(str, numbers))}{many}")
    if refused := overlay.refusals_of(edge):
        lines.append(f"refused {times(refused)}")
    if overlay.counts is not None:
        lines.append("NEVER TESTED" if is_uncovered(edge, overlay) else f"tested {times(overlay.counts[edge.id])}")
    return lines


def times(count: int) -> str:
    """Return *count* in words: once, or so many times."""
    return "once" if count == 1 else f"{count} times"


def is_uncovered(edge: Edge, overlay: Overlay) -> bool:
    """Whether tests were counted and none exercised *edge*."""
    return overlay.counts is not None and not overlay.counts.get(edge.id)


def rule_counts(code: str, overlay: Overlay) -> str:
    """Return how often tests saw the rule *code* pass and refuse, or nothing where tests were not counted."""
    if overlay.counts is None:
        return ""
    outcomes = {"passed": overlay.counts.get(f"{code}:passed"), "refused": overlay.counts.get(f"{code}:violated")}
    if not any(outcomes.values()):
        return "NEVER TESTED"
    return ", ".join(f"{name} {times(count)}" if count else f"NEVER {name}" for name, count in outcomes.items())


def legend(diagram: Diagram, overlay: Overlay, *, detail: str) -> Legend:
    """Return what stands below *diagram*: what lies upon it, and in full detail the rules and the states too."""
    sections = [("Now", tuple(_now(diagram, overlay))), ("History", tuple(_history(overlay)))]
    if detail == "full":
        rules = ((rule.code, _with(rule.text, rule_counts(rule.code, overlay))) for rule in diagram.rules)
        states = ((node.state.value, node.meaning) for node in diagram.nodes)
        sections += [("Rules, by the fault that they refuse", tuple(rules)), ("States", tuple(states))]
    return tuple((heading, entries) for heading, entries in sections if entries)


def _with(text: str, addition: str) -> str:
    return f"{text} [{addition}]" if addition else text


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
    for moment in overlay.history:
        if moment.refused:
            yield f"after {step}", moment.text
        else:
            step += 1
            unknown = "" if moment.edges else " - not in this table"
            yield f"{step}", f"{moment.text}{unknown}"
