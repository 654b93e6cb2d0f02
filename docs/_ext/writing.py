"""Functions that write reStructuredText and read docstrings, shared by the extensions."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from _ext.api import comments

__all__ = ["code", "comment", "first_line", "table", "within"]


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, sentences: bool = False) -> Iterator[str]:
    """Yield a table in reStructuredText; with *sentences* its last column is wide."""
    yield from (
        ".. list-table::",
        "   :header-rows: 1",
        "   :widths: auto",
        *(["   :class: sentences"] if sentences else []),
        "",
    )
    for row in (header, *rows):
        for index, cell in enumerate(row):
            yield f"   {'* -' if index == 0 else '  -'} {cell}".rstrip()
    yield ""


def code(text: str) -> str:
    """Return *text* as a literal."""
    return f"``{text}``"


def comment(kind: type, name: str) -> str:
    """Return the docstring of an attribute as one line, from the class or a base class."""
    lines = (comments(base.__module__).get((base.__qualname__, name)) for base in kind.__mro__[:-1])
    return within(kind, " ".join(" ".join(next(filter(None, lines), ())).split()))


def first_line(documented: Any) -> str:
    """Return the first line of a docstring."""
    return (inspect.getdoc(documented) or "").partition("\n")[0]


def within(kind: type, text: str) -> str:
    """Return *text* with the class name added to members of *kind* that it cites."""
    named = re.compile(r"(?<!`)`(\w+)`(?!`)")
    return named.sub(lambda m: f"`~{kind.__name__}.{m[1]}`" if hasattr(kind, m[1]) else m[0], text)
