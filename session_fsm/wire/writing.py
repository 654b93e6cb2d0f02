"""From sessions, updates, returns and events to what JSON can hold."""

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

__all__ = ["make_writer", "straight_writer_of"]


_SPARSE = (CartItem, SessionEvent)
"""Of these, what is empty is not written."""


def make_writer(converter: Converter, kind: Any, *, of_request: bool = False) -> Callable[[Any], dict[str, Any]]:
    """Generate the function that writes *kind*.

    What is None or omitted is not written, nor what is empty in an item or an event.
    """
    resolve(kind)
    overrides: dict[str, Any] = {}
    members: dict[str, tuple[Attribute[Any], bool, Callable[[Any], Any]]] = {}
    for attribute in fields(kind):
        absent = attribute.default in (None, UNSET) or (kind in _SPARSE and attribute.default in ({}, ()))
        read_only = of_request and attribute.metadata.get("read_only")
        if not attribute.init or read_only or not attribute.metadata.get("of_talon_one", True):
            overrides[attribute.name] = override(omit=True)
        else:
            name, write_field = member_name(attribute), _field_writer(converter, kind, attribute)
            members[name] = (attribute, absent, write_field)
            overrides[attribute.name] = override(rename=name, omit_if_default=absent, unstruct_hook=write_field)
    write_fields = make_dict_unstructure_fn(kind, converter, **overrides)
    ledger = kind is CartItem and not of_request
    writer = _with_ledger(write_fields) if ledger else write_fields
    nested = partial(_nested_writer, converter, kind)
    otherwise = None if of_request else partial(_write_in_parts, converter)
    setattr(writer, "straight", make_straight_writer(kind, members, nested, ledger=ledger, otherwise=otherwise))  # noqa: B010 - functions take attributes, though their type does not say so
    return writer


def _with_ledger(write: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """Let *write* also write what remains of an item, which that computes and so does not hold as a field."""
    return lambda item: write(item) | {"remainingQuantity": item.remaining_quantity}


def _write_in_parts(converter: Converter, value: Any) -> str:
    """Write an object of any class as a document first."""
    return write(converter.unstructure(value))


def straight_writer_of(writer: Any) -> StraightWriter:
    """Return the straight way of what `make_writer` has made."""
    straight: StraightWriter = writer.straight
    return straight


def _nested_writer(converter: Converter, owner: Any, attribute: Attribute[Any], kind: type) -> StraightWriter:
    """Return what writes the objects of *kind* that a field holds, and those of its subclasses."""
    if owner is SessionUpdate and attribute.name == "cart_items":
        return straight_writer_of(make_writer(converter, CartItem, of_request=True))
    if owner is SessionEvent and attribute.name == "change":
        return lambda value: write(_write_change(converter, value))
    return straight_writer_of(converter.get_unstructure_hook(kind))


def _field_writer(converter: Converter, owner: Any, attribute: Attribute[Any]) -> Callable[[Any], Any]:
    """Return the function that turns what a field holds into what JSON can hold."""
    if attribute.name in (own := own_fields_of(owner)):
        return own_writer(converter, own[attribute.name])
    if owner is SessionUpdate and attribute.name == "cart_items":
        write_item = make_writer(converter, CartItem, of_request=True)
        return lambda items: [write_item(item) for item in items]
    if owner is SessionEvent and attribute.name == "change":
        return partial(_write_change, converter)
    return partial(_write_value, converter)


_PLAIN = frozenset({str, int, bool, Decimal, type(None)})


def _write_value(converter: Converter, value: Any) -> Any:
    if type(value) in _PLAIN:
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
