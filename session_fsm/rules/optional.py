"""The rules that an order service may switch on for its own Application.

Talon.One states them as advice, or enforces them by what the Application declares. Switched on here, the
service hears of a fault from its own code and before the call. A rule that needs to know the Application
is made by a function that is told:

>>> from session_fsm import CustomerSession
>>> from session_fsm.rules import attributes_are_declared, coupon_code_required
>>> class ShopSession(CustomerSession):
...     rules = (
...         *CustomerSession.rules,
...         coupon_code_required,
...         attributes_are_declared(session=["ShippingCity"], cart_item=["image", "material"]),
...     )
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any

from session_fsm.converters import is_timestamp, to_amount
from session_fsm.errors import InvalidValue, Violation, pointer_token
from session_fsm.guards import Rule, rule
from session_fsm.json_values import AttributeValue
from session_fsm.states import State, Trigger
from session_fsm.validators import kind_of
from session_fsm.values import AdditionalCost, CartItem

__all__ = [
    "AttributeType",
    "additional_costs_are_declared",
    "attributes_are_declared",
    "attributes_have_declared_types",
    "coupon_code_required",
    "identifier_required",
    "prices_are_known",
    "referral_code_required",
]

_FILLING = [Trigger.CREATE, Trigger.UPDATE, Trigger.CLOSE]
_CLOSING = [Trigger.CREATE, Trigger.CLOSE]


@rule("coupon_code_required", on=_CLOSING, target=State.CLOSED)
def coupon_code_required(coupon_codes: tuple[str, ...]) -> bool:
    """A session must hold a coupon code by the time it closes.

    Rule O-01. For campaigns with a coupon budget.
    """
    return any(coupon_codes)


@rule("referral_code_required", on=_CLOSING, target=State.CLOSED)
def referral_code_required(referral_code: str) -> bool:
    """A session must hold a referral code by the time it closes.

    Rule O-02. For campaigns with a referral budget.
    """
    return bool(referral_code)


@rule("identifier_required", on=_CLOSING, target=State.CLOSED)
def identifier_required(identifiers: tuple[str, ...]) -> bool:
    """A session must hold an identifier by the time it closes.

    Rule O-03. For campaigns with a unique identifier budget, or with coupons.
    """
    return any(identifiers)


class AttributeType(StrEnum):
    """The types that an attribute may be declared with, spelled as the API spells them."""

    STRING = "string"
    """Text."""
    NUMBER = "number"
    """An integer or an exact decimal."""
    BOOLEAN = "boolean"
    """True or false."""
    TIME = "time"
    """RFC 3339 text."""
    LOCATION = "location"
    """Two numbers: as a list, as an object, or as text with a comma between them."""
    LIST_OF_STRINGS = "(list string)"
    """Any number of texts."""
    LIST_OF_NUMBERS = "(list number)"
    """Any number of numbers."""
    LIST_OF_TIMES = "(list time)"
    """Any number of times."""
    LIST_OF_LOCATIONS = "(list location)"
    """Any number of locations."""


Attributes = Mapping[str, AttributeValue]


def _all_attributes(
    attributes: Attributes, cart_items: tuple[CartItem, ...], session: Any, cart_item: Any
) -> Iterator[tuple[str, str, AttributeValue, Any, str]]:
    """List every attribute: its pointer, name and value, what is declared for its place, and whose it is."""
    for name, value in attributes.items():
        yield f"/attributes{pointer_token(name)}", name, value, session, "CustomerSession"
    for position, item in enumerate(cart_items):
        for name, value in item.attributes.items():
            yield f"/cartItems/{position}/attributes{pointer_token(name)}", name, value, cart_item, "CartItem"


def _names(declared: Collection[str], place: str) -> frozenset[str]:
    """Return the names once and for all, in a form that is asked for one of them at the same cost however many there are."""
    if isinstance(declared, str):
        raise InvalidValue(place, "a string is not a list of names")
    return frozenset(declared)


def attributes_are_declared(*, session: Collection[str] = (), cart_item: Collection[str] = ()) -> Rule:
    """Make the rule that every attribute of the *session* and of each *cart_item* is declared (O-04).

    Raises:
        InvalidValue: a string was given instead of a list of names.
    """
    of_session, of_item = _names(session, "/session"), _names(cart_item, "/cart_item")

    @rule("attribute_not_declared", on=_FILLING)
    def every_attribute_is_declared(attributes: Attributes, cart_items: tuple[CartItem, ...]) -> Iterator[Violation]:
        """Every attribute of the session and of its items must be declared in the Application."""
        for pointer, name, _, declared, owner in _all_attributes(attributes, cart_items, of_session, of_item):
            if name not in declared:
                yield Violation(
                    message=f'The attribute "{name:.100}" is not defined on {owner} entities.',
                    details={"attribute": name, "entity": owner},
                    pointer=pointer,
                )

    return every_attribute_is_declared


def attributes_have_declared_types(
    *,
    session: Mapping[str, AttributeType | str] | None = None,
    cart_item: Mapping[str, AttributeType | str] | None = None,
) -> Rule:
    """Make the rule that every declared attribute's value has the declared type (O-05).

    Both arguments map the name of an attribute to its `AttributeType`. What is not declared is not judged here.

    Raises:
        InvalidValue: there is no such type.

    >>> attributes_have_declared_types(session={"ShippingCity": "string"}).code
    'attribute_wrong_type'
    """
    of_session = _types(session or {}, "/session")
    of_item = _types(cart_item or {}, "/cart_item")

    @rule("attribute_wrong_type", on=_FILLING)
    def attributes_have_their_declared_types(
        attributes: Attributes, cart_items: tuple[CartItem, ...]
    ) -> Iterator[Violation]:
        """Every attribute's value must have the type that the Application declares for it."""
        for pointer, name, value, declared, _ in _all_attributes(attributes, cart_items, of_session, of_item):
            if name in declared and not _has_type(value, declared[name]):
                kind = declared[name]
                yield Violation(
                    message=f'Value of "{name:.100}" attribute ({_shown(value)}) is not a {kind.strip("()")}',
                    details={"attribute": name, "type": str(kind)},
                    pointer=pointer,
                )

    return attributes_have_their_declared_types


