"""The values in a session, and the arguments of its verbs. All are frozen.

Fields bear Talon.One's names in snake_case. Amounts are exact decimals in the currency of the Application:
give an integer, a numeral such as ``"19.99"``, or a Decimal; a binary float is refused.
Whatever breaks its own type or length is an `InvalidValue` as soon as it is built.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar
from uuid import UUID

from attrs import AttrsInstance, evolve, field, fields, frozen

from session_fsm.converters import to_amount, to_integer, to_member, to_optional_amount, to_optional_integer, to_tuple
from session_fsm.entities import pickled_with_defaults
from session_fsm.errors import InvalidValue
from session_fsm.generated import evolver, filled_reader
from session_fsm.json_values import (
    EMPTY,
    AttributeValue,
    FrozenDict,
    attribute_map,
    freeze_map,
    json_map,
    to_attributes,
)
from session_fsm.pydantic_hook import PydanticType
from session_fsm.states import State, StateLike
from session_fsm.validators import (
    Check,
    amount,
    instance_of,
    integer,
    is_list,
    is_object,
    kind_of,
    list_of,
    map_of,
    member_of,
    text,
    time,
    validate,
)

__all__ = [
    "CHECKS",
    "FIELDS_OF_UPDATE",
    "NO_CHANGE",
    "UNSET",
    "AdditionalCost",
    "CartItem",
    "ExperimentVariantAllocation",
    "Product",
    "ReturnedCartItem",
    "SessionUpdate",
    "Unset",
    "cart_of",
    "with_position",
]

T = TypeVar("T")


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "UNSET"
    """Its only member."""

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""The value of an omitted field of `SessionUpdate`; it is neither empty nor a value of Talon.One."""


@frozen(weakref_slot=False)
class AdditionalCost(PydanticType):
    """A named amount beside the price of the items, such as shipping (F-13). The map that holds it has its name."""

    price: Decimal = field(converter=to_amount, validator=validate(amount()))
    """The amount, in the currency of the Application."""


@frozen(weakref_slot=False)
class Product(PydanticType):
    """The product that a SKU belongs to."""

    name: str = field(validator=validate(text()))
    """The name of the product, the same for all its variants."""


@frozen(kw_only=True, weakref_slot=False)
class ExperimentVariantAllocation(PydanticType):
    """The variant of an experiment that the session was allocated to (F-24)."""

    experiment_id: int = field(validator=validate(integer()))
    """Talon.One's ID of the experiment."""
    variant_id: int = field(validator=validate(integer()))
    """Talon.One's ID of the variant."""


# The fields of a cart item that Talon.One sets. In a request they are ignored (U-10).
_READ_ONLY = {"read_only": True}

_map_of_costs = map_of(instance_of(AdditionalCost))

if TYPE_CHECKING:
    # mypy does not bind the type variables of a converter. So type checkers see one function for each type of element;
    # at run time one function serves all.
    def to_attribute_map(value: Mapping[str, Any]) -> Mapping[str, AttributeValue]:
        """Convert a mapping to attributes."""
        ...

    def to_cost_map(value: Mapping[str, AdditionalCost]) -> Mapping[str, AdditionalCost]:
        """Convert a mapping to additional costs."""
        ...

    def to_json_map(value: Mapping[str, Any]) -> Mapping[str, AttributeValue]:
        """Convert a mapping to a JSON object."""
        ...

    def to_texts(value: Iterable[str]) -> tuple[str, ...]:
        """Convert strings to a tuple."""
        ...

    def to_integers(value: Iterable[int]) -> tuple[int, ...]:
        """Convert integers to a tuple."""
        ...

    def to_allocations(
        value: Iterable[ExperimentVariantAllocation],
    ) -> tuple[ExperimentVariantAllocation, ...]:
        """Convert allocations to a tuple."""
        ...
else:
    to_attribute_map = to_attributes
    to_cost_map = to_json_map = freeze_map
    to_texts = to_integers = to_allocations = to_tuple


