"""A minimal worker: updates only, each with an ID, and three SQLite tables in memory."""

import logging
import sqlite3

from session_fsm import CustomerSession, SessionFSMError, SessionUpdate, WrongState, wire
from session_fsm.errors import http_status

__all__ = ["database", "handle"]

log = logging.getLogger(__name__)
database = sqlite3.connect(":memory:", isolation_level=None)
TABLES = """
CREATE TABLE sessions (id TEXT PRIMARY KEY, document TEXT);
CREATE TABLE handled (message_id TEXT PRIMARY KEY, outcome TEXT);
CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, document TEXT);
"""
database.executescript(TABLES)


def handle(message_id: str, session_id: str, body: str) -> str:
    """Apply one message, unless it was applied before, and return the outcome."""
    update = wire.loads(body, SessionUpdate)
    with database:
        database.execute("BEGIN IMMEDIATE")  # takes the write lock
        known = database.execute("SELECT outcome FROM handled WHERE message_id = ?", [message_id]).fetchone()
        if known:
            return f"repeated; it was {known[0]}"
        outcome = apply(session_id, update)
        database.execute("INSERT INTO handled VALUES (?, ?)", [message_id, outcome])
    return outcome


def apply(session_id: str, update: SessionUpdate) -> str:
    """Apply an update and return the outcome."""
    row = database.execute("SELECT document FROM sessions WHERE id = ?", [session_id]).fetchone()
    try:
        if row is None:
            session = CustomerSession.create(session_id, update)
        else:
            session = wire.loads(row[0])
            session.put(update)
    except SessionFSMError as error:
        if http_status(error) != 400:  # a rule raised: the message is not handled
            log.exception("session %r: the message stays on the queue", session_id)
            raise
        if isinstance(error, WrongState) and error.already:
            return f"already {error.state}"
        return f"refused: {error}"
    database.execute("INSERT OR REPLACE INTO sessions VALUES (?, ?)", [session_id, wire.dumps(session).decode()])
    for event in session.take_events():
        database.execute("INSERT INTO outbox (document) VALUES (?)", [wire.dumps(event).decode()])
    return f"applied, {session.state} now"
