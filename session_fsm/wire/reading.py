"""From what a JSON parser returns to sessions, updates, returns and events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, get_args, get_origin
from uuid import UUID

from attrs import Attribute, evolve, fields
from cattrs import ClassValidationError, Converter
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn, override

from session_fsm.converters import to_member, to_whole
from session_fsm.errors import InvalidValue, Problem, pointer_token
from session_fsm.events import SessionEvent
from session_fsm.json_values import DEEPEST, freeze_map, json_map
from session_fsm.session import CustomerSession
from session_fsm.subclasses.own_fields import as_invalid
from session_fsm.validators import FURTHER_PROBLEMS, MOST_PROBLEMS, integer, is_list, is_object, kind_of, wire_name
from session_fsm.values import CartItem, SessionUpdate
from session_fsm.wire.kinds import (
    ReturnRequest,
    core_of,
    is_known,
    is_ours,
    lacks_returned_units,
    member_name,
    own_fields_of,
    python_names,
    resolve,
    wrapper_of,
)
from session_fsm.wire.own_fields import own_reader, read_list, read_map, read_scalar
from session_fsm.wire.preconf import reads_text_as_amounts

if TYPE_CHECKING:
    from session_fsm.wire.fast_reading import FastReader

__all__ = ["fast_reader_of", "make_reader"]

_integer = integer()

Reader: TypeAlias = Callable[[Any, Any], Any]


def make_reader(converter: Converter, kind: Any, *, strict: bool, of_request: bool = False) -> Reader:
    """Return the function that reads *kind* from what a JSON parser returns.

    The fast path reads documents that are plainly right. The slow path, which cattrs generates, goes through any other
    document field by field and reports all problems; it defines what is right.
    """
    from session_fsm.wire.fast_reading import FastReader, Member  # noqa: PLC0415 - msgspec is imported when JSON is read

    resolve(kind)
    own = own_fields_of(kind)
    # Null is a value of an own field whose type has it, because the default may be another.
    nullable = {member_name(one.attribute) for one in own.values() if "null" in one.type.json}
    skipped = {a.name for a in fields(kind) if of_request and a.metadata.get("read_only")}
    skipped |= {a.name for a in fields(kind) if not a.metadata.get("of_talon_one", True)}
    fast_members: list[Member] = []
    overrides: dict[str, Any] = {name: override(omit=True) for name in skipped}
    for attribute in fields(kind):
        if not attribute.init or attribute.name in skipped:
            continue
        name = member_name(attribute)
        inner = _inner_reader(converter, kind, attribute, strict=strict)
        if attribute.name in own:
            read_field: Reader = own_reader(converter, own[attribute.name])
        else:
            read_field = partial(_read_field, _field_reader(converter, kind, attribute, inner), attribute)
        fast_members.append(Member(name, attribute, read_field, fast_reader_of(inner), name in nullable))
        overrides[attribute.name] = override(rename=name, struct_hook=read_field)
    read_fields = make_dict_structure_fn(
        kind, converter, _cattrs_forbid_extra_keys=strict, _cattrs_detailed_validation=True, **overrides
    )
    ignored = _ignored(kind, of_request=of_request)
    names = {attribute.name: member_name(attribute) for attribute in fields(kind)}
    pythonic = python_names(kind)
    is_session = issubclass(kind, CustomerSession)

    def read_object(document: Any, _: Any = None) -> Any:
        if not is_object(document):
            raise InvalidValue("", f"{kind_of(document)} is not an object")
        members = {
            name: value
            for name, value in document.items()
            if (value is not None or name in nullable) and name not in ignored
        }
        problems = [
            Problem(pointer_token(name), f'is the name of a field in Python; in JSON it is "{pythonic[name]}"')
            for name in members.keys() & pythonic.keys()
        ]
        members = {name: value for name, value in members.items() if name not in pythonic}
        if is_session and "updated" not in members and "created" in members:
            members["updated"] = members["created"]  # W-28
        try:
            made = read_fields(members, kind)
        except ClassValidationError as error:
            found = _problems(error, names)
            if document.get("updated") is None:
                found = [problem for problem in found if problem.pointer != "/updated" or "created" not in document]
            raise InvalidValue.of([*problems, *found]) from None
        if problems:
            raise InvalidValue.of(problems)
        if is_session and lacks_returned_units(made):
            raise InvalidValue("/cartItems", "the session is partially_returned, but no item has returned units")
        return made

    read = _with_ledger(read_object) if issubclass(kind, CartItem) and not of_request else read_object
    foreign = any(a.init and a.name not in own and not is_known(kind, a) for a in fields(kind))
    if foreign or any(one.needs_session for one in own.values()):
        return read
    fast = FastReader(kind, fast_members, refused=frozenset(pythonic), wrapper=wrapper_of(kind), of_request=of_request)
    return _fast_first(fast, read, strict=strict)


def _fast_first(fast: FastReader, read_slowly: Reader, *, strict: bool) -> Reader:
    """Read on the fast path, and on the slow one what that leaves to it."""
    from session_fsm.wire.fast_reading import FALL_BACK  # noqa: PLC0415 - as above

    def read(document: Any, kind: Any = None) -> Any:
        try:
            return fast.read_document(document, strict=strict)
        except FALL_BACK:
            pass
        return read_slowly(document, kind)

    setattr(read, "fast", fast)  # noqa: B010 - functions take attributes, though their type does not say so
    return read


def fast_reader_of(reader: Reader | None) -> FastReader | None:
    """Return the fast path of what `make_reader` has made, if it has one."""
    return getattr(reader, "fast", None)


def _ignored(kind: Any, *, of_request: bool) -> frozenset[str]:
    """Return the members that a request may hold although only Talon.One sets them (U-10)."""
    if kind is SessionUpdate:
        known = {wire_name(attribute.name) for attribute in fields(CustomerSession)}
        return frozenset(known - {wire_name(attribute.name) for attribute in fields(SessionUpdate)})
    if of_request:
        return frozenset(
            {wire_name(a.name) for a in fields(kind) if a.metadata.get("read_only")} | {"remainingQuantity"}
        )
    return frozenset()


def _with_ledger(read: Reader) -> Reader:
    """Let *read* also judge the remaining quantity, which an item computes and so does not hold as a field."""
    check = integer(at_least=0)

    def read_item(document: Any, kind: Any = None) -> Any:
        if not is_object(document) or document.get("remainingQuantity") is None:
            return read(document, kind)
        members = dict(document)
        remaining, quantity = to_whole(members.pop("remainingQuantity")), to_whole(members.get("quantity"))
        problem = check(remaining)
        if not problem and members.get("returnedQuantity") is None and not check(quantity):
            members["returnedQuantity"] = max(quantity - remaining, 0)
        try:
            item = read(members, kind)
        except InvalidValue as error:
            found = [Problem("/remainingQuantity", str(problem))] if problem else []
            raise InvalidValue.of((*error.problems, *found)) from None
        if not problem and item.remaining_quantity != remaining:
            problem = f"{item.returned_quantity} returned and {remaining} remaining units are not {item.quantity}"
        if problem:
            raise InvalidValue("/remainingQuantity", str(problem))
        return item

    return read_item


def _problems(error: ClassValidationError, names: Mapping[str, str]) -> list[Problem]:
    """Translate what the slow path collected; *names* are those of the members by field."""
    of_fields, of_object = error.group_exceptions()
    problems: list[Problem] = []
    for exception, note in of_fields:
        name = names[note.name]
        if isinstance(exception, KeyError) and exception.args == (name,):
            problems.append(Problem(pointer_token(name), "is missing"))
        else:
            # An `InvalidValue` of `_read_field` has the place already.
            place = "" if isinstance(exception, InvalidValue) else pointer_token(name)
            problems += (problem.under(place) for problem in _problems_of(exception))
    for exception in of_object:
        problems += _problems_of(exception)
    return problems


def _problems_of(exception: Exception) -> list[Problem]:
    """Translate what one field, or one check of a whole object, raised."""
    if isinstance(exception, ForbiddenExtraKeysError):
        names = sorted(map(str, exception.extra_fields))
        found = [Problem(pointer_token(name), "is not known") for name in names[:MOST_PROBLEMS]]
        return found if len(names) <= MOST_PROBLEMS else [*found, FURTHER_PROBLEMS]
    return list(as_invalid(exception, "").problems)


def _read_field(read: Callable[[Any], Any], attribute: Any, value: Any, _: Any) -> Any:
    """Read one field and have its class convert and validate it at once, so that its problems are its own."""
    try:
        held = read(value)
    except InvalidValue as error:
        place = pointer_token(wire_name(attribute.name))
        raise InvalidValue.of(problem.under(place) for problem in error.problems) from None
    if attribute.converter is not None:
        held = attribute.converter(held)
    if attribute.validator is not None:  # a subclass of a value may define a field anew without one
        attribute.validator(None, attribute, held)
    return held


def _inner_reader(converter: Converter, owner: Any, attribute: Attribute[Any], *, strict: bool) -> Reader | None:
    """Return what reads the objects that a field holds, where these are of one of the library's classes."""
    kind = core_of(attribute.type)
    if attribute.name in own_fields_of(owner) or (owner is SessionEvent and attribute.name == "change"):
        return None
    if owner is SessionUpdate and attribute.name == "cart_items":
        return make_reader(converter, CartItem, strict=strict, of_request=True)
    element = {tuple: 0, Mapping: 1}.get(get_origin(kind))
    inner = kind if element is None else get_args(kind)[element]
    return converter.get_structure_hook(inner) if is_ours(inner) else None


