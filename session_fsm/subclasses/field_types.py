"""The types that a field of a session subclass may have: what each accepts, and how its values are told apart in JSON.

`type_of` turns an annotation into a `FieldType` when a session class is made, or says what would work instead. A type
converts what it is given to a frozen form (a list to a tuple, a dictionary to a `FrozenDict`) and checks it, as
`session_fsm.validators` does for the library's own fields. ``session_fsm.wire.own_fields`` reads and writes the values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NewType, TypeAlias, TypeVar, Union, get_args, get_origin
from uuid import UUID

from attrs import evolve, field, fields, frozen, has
from attrs.exceptions import FrozenError

from session_fsm.errors import Problem, pointer_token
from session_fsm.json_values import EMPTY, FrozenDict
from session_fsm.subclasses.annotations import resolved_type
from session_fsm.validators import (
    Check,
    amount,
    boolean,
    instance_of,
    integer,
    is_object,
    kind_of,
    list_of,
    map_of,
    text,
    time,
    to_amount,
    to_tuple,
)
from session_fsm.values import AdditionalCost, CartItem, ExperimentVariantAllocation, Product, ReturnedCartItem

__all__ = [
    "FieldType",
    "Literals",
    "Map",
    "Members",
    "Object",
    "Registered",
    "Scalar",
    "Tuple",
    "UnfitType",
    "UnionOf",
    "Value",
    "register",
    "type_of",
]

ALLOWED: Final = (
    "str, int, bool, Decimal, datetime, date, UUID, an Enum, a Literal, tuple[X, ...], Mapping[str, X], a frozen attrs "
    "class, a union of those that JSON tells apart, X | None, or a type registered with session_fsm.wire.register_type"
)
"""What an own field may hold, for messages."""

_ANYTHING = frozenset({"string", "number", "boolean", "list", "object"})


class UnfitType(ValueError):
    """An own field cannot have this annotation; the text says what would work."""


@frozen
class Scalar:
    """A plain type, such as `Decimal`, which JSON holds as one value of a *kind*."""

    kind: type
    json: frozenset[str]
    check: Check
    convert: Callable[[Any], Any]


@frozen
class Members:
    """An enumeration, which JSON holds by the values of its members."""

    kind: type[Enum]
    json: frozenset[str]

    def convert(self, value: Any) -> Any:
        """Return the member that has *value*, if there is one."""
        return value if isinstance(value, self.kind) else next((m for m in self.kind if _same(m.value, value)), value)

    def check(self, value: object) -> str | None:
        """Check for a member."""
        if isinstance(value, self.kind):
            return None
        return f"{_shown(value)} is none of: {_some(str(member.value) for member in self.kind)}"


@frozen
class Literals:
    """Some strings, integers or booleans, and perhaps None."""

    values: tuple[Any, ...]
    json: frozenset[str]

    def convert(self, value: Any) -> Any:
        """Return *value*, or the literal that equals a string of another class."""
        plain = str.__str__(value) if isinstance(value, str) else value
        return next((literal for literal in self.values if _same(literal, plain)), value)

    def check(self, value: object) -> str | None:
        """Check for one of the values."""
        if any(_same(literal, value) for literal in self.values):
            return None
        return f"{_shown(value)} is none of: {_some(map(str, self.values))}"


@frozen
class Tuple:
    """A list of any length, held as a tuple."""

    element: FieldType
    json = frozenset({"list"})

    def convert(self, value: Any) -> Any:
        """Convert any list-like value to a tuple of converted elements."""
        held: Any = to_tuple(value)
        return tuple(map(self.element.convert, held)) if isinstance(held, tuple) else held  # pyright: ignore[reportUnknownArgumentType]  # of any type

    def check(self, value: object) -> str | list[Problem] | None:
        """Check for a tuple whose every element passes."""
        return list_of(self.element.check)(value)


@frozen
class Map:
    """An object with any names, held as a `FrozenDict`."""

    element: FieldType
    json = frozenset({"object"})

    def convert(self, value: Any) -> Any:
        """Convert a mapping to a frozen one with converted values."""
        if not is_object(value):
            return value
        return FrozenDict({name: self.element.convert(member) for name, member in value.items()}) or EMPTY

    def check(self, value: object) -> str | list[Problem] | None:
        """Check for a mapping from strings to values that pass."""
        return map_of(self.element.check)(value)


@frozen
class Object:
    """A frozen attrs class, held as an object of JSON with a member for each field, by the field's name."""

    kind: type[Any]
    fields: Mapping[str, FieldType]
    json = frozenset({"object"})

    def convert(self, value: Any) -> Any:
        """Convert what the fields of an object hold."""
        if type(value) is not self.kind:
            return value
        held = {name: getattr(value, name) for name in self.fields}
        new = {name: self.fields[name].convert(member) for name, member in held.items()}
        aliases = {attribute.name: attribute.alias for attribute in fields(self.kind)}
        changed = {aliases[name]: member for name, member in new.items() if member is not held[name]}
        return evolve(value, **changed) if changed else value

    def check(self, value: object) -> str | list[Problem] | None:
        """Check for an object of exactly this class, whose every field passes."""
        if type(value) is not self.kind:
            return f"{kind_of(value)} is not a {self.kind.__name__}"
        found: list[Problem] = []
        for name, field_type in self.fields.items():
            problem = field_type.check(getattr(value, name))
            if isinstance(problem, str):
                found.append(Problem(pointer_token(name), problem))
            elif problem:
                found += [inner.under(pointer_token(name)) for inner in problem]
        return found or None


