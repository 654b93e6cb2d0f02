"""What the outbox does to its tables, each as one function of a connection."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Select, bindparam, delete, exists, func, insert, select, update

from session_fsm.store.messages import FailedMessage, Message, Relayed
from session_fsm.store.operations import Operations

__all__ = ["OutboxOperations", "Outcome"]

_FIRST_DELAY = 1.0
"""The delay after the first failed attempt to publish a message, in seconds; it doubles with each attempt."""
_LONGEST_DELAY = 300.0
"""The longest delay between two attempts, in seconds."""


@frozen
class Outcome:
    """What became of a message that was handed over."""

    message: Message
    error: str = ""
    """The class of the exception that publishing raised; empty if it is published."""


class OutboxOperations:
    """The statements of the outbox of one store."""

    def __init__(self, operations: Operations[Any]) -> None:
        self._operations = operations
        schema = operations.schema
        self._outbox, self._failed = schema.outbox, schema.failed_messages
        earlier = self._outbox.alias("earlier")
        blocked = exists().where(
            earlier.c.session == self._outbox.c.session, earlier.c.position < self._outbox.c.position
        )
        heads = self._messages(self._outbox).where(self._outbox.c.due <= bindparam("now"), ~blocked)
        self._heads = heads.order_by(self._outbox.c.position).limit(bindparam("most"))
        self._free_heads = self._heads.with_for_update(of=self._outbox, skip_locked=True)
        following = self._messages(self._outbox).where(self._outbox.c.session.in_(bindparam("of", expanding=True)))
        self._following = following.order_by(self._outbox.c.position).limit(bindparam("most"))
        self._delete = delete(self._outbox).where(self._outbox.c.position == bindparam("of_position"))

    def _messages(self, table: Any, *others: Any) -> Select[Any]:
        schema = self._operations.schema
        columns = [table.c.position, table.c.session, table.c.message_id, table.c.attempts]
        return (
            select(*columns, schema.events.c.document, schema.sessions.c.session_id, schema.sessions.c.application_id)
            .add_columns(*others)
            .join(
                schema.events,
                (schema.events.c.session == table.c.session) & (schema.events.c.sequence == table.c.sequence),
            )
            .join(schema.sessions, schema.sessions.c.number == table.c.session)
        )

    def _contents(self, row: Any) -> dict[str, Any]:
        return {
            "id": row.message_id,
            "session_id": row.session_id,
            "application_id": row.application_id,
            "event": self._operations.documents.read_event(row.document),
            "document": row.document,
            "attempts": row.attempts,
            "position": row.position,
            "number": row.session,
        }

    def claim(self, connection: Connection, most: int, *, skip_locked: bool) -> list[Message]:
        """Return up to *most* messages that are due, in order, and lock the sessions that they are about.

        A session whose first message is not due, or which another relay has, is left out.
        """
        heads = self._free_heads if skip_locked else self._heads
        first = connection.execute(heads, {"now": self._operations.clock(), "most": most}).all()
        if not first:
            return []
        sessions = [row.session for row in first]
        rows = connection.execute(self._following, {"of": sessions, "most": most}).all()
        return [Message(**self._contents(row)) for row in rows]

    def pending(self, connection: Connection, most: int) -> list[Message]:
        """Return the first messages that are due, in order; nothing is locked."""
        return self.claim(connection, most, skip_locked=False)

    def settle(self, connection: Connection, outcomes: Iterable[Outcome], attempts: int) -> Relayed:
        """Delete the messages that are published, and postpone the others, or set them aside after *attempts*."""
        now = self._operations.clock()
        delivered: list[dict[str, Any]] = []
        postponed: list[dict[str, Any]] = []
        failed: list[Outcome] = []
        for outcome in outcomes:
            message = outcome.message
            if not outcome.error:
                delivered.append({"of_position": message.position})
            elif message.attempts + 1 < attempts:
                due = now + timedelta(seconds=_delay(message.attempts))
                postponed.append({"of_position": message.position, "made": message.attempts + 1, "later": due})
            else:
                failed.append(outcome)
        if delivered:
            connection.execute(self._delete, delivered)
        if postponed:
            changed = update(self._outbox).where(self._outbox.c.position == bindparam("of_position"))
            connection.execute(changed.values(attempts=bindparam("made"), due=bindparam("later")), postponed)
        for outcome in failed:
            self._set_aside(connection, outcome.message, outcome.error, now)
        return Relayed(delivered=len(delivered), postponed=len(postponed), failed=len(failed))

    def _set_aside(self, connection: Connection, message: Message, error: str, now: datetime) -> None:
        row = {
            "session": message.number,
            "sequence": message.event.update_count,
            "message_id": message.id,
            "attempts": message.attempts + 1,
            "failed": now,
            "reason": error,
        }
        connection.execute(insert(self._failed), row)
        connection.execute(self._delete, {"of_position": message.position})

    def acknowledge(self, connection: Connection, message: Message) -> None:
        """Delete a message."""
        connection.execute(self._delete, {"of_position": message.position})

    def failed(self, connection: Connection, most: int) -> list[FailedMessage]:
        """Return the first messages that failed for good."""
        query = self._messages(self._failed, self._failed.c.failed, self._failed.c.reason)
        rows = connection.execute(query.order_by(self._failed.c.position).limit(most))
        return [FailedMessage(**self._contents(row), failed=row.failed, reason=row.reason) for row in rows]

    def retry(self, connection: Connection, message: FailedMessage) -> bool:
        """Put a message that failed for good into the outbox again, behind the others; return whether it was there."""
        done = connection.execute(delete(self._failed).where(self._failed.c.position == message.position))
        if not done.rowcount:
            return False
        row = {"session": message.number, "sequence": message.event.update_count, "message_id": message.id}
        connection.execute(insert(self._outbox), row | {"attempts": 0, "due": self._operations.clock()})
        return True

    def count(self, connection: Connection) -> int:
        """Count the messages in the outbox."""
        return connection.execute(select(func.count()).select_from(self._outbox)).scalar_one()


def _delay(attempts: int) -> float:
    return min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(attempts, 60))
