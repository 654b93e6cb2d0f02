"""The messages of the outbox, as CloudEvents 1.0 in JSON, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from urllib.parse import quote

from attrs import evolve, field, frozen

from session_fsm.converters import timestamp
from session_fsm.events import SessionEvent

__all__ = ["AsyncPendingMessage", "FailedMessage", "Message", "PendingMessage", "Relayed"]


@frozen(kw_only=True)
class Message:
    """An event that is to be published."""

    id: str
    """Unique, and the same each time the message is handed over: consumers recognise a repeated message by it."""
    session_id: str
    """The integration ID of the session."""
    application_id: int | None
    """The Application of the session, or None."""
    event: SessionEvent
    """The event."""
    document: str = field(repr=False)
    """The event as JSON."""
    attempts: int
    """How often publishing it has failed."""
    position: int = field(repr=False)
    """The place in the outbox, by which the messages of one session are in order."""
    number: int = field(repr=False, eq=False)
    """The session's number in the database."""

    def to_json(self) -> str:
        """Return the message as a CloudEvent 1.0 in JSON, with the event as its data.

        ``partitionkey`` (an extension of CloudEvents) names the session, for a broker that keeps the order of each key.
        """
        application = "" if self.application_id is None else f"/applications/{self.application_id}"
        subject = _printable(self.session_id)
        attributes = {
            "specversion": "1.0",
            "id": self.id,
            "source": f"{application}/customer_sessions",
            "type": self.event.name.value,
            "subject": subject,
            "time": timestamp(self.event.at),
            "partitionkey": subject,
            "datacontenttype": "application/json",
        }
        text = json.dumps(attributes, ensure_ascii=False, separators=(",", ":"))
        return f'{text[:-1]},"data":{self.document}}}'


def _printable(text: str) -> str:
    """Return *text*, percent-encoded if it has control characters, which attributes of CloudEvents must not have."""
    return text if text.isprintable() else quote(text, safe=" ")


@frozen(kw_only=True)
class PendingMessage(Message):
    """A message of `Outbox.pending`."""

    _acknowledge: Callable[[Message], None] = field(repr=False, eq=False, alias="acknowledge")

    def acknowledge(self) -> None:
        """Remove the message from the outbox, because it is published."""
        self._acknowledge(self)


@frozen(kw_only=True)
class AsyncPendingMessage(Message):
    """A message of `AsyncOutbox.pending`."""

    _acknowledge: Callable[[Message], Awaitable[None]] = field(repr=False, eq=False, alias="acknowledge")

    async def acknowledge(self) -> None:
        """Remove the message from the outbox, because it is published."""
        await self._acknowledge(self)


@frozen(kw_only=True)
class FailedMessage(Message):
    """A message that could not be published in all its attempts."""

    failed: datetime
    """When the last attempt failed."""
    reason: str
    """The class of the exception that the last attempt raised."""


@frozen(kw_only=True)
class Relayed:
    """What a relay has done."""

    delivered: int = 0
    """Messages that were published."""
    postponed: int = 0
    """Attempts that failed, and will be made again later."""
    failed: int = 0
    """Messages that failed for good; `Outbox.failed` has them."""

    def plus(self, other: Relayed) -> Relayed:
        """Return the sums of both."""
        return evolve(
            self,
            delivered=self.delivered + other.delivered,
            postponed=self.postponed + other.postponed,
            failed=self.failed + other.failed,
        )
