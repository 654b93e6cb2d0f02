"""The straight way from what a JSON parser returns to an object: generated code, without a call where it can do without.

For each class one function is generated. It takes an object of JSON apart, member by member, holds the glance of each
field's check against it, and sets the field. It knows nothing of problems: whatever is out of the ordinary is `Unusual`
to it, and the careful way has the say. So the two agree as long as a glance is true only of what its check passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum
from types import NoneType
from typing import Any, TypeAlias, get_origin

from attrs import NOTHING, Attribute, fields

from session_fsm.entities import assign
from session_fsm.errors import InvalidValue
from session_fsm.generated import blank_of
from session_fsm.json_values import (
    EMPTY,
    FrozenDict,
    attribute_map,
    freeze_attributes,
    freeze_object,
    json_map,
    to_attributes,
)
from session_fsm.validators import Unusual, check_of, glance_of, text, to_time
from session_fsm.values import CHECKS, CartItem
from session_fsm.wire.kinds import core_of, is_known, own_fields_of

__all__ = ["NOT_STRAIGHT", "StraightReader", "make_straight_reader"]

StraightReader: TypeAlias = Callable[..., Any]
"""Takes an object of JSON, and `Counts` that it adds to."""

NOT_STRAIGHT = (Unusual, KeyError, InvalidValue)
"""What a straight reader raises where it cannot judge: something is unusual, missing, or refused by a class."""

_A_GROUP = 6
"""After so many fields, the reader asks whether there are members left."""


def make_straight_reader(
    kind: Any,
    readers: Mapping[str, tuple[Attribute[Any], Callable[[Any, Any], Any], StraightReader | None]],
    ignored: frozenset[str],
    refused: frozenset[str],
    *,
    strict: bool,
) -> StraightReader:
    """Generate the straight reader of *kind*.

    Args:
        kind: one of this library's classes, all of whose fields it knows.
        readers: for each member by its name, the field, what reads, converts and checks it in the careful way, and
            the straight reader of the class whose objects it holds, if that is one of this library's.
        ignored: members that are passed over even when reading is strict.
        refused: members that are refused even when it is not.
        strict: whether a member that is not known is unusual.
    """
    source = _Source(kind)
    own = own_fields_of(kind)
    attributes = {member: attribute for member, (attribute, _, _) in readers.items()}
    ledger = kind is CartItem and "remainingQuantity" not in ignored
    known = frozenset([*attributes, *(["remainingQuantity"] if ledger else [])])
    required = [member for member, attribute in attributes.items() if attribute.default is NOTHING]
    source.add("if type(document) is not dict:", "    raise Unusual")
    source.add("left = len(document)", "counts.append(left)", f"left -= {len(required)}")
    source.begin()
    for attribute in fields(kind):
        if attribute not in attributes.values() and (attribute.init or is_known(kind, attribute)):
            source.set(attribute, source.default(attribute))
    for member in required:
        source.add(f"v = document[{member!r}]", *_taken(source, *readers[member]))
        source.set(attributes[member], "v")
    if ledger:
        source.add("remaining = document.get('remainingQuantity')", "if remaining is not None:", "    left -= 1")
    optional = {member: source.default(a) for member, a in attributes.items() if member not in required}
    if kind is CartItem and "position" in optional:
        optional["position"] = "place"
    for number, member in enumerate(optional):
        if number and number % _A_GROUP == 0:
            source.add("if not left:")
            source.depth += 1
            for later, default in list(optional.items())[number:]:
                source.set(attributes[later], default)
            source.depth -= 1
            source.add("else:")
            source.depth += 1
        one = own.get(attributes[member].name)
        if one is not None and "null" in one.type.json:  # null is a value, and so is told from what is missing
            source.add(f"if document.get({member!r}, document) is None:", "    raise Unusual")
        source.add(f"if {member!r} in document and (v := document[{member!r}]) is not None:", "    left -= 1")
        source.add(*(f"    {line}" for line in _taken(source, *readers[member])))
        source.set(attributes[member], "v", "    ")
        source.add("else:")
        source.set(attributes[member], optional[member], "    ")
    source.depth = 1
    if ledger:
        source.add(
            "if remaining is not None and (type(remaining) is not int or remaining < 0",
            "                              or made.returned_quantity + remaining != made.quantity):",
            "    raise Unusual",
        )
    source.add("if left:", f"    unknown = document.keys() - {source.name(known)}")
    if strict:
        source.add(f"    if unknown - {source.name(ignored)}:", "        raise Unusual")
    source.add(f"    if not unknown.isdisjoint({source.name(refused)}):", "        raise Unusual")
    source.add("    for name in unknown:", "        counts.add_within(document[name])")
    return source.end()


class _Source:
    """The source of the function that reads *kind*, and the objects that it names."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind
        self._blank = blank_of(kind)
        self._lines: list[str] = []
        self._names: dict[str, Any] = _NAMES | {"kind": kind, "blank": self._blank, "assign": assign}
        self.depth = 1

    def add(self, *lines: str) -> None:
        """Add *lines* at the present depth."""
        self._lines += ["    " * self.depth + line for line in lines]

    def name(self, held: object) -> str:
        """Return a name by which the source may call *held*."""
        name = f"held_{len(self._names)}"
        self._names[name] = held
        return name

    def default(self, attribute: Attribute[Any]) -> str:
        """Return what stands for the default of a field."""
        if (one := own_fields_of(self.kind).get(attribute.name)) is not None:
            return f"{self.name(self.kind.machine.own_fields.default)}({self.name(one)})"
        plain = isinstance(attribute.default, (str, int, NoneType)) and not isinstance(attribute.default, Enum)
        return repr(attribute.default) if plain else self.name(attribute.default)

    def begin(self) -> None:
        """Begin the object."""
        self.add("made = blank()" if self._blank else "values = {}")

    def set(self, attribute: Attribute[Any], value: str, margin: str = "") -> None:
        """Set a field of the object."""
        place = f"made.{attribute.name}" if self._blank else f"values[{attribute.name!r}]"
        self.add(f"{margin}{place} = {value}")

    def end(self) -> StraightReader:
        """Complete the object, and return the function."""
        if self._blank:
            self.add("made.__class__ = kind")
        else:
            self.add("made = object.__new__(kind)", "assign(made, values)")
        if self.kind is CartItem:  # whose ledger needs no checking where nothing came back
            self.add("if made.returned_quantity:", "    made.__attrs_post_init__()")
        elif hasattr(self.kind, "__attrs_post_init__"):
            self.add("made.__attrs_post_init__()")
        self.add("return made")
        exec("\n".join(["def read(document, counts, place=None):", *self._lines]), self._names)  # noqa: S102 - made of names of fields, and of glances
        made: StraightReader = self._names["read"]
        return made


