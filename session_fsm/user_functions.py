"""What is known of a function that a user gives, as a rule or a callback: its name, its description, whether it is async."""

from __future__ import annotations

import ast
import inspect
import sys
from functools import partial
from textwrap import dedent
from typing import Any

__all__ = ["first_line", "is_async", "is_unawaited", "name_of"]


def name_of(function: Any) -> str:
    """Return the name of a function, of the function inside a `functools.partial`, or of an object's class."""
    while isinstance(function, partial):
        function = function.func
    name: str = getattr(function, "__name__", type(function).__name__)
    return name


def is_async(function: Any) -> bool:
    """Whether a call of *function* returns an awaitable or an asynchronous generator."""
    while isinstance(function, partial):
        function = function.func
    kind: Any = type(function)  # pyright: ignore[reportUnknownVariableType]  # of any object
    called = getattr(kind, "__call__", None)  # noqa: B004 - its code is inspected
    return any(inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one) for one in (function, called))


def is_unawaited(answer: object) -> bool:
    """Whether *answer* is a coroutine or an asynchronous generator. A coroutine is closed, since nothing awaits it."""
    if inspect.iscoroutine(answer):
        answer.close()
        return True
    return inspect.isasyncgen(answer)


def first_line(function: Any) -> str:
    """Return the first line of the docstring of *function*, read from its source where Python runs with ``-OO``."""
    while isinstance(function, partial):
        function = function.func
    kind: Any = type(function)  # pyright: ignore[reportUnknownVariableType]  # as above
    documented: list[Any] = [function] if hasattr(function, "__name__") else [kind, kind.__call__]
    docstring: str = next((one.__doc__ for one in documented if one.__doc__), "")
    if not docstring and sys.flags.optimize > 1:  # as `python -OO` does
        docstring = next((found for one in documented if (found := _source_docstring(one))), "")
        if not docstring and (name := name_of(function)).isidentifier():
            return f"{name.replace('_', ' ').capitalize()}."
    return inspect.cleandoc(docstring).partition("\n")[0]


def _source_docstring(documented: Any) -> str:
    """Return the docstring in the source of a function or class, or an empty text where there is no source."""
    try:
        (node,) = ast.parse(dedent(inspect.getsource(documented))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return ""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return (ast.get_docstring(node) or "") if isinstance(node, kinds) else ""
