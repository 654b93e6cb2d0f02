"""`SandboxClock`: the clock of a sandbox. Every time that the server writes comes from it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic

from session_fsm.changes import as_time
from session_fsm.errors import InvalidValue

__all__ = ["SandboxClock"]

_LATEST = datetime.max.replace(tzinfo=UTC)


def _nothing() -> None:
    pass


class SandboxClock:
    """A clock that runs or stands, and that can be moved to any time. It may be used from any thread.

    >>> from datetime import UTC, datetime
    >>> clock = SandboxClock(datetime(2026, 9, 14, tzinfo=UTC), running=False)
    >>> clock.advance(hours=1).isoformat()
    '2026-09-14T01:00:00+00:00'

    Args:
        start: the first time, with a time zone; the current time without it.
        running: whether it runs, from then on, as fast as the wall's clock.
        changed: called after each change by `set`, `advance`, `run` and `stop`.

    Raises:
        InvalidValue: *start* has no time zone.
    """

    def __init__(
        self, start: datetime | None = None, *, running: bool = True, changed: Callable[[], object] = _nothing
    ) -> None:
        self._lock = threading.RLock()
        self._changed = changed
        self._running = running
        self._first = _utc(start)
        self._base = self._first
        self._read = monotonic()

    @property
    def time(self) -> datetime:
        """The current time, in UTC."""
        with self._lock:
            if not self._running:
                return self._base
            try:
                return self._base + timedelta(seconds=monotonic() - self._read)
            except OverflowError:
                return _LATEST

    @property
    def running(self) -> bool:
        """Whether the clock runs."""
        return self._running

    def __call__(self) -> datetime:
        """Return the current time."""
        return self.time

    def set(self, time: datetime) -> datetime:
        """Set the clock to *time*, earlier or later, and return it.

        Raises:
            InvalidValue: *time* has no time zone.
        """
        return self._change(time=_utc(time))

    def advance(self, by: timedelta = timedelta(), /, **units: float) -> datetime:
        """Advance the clock by *by*, or by keywords of `timedelta` such as ``hours=1``, and return the new time.

        Raises:
            InvalidValue: that is no span of time, or leads out of the years that a time can have.
        """
        try:
            return self._change(by=by + timedelta(**units))
        except TypeError as error:
            raise InvalidValue("/by", f"is no span of time: {error}") from None
        except (OverflowError, ValueError):
            raise InvalidValue("/by", "leads out of the years that a time can have") from None

    def stop(self) -> datetime:
        """Let the clock stand, and return the time."""
        return self._change(running=False)

    def run(self) -> datetime:
        """Let the clock run, and return the time."""
        return self._change(running=True)

    def _change(
        self, *, time: datetime | None = None, by: timedelta = timedelta(), running: bool | None = None
    ) -> datetime:
        with self._lock:
            self._base = (self.time if time is None else time) + by
            self._read = monotonic()
            self._running = self._running if running is None else running
            result = self._base
        self._changed()
        return result

    def __repr__(self) -> str:
        return f"<SandboxClock {'running' if self._running else 'standing'} at {self.time.isoformat()}>"


def _utc(time: datetime | None) -> datetime:
    return as_time(time).astimezone(UTC)  # `as_time` refuses a time that UTC does not have
