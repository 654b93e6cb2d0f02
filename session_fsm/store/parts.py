"""What `SessionStore` and `AsyncSessionStore` have in common: their settings, and the operations made of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from attrs import define, field
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from session_fsm.session import CustomerSession
from session_fsm.store.changing import Change
from session_fsm.store.documents import Documents, Migrations
from session_fsm.store.driver_errors import unavailable
from session_fsm.store.idempotency import KeyedRequest
from session_fsm.store.operations import Operations
from session_fsm.store.outbox_operations import OutboxOperations
from session_fsm.store.schema import Schema
from session_fsm.store.upgrading import check_version
from session_fsm.store.upkeep import Upkeep

__all__ = ["Parts"]

T = TypeVar("T")
C = TypeVar("C", bound=CustomerSession)


@define
class Parts(Generic[C]):
    """The operations of one store, and whether its tables were checked."""

    schema: Schema
    documents: Documents[C]
    operations: Operations[C]
    outbox: OutboxOperations
    upkeep: Upkeep[C]
    _is_checked: bool = field(default=False)

    @classmethod
    def of(
        cls,
        kind: type[C],
        *,
        prefix: str,
        schema: str | None,
        application_id: int | None,
        migrate: Migrations | None,
        outbox: bool,
        keep_answers: timedelta,
        clock: Callable[[], datetime],
    ) -> Parts[C]:
        """Return the parts of a store with these settings."""
        tables = Schema(prefix, schema)
        documents = Documents(kind, migrate, application_id)
        operations = Operations(tables, documents, clock, outbox=outbox, keep_answers=keep_answers)
        return cls(tables, documents, operations, OutboxOperations(operations), Upkeep(operations))

    def run(self, connection: Connection, unit: Callable[[Connection], T], session_id: str = "") -> T:
        """Run *unit*, after a check of the tables in the first call.

        Raises:
            SchemaOutdated: the tables are not those that this library works with.
            StoreUnavailable: the database has failed.
        """
        try:
            if not self._is_checked:
                check_version(connection, self.schema)
                self._is_checked = True
            return unit(connection)
        except SQLAlchemyError as error:
            raise unavailable(error, session_id) from None

    def change(
        self,
        session_id: str,
        application_id: int | None,
        *,
        key: str | None,
        request: object,
        create: Callable[[], Any] | None,
        lock: bool,
    ) -> Change[C]:
        """Return a change that was asked for.

        Raises:
            InvalidValue: the idempotency key or the request is none.
        """
        keyed = KeyedRequest.of(key, request, self.documents.key(session_id, application_id))
        return Change(
            operations=self.operations,
            session_id=session_id,
            application_id=application_id,
            keyed=keyed,
            create=create,
            lock=lock,
        )
