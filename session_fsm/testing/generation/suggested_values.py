"""The values that the rules suggest for a search: the constants in their code, their neighbours, and a few simple ones.

`session_fsm.testing.generation.candidates` puts them into steps. Simple values come first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar

from attrs import fields, fields_dict

from session_fsm.errors import Violation
from session_fsm.rules.optional import AttributeType
from session_fsm.session import CustomerSession
from session_fsm.testing.generation.rule_references import RuleReferences
from session_fsm.values import FIELDS_OF_UPDATE, CartItem, ReturnedCartItem, SessionUpdate

__all__ = ["FIELDS", "GIVEN_AT_CREATION", "LONGEST", "SIZES", "TOTALS", "SuggestedValues", "own_names", "unique"]

T = TypeVar("T")

FIELDS = tuple(name for name in FIELDS_OF_UPDATE if name != "state")
"""The names of the fields that an update may set."""
_MOST_TEXTS = 30
_MOST_NUMBERS = 40
LONGEST = 1100
"""The greatest length of a text or list; a cart may hold 1000 items."""
TOTALS = ("total", "cart_item_total", "additional_cost_total", "cart_item_additional_cost_total")
GIVEN_AT_CREATION = ("id", "application_id", "first_session")
SIZES = ("weight", "height", "width", "length")
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


class SuggestedValues:
    """The values that *references* suggest, of each kind, for sessions of the class *kind*."""

    def __init__(self, kind: type[CustomerSession], references: RuleReferences) -> None:
        self.references = references
        sets = (*FIELDS, *GIVEN_AT_CREATION, "price", "quantity", "position", "sku")
        fields_named = references.reads(*sets, *TOTALS, "product", "category", "name", *SIZES, *own_names(kind))
        self.is_relevant: Callable[..., bool] = references.reads if fields_named else _always
        """Whether to vary a field of one of these names; always true if the rules refer to no field by name."""

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Two short texts, the texts in the rules, and texts of the lengths that the rules may compare with."""
        lengths = self.counts if self.references.reads("len") else ()
        # Field names last: they are probably keys in the details of a violation.
        mentioned = sorted(
            self.references.texts, key=lambda text: text in self.references.names or text in _FIELD_NAMES
        )
        return unique(["A", "B", *mentioned[:_MOST_TEXTS], *("A" * count for count in lengths)])

    @cached_property
    def numbers(self) -> tuple[Decimal, ...]:
        """A few small numbers, and every number in the rules with its neighbours."""
        near = [n + step for n in self.references.numbers[:_MOST_NUMBERS] for step in (0, -1, 1, Decimal("0.01"))]
        return unique(map(_plain, [Decimal(1), Decimal(0), Decimal(2), Decimal(-1), Decimal("0.5"), *near]))

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """The numbers that can be the length of a text or a list."""
        return tuple(sorted(int(n) for n in self.numbers if n == int(n) and 0 < n <= LONGEST))

    @cached_property
    def whole_numbers(self) -> tuple[int, ...]:
        """The positive whole numbers."""
        return tuple(int(n) for n in self.numbers if n == int(n) and n > 0)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The texts that can be the name of an attribute, the declared names first."""
        texts = unique([*(name for name, _ in self.references.types), *self.texts])
        return tuple(text for text in texts if text.isidentifier() and text.isascii() and text[0] != "_")

    def values_of_attribute(self, name: str) -> tuple[Any, ...]:
        """Return values for the attribute *name*, first one of its declared type."""
        declared = [_VALUE_OF_TYPE[kind] for mentioned, kind in self.references.types if mentioned == name]
        return unique([*declared, *_VALUE_OF_TYPE.values(), False, *self.texts, *map(_as_integer, self.numbers)])

    def like(self, name: str, value: Any) -> Iterator[Any]:
        """Yield values for the field *name* of a creation, of the type of *value*."""
        if name == "first_session" or isinstance(value, bool):
            yield from (True, False)
        elif name in GIVEN_AT_CREATION or isinstance(value, int):
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
        yield from (moment for moment in unique(found) if moment > earliest or creating)


def own_names(kind: type[CustomerSession]) -> tuple[str, ...]:
    """Return the names of the fields that *kind* adds and a creation sets."""
    known = {attribute.name for attribute in fields(CustomerSession)}
    return tuple(attribute.name for attribute in fields(kind) if attribute.init and attribute.name not in known)


def _always(*_: str) -> bool:
    return True


def unique(values: Iterable[T]) -> tuple[T, ...]:
    """Return the distinct values in order; values of another type or with another `repr` are distinct."""
    return tuple({(type(value), repr(value)): value for value in values}.values())


def _plain(number: Decimal) -> Decimal:
    """Return *number* without exponent and trailing zeros."""
    return Decimal(f"{number.normalize():f}")


def _as_integer(number: Decimal) -> int | Decimal:
    return int(number) if number == int(number) else number
