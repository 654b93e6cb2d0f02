"""What operators run over a whole store, in batches: verify, migrate and prune."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Table, delete, exists, func, or_, select, update

from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.states import State
from session_fsm.store.arguments import as_limit
from session_fsm.store.errors import DocumentUnreadable, HistoryMismatch
from session_fsm.store.operations.replaying import replayed
from session_fsm.store.operations.statements import Operations
from session_fsm.store.results import Migrated, Verified

__all__ = ["Upkeep"]

C = TypeVar("C", bound=CustomerSession)

_COLUMNS = (
    *("number", "session_id", "application_id", "version", "class_version", "document"),
    *("state", "profile_id", "created", "updated"),
)
_COMPARED = ("version", "state", "profile_id", "created", "updated")
"""The columns that are compared with the document. Amounts are left out: SQLite rounds them."""


class Upkeep(Generic[C]):
    """The statements of verify, migrate and prune, each about one batch."""

    def __init__(self, operations: Operations[C]) -> None:
        self._operations = operations
        self._documents = operations.documents
        self._schema = operations.schema

    def rebuild(self, connection: Connection, session_id: str, application_id: int | None) -> C:
        """Play the events of a session again, and return the session that they lead to.

        Raises:
            SessionNotFound: there is none.
            HistoryMismatch: it is not the one that is stored.
        """
        number = self._operations.number(connection, session_id, application_id)
        (row,) = self._rows(connection, self._schema.sessions.c.number == number, 1)
        session, problem = self._rebuilt(row, *self._past(connection, [number]))
        if session is None:
            raise HistoryMismatch(session_id, application_id, problem)
        return session

    def verifying(self, after: int, most: int) -> Callable[[Connection], tuple[list[Verified], int]]:
        """Return what verifies up to *most* sessions whose number is higher than *after*.

        It returns the results, and the last number.
        """
        return lambda connection: self._verify(connection, after, as_limit(most, "batch"))

    def _verify(self, connection: Connection, after: int, most: int) -> tuple[list[Verified], int]:
        rows = self._rows(connection, self._schema.sessions.c.number > after, most)
        past = self._past(connection, [row.number for row in rows])
        found = [
            Verified(
                session_id=row.session_id,
                application_id=row.application_id,
                problem=self._columns_problem(row) or self._rebuilt(row, *past)[1],
            )
            for row in rows
        ]
        return found, rows[-1].number if rows else after

    def _rows(self, connection: Connection, condition: Any, most: int) -> Sequence[Any]:
        sessions = self._schema.sessions
        query = select(*(sessions.c[name] for name in _COLUMNS)).where(condition)
        return connection.execute(query.order_by(sessions.c.number).limit(most)).all()

    def _past(self, connection: Connection, numbers: Sequence[int]) -> tuple[dict[int, list[Any]], dict[int, Any]]:
        """Return the rows of the events and of the snapshots of sessions, by the number of the session."""
        events, snapshots = self._schema.events, self._schema.snapshots
        held: dict[int, list[Any]] = {number: [] for number in numbers}
        query = select(events.c.session, events.c.sequence, events.c.document).where(events.c.session.in_(numbers))
        for row in connection.execute(query.order_by(events.c.session, events.c.sequence)):
            held[row.session].append(row)
        rows = connection.execute(select(snapshots).where(snapshots.c.session.in_(numbers)))
        return held, {row.session: row for row in rows}

    def _columns_problem(self, row: Any) -> str:
        """Return what is wrong with the document, or with the columns beside it."""
        try:
            session = self._read(row)
        except DocumentUnreadable as error:
            return str(error)
        expected = self._documents.row(session)
        differing = [name for name in _COMPARED if getattr(row, name) != expected[name]]
        return f"the columns {', '.join(differing)} differ from the document" if differing else ""

    def _read(self, row: Any) -> C:
        return self._documents.read(row.document, row.class_version, row.session_id, row.application_id)

    def _rebuilt(self, row: Any, past: dict[int, list[Any]], snapshots: dict[int, Any]) -> tuple[C | None, str]:
        """Return the session that the events lead to, or None and what is wrong."""
        rows, snapshot = past[row.number], snapshots.get(row.number)
        sequences = [one.sequence for one in rows]
        if sequences != [*range(row.version - len(rows) + 1, row.version + 1)]:
            return None, f"its events do not lead to version {row.version}: one is missing, or one is too many"
        start = 0 if snapshot is None else snapshot.version
        if rows and snapshot is None and sequences[0] != 1:
            return None, "its first events are missing"
        try:
            return self._compared(row, [one for one in rows if one.sequence > start], snapshot), ""
        except DocumentUnreadable as error:
            return None, str(error)
        except HistoryMismatch as error:
            return None, error.problem
        except Exception as error:  # noqa: BLE001 - verifying goes on, whatever a class does with old events
            return None, f"its events cannot be played again: {type(error).__name__}"

    def _compared(self, row: Any, rows: Iterable[Any], snapshot: Any | None) -> C:
        events: list[SessionEvent] = [self._documents.read_event(one.document) for one in rows]
        document = None if snapshot is None else snapshot.document
        application = self._read(row).application_id
        session = replayed(self._documents.plain_kind, events, start=document, application_id=application)
        given, stored = self._documents.write(session), self._documents.write(self._read(row))
        if given != stored:
            raise HistoryMismatch(row.session_id, row.application_id, "its events lead to another document")
        return self._documents.read(given, self._documents.version, row.session_id, row.application_id)

    # --- Migrate ------------------------------------------------------------------------------------------------------

    def _outdated(self) -> Any:
        sessions = self._schema.sessions
        return or_(
            sessions.c.class_version != self._documents.version,
            sessions.c.class_name != self._documents.class_name,
            sessions.c["library_version"] != self._documents.written_by,
        )

    def count_outdated(self, connection: Connection) -> int:
        """Count the sessions that another class, or another version of it, or of the library, has written."""
        query = select(func.count()).select_from(self._schema.sessions).where(self._outdated())
        return connection.execute(query).scalar_one()

    def migrating(self, after: int, most: int) -> Callable[[Connection], tuple[list[Migrated], int]]:
        """Return what rewrites up to *most* sessions whose number is higher than *after*.

        It returns the results, and the last number. A session that another writer saves at the same time is left to
        that one.
        """
        return lambda connection: self._migrate(connection, after, as_limit(most, "batch"))

    def _migrate(self, connection: Connection, after: int, most: int) -> tuple[list[Migrated], int]:
        sessions = self._schema.sessions
        rows = self._rows(connection, (sessions.c.number > after) & self._outdated(), most)
        results: list[Migrated] = []
        for row in rows:
            names = {"session_id": row.session_id, "application_id": row.application_id}
            try:
                session = self._read(row)
            except DocumentUnreadable as error:
                results.append(Migrated(**names, problem=str(error)))
                continue
            values = self._documents.row(session)
            changed = update(sessions).where(sessions.c.number == row.number, sessions.c.version == row.version)
            if connection.execute(changed.values(values)).rowcount and row.class_version != self._documents.version:
                self._operations.keep_snapshot(connection, row.number, session.update_count, values["document"])
            results.append(Migrated(**names))
        return results, rows[-1].number if rows else after

    # --- Prune --------------------------------------------------------------------------------------------------------

    def prune_requests(self, connection: Connection, most: int) -> int:
        """Delete answers of idempotency keys that have expired."""
        requests = self._schema.requests
        keys = select(requests.c.key).where(requests.c.expires <= self._operations.clock()).limit(most)
        return connection.execute(delete(requests).where(requests.c.key.in_(keys))).rowcount

    def prune_failed(self, connection: Connection, before: datetime, most: int) -> int:
        """Delete messages that failed for good before a time."""
        failed = self._schema.failed_messages
        old = select(failed.c.position).where(failed.c.failed < before).limit(most)
        return connection.execute(delete(failed).where(failed.c.position.in_(old))).rowcount

    def prune_sessions(self, connection: Connection, before: datetime, states: Sequence[State], most: int) -> int:
        """Delete sessions in *states* that were last updated before a time, but for those with pending messages."""
        schema = self._schema
        sessions = schema.sessions
        waiting = exists().where(schema.outbox.c.session == sessions.c.number)
        old = (
            select(sessions.c.number)
            .where(sessions.c.updated < before, sessions.c.state.in_([state.value for state in states]), ~waiting)
            .order_by(sessions.c.number)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        numbers = connection.execute(old).scalars().all()
        tables: list[tuple[Table, str]] = [
            *((table, "session") for table in (schema.events, schema.snapshots, schema.failed_messages)),
            (sessions, "number"),
        ]
        for table, column in tables:
            if numbers:
                connection.execute(delete(table).where(table.c[column].in_(numbers)))
        return len(numbers)
