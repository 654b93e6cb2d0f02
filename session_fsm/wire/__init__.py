"""Talon.One's JSON: documents become sessions, updates, returns and events, and these become documents.

>>> from session_fsm import SessionUpdate, wire
>>> update = wire.loads('{"customerSession": {"state": "closed"}}', SessionUpdate)
>>> wire.dumps(update)
b'{"state":"closed"}'

Reading is exact (numbers never pass through a binary float) and complete (all problems of a document are
reported together, each with its JSON pointer). Null counts as omitted. Fields that nobody knows are passed
over, unless reading is strict. In a request, fields that only Talon.One sets are passed over too (U-10), and
the wrappers ``{"customerSession": ...}`` and ``{"return": ...}`` are accepted.

The rules of `cattrs` apply: `make_converter` equips a converter of your own. `json_schema` describes the documents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload
from uuid import UUID

from cattrs import Converter

from session_fsm.converters import timestamp
from session_fsm.errors import (
    ErrorResponse,
    InvalidValue,
    Problem,
    WireError,
    from_error_response,
    http_status,
    pointer_token,
    to_error_response,
)
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.validators import is_object, kind_of
from session_fsm.wire.decisions import document_of
from session_fsm.wire.kinds import KINDS, ReturnRequest, is_ours, wrapper_of
from session_fsm.wire.own_fields import read_scalar, register_type, typed_event
from session_fsm.wire.preconf import equip_encoder
from session_fsm.wire.reading import fast_reader_of, make_reader
from session_fsm.wire.schema import json_schema
from session_fsm.wire.text import MOST_BYTES, decoded, parse
from session_fsm.wire.writing import fast_writer_of, make_writer

if TYPE_CHECKING:
    from session_fsm.wire.fast_reading import FastReader

__all__ = [
    "ErrorResponse",
    "ReturnRequest",
    "dumps",
    "from_error_response",
    "http_status",
    "json_schema",
    "loads",
    "make_converter",
    "register_type",
    "structure",
    "to_error_response",
    "unstructure",
]

T = TypeVar("T")


JSONText: TypeAlias = str | bytes | bytearray | memoryview


@overload
def loads(
    data: JSONText,
    *,
    strict: bool = False,
    most_bytes: int | None = MOST_BYTES,
    session_class: type[CustomerSession] | None = None,
) -> CustomerSession: ...
@overload
def loads(
    data: JSONText,
    kind: type[T],
    *,
    strict: bool = False,
    most_bytes: int | None = MOST_BYTES,
    session_class: type[CustomerSession] | None = None,
) -> T: ...
def loads(
    data: JSONText,
    kind: type[Any] = CustomerSession,
    *,
    strict: bool = False,
    most_bytes: int | None = MOST_BYTES,
    session_class: type[CustomerSession] | None = None,
) -> Any:
    """Read one JSON document.

    Args:
        data: the text, or its bytes in UTF-8.
        kind: `CustomerSession` or a subclass, `SessionUpdate`, `ReturnRequest`, `SessionEvent`, or one of the
            values that these hold.
        strict: refuse fields that are not known.
        most_bytes: the largest size that is read; None for any.
        session_class: the class of an event's session, by whose types the event's own fields are read. Without it
            they stay as JSON has them.

    Raises:
        WireError: with every problem of the document and its place.
        InvalidValue: *kind* is no class that documents are read as.
    """
    text = decoded(data, most_bytes)
    fast = fast_reader(kind, strict=strict)
    value = None if fast is None else fast.read_or_none(text, strict=strict)
    if value is not None:
        try:
            return value if session_class is None else _typed(value, session_class)
        except InvalidValue:
            pass  # the slow path reports it
    return structure(parse(text), kind, strict=strict, session_class=session_class)


def _typed(value: T, session_class: type[CustomerSession]) -> T:
    """Read the own fields of an event by the types of *session_class*."""
    if not isinstance(value, SessionEvent):
        return value
    event: Any = typed_event(value, session_class, _converter(strict=False))
    return event  # type: ignore[no-any-return]  # it is a T


def fast_reader(kind: Any, *, strict: bool) -> FastReader | None:
    """Return the fast path of reading *kind*, if it has one."""
    return fast_reader_of(_reader_of(kind, strict=strict))


# Each class keeps its own readers and its writer. A cache would keep the class alive for ever.


def _reader_of(kind: Any, *, strict: bool) -> Callable[[Any, Any], Any] | None:
    """Return the function that reads *kind*, or None if documents are not read as such."""
    name = "__wire_strict_reader__" if strict else "__wire_reader__"
    reader: Callable[[Any, Any], Any] | None = getattr(kind, "__dict__", {}).get(name)
    if reader is None and is_ours(kind):
        reader = make_reader(_converter(strict=strict), kind, strict=strict)
        type.__setattr__(kind, name, reader)
    return reader


def _writer_of(kind: Any) -> Callable[[Any], dict[str, Any]]:
    """Return the function that writes *kind*, which is one of ours."""
    writer: Callable[[Any], dict[str, Any]] | None = kind.__dict__.get("__wire_writer__")
    if writer is None:
        writer = make_writer(_converter(strict=False), kind)
        type.__setattr__(kind, "__wire_writer__", writer)
    return writer


def dumps(value: object, indent: int | None = None) -> bytes:
    """Write JSON in UTF-8, with *indent* spaces a level or in one line.

    *value* is a session, an update, a return, an event, or one of the values that these hold; or a `Decision`, a
    `Violation` or a board, as `unstructure` describes them.

    Raises:
        InvalidValue: *value* is nothing that can be written, or a subclass's own field holds something that is not.
    """
    try:
        data = fast_writer_of(_writer_of(type(value))).write(value) if isinstance(value, KINDS) else None
        if data is not None and indent is None:
            return data
        from session_fsm.wire.encoding import encode_value, indented  # noqa: PLC0415 - it imports msgspec

        if data is None:
            data = encode_value(unstructure(value))
        return data if indent is None else indented(data, indent)
    except UnicodeEncodeError:
        raise InvalidValue("", "a text holds half of a surrogate pair, which is no character") from None
    except RecursionError:
        raise InvalidValue("", "the value is nested too deeply") from None


@overload
def structure(
    mapping: Mapping[str, Any], *, strict: bool = False, session_class: type[CustomerSession] | None = None
) -> CustomerSession: ...
@overload
def structure(
    mapping: Mapping[str, Any],
    kind: type[T],
    *,
    strict: bool = False,
    session_class: type[CustomerSession] | None = None,
) -> T: ...
def structure(
    mapping: Mapping[str, Any],
    kind: type[Any] = CustomerSession,
    *,
    strict: bool = False,
    session_class: type[CustomerSession] | None = None,
) -> Any:
    """Read a document that somebody else has parsed.

    A binary float in it is taken for the shortest decimal that it can stand for, as in the text it came from.

    Raises:
        WireError: with every problem of the document and its place, which begins within the wrapper if there is one.
        InvalidValue: *kind* is no class that documents are read as.
    """
    reader = _reader_of(kind, strict=strict)
    if reader is None:
        named = f"the class {kind.__name__:.60}" if isinstance(kind, type) else kind_of(kind)  # pyright: ignore[reportUnnecessaryIsInstance]  # somebody may give anything
        raise InvalidValue("", f"{named} is not a class that documents are read as")
    document, wrapper = _unwrapped(mapping, kind)
    try:
        value = reader(document, kind)
        return value if session_class is None else _typed(value, session_class)
    except InvalidValue as error:
        raise WireError(_of_request(problem, wrapper) for problem in error.problems) from None


def _of_request(problem: Problem, wrapper: str | None) -> Problem:
    """Return *problem* with its place within the wrapper, where the pointers of rules begin as well.

    The place of a problem with the whole of what the wrapper holds is the wrapper itself.
    """
    return problem if wrapper is None or problem.pointer else problem.under(pointer_token(wrapper))


def unstructure(value: object) -> dict[str, Any]:
    """Return the document of *value* as dictionaries, lists, text, integers, booleans and exact decimals.

    The document of a `Decision` has ``trigger``, ``allowed``, ``source``, ``target``, ``eventName`` and ``violations``;
    that of a `Violation` has ``code``, ``message``, ``details`` and ``pointer``. A member without a value is None. What
    JSON lacks is text in the details. A board (`CustomerSession.board`) has a decision for each trigger.

    Raises:
        InvalidValue: *value* is nothing that can be written.
    """
    if isinstance(value, KINDS):
        return _writer_of(type(value))(value)
    document = document_of(value)
    if document is None:
        allowed = "a session, an update, a return, an event, a decision or a board"
        raise InvalidValue("", f"{kind_of(value)} cannot be written; give {allowed}")
    return document


def _unwrapped(document: Any, kind: type) -> tuple[Any, str | None]:
    """Return what a wrapper holds, and its name if there is one."""
    name = wrapper_of(kind)
    if name and is_object(document) and name in document:
        return document[name], name
    return document, None


# --- The converter -------------------------------------------------------------------------------------------------


@cache
def _converter(*, strict: bool) -> Converter:
    return make_converter(strict=strict)


def make_converter(converter: Converter | None = None, *, strict: bool = False) -> Converter:
    """Return a cattrs converter that reads and writes this library's classes, and subclasses of the session.

    Args:
        converter: one of your own, to be equipped; its hooks for other types stay, and serve the fields that
            a subclass of the session adds. Without it, a new one. One of `cattrs.preconf` writes and reads amounts
            with all their digits from then on: as numbers in JSON, and as text elsewhere.
        strict: refuse fields that are not known.

    What it cannot read, it refuses with an `InvalidValue` that holds every problem.
    """
    if converter is None:
        converter = Converter()
        for scalar in (str, int, bool, Decimal, datetime, UUID):
            converter.register_structure_hook(scalar, partial(read_scalar, of=scalar))
        converter.register_unstructure_hook(datetime, timestamp)
        converter.register_unstructure_hook(UUID, str)
    equip_encoder(converter)
    converter.register_structure_hook_factory(is_ours, partial(make_reader, converter, strict=strict))
    converter.register_unstructure_hook_factory(is_ours, partial(make_writer, converter))
    return converter
