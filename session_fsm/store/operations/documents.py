"""Sessions as rows, and rows as sessions, also those that an older version of the class wrote."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Generic, TypeAlias, TypeVar

import session_fsm
from session_fsm import wire
from session_fsm.errors import InvalidValue, WireError
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.store.database.keys import session_key, short_key
from session_fsm.store.errors import DocumentUnreadable
from session_fsm.store.operations.replaying import without_rules

__all__ = ["Documents", "Migration", "Migrations"]

C = TypeVar("C", bound=CustomerSession)

Migration: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
"""A function from the parsed document of one version of a class to that of the next. Amounts are exact decimals."""
Migrations: TypeAlias = Mapping[int, Migration]
"""For each version of the class, the function that makes the next version of a document."""


class Documents(Generic[C]):
    """Reads and writes the documents of one session class."""

    def __init__(self, kind: type[C], migrate: Migrations | None = None, application_id: int | None = None) -> None:
        self.kind = kind
        self.application_id = application_id
        """The Application of sessions that have none of their own."""
        self._migrate = dict(migrate or {})
        self.version = 1 + max(self._migrate, default=0)
        """The version of the class: one more than the newest version for which there is a migration."""
        if set(self._migrate) != set(range(1, self.version)):
            raise InvalidValue("", "migrate has one function for each version, from 1 on")
        self.plain_kind = without_rules(kind)
        """The class without its rules, for playing events again."""
        self.class_name = f"{kind.__module__}:{kind.__qualname__}"
        self.written_by = _library_version()

    def key(self, session_id: str, application_id: int | None) -> str:
        """Return the key of a session."""
        return session_key(session_id, self.application_of(application_id))

    def application_of(self, application_id: int | None) -> int | None:
        """Return *application_id*, or the Application of the store."""
        return self.application_id if application_id is None else application_id

    def row(self, session: C, document: str | None = None) -> dict[str, Any]:
        """Return the columns of *session*, without its key and its ID."""
        return {
            "version": session.update_count,
            "state": session.state.value,
            "profile_id": short_key(session.profile_id),
            "total": session.total,
            "cart_item_total": session.cart_item_total,
            "additional_cost_total": session.additional_cost_total,
            "cart_item_additional_cost_total": session.cart_item_additional_cost_total,
            "created": session.created,
            "updated": session.updated,
            "class_name": self.class_name,
            "class_version": self.version,
            "library_version": self.written_by,
            "document": self.write(session) if document is None else document,
        }

    def write(self, session: CustomerSession) -> str:
        """Return the document of *session*."""
        return wire.dumps(session).decode()

    def read(self, document: str, version: int, session_id: str, application_id: int | None) -> C:
        """Read a document that *version* of the class wrote.

        Raises:
            DocumentUnreadable: it cannot be read as the class.
        """
        if version > self.version:
            reason = f"version {version} of the class wrote it, and the store knows {self.version}"
            raise DocumentUnreadable(session_id, application_id, (), f"{reason}; give the store its migrations")
        try:
            if version == self.version:
                return wire.loads(document, self.kind, most_bytes=None)
            return wire.structure(self._migrated(document, version), self.kind)
        except WireError as error:
            raise DocumentUnreadable(session_id, application_id, error.problems) from None
        except Exception as error:
            reason = f"a migration from version {version} raised {type(error).__name__}"
            raise DocumentUnreadable(session_id, application_id, (), reason) from error

    def _migrated(self, document: str, version: int) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(document, parse_float=Decimal)
        for one in range(version, self.version):
            parsed = self._migrate[one](parsed)
        return parsed

    def read_event(self, document: str) -> SessionEvent:
        """Read an event. What an older class wrote stays as JSON has it where the types of the class do not fit."""
        try:
            return wire.loads(document, SessionEvent, most_bytes=None, session_class=self.kind)
        except (WireError, InvalidValue):
            return wire.loads(document, SessionEvent, most_bytes=None)


def _library_version() -> str:
    try:
        return session_fsm.__version__
    except ImportError:  # the source tree is not installed
        return "0"
