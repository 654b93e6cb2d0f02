"""The routing of the lines from state to card to state. `picture` calls `draw_lines`.

Lines with the same source and target run in parallel through their column of cards. A line that cannot be straight
leaves its card at the side and turns in a lane of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from attrs import evolve, frozen

from session_fsm.diagrams.model import Edge
from session_fsm.diagrams.svg.layout import HOME, Box, Cell, Column, Layout, Row
from session_fsm.states import State

__all__ = ["Placed", "Point", "draw_lines"]

Point = tuple[int, int]
_LINE_GAP = 12
"""The distance between parallel lines, in pixels."""
_CORNER_RADIUS = 9
"""The radius of a corner, in pixels."""
_LOOP_END = 13
"""The distance from the corner of a state to the end of its loop, in pixels."""
_HEAD = 6
"""The distance from the end of a line to the tip of its arrowhead, in pixels."""


@frozen(kw_only=True)
class Placed:
    """An edge with its card and the path of its line."""

    edge: Edge
    card: Box
    lines: tuple[str, ...]
    """SVG path data, from the source to the target."""
    tip: Point
    """The tip of the arrowhead."""
    pointing: Point
    """The direction of the arrowhead, as a unit vector."""
    dot: Point | None = None
    """The position of the edge's own initial dot, if it has one."""


def draw_lines(layout: Layout) -> list[Placed]:
    """Return every edge with its lines, in the order of the diagram's edges."""
    found: dict[int, Placed] = {}
    for cell, cards in layout.cells:
        if cell.column is not Column.CENTRE:
            placed = _vertical(layout, cell, cards)
        elif cell.row in (Row.UPPER, Row.LOWER):
            placed = _horizontal(layout, cell, cards)
        elif cell.row in (Row.ABOVE, Row.BELOW):
            placed = _loops(layout, cell, cards)
        else:
            placed = _in_lanes(layout, cell, cards)
        found.update(zip(cell.indexes, placed, strict=True))
    return [found[index] for index in sorted(found)]


def bend(*points: Point) -> str:
    """Return the path through *points* with rounded corners; its parts alternate between horizontal and vertical."""
    path = [f"M{points[0][0]} {points[0][1]}"]
    for here, corner, there in zip(points, points[1:], points[2:], strict=False):
        before, after = _near(corner, here), _near(corner, there)
        path.append(f"L{before[0]} {before[1]}Q{corner[0]} {corner[1]} {after[0]} {after[1]}")
    return "".join([*path, f"L{points[-1][0]} {points[-1][1]}"])


