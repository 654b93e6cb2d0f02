"""`Bell`, by which one thread tells tasks of event loops, and other threads, that something has changed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

__all__ = ["Bell"]


class Bell:
    """Wakes all that wait, in any thread and any event loop."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rings = 0
        self._waiting: dict[asyncio.Future[None], asyncio.AbstractEventLoop] = {}

    @property
    def rings(self) -> int:
        """How often it has rung; `wait` takes it, so that no ring is missed."""
        return self._rings

    def ring(self) -> None:
        """Wake all that wait."""
        with self._changed:
            self._rings += 1
            waiting, self._waiting = self._waiting, {}
            self._changed.notify_all()
        for future, loop in waiting.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_wake, future)

    async def wait(self, since: int, timeout: float | None = None) -> None:  # noqa: ASYNC109 - a timeout is no error here
        """Wait until it has rung more than *since* times, or for *timeout* seconds."""
        loop = asyncio.get_running_loop()
        with self._changed:
            if self._rings != since:
                return
            future = loop.create_future()
            self._waiting[future] = loop
        try:
            await asyncio.wait([future], timeout=timeout)
        finally:
            with self._changed:
                self._waiting.pop(future, None)

    def wait_until(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Block this thread until *condition* is true, for at most *timeout* seconds, and return whether it is."""
        with self._changed:
            return self._changed.wait_for(condition, timeout)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
