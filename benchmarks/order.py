"""An order in plain Python, with the data and validation of a customer session.

The state machines of the peers use `Order` as their model. `PlainOrder` adds a comparison of states before each effect
and is the lower bound of what pure Python can reach.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, Inexact
from typing import Any

__all__ = ["ITEMS", "OTHER_ITEMS", "Line", "Order", "PlainOrder", "Refused", "snapshot"]

ITEMS = [(f"SKU-{place}", place, Decimal("19.99")) for place in range(1, 6)]
"""SKU, quantity and price of the five initial items."""
OTHER_ITEMS = [(f"SKU-{place}", place, Decimal("4.25")) for place in range(3, 8)]

_EXACT = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[Inexact])
_INT64 = 2**63


class Refused(Exception):
    """The order refuses the operation; the code says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Line:
    """One line of the cart."""

    __slots__ = ("position", "price", "quantity", "returned", "sku")

    def __init__(self, sku: str, quantity: int, price: Decimal, position: int | None = None, returned: int = 0) -> None:
        if not isinstance(sku, str) or not sku:
            raise Refused("invalid_sku")
        if isinstance(quantity, bool) or not isinstance(quantity, int) or not 1 <= quantity < _INT64:
            raise Refused("invalid_quantity")
        if not isinstance(price, Decimal) or not price.is_finite() or not -324 <= price.adjusted() <= 288:
            raise Refused("invalid_price")
        self.sku, self.quantity, self.price = sku, quantity, price
        self.position, self.returned = position, returned


class _Event:
    __slots__ = ("at", "change", "count", "name", "session_id", "source", "target", "trigger")

    def __init__(self, *parts: Any) -> None:
        self.name, self.session_id, self.trigger, self.source, self.target, self.at, self.count, self.change = parts


def _text(value: object, at_most: int) -> None:
    if not isinstance(value, str) or len(value) > at_most:
        raise Refused("invalid_text")
    if not value.isascii():
        value.encode()


def _cart(lines: list[Line]) -> tuple[Line, ...]:
    for line in lines:
        if not isinstance(line, Line):
            raise Refused("invalid_item")
    if len(lines) > 1000:
        raise Refused("too_many_cart_items")
    if sum([line.quantity for line in lines]) > 10_000:
        raise Refused("too_many_units")
    return tuple([Line(one.sku, one.quantity, one.price, place) for place, one in enumerate(lines)])


def _total(lines: tuple[Line, ...]) -> Decimal:
    total = Decimal(0)
    for line in lines:
        total = _EXACT.add(total, _EXACT.multiply(line.price, line.quantity))
    return total


class Order:
    """The data of an order, and the effects of the triggers, without checks of the state."""

    __slots__ = (
        *("__dict__", "cart", "coupon_codes", "created", "events", "profile_id", "session_id", "total", "updated"),
        "update_count",
    )

    def __init__(self, session_id: str, profile_id: str, lines: list[Line]) -> None:
        _text(session_id, 1000)
        _text(profile_id, 1000)
        self.session_id, self.profile_id = session_id, profile_id
        self.coupon_codes: tuple[str, ...] = ()
        self.cart = _cart(lines)
        self.total = _total(self.cart)
        self.update_count = 0
        self.created = datetime.now(UTC)
        self.events: list[_Event] = []
        self.record("created", "create", None, "open", lines, self.created)

    def record(
        self, name: str, trigger: str, source: str | None, target: str, change: Any, now: datetime | None = None
    ) -> None:
        """Append an event and increase the update count."""
        self.updated = now or datetime.now(UTC)
        self.update_count += 1
        self.events.append(
            _Event(name, self.session_id, trigger, source, target, self.updated, self.update_count, change)
        )

    def change(self, coupon_codes: list[str] | None = None, lines: list[Line] | None = None) -> None:
        """Validate and assign the values of an update."""
        if coupon_codes is not None:
            for code in coupon_codes:
                _text(code, 100)
        cart = self.cart if lines is None else _cart(lines)
        total = self.total if lines is None else _total(cart)
        if coupon_codes is not None:
            self.coupon_codes = tuple(coupon_codes)
        self.cart, self.total = cart, total

    def check(self) -> None:
        """Validate the cart."""
        if len(self.cart) > 1000:
            raise Refused("too_many_cart_items")
        if sum([line.quantity for line in self.cart]) > 10_000:
            raise Refused("too_many_units")

    def take_back(self, position: int, quantity: int) -> None:
        """Return units of one item."""
        if not 0 <= position < len(self.cart):
            raise Refused("unknown_cart_item")
        line = self.cart[position]
        if quantity > line.quantity - line.returned:
            raise Refused("returns_more_than_remaining")
        cart = list(self.cart)
        cart[position] = Line(line.sku, line.quantity, line.price, position, line.returned + quantity)
        self.cart = tuple(cart)


class PlainOrder(Order):
    """An order with a state, which each trigger compares before its effect."""

    __slots__ = ("state",)

    def __init__(self, session_id: str, profile_id: str, lines: list[Line]) -> None:
        super().__init__(session_id, profile_id, lines)
        self.state = "open"

    def update(self, coupon_codes: list[str] | None = None, lines: list[Line] | None = None) -> None:
        if self.state != "open":
            raise Refused("wrong_state")
        self.change(coupon_codes, lines)
        self.record("updated", "update", "open", "open", (coupon_codes, lines))

    def close(self) -> None:
        if self.state != "open":
            raise Refused("wrong_state")
        self.check()
        self.state = "closed"
        self.record("closed", "close", "open", "closed", None)

    def return_items(self, position: int, quantity: int) -> None:
        if self.state not in ("closed", "partially_returned"):
            raise Refused("wrong_state")
        source = self.state
        self.take_back(position, quantity)
        self.state = "partially_returned"
        self.record("partially_returned", "return_items", source, "partially_returned", (position, quantity))

    def cancel(self) -> None:
        if self.state == "cancelled":
            raise Refused("wrong_state")
        source = self.state
        self.state = "cancelled"
        self.record("cancelled" if source == "open" else "revoked", "cancel", source, "cancelled", None)


def snapshot(order: Any, state: str) -> dict[str, Any]:
    """Return the final values of an order, to compare contenders."""
    return {
        "state": state,
        "events": [(one.name, one.source, one.target, one.count) for one in order.events],
        "total": str(order.total),
        "coupon_codes": list(order.coupon_codes),
        "update_count": order.update_count,
        "returned": [line.returned for line in order.cart],
    }
