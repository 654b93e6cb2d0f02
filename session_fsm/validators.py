"""Validators of fields: what each accepts, and the message when it refuses.

They run after the converters (`session_fsm.converters`) and raise an `InvalidValue` whose pointer names the field.
Reading JSON runs the same two, so a value is described once.

A check that has limits tells them as data too (`limits_of`): the fast path of reading hands them to a decoder, and
`session_fsm.wire.json_schema` writes them down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeGuard, TypeVar

from session_fsm.errors import InvalidValue, Problem, counted, pointer_token

if TYPE_CHECKING:
    from attrs import Attribute

__all__ = [
    "AMOUNT_POWERS",
    "FURTHER_PROBLEMS",
    "MOST_PROBLEMS",
    "Check",
    "Limits",
    "amount",
    "boolean",
    "check_of",
    "instance_of",
    "integer",
    "is_list",
    "is_object",
    "kind_of",
    "limited",
    "limits_of",
    "list_of",
    "map_of",
    "member_of",
    "text",
    "time",
    "validate",
    "wire_name",
]

MOST_PROBLEMS = 1000
"""The largest number of problems of one list or object that are reported."""
FURTHER_PROBLEMS = Problem("", f"there are more than {MOST_PROBLEMS} problems; the others were not looked for")
"""The text in place of further problems."""

Check: TypeAlias = Callable[[Any], str | list[Problem] | None]
"""Returns None for a valid value, otherwise one text about the value itself, or a list of problems within it."""

C = TypeVar("C", bound=Check)


class Limits(NamedTuple):
    """What a check asks of a value beside its type."""

    at_least: int | None = None
    """The least value of a number, or the least length of a string or list."""
    at_most: int | None = None
    """The largest value or length."""
    element: Check | None = None
    """The check of each element of a list or object."""
    names: str | None = None
    """The regular expression of the names in an object."""


def limited(
    at_least: int | None = None,
    at_most: int | None = None,
    element: Check | None = None,
    names: str | None = None,
) -> Callable[[C], C]:
    """Tell the limits of a check, for `limits_of`."""

    def mark(check: C) -> C:
        # functions take attributes, though their type does not say so
        setattr(check, "limits", Limits(at_least, at_most, element, names))  # noqa: B010 - as the comment above says
        return check

    return mark


def limits_of(check: Check | None) -> Limits:
    """Return the limits of *check*; without limits, or without a check, all are None."""
    limits: Limits = getattr(check, "limits", Limits())
    return limits


_INT64 = 2**63 - 1
# Many JSON parsers read a number as a 64-bit float. Beyond these powers of ten it is infinite, or zero.
_LARGEST_POWER, _SMALLEST_POWER = 308, -324
# The bound of an amount is lower, so that the total of any cart is within these.
_ROOM_FOR_TOTALS = 20
AMOUNT_POWERS = (_SMALLEST_POWER, _LARGEST_POWER - _ROOM_FOR_TOTALS)
"""The least and the largest power of ten of the first digit of an amount."""


def wire_name(name: str) -> str:
    """Return the field *name* as Talon.One spells it in JSON.

    >>> wire_name("cart_items"), wire_name("catalog_item_id"), wire_name("variant_id")
    ('cartItems', 'catalogItemID', 'variantID')
    """
    odd = {"catalog_item_id": "catalogItemID", "experiment_id": "experimentID", "variant_id": "variantID"}
    head, *tail = name.split("_")
    return odd.get(name) or head + "".join(word.title() for word in tail)


def is_object(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Whether *value* is what JSON calls an object."""
    return isinstance(value, dict) or isinstance(value, Mapping)  # noqa: SIM101 - the first answers mostly, and quickly


def is_list(value: object) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """Whether *value* is what JSON calls a list."""
    return isinstance(value, (list, tuple))


