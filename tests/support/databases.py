"""Databases for the tests of the store: SQLite files, SQLite in memory, and the PostgreSQL of SESSION_FSM_POSTGRES_URL."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import tools
from sqlalchemy import create_engine, text

from session_fsm.store import AsyncSessionStore, SessionStore

VARIABLE = "SESSION_FSM_POSTGRES_URL"
_numbers = count()


def postgres_url() -> str:
    """Return the URL of the PostgreSQL server for tests; without one, skip the test, or fail it in the gate."""
    return os.environ.get(VARIABLE) or tools.missing(f"a PostgreSQL server, whose URL {VARIABLE} holds,")


@contextmanager
def own_database() -> Iterator[str]:
    """Create a database on the server, and return its URL."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    engine = create_engine(postgres_url().replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        yield engine.url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


class Database:
    """An empty database, or a schema of its own on the server, and the stores in it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.schema: str | None = None
        if name == "memory":
            self.url = "sqlite://"
        elif name == "sqlite":
            self.url = f"sqlite:///{folder / f'orders-{next(_numbers)}.db'}"
        else:
            self.url = postgres_url()
            self.schema = f"test_{os.getpid()}_{next(_numbers)}"
            self._run(f"CREATE SCHEMA {self.schema}")

    def _run(self, statement: str) -> None:
        url = self.url.replace("postgresql:", "postgresql+psycopg:")
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def drop(self) -> None:
        if self.schema:
            self._run(f"DROP SCHEMA {self.schema} CASCADE")

    def store(self, *kind: Any, **options: Any) -> SessionStore[Any]:
        """Return a store with its tables."""
        store = SessionStore(self.url, *kind, **{"schema": self.schema} | options)
        store.create_schema()
        return store

    async def async_store(self, *kind: Any, driver: str = "", **options: Any) -> AsyncSessionStore[Any]:
        """Return an asynchronous store with its tables."""
        url = self.url.replace("postgresql:", f"postgresql+{driver}:") if driver else self.url
        store = AsyncSessionStore(url, *kind, **{"schema": self.schema} | options)
        await store.create_schema()
        return store
