"""Reading and writing the fields that a session subclass adds (own fields), by their types.

The readers and writers of `session_fsm.wire` call `own_reader` and `own_writer`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import partial
from types import NoneType
from typing import Any
from uuid import UUID

from attrs import NOTHING, evolve, fields, has
from cattrs import Converter
from cattrs.errors import StructureHandlerNotFoundError

from session_fsm.converters import timestamp, to_amount, to_time, to_whole
from session_fsm.errors import InvalidValue, Problem, pointer_token
from session_fsm.events import SessionEvent
from session_fsm.json_values import EMPTY, FrozenDict
from session_fsm.session import CustomerSession
from session_fsm.subclasses.field_types import (
    FieldType,
    Map,
    Object,
    Registered,
    Scalar,
    Tuple,
    UnionOf,
    Value,
)
from session_fsm.subclasses.own_fields import OwnField, as_invalid
from session_fsm.subclasses.supported_types import register, registered
from session_fsm.validators import FURTHER_PROBLEMS, MOST_PROBLEMS, is_list, is_object, kind_of, wire_name
from session_fsm.wire.preconf import reads_text_as_amounts

__all__ = [
    "own_reader",
    "own_writer",
    "read_list",
    "read_map",
    "read_scalar",
    "register_type",
    "typed_event",
    "write_own",
    "written_own",
]

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def register_type(kind: type[Any], *, write: Callable[[Any], Any], read: Callable[[Any], Any]) -> None:
    """Allow the type *kind* for own fields of session classes that are defined later.

    Args:
        kind: the class of the values, which must be immutable.
        write: converts a value to a JSON value.
        read: converts the JSON value back; an exception becomes a problem at the field's pointer.

    >>> import ipaddress
    >>> register_type(ipaddress.IPv4Address, write=str, read=ipaddress.IPv4Address)
    """
    register(kind, write, read)


def read_scalar(value: Any, kind: Any, *, of: type, from_text: bool = False) -> Any:
    """Convert a JSON value to the type *of*; with *from_text*, amounts may be text.

    Raises:
        InvalidValue: the value is of another type.
    """
    if isinstance(kind, type) and issubclass(kind, Enum):  # cattrs also applies the hook of a class to its subclasses
        return kind(value)
    if of is Decimal and isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if from_text and of is Decimal and isinstance(value, str):
        return to_amount(value)
    if issubclass(of, datetime) and isinstance(value, str):  # a library that freezes time may have replaced the class
        found = to_time(value)
        if found is None:
            raise InvalidValue("", f'"{value:.40}" is not a time as RFC 3339 writes it')
        return found
    if of is UUID and isinstance(value, str):
        try:
            return UUID(value)
        except ValueError:
            raise InvalidValue("", f'"{value:.40}" is not a UUID') from None
    if isinstance(value, of) and not (of is int and isinstance(value, bool)):
        return value
    words: dict[Any, str] = {
        str: "string",
        int: "integer",
        bool: "boolean",
        Decimal: "number",
        datetime: "time",
        UUID: "UUID",
    }
    raise InvalidValue("", f"{kind_of(value)} is not a {words.get(of, 'time')}".replace("a integer", "an integer"))


# --- Reading -------------------------------------------------------------------------------------------------------


def own_reader(converter: Converter, own_field: OwnField) -> Callable[[Any, Any], Any]:
    """Return the function that reads, converts and validates the value of *own_field*."""
    read = _reader(converter, own_field.type)

    def read_field(value: Any, _: Any) -> Any:
        try:
            result = read(value)
        except InvalidValue as error:
            raise InvalidValue.of(problem.under(own_field.pointer) for problem in error.problems) from None
        return own_field.accept(result)

    return read_field


def _reader(converter: Converter, field_type: FieldType) -> Callable[[Any], Any]:
    match field_type:
        case Tuple():
            return partial(read_list, _reader(converter, field_type.element))
        case Map():
            return partial(read_map, _reader(converter, field_type.element))
        case Object():
            readers = {name: _reader(converter, member) for name, member in field_type.fields.items()}
            return partial(_read_object, field_type, readers)
        case UnionOf():
            return partial(_read_union, [(member.json, _reader(converter, member)) for member in field_type.members])
        case Value():
            return lambda value: converter.structure(value, field_type.kind)
        case Registered():
            return partial(_call_users_function, _users_hook(converter, field_type.kind) or field_type.read)
        case Scalar() if issubclass(field_type.kind, (Decimal, UUID, date)):
            hook = _users_hook(converter, field_type.kind)
            return (
                partial(_call_users_function, hook)
                if hook
                else partial(_read_converted, field_type.kind, reads_text_as_amounts(converter))
            )
        case Scalar() if field_type.kind is int:
            return to_whole
        case _:
            return lambda value: value  # the validator of the field reports a wrong type


def _read_converted(kind: type, from_text: bool, value: Any) -> Any:  # noqa: FBT001 - bound by `partial`
    if kind is not date:
        return read_scalar(value, kind, of=kind, from_text=from_text)
    if not isinstance(value, str):
        raise InvalidValue("", f"{kind_of(value)} is not a date")
    try:
        return date.fromisoformat(value if _DATE.fullmatch(value) else "")
    except ValueError:
        raise InvalidValue("", f'"{value:.40}" is not a date such as 2026-12-31') from None


def _call_users_function(function: Callable[[Any], Any], value: Any) -> Any:
    try:
        return function(value)
    except Exception as error:
        raise as_invalid(error, "") from error


def _read_elements(read: Callable[[Any], Any], elements: Iterable[tuple[Any, str, Any]]) -> list[tuple[Any, Any]]:
    """Read *elements*, each a name, a pointer and a value, and return the names with the results.

    Raises:
        InvalidValue: with the problems of all elements.
    """
    results: list[tuple[Any, Any]] = []
    problems: list[Problem] = []
    for name, pointer, value in elements:
        if len(problems) >= MOST_PROBLEMS:
            raise InvalidValue.of([*problems, FURTHER_PROBLEMS])
        try:
            results.append((name, read(value)))
        except InvalidValue as error:
            problems += (problem.under(pointer) for problem in error.problems)
    if problems:
        raise InvalidValue.of(problems)
    return results


def read_list(read: Callable[[Any], Any], value: Any) -> tuple[Any, ...]:
    """Read a list, each element with *read*.

    Raises:
        InvalidValue: with the problems of all elements, or if it is not a list.
    """
    if not is_list(value):
        raise InvalidValue("", f"{kind_of(value)} is not a list")
    elements = ((i, f"/{i}", element) for i, element in enumerate(value))
    return tuple(element for _, element in _read_elements(read, elements))


def read_map(read: Callable[[Any], Any], value: Any) -> dict[str, Any]:
    """Read an object, each value with *read*, as `read_list` does."""
    if not is_object(value):
        raise InvalidValue("", f"{kind_of(value)} is not an object")
    return dict(_read_elements(read, ((name, pointer_token(str(name)), member) for name, member in value.items())))


def _read_object(object_type: Object, readers: dict[str, Callable[[Any], Any]], value: Any) -> Any:
    if not is_object(value):
        raise InvalidValue("", f"{kind_of(value)} is not an object")
    given: list[tuple[Any, str, Any]] = []
    problems: list[Problem] = []
    for attribute in fields(object_type.kind):
        name, member = attribute.name, value.get(attribute.name)
        if member is not None or (name in value and "null" in object_type.fields[name].json):
            given.append((attribute, pointer_token(name), member))
        elif attribute.default is NOTHING:
            problems.append(Problem(pointer_token(name), "is missing"))

    members: dict[str, Any] = {}
    for attribute, pointer, member in given:
        try:
            members[attribute.alias] = readers[attribute.name](member)
        except InvalidValue as error:
            problems += (problem.under(pointer) for problem in error.problems)
    if problems:
        raise InvalidValue.of(problems)
    return _call_users_function(lambda arguments: object_type.kind(**arguments), members)


_JSON_TYPE_NAMES = {bool: "boolean", int: "number", float: "number", Decimal: "number", str: "string", NoneType: "null"}


def _read_union(readers: list[tuple[frozenset[str], Callable[[Any], Any]]], value: Any) -> Any:
    json_type = "list" if is_list(value) else "object" if is_object(value) else _JSON_TYPE_NAMES.get(value.__class__)
    return next((read(value) for json_types, read in readers if json_type in json_types), value)


# --- Writing -------------------------------------------------------------------------------------------------------


def own_writer(converter: Converter, own_field: OwnField) -> Callable[[Any], Any]:
    """Return the function that converts the value of *own_field* to a JSON value."""

    def write_field(value: Any) -> Any:
        try:
            return write_own(converter, value)
        except Exception as error:
            raise as_invalid(error, own_field.pointer) from error

    return write_field


_JSON_TYPES = frozenset({str, int, bool, Decimal, NoneType})


def write_own(converter: Converter, value: Any) -> Any:
    """Return the value of an own field as a JSON value."""
    kind: Any = value.__class__
    registration = next((found for base in kind.__mro__ if (found := registered(base))), None)
    if registration or isinstance(value, (Decimal, datetime, date, UUID)):
        hook = _users_hook(converter, kind, write=True) or (registration and registration.write)
        if hook:
            return hook(value)
    if kind in _JSON_TYPES:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if is_list(value):
        return [write_own(converter, element) for element in value]
    if is_object(value):
        return {name: write_own(converter, member) for name, member in value.items()}
    if has(kind) and not kind.__module__.startswith("session_fsm."):
        return {attribute.name: write_own(converter, getattr(value, attribute.name)) for attribute in fields(kind)}
    return converter.unstructure(value)


_DEFAULT_CONVERTER = Converter()


def _users_hook(converter: Converter, kind: type, *, write: bool = False) -> Callable[[Any], Any] | None:
    """Return the hook that the user has registered for *kind* with *converter*, or None."""
    hook, default = _hook(converter, kind, write=write), _hook(_DEFAULT_CONVERTER, kind, write=write)
    if hook is None or _function(hook) is _function(default) or _function(hook) in (read_scalar, timestamp, str):
        return None
    return hook if write else lambda value: hook(value, kind)


def _hook(converter: Converter, kind: type, *, write: bool) -> Any:
    try:
        return converter.get_unstructure_hook(kind) if write else converter.get_structure_hook(kind)
    except StructureHandlerNotFoundError:
        return None


def _function(hook: Any) -> Any:
    """Return the function behind a method or a partial object."""
    return getattr(hook, "__func__", getattr(hook, "func", hook))


# --- Events --------------------------------------------------------------------------------------------------------


def written_own(converter: Converter, own: Any) -> dict[str, Any]:
    """Return the own fields of an update as the JSON object in an event."""
    return {wire_name(name.lstrip("_")): write_own(converter, value) for name, value in own.items()}


def typed_event(event: SessionEvent, session_class: type[CustomerSession], converter: Converter) -> SessionEvent:
    """Return *event* with the own fields of its change converted to the types of *session_class*.

    A field that the class no longer has keeps its JSON value.

    Raises:
        InvalidValue: a value is not of its field's type.
    """
    change: Any = event.change
    own = getattr(change, "own", EMPTY)
    if not own:
        return event
    by_wire_name = {wire_name(f.name.lstrip("_")): f for f in session_class.machine.own_fields.by_name.values()}
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, value in own.items():
        found = by_wire_name.get(name)
        try:
            values[found.name if found else name] = own_reader(converter, found)(value, None) if found else value
        except InvalidValue as error:
            problems += (problem.under("/change/ownFields") for problem in error.problems)
    if problems:
        raise InvalidValue.of(problems)
    return evolve(event, change=evolve(change, own=FrozenDict(values)))
