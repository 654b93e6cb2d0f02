"""The box of a state in the SVG picture: its height and its drawing. `picture` draws it."""

from __future__ import annotations

from collections.abc import Mapping

from session_fsm.diagrams.model import Node
from session_fsm.diagrams.svg.layout import Box, Column
from session_fsm.diagrams.svg.paint import path, rect, text
from session_fsm.diagrams.svg.text import length, wrap
from session_fsm.states import State

__all__ = ["draw_state", "state_height"]

_LINE_HEIGHT = 15
_FRAME_GAP = 5
"""The distance between the two frames of a final state, in pixels."""
_ICONS: Mapping[State, str] = {
    State.OPEN: "M1 2h3l2.4 10h9.2L18 5.2H5M7.4 16.6a1.3 1.3 0 1 0 .1 0M14.4 16.6a1.3 1.3 0 1 0 .1 0",
    State.CLOSED: "M4 1.5h12v17l-3-2-3 2-3-2-3 2zM7 6h6M7 10h6",
    State.PARTIALLY_RETURNED: "M7 3.5L3 7.5l4 4M3.4 7.5H12a4.7 4.7 0 0 1 0 9.4H7",
    State.CANCELLED: "M10 2a8 8 0 1 0 .1 0M6.8 6.8l6.4 6.4M13.2 6.8l-6.4 6.4",
}


def _meaning(node: Node, width: int) -> tuple[str, ...]:
    return wrap(node.meaning, width - (36 if node.final else 28), 12, most=12)


def state_height(node: Node, width: int, *, full: bool) -> int:
    """Return the least height of the box of a state, in pixels."""
    frames = 2 * _FRAME_GAP if node.final else 0
    return 44 + frames + (_LINE_HEIGHT * len(_meaning(node, width)) + 4 if full else 0)


def draw_state(node: Node, box: Box, side: Column, *, current: bool, full: bool) -> list[str]:
    """Return the drawing of a state; *side* is the side of its box that has space for a label."""
    state = node.state
    border = "3.5" if current else "1.8"
    parts = [rect(box.x, box.y, box.width, box.height, rx=10, fill=f"tint-{state}", stroke=state, stroke_width=border)]
    if node.final:
        inner = (box.x + _FRAME_GAP, box.y + _FRAME_GAP, box.width - 2 * _FRAME_GAP, box.height - 2 * _FRAME_GAP)
        parts.append(rect(*inner, rx=6, stroke=state, stroke_width="1.8"))
    lines = _meaning(node, box.width) if full else ()
    x = box.x + 16 if full else box.middle[0] - int(length(state, 17, bold=True) + 28) // 2
    y = box.y + (box.height - 26 - (_LINE_HEIGHT * len(lines) + 2 if lines else 0)) // 2
    style = {"stroke_width": "1.8", "stroke_linecap": "round", "stroke_linejoin": "round"}
    parts.append(path(_ICONS[state], stroke=state, transform=f"translate({x} {y + 3})", **style))
    parts.append(text(x + 28, y + 19, state, size=17, bold=True))
    parts += [text(box.x + 16, y + 24 + _LINE_HEIGHT * row, line, size=12) for row, line in enumerate(lines, start=1)]
    return [*parts, *(_label("here now", box, side) if current else ())]


def _label(content: str, box: Box, side: Column) -> list[str]:
    """Return a label on the upper border of *box*, where no line ends."""
    width = int(length(content, 11, bold=True)) + 16
    x = box.x + 14 if side is Column.LEFT else box.right - 14 - width
    return [
        rect(x, box.y - 10, width, 18, rx=9, fill="ink"),
        text(x + width // 2, box.y + 3, content, size=11, bold=True, fill="paper", anchor="middle"),
    ]
