"""The fields that a subclass of the session adds, read from JSON and written to it by their types."""

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
    register,
    registered,
)
from session_fsm.subclasses.own_fields import OwnField, as_invalid
from session_fsm.validators import (
    FURTHER_PROBLEMS,
    MOST_PROBLEMS,
    is_list,
    is_object,
    kind_of,
    timestamp,
    to_amount,
    to_time,
    to_whole,
    wire_name,
)
from session_fsm.wire.preconf import reads_text_as_amounts

__all__ = ["own_reader", "own_writer", "read_scalar", "register_type", "typed_event", "write_own", "written_own"]

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def register_type(kind: type[Any], *, write: Callable[[Any], Any], read: Callable[[Any], Any]) -> None:
    """Let own fields of session classes that are made from now on have the type *kind*.

    Args:
        kind: the class of the values, which cannot change in place.
        write: turns a value into what JSON can hold.
        read: turns that into the value again; whatever it raises is reported at the field's place.

    >>> import ipaddress
    >>> register_type(ipaddress.IPv4Address, write=str, read=ipaddress.IPv4Address)
    """
    register(kind, write, read)


def read_scalar(value: Any, kind: Any, *, of: type, from_text: bool = False) -> Any:
    """Read what JSON has no type of its own for, and refuse what is of another; amounts *from text* where they stand so."""
    if isinstance(kind, type) and issubclass(kind, Enum):  # cattrs takes the hook of a class for its subclasses too
        return kind(value)
    if of is Decimal and isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if from_text and of is Decimal and isinstance(value, str):
        return to_amount(value)
    if issubclass(of, datetime) and isinstance(value, str):  # a test clock may have put its own class in the place
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


def own_reader(converter: Converter, one: OwnField) -> Callable[[Any, Any], Any]:
    """Return the function that reads one field, converts and checks its value."""
    read = _reader(converter, one.type)

    def read_field(value: Any, _: Any) -> Any:
        try:
            held = read(value)
        except InvalidValue as error:
            raise InvalidValue.of(problem.under(one.pointer) for problem in error.problems) from None
        return one.accept(held)

    return read_field


def _reader(converter: Converter, held: FieldType) -> Callable[[Any], Any]:
    match held:
        case Tuple():
            return partial(_read_list, _reader(converter, held.element))
        case Map():
            return partial(_read_map, _reader(converter, held.element))
        case Object():
            inner = {name: _reader(converter, member) for name, member in held.fields.items()}
            return partial(_read_object, held, inner)
        case UnionOf():
            return partial(_read_union, [(member.json, _reader(converter, member)) for member in held.members])
        case Value():
            return lambda value: converter.structure(value, held.kind)
        case Registered():
            return partial(_read_foreign, _users_hook(converter, held.kind) or held.read)
        case Scalar() if issubclass(held.kind, (Decimal, UUID, date)):
            hook = _users_hook(converter, held.kind)
            return (
                partial(_read_foreign, hook)
                if hook
                else partial(_read_word, held.kind, reads_text_as_amounts(converter))
            )
        case Scalar() if held.kind is int:
            return to_whole
        case _:
            return lambda value: value  # the check knows what to say of it


def _read_word(kind: type, from_text: bool, value: Any) -> Any:  # noqa: FBT001 - a part of the function that it makes
    if kind is not date:
        return read_scalar(value, kind, of=kind, from_text=from_text)
    if not isinstance(value, str):
        raise InvalidValue("", f"{kind_of(value)} is not a date")
    try:
        return date.fromisoformat(value if _DATE.fullmatch(value) else "")
    except ValueError:
        raise InvalidValue("", f'"{value:.40}" is not a date such as 2026-12-31') from None


def _read_foreign(read: Callable[[Any], Any], value: Any) -> Any:
    try:
        return read(value)
    except Exception as error:
        raise as_invalid(error, "") from error


def _collected(read: Callable[[Any], Any], elements: Iterable[tuple[Any, str, Any]]) -> list[tuple[Any, Any]]:
    """Read elements, each with its name and place, and report the problems of all of them together."""
    held: list[tuple[Any, Any]] = []
    problems: list[Problem] = []
    for name, place, value in elements:
        if len(problems) >= MOST_PROBLEMS:
            raise InvalidValue.of([*problems, FURTHER_PROBLEMS])
        try:
            held.append((name, read(value)))
        except InvalidValue as error:
            problems += (problem.under(place) for problem in error.problems)
    if problems:
        raise InvalidValue.of(problems)
    return held


