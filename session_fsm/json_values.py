"""JSON values in attributes and contexts: frozen, exact, and validated.

Objects become `FrozenDict`, lists become tuples, numbers stay integers or decimals. Times that are given as
such are held as the RFC 3339 text that JSON would hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Never, TypeAlias, TypeVar

from session_fsm.converters import timestamp
from session_fsm.errors import InvalidValue, Problem, pointer_token
from session_fsm.validators import (
    FURTHER_PROBLEMS,
    MOST_PROBLEMS,
    amount,
    integer,
    is_list,
    is_object,
    kind_of,
    limited,
    list_of,
    map_of,
    text,
    time,
)

__all__ = [
    "DEEPEST",
    "EMPTY",
    "AttributeValue",
    "FrozenDict",
    "as_context",
    "attribute_map",
    "freeze_map",
    "freeze_value",
    "json_map",
    "json_value",
    "to_attributes",
]

K = TypeVar("K")
V = TypeVar("V")

AttributeValue: TypeAlias = (
    "str | int | Decimal | bool | tuple[AttributeValue, ...] | Mapping[str, AttributeValue] | None"
)
"""What an attribute holds: a string, a number, a boolean, a time (as RFC 3339 text), a location, or a list."""

_ATTRIBUTE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
DEEPEST = 32
"""The deepest nesting of lists and objects."""


class FrozenDict(dict[K, V]):
    """An immutable dictionary."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> Never:
        raise TypeError("this mapping is read-only; a session's content is changed with update()")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]  # they only refuse

    def __hash__(self) -> int:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]  # unlike any dict, it cannot change
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)


EMPTY: FrozenDict[str, Any] = FrozenDict()
"""The empty mapping."""


def freeze_map(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Convert a mapping to an immutable copy, its lists and objects included."""
    if is_object(value):
        return FrozenDict({key: freeze_value(element, DEEPEST) for key, element in value.items()}) if value else EMPTY
    return value


def to_attributes(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Freeze a mapping and drop names with None."""
    given: Any = value
    if is_object(given):
        return freeze_map({key: element for key, element in given.items() if element is not None})
    return given  # type: ignore[no-any-return]  # the validator refuses it


_TOO_DEEP = object()
"""The placeholder of what is nested too deeply."""


def freeze_value(value: Any, levels: int = DEEPEST) -> Any:
    """Copy a JSON value into tuples and frozen mappings, at most *levels* deep."""
    if is_list(value):
        return tuple(freeze_value(element, levels - 1) for element in value) if levels else _TOO_DEEP
    if is_object(value):
        return (
            FrozenDict({name: freeze_value(member, levels - 1) for name, member in value.items()})
            if levels
            else _TOO_DEEP
        )
    if isinstance(value, datetime):
        return value if time(value) else timestamp(value)
    return value


def json_value(value: object) -> str | list[Problem] | None:
    """Check for a value that JSON can hold, as `freeze_map` leaves it."""
    match value:
        case None | bool():
            return None
        case str():
            return _text(value)
        case int():
            return _integer(value)
        case tuple():
            return _json_list(value)
        case FrozenDict():
            return json_map(value)
        case Decimal() | float():
            return _amount(value)
        case _ if value is _TOO_DEEP:
            return f"is nested deeper than {DEEPEST} levels"
        case datetime():
            return time(value)
        case _:
            return f"{kind_of(value)} cannot be written as JSON"


_text, _integer, _amount, _json_list = text(), integer(), amount(), list_of(json_value)

json_map = map_of(json_value)
"""Check for a JSON object."""


@limited(element=json_value, names=_ATTRIBUTE_NAME.pattern)
def attribute_map(value: object) -> str | list[Problem] | None:
    """Check for a JSON object whose names are those of attributes: a letter, then letters, digits and ``_``."""
    if problem := json_map(value):
        return problem
    names: Any = value
    wrong = (name for name in names if not _ATTRIBUTE_NAME.fullmatch(name))
    problems = [
        Problem(pointer_token(name), "is not the name of an attribute: a letter, then letters, digits and _")
        for name in islice(wrong, MOST_PROBLEMS + 1)
    ]
    return problems if len(problems) <= MOST_PROBLEMS else [*problems[:MOST_PROBLEMS], FURTHER_PROBLEMS]


def as_context(value: object) -> Mapping[str, AttributeValue]:
    """Return the context of a verb, frozen; None is empty.

    Raises:
        InvalidValue: it is not a mapping from names to JSON values.
    """
    if value is None:
        return EMPTY
    given: Any = value
    context = freeze_map(given)
    if problem := json_map(context):
        found = [Problem("", problem)] if isinstance(problem, str) else problem
        raise InvalidValue.of(one.under("/context") for one in found)
    return context
