"""The docstrings of classes and of their fields, for `session_fsm.wire.schema`.

Python drops the docstring below a field, so it is read from the source; where there is no source, there is none.
"""

from __future__ import annotations

import ast
import inspect
import re
from itertools import pairwise
from textwrap import dedent
from typing import Any

__all__ = ["class_docstring", "field_docstrings"]

# "(M-04)" and "(U-01 to U-08)" refer to the documentation of this library.
_REFERENCE = re.compile(r" \([A-Z]-\d\d(?: to [A-Z]-\d\d)?\)")


def class_docstring(kind: type[Any]) -> str:
    """Return the first paragraph of the docstring of *kind*, without a signature that attrs or dataclasses have put there."""
    return _plain((inspect.cleandoc(kind.__doc__ or "")).partition("\n\n")[0])


def field_docstrings(kind: type[Any]) -> dict[str, str]:
    """Return the docstrings of the fields of *kind*, by the field's name, those of its parents included."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if "__attrs_attrs__" in vars(base):
            found |= _in_body(base)
    return found


def _in_body(kind: type[Any]) -> dict[str, str]:
    try:
        tree = ast.parse(dedent(inspect.getsource(kind)))
    except (OSError, TypeError, SyntaxError):  # there is no source: an interactive session, or a frozen program
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    return {
        one.target.id: _plain(inspect.cleandoc(below.value.value))
        for one, below in pairwise(body)
        if isinstance(one, ast.AnnAssign)
        and isinstance(one.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }


def _plain(text: str) -> str:
    return " ".join(_REFERENCE.sub("", text).replace("``", "`").split())
