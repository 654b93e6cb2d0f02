"""Handle one line: apply its operation once, and publish the events."""

import logging
from typing import IO

from session_fsm import SessionFSMError, SessionUpdate, TransitionRefused, WireError, WrongState, wire
from session_fsm.errors import http_status
from worker.messages import Message, read
from worker.sessions import ShopSession
from worker.store import Store

__all__ = ["UNREADABLE", "handle", "publish"]

_log = logging.getLogger(__name__)

UNREADABLE = "unreadable: "
"""The prefix of the outcome of an invalid line."""


def handle(store: Store, line: bytes, default_id: str | None) -> str:
    """Apply the operation in *line*, unless it was applied before, and return the outcome.

    The session, its events and the ID of the message are saved in one transaction, so the same line may be passed
    again after an interruption.

    Args:
        store: the database.
        line: one message.
        default_id: the ID of a line without an `id`.

    Raises:
        SessionFSMError: a rule raised, or another process has saved the session. The message is not handled, and the
            error is logged.
    """
    try:
        message = read(line, default_id)
    except WireError as error:
        with store.transaction():
            store.add_dead_letter(line, error)
        return f"{UNREADABLE}{error}"
    with store.transaction():
        earlier = store.outcome(message.id)
        if earlier is not None:
            return f"repeated; it was {earlier}"
        outcome = _apply(store, message)
        store.mark_handled(message.id, outcome)
    return outcome


def _apply(store: Store, message: Message) -> str:
    if message.dry:
        return "passed over, a dry run"
    session = store.find(message.session_id)
    try:
        match message.body:
            case SessionUpdate() if session is None:
                session = ShopSession.create(message.session_id, message.body, now=message.time)
            case _ if session is None:
                return "refused: unknown_session"
            case SessionUpdate():
                session.put(message.body, now=message.time)
            case wire.ReturnRequest():
                session.return_items(message.body, now=message.time)
            case None:
                session.reopen(now=message.time)
        store.save(session)
    except SessionFSMError as error:
        if http_status(error) != 400:
            _log.error("session %r: message %r is not handled", message.session_id, message.id, exc_info=error)
            raise
        return _refusal(error)
    return f"applied, {session.state} now"


def _refusal(error: SessionFSMError) -> str:
    if isinstance(error, WrongState) and error.already:
        return f"already {error.state}"
    if isinstance(error, TransitionRefused):
        return f"refused: {', '.join(violation.code for violation in error.violations)}"
    return f"refused: {error}"


def publish(store: Store, stream: IO[str]) -> None:
    """Write the events in the outbox to *stream*, one per line.

    An event is deleted from the outbox after it was written. If the worker stops in between, the event is written
    again: consumers identify events by ``sessionId`` and ``updateCount``.
    """
    for outbox_id, document in store.unpublished():
        stream.write(document + "\n")
        stream.flush()
        store.delete_published(outbox_id)
