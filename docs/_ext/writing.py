"""How the extensions write reStructuredText, and where they find the docstrings of attributes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from _ext.api import comments

__all__ = ["code", "comment", "first_line", "table", "within"]


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, sentences: bool = False) -> Iterator[str]:
    """Write a table in reStructuredText; with *sentences* its last column has room for some."""
    yield from (
        ".. list-table::",
        "   :header-rows: 1",
        "   :widths: auto",
        *(["   :class: sentences"] if sentences else []),
        "",
    )
    for row in (header, *rows):
        for place, cell in enumerate(row):
            yield f"   {'* -' if place == 0 else '  -'} {cell}".rstrip()
    yield ""


def code(text: str) -> str:
    """Write *text* in typewriter letters."""
    return f"``{text}``"


def comment(kind: type, name: str) -> str:
    """Return the docstring of an attribute as one line, from the class or from one that it inherits from."""
    lines = (comments(base.__module__).get((base.__qualname__, name)) for base in kind.__mro__[:-1])
    return within(kind, " ".join(" ".join(next(filter(None, lines), ())).split()))


def first_line(thing: Any) -> str:
    """Return the first line of a docstring."""
    return (inspect.getdoc(thing) or "").partition("\n")[0]


def within(kind: type, text: str) -> str:
    """Name the class with its members, which *text* cites as one does within the class."""
    named = re.compile(r"(?<!`)`(\w+)`(?!`)")
    return named.sub(lambda m: f"`~{kind.__name__}.{m[1]}`" if hasattr(kind, m[1]) else m[0], text)