def _read_list(read: Callable[[Any], Any], value: Any) -> Any:
    if not is_list(value):
        raise InvalidValue("", f"{kind_of(value)} is not a list")
    return tuple(element for _, element in _collected(read, ((i, f"/{i}", one) for i, one in enumerate(value))))


def _read_map(read: Callable[[Any], Any], value: Any) -> Any:
    if not is_object(value):
        raise InvalidValue("", f"{kind_of(value)} is not an object")
    return dict(_collected(read, ((name, pointer_token(str(name)), one) for name, one in value.items())))


def _read_object(held: Object, readers: dict[str, Callable[[Any], Any]], value: Any) -> Any:
    if not is_object(value):
        raise InvalidValue("", f"{kind_of(value)} is not an object")
    given: list[tuple[Any, str, Any]] = []
    problems: list[Problem] = []
    for attribute in fields(held.kind):
        name, found = attribute.name, value.get(attribute.name)
        if found is not None or (name in value and "null" in held.fields[name].json):
            given.append((attribute, pointer_token(name), found))
        elif attribute.default is NOTHING:
            problems.append(Problem(pointer_token(name), "is missing"))

    members: dict[str, Any] = {}
    for attribute, place, member in given:
        try:
            members[attribute.alias] = readers[attribute.name](member)
        except InvalidValue as error:
            problems += (problem.under(place) for problem in error.problems)
    if problems:
        raise InvalidValue.of(problems)
    return _read_foreign(lambda named: held.kind(**named), members)


_KINDS = {bool: "boolean", int: "number", float: "number", Decimal: "number", str: "string", NoneType: "null"}


def _read_union(readers: list[tuple[frozenset[str], Callable[[Any], Any]]], value: Any) -> Any:
    kind = "list" if is_list(value) else "object" if is_object(value) else _KINDS.get(value.__class__)
    return next((read(value) for kinds, read in readers if kind in kinds), value)


# --- Writing -------------------------------------------------------------------------------------------------------


def own_writer(converter: Converter, one: OwnField) -> Callable[[Any], Any]:
    """Return the function that turns what one field holds into what JSON can hold."""

    def write_field(value: Any) -> Any:
        try:
            return write_own(converter, value)
        except Exception as error:
            raise as_invalid(error, one.pointer) from error

    return write_field


_PLAIN = frozenset({str, int, bool, Decimal, NoneType})


def write_own(converter: Converter, value: Any) -> Any:
    """Turn what an own field holds into what JSON can hold."""
    kind: Any = value.__class__
    foreign = next((found for base in kind.__mro__ if (found := registered(base))), None)
    if foreign or isinstance(value, (Decimal, datetime, date, UUID)):
        hook = _users_hook(converter, kind, write=True) or (foreign and foreign.write)
        if hook:
            return hook(value)
    if kind in _PLAIN:
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


_FRESH = Converter()


def _users_hook(converter: Converter, kind: type, *, write: bool = False) -> Callable[[Any], Any] | None:
    """Return the hook that somebody has registered for *kind* with a converter of their own, or None."""
    hook, usual = _hook(converter, kind, write=write), _hook(_FRESH, kind, write=write)
    if hook is None or _function(hook) is _function(usual) or _function(hook) in (read_scalar, timestamp, str):
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
    """Return the own fields of an update as an event's JSON holds them."""
    return {wire_name(name.lstrip("_")): write_own(converter, value) for name, value in own.items()}


def typed_event(event: SessionEvent, session_class: type[CustomerSession], converter: Converter) -> SessionEvent:
    """Return *event* with the own fields of its change read by the types of *session_class*.

    A field that the class does not have any more stays as it was read.

    Raises:
        InvalidValue: a value is none of its field's type.
    """
    change: Any = event.change
    own = getattr(change, "own", EMPTY)
    if not own:
        return event
    known = {wire_name(one.name.lstrip("_")): one for one in session_class.machine.own_fields.by_name.values()}
    held: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, value in own.items():
        one = known.get(name)
        try:
            held[one.name if one else name] = own_reader(converter, one)(value, None) if one else value
        except InvalidValue as error:
            problems += (problem.under("/change/ownFields") for problem in error.problems)
    if problems:
        raise InvalidValue.of(problems)
    return evolve(event, change=evolve(change, own=FrozenDict(held)))
