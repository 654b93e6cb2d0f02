"""What the command writes, and how: fit for a terminal, plain in a pipe, harmless whatever a file holds.

Colour is there only where the output is a terminal that shows it and NO_COLOR is not set. In a pipe nothing is
cut off or wrapped. Characters that a terminal would obey rather than show are written as escapes.
"""

from __future__ import annotations

import io
import os
import sys
import textwrap
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple, TextIO

from rich.cells import cell_len
from rich.console import Console

__all__ = ["Cell", "Screen", "abandon", "complain", "escaped", "padded", "prepare"]

# The colours are few: of a terminal's own palette, so that they suit its background.
_STYLES = {"title": "1", "quiet": "2", "done": "32", "already": "33", "refused": "31"}
_NARROWEST = 24
"""The least number of columns that is left for text that wraps."""


def prepare() -> None:
    """Let standard output and standard error write what their encoding lacks as escapes, rather than fail."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # it was closed before the program began
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  # open to the end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def abandon(*streams: TextIO) -> None:
    """Let *streams*, which nobody reads any longer, swallow what they still hold when the interpreter closes them."""
    for stream in streams:
        with suppress(OSError), Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())


def escaped(text: str) -> str:
    """Return *text* in which nothing can move the cursor, change colours or reorder the line."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\N{NO-BREAK SPACE}" else ascii(c)[1:-1] for c in text)


def padded(text: str, width: int) -> str:
    """Fill *text* with spaces up to *width* columns of a terminal."""
    return text + " " * (width - cell_len(text))


def complain(message: str) -> None:
    """Say on standard error, in one line, what went wrong."""
    sys.stderr.write(f"session-fsm: {escaped(message)}\n")


class Cell(NamedTuple):
    """Text and the style in which it is shown."""

    text: str
    style: str = ""


class Screen:
    """Standard output. What it writes is escaped, so that callers need not think of it."""

    def __init__(self) -> None:
        console = Console()
        self.is_terminal = console.is_terminal
        self.width = console.width if console.is_terminal else None
        """How many columns there are; None where the output is no terminal and lines may have any length."""
        self.colours = console.color_system is not None and not console.no_color and not console.legacy_windows

    def style(self, text: str, name: str) -> str:
        """Return *text*, which must be escaped, in the style *name*."""
        return f"\x1b[{_STYLES[name]}m{text}\x1b[0m" if name and self.colours else text

    def write(self, text: str | Cell = "", *, indent: int = 0) -> None:
        """Write *text* in a paragraph of its own, wrapped to the terminal."""
        self.table([[text]], indent=indent)

    def gap(self) -> None:
        """Write an empty line."""
        sys.stdout.write("\n")

    def table(self, rows: Iterable[Sequence[str | Cell]], *, indent: int = 0, gap: int = 2) -> None:
        """Write *rows* in columns, *gap* spaces apart. The last cell of a row wraps within its column."""
        table = [[_cell(value) for value in row] for row in rows]
        columns = zip_longest(*(row[:-1] for row in table))
        widths = [max(cell_len(cell.text) for cell in column if cell) + gap for column in columns]
        for row in table:
            *cells, last = row
            offset = indent + sum(widths[: len(cells)])
            line = " " * indent
            for cell, width in zip(cells, widths, strict=False):
                line += self.style(cell.text, cell.style) + " " * (width - cell_len(cell.text))
            for text in self.wrapped(last.text, offset):
                sys.stdout.write((line + self.style(text, last.style)).rstrip(" ") + "\n")
                line = " " * offset

    def wrapped(self, text: str, offset: int) -> list[str]:
        """Break *text* into the lines that fit beside a margin of *offset* columns; in a pipe there is but one."""
        if self.width is None or offset + cell_len(text) <= self.width:
            return [text]
        room = max(self.width - offset, _NARROWEST)
        return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)


def _cell(value: str | Cell) -> Cell:
    text, style = value if isinstance(value, Cell) else (value, "")
    return Cell(escaped(text), style)
