"""The types of the fields that session subclasses add: what each accepts, and which JSON values hold it.

A type converts what it is given to a frozen form (a list to a tuple, a dictionary to a `FrozenDict`) and checks it, as
`session_fsm.validators` does for the library's own fields. `session_fsm.subclasses.supported_types` makes the types of
annotations when a session class is made; ``session_fsm.wire.own_fields`` reads and writes their values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from types import NoneType
from typing import Any, TypeAlias

from attrs import evolve, field, fields, frozen

from session_fsm.converters import to_tuple
from session_fsm.errors import Problem, pointer_token
from session_fsm.json_values import EMPTY, FrozenDict
from session_fsm.validators import Check, instance_of, is_object, kind_of, list_of, map_of

__all__ = [
    "NONE",
    "FieldType",
    "Literals",
    "Map",
    "Members",
    "Object",
    "Registered",
    "Scalar",
    "Tuple",
    "UnionOf",
    "Value",
    "all_kinds",
    "as_it_is",
]

_ANYTHING = frozenset({"string", "number", "boolean", "list", "object"})


@frozen
class Scalar:
    """A plain type, such as `Decimal`, which JSON holds as one value of a *kind*."""

    kind: type
    json: frozenset[str]
    check: Check
    convert: Callable[[Any], Any]


def as_it_is(value: Any) -> Any:
    """Return *value*: the conversion of a type that needs none."""
    return value


def _nothing(value: object) -> str | None:
    return None if value is None else f"{kind_of(value)} is not null"


NONE = Scalar(NoneType, frozenset({"null"}), _nothing, as_it_is)
"""The type of None."""


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
        object.__setattr__(self, "json", all_kinds(member.json for member in self.members))

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


def all_kinds(kinds: Iterable[frozenset[str]]) -> frozenset[str]:
    """Return the union of these kinds of JSON values."""
    none: frozenset[str] = frozenset()
    return none.union(*kinds)