def _near(corner: Point, other: Point) -> Point:
    """Return the point at which a line from *other* to *corner* begins to turn."""
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    distance = min(_CORNER_RADIUS, (abs(dx) + abs(dy)) // 2)
    return corner[0] + distance * _sign(dx), corner[1] + distance * _sign(dy)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _state_at(layout: Layout, row: int, column: Column) -> Box:
    return next(box for state, box in layout.states.items() if HOME[state] == (row, column))


def _vertical(layout: Layout, cell: Cell, cards: Sequence[Box]) -> Iterator[Placed]:
    """Yield lines that run down through the column of cards."""
    end = _state_at(layout, cell.row + 1, cell.column).y
    for index, (edge, card) in enumerate(zip(cell.edges, cards, strict=True)):
        x = card.middle[0] + (2 * index - len(cards) + 1) * _LINE_GAP // 2
        if edge.source is None:
            start = [layout.dot, (x, layout.dot[1])]
        else:
            start = [(x, _state_at(layout, cell.row - 1, cell.column).bottom)]
        between = [bend((x, above.bottom), (x, below.y)) for above, below in pairwise(cards)]
        lines = bend(*start, (x, cards[0].y)), *between, bend((x, cards[-1].bottom), (x, end - _HEAD))
        yield Placed(edge=edge, card=card, lines=lines, tip=(x, end), pointing=(0, 1))


def _horizontal(layout: Layout, cell: Cell, cards: Sequence[Box]) -> Iterator[Placed]:
    """Yield lines that run straight through their cards, to the right or to the left."""
    left = _state_at(layout, cell.row, Column.LEFT).right
    right = _state_at(layout, cell.row, Column.RIGHT).x
    for edge, card in zip(cell.edges, cards, strict=True):
        y = card.middle[1]
        if HOME[edge.target][1] is Column.RIGHT:
            parts, tip, step = ((left, card.x), (card.right, right - _HEAD)), (right, y), 1
        else:
            parts, tip, step = ((right, card.right), (card.x, left + _HEAD)), (left, y), -1
        lines = tuple(bend((start, y), (end, y)) for start, end in parts)
        yield Placed(edge=edge, card=card, lines=lines, tip=tip, pointing=(step, 0))


def _loops(layout: Layout, cell: Cell, cards: Sequence[Box]) -> Iterator[Placed]:
    """Yield one loop for each card, around a corner of its state; the card moves to the outermost loop of the state.

    The loops of a state are nested: the loop of the nearest card is inside.
    """
    above = cell.row is Row.ABOVE
    down = 1 if above else -1
    states = [edge.target for edge in cell.edges]
    for index, (edge, card) in enumerate(zip(cell.edges, cards, strict=True)):
        count = states.count(edge.target)
        depth = states[index + 1 :].count(edge.target) if above else states[:index].count(edge.target)
        state, side = layout.states[edge.target], HOME[edge.target][1]
        inner, outwards = (state.right, 1) if side is Column.LEFT else (state.x, -1)
        start, y = (state.y, state.y) if above else (state.bottom, state.bottom)
        y += down * (_LOOP_END + depth * 4)
        near = layout.grid.lanes(side, count)[depth]
        far = inner + outwards * layout.grid.loop * (depth + 1) // count
        touching = inner + outwards * (layout.grid.loop + 1)
        moved = evolve(card, x=touching if side is Column.LEFT else touching - card.width)
        line = bend(
            (near, start), (near, card.middle[1]), (far, card.middle[1]), (far, y), (inner + outwards * _HEAD, y)
        )
        yield Placed(edge=edge, card=moved, lines=(line,), tip=(inner, y), pointing=(-outwards, 0))


@frozen
class _Port:
    """The point at which a line meets the side of a card."""

    card: Box
    state: State | None
    """The state at the other end; None for the edge's own initial dot."""
    inwards: bool
    """Whether the line leads to the card."""
    side: Column
    up: bool
    """Whether the line turns upwards."""
    y: int = 0

    @property
    def x(self) -> int:
        return self.card.x if self.side is Column.LEFT else self.card.right


def _ports(cell: Cell, edge: Edge, card: Box) -> list[_Port]:
    """Return the ports of the two lines of *edge*: from the source, and to the target."""
    ports: list[_Port] = []
    for state, inwards in ((edge.source, True), (edge.target, False)):
        row, side = HOME[state or edge.target]
        ports.append(_Port(card, state, inwards, side, up=state is None or row < cell.row))
    if ports[0].side is not ports[1].side:
        return [evolve(port, y=card.middle[1]) for port in ports]
    # Two ports on one side: the line that turns up is above.
    distance = min(9, card.height // 4)
    offset = -distance if ports[0].up else distance
    return [evolve(port, y=card.middle[1] + dy) for port, dy in zip(ports, (offset, -offset), strict=True)]


def _in_lanes(layout: Layout, cell: Cell, cards: Sequence[Box]) -> Iterator[Placed]:
    """Yield lines that leave the cards at the sides and run up or down in lanes of their own."""
    ports = [_ports(cell, edge, card) for edge, card in zip(cell.edges, cards, strict=True)]
    lanes: dict[_Port, int] = {}
    for side in (Column.LEFT, Column.RIGHT):
        turning = [port for pair in ports for port in pair if port.side is side and port.state is not None]
        # The line that turns first gets the nearest lane, so that lines of one direction do not cross.
        turning.sort(key=lambda port: (not port.up, port.y if port.up else -port.y))
        lanes.update(zip(turning, layout.grid.lanes(side, len(turning)), strict=True))
    for edge, card, (first, second) in zip(cell.edges, cards, ports, strict=True):
        x = lanes[second]
        tip = (x, _end(layout, second, edge.target))
        step = -1 if second.up else 1
        lines = [bend((second.x, second.y), (x, second.y), (x, tip[1] - step * _HEAD))]
        dot = None
        if first.state is None:
            dot = (first.x + (-15 if first.side is Column.LEFT else 15), first.y)
            lines.insert(0, bend(dot, (first.x, first.y)))
        else:
            lane = lanes[first]
            lines.insert(0, bend((lane, _end(layout, first, first.state)), (lane, first.y), (first.x, first.y)))
        yield Placed(edge=edge, card=card, lines=tuple(lines), tip=tip, pointing=(0, step), dot=dot)


def _end(layout: Layout, port: _Port, state: State) -> int:
    """Return the y at which the line of *port* meets *state*."""
    box = layout.states[state]
    return box.bottom if port.up else box.y
