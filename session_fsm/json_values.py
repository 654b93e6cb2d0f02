"""JSON values as they are held: frozen, exact, and checked to be JSON.

Objects become `FrozenDict`, lists become tuples, numbers stay integers or decimals. Times that are given as
such are held as the RFC 3339 text that JSON would hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Never, TypeAlias, TypeVar

from session_fsm.errors import Problem, pointer_token
from session_fsm.scalars import amount, integer, is_list, is_object, kind_of, list_of, map_of, text, time, timestamp

__all__ = [
    "DEEPEST",
    "EMPTY",
    "AttributeValue",
    "FrozenDict",
    "attribute_map",
    "freeze_map",
    "json_map",
    "to_attributes",
]

K = TypeVar("K")
V = TypeVar("V")

AttributeValue: TypeAlias = (
    "str | int | Decimal | bool | tuple[AttributeValue, ...] | Mapping[str, AttributeValue] | None"
)
"""What an attribute holds: a string, a number, a boolean, a time (as RFC 3339 text), a location, or a list."""

_ATTRIBUTE_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
DEEPEST = 32
"""So many lists and objects may lie in one another."""


class FrozenDict(dict[K, V]):
    """A dictionary that nobody can change: what a session or a value hands out stays as it is."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> Never:
        raise TypeError("this mapping is read-only; a session's content is changed with update()")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]

    def __hash__(self) -> int:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)


EMPTY: FrozenDict[str, Any] = FrozenDict()
"""The empty mapping that all values share."""


def freeze_map(value: Mapping[str, V]) -> Mapping[str, V]:
    """Convert a mapping to one of its own that nobody can change, its lists and objects included."""
    if is_object(value):
        return FrozenDict({key: _freeze(element, DEEPEST) for key, element in value.items()}) if value else EMPTY
    return value


def to_attributes(value: Mapping[str, V | None]) -> Mapping[str, V]:
    """Freeze a mapping and leave out what is null: an attribute without a value is not there."""
    given: Any = value
    if is_object(given):
        return freeze_map({key: element for key, element in given.items() if element is not None})
    return given  # type: ignore[no-any-return]  # the validator says what is wrong with it


_TOO_DEEP = object()
"""Stands for what lies too deep to be held."""


def _freeze(value: Any, levels: int) -> Any:
    """Copy a JSON value into tuples and frozen mappings, so many *levels* deep."""
    if is_list(value):
        return tuple(_freeze(element, levels - 1) for element in value) if levels else _TOO_DEEP
    if is_object(value):
        return (
            FrozenDict({name: _freeze(member, levels - 1) for name, member in value.items()}) if levels else _TOO_DEEP
        )
    if isinstance(value, datetime):
        return value if time(value) else timestamp(value)
    return value


def _json(value: object) -> str | list[Problem] | None:
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


_text, _integer, _amount, _json_list = text(), integer(), amount(), list_of(_json)

json_map = map_of(_json)
"""Check for a JSON object."""


def attribute_map(value: object) -> str | list[Problem] | None:
    """Check for a JSON object whose names are those of attributes: a letter, then letters, digits and ``_``."""
    if problem := json_map(value):
        return problem
    names: Any = value
    return [
        Problem(pointer_token(name), "is not the name of an attribute: a letter, then letters, digits and _")
        for name in names
        if not _ATTRIBUTE_NAME.fullmatch(name)
    ]