_NAMES: dict[str, Any] = {
    "Decimal": Decimal,
    "EMPTY": EMPTY,
    "FrozenDict": FrozenDict,
    "Unusual": Unusual,
    "datetime": datetime,
    "freeze_attributes": freeze_attributes,
    "freeze_object": freeze_object,
    "to_time": to_time,
}


def _taken(
    source: _Source, attribute: Attribute[Any], read_carefully: Callable[[Any, Any], Any], nested: StraightReader | None
) -> list[str]:
    """Return the lines that make of ``v``, a member, what the field holds."""
    kind, known = core_of(attribute.type), is_known(source.kind, attribute)
    converter: Any = attribute.converter  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # of any field
    if nested is not None and known:
        return _taken_apart(source.name(nested), get_origin(kind), attribute)
    check = check_of(attribute.validator) or CHECKS.get(attribute.name)
    glance = glance_of(check) if check else None
    test = ["if not (" + glance("v") + "):", "    raise Unusual"] if glance else []
    if known:
        if check is attribute_map:
            return [f"v = freeze_attributes(v, counts, nulls={converter is not to_attributes})"]
        if check is json_map:
            return ["v = freeze_object(v, counts)"]
        if test and isinstance(kind, type) and issubclass(kind, datetime):
            return ["v = to_time(v) if type(v) is str else None", *test]
        if test and kind is Decimal:
            conversion = "v = Decimal(v) if type(v) is int else Decimal(repr(v)) if type(v) is float else None"
            return [test[0], f"    {conversion}", *(f"    {line}" for line in test)]
        if test and get_origin(kind) is tuple:
            return ["if type(v) is not list:", "    raise Unusual", "v = tuple(v)", *test]
        if test and kind in (str, int, bool):
            return test
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            members = source.name({member.value: member for member in kind})
            return [f"v = {members}.get(v) if type(v) is str else None", "if v is None:", "    raise Unusual"]
    return ["counts.add_within(v)", f"v = {source.name(read_carefully)}(v, None)"]


def _taken_apart(read: str, origin: Any, attribute: Attribute[Any]) -> list[str]:
    """Return the lines that make of ``v`` the object of a class, or a list or a map of such objects."""
    if origin is tuple:
        # The items of a session know their positions; those of an update get theirs when they lie in a cart.
        placed = attribute.name == "cart_items"
        each = f"{read}(e, counts, i) for i, e in enumerate(v)" if placed else f"{read}(e, counts) for e in v"
        return ["if type(v) is not list:", "    raise Unusual", f"v = tuple([{each}])"]
    if origin is Mapping:
        is_name: Any = glance_of(text())
        return [
            "if type(v) is not dict:",
            "    raise Unusual",
            "counts.append(len(v))",
            "w = {}",
            "for k, e in v.items():",
            f"    if not ({is_name('k')}):",
            "        raise Unusual",
            f"    w[k] = {read}(e, counts)",
            "v = FrozenDict(w) if w else EMPTY",
        ]
    return [f"v = {read}(v, counts)"]
