"""The candidates of a search: variants of a step that differ in one place; used by `search` and `dead_ends`.

The values are the constants in rules (`session_fsm.testing.generation.rule_references`) and their neighbours, values
of the session's cart, and a few simple ones. Simple values come first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from functools import cached_property
from itertools import chain, repeat
from typing import Any, TypeVar

from attrs import evolve, fields, fields_dict

from session_fsm.errors import InvalidValue, Violation
from session_fsm.generated import evolver
from session_fsm.rules.built_in import MOST_CART_ITEMS
from session_fsm.rules.optional import AttributeType
from session_fsm.session import CustomerSession
from session_fsm.states import Trigger
from session_fsm.testing.generation.rule_references import RuleReferences
from session_fsm.testing.steps import Step
from session_fsm.values import (
    FIELDS_OF_UPDATE,
    UNSET,
    AdditionalCost,
    CartItem,
    ExperimentVariantAllocation,
    Product,
    ReturnedCartItem,
    SessionUpdate,
)

__all__ = ["FIELDS", "Candidates", "interleaved"]

T = TypeVar("T")
V = TypeVar("V", CartItem, SessionUpdate)

FIELDS = tuple(name for name in FIELDS_OF_UPDATE if name != "state")
"""The names of the fields that an update may set."""
_MOST_TEXTS = 30
_MOST_NUMBERS = 40
_MOST_VARIED = 3
"""The largest cart whose items are varied one by one."""
_LONGEST = 1100
"""The greatest length of a text or list; a cart may hold 1000 items."""
_TOTALS = ("total", "cart_item_total", "additional_cost_total", "cart_item_additional_cost_total")
_GIVEN_AT_CREATION = ("id", "application_id", "first_session")
_SIZES = ("weight", "height", "width", "length")
_UNITS = (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1))
_SECOND = timedelta(seconds=1)

_FIELD_NAMES = {name for made in (CartItem, ReturnedCartItem, SessionUpdate, Violation) for name in fields_dict(made)}

_VALUE_OF_TYPE: Mapping[AttributeType, Any] = {
    AttributeType.STRING: "A",
    AttributeType.NUMBER: 1,
    AttributeType.BOOLEAN: True,
    AttributeType.TIME: "2026-01-01T00:00:00Z",
    AttributeType.LOCATION: (1, 1),
    AttributeType.LIST_OF_STRINGS: ("A",),
    AttributeType.LIST_OF_NUMBERS: (1,),
    AttributeType.LIST_OF_TIMES: ("2026-01-01T00:00:00Z",),
    AttributeType.LIST_OF_LOCATIONS: ((1, 1),),
}
"""A value of each type that an attribute can have, ordered so that each is also valid for none of the types before."""


class Candidates:
    """Creates variants of a step, with the values that *references* suggest."""

    def __init__(self, kind: type[CustomerSession], references: RuleReferences) -> None:
        self.kind = kind
        self.references = references
        self._long: dict[tuple[str, int], tuple[CartItem, ...]] = {}
        sets = (*FIELDS, *_GIVEN_AT_CREATION, "price", "quantity", "position", "sku")
        fields_named = references.reads(*sets, *_TOTALS, "product", "category", "name", *_SIZES, *_own_names(kind))
        self.is_relevant: Callable[..., bool] = references.reads if fields_named else _always
        """Whether to vary a field of one of these names; always true if the rules refer to no field by name."""

    # Values, the simplest first

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Two short texts, the texts in the rules, and texts of the lengths that the rules may compare with."""
        lengths = self.counts if self.references.reads("len") else ()
        # Field names last: they are probably keys in the details of a violation.
        mentioned = sorted(
            self.references.texts, key=lambda text: text in self.references.names or text in _FIELD_NAMES
        )
        return _unique(["A", "B", *mentioned[:_MOST_TEXTS], *("A" * count for count in lengths)])

    @cached_property
    def numbers(self) -> tuple[Decimal, ...]:
        """A few small numbers, and every number in the rules with its neighbours."""
        near = [n + step for n in self.references.numbers[:_MOST_NUMBERS] for step in (0, -1, 1, Decimal("0.01"))]
        return _unique(map(_plain, [Decimal(1), Decimal(0), Decimal(2), Decimal(-1), Decimal("0.5"), *near]))

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """The numbers that can be the length of a text or a list."""
        return tuple(sorted(int(n) for n in self.numbers if n == int(n) and 0 < n <= _LONGEST))

    @cached_property
    def whole_numbers(self) -> tuple[int, ...]:
        """The positive whole numbers."""
        return tuple(int(n) for n in self.numbers if n == int(n) and n > 0)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The texts that can be the name of an attribute, the declared names first."""
        texts = _unique([*(name for name, _ in self.references.types), *self.texts])
        return tuple(text for text in texts if text.isidentifier() and text.isascii() and text[0] != "_")

    def values_of_attribute(self, name: str) -> tuple[Any, ...]:
        """Return values for the attribute *name*, first one of its declared type."""
        declared = [_VALUE_OF_TYPE[kind] for mentioned, kind in self.references.types if mentioned == name]
        return _unique([*declared, *_VALUE_OF_TYPE.values(), False, *self.texts, *map(_as_integer, self.numbers)])

    # Variants with one difference

    def of_step(self, step: Step, session: CustomerSession | None, earliest: datetime) -> Iterator[Step]:
        """Yield the steps that differ from *step* in one place.

        Args:
            step: the step to vary.
            session: the session before the step; None for a creation.
            earliest: the default time of the step.
        """
        match step.trigger:
            case Trigger.CREATE | Trigger.UPDATE | Trigger.CLOSE:
                arguments: Iterator[Any] = self.of_update(step.argument)
            case Trigger.RETURN_ITEMS:
                arguments = self.of_return(step.argument, () if session is None else session.cart_items)
            case _:
                arguments = iter(())
        return interleaved(
            (evolve(step, argument=argument) for argument in arguments),
            (evolve(step, at=moment) for moment in self.moments(session, earliest)),
        )

    def of_update(self, update: SessionUpdate) -> Iterator[SessionUpdate]:
        """Yield the updates that differ from *update* in one field."""
        given = update.given()
        names = [
            name
            for name in FIELDS
            if self.is_relevant(name, *(_TOTALS if name in ("cart_items", "additional_costs") else ()))
        ]
        return interleaved(*(self._updates(update, name, given.get(name, UNSET)) for name in names))

    def _updates(self, update: SessionUpdate, name: str, value: Any) -> Iterator[SessionUpdate]:
        for other in self._of_field(name, value):
            yield from _if_valid(update, name, other)

    def _of_field(self, name: str, value: Any) -> Iterator[Any]:
        current = () if value is UNSET else value
        match name:
            case "profile_id" | "store_integration_id" | "referral_code":
                return iter((*self.texts, ""))
            case "cart_items":
                return self.of_cart(current)
            case "additional_costs":
                return self._of_costs(current or {})
            case "attributes":
                return self._of_attributes(current or {})
            case "evaluable_campaign_ids":
                return self._of_list(current, self.whole_numbers)
            case "experiment_variant_allocations":
                pairs = [(a, b) for a in self.whole_numbers for b in self.whole_numbers]
                variants = [ExperimentVariantAllocation(experiment_id=a, variant_id=b) for a, b in pairs]
                return self._of_list(current, variants)
            case _:
                return self._of_list(current, self.texts)

    def _of_list(self, current: tuple[Any, ...], values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        yield from ((*current, value) for value in values)
        yield ()
        yield from (
            (*current[:place], value, *current[place + 1 :]) for value in values for place in range(len(current))
        )
        yield from ((current or tuple(values))[:1] * count for count in self.counts if values)

    def _of_costs(self, current: Mapping[str, AdditionalCost]) -> Iterator[Mapping[str, AdditionalCost]]:
        yield from ({**current, name: AdditionalCost(self.numbers[0])} for name in self.texts)
        yield {}
        yield from ({**current, name: AdditionalCost(price)} for name in self.texts for price in self.numbers[1:])

    def _of_attributes(self, current: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        return interleaved(*(self._with_attribute(current, name) for name in self.names))

    def _with_attribute(self, current: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
        for value in (*self.values_of_attribute(name), None):
            yield {**current, name: value}

    def of_cart(self, cart: tuple[CartItem, ...]) -> Iterator[tuple[CartItem, ...]]:
        """Yield the carts that differ from *cart* in one item or one field of an item.

        In a long cart the field is changed in all items.
        """
        unused = next(letter for letter in (*"ABCDEFGHIJ", "A") if all(item.sku != letter for item in cart))
        template = cart[-1] if cart else CartItem(sku=unused, quantity=1)
        new_items = [evolve(template, sku=sku) for sku in _unique([unused, *self.texts])]
        if self.is_relevant("price", *_TOTALS):
            new_items[1:1] = [evolve(new_items[0], price=number) for number in self.numbers]
        structure = iter((*((*cart, item) for item in (new_items[0], template, *new_items[1:])), ()))
        if len(cart) > _MOST_VARIED:
            others = ((item, name, value) for item in cart[:1] for name, value in self._changes_of_item(item))
            return interleaved(structure, (self._all_with(cart, name, value) for _, name, value in others))
        items = (self._with_item(cart, place) for place in range(len(cart)))
        many = ((*cart, evolve(new_items[0], quantity=units)) for units in self.whole_numbers if units > _MOST_VARIED)
        long_carts = self._long_carts(evolve(template, quantity=1))
        if self.references.reads("len"):
            return interleaved(structure, long_carts, many, *items)
        return chain(interleaved(structure, many, *items), long_carts if cart else ())

    def _long_carts(self, item: CartItem) -> Iterator[tuple[CartItem, ...]]:
        """Yield carts of many copies of *item*, with one SKU or with different SKUs."""
        for size in self.counts:
            if size > _MOST_VARIED:
                yield (item,) * size
                yield self._with_different_skus(item, size)
        for units in self.whole_numbers:
            if units > _LONGEST:
                many = evolve(item, quantity=-(-units // MOST_CART_ITEMS) + 1)
                yield self._with_different_skus(many, MOST_CART_ITEMS)

    def _with_different_skus(self, item: CartItem, size: int) -> tuple[CartItem, ...]:
        """Return *size* copies of *item* with different SKUs; cached, because a long cart is slow to create."""
        key = repr(item), size
        if key not in self._long:
            self._long[key] = tuple([_with_sku(item, f"{item.sku}{n}") for n in range(size)])
        return self._long[key]

    def _with_item(self, cart: tuple[CartItem, ...], place: int) -> Iterator[tuple[CartItem, ...]]:
        for name, value in self._changes_of_item(cart[place]):
            for other in _if_valid(cart[place], name, value):
                yield (*cart[:place], other, *cart[place + 1 :])

    def _all_with(self, cart: tuple[CartItem, ...], name: str, value: Any) -> tuple[CartItem, ...]:
        return tuple(other for item in cart for other in _if_valid(item, name, value))

    def _changes_of_item(self, item: CartItem) -> Iterator[tuple[str, Any]]:
        """Yield names of fields of *item*, each with another value."""
        values: dict[str, Iterable[Any]] = {"quantity": self.whole_numbers, "sku": self.texts}
        if self.is_relevant("price", *_TOTALS):
            values["price"] = (*self.numbers, None)
        values |= {name: (*self.texts, "", None) for name in ("name", "category") if self.is_relevant(name)}
        values |= {name: (*self.numbers, None) for name in _SIZES if self.is_relevant(name)}
        if self.is_relevant("product"):
            values["product"] = (*map(Product, self.texts), None)
        if self.is_relevant("attributes"):
            values["attributes"] = self._of_attributes(item.attributes)
        if self.is_relevant("additional_costs", *_TOTALS):
            values["additional_costs"] = self._of_costs(item.additional_costs)
        return interleaved(*(zip(repeat(name), others) for name, others in values.items()))

    def of_return(
        self, entries: tuple[ReturnedCartItem, ...], cart: tuple[CartItem, ...]
    ) -> Iterator[tuple[ReturnedCartItem, ...]]:
        """Yield the returns that differ from *entries* in one entry, for a session with *cart*."""
        single = tuple(self._entries(cart))
        replaced = (
            (*entries[:place], entry, *entries[place + 1 :]) for entry in single for place in range(len(entries))
        )
        everything = tuple(ReturnedCartItem(position=position) for position in range(len(cart)))
        return interleaved(iter(((), everything)), ((*entries, entry) for entry in single), replaced)

    def _entries(self, cart: tuple[CartItem, ...]) -> Iterator[ReturnedCartItem]:
        """Yield possible entries of a return."""
        places = range(len(cart[:3]))
        sources: list[Iterable[ReturnedCartItem]] = [
            (ReturnedCartItem(),),
            [ReturnedCartItem(position=place) for place in (*places, len(cart))],
        ]
        if self.is_relevant("sku"):
            skus = _unique(item.sku for item in cart[:3])
            pairs = sorted((cart[place].sku == sku, place, sku) for place in places for sku in skus)
            sources.append(ReturnedCartItem(position=place, sku=sku) for _, place, sku in pairs)
            sources.append(ReturnedCartItem(sku=sku) for sku in _unique([*skus, *self.texts]))
        if self.is_relevant("quantity", "remaining_quantity", "returned_quantity"):
            left = [cart[place].remaining_quantity for place in places]
            counts = _unique([1, *(units or 1 for units in left), *(units + 1 for units in left), *self.whole_numbers])
            sources.append(ReturnedCartItem(position=place, quantity=units) for units in counts for place in places)
        return interleaved(*map(iter, sources))

    def own_fields(self, own: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the arguments of a creation besides its update, differing from *own* in one field.

        These are the fields that the class adds, and the ones that only a creation sets.
        """
        for name in (*_GIVEN_AT_CREATION, *_own_names(self.kind)):
            if self.is_relevant(name):
                for value in self._values_like(name, own.get(name)):
                    yield {**own, name: value}

    def _values_like(self, name: str, value: Any) -> Iterator[Any]:
        if name == "first_session" or isinstance(value, bool):
            yield from (True, False)
        elif name in _GIVEN_AT_CREATION or isinstance(value, int):
            yield from map(int, self.numbers)
        elif isinstance(value, Decimal):
            yield from self.numbers
        elif isinstance(value, str):
            yield from self.texts
        else:
            yield from (None, *self.texts, *map(_as_integer, self.numbers), True, False)

    def moments(self, session: CustomerSession | None, earliest: datetime) -> Iterator[datetime]:
        """Yield times for a step, none before *earliest* unless it is a creation."""
        references = self.references
        if not references.reads("now", "created", "updated"):
            return
        origins = [earliest] if session is None else [session.created, session.updated]
        spans = [*references.spans]
        if references.reads("timedelta", "days", "hours", "minutes", "seconds", "total_seconds"):
            spans += [n * unit for n in self.counts for unit in _UNITS]
        found = [
            origin + span + shift for origin in origins for span in spans for shift in (-_SECOND, 0 * _SECOND, _SECOND)
        ]
        for moment in (*references.moments, *(datetime.combine(day, clock_time()) for day in references.days)):
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            found += [aware - _SECOND, aware, aware + _SECOND]
        for clock in references.clock_times:
            on_the_day = datetime.combine(earliest, clock.replace(tzinfo=None), tzinfo=earliest.tzinfo)
            found += [
                on_the_day + shift + day
                for shift in (-_SECOND, 0 * _SECOND, _SECOND)
                for day in (0 * _UNITS[0], _UNITS[0])
            ]
        midnight = earliest.replace(hour=0, minute=0, second=0, microsecond=0)
        found += [midnight + count * _UNITS[1] for count in range(1, 25)]
        found += [earliest + count * _UNITS[0] for count in range(1, 8)]
        found += [earliest + count * 28 * _UNITS[0] for count in range(1, 14)]
        creating = session is None
        yield from (moment for moment in _unique(found) if moment > earliest or creating)


