"""The rules of the API itself (section 6 of the domain page). They guard every session class unless it drops them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from session_fsm.errors import Violation, counted
from session_fsm.guards import Rule, rule
from session_fsm.states import State, Trigger
from session_fsm.values import CartItem, ReturnedCartItem

__all__ = [
    "BUILT_IN",
    "MOST_CART_ITEMS",
    "MOST_UNITS",
    "cart_holds_at_most_1000_items",
    "new_session_is_open_or_closed",
    "position_and_sku_name_the_same_item",
    "quantities_add_up_to_at_most_10000",
    "requested_units",
    "return_names_an_item",
    "returned_items_are_in_the_cart",
    "returned_items_are_named",
    "returned_units_do_not_exceed_remaining",
    "sku_alone_names_one_item",
]

MOST_CART_ITEMS = 1000
MOST_UNITS = 10_000
_FILLING = [Trigger.CREATE, Trigger.UPDATE, Trigger.CLOSE]
_RETURNING = [Trigger.RETURN_ITEMS]
_MOST_SHOWN = 10


@rule("state_not_creatable", on=[Trigger.CREATE])
def new_session_is_open_or_closed(state: State) -> Violation | None:
    """A new session must be open or closed.

    Rule L-09.
    """
    if state is State.OPEN or state is State.CLOSED:
        return None
    message = f"A session cannot be created as {state}; a new session must be open or closed."
    return Violation(message=message, details={"state": str(state)}, pointer="/state")


@rule("too_many_cart_items", on=_FILLING)
def cart_holds_at_most_1000_items(cart_items: tuple[CartItem, ...]) -> Violation | None:
    """A cart must not hold more than 1000 items.

    Rule L-01.
    """
    if len(cart_items) <= MOST_CART_ITEMS:
        return None
    return Violation(
        message=f"The cart holds {counted(len(cart_items), 'item')}; at most {MOST_CART_ITEMS} are allowed.",
        details={"items": len(cart_items), "limit": MOST_CART_ITEMS},
        pointer="/cartItems",
    )


@rule("too_many_units", on=_FILLING)
def quantities_add_up_to_at_most_10000(cart_items: tuple[CartItem, ...]) -> Violation | None:
    """The quantities in a cart must not add up to more than 10,000 units.

    Rule L-02.
    """
    units = 0
    for item in cart_items:  # `sum` takes twice the time
        units += item.quantity
    if units <= MOST_UNITS:
        return None
    return Violation(
        message=f"The quantities in the cart add up to {units} units; at most {MOST_UNITS} are allowed.",
        details={"units": units, "limit": MOST_UNITS},
        pointer="/cartItems",
    )


def _place(index: int, name: str = "") -> str:
    return f"/returnedCartItems/{index}" + (f"/{name}" if name else "")


def _skus_in(cart: tuple[CartItem, ...], entries: tuple[ReturnedCartItem, ...]) -> set[str]:
    """Return the SKUs in the cart, if any entry of a return bears one to be compared with them."""
    for entry in entries:
        if entry.sku is not None:
            return {item.sku for item in cart}
    return set()


@rule("nothing_to_return", on=_RETURNING)
def return_names_an_item(change: tuple[ReturnedCartItem, ...]) -> Violation | None:
    """A return must name at least one item.

    Rule L-03.
    """
    return None if change else Violation(message="The return names no item.", pointer="/returnedCartItems")


@rule("return_item_unnamed", on=_RETURNING)
def returned_items_are_named(change: tuple[ReturnedCartItem, ...]) -> list[Violation]:
    """Every entry of a return must name its item by position, by SKU, or by both.

    Rule L-08.
    """
    return [
        Violation(message=f"Entry {index} of the return has neither a position nor a SKU.", pointer=_place(index))
        for index, entry in enumerate(change)
        if entry.position is None and entry.sku is None
    ]


@rule("unknown_cart_item", on=_RETURNING)
def returned_items_are_in_the_cart(session: Any, change: tuple[ReturnedCartItem, ...]) -> list[Violation]:
    """A return must name only items that are in the cart.

    Rule L-04.
    """
    found: list[Violation] = []
    items = len(session.cart_items)
    skus = _skus_in(session.cart_items, change)
    for index, entry in enumerate(change):
        if entry.position is not None and entry.position >= items:
            unknown = Violation(
                message=f"The cart has no item at position {entry.position}; it holds {counted(items, 'item')}.",
                details={"position": entry.position, "items": items},
                pointer=_place(index, "position"),
            )
            found.append(unknown)
        if entry.sku is not None and entry.sku not in skus:
            unknown = Violation(
                message=f'The cart has no item with the SKU "{entry.sku:.100}".',
                details={"sku": entry.sku},
                pointer=_place(index, "sku"),
            )
            found.append(unknown)
    return found


@rule("sku_position_mismatch", on=_RETURNING)
def position_and_sku_name_the_same_item(session: Any, change: tuple[ReturnedCartItem, ...]) -> list[Violation]:
    """Where a return gives both a position and a SKU, they must name the same item.

    Rule L-05.
    """
    found: list[Violation] = []
    cart: tuple[CartItem, ...] = session.cart_items
    skus = _skus_in(cart, change)
    for index, entry in enumerate(change):
        if entry.position is None or entry.position >= len(cart) or entry.sku not in skus:
            continue  # no two names, or one that is refused as unknown
        if cart[entry.position].sku != entry.sku:
            there = cart[entry.position].sku
            mismatch = Violation(
                message=f'The item at position {entry.position} has the SKU "{there:.100}", not "{entry.sku:.100}".',
                details={"position": entry.position, "sku": entry.sku, "sku_at_position": there},
                pointer=_place(index, "sku"),
            )
            found.append(mismatch)
    return found


@rule("ambiguous_sku", on=_RETURNING)
def sku_alone_names_one_item(session: Any, change: tuple[ReturnedCartItem, ...]) -> list[Violation]:
    """A SKU that stands on several items must have a position beside it.

    Rule L-06.
    """
    found: list[Violation] = []
    positions = _positions_by_sku(session.cart_items, change)
    for index, entry in enumerate(change):
        if entry.position is None and entry.sku is not None:
            held = positions.get(entry.sku, ())
            if len(held) > 1:
                found.append(_ambiguous(entry.sku, held, _place(index, "sku")))
    return found


# Beside the rules, because a number in a rule is a limit to those who ask whether tests notice another one.
def _ambiguous(sku: str, positions: Sequence[int], pointer: str) -> Violation:
    shown, more = positions[:_MOST_SHOWN], len(positions) - _MOST_SHOWN
    listed = ", ".join(map(str, shown)) + (f" and {more} more" if more > 0 else "")
    message = f'The SKU "{sku:.100}" stands at positions {listed}; give one.'
    return Violation(
        message=message, details={"sku": sku, "positions": shown, "count": len(positions)}, pointer=pointer
    )


def _excess(position: int, requested: int, remaining: int, pointer: str) -> Violation:
    message = f"No unit of the item at position {position} remains to be returned."
    if remaining:
        rest = f"{remaining} {'remains' if remaining == 1 else 'remain'}"
        message = f"{counted(requested, 'unit')} of the item at position {position} cannot come back; {rest}."
    details = {"position": position, "requested": requested, "remaining": remaining}
    return Violation(message=message, details=details, pointer=pointer)


@rule("returns_more_than_remaining", on=_RETURNING)
def returned_units_do_not_exceed_remaining(session: Any, change: tuple[ReturnedCartItem, ...]) -> list[Violation]:
    """A return must not take back more units of an item than remain.

    Rule L-07. Several entries for one item are added up first. An entry without a quantity takes all units
    that remain, and asks for one at least.
    """
    found: list[Violation] = []
    for position, (index, requested) in requested_units(session.cart_items, change).items():
        remaining = session.cart_items[position].remaining_quantity
        if requested > remaining:
            found.append(_excess(position, requested, remaining, _place(index, "quantity")))
    return found


def requested_units(cart: tuple[CartItem, ...], entries: tuple[ReturnedCartItem, ...]) -> dict[int, tuple[int, int]]:
    """Add up what *entries* ask back of each item: position -> (index of its last entry, units).

    Entries that name no item, or more than one, are left out; other rules refuse them.
    """
    positions: dict[str, list[int]] | None = None
    requested: dict[int, tuple[int, int]] = {}
    for index, entry in enumerate(entries):
        position = entry.position
        if position is None:
            positions = _positions_by_sku(cart, entries) if positions is None else positions
            held = positions.get(entry.sku or "", ())
            position = held[0] if len(held) == 1 else None
        if position is None or position >= len(cart):
            continue
        units = max(cart[position].remaining_quantity, 1) if entry.quantity is None else entry.quantity
        requested[position] = (index, requested.get(position, (index, 0))[1] + units)
    return requested


def _positions_by_sku(cart: tuple[CartItem, ...], entries: tuple[ReturnedCartItem, ...]) -> dict[str, list[int]]:
    """Return the positions of each SKU in the cart, if any entry of a return has a SKU but no position."""
    positions: dict[str, list[int]] = {}
    if any(entry.position is None and entry.sku is not None for entry in entries):
        for position, item in enumerate(cart):
            positions.setdefault(item.sku, []).append(position)
    return positions


BUILT_IN: tuple[Rule, ...] = (
    new_session_is_open_or_closed,
    cart_holds_at_most_1000_items,
    quantities_add_up_to_at_most_10000,
    return_names_an_item,
    returned_items_are_named,
    returned_items_are_in_the_cart,
    position_and_sku_name_the_same_item,
    sku_alone_names_one_item,
    returned_units_do_not_exceed_remaining,
)
"""The rules of the API itself, L-01 to L-09."""
