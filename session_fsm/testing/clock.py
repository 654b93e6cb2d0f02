"""A clock for tests, which changes only when the test sets or advances it.

>>> from session_fsm import CustomerSession
>>> with Clock() as clock:
...     session = CustomerSession.create("order-1")
...     later = clock.advance(days=1)
...     event = session.close()
>>> session.created.isoformat(), (event.at - session.created).days
('2026-01-01T00:00:00+00:00', 1)

Without ``with``, pass the time to a verb: ``session.close(now=clock())``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from types import TracebackType
from typing import Self

from session_fsm import changes
from session_fsm.errors import InvalidValue
from session_fsm.testing.steps import BEGINNING
from session_fsm.validators import kind_of, time

__all__ = ["Clock"]


def _aware(value: object, pointer: str) -> datetime:
    if problem := time(value):
        raise InvalidValue(pointer, problem)
    return value  # type: ignore[return-value]  # pyright: ignore[reportReturnType]  # `time` checks it


class Clock:
    """A clock that returns the time to which it is set.

    As a context manager it is the clock of the whole process: every verb without ``now``, in every thread, uses it. On
    exit the previous clock is restored; clocks can be nested.

    Args:
        start: the first time, with a time zone.
        step: by how much each reading advances the clock; default: not at all.

    Raises:
        InvalidValue: *start* has no time zone, or *step* is not a timedelta.
    """

    def __init__(self, start: datetime = BEGINNING, step: timedelta = timedelta()) -> None:
        if not isinstance(step, timedelta):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers are not typed
            raise InvalidValue("/step", f"{kind_of(step)} is not a timedelta")
        self._time = _aware(start, "/start")
        self._step = step
        self._replaced: list[changes.TimeSource] = []

    @property
    def time(self) -> datetime:
        """The current time of the clock. Unlike a reading, it does not advance the clock."""
        return self._time

    def __call__(self) -> datetime:
        """Return the time, and advance the clock by its step."""
        read = self._time
        if self._step:
            self.advance(self._step)
        return read

    def now(self, tz: tzinfo = UTC, /) -> datetime:
        """Return the time in the time zone *tz*, as `datetime.now` does, and advance the clock by its step."""
        return self().astimezone(tz)

    def set(self, time: datetime) -> datetime:
        """Set the clock to *time*, earlier or later, and return it."""
        self._time = _aware(time, "/time")
        return self._time

    def advance(self, by: timedelta = timedelta(), /, **units: float) -> datetime:
        """Advance the clock by *by*, or by keywords of `timedelta` such as ``minutes=5``, and return the new time."""
        try:
            return self.set(self._time + by + timedelta(**units))
        except TypeError as error:
            raise InvalidValue("/by", f"is no span of time: {error}") from None
        except OverflowError:
            raise InvalidValue("/by", "leads out of the years that a time can have") from None

    def __enter__(self) -> Self:
        self._replaced.append(changes.time_source)
        changes.time_source = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        changes.time_source = self._replaced.pop()

    def __repr__(self) -> str:
        return f"<Clock at {self._time.isoformat()}>"
