"""`Change`: one call of ``SessionStore.change``, as what it reads before the function is called, and writes after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from attrs import frozen
from sqlalchemy import Connection

from session_fsm.errors import InvalidValue
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.store.errors import SessionExists, SessionNotFound, StaleSession, named
from session_fsm.store.operations.idempotency import KeyedRequest
from session_fsm.store.operations.statements import Answered, Operations, Stored

__all__ = ["Change", "Done"]

C = TypeVar("C", bound=CustomerSession)


@frozen(kw_only=True)
class Done(Generic[C]):
    """What one attempt has led to."""

    answer: Any
    session: C | None = None
    """The session that was saved; None if the answer is that of an idempotency key."""
    events: list[SessionEvent]
    """The events that were stored."""


@frozen(kw_only=True)
class Change(Generic[C]):
    """A change that was asked for."""

    operations: Operations[C]
    session_id: str
    application_id: int | None
    keyed: KeyedRequest | None
    """The request with its idempotency key; None if it has none."""
    create: Callable[[], Any] | None
    """Makes the session if there is none."""
    lock: bool
    """Whether the session is locked before it is read."""

    def look(self, connection: Connection) -> Answered | Stored[C] | None:
        """Return the answer of the key, or else the session, or None if it is to be created.

        Raises:
            SessionNotFound: there is none, and it is not to be created.
            IdempotencyConflict: the key belongs to another request.
        """
        if self.keyed is not None:
            answered = self.operations.answered(connection, self.keyed, self.session_id, self.application_id)
            if answered is not None:
                return answered
        try:
            return self.operations.load(connection, self.session_id, self.application_id, lock=self.lock)
        except SessionNotFound:
            if self.create is None:
                raise
            return None

    def created(self, session: C) -> tuple[C, SessionEvent]:
        """Check what `create` returned, and return it with the event that is the answer.

        Raises:
            InvalidValue: it is another session than the one that was asked for, or has no event.
        """
        documents = self.operations.documents
        made = documents.application_of(session.application_id)
        wanted = documents.application_of(self.application_id)
        if (session.integration_id, made) != (self.session_id, wanted):
            name = named(session.integration_id, made)
            raise InvalidValue("", f"create made {name}, not {named(self.session_id, wanted)}")
        if not session.pending_events:
            name = named(session.integration_id, made)
            raise InvalidValue("", f"create made {name} without an event; store a session that was read with add")
        return session, session.pending_events[-1]

    def finish(self, connection: Connection, found: Stored[C] | None, session: C, answer: object) -> list[SessionEvent]:
        """Save the session, or store the new one, with the answer of the key.

        Raises:
            StaleSession: another writer was quicker.
        """
        events = self._add(connection, session) if found is None else self.operations.save(connection, found)
        if self.keyed is not None:
            self.operations.remember(connection, self.keyed, answer, session)
        return events

    def _add(self, connection: Connection, session: C) -> list[SessionEvent]:
        try:
            return self.operations.add(connection, session)
        except SessionExists:
            raise StaleSession(self.session_id, self.application_id, 0, 1) from None