@frozen(kw_only=True, weakref_slot=False)
class CartItem(PydanticType):
    """One line of the cart: so many units of one SKU."""

    sku: str = field(validator=validate(text(at_least=1)))
    """The stock keeping unit, one character or more."""
    quantity: int = field(converter=to_integer, validator=validate(integer(at_least=1)))
    """How many units were bought, returned ones included; one or more."""
    name: str | None = field(default=None, validator=validate(text(), optional=True))
    """Its name for customers."""
    price: Decimal | None = field(
        default=None, converter=to_optional_amount, validator=validate(amount(), optional=True)
    )
    """The price of one unit, in the currency of the Application. None if the catalog has it; counts as 0."""
    category: str | None = field(default=None, validator=validate(text(), optional=True))
    """Its category."""
    product: Product | None = field(default=None, validator=validate(instance_of(Product), optional=True))
    """The product of which the SKU is a variant."""
    weight: Decimal | None = field(
        default=None, converter=to_optional_amount, validator=validate(amount(), optional=True)
    )
    """In grams."""
    height: Decimal | None = field(
        default=None, converter=to_optional_amount, validator=validate(amount(), optional=True)
    )
    """In millimetres."""
    width: Decimal | None = field(
        default=None, converter=to_optional_amount, validator=validate(amount(), optional=True)
    )
    """In millimetres."""
    length: Decimal | None = field(
        default=None, converter=to_optional_amount, validator=validate(amount(), optional=True)
    )
    """In millimetres."""
    attributes: Mapping[str, AttributeValue] = field(
        default=EMPTY, converter=to_attribute_map, validator=validate(attribute_map)
    )
    """The item's own attributes by name."""
    additional_costs: Mapping[str, AdditionalCost] = field(
        default=EMPTY, converter=to_cost_map, validator=validate(_map_of_costs)
    )
    """Costs by name; each counts once for every unit (M-03)."""

    position: int | None = field(
        default=None, validator=validate(integer(at_least=0), optional=True), metadata=_READ_ONLY
    )
    """The index in the cart, from 0. None for an item outside a cart."""
    returned_quantity: int = field(default=0, validator=validate(integer(at_least=0)), metadata=_READ_ONLY)
    """How many units were returned."""
    catalog_item_id: int | None = field(default=None, validator=validate(integer(), optional=True), metadata=_READ_ONLY)
    """Talon.One's internal ID of the item in the catalog."""
    selected_price_type: str | None = field(
        default=None, validator=validate(text(), optional=True), metadata=_READ_ONLY
    )
    """The name of the price type that was chosen among `prices`."""
    adjustment_reference_id: UUID | None = field(
        default=None, validator=validate(instance_of(UUID), optional=True), metadata=_READ_ONLY
    )
    """The price adjustment that led to the price."""
    adjustment_effective_from: datetime | None = field(
        default=None, validator=validate(time, optional=True), metadata=_READ_ONLY
    )
    """When the price adjustment begins, with a time zone."""
    adjustment_effective_until: datetime | None = field(
        default=None, validator=validate(time, optional=True), metadata=_READ_ONLY
    )
    """When the price adjustment ends, with a time zone."""
    prices: Mapping[str, AttributeValue] = field(
        default=EMPTY, converter=to_json_map, validator=validate(json_map), metadata=_READ_ONLY
    )
    """The details of each price type by its name, as Talon.One sent them."""

    def __attrs_post_init__(self) -> None:
        if self.returned_quantity > self.quantity:
            raise InvalidValue(
                "/returnedQuantity", f"{self.returned_quantity} units cannot come back of {self.quantity}"
            )

    @property
    def remaining_quantity(self) -> int:
        """How many units were not returned: `quantity` less `returned_quantity`."""
        return self.quantity - self.returned_quantity


@frozen(kw_only=True, weakref_slot=False)
class ReturnedCartItem(PydanticType):
    """The units of one cart item to return. Name the item by its position, by its SKU, or by both."""

    position: int | None = field(
        default=None, converter=to_optional_integer, validator=validate(integer(at_least=0), optional=True)
    )
    """The index of the item in the cart, from 0."""
    quantity: int | None = field(
        default=None, converter=to_optional_integer, validator=validate(integer(at_least=1), optional=True)
    )
    """How many units to return; None means all that remain."""
    sku: str | None = field(default=None, validator=validate(text(at_least=1), optional=True))
    """The SKU of the item. It is enough if no other item of the cart has the same."""


