"""The classes that JSON is read as and written from."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from attrs import Attribute, field, fields, frozen

from session_fsm.events import SessionEvent
from session_fsm.scalars import instance_of, list_of, to_tuple, validate
from session_fsm.session import CustomerSession
from session_fsm.values import (
    AdditionalCost,
    CartItem,
    ExperimentVariantAllocation,
    Product,
    ReturnedCartItem,
    SessionUpdate,
    Unset,
)

__all__ = ["KINDS", "ReturnRequest", "core_of", "is_known", "is_ours", "is_own"]


@frozen(kw_only=True, weakref_slot=False)
class ReturnRequest:
    """The body of the operation Return cart items. `CustomerSession.return_items` takes it as it is."""

    returned_cart_items: tuple[ReturnedCartItem, ...] = field(
        converter=to_tuple, validator=validate(list_of(instance_of(ReturnedCartItem)))
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


def is_own(owner: type, attribute: Attribute[Any]) -> bool:
    """Whether a subclass of the session has added the field."""
    return issubclass(owner, CustomerSession) and attribute.name not in {a.name for a in fields(CustomerSession)}


def is_known(owner: type, attribute: Attribute[Any]) -> bool:
    """Whether the field is the library's own, and no subclass has defined it anew."""
    base: Any = next(kind for kind in KINDS if issubclass(owner, kind))
    own: Any = getattr(fields(base), attribute.name, None)
    given: Any = attribute
    return own is not None and (own.validator, own.converter) == (given.validator, given.converter)
