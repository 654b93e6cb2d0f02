"""Where the worker remembers everything: sessions, the messages that it has handled, and events not yet published."""

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
CREATE TABLE IF NOT EXISTS outbox (place INTEGER PRIMARY KEY AUTOINCREMENT, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS dead_letters (line BLOB PRIMARY KEY, problems TEXT NOT NULL);
"""


class ParallelWrite(ConcurrentChange):
    """Somebody else has saved the session since it was read, without a transaction of `Store`."""


class Store:
    """A file of SQLite's, for one thread. Any number of processes may share the file.

    Args:
        path: the file; it is made where there is none.
    """

    def __init__(self, path: Path | str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=60)
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Generator[None, None, None]:
        """Do all that is within, or nothing of it; nobody else writes meanwhile."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def find(self, session_id: str) -> ShopSession | None:
        """Return the session, or None where there is none."""
        query = "SELECT document FROM sessions WHERE integration_id = ?"
        row = self._connection.execute(query, [session_id]).fetchone()
        return wire.loads(row[0], ShopSession) if row else None

    def save(self, session: ShopSession) -> None:
        """Save the session, and put its pending events into the outbox.

        Every event counts one update, so the count that was read is the present one less the pending events.

        Raises:
            ParallelWrite: see there.
        """
        found = session.update_count - len(session.pending_events)
        values = [wire.dumps(session).decode(), session.update_count, session.integration_id]
        if found == 0:
            statement = "INSERT OR IGNORE INTO sessions (document, update_count, integration_id) VALUES (?, ?, ?)"
        else:
            statement = (
                "UPDATE sessions SET document = ?, update_count = ? WHERE integration_id = ? AND update_count = ?"
            )
            values.append(found)
        if self._connection.execute(statement, values).rowcount != 1:
            raise ParallelWrite
        for event in session.take_events():
            self._connection.execute("INSERT INTO outbox (document) VALUES (?)", [wire.dumps(event).decode()])

    def outcome(self, message_id: str) -> str | None:
        """Return what came of a message; None where it has not been handled."""
        query = "SELECT outcome FROM handled WHERE message_id = ?"
        row = self._connection.execute(query, [message_id]).fetchone()
        return row[0] if row else None

    def remember(self, message_id: str, outcome: str) -> None:
        """Note that a message has been handled, and what came of it."""
        self._connection.execute("INSERT INTO handled VALUES (?, ?)", [message_id, outcome])

    def bury(self, line: bytes, error: WireError) -> None:
        """Keep a line that cannot be read, for people to look at."""
        self._connection.execute("INSERT OR IGNORE INTO dead_letters VALUES (?, ?)", [line, str(error)])

    def dead_letters(self) -> list[tuple[bytes, str]]:
        """Return the lines that could not be read, each with what is wrong with it."""
        return self._connection.execute("SELECT line, problems FROM dead_letters ORDER BY rowid").fetchall()

    def unpublished(self) -> list[tuple[int, str]]:
        """Return the outbox, oldest first: the place of each event and its document."""
        return self._connection.execute("SELECT place, document FROM outbox ORDER BY place").fetchall()

    def forget(self, place: int) -> None:
        """Take an event that has been published out of the outbox."""
        self._connection.execute("DELETE FROM outbox WHERE place = ?", [place])
