"""The panels below the SVG picture: the board of the session, its history, the coverage, the rules.

`picture` draws the panels; the HTML page calls `board_entries`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from attrs import define, field

from session_fsm.diagrams.model import BoardEntry, Diagram, Overlay, RuleText
from session_fsm.diagrams.svg.cards import draw_mark
from session_fsm.diagrams.svg.layout import WIDTH
from session_fsm.diagrams.svg.paint import group, path, text, title
from session_fsm.diagrams.svg.text import length, wrap
from session_fsm.diagrams.wording import is_uncovered, times

__all__ = ["board_entries", "draw_panels"]

_LINE_HEIGHT = 16
_LEFT, _RIGHT = 14, WIDTH - 14
_STEP_COLUMNS = 3
_MOST_STEPS = 59
_MOST_REFUSALS = 8
"""The greatest number of steps and refusals shown; the rest is only counted."""


@define
class _Column:
    """A column of text and drawings; each method appends at *y* and moves it down."""

    y: int
    left: int = _LEFT
    right: int = _RIGHT
    parts: list[str] = field(factory=list[str])

    def heading(self, words: str) -> None:
        self.y += 38
        self.parts.append(path(f"M{self.left} {self.y - 24}H{self.right}", stroke="frame"))
        for line in wrap(words, self.right - self.left, 15, most=2, bold=True):
            self.parts.append(text(self.left, self.y, line, size=15, bold=True))
            self.y += 20
        self.y -= 12

    def line(self, words: str, *, indent: int = 0, most: int = 3, mark: str | None = None, fill: str = "ink") -> None:
        if mark:
            self.parts.append(draw_mark(mark, self.left + indent, self.y + 7, fill))
            indent += 16
        bold = mark == "never"
        for line in wrap(words, self.right - self.left - indent, 12, most=most, bold=bold):
            self.y += _LINE_HEIGHT
            self.parts.append(text(self.left + indent, self.y, line, size=12, bold=bold, fill=fill if bold else "ink"))

    def steps(self, items: Sequence[tuple[str, str]]) -> None:
        """Append numbered items in `_STEP_COLUMNS` columns."""
        width = (self.right - self.left) // _STEP_COLUMNS
        for index, (number, words) in enumerate(items):
            x = self.left + index % _STEP_COLUMNS * width
            self.y += 0 if index % _STEP_COLUMNS else _LINE_HEIGHT
            self.parts.append(text(x + 22, self.y, number, size=12, bold=True, fill="way", anchor="end"))
            (line,) = wrap(words, width - 34, 12, most=1)
            self.parts.append(text(x + 28, self.y, line, size=12))


def board_entries(diagram: Diagram, overlay: Overlay) -> tuple[BoardEntry, ...]:
    """Return the board of the session; without one, entries for the edges that leave its state."""
    if overlay.board:
        return overlay.board
    return tuple(
        BoardEntry(trigger=edge.trigger, target=edge.target, reasons=overlay.refused.get(edge.id, ()))
        for edge in diagram.edges
        if edge.id in overlay.allowed or edge.id in overlay.refused
    )


def draw_panels(diagram: Diagram, overlay: Overlay, y: int, *, full: bool) -> tuple[list[str], int]:
    """Return the panels below the picture, from *y* down, and the y at which they end."""
    column = _Column(y)
    if overlay.current is not None:
        _board(column, diagram, overlay)
    if overlay.steps or overlay.refusals:
        _history(column, diagram, overlay)
    if overlay.counts is not None:
        _coverage(column, diagram, overlay, full=full)
    if full and diagram.rules:
        _rules(column, diagram, overlay)
    return column.parts, column.y


def _board(column: _Column, diagram: Diagram, overlay: Overlay) -> None:
    subject = f"“{overlay.subject}”" if overlay.subject else "The session"
    column.heading(f"{subject} is {overlay.current}. What is allowed now, and why the rest is refused")
    for entry in board_entries(diagram, overlay):
        allowed = not entry.reasons
        fill = "yes" if allowed else "no"
        column.y += 3
        top = column.y
        column.parts.append(text(_LEFT + 16, top + _LINE_HEIGHT, entry.trigger, size=12, bold=True))
        column.parts.append(draw_mark(fill, _LEFT, top + 7, fill))
        words = f"allowed: leads to {entry.target}" if allowed else f"refused: {' '.join(entry.reasons)}"
        column.line(words, indent=110, most=4)


def _history(column: _Column, diagram: Diagram, overlay: Overlay) -> None:
    counts = [f"{len(overlay.steps)} step{'' if len(overlay.steps) == 1 else 's'}"]
    if overlay.refusals:
        counts.append(f"{len(overlay.refusals)} refused")
    column.heading(f"History: {', '.join(counts)}")
    edges = {edge.id: edge for edge in diagram.edges}
    steps: list[tuple[str, str]] = []
    for number, ids in enumerate(overlay.steps[:_MOST_STEPS], start=1):
        found = [edges[edge_id] for edge_id in ids if edge_id in edges]
        words = " or ".join(f"{edge.trigger} → {edge.target}" for edge in found)
        steps.append((str(number), words or "no row of this table"))
    if len(overlay.steps) > _MOST_STEPS:
        steps.append(("…", f"and {len(overlay.steps) - _MOST_STEPS} more"))
    column.steps(steps)
    refusals = _refusals(overlay)
    for refusal in refusals[:_MOST_REFUSALS]:
        column.line(refusal, mark="no", fill="no")
    if len(refusals) > _MOST_REFUSALS:
        column.line(f"and {len(refusals) - _MOST_REFUSALS} more", indent=16)


def _refusals(overlay: Overlay) -> list[str]:
    """Return the refusals, each with the step after which it happened if that is known."""
    if not overlay.history:
        return list(overlay.refusals)
    steps = list(accumulate(int(not entry.refused) for entry in overlay.history))
    numbered = zip(steps, overlay.history, strict=True)
    return [f"after step {step}: {entry.text}" for step, entry in numbered if entry.refused]


def _coverage(column: _Column, diagram: Diagram, overlay: Overlay, *, full: bool) -> None:
    counts = overlay.counts or {}
    missed = [edge for edge in diagram.edges if is_uncovered(edge, overlay)]
    outcomes = [(rule.code, outcome) for rule in diagram.rules for outcome in ("passed", "violated")]
    unseen = [(code, outcome) for code, outcome in outcomes if not counts.get(f"{code}:{outcome}")]
    edges, rules = len(diagram.edges), len(outcomes)
    column.heading(
        f"{overlay.counted.capitalize()}: {edges - len(missed)} of {edges} transitions, {rules - len(unseen)} of {rules} rule outcomes"
    )
    if missed:
        names = ", ".join(f"{edge.trigger} from {edge.source or 'new'} ({edge.id})" for edge in missed)
        column.line(f"Never {overlay.counted}: {names}", mark="never", fill="no", most=5)
    if unseen and not full:
        names = ", ".join(f"{code} {outcome}" for code, outcome in unseen)
        column.line(f"Never seen: {names}", mark="never", fill="no", most=8)


def _rules(column: _Column, diagram: Diagram, overlay: Overlay) -> None:
    column.heading("The rules: what a trigger is refused for")
    middle = (_LEFT + _RIGHT) // 2
    halves = [_Column(column.y, _LEFT, middle - 14), _Column(column.y, middle + 14, _RIGHT)]
    middle_index = (len(diagram.rules) + 1) // 2
    for index, rule in enumerate(diagram.rules):
        _rule(halves[index >= middle_index], rule, diagram, overlay)
    for half in halves:
        column.parts += half.parts
        column.y = max(column.y, half.y)


def _rule(column: _Column, rule: RuleText, diagram: Diagram, overlay: Overlay) -> None:
    """Append one rule: its code, its text, its triggers, and how often it passed and refused in tests."""
    triggers = ", ".join(dict.fromkeys(edge.trigger for edge in diagram.edges if rule.code in edge.rules))
    room = column.right - column.left - 30 - int(length(triggers, 11))
    (code,) = wrap(rule.code, room, 12, most=1, mono=True)
    entry = _Column(column.y + 6, column.left, column.right)
    entry.parts.append(title(f"{rule.code}: {rule.text}"))
    entry.parts.append(draw_mark("rule", entry.left, entry.y + 8, "muted"))
    entry.parts.append(text(entry.left + 16, entry.y + _LINE_HEIGHT, code, size=12, mono=True, bold=True))
    if triggers:
        entry.parts.append(text(entry.right, entry.y + _LINE_HEIGHT, triggers, size=11, fill="muted", anchor="end"))
    entry.y += _LINE_HEIGHT
    entry.line(rule.text, indent=16)
    if overlay.counts is not None:
        passed, violated = (overlay.counts.get(f"{rule.code}:{outcome}", 0) for outcome in ("passed", "violated"))
        words = ", ".join(
            f"{name} {times(count)}" if count else f"never {name}"
            for name, count in (("passed", passed), ("refused", violated))
        )
        covered = bool(passed and violated)
        entry.line(words, mark="yes" if covered else "never", fill="muted" if covered else "no")
    column.y = entry.y
    column.parts.append(group(*entry.parts, class_="legend"))
