"""The candidates of a search: variants of a step that differ in one place; used by `search` and `dead_ends`.

The values are those that the rules suggest (`session_fsm.testing.generation.suggested_values`), and values of the
session's cart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, repeat
from typing import Any, TypeVar

from attrs import evolve

from session_fsm.errors import InvalidValue
from session_fsm.generated import evolver
from session_fsm.rules.built_in import MOST_CART_ITEMS
from session_fsm.session import CustomerSession
from session_fsm.states import Trigger
from session_fsm.testing.generation.rule_references import RuleReferences
from session_fsm.testing.generation.suggested_values import (
    FIELDS,
    GIVEN_AT_CREATION,
    LONGEST,
    SIZES,
    TOTALS,
    SuggestedValues,
    own_names,
    unique,
)
from session_fsm.testing.steps import Step
from session_fsm.values import (
    UNSET,
    AdditionalCost,
    CartItem,
    ExperimentVariantAllocation,
    Product,
    ReturnedCartItem,
    SessionUpdate,
)

__all__ = ["Candidates", "interleaved"]

T = TypeVar("T")
V = TypeVar("V", CartItem, SessionUpdate)

_MOST_VARIED = 3
"""The largest cart whose items are varied one by one."""


class Candidates:
    """Creates variants of a step, with the values that *references* suggest."""

    def __init__(self, kind: type[CustomerSession], references: RuleReferences) -> None:
        self.kind = kind
        self.values = SuggestedValues(kind, references)
        self._long: dict[tuple[str, int], tuple[CartItem, ...]] = {}

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
            (evolve(step, at=moment) for moment in self.values.moments(session, earliest)),
        )

    def of_update(self, update: SessionUpdate) -> Iterator[SessionUpdate]:
        """Yield the updates that differ from *update* in one field."""
        given = update.given()
        names = [
            name
            for name in FIELDS
            if self.values.is_relevant(name, *(TOTALS if name in ("cart_items", "additional_costs") else ()))
        ]
        return interleaved(*(self._updates(update, name, given.get(name, UNSET)) for name in names))

    def _updates(self, update: SessionUpdate, name: str, value: Any) -> Iterator[SessionUpdate]:
        for other in self._of_field(name, value):
            yield from _if_valid(update, name, other)

    def _of_field(self, name: str, value: Any) -> Iterator[Any]:
        current = () if value is UNSET else value
        match name:
            case "profile_id" | "store_integration_id" | "referral_code":
                return iter((*self.values.texts, ""))
            case "cart_items":
                return self.of_cart(current)
            case "additional_costs":
                return self._of_costs(current or {})
            case "attributes":
                return self._of_attributes(current or {})
            case "evaluable_campaign_ids":
                return self._of_list(current, self.values.whole_numbers)
            case "experiment_variant_allocations":
                pairs = [(a, b) for a in self.values.whole_numbers for b in self.values.whole_numbers]
                variants = [ExperimentVariantAllocation(experiment_id=a, variant_id=b) for a, b in pairs]
                return self._of_list(current, variants)
            case _:
                return self._of_list(current, self.values.texts)

    def _of_list(self, current: tuple[Any, ...], values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        yield from ((*current, value) for value in values)
        yield ()
        yield from (
            (*current[:place], value, *current[place + 1 :]) for value in values for place in range(len(current))
        )
        yield from ((current or tuple(values))[:1] * count for count in self.values.counts if values)

    def _of_costs(self, current: Mapping[str, AdditionalCost]) -> Iterator[Mapping[str, AdditionalCost]]:
        yield from ({**current, name: AdditionalCost(self.values.numbers[0])} for name in self.values.texts)
        yield {}
        yield from (
            {**current, name: AdditionalCost(price)} for name in self.values.texts for price in self.values.numbers[1:]
        )

    def _of_attributes(self, current: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        return interleaved(*(self._with_attribute(current, name) for name in self.values.names))

    def _with_attribute(self, current: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
        for value in (*self.values.values_of_attribute(name), None):
            yield {**current, name: value}

    def of_cart(self, cart: tuple[CartItem, ...]) -> Iterator[tuple[CartItem, ...]]:
        """Yield the carts that differ from *cart* in one item or one field of an item.

        In a long cart the field is changed in all items.
        """
        unused = next(letter for letter in (*"ABCDEFGHIJ", "A") if all(item.sku != letter for item in cart))
        template = cart[-1] if cart else CartItem(sku=unused, quantity=1)
        new_items = [evolve(template, sku=sku) for sku in unique([unused, *self.values.texts])]
        if self.values.is_relevant("price", *TOTALS):
            new_items[1:1] = [evolve(new_items[0], price=number) for number in self.values.numbers]
        structure = iter((*((*cart, item) for item in (new_items[0], template, *new_items[1:])), ()))
        if len(cart) > _MOST_VARIED:
            others = ((item, name, value) for item in cart[:1] for name, value in self._changes_of_item(item))
            return interleaved(structure, (self._all_with(cart, name, value) for _, name, value in others))
        items = (self._with_item(cart, place) for place in range(len(cart)))
        many = (
            (*cart, evolve(new_items[0], quantity=units)) for units in self.values.whole_numbers if units > _MOST_VARIED
        )
        long_carts = self._long_carts(evolve(template, quantity=1))
        if self.values.references.reads("len"):
            return interleaved(structure, long_carts, many, *items)
        return chain(interleaved(structure, many, *items), long_carts if cart else ())

    def _long_carts(self, item: CartItem) -> Iterator[tuple[CartItem, ...]]:
        """Yield carts of many copies of *item*, with one SKU or with different SKUs."""
        for size in self.values.counts:
            if size > _MOST_VARIED:
                yield (item,) * size
                yield self._with_different_skus(item, size)
        for units in self.values.whole_numbers:
            if units > LONGEST:
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
        values: dict[str, Iterable[Any]] = {"quantity": self.values.whole_numbers, "sku": self.values.texts}
        if self.values.is_relevant("price", *TOTALS):
            values["price"] = (*self.values.numbers, None)
        values |= {
            name: (*self.values.texts, "", None) for name in ("name", "category") if self.values.is_relevant(name)
        }
        values |= {name: (*self.values.numbers, None) for name in SIZES if self.values.is_relevant(name)}
        if self.values.is_relevant("product"):
            values["product"] = (*map(Product, self.values.texts), None)
        if self.values.is_relevant("attributes"):
            values["attributes"] = self._of_attributes(item.attributes)
        if self.values.is_relevant("additional_costs", *TOTALS):
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
        if self.values.is_relevant("sku"):
            skus = unique(item.sku for item in cart[:3])
            pairs = sorted((cart[place].sku == sku, place, sku) for place in places for sku in skus)
            sources.append(ReturnedCartItem(position=place, sku=sku) for _, place, sku in pairs)
            sources.append(ReturnedCartItem(sku=sku) for sku in unique([*skus, *self.values.texts]))
        if self.values.is_relevant("quantity", "remaining_quantity", "returned_quantity"):
            left = [cart[place].remaining_quantity for place in places]
            counts = unique(
                [1, *(units or 1 for units in left), *(units + 1 for units in left), *self.values.whole_numbers]
            )
            sources.append(ReturnedCartItem(position=place, quantity=units) for units in counts for place in places)
        return interleaved(*map(iter, sources))

    def own_fields(self, own: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the arguments of a creation besides its update, differing from *own* in one field.

        These are the fields that the class adds, and the ones that only a creation sets.
        """
        for name in (*GIVEN_AT_CREATION, *own_names(self.kind)):
            if self.values.is_relevant(name):
                for value in self.values.like(name, own.get(name)):
                    yield {**own, name: value}


def interleaved(*sources: Iterator[T]) -> Iterator[T]:
    """Yield the first of each source, then the second of each, and so on until all are exhausted."""
    waiting = list(sources)
    while waiting:
        for source in tuple(waiting):
            try:
                yield next(source)
            except StopIteration:
                waiting.remove(source)


_with_sku = evolver(CartItem, "sku")
"""Copies an item without running its validators, which takes too long for a cart of 1000 items."""


def _if_valid(value: V, name: str, member: Any) -> Iterator[V]:
    """Yield *value* with *member* in the field *name*, if that is valid."""
    try:
        yield evolve(value, **{name: member})
    except InvalidValue:
        return