def _field_reader(
    converter: Converter, owner: Any, attribute: Attribute[Any], inner: Reader | None
) -> Callable[[Any], Any]:
    """Return the function that turns the JSON of a field into what its class accepts."""
    kind = core_of(attribute.type)
    if owner is SessionEvent and attribute.name == "change":
        return partial(_read_change, converter)
    origin = get_origin(kind)
    element = get_args(kind)[{tuple: 0, Mapping: 1}[origin]] if origin else kind
    read_element: Callable[[Any], Any] = to_whole if element is int else _as_it_is
    if inner:
        read_element = partial(_read_inner, inner)
    if origin is tuple:
        return partial(read_list, read_element)
    if origin is Mapping:
        return partial(read_map, read_element) if inner else _read_json
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return partial(to_member, kind)
    # A test clock may have put a class of its own in the place of `datetime`.
    if isinstance(kind, type) and issubclass(kind, (Decimal, datetime, UUID)):
        from_text = reads_text_as_amounts(converter)
        return lambda value: read_scalar(value, kind, of=kind, from_text=from_text)
    return read_element


def _read_inner(read: Reader, value: Any) -> Any:
    return read(value, None)


def _as_it_is(value: Any) -> Any:
    return value


def _read_json(value: Any, levels: int = DEEPEST + 2) -> Any:
    """Read any JSON value: binary floats become the decimals they stand for. What lies too deep is refused later.

    JSON does not tell the integer 10 from the decimal 1E+1, so a whole number is a decimal where no integer of 64
    bits can hold it: what was written from a decimal reads as one.
    """
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, int) and _integer(value):
        return value if isinstance(value, bool) else Decimal(value)
    if is_list(value) and levels:
        return [_read_json(element, levels - 1) for element in value]
    if is_object(value) and levels:
        return {name: _read_json(member, levels - 1) for name, member in value.items()}
    return value


def _read_change(converter: Converter, value: Any) -> Any:
    """Read what an event was about: returned items, or an update."""
    if is_object(value) and "returnedCartItems" in value:
        return converter.structure(value, ReturnRequest).returned_cart_items
    if not is_object(value) or value.get("ownFields") is None:
        return converter.structure(value, SessionUpdate)
    own = _read_json(value["ownFields"])
    if problem := json_map(freeze_map(own)):
        raise InvalidValue("/ownFields", problem if isinstance(problem, str) else "; ".join(map(str, problem)))
    update = converter.structure({name: one for name, one in value.items() if name != "ownFields"}, SessionUpdate)
    return evolve(update, own=own)
