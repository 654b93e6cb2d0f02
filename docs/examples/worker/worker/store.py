"""The database of the worker: sessions, IDs of handled messages, and unpublished events."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from session_fsm import ConcurrentChange, WireError, wire
from worker.sessions import ShopSession

__all__ = ["ParallelWrite", "Store"]

_TABLES = """
CREATE TABLE IF NOT EXISTS sessions (
    integration_id TEXT PRIMARY KEY, update_count INTEGER NOT NULL, document TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS handled (message_id TEXT PRIMARY KEY, outcome TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS dead_letters (line BLOB PRIMARY KEY, problems TEXT NOT NULL);
"""


class ParallelWrite(ConcurrentChange):
    """The session was saved by another writer since it was read."""


class Store:
    """A SQLite file, used by one thread. Several processes may share the file.

    Args:
        path: the file; it is created if it does not exist.
    """

    def __init__(self, path: Path | str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=60)
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Generator[None, None, None]:
        """Run the block in one transaction that holds the write lock."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def find(self, session_id: str) -> ShopSession | None:
        """Return the session, or None."""
        query = "SELECT document FROM sessions WHERE integration_id = ?"
        row = self._connection.execute(query, [session_id]).fetchone()
        return wire.loads(row[0], ShopSession) if row else None

    def save(self, session: ShopSession) -> None:
        """Save the session, and put its pending events into the outbox.

        Every event adds 1 to the update count, so the stored count is the current one minus the pending events.

        Raises:
            ParallelWrite: another writer has saved the session since it was read.
        """
        stored_count = session.update_count - len(session.pending_events)
        values = [wire.dumps(session).decode(), session.update_count, session.integration_id]
        if stored_count == 0:
            statement = "INSERT OR IGNORE INTO sessions (document, update_count, integration_id) VALUES (?, ?, ?)"
        else:
            statement = (
                "UPDATE sessions SET document = ?, update_count = ? WHERE integration_id = ? AND update_count = ?"
            )
            values.append(stored_count)
        if self._connection.execute(statement, values).rowcount != 1:
            raise ParallelWrite
        for event in session.take_events():
            self._connection.execute("INSERT INTO outbox (document) VALUES (?)", [wire.dumps(event).decode()])

    def outcome(self, message_id: str) -> str | None:
        """Return the outcome of a message, or None if it was not handled."""
        query = "SELECT outcome FROM handled WHERE message_id = ?"
        row = self._connection.execute(query, [message_id]).fetchone()
        return row[0] if row else None

    def mark_handled(self, message_id: str, outcome: str) -> None:
        """Save the ID and the outcome of a handled message."""
        self._connection.execute("INSERT INTO handled VALUES (?, ?)", [message_id, outcome])

    def add_dead_letter(self, line: bytes, error: WireError) -> None:
        """Save an invalid line and its problems."""
        self._connection.execute("INSERT OR IGNORE INTO dead_letters VALUES (?, ?)", [line, str(error)])

    def dead_letters(self) -> list[tuple[bytes, str]]:
        """Return the invalid lines, each with its problems."""
        return self._connection.execute("SELECT line, problems FROM dead_letters ORDER BY rowid").fetchall()

    def unpublished(self) -> list[tuple[int, str]]:
        """Return the ID and the document of each event in the outbox, oldest first."""
        return self._connection.execute("SELECT id, document FROM outbox ORDER BY id").fetchall()

    def delete_published(self, outbox_id: int) -> None:
        """Delete a published event from the outbox."""
        self._connection.execute("DELETE FROM outbox WHERE id = ?", [outbox_id])
