# ruff: noqa: INP001 - imported as docs.examples.sessions_in_sqlite
"""Sessions in a SQLite table: read, save, and change with optimistic locking."""

import sqlite3
from collections.abc import Callable

from session_fsm import ConcurrentChange, CustomerSession, wire

__all__ = ["ParallelWrite", "ShopSession", "change", "database", "find", "save"]


class ShopSession(CustomerSession):
    """A session of the shop."""


database = sqlite3.connect(":memory:")
TABLE = "CREATE TABLE sessions (id TEXT PRIMARY KEY, update_count INTEGER, document TEXT)"
database.execute(TABLE)


class ParallelWrite(ConcurrentChange):
    """The session was saved by another writer since it was read."""


def find(session_id: str) -> ShopSession | None:
    """Return the session, or None."""
    row = database.execute("SELECT document FROM sessions WHERE id = ?", [session_id]).fetchone()
    return wire.loads(row[0], ShopSession) if row else None


def save(session: CustomerSession) -> None:
    """Save the session.

    Raises:
        ParallelWrite: another writer has saved it since it was read.
    """
    stored_count = session.update_count - len(session.pending_events)
    row = [wire.dumps(session).decode(), session.update_count, session.integration_id]
    if stored_count == 0:
        statement = "INSERT OR IGNORE INTO sessions (document, update_count, id) VALUES (?, ?, ?)"
    else:
        statement = "UPDATE sessions SET document = ?, update_count = ? WHERE id = ? AND update_count = ?"
        row.append(stored_count)
    with database:
        if database.execute(statement, row).rowcount != 1:
            raise ParallelWrite(session.integration_id)
    session.take_events()


def change(session_id: str, verb: Callable[[ShopSession], object], attempts: int = 3) -> ShopSession:
    """Read a session, apply *verb* and save it; retry after a parallel write."""
    for attempt in range(1, attempts + 1):
        session = find(session_id)
        if session is None:
            raise LookupError(session_id)
        verb(session)
        try:
            save(session)
        except ParallelWrite:
            if attempt == attempts:
                raise
        else:
            return session
    raise ValueError("at least one attempt is needed")
