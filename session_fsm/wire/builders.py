"""The structs into which `msgspec` decodes documents, and the generated functions that turn structs into entities.

`session_fsm.wire.fast_reading` calls `struct_of` and `builder_of` for each class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import MAXYEAR, MINYEAR, datetime
from decimal import Decimal
from enum import StrEnum
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, get_args, get_origin

import msgspec
from attrs import NOTHING, Attribute, fields, frozen

from session_fsm.converters import to_time
from session_fsm.entities import assign
from session_fsm.generated import blank_of, function
from session_fsm.json_values import (
    EMPTY,
    FrozenDict,
    attribute_map,
    freeze_value,
    json_map,
    json_value,
    to_attributes,
)
from session_fsm.session import CustomerSession
from session_fsm.states import State
from session_fsm.validators import AMOUNT_POWERS, check_of, integer, limits_of
from session_fsm.values import CHECKS, CartItem
from session_fsm.wire.kinds import core_of, is_known, lacks_returned_units, own_fields_of

if TYPE_CHECKING:
    from session_fsm.wire.fast_reading import FastReader

__all__ = ["Build", "Member", "SlowPathNeeded", "builder_of", "is_required", "struct_of"]

Build: TypeAlias = "Callable[[Iterable[Any], list[int]], list[Any]]"
"""Turns structs into entities; adds to the numbers of members and of colons in times that it has seen."""


class SlowPathNeeded(ValueError):
    """A document is not plainly right."""


@frozen
class Member:
    """A member of a JSON object: the field that holds it, and how it is read."""

    name: str
    attribute: Attribute[Any]
    read: Callable[[Any, Any], Any]
    """The slow path: reads, converts and validates a JSON value."""
    nested: FastReader | None
    """The reader of the objects that the field holds, if they are of a class of this library."""
    nullable: bool = False
    """Whether null is a value of the field. Otherwise a member that is null counts as omitted."""


# --- Structs -------------------------------------------------------------------------------------------------------


def struct_of(reader: FastReader) -> Any:
    """Return the struct type with the members of *reader*; null, as an omitted member, is the default None."""
    described: list[Any] = []
    names: dict[str, str] = {}
    for number, member in enumerate(reader.members):
        field = f"m{number}"
        names[field] = member.name
        kind = _type(reader.kind, member)
        if member.nullable:
            described.append((field, kind, msgspec.UNSET))
        else:
            described.append((field, kind) if is_required(member) else (field, kind | None, None))
    if reader.has_remaining:
        names["remaining"] = "remainingQuantity"
        described.append(("remaining", _limited(int, integer(at_least=0)) | None, None))
    return msgspec.defstruct(reader.kind.__name__, described, rename=names, gc=False)


def _type(owner: Any, member: Member) -> Any:
    """Return the type as which the decoder reads a member. `Any` is checked when the entity is made."""
    attribute = member.attribute
    kind = core_of(attribute.type)
    if not is_known(owner, attribute) or kind is Decimal:  # the decoder would accept text for a number
        return Any
    check = _check(attribute)
    if member.nested:
        struct: Any = member.nested.struct
        held: dict[Any, Any] = {tuple: list[struct], Mapping: dict[str, struct]}
        return held.get(get_origin(kind), struct)
    if check is attribute_map or check is json_map:
        return dict[str, Any]
    if get_origin(kind) is tuple and (limits := limits_of(check)).element:
        elements: Any = tuple.__class_getitem__((_limited(get_args(kind)[0], limits.element), ...))
        return elements if limits.at_most is None else Annotated[elements, msgspec.Meta(max_length=limits.at_most)]
    if _is_time(kind):
        return str
    if kind in (str, int, bool) or (isinstance(kind, type) and issubclass(kind, StrEnum)):
        return _limited(kind, check)
    return Any


def _limited(kind: Any, check: Any) -> Any:
    """Return the type of values that *check* passes."""
    least, most, *_ = limits_of(check)
    if kind is int:
        return Annotated[int, msgspec.Meta(ge=least, le=most)]
    if kind is str and (least or most is not None):
        return Annotated[str, msgspec.Meta(min_length=least or None, max_length=most)]
    return kind


def is_required(member: Member) -> bool:
    """Whether a document must have the member."""
    return member.attribute.default is NOTHING


def _is_time(kind: Any) -> bool:
    # A library that freezes time may have put a class of its own in the place of `datetime`.
    return isinstance(kind, type) and issubclass(kind, datetime)


def _check(attribute: Attribute[Any]) -> Any:
    return check_of(attribute.validator) or CHECKS.get(attribute.name)


# --- Entities ------------------------------------------------------------------------------------------------------


def builder_of(reader: FastReader) -> Build:
    """Generate the function that turns structs into entities.

    Plainly: ``kind(**{field: convert(value)})`` for each struct. Generated code makes an item in 0.8 us, its
    constructor alone takes 5.
    """
    source = _Source()
    body = source.entity(reader, "struct", "made", "f_")  # so that no field has the name of another variable
    return function(
        "build(structs, counts)",
        [
            "all_made = []",
            "members = colons = 0",
            "for struct in structs:",
            *_indented([*body, "all_made.append(made)"]),
            "counts[0] += members",
            "counts[1] += colons",
            "return all_made",
        ],
        source.known,
    )


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


class _Source:
    """Writes the source of a builder, and keeps the objects that the source names."""

    def __init__(self) -> None:
        self.known: dict[str, Any] = dict(_KNOWN)

    def name(self, held: object) -> str:
        """Return the name of *held* in the source."""
        name = f"held_{len(self.known)}"
        self.known[name] = held
        return name

    def entity(self, reader: FastReader, struct: str, made: str, prefix: str) -> list[str]:
        """Return the lines that make an entity, *made*, of *struct*; their variables begin with *prefix*."""
        variables = {member.name: f"{prefix}{member.attribute.name}" for member in reader.members}
        unpacked = [*variables.values(), *([f"{prefix}remaining"] if reader.has_remaining else [])]
        one = len(unpacked) == 1
        lines = [f"{unpacked[0]} = {struct}.m0" if one else f"{', '.join(unpacked)} = astuple({struct})"]
        required = 0
        for member in reader.members:
            attribute, variable = member.attribute, variables[member.name]
            convert = self.conversion(reader, member, prefix)
            if is_required(member):
                required += 1
                lines += convert
                continue
            omitted = "UNSET" if member.nullable else "None"
            lines += [f"if {variable} is not {omitted}:", *_indented(["members += 1", *convert])]
            default = self.default(reader.kind, attribute)
            if default != omitted:
                lines += ["else:", f"    {variable} = {default}"]
        values = {member.attribute.name: variables[member.name] for member in reader.members}
        for attribute in fields(reader.kind):
            if attribute.name not in values and (attribute.init or is_known(reader.kind, attribute)):
                values[attribute.name] = self.default(reader.kind, attribute)
        if required:
            lines.append(f"members += {required}")
        lines += self.making(reader.kind, values, made)
        if reader.has_remaining:
            lines += [
                f"if {prefix}remaining is not None:",
                "    members += 1",
                f"    if {prefix}returned_quantity + {prefix}remaining != {prefix}quantity: raise SlowPathNeeded",
            ]
        return lines

    def making(self, kind: Any, values: Mapping[str, str], made: str) -> list[str]:
        """Return the lines that make a *kind* with *values*."""
        blank, kind_name = blank_of(kind), self.name(kind)
        if blank is None:
            members = ", ".join(f"{name!r}: {value}" for name, value in values.items())
            lines = [f"{made} = object.__new__({kind_name})", f"assign({made}, {{{members}}})"]
        else:
            assignments = [f"{made}.{name} = {value}" for name, value in values.items()]
            lines = [f"{made} = {self.name(blank)}()", *assignments, f"{made}.__class__ = {kind_name}"]
        if issubclass(kind, CartItem):  # without returned units there is nothing to check
            lines.append(f"if {values['returned_quantity']}: {made}.__attrs_post_init__()")
        elif hasattr(kind, "__attrs_post_init__"):
            lines.append(f"{made}.__attrs_post_init__()")
        if issubclass(kind, CustomerSession):
            lines.append(
                f"if {values['state']} is PARTIALLY_RETURNED and lacks_returned_units({made}): raise SlowPathNeeded"
            )
        return lines

    def default(self, kind: Any, attribute: Attribute[Any]) -> str:
        """Return the expression of the default of a field."""
        if (own := own_fields_of(kind).get(attribute.name)) is not None:
            return f"{self.name(kind.machine.own_fields.default)}({self.name(own)})"
        default = attribute.default
        plain = type(default) in (str, int, bool, NoneType)
        return repr(default) if plain else "EMPTY" if default is EMPTY else self.name(default)

    def conversion(self, reader: FastReader, member: Member, prefix: str) -> list[str]:
        """Return the lines that convert the variable of *member* to what the field holds, or raise."""
        v = f"{prefix}{member.attribute.name}"
        attribute, check = member.attribute, _check(member.attribute)
        kind = core_of(attribute.type)
        known = is_known(reader.kind, attribute)
        if known and member.nested:
            return self.nested_conversion(member.nested, get_origin(kind), v, prefix)
        if known and kind is Decimal:
            read = self.name(_amount_reader(check))
            if limits_of(check).at_least is not None:
                return [f"{v} = {read}({v})"]
            least, most = AMOUNT_POWERS
            return [f"if type({v}) is not Decimal or not {least} <= {v}.adjusted() <= {most}: {v} = {read}({v})"]
        if known and check is attribute_map:
            converter: Any = attribute.converter  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # of any field
            return _frozen_attributes(v, drop_nulls=converter is to_attributes)
        if known and check is json_map:
            return [f"{v} = frozen({v}, counts) or EMPTY"]
        if known and _is_time(kind):
            return [
                f"colons += {v}.count(':')",
                f"{v} = to_time({v})",
                f"if {v} is None or not {MINYEAR} < {v}.year < {MAXYEAR}: raise SlowPathNeeded",
            ]
        if known and _type(reader.kind, member) is not Any:
            return []
        omitted = is_required(member) and not member.nullable
        return [
            *([f"if {v} is None: raise SlowPathNeeded"] if omitted else []),
            f"counts[0] += members_in({v})",
            f"{v} = {self.name(member.read)}({v}, None)",
        ]

    def nested_conversion(self, nested: FastReader, origin: Any, v: str, prefix: str) -> list[str]:
        """Return the lines that make an entity of a struct, a tuple of a list of structs, or a map of a dictionary."""
        if origin is tuple:
            return [f"{v} = tuple({self.name(nested.build)}({v}, counts))"]
        if origin is Mapping:
            key, struct, made = f"key_{prefix}", f"struct_{prefix}", f"made_{prefix}"
            body = [*self.entity(nested, struct, made, f"n{prefix}"), f"{v}[{key}] = {made}"]
            return [
                f"members += len({v})",
                f"for {key}, {struct} in {v}.items():",
                *_indented(body),
                f"{v} = FrozenDict({v}) if {v} else EMPTY",
            ]
        return [f"({v},) = {self.name(nested.build)}(({v},), counts)"]


def _amount_reader(check: Callable[[Any], Any]) -> Callable[[Any], Decimal]:
    """Return the function that reads a number that is not plainly an amount."""

    def read(value: Any) -> Decimal:
        number = Decimal(value) if type(value) is int else value
        if check(number):
            raise SlowPathNeeded
        return number

    return read


def members_in(value: Any) -> int:
    """Return the number of members of all objects in a JSON value."""
    members, waiting = 0, [value]
    while waiting:
        inner: Any = waiting.pop()
        if inner.__class__ is dict:
            members += len(inner)
            waiting.extend(inner.values())
        elif inner.__class__ is list:
            waiting.extend(inner)
    return members


def _frozen_attributes(v: str, *, drop_nulls: bool) -> list[str]:
    """Return the lines that do what `freeze_map` and `attribute_map` do, for the decoded object *v*."""
    lines = [
        f"members += len({v})",
        f"for key, value in {v}.items():",
        "    if key not in ATTRIBUTE_NAMES: add_attribute_name(key)",
        "    of = type(value)",
        "    if of is not str and of is not bool:",
        f"        {v}[key] = frozen(value, counts)",
    ]
    if drop_nulls:
        lines.insert(0, "nulls = False")
        lines.append("        if value is None: nulls = True")
        lines.append(f"if nulls: {v} = {{key: value for key, value in {v}.items() if value is not None}}")
    return [*lines, f"{v} = FrozenDict({v}) if {v} else EMPTY"]


_attribute_names: set[str] = set()
"""Names that are known to be right; most documents have the same few."""


def _add_attribute_name(name: str) -> None:
    if not (name.isidentifier() and name.isascii() and name[0] != "_"):
        raise SlowPathNeeded
    if len(_attribute_names) < 1000:
        _attribute_names.add(name)


def _frozen(value: Any, counts: list[int]) -> Any:
    """Do what `freeze_map` and `json_map` do, for a decoded value."""
    counts[0] += members_in(value)
    frozen_value = freeze_value(value)
    if json_value(frozen_value):
        raise SlowPathNeeded
    return frozen_value


_KNOWN: dict[str, Any] = {
    "ATTRIBUTE_NAMES": _attribute_names,
    "Decimal": Decimal,
    "EMPTY": EMPTY,
    "FrozenDict": FrozenDict,
    "PARTIALLY_RETURNED": State.PARTIALLY_RETURNED,
    "SlowPathNeeded": SlowPathNeeded,
    "UNSET": msgspec.UNSET,
    "add_attribute_name": _add_attribute_name,
    "assign": assign,
    "astuple": msgspec.structs.astuple,
    "frozen": _frozen,
    "lacks_returned_units": lacks_returned_units,
    "members_in": members_in,
    "to_time": to_time,
}
