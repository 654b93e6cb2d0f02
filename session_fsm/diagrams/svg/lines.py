"""How the lines run from state to card to state.

Lines of one pair of states and one direction run side by side through their stack of cards. What has no straight way
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
_APART = 12
"""How far parallel lines are from one another, in pixels."""
_ROUND = 9
"""The radius of a corner."""
_HEAD = 6
"""How long before the tip of its arrowhead a line ends."""


@frozen(kw_only=True)
class Placed:
    """An edge in its place."""

    edge: Edge
    card: Box
    lines: tuple[str, ...]
    """Path data in the direction of the way."""
    tip: Point
    """Where the arrow ends."""
    pointing: Point
    """Which way the arrow points: one step of it."""
    dot: Point | None = None
    """Where it begins, if it has an initial dot to itself."""


def draw_lines(layout: Layout) -> list[Placed]:
    """Return every edge with its lines, in the order in which they were given."""
    found: dict[int, Placed] = {}
    for cell, cards in layout.cells:
        if cell.column is not Column.CENTRE:
            placed = _upright(layout, cell, cards)
        elif cell.row in (Row.UPPER, Row.LOWER):
            placed = _level(layout, cell, cards)
        else:
            placed = _sideways(layout, cell, cards)
        found.update(zip(cell.places, placed, strict=True))
    return [found[place] for place in sorted(found)]


def bend(*points: Point) -> str:
    """Return the path through *points*, which are level and upright by turns, with rounded corners."""
    path = [f"M{points[0][0]} {points[0][1]}"]
    for here, corner, there in zip(points, points[1:], points[2:], strict=False):
        before, after = _near(corner, here), _near(corner, there)
        path.append(f"L{before[0]} {before[1]}Q{corner[0]} {corner[1]} {after[0]} {after[1]}")
    return "".join([*path, f"L{points[-1][0]} {points[-1][1]}"])


def _near(corner: Point, other: Point) -> Point:
    """Return the point at which a line from *other* to *corner* begins to turn."""
    across, down = other[0] - corner[0], other[1] - corner[1]
    far = min(_ROUND, (abs(across) + abs(down)) // 2)
    return corner[0] + far * _sign(across), corner[1] + far * _sign(down)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _state_at(layout: Layout, row: int, column: Column) -> Box:
    return next(box for state, box in layout.states.items() if HOME[state] == (row, column))


def _upright(layout: Layout, cell: Cell, cards: Sequence[Box]) -> Iterator[Placed]:
    """Lead the lines down through the stack."""
    end = _state_at(layout, cell.row + 1, cell.column).y
    for place, (edge, card) in enumerate(zip(cell.edges, cards, strict=True)):
        x = card.middle[0] + (2 * place - len(cards) + 1) * _APART // 2
        if edge.source is None:
            start = [layout.dot, (x, layout.dot[1])]
        else:
            start = [(x, _state_at(layout, cell.row - 1, cell.column).bottom)]
        between = [bend((x, above.bottom), (x, below.y)) for above, below in pairwise(cards)]
        lines = bend(*start, (x, cards[0].y)), *between, bend((x, cards[-1].bottom), (x, end - _HEAD))
        yield Placed(edge=edge, card=card, lines=lines, tip=(x, end), pointing=(0, 1))


def _level(layout: Layout, cell: Cell, cards: Sequence[Box]) -> Iterator[Placed]:
    """Lead each line straight through its card, to the right or to the left."""
    left = _state_at(layout, cell.row, Column.LEFT).right
    right = _state_at(layout, cell.row, Column.RIGHT).x
    for edge, card in zip(cell.edges, cards, strict=True):
        y = card.middle[1]
        if HOME[edge.target][1] is Column.RIGHT:
            ways, tip, step = ((left, card.x), (card.right, right - _HEAD)), (right, y), 1
        else:
            ways, tip, step = ((right, card.right), (card.x, left + _HEAD)), (left, y), -1
        lines = tuple(bend((start, y), (end, y)) for start, end in ways)
        yield Placed(edge=edge, card=card, lines=lines, tip=tip, pointing=(step, 0))


@frozen
class _Port:
    """Where a line meets the side of a card."""

    card: Box
    state: State | None
    """The state at the other end; None where it is the line's own initial dot."""
    inwards: bool
    """Whether the way leads to the card."""
    side: Column
    up: bool
    """Whether the line turns upwards."""
    y: int = 0

    @property
    def x(self) -> int:
        return self.card.x if self.side is Column.LEFT else self.card.right


def _ports(cell: Cell, edge: Edge, card: Box) -> list[_Port]:
    """Return where the two lines of *edge* meet its card: the one from the source, the one to the target."""
    ports: list[_Port] = []
    for state, inwards in ((edge.source, True), (edge.target, False)):
        row, side = HOME[state or edge.target]
        ports.append(_Port(card, state, inwards, side, up=state is None or row < cell.row))
    if ports[0].side is not ports[1].side:
        return [evolve(port, y=card.middle[1]) for port in ports]
    # Two on one side: what turns up is above; of two that turn the same way the first is outside.
    apart = min(9, card.height // 4)
    first_above = ports[0].up if ports[0].up is not ports[1].up else not ports[0].up
    above = -apart if first_above else apart
    return [evolve(port, y=card.middle[1] + offset) for port, offset in zip(ports, (above, -above), strict=True)]


def _sideways(layout: Layout, cell: Cell, cards: Sequence[Box]) -> Iterator[Placed]:
    """Lead the lines out of the sides of the cards, and up or down in lanes of their own."""
    ports = [_ports(cell, edge, card) for edge, card in zip(cell.edges, cards, strict=True)]
    lanes: dict[_Port, int] = {}
    for side in (Column.LEFT, Column.RIGHT):
        turning = [port for pair in ports for port in pair if port.side is side and port.state is not None]
        # The nearest lane is for what turns first, so that none crosses another of its direction.
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
    """Return at what height the line of *port* meets *state*."""
    box = layout.states[state]
    return box.bottom if port.up else box.y
