"""Where everything stands: the four states in a square, and a card on every edge between them.

::

    ABOVE    new -> open         open, closed to themselves      new -> closed
    UPPER    OPEN                open <-> closed                 CLOSED
    MIDDLE   open -> cancelled   closed -> cancelled, the rest   closed -> partially_returned
    LOWER    CANCELLED           cancelled <-> part. returned    PARTIALLY_RETURNED
    BELOW                        both of these to themselves

Rows are as high as what stands in them. How the lines run says `session_fsm.diagrams.svg.lines`. Nothing in these
two knows colours or words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum

from attrs import field, frozen

from session_fsm.diagrams.model import Edge
from session_fsm.states import State

__all__ = ["FULL", "HOME", "SIMPLE", "WIDTH", "Box", "Cell", "Column", "Grid", "Layout", "Row", "arrange"]

WIDTH = 830
"""The width of the picture, in pixels: what a README has room for."""
_CARDS_APART = 12


class Row(IntEnum):
    """The rows of the square, from top to bottom."""

    ABOVE = 0
    UPPER = 1
    MIDDLE = 2
    LOWER = 3
    BELOW = 4


class Column(IntEnum):
    """The columns of the square, from left to right."""

    LEFT = 0
    CENTRE = 1
    RIGHT = 2


HOME: Mapping[State, tuple[Row, Column]] = {
    State.OPEN: (Row.UPPER, Column.LEFT),
    State.CLOSED: (Row.UPPER, Column.RIGHT),
    State.PARTIALLY_RETURNED: (Row.LOWER, Column.RIGHT),
    State.CANCELLED: (Row.LOWER, Column.LEFT),
}
"""The corner in which each state stands."""


@frozen
class Box:
    """A rectangle, in pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The x of the right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The y of the lower edge."""
        return self.y + self.height

    @property
    def middle(self) -> tuple[int, int]:
        """The point in the middle."""
        return self.x + self.width // 2, self.y + self.height // 2


@frozen(kw_only=True)
class Grid:
    """The measures of one kind of picture, in pixels."""

    centres: tuple[int, int, int]
    """The middle of each column of cards."""
    card: int
    """How wide a card is."""
    outwards: int
    """How much further than the cards of its column a state reaches to the outside."""
    inwards: int
    """And to the inside, where the lanes are."""
    gap: int
    """How high the space between two rows is."""

    def state(self, column: Column, y: int, height: int) -> Box:
        """Return the box of a state in *column*."""
        left = self.outwards if column is Column.LEFT else self.inwards
        return Box(self.centres[column] - self.card // 2 - left, y, self.card + self.outwards + self.inwards, height)

    def lanes(self, side: Column, count: int) -> list[int]:
        """Return so many lanes to one side of the cards in the centre, from the nearest to the furthest."""
        far, near = 5, min(self.inwards - 7, 32)  # counted from the cards of the side
        towards = 1 if side is Column.LEFT else -1
        cards = self.centres[side] + towards * self.card // 2
        if count == 1:
            return [cards + towards * (near + far) // 2]
        return [cards + towards * (near - (near - far) * place // (count - 1)) for place in range(count)]


FULL = Grid(centres=(125, 415, 705), card=230, outwards=0, inwards=22, gap=34)
SIMPLE = Grid(centres=(136, 415, 694), card=140, outwards=55, inwards=55, gap=30)


@frozen
class Cell:
    """The cards that stand in one place, one above the other."""

    row: Row
    column: Column
    places: list[int] = field(factory=list[int])
    """Which of the cards they are."""
    edges: list[Edge] = field(factory=list[Edge])
    heights: list[int] = field(factory=list[int])

    @property
    def height(self) -> int:
        """How high the cards are together, with what is between them."""
        return sum(self.heights) + _CARDS_APART * (len(self.heights) - 1)

    def cards(self, grid: Grid, y: int, room: int) -> list[Box]:
        """Return their boxes, in the middle of a row that begins at *y* and is *room* high."""
        y += (room - self.height) // 2
        boxes: list[Box] = []
        for height in self.heights:
            boxes.append(Box(grid.centres[self.column] - grid.card // 2, y, grid.card, height))
            y += height + _CARDS_APART
        return boxes


@frozen(kw_only=True)
class Layout:
    """Everything in its place."""

    grid: Grid
    states: Mapping[State, Box]
    cells: tuple[tuple[Cell, list[Box]], ...]
    born: bool
    """Whether there is an initial dot that all share."""
    dot: tuple[int, int]
    """Where it is."""
    spare: Box
    """The room in the lower left corner, beside the loops."""
    bottom: int


def _home(edge: Edge) -> tuple[Row, Column]:
    """Return where the card of *edge* stands."""
    row, column = HOME[edge.target]
    if edge.internal:
        return (Row.ABOVE if row is Row.UPPER else Row.BELOW), Column.CENTRE
    if edge.source is None:
        return (Row.ABOVE, column) if row is Row.UPPER else (Row.MIDDLE, Column.CENTRE)
    if HOME[edge.source][0] is row:
        return row, Column.CENTRE
    return Row.MIDDLE, column if HOME[edge.source] == (Row.UPPER, column) else Column.CENTRE


def arrange(
    grid: Grid, cards: Sequence[tuple[Edge, int]], states: Mapping[State, int], *, top: int, spare: int
) -> Layout:
    """Give everything its place.

    Args:
        grid: the measures.
        cards: the edges, and how high their cards are.
        states: how high the states are at least.
        top: where the picture begins.
        spare: how high the room in the lower left corner has to be.
    """
    cells: dict[tuple[Row, Column], Cell] = {}
    for place, (edge, height) in enumerate(cards):
        home = _home(edge)
        cell = cells.setdefault(home, Cell(*home))
        cell.places.append(place)
        cell.edges.append(edge)
        cell.heights.append(height)
    born = any((Row.ABOVE, side) in cells for side in (Column.LEFT, Column.RIGHT))
    y = top + grid.gap + 4 if born else top
    tops: dict[Row, int] = {}
    rooms: dict[Row, int] = {}
    for row in Row:
        held = [cell.height for cell in cells.values() if cell.row is row]
        held += [height for state, height in states.items() if HOME[state][0] is row]
        tops[row], rooms[row] = y, max(held, default=spare if row is Row.BELOW else 0)
        if row is Row.BELOW:
            rooms[row] = max(rooms[row], spare)
        y += rooms[row] + grid.gap if rooms[row] else 0
    corner = grid.state(Column.LEFT, tops[Row.BELOW], rooms[Row.BELOW])
    return Layout(
        grid=grid,
        states={state: grid.state(column, tops[row], rooms[row]) for state, (row, column) in HOME.items()},
        cells=tuple((cell, cell.cards(grid, tops[cell.row], rooms[cell.row])) for cell in cells.values()),
        born=born,
        dot=(grid.centres[Column.CENTRE], top + 10),
        spare=corner,
        bottom=y - grid.gap,
    )