CHECKS: dict[str, Check] = {
    "profile_id": text(),
    "store_integration_id": text(at_least=1, at_most=1000),
    "evaluable_campaign_ids": list_of(integer()),
    "coupon_codes": list_of(text(at_most=100)),
    "referral_code": text(at_most=100),
    "loyalty_cards": list_of(text(), at_most=1),
    # A request may also want partially_returned; `CustomerSession.put` then refuses it (D-07).
    "state": member_of(State, [State.OPEN, State.CLOSED, State.CANCELLED]),
    "cart_items": list_of(instance_of(CartItem)),
    "additional_costs": _map_of_costs,
    "identifiers": list_of(text(), at_most=5),
    "attributes": attribute_map,
    "experiment_variant_allocations": list_of(instance_of(ExperimentVariantAllocation)),
}
"""The validators of the fields that a request may set; the fields of the session have the same."""


def _omit_null(value: Any) -> Any:
    return UNSET if value is None else value


def _tuple_or_unset(value: Iterable[T] | Unset | None) -> tuple[T, ...] | Unset:
    return UNSET if value is None or isinstance(value, Unset) else to_tuple(value)


def _request_items(value: Iterable[CartItem] | Unset | None) -> tuple[CartItem, ...] | Unset:
    """Convert items to a tuple, and reset the fields that only Talon.One sets (U-10)."""
    items = _tuple_or_unset(value)
    return tuple([_as_requested(item) for item in items]) if isinstance(items, tuple) else items


def _as_requested(item: Any) -> Any:
    """Return *item* with the defaults of its read-only fields."""
    if not isinstance(item, CartItem):
        return item  # the validator refuses it
    changed = item.position is not None or _read_only_fields(item) != _DEFAULTS
    return evolve(item, position=None, **_SET_BY_TALON_ONE) if changed else item


_SET_BY_TALON_ONE: dict[str, Any] = {
    attribute.name: attribute.default
    for attribute in fields(CartItem)
    if attribute.metadata.get("read_only") and attribute.name != "position"
}
_DEFAULTS = tuple(_SET_BY_TALON_ONE.values())
_read_only_fields = attrgetter(*_SET_BY_TALON_ONE)
with_position = evolver(CartItem, "position")
"""Returns a copy of an item with another position."""


def cart_of(items: tuple[CartItem, ...]) -> tuple[CartItem, ...]:
    """Return a cart of *items*, each with its position (U-10)."""
    return tuple([with_position(item, position) for position, item in enumerate(items)])


def _map_or_unset(value: Mapping[str, T] | Unset | None) -> Mapping[str, T] | Unset:
    return UNSET if value is None or isinstance(value, Unset) else freeze_map(value)


if TYPE_CHECKING:  # as above

    def _text_or_unset(value: str | Unset | None) -> str | Unset: ...
    def _texts_or_unset(value: Iterable[str] | Unset | None) -> tuple[str, ...] | Unset: ...
    def _integers_or_unset(value: Iterable[int] | Unset | None) -> tuple[int, ...] | Unset: ...
    def _allocations_or_unset(
        value: Iterable[ExperimentVariantAllocation] | Unset | None,
    ) -> tuple[ExperimentVariantAllocation, ...] | Unset: ...
    def _costs_or_unset(value: Mapping[str, AdditionalCost] | Unset | None) -> Mapping[str, AdditionalCost] | Unset: ...
    def _attributes_or_unset(value: Mapping[str, Any] | Unset | None) -> Mapping[str, AttributeValue] | Unset: ...
else:
    _text_or_unset = _omit_null
    _texts_or_unset = _integers_or_unset = _allocations_or_unset = _tuple_or_unset
    _costs_or_unset = _attributes_or_unset = _map_or_unset


def _state_or_unset(value: StateLike | Unset | None) -> State | Unset:
    member: State | Unset = to_member(State, _omit_null(value))
    return member


def _if_set(instance: Any, attribute: Any, value: object) -> None:
    """Validate a field that may be omitted."""
    if value is not UNSET:
        _VALIDATORS[attribute.name](instance, attribute, value)


_VALIDATORS = {name: validate(check) for name, check in CHECKS.items()}


def _frozen(value: Any) -> Any:
    """Copy lists and mappings into tuples and frozen mappings, and leave everything else as it is."""
    if is_object(value):
        return FrozenDict({name: _frozen(member) for name, member in value.items()})
    return tuple(map(_frozen, value)) if is_list(value) else value


