"""Converters of fields, and how times are written and read.

A converter never raises: it turns what it can into the stored form and passes everything else on, which the validators
(`session_fsm.validators`) refuse afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from operator import index
from typing import Any, TypeGuard, TypeVar

__all__ = [
    "is_timestamp",
    "timestamp",
    "to_amount",
    "to_integer",
    "to_member",
    "to_optional_amount",
    "to_optional_integer",
    "to_time",
    "to_tuple",
    "to_whole",
]

E = TypeVar("E", bound=StrEnum)

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_INT64 = 2**63 - 1
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


def to_integer(value: int) -> int:
    """Convert an integer of another type, such as numpy's, to ``int``."""
    if value.__class__ is int:
        return value
    given: Any = value
    if isinstance(given, bool) or not hasattr(given, "__index__"):
        return given  # type: ignore[no-any-return]  # the validator refuses it
    try:
        return index(given)
    except TypeError:  # an array of several, or a boolean of numpy
        return given  # type: ignore[no-any-return]  # as above


def to_optional_integer(value: int | None) -> int | None:
    """Convert as `to_integer` does; keep None."""
    return None if value is None else to_integer(value)


def to_whole(value: Any) -> Any:
    """Convert a number without a fraction to the integer that it is (W-27), and leave everything else as it is."""
    if isinstance(value, float) and value.is_integer():
        return int(value) if abs(value) <= _INT64 else value
    if (
        isinstance(value, Decimal)
        and value.is_finite()
        and value.adjusted() < 20
        and value == value.to_integral_value()
    ):
        return int(value)
    return value


def to_amount(value: Decimal | int | str) -> Decimal:
    """Convert an integer or a numeral to an exact decimal."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        try:
            return Decimal(value)
        except InvalidOperation:  # the exponent is too large for a decimal
            return Decimal("Infinity")
    given: Any = value
    whole: Any = to_integer(given)
    if isinstance(whole, int) and not isinstance(whole, bool):
        return Decimal(whole)
    return value  # type: ignore[return-value]  # pyright: ignore[reportReturnType]  # the validator refuses it


def to_optional_amount(value: Decimal | int | str | None) -> Decimal | None:
    """Convert as `to_amount` does; keep None."""
    return None if value is None else to_amount(value)


def timestamp(value: datetime) -> str:
    """Write an aware time as RFC 3339, in UTC where its own offset is not one of whole minutes."""
    if value.tzinfo is UTC:  # the usual case, written faster in two parts
        return f"{value.date().isoformat()}T{value.time().isoformat()}Z"
    offset = value.utcoffset()
    if not offset or offset % timedelta(minutes=1):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat()


def to_member(words: type[E], value: object) -> Any:
    """Return the member of *words* with this value, or *value* itself."""
    return words(value) if isinstance(value, str) and value in set(words) else value


def is_timestamp(value: str) -> bool:
    """Whether *value* is a time as RFC 3339 writes it."""
    return to_time(value) is not None


def to_time(value: str) -> datetime | None:
    """Read RFC 3339 text, or return None where it is none. Digits beyond microseconds are cut off."""
    usual = value[4::3] == "--T::Z" and len(value) == 20  # whole seconds in UTC
    if not usual and not _TIMESTAMP.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value if usual else value.upper())
    except ValueError:  # the 30th of February
        return None


def to_tuple(value: Iterable[Any]) -> tuple[Any, ...]:
    """Convert any list-like value to a tuple. Text and mappings are not list-like."""
    given: Any = value
    if given.__class__ is tuple or given.__class__ is list:  # the fast path; the test below takes longer
        return tuple(given)
    return tuple(given) if _is_listlike(given) else given


def _is_listlike(value: object) -> TypeGuard[Iterable[Any]]:
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, bytearray, Mapping))