def _types(declared: Mapping[str, Any], place: str) -> dict[str, AttributeType]:
    found: dict[str, AttributeType] = {}
    for name, kind in declared.items():
        if kind not in set(AttributeType):
            given = f'"{kind:.40}"' if isinstance(kind, str) else kind_of(kind)
            raise InvalidValue(place + pointer_token(name), f"{given} is none of: {', '.join(AttributeType)}")
        found[name] = AttributeType(kind)
    return found


def _has_type(value: AttributeValue, kind: AttributeType) -> bool:
    match kind:
        case AttributeType.STRING:
            return isinstance(value, str)
        case AttributeType.BOOLEAN:
            return isinstance(value, bool)
        case AttributeType.NUMBER:
            return isinstance(value, (int, Decimal)) and not isinstance(value, bool)
        case AttributeType.TIME:
            return isinstance(value, str) and is_timestamp(value)
        case AttributeType.LOCATION:
            return _is_location(value)
        case _:
            of_one = AttributeType(kind.strip("()").removeprefix("list "))
            return isinstance(value, tuple) and all(_has_type(element, of_one) for element in value)


def _is_location(value: AttributeValue) -> bool:
    if isinstance(value, str):
        value = tuple(map(to_amount, value.split(",", 2)))
    elif isinstance(value, Mapping):
        value = tuple(value.values())
    return isinstance(value, tuple) and len(value) == 2 and all(_has_type(e, AttributeType.NUMBER) for e in value)


def _shown(value: AttributeValue) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | Decimal():
            return f"{value!s:.100}"
        case _:
            return kind_of(value)


def additional_costs_are_declared(*, session: Collection[str] = (), cart_item: Collection[str] = ()) -> Rule:
    """Make the rule that every additional cost is declared for its place, *session* or *cart_item* (O-06).

    Raises:
        InvalidValue: a string was given instead of a list of names.
    """
    of_session, of_item = _names(session, "/session"), _names(cart_item, "/cart_item")

    @rule("additional_cost_not_declared", on=_FILLING)
    def every_additional_cost_is_declared(
        additional_costs: Mapping[str, AdditionalCost], cart_items: tuple[CartItem, ...]
    ) -> Iterator[Violation]:
        """Every additional cost must be declared in the Application, for the session or for items."""
        held = [("", additional_costs, of_session, "sessions")]
        held += [(f"/cartItems/{i}", item.additional_costs, of_item, "items") for i, item in enumerate(cart_items)]
        for place, costs, declared, owner in held:
            for name in costs:
                if name not in declared:
                    yield Violation(
                        message=f'The additional cost "{name:.100}" is not declared for {owner}.',
                        details={"additional_cost": name, "place": owner},
                        pointer=f"{place}/additionalCosts{pointer_token(name)}",
                    )

    return every_additional_cost_is_declared


def prices_are_known(*, catalog: Container[str] = ()) -> Rule:
    """Make the rule that an item has a price or that its SKU is in the *catalog* (O-07).

    A list or an iterator is read once, when the rule is made. Of anything else the rule asks ``sku in catalog`` whenever
    it is judged, so that a catalog may change.

    Raises:
        InvalidValue: a string was given instead of a list of SKUs.
    """
    if isinstance(catalog, str):
        raise InvalidValue("/catalog", "a string is not a list of SKUs")
    given: Any = catalog
    known: Any = frozenset(given) if issubclass(type(given), (Sequence, Iterator)) else given

    @rule("price_missing", on=_FILLING)
    def every_price_is_known(cart_items: tuple[CartItem, ...]) -> Iterator[Violation]:
        """Every item must have a price, or its SKU must be in the catalog."""
        for position, item in enumerate(cart_items):
            if item.price is None and item.sku not in known:
                yield Violation(
                    message=f'The item "{item.sku:.100}" at position {position} has no price and is in no catalog.',
                    details={"position": position, "sku": item.sku},
                    pointer=f"/cartItems/{position}/price",
                )

    return every_price_is_known
