"""The store: the interface that the endpoints use, and its SQLite implementation."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from session_fsm import ConcurrentChange, SessionEvent, wire
from shop.sessions import ShopSession

__all__ = ["ParallelWrite", "SQLiteSessionStore", "SessionStore"]


class ParallelWrite(ConcurrentChange):
    """The session was saved by another writer since it was read; the status is 409."""


class SessionStore(Protocol):
    """The interface that the endpoints use."""

    def find(self, session_id: str) -> ShopSession | None:
        """Return the session, or None."""
        ...

    def save(self, session: ShopSession) -> None:
        """Save *session* with its pending events, in one transaction.

        Raises:
            ParallelWrite: another writer has saved it since it was read.
        """
        ...

    def history(self, session_id: str) -> list[SessionEvent]:
        """Return all events of the session, oldest first."""
        ...


class SQLiteSessionStore:
    """A SQLite file. Each call opens its own connection, so it may be used from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._connection() as connection:
            connection.execute("""
                CREATE TABLE IF NOT EXISTS sessions (
                    integration_id TEXT PRIMARY KEY, update_count INTEGER NOT NULL, document TEXT NOT NULL
                )""")
            connection.execute("""
                CREATE TABLE IF NOT EXISTS events (
                    integration_id TEXT, update_count INTEGER, document TEXT NOT NULL,
                    PRIMARY KEY (integration_id, update_count)
                )""")

    @contextmanager
    def _connection(self) -> Generator[sqlite3.Connection, None, None]:
        """Open a connection for one transaction, which is rolled back after an error."""
        with closing(sqlite3.connect(self._path)) as connection, connection:
            yield connection

    def find(self, session_id: str) -> ShopSession | None:
        """Return the session, or None."""
        with self._connection() as connection:
            query = "SELECT document FROM sessions WHERE integration_id = ?"
            row = connection.execute(query, [session_id]).fetchone()
        return wire.loads(row[0], ShopSession) if row else None

    def save(self, session: ShopSession) -> None:
        """Save the session with its pending events, unless another writer has saved it since it was read.

        Every event adds 1 to the update count, so the stored count is the current one minus the pending events.
        """
        events = session.pending_events
        stored_count = session.update_count - len(events)
        document = wire.dumps(session).decode()
        with self._connection() as connection:
            if stored_count == 0:
                statement = "INSERT OR IGNORE INTO sessions (document, update_count, integration_id) VALUES (?, ?, ?)"
                values = [document, session.update_count, session.integration_id]
            else:
                statement = (
                    "UPDATE sessions SET document = ?, update_count = ? WHERE integration_id = ? AND update_count = ?"
                )
                values = [document, session.update_count, session.integration_id, stored_count]
            if connection.execute(statement, values).rowcount != 1:
                raise ParallelWrite
            connection.executemany(
                "INSERT INTO events (integration_id, update_count, document) VALUES (?, ?, ?)",
                [(event.session_id, event.update_count, wire.dumps(event).decode()) for event in events],
            )
        session.take_events()  # after the commit

    def history(self, session_id: str) -> list[SessionEvent]:
        """Return all events of the session, oldest first."""
        with self._connection() as connection:
            query = "SELECT document FROM events WHERE integration_id = ? ORDER BY update_count"
            rows = connection.execute(query, [session_id]).fetchall()
        return [wire.loads(document, SessionEvent) for (document,) in rows]
