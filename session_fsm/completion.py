"""Complete a new session: compute positions, totals and `first_session` from its other fields.

``CustomerSession.__attrs_post_init__`` calls `complete`, so a session that is created, read or unpickled is completed.
`complete_unpickled` adds the fields that a pickle from before has not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import wraps
from typing import Any

from attrs import NOTHING, AttrsInstance, fields

from session_fsm.entities import assign
from session_fsm.errors import InvalidValue, SessionFSMError, pointer_token
from session_fsm.subclasses.own_fields import NO_OWN_FIELDS, as_invalid
from session_fsm.totals import add, subtract, totals
from session_fsm.validators import wire_name
from session_fsm.values import CartItem, with_position

__all__ = ["COMPUTED", "complete", "complete_unpickled", "completing"]

COMPUTED = Decimal("NaN")
"""The placeholder of a total that was not given, until it is computed."""


def complete(session: Any) -> None:
    """Compute what depends on the other fields of a new session: positions, totals and `first_session`.

    It runs before the ``__attrs_post_init__`` of a subclass.
    """
    values: dict[str, Any] = {}
    own_fields = session.machine.own_fields
    if [item.position for item in session.cart_items] != [*range(len(session.cart_items))]:
        values["cart_items"] = _in_order(session.cart_items)
    if (
        session.total is COMPUTED
        or session.cart_item_total is COMPUTED
        or session.additional_cost_total is COMPUTED
        or session.cart_item_additional_cost_total is COMPUTED
    ):
        values |= _missing_totals(session)
    if not session.profile_id:
        values["first_session"] = True  # F-16
    if values:
        assign(session, values)
    if own_fields is not NO_OWN_FIELDS:
        own_fields.complete(session)


def completing(written: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return a ``__attrs_post_init__`` that completes the session first, whether or not *written* calls its parent's."""

    @wraps(written)
    def post_init(self: Any) -> None:
        complete(self)
        try:
            written(self)
        except SessionFSMError:
            raise
        except Exception as error:
            raise as_invalid(error, "") from error

    setattr(post_init, "completes", True)  # noqa: B010 - functions take attributes, though their type does not say so
    return post_init


def complete_unpickled(session: Any, state: Mapping[str, Any]) -> None:
    """Set the defaults of fields that the class got after the session was pickled."""
    kind: type[AttrsInstance] = session.__class__
    own_fields = session.machine.own_fields
    for attribute in fields(kind):
        one = own_fields.by_name.get(attribute.name)
        if attribute.name in state or (one is None and attribute.name in own_fields.loose):
            continue
        if attribute.default is NOTHING:
            problem = "is missing in what was pickled, and has no default"
            raise InvalidValue(one.pointer if one else pointer_token(wire_name(attribute.name)), problem)
        if one is None:
            assign(session, {attribute.name: attribute.default})
        elif not one.needs_session:
            assign(session, {attribute.name: own_fields.default(one)})
    session.__attrs_post_init__()


def _missing_totals(session: Any) -> dict[str, Decimal]:
    """Return the totals that were not given, so that the four agree with each other (M-04).

    Those that were given stay as they stand (M-07). Of the three parts, one that alone is missing is what the others
    leave of the total; otherwise parts are computed from the items and the costs. The total is the sum of the parts.
    """
    names = ("cart_item_total", "additional_cost_total", "cart_item_additional_cost_total")
    parts: dict[str, Decimal] = {name: getattr(session, name) for name in names}
    missing = [name for name in names if parts[name] is COMPUTED]
    given = add(*(parts[name] for name in names if name not in missing))
    if session.total is not COMPUTED:
        if len(missing) == 1:
            return {missing[0]: subtract(session.total, given)}
        computed = totals(session.cart_items, session.additional_costs)
        return {name: computed[name] for name in missing}
    computed = totals(session.cart_items, session.additional_costs)
    if len(missing) == len(names):
        return computed
    found = {name: computed[name] for name in missing}
    return {**found, "total": add(given, *found.values())}


def _in_order(items: tuple[CartItem, ...]) -> tuple[CartItem, ...]:
    """Return *items* in the order of their positions; an item without one has its place in the list.

    Raises:
        InvalidValue: the positions are not the numbers from 0 on, each once: nobody would know which item is meant.
    """
    placed: dict[int, CartItem] = {}
    for place, item in enumerate(items):
        position = place if item.position is None else item.position
        if position >= len(items) or position in placed:
            problem = f"is {position} again" if position in placed else f"{position} is not below {len(items)}"
            raise InvalidValue(
                f"/cartItems/{place}/position", f"{problem}; positions are 0 to {len(items) - 1}, each once"
            )
        placed[position] = item
    return tuple(
        item if item.position == position else with_position(item, position)
        for position, item in sorted(placed.items())
    )
