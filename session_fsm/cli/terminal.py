"""Output of the commands: colours, columns, wrapping and escaping.

Colour is used only if the output is a terminal that supports it and NO_COLOR is not set. Output to a pipe is never
shortened or wrapped. Control characters are written as escapes.
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

__all__ = ["Cell", "Screen", "discard_output", "escaped", "padded", "prepare", "write_error"]

# ANSI codes from the terminal's own palette, so that the colours suit its background.
_STYLES = {"title": "1", "quiet": "2", "done": "32", "already": "33", "refused": "31"}
_NARROWEST = 24
"""The least number of columns for text that wraps."""


def prepare() -> None:
    """Make standard output and standard error write characters that they cannot encode as escapes."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # the stream was closed before the program started
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  # stays open until the process ends
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def discard_output(*streams: TextIO) -> None:
    """Redirect *streams*, whose reader has gone, to the null device, so that flushing them at exit does not fail."""
    for stream in streams:
        with suppress(OSError), Path(os.devnull).open("w") as null:
            os.dup2(null.fileno(), stream.fileno())


def escaped(text: str) -> str:
    """Return *text* with escapes for characters that could move the cursor, change colours or reorder the line."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\N{NO-BREAK SPACE}" else ascii(c)[1:-1] for c in text)


def padded(text: str, width: int) -> str:
    """Return *text* padded with spaces to *width* columns of a terminal."""
    return text + " " * (width - cell_len(text))


def write_error(message: str) -> None:
    """Write an error message to standard error, in one line."""
    sys.stderr.write(f"session-fsm: {escaped(message)}\n")


class Cell(NamedTuple):
    """Text and its style."""

    text: str
    style: str = ""


class Screen:
    """Standard output. It escapes everything that it writes."""

    def __init__(self) -> None:
        console = Console()
        self.is_terminal = console.is_terminal
        self.width = console.width if console.is_terminal else None
        """The number of columns; None if the output is not a terminal, and then lines have any length."""
        self.colours = console.color_system is not None and not console.no_color and not console.legacy_windows

    def style(self, text: str, name: str) -> str:
        """Return *text*, which must already be escaped, in the style *name*."""
        return f"\x1b[{_STYLES[name]}m{text}\x1b[0m" if name and self.colours else text

    def write(self, text: str | Cell = "", *, indent: int = 0) -> None:
        """Write *text* as a paragraph, wrapped to the width of the terminal."""
        self.table([[text]], indent=indent)

    def gap(self) -> None:
        """Write an empty line."""
        sys.stdout.write("\n")

    def table(self, rows: Iterable[Sequence[str | Cell]], *, indent: int = 0, gap: int = 2) -> None:
        """Write *rows* in columns separated by *gap* spaces. The last cell of a row wraps within its column."""
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
        """Break *text* into lines that fit right of *offset* columns; in a pipe return it as one line."""
        if self.width is None or offset + cell_len(text) <= self.width:
            return [text]
        room = max(self.width - offset, _NARROWEST)
        return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)


def _cell(value: str | Cell) -> Cell:
    text, style = value if isinstance(value, Cell) else (value, "")
    return Cell(escaped(text), style)
