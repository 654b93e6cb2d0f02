"""Hypothesis strategies for the arguments of verbs. All values are valid and shrink to simple ones.

Each draw is one value: `cart_items` draws a `CartItem`, `returns` the argument of one return. Invalid values are in
`session_fsm.testing.strategies.invalid`, sessions in `session_fsm.testing.strategies.sessions`.

Values have a valid type, length and range, and carts respect the limits of the API. For further rules of a service,
filter the values or pass other strategies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from hypothesis import strategies as st

from session_fsm.errors import InvalidValue
from session_fsm.session import CustomerSession
from session_fsm.values import (
    AdditionalCost,
    CartItem,
    ExperimentVariantAllocation,
    Product,
    ReturnedCartItem,
    SessionUpdate,
)

__all__ = [
    "additional_costs",
    "amounts",
    "attributes",
    "built",
    "cart_items",
    "carts",
    "integers",
    "json_values",
    "returns",
    "updates",
    "updates_with",
    "values_of",
    "words",
]

T = TypeVar("T")


def built(make: Callable[[Any], T], drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[T]:
    """Draw *make* of a *drawn* value. Unlike with ``map``, Hypothesis reports the result and not the call."""

    @st.composite
    def build(draw: st.DrawFn) -> T:
        return make(draw(drawn))

    return build()


@cache
def words(*common: str, at_least: int = 0) -> st.SearchStrategy[str]:
    """Draw one of the *common* words, or text of up to 8 characters that UTF-8 can encode."""
    some = st.text(st.characters(codec="utf-8"), min_size=at_least, max_size=8)
    return st.sampled_from(common) | some if common else some


@cache
def integers() -> st.SearchStrategy[int]:
    """Draw a signed 64-bit integer."""
    return st.integers(-(2**63), 2**63 - 1)


@cache
def amounts() -> st.SearchStrategy[Decimal]:
    """Draw an exact amount: an integer, a price, zero, negative, with many digits, or with an exponent."""
    digits_and_power = st.tuples(st.integers(-(10**40), 10**40), st.integers(-40, 20))
    return st.one_of(
        st.integers(1, 10_000).map(Decimal),
        st.integers(-(10**6), 10**6).map(lambda cents: Decimal(f"{cents}E-2")),
        digits_and_power.map(lambda drawn: Decimal(f"{drawn[0]}E{drawn[1]}")),
    )


_PARTS: dict[type[Any], Callable[[], dict[str, st.SearchStrategy[Any]]]] = {
    AdditionalCost: lambda: {"price": amounts()},
    ExperimentVariantAllocation: lambda: {"experiment_id": integers(), "variant_id": integers()},
    Product: lambda: {"name": words()},
    ReturnedCartItem: lambda: {
        "position": st.none() | st.integers(0, 5),
        "quantity": st.none() | st.integers(1, 9),
        "sku": st.none() | words("A", "B", "C", "D", at_least=1),
    },
}
"""The strategies of the fields of the small value types."""


def values_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Draw a value of *kind*, one of the value types of carts, updates and returns."""
    if kind is CartItem:
        return cart_items()
    return updates() if kind is SessionUpdate else st.builds(kind, **_PARTS[kind]())


@cache
def additional_costs() -> st.SearchStrategy[Mapping[str, AdditionalCost]]:
    """Draw a mapping of names to costs."""
    return st.dictionaries(words("shipping", "gift_wrap", "deposit"), values_of(AdditionalCost), max_size=3)


@cache
def json_values() -> st.SearchStrategy[Any]:
    """Draw the value of an attribute: text, a number, a boolean, a list, an object, or None."""
    return st.recursive(
        st.integers(0, 9) | st.none() | st.booleans() | integers() | amounts() | words(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words(), inner, max_size=3),
        max_leaves=4,
    )


@cache
def attributes() -> st.SearchStrategy[Mapping[str, Any]]:
    """Draw a mapping of names to attributes; an update removes those that are None."""
    names = st.sampled_from(["ShippingCity", "colour", "weight"])
    return st.dictionaries(names | st.text("aZ_09", max_size=4).map(lambda rest: f"x{rest}"), json_values(), max_size=3)


