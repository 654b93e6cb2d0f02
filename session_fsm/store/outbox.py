"""`Outbox` and `AsyncOutbox`: the messages that are not published yet, for services that publish them on their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from attrs import fields
from sqlalchemy import Connection

from session_fsm.store.arguments import BATCH, as_limit
from session_fsm.store.messages import AsyncPendingMessage, FailedMessage, Message, PendingMessage
from session_fsm.store.outbox_operations import OutboxOperations

__all__ = ["AsyncOutbox", "Outbox"]

T = TypeVar("T")

_FIELDS = [attribute.name for attribute in fields(Message)]


class _Run(Protocol):
    """Runs a unit in a transaction of a store."""

    def __call__(self, unit: Callable[[Connection], T], session_id: str = "") -> T: ...


class _AsyncRun(Protocol):
    """As `_Run`, for asyncio."""

    def __call__(self, unit: Callable[[Connection], T], session_id: str = "") -> Awaitable[T]: ...


def _contents(message: Message) -> dict[str, Any]:
    return {name: getattr(message, name) for name in _FIELDS}


class Outbox:
    """The messages of a store that are not published yet. `SessionStore.relay` publishes them."""

    def __init__(self, operations: OutboxOperations, read: _Run, write: _Run) -> None:
        self._operations, self._read, self._write = operations, read, write

    def pending(self, limit: int = BATCH) -> list[PendingMessage]:
        """Return the first messages that are due, in order. Nothing is locked: one worker at a time may do this."""
        most = as_limit(limit)
        found = self._read(lambda c: self._operations.pending(c, most))
        return [PendingMessage(**_contents(message), acknowledge=self._acknowledge) for message in found]

    def _acknowledge(self, message: Message) -> None:
        self._write(lambda c: self._operations.acknowledge(c, message), message.session_id)

    def failed(self, limit: int = BATCH) -> list[FailedMessage]:
        """Return the messages that failed for good, the first in front."""
        most = as_limit(limit)
        return self._read(lambda c: self._operations.failed(c, most))

    def retry(self, message: FailedMessage) -> bool:
        """Put a message that failed for good into the outbox again; return False if somebody has done so already."""
        return self._write(lambda c: self._operations.retry(c, message), message.session_id)

    def count(self) -> int:
        """Count the messages that are not published yet."""
        return self._read(self._operations.count)


class AsyncOutbox:
    """As `Outbox`, for asyncio. `AsyncSessionStore.relay` publishes the messages."""

    def __init__(self, operations: OutboxOperations, read: _AsyncRun, write: _AsyncRun) -> None:
        self._operations, self._read, self._write = operations, read, write

    async def pending(self, limit: int = BATCH) -> list[AsyncPendingMessage]:
        """As `Outbox.pending`."""
        most = as_limit(limit)
        found = await self._read(lambda c: self._operations.pending(c, most))
        return [AsyncPendingMessage(**_contents(message), acknowledge=self._acknowledge) for message in found]

    async def _acknowledge(self, message: Message) -> None:
        await self._write(lambda c: self._operations.acknowledge(c, message), message.session_id)

    async def failed(self, limit: int = BATCH) -> list[FailedMessage]:
        """As `Outbox.failed`."""
        most = as_limit(limit)
        return await self._read(lambda c: self._operations.failed(c, most))

    async def retry(self, message: FailedMessage) -> bool:
        """As `Outbox.retry`."""
        return await self._write(lambda c: self._operations.retry(c, message), message.session_id)

    async def count(self) -> int:
        """As `Outbox.count`."""
        return await self._read(self._operations.count)
