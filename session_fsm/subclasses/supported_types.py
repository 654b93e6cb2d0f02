"""Which annotations a field of a session subclass may have: `type_of` makes a `FieldType` of one, or says what would work.

The checks of a session class call it for each field that the class adds. ``session_fsm.wire.register_type`` adds types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NewType, TypeVar, Union, get_args, get_origin
from uuid import UUID

from attrs import fields, has
from attrs.exceptions import FrozenError

from session_fsm.converters import to_amount
from session_fsm.subclasses.annotations import resolved_type
from session_fsm.subclasses.field_types import (
    NONE,
    FieldType,
    Literals,
    Map,
    Members,
    Object,
    Registered,
    Scalar,
    Tuple,
    UnionOf,
    Value,
    all_kinds,
    as_it_is,
)
from session_fsm.validators import amount, boolean, instance_of, integer, kind_of, text, time
from session_fsm.values import AdditionalCost, CartItem, ExperimentVariantAllocation, Product, ReturnedCartItem

__all__ = ["UnfitType", "register", "registered", "type_of"]

ALLOWED: Final = (
    "str, int, bool, Decimal, datetime, date, UUID, an Enum, a Literal, tuple[X, ...], Mapping[str, X], a frozen attrs "
    "class, a union of those that JSON tells apart, X | None, or a type registered with session_fsm.wire.register_type"
)
"""What an own field may hold, for messages."""


class UnfitType(ValueError):
    """An own field cannot have this annotation; the text says what would work."""


def _day(value: object) -> str | None:
    """Check for a date without a time."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return None
    return f"{'a time' if isinstance(value, datetime) else kind_of(value)} is not a date"


def _plain_text(value: Any) -> Any:
    return str.__str__(value) if isinstance(value, str) else value


def _plain_integer(value: Any) -> Any:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


_STRING, _NUMBER = frozenset({"string"}), frozenset({"number"})
_SCALARS: dict[Any, Scalar] = {
    str: Scalar(str, _STRING, text(), _plain_text),
    int: Scalar(int, _NUMBER, integer(), _plain_integer),
    bool: Scalar(bool, frozenset({"boolean"}), boolean, as_it_is),
    Decimal: Scalar(Decimal, _NUMBER, amount(total=True), to_amount),
    UUID: Scalar(UUID, _STRING, instance_of(UUID), as_it_is),
    NoneType: NONE,
}
_DATETIME = Scalar(datetime, _STRING, time, as_it_is)
_DATE = Scalar(date, _STRING, _day, as_it_is)
_VALUES = (CartItem, ReturnedCartItem, AdditionalCost, Product, ExperimentVariantAllocation)
_registered: dict[type, Registered] = {}

_INSTEAD: dict[Any, str] = {
    float: "a binary float is not exact; use Decimal",
    list: "a list can change in place; use tuple[{0}, ...]",
    Sequence: "a sequence may be one that can change in place; use tuple[{0}, ...]",
    set: "JSON has no sets; use tuple[{0}, ...]",
    frozenset: "JSON has no sets; use tuple[{0}, ...]",
    dict: "a dictionary can change in place; use Mapping[str, {1}]",
    Any: "nobody can tell how to read it back; keep JSON of any shape in the session's attributes, or",
}


def register(kind: type[Any], write: Callable[[Any], Any], read: Callable[[Any], Any]) -> None:
    """Let own fields of the type *kind* be written by *write* and read by *read*."""
    _registered[kind] = Registered(kind, write, read)


def registered(kind: type[Any]) -> Registered | None:
    """Return the registration of *kind*, or None."""
    return _registered.get(kind)


def type_of(annotation: Any, within: tuple[Any, ...] = ()) -> FieldType:
    """Return the field type of *annotation*, which is fully resolved.

    Args:
        annotation: what a field is annotated with.
        within: the attrs classes in whose fields the annotation was found.

    Raises:
        UnfitType: own fields cannot have it.
    """
    if annotation is None:
        return NONE
    if isinstance(annotation, type):
        return _registered.get(annotation) or _SCALARS.get(annotation) or _class(annotation, within)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_of(arguments[0], within)
    if isinstance(annotation, NewType):
        return type_of(annotation.__supertype__, within)
    if type(annotation).__name__ == "TypeAliasType":  # Python 3.12 and later have it
        return type_of(annotation.__value__, within)
    if origin in (Union, UnionType):
        return _union(annotation, [type_of(member, within) for member in arguments])
    if origin is Literal:
        return _literals(arguments)
    if origin is tuple and len(arguments) == 2 and arguments[1] is ...:
        return Tuple(type_of(arguments[0], within))
    if origin is Mapping and arguments[0] is str:
        return Map(type_of(arguments[1], within))
    raise _unfit(annotation, origin, arguments)


