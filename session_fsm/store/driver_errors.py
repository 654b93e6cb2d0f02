"""Translate the errors of SQLAlchemy and of the drivers to `StoreUnavailable`, without their texts.

The text of a driver's error may hold SQL, parameters, a row, or the password.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from session_fsm.store.errors import StoreUnavailable

__all__ = ["no_connection", "translated", "unavailable"]

# The beginnings of error codes, the longest first. SQLSTATEs are those of PostgreSQL's manual, appendix A.
_REASONS = {
    "SQLITE_BUSY": "the database is locked by another process, for longer than the timeout",
    "SQLITE_LOCKED": "the database is locked by this process",
    "SQLITE_FULL": "the disk is full",
    "SQLITE_READONLY": "the database is read-only",
    "SQLITE_NOTADB": "the file is no database",
    "SQLITE_CORRUPT": "the database file is damaged",
    "SQLITE_CANTOPEN": "the database file cannot be opened",
    "SQLITE_IOERR": "the database file cannot be read or written",
    "SQLITE_TOOBIG": "the document is too large for the database",
    "40P01": "the change met a deadlock",
    "40": "the change met another one at the same time",
    "53100": "the disk is full",
    "53": "the database server is short of resources",
    "54": "the document is too large for the database",
    "25006": "the database is read-only",
    "28": "the database server refuses the login",
    "3D": "there is no such database",
    "42501": "the login has no right to do this",
    "55P03": "the session is locked by another change",
    "57014": "the database server has cancelled the statement",
    "57": "the database server is shutting down",
    "08": "the connection to the database was lost",
}
_TRANSIENT = ("40001", "40P01")
"""A serialization failure and a deadlock: the server has rolled back, and the same may succeed when done again."""
_LOST = ("08", "57P")
_PLAIN_LOST = "the connection to the database was lost"
_PLAIN = "the database has refused a statement"


@contextmanager
def translated(session_id: str = "", *, committing: bool = False) -> Generator[None]:
    """Raise `StoreUnavailable` for an error of SQLAlchemy in the block."""
    try:
        yield
    except SQLAlchemyError as error:
        raise unavailable(error, session_id, committing=committing) from None


def unavailable(error: SQLAlchemyError, session_id: str = "", *, committing: bool = False) -> StoreUnavailable:
    """Return the error of the store for *error*; *committing* if it was raised by a commit."""
    if isinstance(error, PoolTimeout):
        return StoreUnavailable("no connection of the pool became free in time", "", session_id)
    driver: Any = error.orig if isinstance(error, DBAPIError) else error
    code = _code(driver)
    lost = code.startswith(_LOST) or (isinstance(error, DBAPIError) and error.connection_invalidated)
    reason = _reason(code) or (_PLAIN_LOST if lost else _PLAIN)
    unknown = lost and committing
    return StoreUnavailable(reason, code, session_id, code in _TRANSIENT or (lost and not committing), unknown)


def no_connection(error: Exception) -> StoreUnavailable:
    """Return the error of the store for *error*, which was raised instead of a connection."""
    if isinstance(error, SQLAlchemyError):
        found = unavailable(error)
        reason = "the database cannot be reached" if found.reason in (_PLAIN, _PLAIN_LOST) else found.reason
        return StoreUnavailable(reason, found.code)
    code = _code(error)
    return StoreUnavailable(_reason(code) or "the database cannot be reached", code)


def _code(error: Any) -> str:
    code: Any = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)
    return str(code or type(error).__name__)


def _reason(code: str) -> str:
    return next((reason for start, reason in _REASONS.items() if code.startswith(start)), "")
