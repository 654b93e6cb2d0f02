"""Functions that write Markdown and read docstrings, for the generated parts of the reference."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from _ext.api import comments

__all__ = ["code", "comment", "first_line", "plain", "table"]


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table."""
    for row in (header, ["---"] * len(header), *rows):
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |".replace("|  |", "| |")
    yield ""


def code(text: str) -> str:
    """Return *text* as code."""
    return f"`{text}`"


def comment(kind: type, name: str) -> str:
    """Return the docstring of an attribute as one line, from the class or a base class."""
    lines = (comments(base.__module__).get((base.__qualname__, name)) for base in kind.__mro__[:-1])
    return plain(" ".join(" ".join(next(filter(None, lines), ())).split()))


def first_line(documented: Any) -> str:
    """Return the first line of a docstring."""
    return plain((inspect.getdoc(documented) or "").partition("\n")[0])


def plain(text: str) -> str:
    """Return a text of a docstring in Markdown: its names are code without the marks of reStructuredText."""
    return re.sub(r"`+~?([^`]+)`+", r"`\1`", text)
