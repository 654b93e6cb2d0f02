"""Engines for the URL of a store, and the views of an engine by which a store reads and writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from attrs import frozen
from sqlalchemy import URL, Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from session_fsm.errors import InvalidValue
from session_fsm.store.database import sqlite

__all__ = ["AsyncViews", "Views", "async_views", "views"]

_SYNC = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
_ASYNC = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}
_PACKAGES = {"psycopg": "psycopg[binary]"}


@frozen
class Views:
    """An engine, as the store reads and writes with it."""

    engine: Engine
    is_own: bool
    """Whether the store has made the engine, and so disposes of it."""
    reading: Engine
    """Each statement on its own."""
    snapshot: Engine
    """All statements of a transaction see the same."""
    writing: Engine
    begins: Mapping[Any, Callable[[Connection], None]]
    """What transactions of a view begin with, where the driver does not begin them."""


@frozen
class AsyncViews:
    """As `Views`, for asyncio."""

    engine: AsyncEngine
    is_own: bool
    reading: AsyncEngine
    snapshot: AsyncEngine
    writing: AsyncEngine
    begins: Mapping[Any, Callable[[Connection], None]]


def views(url: str | URL | Engine, timeout: float) -> Views:
    """Return the views of an engine, or of a new engine for a URL.

    Raises:
        InvalidValue: it is no URL of a database that a store can use, or the driver is not installed.
    """
    if isinstance(url, Engine):
        engine, is_own = url, False
        _check_dialect(engine.dialect.name)
    else:
        address = _address(url, _SYNC)
        engine, is_own = create_engine(address, **_options(address)), True
    reading, snapshot, writing = (engine.execution_options(**options) for options in _views_of(engine))
    if is_own and engine.dialect.name == "sqlite":
        sqlite.configure(engine, timeout)
        engine = sqlite.begins_immediately(engine)
    return Views(engine, is_own, reading, snapshot, writing, _begins(engine, snapshot, writing))


def async_views(url: str | URL | AsyncEngine, timeout: float) -> AsyncViews:
    """Return the views of an asynchronous engine, or of a new one for a URL.

    Raises:
        InvalidValue: as for `views`.
    """
    if isinstance(url, AsyncEngine):
        engine, is_own = url, False
        _check_dialect(engine.dialect.name)
    else:
        address = _address(url, _ASYNC)
        engine, is_own = create_async_engine(address, **_options(address)), True
    reading, snapshot, writing = (engine.execution_options(**options) for options in _views_of(engine.sync_engine))
    if is_own and engine.dialect.name == "sqlite":
        sqlite.configure(engine.sync_engine, timeout)
        engine = AsyncEngine(sqlite.begins_immediately(engine.sync_engine))
    return AsyncViews(engine, is_own, reading, snapshot, writing, _begins(engine.sync_engine, snapshot, writing))


def _views_of(engine: Engine) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    if engine.dialect.name == "sqlite":
        return {}, {}, {}
    return {"isolation_level": "AUTOCOMMIT"}, {"isolation_level": "REPEATABLE READ"}, {}


def _begins(engine: Engine, snapshot: Any, writing: Any) -> Mapping[Any, Callable[[Connection], None]]:
    if engine.dialect.name != "sqlite":
        return {}
    return {snapshot: sqlite.begin_snapshot, writing: sqlite.begin_immediately}


def _options(url: URL) -> dict[str, Any]:
    """Return the options of an engine for *url*. Parameters are hidden, in logs and in errors."""
    options: dict[str, Any] = {"hide_parameters": True}
    if url.get_backend_name() == "sqlite" and _is_in_memory(url):
        # One connection, which holds the database; threads take turns with it.
        from sqlalchemy.pool import AsyncAdaptedQueuePool, QueuePool  # noqa: PLC0415 - beside its use

        is_async = url.get_driver_name() == "aiosqlite"
        options |= {"poolclass": AsyncAdaptedQueuePool if is_async else QueuePool, "pool_size": 1, "max_overflow": 0}
        options |= {} if is_async else {"connect_args": {"check_same_thread": False}}
    return options


def _is_in_memory(url: URL) -> bool:
    return url.database in (None, "", ":memory:") or url.query.get("mode") == "memory"


def _address(url: str | URL, drivers: dict[str, str]) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        raise InvalidValue("", "the store needs the URL of a database, such as sqlite:///orders.db") from None
    _check_dialect(address.get_backend_name())
    if address.get_backend_name() == "sqlite" and address.host:
        raise InvalidValue("", "the URL of an SQLite file has three slashes, such as sqlite:///orders.db")
    if "+" not in address.drivername:
        address = address.set(drivername=drivers[address.drivername])
    try:
        driver = address.get_driver_name()
        is_async = address.get_dialect().is_async
    except NoSuchModuleError:
        raise InvalidValue("", f"SQLAlchemy has no driver {address.drivername}") from None
    if drivers is _ASYNC and not is_async and driver != "psycopg":
        raise InvalidValue("", f"the driver {driver} is not asynchronous")
    if drivers is _SYNC and is_async and driver != "psycopg":
        raise InvalidValue("", f"the driver {driver} is asynchronous; AsyncSessionStore uses it")
    module = "sqlite3" if driver == "pysqlite" else driver
    if find_spec(module) is None:
        raise InvalidValue("", f'{module} is not installed; run: pip install "{_PACKAGES.get(module, module)}"')
    return address


def _check_dialect(name: str) -> None:
    if name not in _SYNC:
        raise InvalidValue("", f"a store needs SQLite or PostgreSQL; {name} is not supported")
