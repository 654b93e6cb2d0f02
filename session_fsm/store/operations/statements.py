"""What a store does to its tables, each as one function of a connection.

`SessionStore` and `AsyncSessionStore` call them within a transaction; the latter by `AsyncConnection.run_sync`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import uuid4

from attrs import frozen
from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from session_fsm import wire
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.states import State
from session_fsm.store.database.keys import is_storable, short_key
from session_fsm.store.database.schema import Schema
from session_fsm.store.errors import (
    HistoryMismatch,
    IdempotencyConflict,
    SessionExists,
    SessionNotFound,
    StaleSession,
)
from session_fsm.store.operations.documents import Documents
from session_fsm.store.operations.idempotency import KeyedRequest, answer_of, stored_answer
from session_fsm.store.operations.replaying import replayed
from session_fsm.store.results import Page, StoredEvent, cursor_of, place_of

__all__ = ["Answered", "Operations", "Stored"]

C = TypeVar("C", bound=CustomerSession)


@frozen
class Stored(Generic[C]):
    """A session that was read, and what saving it needs."""

    session: C
    number: int
    version: int
    """The update count that was read."""
    class_version: int


@frozen
class Answered:
    """The answer of an idempotency key that was used before."""

    answer: Any


_FIXED = frozenset({"number", "key", "application_id", "session_id"})
"""The columns of a session that never change."""


class Operations(Generic[C]):
    """The statements of one store."""

    def __init__(
        self,
        schema: Schema,
        documents: Documents[C],
        clock: Callable[[], datetime],
        *,
        outbox: bool,
        keep_answers: timedelta,
    ) -> None:
        self.schema, self.documents, self.clock = schema, documents, clock
        self._outbox, self._keep_answers = outbox, keep_answers
        sessions, events = schema.sessions, schema.events
        columns = (sessions.c.number, sessions.c.version, sessions.c.class_version, sessions.c.document)
        self._select = select(*columns).where(sessions.c.key == bindparam("key"))
        self._lock = self._select.with_for_update()
        changed: dict[str, Any] = {c.name: bindparam(c.name) for c in sessions.columns if c.name not in _FIXED}
        self._update = (
            update(sessions)
            .where(sessions.c.number == bindparam("of_number"), sessions.c.version == bindparam("of_version"))
            .values(changed)
        )
        self._version = select(sessions.c.version).where(sessions.c.number == bindparam("of_number"))
        self._number = select(sessions.c.number).where(sessions.c.key == bindparam("key"))
        self._history = (
            select(events.c.position, events.c.sequence, events.c.document)
            .where(events.c.session == bindparam("of_session"))
            .order_by(events.c.sequence)
        )
        self._insert_session = insert(sessions)
        self._insert_events = insert(events)
        self._insert_outbox = insert(schema.outbox)
        self._insert_snapshot = insert(schema.snapshots)
        self._delete_snapshot = delete(schema.snapshots).where(schema.snapshots.c.session == bindparam("of_session"))
        self._answer = select(
            schema.requests.c.fingerprint, schema.requests.c.kind, schema.requests.c.answer, schema.requests.c.expires
        ).where(schema.requests.c.key == bindparam("of_key"))

    # --- Sessions -----------------------------------------------------------------------------------------------------

    def load(
        self, connection: Connection, session_id: str, application_id: int | None, *, lock: bool = False
    ) -> Stored[C]:
        """Read a session.

        Raises:
            SessionNotFound: there is none.
            DocumentUnreadable: its document cannot be read.
        """
        row = None
        if is_storable(session_id):
            key = self.documents.key(session_id, application_id)
            row = connection.execute(self._lock if lock else self._select, {"key": key}).first()
        if row is None:
            raise SessionNotFound(session_id, application_id)
        return self._stored(row, session_id, application_id)

    def _stored(self, row: Any, session_id: str, application_id: int | None) -> Stored[C]:
        number, version, class_version, document = row
        session = self.documents.read(document, class_version, session_id, application_id)
        return Stored(session, number, version, class_version)

    def add(self, connection: Connection, session: C) -> list[SessionEvent]:
        """Store a new session with its pending events, and return these.

        Where the events alone would not give the document, it is kept as the snapshot that they begin at.

        Raises:
            SessionExists: its ID is taken.
            HistoryMismatch: events are missing among those that are pending.
        """
        session_id, application_id = session.integration_id, session.application_id
        events = session.pending_events
        self._check_events(session, events, session.update_count - len(events))
        document = self.documents.write(session)
        row = self.documents.row(session, document)
        row |= {"key": self.documents.key(session_id, application_id), "session_id": session_id}
        row["application_id"] = self.documents.application_of(application_id)
        try:
            inserted: Any = connection.execute(self._insert_session, row)
        except IntegrityError:
            raise SessionExists(session_id, application_id) from None
        number: int = inserted.inserted_primary_key[0]
        if not self._leads_to(events, document, application_id):
            self.keep_snapshot(connection, number, session.update_count, document)
        self._append(connection, number, events)
        return events

    def _leads_to(self, events: Sequence[SessionEvent], document: str, application_id: int | None) -> bool:
        """Whether *events* begin with a creation and lead to *document*."""
        if not events or events[0].source is not None:
            return False
        try:
            # What is written is read again later; compare what that will give.
            read = [self.documents.read_event(wire.dumps(event).decode()) for event in events]
            session = replayed(self.documents.plain_kind, read, application_id=application_id)
            return self.documents.write(session) == document
        except Exception:  # noqa: BLE001 - whatever it is, the snapshot is kept
            return False

    def save(self, connection: Connection, stored: Stored[C]) -> list[SessionEvent]:
        """Save the session and append its pending events, and return these.

        Raises:
            StaleSession: another writer has saved it since it was read.
            HistoryMismatch: events are missing among those that are pending.
        """
        session = stored.session
        events = session.pending_events
        self._check_events(session, events, stored.version)
        if not events:
            return events
        row = self.documents.row(session)
        done = connection.execute(self._update, row | {"of_number": stored.number, "of_version": stored.version})
        if done.rowcount != 1:
            raise self.stale(connection, stored)
        if stored.class_version != self.documents.version:
            self.keep_snapshot(connection, stored.number, session.update_count, row["document"])
        self._append(connection, stored.number, events)
        return events

    def stale(self, connection: Connection, stored: Stored[C]) -> StaleSession:
        """Return the error that another writer has saved the session since it was read."""
        session = stored.session
        found: int | None = connection.scalar(self._version, {"of_number": stored.number})
        return StaleSession(session.integration_id, session.application_id, stored.version, found)

    def _check_events(self, session: C, events: Sequence[SessionEvent], since: int) -> None:
        if [event.update_count for event in events] != [*range(since + 1, session.update_count + 1)]:
            problem = f"its pending events do not lead from version {since} to version {session.update_count}"
            hint = "; leave take_events() to the store"
            raise HistoryMismatch(session.integration_id, session.application_id, problem + hint)

    def _append(self, connection: Connection, number: int, events: Sequence[SessionEvent]) -> None:
        if not events:
            return
        rows = [
            {
                "session": number,
                "sequence": event.update_count,
                "name": event.name.value,
                "at": event.at,
                "document": wire.dumps(event).decode(),
            }
            for event in events
        ]
        connection.execute(self._insert_events, rows if len(rows) > 1 else rows[0])
        if self._outbox:
            due = self.clock()
            messages = [
                {
                    "session": number,
                    "sequence": event.update_count,
                    "message_id": str(uuid4()),
                    "attempts": 0,
                    "due": due,
                }
                for event in events
            ]
            connection.execute(self._insert_outbox, messages if len(messages) > 1 else messages[0])

    def keep_snapshot(self, connection: Connection, number: int, version: int, document: str) -> None:
        """Keep *document* as the one that later events begin at."""
        connection.execute(self._delete_snapshot, {"of_session": number})
        connection.execute(self._insert_snapshot, {"session": number, "version": version, "document": document})

    # --- Questions ----------------------------------------------------------------------------------------------------

    def find(
        self,
        connection: Connection,
        *,
        state: State | None,
        profile_id: str | None,
        updated_after: datetime | None,
        application_id: int | None,
        limit: int,
        after: str | None,
    ) -> Page[C]:
        """Read a page of sessions, in the order of their last update."""
        sessions = self.schema.sessions
        columns = [sessions.c.number, sessions.c.version, sessions.c.class_version, sessions.c.document]
        query: Select[Any] = select(*columns, sessions.c.updated, sessions.c.session_id, sessions.c.application_id)
        if state is not None:
            query = query.where(sessions.c.state == state.value)
        if profile_id is not None:
            query = query.where(sessions.c.profile_id == short_key(profile_id))
        if application_id is not None:
            query = query.where(sessions.c.application_id == application_id)
        if updated_after is not None:
            query = query.where(sessions.c.updated > updated_after)
        if after is not None:
            updated, number = place_of(after)
            place = tuple_(bindparam("u", updated, sessions.c.updated.type), bindparam("n", number))
            query = query.where(tuple_(sessions.c.updated, sessions.c.number) > place)
        rows = connection.execute(query.order_by(sessions.c.updated, sessions.c.number).limit(limit + 1)).all()
        shown = rows[:limit]
        found = tuple(self._stored(row[:4], row.session_id, row.application_id).session for row in shown)
        cursor = cursor_of(shown[-1].updated, shown[-1].number) if len(rows) > limit else None
        return Page(found, cursor)

    def count(self, connection: Connection, state: State | None) -> int:
        """Count the sessions."""
        query = select(func.count()).select_from(self.schema.sessions)
        if state is not None:
            query = query.where(self.schema.sessions.c.state == state.value)
        return connection.execute(query).scalar_one()

    def number(self, connection: Connection, session_id: str, application_id: int | None) -> int:
        """Return the number of a session.

        Raises:
            SessionNotFound: there is none.
        """
        found: int | None = None
        if is_storable(session_id):
            found = connection.scalar(self._number, {"key": self.documents.key(session_id, application_id)})
        if found is None:
            raise SessionNotFound(session_id, application_id)
        return found

    def history(self, connection: Connection, session_id: str, application_id: int | None) -> list[StoredEvent]:
        """Return every event of a session, the oldest first."""
        number = self.number(connection, session_id, application_id)
        rows = connection.execute(self._history, {"of_session": number})
        return [
            StoredEvent(event=self.documents.read_event(document), sequence=sequence, position=position)
            for position, sequence, document in rows
        ]

    # --- Idempotency --------------------------------------------------------------------------------------------------

    def answered(
        self, connection: Connection, request: KeyedRequest, session_id: str, application_id: int | None
    ) -> Answered | None:
        """Return the answer that the key of *request* was given before, or None.

        Raises:
            IdempotencyConflict: the key belongs to another request.
        """
        row = connection.execute(self._answer, {"of_key": request.stored_key}).first()
        if row is None or row.expires <= self.clock():
            return None
        if row.fingerprint != request.fingerprint:
            raise IdempotencyConflict(session_id, application_id, request.key)
        return Answered(answer_of(self.documents, row.kind, row.answer))

    def remember(self, connection: Connection, request: KeyedRequest, answer: object, session: C) -> None:
        """Store the answer of *request*.

        Raises:
            InvalidValue: the answer cannot be stored so that it is the same when it is read again.
            StaleSession: another writer has used the key since it was looked up.
        """
        kind, text = stored_answer(answer)
        requests, now = self.schema.requests, self.clock()
        connection.execute(delete(requests).where(requests.c.key == request.stored_key, requests.c.expires <= now))
        row = {"key": request.stored_key, "fingerprint": request.fingerprint, "kind": kind, "answer": text}
        try:
            connection.execute(insert(requests), row | {"expires": now + self._keep_answers})
        except IntegrityError:
            count = session.update_count
            raise StaleSession(session.integration_id, session.application_id, count, count) from None
