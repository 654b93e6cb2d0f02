"""A clock that a test holds in its hand: time stands still until the test moves it.

>>> from session_fsm import CustomerSession
>>> with Clock() as clock:
...     session = CustomerSession.create("order-1")
...     later = clock.advance(days=1)
...     event = session.close()
>>> session.created.isoformat(), (event.at - session.created).days
('2026-01-01T00:00:00+00:00', 1)

A verb also takes the time by hand, ``session.close(now=clock())``, which needs no ``with``.
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
    return value  # type: ignore[return-value]  # pyright: ignore[reportReturnType]  # `time` has just said so


class Clock:
    """A clock that shows what it is set to.

    Used as a context manager it is the clock of the whole process: every verb, in every thread, that is not given
    a time takes this clock's. On leaving, whatever happened, the clock before it is back; clocks may be nested.

    Args:
        start: what it shows first, an aware time.
        step: by how much each reading moves it on; by default a reading leaves it where it is.

    Raises:
        InvalidValue: a time is not aware, or a step is none.
    """

    def __init__(self, start: datetime = BEGINNING, step: timedelta = timedelta()) -> None:
        if not isinstance(step, timedelta):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers are not typed
            raise InvalidValue("/step", f"{kind_of(step)} is not a timedelta")
        self._time = _aware(start, "/start")
        self._step = step
        self._replaced: list[changes.TimeSource] = []

    @property
    def time(self) -> datetime:
        """What the clock shows. Looking at it is no reading: it does not move the clock."""
        return self._time

    def __call__(self) -> datetime:
        """Read the clock."""
        read = self._time
        if self._step:
            self.advance(self._step)
        return read

    def now(self, tz: tzinfo = UTC, /) -> datetime:
        """Read the clock in the time zone *tz*, as `datetime.now` does."""
        return self().astimezone(tz)

    def set(self, time: datetime) -> datetime:
        """Set the clock to *time*, earlier or later, and return it."""
        self._time = _aware(time, "/time")
        return self._time

    def advance(self, by: timedelta = timedelta(), /, **units: float) -> datetime:
        """Move the clock by *by*, or by ``minutes=5`` and whatever else `timedelta` takes, and return its new time."""
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
