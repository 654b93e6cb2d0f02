"""Complete a new session: compute positions, totals and `first_session` from its other fields.

``CustomerSession.__attrs_post_init__`` calls `complete`, so a session that is created, read or unpickled is completed.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from session_fsm.entities import assign
from session_fsm.errors import InvalidValue
from session_fsm.subclasses.own_fields import NO_OWN_FIELDS
from session_fsm.totals import add, subtract, totals
from session_fsm.values import CartItem, with_position

__all__ = ["COMPUTED", "complete"]

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