def _class(kind: Any, within: tuple[Any, ...]) -> FieldType:
    if issubclass(kind, date):  # a subclass too: freezegun replaces the class by its own
        return _DATETIME if issubclass(kind, datetime) else _DATE
    if issubclass(kind, Enum):
        return _members(kind)
    if kind in _VALUES:
        return Value(kind)
    if has(kind):
        return _object(kind, within)
    raise _unfit(kind, kind, ())


def _members(kind: type[Enum]) -> FieldType:
    values = [member.value for member in kind]
    if not values or any(type(value) not in (str, int) for value in values):
        raise UnfitType(f"the members of {kind.__name__} must have strings or integers for values")
    return Members(kind, all_kinds(_STRING if isinstance(value, str) else _NUMBER for value in values))


def _literals(values: tuple[Any, ...]) -> FieldType:
    if any(type(value) not in (str, int, bool, NoneType) for value in values):
        raise UnfitType("a Literal must list strings, integers or booleans")
    return Literals(values, all_kinds(_SCALARS[type(value)].json for value in values))


def _object(kind: type[Any], within: tuple[Any, ...]) -> FieldType:
    name = kind.__name__
    if kind in within:
        raise UnfitType(f"{name} holds objects of its own class; register it with session_fsm.wire.register_type")
    if not _is_frozen(kind):
        raise UnfitType(f"objects of {name} can change in place; decorate it with @attrs.frozen")
    held: dict[str, FieldType] = {}
    for attribute in fields(kind):
        if not attribute.init:
            raise UnfitType(f"{name}.{attribute.name} is not an argument of the class, so it cannot be read back")
        try:
            held[attribute.name] = type_of(resolved_type(kind, attribute), (*within, kind))
        except UnfitType as error:
            raise UnfitType(f"{name}.{attribute.name}: {error}") from None
    return Object(kind, held)


def _is_frozen(kind: type[Any]) -> bool:
    try:
        object.__new__(kind).__setattr__("anything", None)
    except FrozenError:
        return True
    except (AttributeError, TypeError):  # it has slots, or is abstract
        return False
    return False


def _union(annotation: Any, members: list[FieldType]) -> FieldType:
    seen: set[str] = set()
    for member in members:
        if seen & member.json:
            kind = min(seen & member.json)
            raise UnfitType(f"{_name(annotation)} cannot be read back: more than one of its types is a {kind} in JSON")
        seen |= member.json
    return UnionOf(tuple(members))


_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")


def _name(annotation: Any) -> str:
    """Return how an annotation is written, without the modules of its types."""
    shown = annotation.__name__ if isinstance(annotation, type) and not get_args(annotation) else repr(annotation)
    return _ADDRESS.sub("", re.sub(r"\b(?:\w+\.)+(?=\w)", "", shown))[:80]


def _unfit(annotation: Any, origin: Any, arguments: tuple[Any, ...]) -> UnfitType:
    """Return what works instead of *annotation*, in words."""
    if isinstance(annotation, TypeVar):
        return UnfitType(f"{annotation.__name__} is a type variable; a field needs a type")
    if origin is tuple:
        return UnfitType(f"{_name(annotation)}: use tuple[{_name(arguments[0]) if arguments else 'str'}, ...]")
    if origin is Mapping:
        return UnfitType(f"{_name(annotation)}: use Mapping[str, X] with a type for X")
    instead = _INSTEAD.get(origin or annotation)
    if instead is None:
        return UnfitType(f"{_name(annotation)} is no type that JSON holds and gives back; use {ALLOWED}")
    names = [*map(_name, arguments), "str", "str"] if arguments else ["str", "str"]
    hint = instead.format(names[0], names[1])
    return UnfitType(f"{hint} use {ALLOWED}" if annotation is Any else hint)