@cache
def cart_items() -> st.SearchStrategy[CartItem]:
    """Draw an item of a request, with few units and with SKUs that often repeat in a cart."""
    optional: dict[str, st.SearchStrategy[Any]] = {
        "price": amounts(),
        "additional_costs": additional_costs(),
        "attributes": attributes(),
        "name": words(),
        "category": words(),
        "product": values_of(Product),
        **dict.fromkeys(["weight", "height", "width", "length"], amounts()),
    }
    required = {"sku": words("A", "B", "C", at_least=1), "quantity": st.integers(1, 9)}
    return built(lambda given: CartItem(**given), st.fixed_dictionaries(required, optional=optional))


@cache
def carts(*, at_least: int = 0) -> st.SearchStrategy[list[CartItem]]:
    """Draw the items of a cart, *at_least* so many and usually at most 5."""
    return st.lists(cart_items(), min_size=at_least, max_size=max(at_least, 5))


def _fields_of_update() -> dict[str, st.SearchStrategy[Any]]:
    return {
        "cart_items": carts(),
        "coupon_codes": st.lists(words("XMAS", "NEW"), max_size=3),
        "referral_code": words("FRIEND", ""),
        "profile_id": words("customer-7", ""),
        "identifiers": st.lists(words("ip-hash"), max_size=5),
        "additional_costs": additional_costs(),
        "attributes": attributes(),
        "store_integration_id": words("store-3", at_least=1),
        "loyalty_cards": st.lists(words("card-1"), max_size=1),
        "evaluable_campaign_ids": st.lists(integers(), max_size=3),
        "experiment_variant_allocations": st.lists(values_of(ExperimentVariantAllocation), max_size=2),
    }


@cache
def updates() -> st.SearchStrategy[SessionUpdate]:
    """Draw changes in which each field is independently omitted, empty or a value; never a state."""
    return built(lambda given: SessionUpdate(**given), st.fixed_dictionaries({}, optional=_fields_of_update()))


def updates_with(cart: st.SearchStrategy[list[CartItem]]) -> st.SearchStrategy[SessionUpdate]:
    """Draw changes as `updates` does, always with a *cart*."""
    fields = _fields_of_update()
    del fields["cart_items"]
    return built(lambda given: SessionUpdate(**given), st.fixed_dictionaries({"cart_items": cart}, optional=fields))


def returns(session: CustomerSession | None = None) -> st.SearchStrategy[list[ReturnedCartItem]]:
    """Draw the argument of an allowed return of *session*; without one, any return, allowed or not.

    An allowed return names items with remaining units by position, by SKU or by both, and returns some or all of
    these units, in one or two entries for each item.

    Raises:
        InvalidValue: no unit of the session remains.
    """
    if session is None:
        return st.lists(values_of(ReturnedCartItem), max_size=3)
    remaining = [item for item in session.cart_items if item.remaining_quantity]
    if not remaining:
        raise InvalidValue("/cartItems", f"no unit of session {session.integration_id!r} remains to be returned")
    skus = Counter(item.sku for item in session.cart_items)

    @st.composite
    def entries(draw: st.DrawFn) -> list[ReturnedCartItem]:
        chosen = st.lists(st.sampled_from(remaining), min_size=1, max_size=3, unique_by=lambda item: item.position)
        return [entry for item in draw(chosen) for entry in _entries(draw, item, alone=skus[item.sku] == 1)]

    return entries()


def _entries(draw: st.DrawFn, item: CartItem, *, alone: bool) -> list[ReturnedCartItem]:
    """Draw one or two entries that return units of *item*; the SKU alone may name it if it is *alone* with its SKU."""
    remaining = item.remaining_quantity
    units: list[int | None] = [draw(st.integers(1, remaining) | st.none())]
    if units[0] is not None and units[0] < remaining and draw(st.booleans()):
        units.append(remaining - units[0])
    names: list[dict[str, Any]] = [{"position": item.position}, {"position": item.position, "sku": item.sku}]
    if alone:
        names.append({"sku": item.sku})
    return [ReturnedCartItem(quantity=each, **draw(st.sampled_from(names))) for each in units]
