"""The card of an edge in the SVG picture: its lines, its appearance, its tooltip. `picture` draws them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from session_fsm.diagrams.model import Diagram, Edge, Overlay
from session_fsm.diagrams.svg.layout import Box
from session_fsm.diagrams.svg.paint import group, path, rect, text, title
from session_fsm.diagrams.svg.text import length, wrap
from session_fsm.diagrams.wording import is_uncovered, same_rules, times
from session_fsm.states import MEANING_OF_TRIGGER

__all__ = ["Line", "appearance", "card_height", "card_lines", "draw_card", "draw_mark", "sentence", "tooltip"]

_MARKS: Mapping[str, str] = {
    "rule": "M4 0a4 4 0 1 0 .1 0M1.2 1.2l5.6 5.6",
    "yes": "M0 4.5l3 3L8 1",
    "no": "M.5.5l7 7M7.5.5l-7 7",
    "never": "M4 0v4.6M4 7.4v.6",
    "final": "M0 0h16v10H0zM2.5 2.5h11v5h-11z",
}


@frozen(kw_only=True)
class Line:
    """One line of a card."""

    content: str
    mark: str | None = None
    """The icon before the text, or ``steps``, which draws the text as a badge."""
    fill: str = "ink"
    mono: bool = False
    bold: bool = False
    rule: str | None = None
    """The code of the rule that the line shows, perhaps shortened."""
    after: str = ""
    """The text after a badge."""

    @property
    def height(self) -> int:
        """The height of the line, in pixels."""
        return 18 if self.mark and not self.rule else 15


def sentence(edge: Edge, overlay: Overlay) -> str:
    """Return the description of *edge* for screen readers and tooltips, in one or more sentences."""
    arrow = f"{edge.trigger}: {edge.source or 'new'} → {edge.target}"
    parts = [f"{arrow}, by {edge.operation}, recorded as {edge.event_name} ({edge.id})."]
    if edge.rules:
        parts.append(f"Refused for: {', '.join(edge.rules)}.")
    if edge.id in overlay.allowed:
        parts.append("Allowed now.")
    if edge.id in overlay.refused:
        parts.append(f"Refused now: {' '.join(overlay.refused[edge.id])}")
    if numbers := overlay.numbers(edge):
        parts.append(f"In its history as step {', '.join(map(str, numbers))}.")
    if refused := overlay.refusals_of(edge):
        parts.append(f"Refused {times(refused)} in its history.")
    if overlay.counts is not None:
        counted = overlay.counted
        never = is_uncovered(edge, overlay)
        parts.append(f"Never {counted}." if never else f"{counted.capitalize()} {times(overlay.counts[edge.id])}.")
    return " ".join(parts)


def card_lines(diagram: Diagram, edge: Edge, overlay: Overlay, *, room: int, full: bool) -> tuple[Line, ...]:
    """Return the lines below the trigger on the card of *edge*, each at most *room* pixels wide."""
    lines: list[Line] = []
    if full:
        lines.append(Line(content=edge.event_name, fill="muted", mono=True))
        lines += _rule_lines(diagram, edge, room)
    if edge.id in overlay.allowed:
        lines.append(Line(content="allowed now", mark="yes", fill="yes", bold=True))
    if edge.id in overlay.refused:
        lines.append(Line(content="refused now", mark="no", fill="no", bold=True))
        if full:
            reasons = wrap(" ".join(overlay.refused[edge.id]), room, 12, most=4)
            lines += [Line(content=reason) for reason in reasons]
    if numbers := overlay.numbers(edge):
        lines.append(_step_line(numbers, room))
    if refused := overlay.refusals_of(edge):
        lines.append(_count_line(f"refused {times(refused)}", room, mark="no", fill="no"))
    if is_uncovered(edge, overlay):
        lines.append(Line(content=f"never {overlay.counted}", mark="never", fill="no", bold=True))
    elif overlay.counts is not None:
        lines.append(_count_line(f"{overlay.counted} {times(overlay.counts[edge.id])}", room, mark="yes", fill="muted"))
    return tuple(lines)


def _rule_lines(diagram: Diagram, edge: Edge, room: int) -> Iterator[Line]:
    listed = diagram.listed_at(edge)
    if listed is not edge:
        (shown,) = wrap(same_rules(listed), room - 13, 12, most=1)
        yield Line(content=shown, mark="rule", fill="muted")
        return
    for code in edge.rules:
        (shown,) = wrap(code, room - 13, 11, most=1, mono=True)
        yield Line(content=shown, mark="rule", mono=True, rule=code)


def _count_line(content: str, room: int, *, mark: str, fill: str) -> Line:
    (shown,) = wrap(content, room - 13, 12, most=1)
    return Line(content=shown, mark=mark, fill=fill)


def _step_line(numbers: Sequence[int], room: int) -> Line:
    """Return a line with as many step numbers as fit into *room* pixels, followed by their count."""
    after = times(len(numbers)) if len(numbers) > 1 else ""

    def first(most: int) -> str:
        return " · ".join(map(str, numbers[:most])) + (" …" if len(numbers) > most else "")

    candidates = (4, 3, 2) if after else ()
    rest = length(after, 12) + 16
    shown = next((first(most) for most in candidates if length(first(most), 11, bold=True) + rest <= room), first(1))
    return Line(content=shown, mark="steps", after=after)


def card_height(lines: Sequence[Line]) -> int:
    """Return the height of a card with *lines*, in pixels."""
    return 27 + (sum(line.height for line in lines) + 5 if lines else 0)


def draw_mark(mark: str, x: int, y: int, fill: str) -> str:
    """Return the icon *mark* with its upper left corner at *x*, *y*."""
    return path(
        _MARKS[mark],
        stroke=fill,
        stroke_width="1.8" if mark != "final" else "1.3",
        stroke_linecap="round",
        stroke_linejoin="round",
        transform=f"translate({x} {y})",
    )


def appearance(edge: Edge, overlay: Overlay) -> str:
    """Return ``no`` if *edge* is refused, ``yes`` if it is allowed, ``never`` if it is untested, else ``edge``."""
    if edge.id in overlay.refused:
        return "no"
    if edge.id in overlay.allowed:
        return "yes"
    return "never" if is_uncovered(edge, overlay) else "edge"


def draw_card(
    edge: Edge, box: Box, lines: Sequence[Line], diagram: Diagram, overlay: Overlay, *, full: bool
) -> list[str]:
    """Return the card of *edge*."""
    look = appearance(edge, overlay)
    outline = rect(
        box.x,
        box.y,
        box.width,
        box.height,
        rx=7,
        fill="card",
        stroke="no" if look == "never" else look,
        stroke_width=1 if look == "edge" else 2,
        stroke_dasharray="5 3" if look in ("no", "never") else None,
    )
    stripe = f"M{box.x + 4} {box.y + 7}V{box.bottom - 7}"
    parts = [outline, path(stripe, stroke=edge.source or "new", stroke_width=4, stroke_linecap="round")]
    x, y = box.x + 12, box.y + 18
    if full or lines:
        parts.append(text(x, y, edge.trigger, size=14, bold=True))
    else:
        parts.append(text(box.middle[0] + 2, y, edge.trigger, size=14, bold=True, anchor="middle"))
    if full:
        (number,) = wrap(f"{edge.operation.name.capitalize()} · {edge.id}", 100, 11, most=1)
        parts.append(text(box.right - 8, y, number, size=11, fill="muted", anchor="end"))
    texts = {rule.code: rule.text for rule in diagram.rules}
    for line in lines:
        y += line.height
        parts += _draw_line(line, x, y, texts)
    return parts


def _draw_line(line: Line, x: int, y: int, rules: Mapping[str, str]) -> Iterator[str]:
    if line.rule is not None:
        shown = text(x + 13, y, line.content, size=11, mono=True)
        yield group(
            title(f"{line.rule}: {rules.get(line.rule, '')}"),
            draw_mark("rule", x, y - 8, "muted"),
            shown,
            class_="rule",
        )
    elif line.mark == "steps":
        width = int(length(line.content, 11, bold=True)) + 12
        yield rect(x - 2, y - 11, width, 14, rx=7, fill="way")
        yield text(x - 2 + width // 2, y, line.content, size=11, bold=True, fill="paper", anchor="middle")
        if line.after:
            yield text(x + width + 4, y, line.after, size=12, fill="muted")
    else:
        if line.mark:
            yield draw_mark(line.mark, x, y - 9, line.fill)
        size = 11 if line.mono else 12
        x += 13 if line.mark else 0
        yield text(x, y, line.content, size=size, mono=line.mono, bold=line.bold, fill=line.fill)


def tooltip(edge: Edge, diagram: Diagram, overlay: Overlay) -> tuple[str, ...]:
    """Return the tooltip of *edge*, line by line."""
    texts = {rule.code: rule.text for rule in diagram.rules}
    notes = [edge.note] if edge.note else []
    rules = [f"{code}: {texts.get(code, '')}" for code in edge.rules]
    return (sentence(edge, overlay), MEANING_OF_TRIGGER[edge.trigger], *notes, *rules)
