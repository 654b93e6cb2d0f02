"""The database of the worker: sessions in a `SessionStore`, and two tables of its own beside them."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, text

from session_fsm import WireError
from session_fsm.store import SessionStore
from worker.sessions import ShopSession

__all__ = ["Store", "Transaction"]

_TABLES = (
    "CREATE TABLE IF NOT EXISTS handled (message_id TEXT PRIMARY KEY, outcome TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS dead_letters (line BLOB PRIMARY KEY, problems TEXT NOT NULL)",
)


class Store:
    """A SQLite file. Several processes may share the file.

    Args:
        path: the file; it is created if it does not exist.
    """

    def __init__(self, path: Path | str) -> None:
        url = "sqlite://" if str(path) == ":memory:" else f"sqlite:///{path}"
        self.sessions = SessionStore(url, ShopSession, timeout=60)
        self.sessions.create_schema()
        with self.sessions.engine.begin() as connection:
            for table in _TABLES:
                connection.execute(text(table))

    def close(self) -> None:
        """Close the file."""
        self.sessions.close()

    @contextmanager
    def transaction(self) -> Generator["Transaction", None, None]:
        """Run the block in one transaction that holds the write lock."""
        with self.sessions.engine.begin() as connection:
            yield Transaction(connection, self.sessions.using(connection))

    def dead_letters(self) -> list[tuple[bytes, str]]:
        """Return the invalid lines, each with its problems."""
        with self.sessions.engine.begin() as connection:
            rows = connection.execute(text("SELECT line, problems FROM dead_letters ORDER BY rowid"))
            return [(line, problems) for line, problems in rows]


class Transaction:
    """What one transaction does."""

    def __init__(self, connection: Connection, sessions: SessionStore[ShopSession]) -> None:
        self._connection = connection
        self.sessions = sessions
        """The sessions, as a part of the transaction."""

    def outcome(self, message_id: str) -> str | None:
        """Return the outcome of a message, or None if it was not handled."""
        query = text("SELECT outcome FROM handled WHERE message_id = :id")
        outcome: str | None = self._connection.execute(query, {"id": message_id}).scalar()
        return outcome

    def mark_handled(self, message_id: str, outcome: str) -> None:
        """Save the ID and the outcome of a handled message."""
        statement = text("INSERT INTO handled VALUES (:id, :outcome)")
        self._connection.execute(statement, {"id": message_id, "outcome": outcome})

    def add_dead_letter(self, line: bytes, error: WireError) -> None:
        """Save an invalid line and its problems."""
        statement = text("INSERT OR IGNORE INTO dead_letters VALUES (:line, :problems)")
        self._connection.execute(statement, {"line": line, "problems": str(error)})
