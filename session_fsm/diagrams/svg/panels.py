"""What stands below the picture: what the session may do, its way, what tests covered, the rules."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from attrs import define, field

from session_fsm.diagrams.model import Diagram, Overlay, RuleText, Verdict
from session_fsm.diagrams.svg.cards import draw_mark
from session_fsm.diagrams.svg.layout import WIDTH
from session_fsm.diagrams.svg.paint import group, path, text, title
from session_fsm.diagrams.svg.text import length, wrap
from session_fsm.diagrams.wording import is_uncovered, times

__all__ = ["draw_panels", "verdicts"]

_HIGH = 16
_LEFT, _RIGHT = 14, WIDTH - 14
_COLUMNS = 3
_STEPS = 59
_REFUSALS = 8
"""How many steps and refusals are shown; the others are counted."""


@define
class _Sheet:
    """A piece of paper that is filled from top to bottom."""

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
            self.y += _HIGH
            self.parts.append(text(self.left + indent, self.y, line, size=12, bold=bold, fill=fill if bold else "ink"))

    def steps(self, items: Sequence[tuple[str, str]]) -> None:
        """Write numbered items in columns."""
        wide = (self.right - self.left) // _COLUMNS
        for place, (number, words) in enumerate(items):
            x = self.left + place % _COLUMNS * wide
            self.y += 0 if place % _COLUMNS else _HIGH
            self.parts.append(text(x + 22, self.y, number, size=12, bold=True, fill="way", anchor="end"))
            (line,) = wrap(words, wide - 34, 12, most=1)
            self.parts.append(text(x + 28, self.y, line, size=12))


def verdicts(diagram: Diagram, overlay: Overlay) -> tuple[Verdict, ...]:
    """Return what the session may do now: its board, or what is known of the edges that leave its state."""
    if overlay.board:
        return overlay.board
    return tuple(
        Verdict(trigger=edge.trigger, target=edge.target, reasons=overlay.refused.get(edge.id, ()))
        for edge in diagram.edges
        if edge.id in overlay.allowed or edge.id in overlay.refused
    )


def draw_panels(diagram: Diagram, overlay: Overlay, y: int, *, full: bool) -> tuple[list[str], int]:
    """Return what stands below the picture, from *y* down, and where it ends."""
    sheet = _Sheet(y)
    if overlay.current is not None:
        _board(sheet, diagram, overlay)
    if overlay.steps or overlay.refusals:
        _way(sheet, diagram, overlay)
    if overlay.counts is not None:
        _coverage(sheet, diagram, overlay, full=full)
    if full and diagram.rules:
        _legend(sheet, diagram, overlay)
    return sheet.parts, sheet.y


def _board(sheet: _Sheet, diagram: Diagram, overlay: Overlay) -> None:
    whose = f"“{overlay.subject}”" if overlay.subject else "The session"
    sheet.heading(f"{whose} is {overlay.current}. What is allowed now, and why the rest is refused")
    for verdict in verdicts(diagram, overlay):
        allowed = not verdict.reasons
        fill = "yes" if allowed else "no"
        sheet.y += 3
        top = sheet.y
        sheet.parts.append(text(_LEFT + 16, top + _HIGH, verdict.trigger, size=12, bold=True))
        sheet.parts.append(draw_mark(fill, _LEFT, top + 7, fill))
        words = f"allowed: leads to {verdict.target}" if allowed else f"refused: {' '.join(verdict.reasons)}"
        sheet.line(words, indent=110, most=4)


def _way(sheet: _Sheet, diagram: Diagram, overlay: Overlay) -> None:
    counted = [f"{len(overlay.steps)} step{'' if len(overlay.steps) == 1 else 's'}"]
    if overlay.refusals:
        counted.append(f"{len(overlay.refusals)} refused")
    sheet.heading(f"History: {', '.join(counted)}")
    edges = {edge.id: edge for edge in diagram.edges}
    steps: list[tuple[str, str]] = []
    for place, ids in enumerate(overlay.steps[:_STEPS], start=1):
        found = [edges[one] for one in ids if one in edges]
        words = " or ".join(f"{edge.trigger} → {edge.target}" for edge in found)
        steps.append((str(place), words or "no row of this table"))
    if len(overlay.steps) > _STEPS:
        steps.append(("…", f"and {len(overlay.steps) - _STEPS} more"))
    sheet.steps(steps)
    refusals = _refusals(overlay)
    for refusal in refusals[:_REFUSALS]:
        sheet.line(refusal, mark="no", fill="no")
    if len(refusals) > _REFUSALS:
        sheet.line(f"and {len(refusals) - _REFUSALS} more", indent=16)


def _refusals(overlay: Overlay) -> list[str]:
    """Return what was refused, with the step after which it was where that is known."""
    if not overlay.history:
        return list(overlay.refusals)
    steps = list(accumulate(int(not moment.refused) for moment in overlay.history))
    told = zip(steps, overlay.history, strict=True)
    return [f"after step {step}: {moment.text}" for step, moment in told if moment.refused]


def _coverage(sheet: _Sheet, diagram: Diagram, overlay: Overlay, *, full: bool) -> None:
    counts = overlay.counts or {}
    missed = [edge for edge in diagram.edges if is_uncovered(edge, overlay)]
    outcomes = [(rule.code, outcome) for rule in diagram.rules for outcome in ("passed", "violated")]
    unseen = [(code, outcome) for code, outcome in outcomes if not counts.get(f"{code}:{outcome}")]
    edges, rules = len(diagram.edges), len(outcomes)
    sheet.heading(
        f"Tested: {edges - len(missed)} of {edges} transitions, {rules - len(unseen)} of {rules} rule outcomes"
    )
    if missed:
        names = ", ".join(f"{edge.trigger} from {edge.source or 'new'} ({edge.id})" for edge in missed)
        sheet.line(f"Never tested: {names}", mark="never", fill="no", most=5)
    if unseen and not full:
        names = ", ".join(f"{code} {outcome}" for code, outcome in unseen)
        sheet.line(f"Never seen: {names}", mark="never", fill="no", most=8)


def _legend(sheet: _Sheet, diagram: Diagram, overlay: Overlay) -> None:
    sheet.heading("The rules: what a trigger is refused for")
    middle = (_LEFT + _RIGHT) // 2
    columns = [_Sheet(sheet.y, _LEFT, middle - 14), _Sheet(sheet.y, middle + 14, _RIGHT)]
    half = (len(diagram.rules) + 1) // 2
    for place, rule in enumerate(diagram.rules):
        _entry(columns[place >= half], rule, diagram, overlay)
    for column in columns:
        sheet.parts += column.parts
        sheet.y = max(sheet.y, column.y)


def _entry(column: _Sheet, rule: RuleText, diagram: Diagram, overlay: Overlay) -> None:
    """Say what one rule is, where it applies, and how often it was seen to pass and to refuse."""
    triggers = ", ".join(dict.fromkeys(edge.trigger for edge in diagram.edges if rule.code in edge.rules))
    room = column.right - column.left - 30 - int(length(triggers, 11))
    (code,) = wrap(rule.code, room, 12, most=1, mono=True)
    entry = _Sheet(column.y + 6, column.left, column.right)
    entry.parts.append(title(f"{rule.code}: {rule.text}"))
    entry.parts.append(draw_mark("rule", entry.left, entry.y + 8, "muted"))
    entry.parts.append(text(entry.left + 16, entry.y + _HIGH, code, size=12, mono=True, bold=True))
    if triggers:
        entry.parts.append(text(entry.right, entry.y + _HIGH, triggers, size=11, fill="muted", anchor="end"))
    entry.y += _HIGH
    entry.line(rule.text, indent=16)
    if overlay.counts is not None:
        passed, violated = (overlay.counts.get(f"{rule.code}:{outcome}", 0) for outcome in ("passed", "violated"))
        words = ", ".join(
            f"{name} {times(count)}" if count else f"never {name}"
            for name, count in (("passed", passed), ("refused", violated))
        )
        whole = bool(passed and violated)
        entry.line(words, mark="yes" if whole else "never", fill="muted" if whole else "no")
    column.y = entry.y
    column.parts.append(group(*entry.parts, class_="legend"))