@frozen
class Value:
    """A class of this library, such as `CartItem`."""

    kind: type[Any]
    json = frozenset({"object"})

    def convert(self, value: Any) -> Any:
        """Return *value*; these classes convert by themselves."""
        return value

    def check(self, value: object) -> str | list[Problem] | None:
        """Check for an object of the class."""
        return instance_of(self.kind)(value)


@frozen
class Registered:
    """A type that was registered with functions that write and read its values."""

    kind: type[Any]
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]
    json = _ANYTHING

    def convert(self, value: Any) -> Any:
        """Return *value* as it is."""
        return value

    def check(self, value: object) -> str | None:
        """Check for an object of the type."""
        return None if isinstance(value, self.kind) else f"{kind_of(value)} is not a {self.kind.__name__}"


@frozen
class UnionOf:
    """One of several types that JSON tells apart by kind."""

    members: tuple[FieldType, ...]
    json: frozenset[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "json", _all(member.json for member in self.members))

    def convert(self, value: Any) -> Any:
        """Return *value* if it is valid, otherwise as converted by a member, preferably one that then accepts it."""
        if self.check(value) is None:
            return value
        converted = [(member, member.convert(value)) for member in self.members]
        right = (held for member, held in converted if not member.check(held))
        return next(right, next((held for _, held in converted if held is not value), value))

    def check(self, value: object) -> str | list[Problem] | None:
        """Check for a value of any of the types; the problems are those of the most similar type."""
        problems = [member.check(value) for member in self.members]
        if not all(problems):
            return None
        return next((found for found in problems if isinstance(found, list)), None) or self._text(problems)

    def _text(self, problems: list[str | list[Problem] | None]) -> str:
        texts = [found for found in problems if isinstance(found, str)]
        if len(self.members) == 2 and NONE in self.members:
            return texts[0] if self.members[1] is NONE else texts[1]
        return "; ".join(texts)


FieldType: TypeAlias = "Scalar | Members | Literals | Tuple | Map | Object | Value | Registered | UnionOf"
"""What an own field may hold. Each has ``json``, the kinds of JSON values that hold it, ``convert`` and ``check``."""


def _same(one: object, other: object) -> bool:
    """Whether two values are equal and of one type; 1 and True are not."""
    return type(one) is type(other) and one == other


def _shown(value: object) -> str:
    return f'"{value:.40}"' if isinstance(value, str) else kind_of(value)


def _some(words: Iterable[str]) -> str:
    listed = [*words]
    return ", ".join(listed[:20]) + (", ..." if len(listed) > 20 else "")


def _day(value: object) -> str | None:
    """Check for a date without a time."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return None
    return f"{'a time' if isinstance(value, datetime) else kind_of(value)} is not a date"


def _nothing(value: object) -> str | None:
    return None if value is None else f"{kind_of(value)} is not null"


def _as_it_is(value: Any) -> Any:
    return value


def _plain_text(value: Any) -> Any:
    return str.__str__(value) if isinstance(value, str) else value


def _plain_integer(value: Any) -> Any:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


_STRING, _NUMBER = frozenset({"string"}), frozenset({"number"})
NONE = Scalar(NoneType, frozenset({"null"}), _nothing, _as_it_is)
"""The type of None."""
_SCALARS: dict[Any, Scalar] = {
    str: Scalar(str, _STRING, text(), _plain_text),
    int: Scalar(int, _NUMBER, integer(), _plain_integer),
    bool: Scalar(bool, frozenset({"boolean"}), boolean, _as_it_is),
    Decimal: Scalar(Decimal, _NUMBER, amount(total=True), to_amount),
    UUID: Scalar(UUID, _STRING, instance_of(UUID), _as_it_is),
    NoneType: NONE,
}
_DATETIME = Scalar(datetime, _STRING, time, _as_it_is)
_DATE = Scalar(date, _STRING, _day, _as_it_is)
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
    return Members(kind, _all(_STRING if isinstance(value, str) else _NUMBER for value in values))


def _literals(values: tuple[Any, ...]) -> FieldType:
    if any(type(value) not in (str, int, bool, NoneType) for value in values):
        raise UnfitType("a Literal must list strings, integers or booleans")
    return Literals(values, _all(_SCALARS[type(value)].json for value in values))


def _all(kinds: Iterable[frozenset[str]]) -> frozenset[str]:
    none: frozenset[str] = frozenset()
    return none.union(*kinds)


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
