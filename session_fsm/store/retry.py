"""Delays between attempts: exponential, with full jitter, so that writers that met once do not meet again."""

from __future__ import annotations

from random import SystemRandom

from session_fsm.errors import InvalidValue

__all__ = ["ATTEMPTS", "as_attempts", "delay"]

ATTEMPTS = 5
"""How often a statement is tried that meets a deadlock, a serialization failure or a lost connection."""
_FIRST = 0.01
"""The longest delay before the second attempt, in seconds."""
_LONGEST = 1.0
"""The longest delay of all, in seconds."""

# Each process has to draw other numbers, a forked one too.
_random = SystemRandom()


def delay(attempt: int, first: float = _FIRST, longest: float = _LONGEST) -> float:
    """Return the seconds to wait after *attempt*, which is 1 for the first: anything from 0 to a limit that doubles."""
    limit = min(longest, first * 2 ** min(attempt - 1, 60))
    return _random.uniform(0, limit)


def as_attempts(value: int) -> int:
    """Check a number of attempts.

    Raises:
        InvalidValue: it is less than 1.
    """
    if value < 1:
        raise InvalidValue("", f"at least one attempt is needed, not {value}")
    return value
