"""Where sessions are kept: the interface that the endpoints need, and SQLite behind it."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from session_fsm import ConcurrentChange, SessionEvent, wire
from shop.sessions import ShopSession

__all__ = ["ParallelWrite", "SQLiteSessionStore", "SessionStore"]


class ParallelWrite(ConcurrentChange):
    """Somebody else has saved the session since it was read. The answer is 409."""


class SessionStore(Protocol):
    """What the endpoints need of a place where sessions are kept."""

    def find(self, session_id: str) -> ShopSession | None:
        """Return the session, or None where there is none."""
        ...

    def save(self, session: ShopSession) -> None:
        """Save what has happened to *session* since it was found or created, all of it or nothing.

        Raises:
            ParallelWrite: somebody else has saved it meanwhile.
        """
        ...

    def history(self, session_id: str) -> list[SessionEvent]:
        """Return everything that ever happened to the session, oldest first."""
        ...


class SQLiteSessionStore:
    """A file of SQLite's. Every call has a connection of its own, so that it works from any thread."""

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
        """Open the file for one transaction, which an error undoes."""
        with closing(sqlite3.connect(self._path)) as connection, connection:
            yield connection

    def find(self, session_id: str) -> ShopSession | None:
        """Return the session, or None where there is none."""
        with self._connection() as connection:
            query = "SELECT document FROM sessions WHERE integration_id = ?"
            row = connection.execute(query, [session_id]).fetchone()
        return wire.loads(row[0], ShopSession) if row else None

    def save(self, session: ShopSession) -> None:
        """Save the session with its pending events, if nobody else has saved it since it was read.

        Every event counts one update, so the count that was read is the present one less the pending events.
        """
        events = session.pending_events
        found = session.update_count - len(events)
        document = wire.dumps(session).decode()
        with self._connection() as connection:
            if found == 0:
                statement = "INSERT OR IGNORE INTO sessions (document, update_count, integration_id) VALUES (?, ?, ?)"
                values = [document, session.update_count, session.integration_id]
            else:
                statement = (
                    "UPDATE sessions SET document = ?, update_count = ? WHERE integration_id = ? AND update_count = ?"
                )
                values = [document, session.update_count, session.integration_id, found]
            if connection.execute(statement, values).rowcount != 1:
                raise ParallelWrite
            connection.executemany(
                "INSERT INTO events (integration_id, update_count, document) VALUES (?, ?, ?)",
                [(event.session_id, event.update_count, wire.dumps(event).decode()) for event in events],
            )
        session.take_events()  # only now are they safe

    def history(self, session_id: str) -> list[SessionEvent]:
        """Return everything that ever happened to the session, oldest first."""
        with self._connection() as connection:
            query = "SELECT document FROM events WHERE integration_id = ? ORDER BY update_count"
            rows = connection.execute(query, [session_id]).fetchall()
        return [wire.loads(document, SessionEvent) for (document,) in rows]
