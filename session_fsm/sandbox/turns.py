"""`Turns`: requests of one session or profile run one after the other, and at most three updates at once (W-20)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

from attrs import define, field

from session_fsm.errors import ConcurrentChange

__all__ = ["Turns"]

_MOST = 3
"""How many updates of one session or profile may be there at once: one runs, two wait (W-20)."""


@define
class _Line:
    """The requests of one session or profile."""

    lock: asyncio.Lock = field(factory=asyncio.Lock)
    users: int = 0
    updates: int = 0


class Turns:
    """The lines in which requests wait, each for its session or profile."""

    def __init__(self, changed: Callable[[], object]) -> None:
        self._lines: dict[tuple[str, str], _Line] = {}
        self._changed = changed

    def users(self, kind: str, name: str) -> int:
        """Return how many requests of a session or profile run or wait."""
        line = self._lines.get((kind, name))
        return 0 if line is None else line.users

    @asynccontextmanager
    async def take(self, places: Sequence[tuple[str, str]], *, limited: bool) -> AsyncGenerator[None]:
        """Run the block when it is its turn at all *places*, each a kind and a name.

        Args:
            places: sessions stand before profiles, so that no two requests wait for each other.
            limited: whether it is an update, of which only three may be there at once.

        Raises:
            ConcurrentChange: three updates are there already.
        """
        lines = [self._lines.setdefault(place, _Line()) for place in places]
        if limited and any(line.updates >= _MOST for line in lines):
            self._drop_unused(places)
            raise ConcurrentChange("three requests of it are there already")
        for line in lines:
            line.users += 1
            line.updates += limited
        self._changed()
        taken: list[_Line] = []
        try:
            for line in lines:
                await line.lock.acquire()
                taken.append(line)
            yield
        finally:
            for line in taken:
                line.lock.release()
            for line in lines:
                line.users -= 1
                line.updates -= limited
            self._drop_unused(places)

    def _drop_unused(self, places: Sequence[tuple[str, str]]) -> None:
        for place in places:
            if place in self._lines and not self._lines[place].users:
                del self._lines[place]
