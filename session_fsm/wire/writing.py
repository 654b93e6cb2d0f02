"""`make_writer` generates the functions that convert sessions, updates, returns and events to JSON values.

`session_fsm.wire` registers them with its converters.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

from attrs import Attribute, fields
from cattrs import Converter
from cattrs.gen import make_dict_unstructure_fn, override

from session_fsm.events import SessionEvent
from session_fsm.json_values import EMPTY
from session_fsm.validators import is_list, is_object, timestamp
from session_fsm.values import UNSET, CartItem, SessionUpdate
from session_fsm.wire.kinds import ReturnRequest, is_ours, member_name, own_fields_of, resolve
from session_fsm.wire.own_fields import own_writer, written_own
from session_fsm.wire.straight_writing import StraightWriter, make_straight_writer
from session_fsm.wire.text import write

__all__ = ["fast_writer_of", "make_writer"]


_OMIT_EMPTY = (CartItem, SessionEvent)
"""The classes whose empty fields are omitted."""


def make_writer(converter: Converter, kind: Any, *, of_request: bool = False) -> Callable[[Any], dict[str, Any]]:
    """Return a function that converts *kind* to a dictionary.

    It omits fields that are None or unset, and empty fields of items and events. With *of_request*, it also omits the
    fields that are read-only in a request.
    """
    resolve(kind)
    overrides: dict[str, Any] = {}
    members: dict[str, tuple[Attribute[Any], bool, Callable[[Any], Any]]] = {}
    for attribute in fields(kind):
        omit_default = attribute.default in (None, UNSET) or (kind in _OMIT_EMPTY and attribute.default in ({}, ()))
        read_only = of_request and attribute.metadata.get("read_only")
        if not attribute.init or read_only or not attribute.metadata.get("of_talon_one", True):
            overrides[attribute.name] = override(omit=True)
        else:
            name, write_field = member_name(attribute), _field_writer(converter, kind, attribute)
            members[name] = (attribute, omit_default, write_field)
            overrides[attribute.name] = override(rename=name, omit_if_default=omit_default, unstruct_hook=write_field)
    write_fields = make_dict_unstructure_fn(kind, converter, **overrides)
    with_remaining = kind is CartItem and not of_request
    writer = _with_remaining_quantity(write_fields) if with_remaining else write_fields
    nested = partial(_nested_writer, converter, kind)
    fallback = None if of_request else partial(_write_slow, converter)
    fast = make_straight_writer(kind, members, nested, ledger=with_remaining, otherwise=fallback)
    setattr(writer, "fast", fast)  # noqa: B010 - typeshed's functions have no such attribute
    return writer


def _with_remaining_quantity(write: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """Return *write* extended by an item's remaining quantity, which is a property and not a field."""
    return lambda item: write(item) | {"remainingQuantity": item.remaining_quantity}


def _write_slow(converter: Converter, value: Any) -> str:
    """Return the JSON text of an object of any class, converted to a dictionary first."""
    return write(converter.unstructure(value))


def fast_writer_of(writer: Any) -> StraightWriter:
    """Return the fast path of a writer that `make_writer` has returned: it writes JSON text without a dictionary."""
    fast: StraightWriter = writer.fast
    return fast


def _nested_writer(converter: Converter, owner: Any, attribute: Attribute[Any], kind: type) -> StraightWriter:
    """Return the writer for objects of *kind*, or of a subclass, in a field."""
    if owner is SessionUpdate and attribute.name == "cart_items":
        return fast_writer_of(make_writer(converter, CartItem, of_request=True))
    if owner is SessionEvent and attribute.name == "change":
        return lambda value: write(_write_change(converter, value))
    return fast_writer_of(converter.get_unstructure_hook(kind))


def _field_writer(converter: Converter, owner: Any, attribute: Attribute[Any]) -> Callable[[Any], Any]:
    """Return the function that converts the value of a field to a JSON value."""
    if attribute.name in (own_fields := own_fields_of(owner)):
        return own_writer(converter, own_fields[attribute.name])
    if owner is SessionUpdate and attribute.name == "cart_items":
        write_item = make_writer(converter, CartItem, of_request=True)
        return lambda items: [write_item(item) for item in items]
    if owner is SessionEvent and attribute.name == "change":
        return partial(_write_change, converter)
    return partial(_write_value, converter)


_JSON_TYPES = frozenset({str, int, bool, Decimal, type(None)})


def _write_value(converter: Converter, value: Any) -> Any:
    if type(value) in _JSON_TYPES:
        return value
    match value:
        case StrEnum():
            return value.value
        case datetime():
            return timestamp(value)
        case UUID():
            return str(value)
        case _ if is_list(value):
            return [_write_value(converter, element) for element in value]
        case _ if is_object(value):
            return {name: _write_value(converter, member) for name, member in value.items()}
        case _:
            return converter.unstructure(value) if is_ours(type(value)) else value


def _write_change(converter: Converter, value: Any) -> Any:
    document = converter.unstructure(ReturnRequest(returned_cart_items=value) if is_list(value) else value)
    own = getattr(value, "own", EMPTY)
    return document | {"ownFields": written_own(converter, own)} if own else document
