"""The tables of a store, as SQLAlchemy has them. The migrations create them.

::

    sessions         one row a session: the document, and columns to query by
    snapshots        the document that the events of a session begin at, where they do not begin with its creation
    events           one row an event; rows are added, and never changed
    outbox           one row for each event that is not relayed yet
    failed_messages  one row for each message that could not be published
    requests         the answers of requests with an idempotency key
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, Table, Text, UniqueConstraint

from session_fsm.errors import InvalidValue
from session_fsm.store.columns import Amount, EscapedText, Number, Time

__all__ = ["REVISION", "Schema"]

REVISION = "0001"
"""The version of the tables that this library works with: the newest of the migrations."""

_LONGEST_PREFIX = 30


class Schema:
    """The tables of one store.

    Args:
        prefix: what the name of every table begins with.
        schema: the schema of the database in which the tables are; None for the default one.
    """

    def __init__(self, prefix: str = "", schema: str | None = None) -> None:
        if prefix and not (prefix.isidentifier() and prefix.isascii() and len(prefix) <= _LONGEST_PREFIX):
            raise InvalidValue("", f"a prefix of table names is a name of at most {_LONGEST_PREFIX} characters")
        self.prefix, self.schema = prefix, schema
        self.version_table = f"{prefix}schema_version"
        """The name of the table that holds the version of the others."""
        self.metadata = MetaData(schema=schema)
        self.sessions = Table(
            f"{prefix}sessions",
            self.metadata,
            Column("number", Number, primary_key=True),
            Column("key", Text, nullable=False),
            Column("application_id", Number),
            Column("session_id", EscapedText, nullable=False),
            Column("version", Number, nullable=False),
            Column("state", Text, nullable=False),
            Column("profile_id", Text, nullable=False),
            Column("total", Amount, nullable=False),
            Column("cart_item_total", Amount, nullable=False),
            Column("additional_cost_total", Amount, nullable=False),
            Column("cart_item_additional_cost_total", Amount, nullable=False),
            Column("created", Time, nullable=False),
            Column("updated", Time, nullable=False),
            Column("class_name", Text, nullable=False),
            Column("class_version", Integer, nullable=False),
            Column("library_version", Text, nullable=False),
            Column("document", Text, nullable=False),
            UniqueConstraint("key", name=f"{prefix}sessions_key"),
            Index(f"{prefix}sessions_updated", "updated", "number"),
            Index(f"{prefix}sessions_state", "state", "updated", "number"),
            Index(f"{prefix}sessions_profile", "profile_id", "updated", "number"),
        )
        self.snapshots = Table(
            f"{prefix}snapshots",
            self.metadata,
            Column("session", Number, ForeignKey(self.sessions.c.number), primary_key=True, autoincrement=False),
            Column("version", Number, nullable=False),
            Column("document", Text, nullable=False),
        )
        self.events = Table(
            f"{prefix}events",
            self.metadata,
            Column("position", Number, primary_key=True),
            Column("session", Number, ForeignKey(self.sessions.c.number), nullable=False),
            Column("sequence", Number, nullable=False),
            Column("name", Text, nullable=False),
            Column("at", Time, nullable=False),
            Column("document", Text, nullable=False),
            UniqueConstraint("session", "sequence", name=f"{prefix}events_session"),
        )
        self.outbox = Table(
            f"{prefix}outbox",
            self.metadata,
            Column("position", Number, primary_key=True),
            Column("session", Number, ForeignKey(self.sessions.c.number), nullable=False),
            Column("sequence", Number, nullable=False),
            Column("message_id", Text, nullable=False),
            Column("attempts", Integer, nullable=False),
            Column("due", Time, nullable=False),
            Index(f"{prefix}outbox_session", "session", "position"),
        )
        self.failed_messages = Table(
            f"{prefix}failed_messages",
            self.metadata,
            Column("position", Number, primary_key=True),
            Column("session", Number, ForeignKey(self.sessions.c.number), nullable=False),
            Column("sequence", Number, nullable=False),
            Column("message_id", Text, nullable=False),
            Column("attempts", Integer, nullable=False),
            Column("failed", Time, nullable=False),
            Column("reason", Text, nullable=False),
            Index(f"{prefix}failed_messages_session", "session"),
            Index(f"{prefix}failed_messages_failed", "failed"),
        )
        self.requests = Table(
            f"{prefix}requests",
            self.metadata,
            Column("key", Text, primary_key=True),
            Column("fingerprint", Text, nullable=False),
            Column("kind", Text, nullable=False),
            Column("answer", Text, nullable=False),
            Column("expires", Time, nullable=False),
            Index(f"{prefix}requests_expires", "expires"),
        )
        self.version = Table(self.version_table, MetaData(schema=schema), Column("version_num", Text))
