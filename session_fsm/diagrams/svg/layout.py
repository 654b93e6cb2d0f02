"""The layout of the SVG picture: the four states in a square, and a card on every edge between them.

::

    ABOVE    new -> open         open, closed to themselves      new -> closed
    UPPER    OPEN                open <-> closed                 CLOSED
    MIDDLE   open -> cancelled   closed -> cancelled, the rest   closed -> partially_returned
    LOWER    CANCELLED           cancelled <-> part. returned    PARTIALLY_RETURNED
    BELOW                        both of these to themselves

A row is as high as its highest content. `picture` calls `arrange`, and `lines` routes the lines. Neither depends on
colours or texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum

from attrs import field, frozen

from session_fsm.diagrams.model import Edge
from session_fsm.states import State

__all__ = ["FULL", "HOME", "SIMPLE", "WIDTH", "Box", "Cell", "Column", "Grid", "Layout", "Row", "arrange"]

WIDTH = 830
"""The width of the picture, in pixels: it fits a README on GitHub."""
_CARD_GAP = 12


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
    """The dimensions of a picture in one level of detail, in pixels."""

    centres: tuple[int, int, int]
    """The x of the middle of each column of cards."""
    card: int
    """The width of a card."""
    outwards: int
    """How far a state extends beyond the cards of its column, on the outer side."""
    inwards: int
    """The same on the inner side, where the lanes are."""
    gap: int
    """The height of the space between two rows."""
    loop: int
    """How far the outermost loop of a state extends beyond its inner side."""
    inset: int
    """The least height of the space above and below the cards between two states, for the ends of loops."""

    def state(self, column: Column, y: int, height: int) -> Box:
        """Return the box of a state in *column*."""
        left = self.outwards if column is Column.LEFT else self.inwards
        return Box(self.centres[column] - self.card // 2 - left, y, self.card + self.outwards + self.inwards, height)

    def lanes(self, side: Column, count: int) -> list[int]:
        """Return the x of *count* lanes on one side of the centre cards, from the nearest to the furthest."""
        far, near = 5, min(self.inwards - 7, 32)  # distances from the cards of the left or right column
        towards = 1 if side is Column.LEFT else -1
        cards = self.centres[side] + towards * self.card // 2
        if count == 1:
            return [cards + towards * (near + far) // 2]
        return [cards + towards * (near - (near - far) * index // (count - 1)) for index in range(count)]


FULL = Grid(centres=(129, 415, 701), card=238, outwards=0, inwards=22, gap=34, loop=14, inset=0)
SIMPLE = Grid(centres=(136, 415, 694), card=140, outwards=55, inwards=55, gap=22, loop=40, inset=13)


@frozen
class Cell:
    """The cards of one row and column, from top to bottom."""

    row: Row
    column: Column
    indexes: list[int] = field(factory=list[int])
    """Their indexes in the diagram's edges."""
    edges: list[Edge] = field(factory=list[Edge])
    heights: list[int] = field(factory=list[int])

    @property
    def height(self) -> int:
        """The height of all cards with the gaps between them."""
        return sum(self.heights) + _CARD_GAP * (len(self.heights) - 1)

    def cards(self, grid: Grid, y: int, room: int) -> list[Box]:
        """Return the boxes of the cards, vertically centred in a row that begins at *y* and is *room* high."""
        y += (room - self.height) // 2
        boxes: list[Box] = []
        for height in self.heights:
            boxes.append(Box(grid.centres[self.column] - grid.card // 2, y, grid.card, height))
            y += height + _CARD_GAP
        return boxes


@frozen(kw_only=True)
class Layout:
    """The boxes of all states and cards."""

    grid: Grid
    states: Mapping[State, Box]
    cells: tuple[tuple[Cell, list[Box]], ...]
    has_dot: bool
    """Whether the picture has a shared initial dot."""
    dot: tuple[int, int]
    """The position of the shared initial dot."""
    corner: Box
    """The free space in the lower left corner, beside the loops."""
    bottom: int


def _cell_of(edge: Edge) -> tuple[Row, Column]:
    """Return the row and column of the card of *edge*."""
    row, column = HOME[edge.target]
    if edge.internal:
        return (Row.ABOVE if row is Row.UPPER else Row.BELOW), Column.CENTRE
    if edge.source is None:
        return (Row.ABOVE, column) if row is Row.UPPER else (Row.MIDDLE, Column.CENTRE)
    if HOME[edge.source][0] is row:
        return row, Column.CENTRE
    return Row.MIDDLE, column if HOME[edge.source] == (Row.UPPER, column) else Column.CENTRE


def arrange(
    grid: Grid, cards: Sequence[tuple[Edge, int]], states: Mapping[State, int], *, top: int, corner: int
) -> Layout:
    """Return the layout of the picture.

    Args:
        grid: the dimensions.
        cards: the edges and the heights of their cards.
        states: the least height of each state.
        top: the y at which the picture begins.
        corner: the least height of the free space in the lower left corner.
    """
    cells: dict[tuple[Row, Column], Cell] = {}
    for index, (edge, height) in enumerate(cards):
        position = _cell_of(edge)
        cell = cells.setdefault(position, Cell(*position))
        cell.indexes.append(index)
        cell.edges.append(edge)
        cell.heights.append(height)
    has_dot = any((Row.ABOVE, side) in cells for side in (Column.LEFT, Column.RIGHT))
    y = top + grid.gap + 4 if has_dot else top
    tops: dict[Row, int] = {}
    heights: dict[Row, int] = {}
    for row in Row:
        inset = 2 * grid.inset if row in (Row.UPPER, Row.LOWER) else 0
        contents = [cell.height + inset for cell in cells.values() if cell.row is row]
        contents += [height for state, height in states.items() if HOME[state][0] is row]
        tops[row], heights[row] = y, max(contents, default=0)
        if row is Row.BELOW:
            heights[row] = max(heights[row], corner)
        y += heights[row] + grid.gap if heights[row] else 0
    return Layout(
        grid=grid,
        states={state: grid.state(column, tops[row], heights[row]) for state, (row, column) in HOME.items()},
        cells=tuple((cell, cell.cards(grid, tops[cell.row], heights[cell.row])) for cell in cells.values()),
        has_dot=has_dot,
        dot=(grid.centres[Column.CENTRE], top + 10),
        corner=grid.state(Column.LEFT, tops[Row.BELOW], heights[Row.BELOW]),
        bottom=y - grid.gap,
    )