def _own_or_none(value: Mapping[str, Any] | Unset | None) -> Mapping[str, Any]:
    return EMPTY if value is None or isinstance(value, Unset) else _frozen(value) or EMPTY


def _own_names(value: object) -> str | None:
    """Check for a mapping from names to values."""
    if not is_object(value):
        return f"{kind_of(value)} is not an object"
    return None if all(isinstance(name, str) for name in value) else "a name in it is not a string"


@pickled_with_defaults
@frozen(kw_only=True, weakref_slot=False)
class SessionUpdate(PydanticType):
    """The changes that an update or a closing asks for.

    Each field is *omitted* (`UNSET`, the default; None counts as that too), *empty* or a *value*, and
    the three differ: omitted keeps what the session holds, empty discards it, a value replaces it (U-01 to U-08).
    Session attributes alone are merged, name by name, and a name with None is removed (U-05).

    >>> SessionUpdate(coupon_codes=["XMAS"], referral_code="")
    SessionUpdate(coupon_codes=('XMAS',), referral_code='')
    """

    profile_id: str | Unset = field(default=UNSET, converter=_text_or_unset, validator=_if_set)
    """The customer, by the service's own profile ID; ``""`` makes the session anonymous."""
    store_integration_id: str | Unset = field(default=UNSET, converter=_text_or_unset, validator=_if_set)
    """The store, 1 to 1000 characters. It can be replaced, but not discarded."""
    evaluable_campaign_ids: tuple[int, ...] | Unset = field(
        default=UNSET, converter=_integers_or_unset, validator=_if_set
    )
    """The campaigns that a dry run evaluates."""
    coupon_codes: tuple[str, ...] | Unset = field(default=UNSET, converter=_texts_or_unset, validator=_if_set)
    """Any number of codes, each up to 100 characters."""
    referral_code: str | Unset = field(default=UNSET, converter=_text_or_unset, validator=_if_set)
    """Up to 100 characters."""
    loyalty_cards: tuple[str, ...] | Unset = field(default=UNSET, converter=_texts_or_unset, validator=_if_set)
    """One card at most."""
    state: State | Unset = field(default=UNSET, converter=_state_or_unset, validator=_if_set)
    """The state that the Update operation wants; it picks the trigger in `CustomerSession.put` (D-07)."""
    cart_items: tuple[CartItem, ...] | Unset = field(default=UNSET, converter=_request_items, validator=_if_set)
    """The whole cart; it replaces the items of the session."""
    additional_costs: Mapping[str, AdditionalCost] | Unset = field(
        default=UNSET, converter=_costs_or_unset, validator=_if_set
    )
    """The session's own costs by name."""
    identifiers: tuple[str, ...] | Unset = field(default=UNSET, converter=_texts_or_unset, validator=_if_set)
    """Up to five, such as the hash of an IP address."""
    attributes: Mapping[str, AttributeValue] | Unset = field(
        default=UNSET, converter=_attributes_or_unset, validator=_if_set
    )
    """The session's own attributes by name."""
    experiment_variant_allocations: tuple[ExperimentVariantAllocation, ...] | Unset = field(
        default=UNSET, converter=_allocations_or_unset, validator=_if_set
    )
    """The variants of experiments that the session was allocated to."""
    own: Mapping[str, Any] = field(
        default=EMPTY, converter=_own_or_none, validator=validate(_own_names), metadata={"of_talon_one": False}
    )
    """The fields that a subclass of the session adds, by name. They are not in Talon.One's JSON."""

    def given(self) -> dict[str, Any]:
        """Return the fields that are not omitted, by name, without those in `own`."""
        return _given(self)

    def __repr__(self) -> str:
        shown = self.given() | ({"own": self.own} if self.own else {})
        return f"SessionUpdate({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def _names(cls: type[AttrsInstance]) -> tuple[str, ...]:
    return tuple(attribute.name for attribute in fields(cls))


FIELDS_OF_UPDATE = tuple(name for name in _names(SessionUpdate) if name != "own")
"""The names of the fields of `SessionUpdate` that Talon.One knows."""
_given = filled_reader(FIELDS_OF_UPDATE, UNSET)
NO_CHANGE = SessionUpdate()
"""The update in which every field is omitted."""
