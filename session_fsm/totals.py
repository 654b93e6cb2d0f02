"""The totals of a session: exact decimals, gross, and before any discount."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, Inexact, InvalidOperation
from functools import reduce

from session_fsm.values import AdditionalCost, CartItem

__all__ = ["add", "returned_total", "subtract", "totals"]

# Sums and products of bounded decimals are exact in this context. Otherwise it raises; it never rounds.
_EXACT = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[Inexact, InvalidOperation])


_ZERO = Decimal(0)


def totals(cart_items: tuple[CartItem, ...], additional_costs: Mapping[str, AdditionalCost]) -> dict[str, Decimal]:
    """Return the four totals of a session by field name, exact and before any discount (M-01 to M-05)."""
    add, multiply = _EXACT.add, _EXACT.multiply
    items = costs = item_costs = _ZERO
    for item in cart_items:
        price = item.price
        if price is not None:
            items = add(items, multiply(price, item.quantity))
        if item.additional_costs:
            for cost in item.additional_costs.values():
                item_costs = add(item_costs, multiply(cost.price, item.quantity))
    for cost in additional_costs.values():
        costs = add(costs, cost.price)
    return {
        "cart_item_total": items,
        "additional_cost_total": costs,
        "cart_item_additional_cost_total": item_costs,
        # Most sessions have no costs. The two totals are then one object, which saves memory.
        "total": items if costs is item_costs is _ZERO else add(add(items, costs), item_costs),
    }


def returned_total(cart_items: tuple[CartItem, ...]) -> Decimal:
    """Return the sum of price times returned quantity over all items, exact (M-08)."""
    returned = _ZERO
    for item in cart_items:
        if item.price is not None and item.returned_quantity:
            returned = _EXACT.add(returned, _EXACT.multiply(item.price, item.returned_quantity))
    return returned


def add(*amounts: Decimal) -> Decimal:
    """Return the sum of *amounts*, exact."""
    return reduce(_EXACT.add, amounts, _ZERO)


def subtract(total: Decimal, part: Decimal) -> Decimal:
    """Return *total* minus *part*, exact."""
    return _EXACT.subtract(total, part)
