"""SQLite as a store needs it: writers that begin with the lock, a log that readers do not wait for, one relay.

A connection of an engine that the store makes has a busy timeout, foreign keys, and a full synchronization: what is
committed survives a power cut. The file has a write-ahead log (WAL). An engine of the service's own keeps its settings.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Connection, Engine, event

__all__ = [
    "begin_for_savepoint",
    "begin_immediately",
    "begin_snapshot",
    "begins_immediately",
    "configure",
    "database_file",
    "only_relay",
]

_POLL = 0.02
"""How often it is tried to turn on the write-ahead log, in seconds."""


def configure(engine: Engine, timeout: float) -> None:
    """Set up the connections of an engine that the store has made; they wait *timeout* seconds for a lock."""

    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver begins no transactions; the store does
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {round(timeout * 1000)}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA synchronous = FULL")
        _turn_on_log(cursor, timeout)
        cursor.close()

    event.listen(engine, "connect", connected)


def _turn_on_log(cursor: Any, timeout: float) -> None:
    """Turn on the write-ahead log, unless it is on. SQLite does not apply the busy timeout to that."""
    until = monotonic() + timeout
    while True:
        try:
            cursor.execute("PRAGMA journal_mode")
            if cursor.fetchone()[0] == "delete":
                cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY:
                return
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > until:
                raise
            sleep(_POLL)
        else:
            return


def begins_immediately(engine: Engine) -> Engine:
    """Return a view of an engine that the store has made, whose transactions begin with the write lock.

    The store itself begins its transactions without a listener: with one, SQLAlchemy takes a third longer for each
    statement.
    """
    view = engine.execution_options()

    @event.listens_for(view, "begin")
    def begin(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]  # SQLAlchemy calls it
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return view


def begin_immediately(connection: Connection) -> None:
    """Let the transaction of *connection* hold the write lock from its beginning."""
    driver: Any = connection.connection.driver_connection
    if driver.in_transaction:  # a listener of the service has begun one, which has done nothing yet
        connection.exec_driver_sql("ROLLBACK")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def begin_snapshot(connection: Connection) -> None:
    """Let all statements of the transaction of *connection*, which only reads, see the same."""
    driver: Any = connection.connection.driver_connection
    if not driver.in_transaction:
        connection.exec_driver_sql("BEGIN")


def begin_for_savepoint(connection: Connection) -> None:
    """Begin the transaction of *connection*, unless it has begun.

    The driver does not begin one before a savepoint. The end of the savepoint would then commit.
    """
    if connection.dialect.name == "sqlite":
        begin_snapshot(connection)


def database_file(connection: Connection) -> str:
    """Return the path of the database file; empty for a database in memory."""
    rows = connection.exec_driver_sql("PRAGMA database_list").all()
    return next((str(row[2] or "") for row in rows if row[1] == "main"), "")


_relay_in_memory = threading.Lock()


@contextmanager
def only_relay(file: str) -> Generator[bool]:
    """Hold the lock of the relay of a database file, and say whether it was free.

    The lock is a transaction on an empty database beside the file, which the operating system ends with the process.
    """
    if not file:
        free = _relay_in_memory.acquire(blocking=False)
        try:
            yield free
        finally:
            if free:
                _relay_in_memory.release()
        return
    connection = sqlite3.connect(f"{file}-relay", timeout=0, isolation_level=None, check_same_thread=False)
    try:
        free = False
        with suppress(sqlite3.OperationalError):
            connection.execute("BEGIN EXCLUSIVE")
            free = True
        yield free
    finally:
        connection.close()