def interleaved(*sources: Iterator[T]) -> Iterator[T]:
    """Yield the first of each source, then the second of each, and so on until all are exhausted."""
    waiting = list(sources)
    while waiting:
        for source in tuple(waiting):
            try:
                yield next(source)
            except StopIteration:
                waiting.remove(source)


def _own_names(kind: type[CustomerSession]) -> tuple[str, ...]:
    known = {attribute.name for attribute in fields(CustomerSession)}
    return tuple(attribute.name for attribute in fields(kind) if attribute.init and attribute.name not in known)


def _always(*_: str) -> bool:
    return True


def _unique(values: Iterable[T]) -> tuple[T, ...]:
    """Return the distinct values in order; values of another type or with another `repr` are distinct."""
    return tuple({(type(value), repr(value)): value for value in values}.values())


_with_sku = evolver(CartItem, "sku")
"""Copies an item without running its validators, which takes too long for a cart of 1000 items."""


def _plain(number: Decimal) -> Decimal:
    """Return *number* without exponent and trailing zeros."""
    return Decimal(f"{number.normalize():f}")


def _as_integer(number: Decimal) -> int | Decimal:
    return int(number) if number == int(number) else number


def _if_valid(value: V, name: str, member: Any) -> Iterator[V]:
    """Yield *value* with *member* in the field *name*, if that is valid."""
    try:
        yield evolve(value, **{name: member})
    except InvalidValue:
        return
