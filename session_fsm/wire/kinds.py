"""The classes that JSON is read as and written from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from attrs import Attribute, field, fields, fields_dict, frozen, resolve_types

from session_fsm.converters import to_tuple
from session_fsm.events import SessionEvent
from session_fsm.pydantic_hook import PydanticType
from session_fsm.session import CustomerSession
from session_fsm.states import State
from session_fsm.subclasses.own_fields import OwnField
from session_fsm.validators import instance_of, list_of, validate, wire_name
from session_fsm.values import (
    UNSET,
    AdditionalCost,
    CartItem,
    ExperimentVariantAllocation,
    Product,
    ReturnedCartItem,
    SessionUpdate,
    Unset,
)

__all__ = [
    "KINDS",
    "ReturnRequest",
    "core_of",
    "is_known",
    "is_ours",
    "lacks_returned_units",
    "member_name",
    "omits_default",
    "own_fields_of",
    "python_names",
    "resolve",
    "wrapper_of",
]


if TYPE_CHECKING:  # as in `session_fsm.values`

    def _to_entries(value: Iterable[ReturnedCartItem]) -> tuple[ReturnedCartItem, ...]: ...
else:
    _to_entries = to_tuple


@frozen(kw_only=True, weakref_slot=False)
class ReturnRequest(PydanticType):
    """The body of the operation Return cart items. `CustomerSession.return_items` takes it as it is."""

    returned_cart_items: tuple[ReturnedCartItem, ...] = field(
        converter=_to_entries, validator=validate(list_of(instance_of(ReturnedCartItem)))
    )
    """What comes back, an entry for each item."""


KINDS = (
    CustomerSession,
    SessionUpdate,
    SessionEvent,
    ReturnRequest,
    CartItem,
    ReturnedCartItem,
    AdditionalCost,
    Product,
    ExperimentVariantAllocation,
)


def is_ours(kind: Any) -> bool:
    """Whether *kind* is one of these classes, or a subclass of the session."""
    return isinstance(kind, type) and issubclass(kind, KINDS)


def core_of(annotation: Any) -> Any:
    """Return what a field holds when it is neither omitted nor null."""
    if get_origin(annotation) in (Union, UnionType):
        return next(kind for kind in get_args(annotation) if kind not in (NoneType, Unset))
    return annotation


def own_fields_of(kind: Any) -> Mapping[str, OwnField]:
    """Return the fields that a subclass of the session adds, by name.

    Raises:
        InvalidValue: the class has fields that nobody has decorated.
    """
    own: Mapping[str, OwnField] = kind.machine.own_fields.by_name if issubclass(kind, CustomerSession) else {}
    return own


def lacks_returned_units(session: CustomerSession) -> bool:
    """Whether *session* is partially_returned, but has no returned units: all units could be returned again."""
    return session.state is State.PARTIALLY_RETURNED and not any(item.returned_quantity for item in session.cart_items)


def member_name(attribute: Attribute[Any]) -> str:
    """Return the name of a field in JSON."""
    return wire_name(attribute.alias or attribute.name)


def python_names(kind: Any) -> dict[str, str]:
    """Return the names of fields that are others in JSON, with those: an old client's ``to_dict()`` writes them.

    No document may have them.
    """
    names = {attribute.name: member_name(attribute) for attribute in fields(kind)}
    if issubclass(kind, CartItem):
        names["remaining_quantity"] = "remainingQuantity"
    elif kind is SessionUpdate:
        names |= {attribute.name: member_name(attribute) for attribute in fields(CustomerSession)}
    known = set(names.values())
    return {name: member for name, member in names.items() if name != member and name not in known}


def omits_default(kind: type, attribute: Attribute[Any]) -> bool:
    """Whether the field is not written where it has its default: None, unset, or empty in an item or an event."""
    return attribute.default in (None, UNSET) or (
        issubclass(kind, (CartItem, SessionEvent)) and attribute.default in ({}, ())
    )


def resolve(kind: Any) -> None:
    """Resolve the types of a class's fields; those that a subclass of the session adds have been when it was made."""
    if not issubclass(kind, CustomerSession):
        resolve_types(kind)
        return
    known = fields_dict(resolve_types(CustomerSession))
    for attribute in fields(kind):
        if attribute.name in known:
            object.__setattr__(attribute, "type", known[attribute.name].type)


def is_known(owner: type, attribute: Attribute[Any]) -> bool:
    """Whether the field is the library's own."""
    base: Any = next(kind for kind in KINDS if issubclass(owner, kind))
    own: Any = fields_dict(base).get(attribute.name)
    given: Any = attribute
    return own is not None and (own.validator, own.converter) == (given.validator, given.converter)


_WRAPPERS = {CustomerSession: "customerSession", SessionUpdate: "customerSession", ReturnRequest: "return"}


def wrapper_of(kind: type) -> str | None:
    """Return the name under which requests and answers of the API hold a *kind*, if they do."""
    return next((name for wrapped, name in _WRAPPERS.items() if issubclass(kind, wrapped)), None)
