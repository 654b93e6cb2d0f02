"""`make_writer` generates the functions that convert sessions, updates, returns and events to JSON values.

`session_fsm.wire` registers them with its converters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, get_args, get_origin
from uuid import UUID

from attrs import Attribute, fields
from cattrs import Converter
from cattrs.gen import make_dict_unstructure_fn, override

from session_fsm.converters import timestamp
from session_fsm.events import SessionEvent
from session_fsm.json_values import EMPTY
from session_fsm.validators import is_list, is_object
from session_fsm.values import CartItem, SessionUpdate
from session_fsm.wire.kinds import ReturnRequest, core_of, is_ours, member_name, omits_default, own_fields_of, resolve
from session_fsm.wire.own_fields import own_writer, written_own

if TYPE_CHECKING:
    from session_fsm.wire.fast_writing import StructWriter

__all__ = ["fast_writer_of", "make_writer"]


def make_writer(converter: Converter, kind: Any, *, of_request: bool = False) -> Callable[[Any], dict[str, Any]]:
    """Return a function that converts *kind* to a dictionary.

    It omits fields that are None or unset, and empty fields of items and events. With *of_request*, it also omits the
    fields that are read-only in a request.
    """
    from session_fsm.wire.fast_writing import StructWriter, WrittenMember  # noqa: PLC0415 - as in `make_reader`

    resolve(kind)
    overrides: dict[str, Any] = {}
    members: list[WrittenMember] = []
    for attribute in fields(kind):
        omit_default = omits_default(kind, attribute)
        read_only = of_request and attribute.metadata.get("read_only")
        if not attribute.init or read_only or not attribute.metadata.get("of_talon_one", True):
            overrides[attribute.name] = override(omit=True)
        else:
            name, write_field = member_name(attribute), _field_writer(converter, kind, attribute)
            nested = _nested_writer(converter, kind, attribute)
            members.append(WrittenMember(name, attribute, omit_default, write_field, nested))
            overrides[attribute.name] = override(rename=name, omit_if_default=omit_default, unstruct_hook=write_field)
    write_fields = make_dict_unstructure_fn(kind, converter, **overrides)
    with_remaining = issubclass(kind, CartItem) and not of_request
    writer = _with_remaining_quantity(write_fields) if with_remaining else write_fields
    fast = StructWriter(kind, members, with_remaining=with_remaining)
    setattr(writer, "fast", fast)  # noqa: B010 - typeshed's functions have no such attribute
    return writer


def _with_remaining_quantity(write: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """Return *write* extended by an item's remaining quantity, which is a property and not a field."""
    return lambda item: write(item) | {"remainingQuantity": item.remaining_quantity}


def fast_writer_of(writer: Any) -> StructWriter:
    """Return the fast path of a writer that `make_writer` has returned: it writes JSON text without a dictionary."""
    fast: StructWriter = writer.fast
    return fast


def _nested_writer(converter: Converter, owner: Any, attribute: Attribute[Any]) -> StructWriter | None:
    """Return the fast writer of the objects in a field, if they are of a class of this library."""
    core = core_of(attribute.type)
    element: Any = (*get_args(core), core)[{tuple: 0, Mapping: 1}.get(get_origin(core), -1)]
    if not is_ours(element) or (owner is SessionEvent and attribute.name == "change"):
        return None
    if owner is SessionUpdate and attribute.name == "cart_items":
        return fast_writer_of(make_writer(converter, CartItem, of_request=True))
    return fast_writer_of(converter.get_unstructure_hook(element))


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
