"""Durable sessions: in SQLite, which needs no server, or in PostgreSQL, which many workers share.

`SessionStore` stores sessions with their events, messages and idempotency keys, each change in one transaction;
`AsyncSessionStore` has the same methods for asyncio. It is the extra ``store``, on SQLAlchemy 2.
"""

from __future__ import annotations

from importlib.util import find_spec

if _missing := [name for name in ("sqlalchemy", "alembic", "greenlet") if find_spec(name) is None]:
    raise ModuleNotFoundError(
        f'session_fsm.store needs {_missing[0]}; run: pip install "session-fsm[store]"', name=_missing[0]
    )

from session_fsm.store.async_store import AsyncSessionStore
from session_fsm.store.documents import Migration, Migrations
from session_fsm.store.errors import (
    DocumentUnreadable,
    HistoryMismatch,
    IdempotencyConflict,
    SchemaOutdated,
    SessionExists,
    SessionNotFound,
    StaleSession,
    StoreError,
    StoreUnavailable,
)
from session_fsm.store.messages import AsyncPendingMessage, FailedMessage, Message, PendingMessage, Relayed
from session_fsm.store.outbox import AsyncOutbox, Outbox
from session_fsm.store.results import Migrated, Page, Pruned, StoredEvent, Verified
from session_fsm.store.session_store import SessionStore

__all__ = [
    "AsyncOutbox",
    "AsyncPendingMessage",
    "AsyncSessionStore",
    "DocumentUnreadable",
    "FailedMessage",
    "HistoryMismatch",
    "IdempotencyConflict",
    "Message",
    "Migrated",
    "Migration",
    "Migrations",
    "Outbox",
    "Page",
    "PendingMessage",
    "Pruned",
    "Relayed",
    "SchemaOutdated",
    "SessionExists",
    "SessionNotFound",
    "SessionStore",
    "StaleSession",
    "StoreError",
    "StoreUnavailable",
    "StoredEvent",
    "Verified",
]
