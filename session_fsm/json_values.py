"""JSON values in attributes and contexts: frozen, exact, and validated.

Objects become `FrozenDict`, lists become tuples, numbers stay integers or decimals. Times that are given as
such are held as the RFC 3339 text that JSON would hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Never, TypeAlias, TypeGuard, TypeVar

from session_fsm.errors import InvalidValue, Problem, pointer_token
from session_fsm.validators import (
    Unusual,
    amount,
    integer,
    is_list,
    is_object,
    kind_of,
    list_of,
    map_of,
    text,
    time,
    timestamp,
)

__all__ = [
    "DEEPEST",
    "EMPTY",
    "AttributeValue",
    "Counts",
    "FrozenDict",
    "NoCounts",
    "as_context",
    "attribute_map",
    "freeze_attributes",
    "freeze_map",
    "freeze_object",
    "is_plain_object",
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
        return FrozenDict({key: _freeze(element, DEEPEST) for key, element in value.items()}) if value else EMPTY
    return value


def to_attributes(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Freeze a mapping and drop names with None."""
    given: Any = value
    if is_object(given):
        return freeze_map({key: element for key, element in given.items() if element is not None})
    return given  # type: ignore[no-any-return]  # the validator refuses it


_TOO_DEEP = object()
"""The placeholder of what is nested too deeply."""


def _freeze(value: Any, levels: int) -> Any:
    """Copy a JSON value into tuples and frozen mappings, at most *levels* deep."""
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


# --- The same for the few types that a JSON parser returns, in one pass ------------------------------


_object_type: Any = dict


def is_plain_object(value: object) -> TypeGuard[dict[Any, Any]]:
    """Whether *value* is an object as a JSON parser returns it."""
    return type(value) is dict


def freeze_object(value: Any, counts: Counts, levels: int = DEEPEST) -> FrozenDict[str, Any]:
    """Do for an object that a JSON parser returned what `freeze_map` and `json_map` do for any, and count its members.

    Args:
        value: the object.
        counts: receives how many members the object has, and each object within it.
        levels: how deep lists and objects may lie in it.

    Raises:
        Unusual: it is not certain that the two would have nothing to say.
    """
    if type(value) is not _object_type:
        raise Unusual
    counts.append(len(value))
    frozen: FrozenDict[str, Any] = FrozenDict(value)
    for name, member in value.items():
        if type(name) is not str or not (name.isascii() or not _text(name)):
            raise Unusual
        if member is not None and type(member) is not bool:
            _replace(frozen, name, _freeze_element(member, counts, levels))
    return frozen or EMPTY


def freeze_attributes(value: Any, counts: Counts, *, nulls: bool) -> FrozenDict[str, Any]:
    """Do what `freeze_object` does for an object whose names are those of attributes, as `attribute_map` checks it.

    Without *nulls*, what is null is left out, as `to_attributes` does.
    """
    if type(value) is not _object_type:
        raise Unusual
    counts.append(len(value))
    if not value:
        return EMPTY
    frozen: FrozenDict[str, Any] = FrozenDict(value)
    null = False
    for name, member in value.items():
        if type(name) is not str or not (name.isascii() and name.isidentifier() and name[0] != "_"):
            raise Unusual
        kind = type(member)  # pyright: ignore[reportUnknownVariableType]  # of any type
        if (kind is str and member.isascii()) or kind is bool:
            continue
        if member is None:
            null = True
        else:
            _replace(frozen, name, _freeze_element(member, counts, DEEPEST))
    if null and not nulls:
        return FrozenDict({name: member for name, member in frozen.items() if member is not None}) or EMPTY
    return frozen


_replace: Any = dict.__setitem__  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]  # of any dict


def _freeze_element(value: Any, counts: Counts, levels: int) -> Any:
    kind = type(value)  # pyright: ignore[reportUnknownVariableType]  # of any type
    if kind is dict and levels:
        return freeze_object(value, counts, levels - 1)
    if kind is list and levels:
        return tuple([_freeze_element(element, counts, levels - 1) for element in value])
    if kind is float:
        value = Decimal(repr(value))
    if (value is None or isinstance(value, (str, int, Decimal))) and not _json(value):
        return value
    raise Unusual


class Counts(list[int]):
    """The number of members of objects that were read from JSON text."""

    __slots__ = ()

    def add_within(self, value: Any) -> None:
        """Add the number of members of all objects in *value*, at any depth."""
        waiting = [value]
        while waiting:
            inner = waiting.pop()
            if is_plain_object(inner):
                self.append(len(inner))
                waiting.extend(inner.values())
            elif is_list(inner):
                waiting.extend(inner)


class NoCounts(Counts):
    """The counter for values that are not from a text, and that may contain themselves; it counts nothing."""

    __slots__ = ()

    def add_within(self, value: Any) -> None:
        """Count nothing."""
