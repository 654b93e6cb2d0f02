"""What a store answers: pages of sessions, stored events, and the results of its checks."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Generic, TypeVar, overload

from attrs import field, frozen

from session_fsm.errors import InvalidValue
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession

__all__ = ["Migrated", "Page", "Pruned", "StoredEvent", "Verified", "cursor_of", "place_of"]

C_co = TypeVar("C_co", bound=CustomerSession, covariant=True)


@frozen
class Page(Sequence[C_co], Generic[C_co]):
    """The sessions that ``find`` found, those that were updated first in front."""

    sessions: tuple[C_co, ...]
    cursor: str | None = field(default=None, repr=False)
    """What ``find(after=...)`` takes for the next page; None if this is the last one."""

    @overload
    def __getitem__(self, index: int) -> C_co: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[C_co, ...]: ...
    def __getitem__(self, index: int | slice) -> C_co | tuple[C_co, ...]:
        return self.sessions[index]

    def __len__(self) -> int:
        return len(self.sessions)

    def __iter__(self) -> Iterator[C_co]:
        return iter(self.sessions)


def cursor_of(updated: datetime, number: int) -> str:
    """Return the cursor of the place after a session."""
    return urlsafe_b64encode(json.dumps([updated.isoformat(), number]).encode()).decode()


def place_of(cursor: str) -> tuple[datetime, int]:
    """Return the time and the number that `cursor_of` was given.

    Raises:
        InvalidValue: it is no cursor.
    """
    try:
        updated, number = json.loads(urlsafe_b64decode(cursor.encode()))
        return datetime.fromisoformat(updated), int(number)
    except (ValueError, TypeError):
        raise InvalidValue("", "this is no cursor of a page") from None


@frozen(kw_only=True)
class StoredEvent:
    """An event as the store has it."""

    event: SessionEvent
    """The event."""
    sequence: int
    """Its number within the session, which is the update count that it led to. No number is left out or used twice."""
    position: int
    """Its number within the whole store. Later events of a session have higher ones; numbers may be left out."""


@frozen(kw_only=True)
class Verified:
    """The result of verifying one session."""

    session_id: str
    """The integration ID of the session."""
    application_id: int | None
    """The Application of the session, or None."""
    problem: str = ""
    """What is wrong, in words, without values; empty if nothing is."""


@frozen(kw_only=True)
class Migrated:
    """The result of rewriting one session."""

    session_id: str
    """The integration ID of the session."""
    application_id: int | None
    """The Application of the session, or None."""
    problem: str = ""
    """Why the document could not be read, without values; empty if it was rewritten."""


@frozen(kw_only=True)
class Pruned:
    """How much was deleted."""

    requests: int = 0
    """Answers of idempotency keys that had expired."""
    failed_messages: int = 0
    """Messages that had failed for good."""
    sessions: int = 0
    """Sessions, with their events."""
