"""The arguments of a store's methods: their defaults, and how they are checked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from session_fsm.errors import InvalidValue
from session_fsm.states import State, StateLike

__all__ = ["BATCH", "KEEP_ANSWERS", "TIMEOUT", "as_limit", "as_state", "as_states", "utc_now"]

TIMEOUT = 30.0
"""How long a statement waits for the lock of a SQLite database, in seconds."""
KEEP_ANSWERS = timedelta(hours=24)
"""How long the answer of an idempotency key is kept, as Talon.One does."""
BATCH = 100
"""How many sessions or messages are read at once."""
_LARGEST = 1_000_000


def utc_now() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


def as_limit(value: int, name: str = "limit") -> int:
    """Check how much is asked for.

    Raises:
        InvalidValue: it is not from 1 to 1,000,000.
    """
    if not 1 <= value <= _LARGEST:
        raise InvalidValue("", f"{name} is from 1 to {_LARGEST:,}")
    return value


def as_state(value: StateLike | None) -> State | None:
    """Return the state that *value* names.

    Raises:
        InvalidValue: there is no such state.
    """
    if value is None:
        return None
    try:
        return State(value)
    except ValueError:
        raise InvalidValue("/state", f"there is no such state; the states are {', '.join(State)}") from None


def as_states(values: StateLike | Iterable[StateLike]) -> list[State]:
    """Return the states that *values* name, or the one that it is."""
    given: Any = [values] if isinstance(values, str) else values
    return [state for value in given if (state := as_state(value)) is not None]