def kind_of(value: object) -> str:
    """Return the kind of *value* in JSON's words, for a message."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float() | Decimal():
            return "a number"
        case str():
            return "a string"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "an object"
        case _:
            return f"a value of type {type(value).__name__}"


def validate(check: Check, *, optional: bool = False) -> Callable[[Any, Attribute[Any], Any], None]:
    """Turn *check* into an attrs validator; an *optional* field may also hold None."""

    def validator(_: object, attribute: Attribute[Any], value: object) -> None:
        if optional and value is None:
            return
        problem = check(value)
        if problem:
            place = pointer_token(wire_name(attribute.name))
            if isinstance(problem, str):
                raise InvalidValue(place, problem)
            raise InvalidValue.of(found.under(place) for found in problem)

    setattr(validator, "check", check)  # noqa: B010 - as in `limited`
    return validator


def check_of(validator: object) -> Check | None:
    """Return the check that `validate` has turned into *validator*."""
    found: Check | None = getattr(validator, "check", None)
    return found


def _at_most(limit: int) -> str:
    return f"at most {limit} {'is' if limit == 1 else 'are'} allowed"


def text(*, at_least: int = 0, at_most: int | None = None) -> Check:
    """Check for a string within these lengths that UTF-8 can encode."""

    @limited(at_least, at_most)
    def check(value: object) -> str | None:
        if not isinstance(value, str):
            return f"{kind_of(value)} is not a string"
        if len(value) < at_least:
            return (
                "is empty"
                if at_least == 1
                else f"has {counted(len(value), 'character')}; at least {at_least} are needed"
            )
        if at_most is not None and len(value) > at_most:
            return f"has {counted(len(value), 'character')}; {_at_most(at_most)}"
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                return "holds half of a surrogate pair, which is no character"
        return None

    return check


def integer(*, at_least: int | None = None) -> Check:
    """Check for a whole number that fits into 64 bits. A boolean is not an integer."""

    @limited(-_INT64 - 1 if at_least is None else at_least, _INT64)
    def check(value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int):
            if hasattr(value, "__index__") and not isinstance(value, bool):
                return f"{kind_of(value)} is not an integer; give int(...) of it"
            given = f" ({value})" if isinstance(value, (float, Decimal)) else ""
            return f"{kind_of(value)}{given} is not an integer"
        if not -_INT64 - 1 <= value <= _INT64:
            return "the integer does not fit into 64 bits"
        if at_least is not None and value < at_least:
            return f"{value} is less than {at_least}"
        return None

    return check


def boolean(value: object) -> str | None:
    """Check for true or false."""
    return None if isinstance(value, bool) else f"{kind_of(value)} is not a boolean"


def amount(*, total: bool = False, at_least: int | None = None, at_most: int | None = None) -> Check:
    """Check for an exact, finite decimal within the range of a JSON number; a *total* may use all of it."""
    largest = _LARGEST_POWER - (0 if total else _ROOM_FOR_TOTALS)

    @limited(at_least, at_most)
    def check(value: object) -> str | None:
        if isinstance(value, float):
            shown = float.__repr__(value)  # the repr of a numpy float has its type too
            return f'{shown} is a binary float and so is not exact; give the string "{shown}" or a Decimal'
        if not isinstance(value, Decimal):
            if isinstance(value, str):
                return f"{value[:40]!r} is not a number"
            hint = "; give a Decimal of its text" if hasattr(value, "__float__") and not isinstance(value, bool) else ""
            return f"{kind_of(value)} is not a number{hint}"
        if not value.is_finite():
            return f"{value} is not finite"
        if not _SMALLEST_POWER <= value.adjusted() <= largest:
            return "is out of the range of a JSON number"
        if (at_least is not None and value < at_least) or (at_most is not None and value > at_most):
            return f"{value} is not between {at_least} and {at_most}"
        return None

    return check


def time(value: object) -> str | None:
    """Check for an aware time (D-12)."""
    if not isinstance(value, datetime):
        return f"{kind_of(value)} is not a time"
    if value.utcoffset() is None:
        return f"{value.isoformat()} has no time zone"
    if value.year in (MINYEAR, MAXYEAR):
        try:
            value.astimezone(UTC)
        except OverflowError:
            return f"{value.isoformat()} has no equal in UTC between the years {MINYEAR} and {MAXYEAR}"
    return None


def member_of(words: type[StrEnum], offered: Iterable[StrEnum] = ()) -> Check:
    """Check for a member of the enumeration *words*; a problem names those that are *offered*, or all."""
    names = ", ".join(f'"{word}"' for word in offered or words)
    # Title and text are those of the API's own envelope (W-19).
    problem = Problem("", f"must be one of the following: {names}", "enum")

    def check(value: object) -> list[Problem] | None:
        return None if isinstance(value, words) else [problem]

    return check


def instance_of(cls: type) -> Check:
    """Check for an instance of *cls*, or of a subclass that adds no fields, since JSON would lose these."""

    def check(value: object) -> str | None:
        if type(value) is cls:
            return None
        if not isinstance(value, cls):
            return f"{kind_of(value)} is not a {cls.__name__}"
        if added := _fields_of(type(value)) - _fields_of(cls):
            names = ", ".join(sorted(added))
            return f"a {type(value).__name__} has fields that JSON would lose ({names}); keep them in `attributes`"
        return None

    return check


def _fields_of(kind: Any) -> set[str]:
    return {attribute.name for attribute in getattr(kind, "__attrs_attrs__", ())}


def list_of(check: Check, *, at_most: int | None = None) -> Check:
    """Check for a list whose every element passes *check*."""

    @limited(at_most=at_most, element=check)
    def check_all(value: Any) -> str | list[Problem] | None:
        if not isinstance(value, tuple):
            return f"{kind_of(value)} is not a list"
        elements: tuple[Any, ...] = value  # pyright: ignore[reportUnknownVariableType]  # of any type
        if at_most is not None and len(elements) > at_most:
            return f"has {counted(len(elements), 'entry', 'entries')}; {_at_most(at_most)}"
        if len(elements) > MOST_PROBLEMS:
            return _collect(range(len(elements)), map(check, elements), "/{}".format)
        found = [*map(check, elements)]
        return _collect(range(len(elements)), found, "/{}".format) if any(found) else None

    return check_all


def map_of(check: Check) -> Check:
    """Check for an object with names for keys whose every value passes *check*."""
    name = text()

    @limited(element=check)
    def check_all(value: object) -> str | list[Problem] | None:
        if not is_object(value):
            return f"{kind_of(value)} is not an object"
        for key in value:
            if problem := name(key):
                return f"a name in it {problem}" if isinstance(key, str) else "a name in it is not a string"
        return _collect(value, map(check, value.values()), pointer_token)

    return check_all


def _collect(
    keys: Iterable[Any], results: Iterable[str | list[Problem] | None], place_of: Callable[[Any], str]
) -> list[Problem]:
    """Return the problems of the elements of a list or object, with the pointers that *place_of* makes of their keys."""
    problems: list[Problem] = []
    for key, found in zip(keys, results, strict=True):
        if not found:
            continue
        if len(problems) >= MOST_PROBLEMS:
            return [*problems, FURTHER_PROBLEMS]
        place = place_of(key)
        if isinstance(found, str):
            problems.append(Problem(place, found))
        else:
            problems += [problem.under(place) for problem in found]
    return problems
