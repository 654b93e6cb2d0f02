"""The argument of a trigger, and the new field values that a trigger computes; the session is not changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Protocol

from attrs import evolve, fields

from session_fsm.converters import to_tuple
from session_fsm.errors import InvalidValue, pointer_token
from session_fsm.generated import evolver, maker
from session_fsm.json_values import EMPTY, AttributeValue, FrozenDict, to_attributes
from session_fsm.rules.built_in import requested_units
from session_fsm.states import Trigger
from session_fsm.subclasses.own_fields import NO_OWN_FIELDS, OwnFields, nearest
from session_fsm.totals import totals
from session_fsm.validators import instance_of, kind_of, list_of, time
from session_fsm.values import (
    CHECKS,
    FIELDS_OF_UPDATE,
    NO_CHANGE,
    UNSET,
    CartItem,
    ReturnedCartItem,
    SessionUpdate,
    cart_of,
)

__all__ = [
    "argument_of",
    "as_returned_items",
    "as_time",
    "as_update",
    "merged",
    "returned",
    "returned_between",
    "updated",
]


_is_update = instance_of(SessionUpdate)


def as_update(change: object, keywords: Mapping[str, Any], own_fields: OwnFields = NO_OWN_FIELDS) -> SessionUpdate:
    """Return the argument of a verb, one `SessionUpdate` or keywords, as a `SessionUpdate`.

    Args:
        change: the update, or None.
        keywords: the fields by name, those of the class's own by alias; these may stand beside an update too.
        own_fields: those of the session's class.
    """
    if change is None:
        return _update_of(keywords, own_fields) if keywords else NO_CHANGE
    if not isinstance(change, SessionUpdate):
        raise InvalidValue("", f"{kind_of(change)} is not a SessionUpdate; give one, or the changes as keywords")
    if problem := _is_update(change):
        raise InvalidValue("", str(problem))
    if keywords.keys() - own_fields.by_alias.keys():
        raise InvalidValue("", "give one SessionUpdate or keywords, not both")
    if not change.own and not keywords:
        return change
    return evolve(change, own={**own_fields.accepted(change.own), **_update_of(keywords, own_fields).own})


_OMITTED = dict.fromkeys(FIELDS_OF_UPDATE, UNSET)
_CONVERTERS: dict[str, Any] = {attribute.name: attribute.converter for attribute in fields(SessionUpdate)}
_make_update = maker(SessionUpdate)


def _update_of(keywords: Mapping[str, Any], own_fields: OwnFields) -> SessionUpdate:
    """Return the `SessionUpdate` of *keywords*, in less time than its ``__init__`` takes for the omitted fields."""
    values: dict[str, Any] = _OMITTED.copy()
    own: dict[str, Any] = {}
    right = True
    for name, value in keywords.items():
        if name in values:
            values[name] = held = _CONVERTERS[name](value)
            right = right and (held is UNSET or not CHECKS[name](held))
        elif name in own_fields.by_alias:
            if value is not UNSET:
                one = own_fields.by_alias[name]
                own[one.name] = one.accept(value)
        else:
            known = (*FIELDS_OF_UPDATE, *own_fields.by_alias)
            hint = nearest(name, known)
            raise InvalidValue(pointer_token(name), f"there is no such field; {hint}the fields are {', '.join(known)}")
    frozen_own = FrozenDict(own) if own else EMPTY
    # On a wrong value the class raises, so that the error does not depend on the order of the keywords.
    return _make_update(*values.values(), frozen_own) if right else SessionUpdate(**values, own=frozen_own)


_returned_items = list_of(instance_of(ReturnedCartItem))


def as_returned_items(entries: object) -> tuple[ReturnedCartItem, ...]:
    """Return the argument of a return, a list of `ReturnedCartItem` or a request that holds one, as a tuple."""
    given: Any = getattr(entries, "returned_cart_items", entries)
    items = to_tuple(given)
    if problem := _returned_items(items):
        if isinstance(problem, str):
            raise InvalidValue("/returnedCartItems", problem)
        raise InvalidValue.of(found.under("/returnedCartItems") for found in problem)
    return items


class TimeSource(Protocol):
    """What tells verbs the time when the caller does not."""

    def now(self, tz: tzinfo, /) -> datetime:
        """Return the current time, as `datetime.now` does."""
        ...


time_source: TimeSource = datetime
"""The clock of the process. `session_fsm.testing.Clock` replaces it in tests."""


def as_time(now: object) -> datetime:
    """Return the time of a transition: *now* if given, which must be aware, otherwise the current time."""
    if now is None:
        return time_source.now(UTC)
    if type(now) is datetime and now.tzinfo is UTC:  # the most common case, and always aware
        return now
    if problem := time(now):
        raise InvalidValue("/now", problem)
    return now  # type: ignore[return-value]  # pyright: ignore[reportReturnType]  # `time` has just said so


def argument_of(
    trigger: Trigger,
    change: object,
    keywords: Mapping[str, Any] | None = None,
    own_fields: OwnFields = NO_OWN_FIELDS,
) -> Any:
    """Return the argument of *trigger* in the form in which rules and events hold it.

    Raises:
        InvalidValue: the trigger takes something else.
    """
    match trigger:
        case Trigger.CREATE | Trigger.UPDATE | Trigger.CLOSE:
            return as_update(change, keywords or {}, own_fields)
        case Trigger.RETURN_ITEMS if not keywords:
            return as_returned_items(() if change is None else change)
        case _ if change is None and not keywords:
            return None
        case _:
            raise InvalidValue("", f"{trigger} takes no changes")


def updated(session: Any, change: SessionUpdate) -> dict[str, Any]:
    """Return the fields that *change* gives new values, with these values (U-01 to U-08).

    What is omitted is kept and does not appear. What is given replaces, but for the attributes, which are merged.
    The totals are computed anew where something that they depend on is given (M-07).
    """
    values = change.given()
    values.pop("state", None)
    if change.own:
        session.machine.own_fields.validate(change.own, session)
        values |= change.own
    if "cart_items" in values:
        values["cart_items"] = cart_of(values["cart_items"])
    if "attributes" in values:
        values["attributes"] = merged(session.attributes, values["attributes"])
    if values.get("profile_id") == "":
        values["first_session"] = True  # F-16: always true of an anonymous session
    if "cart_items" in values or "additional_costs" in values:
        cart = values.get("cart_items", session.cart_items)
        values |= totals(cart, values.get("additional_costs", session.additional_costs))
    return values


def merged(held: Mapping[str, AttributeValue], given: Mapping[str, AttributeValue]) -> Mapping[str, AttributeValue]:
    """Merge attributes name by name; a name with None is removed (U-05)."""
    return to_attributes({**held, **given})


_with_returned = evolver(CartItem, "returned_quantity")


def returned(session: Any, entries: tuple[ReturnedCartItem, ...]) -> dict[str, Any]:
    """Return the cart with *entries* taken back (M-06: the totals stay as they are).

    Where the return is one that the rules refuse, this is what of it could be taken back.
    """
    cart: list[CartItem] = list(session.cart_items)
    for position, (_, units) in requested_units(session.cart_items, entries).items():
        item = cart[position]
        back = min(item.returned_quantity + units, item.quantity)
        cart[position] = _with_returned(item, back)
    return {"cart_items": tuple(cart)}


_make_returned = maker(ReturnedCartItem)


def returned_between(before: tuple[CartItem, ...], after: tuple[CartItem, ...]) -> tuple[ReturnedCartItem, ...]:
    """Return the units that came back from one cart to the other, item by item."""
    return tuple(
        [
            _make_returned(position, new.returned_quantity - old.returned_quantity, old.sku)
            for position, (old, new) in enumerate(zip(before, after, strict=True))
            if new.returned_quantity > old.returned_quantity
        ]
    )
