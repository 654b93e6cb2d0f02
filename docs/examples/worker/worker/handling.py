"""Handle one line: apply its operation once, and publish the events."""

import logging
from typing import IO

from session_fsm import SessionFSMError, SessionUpdate, TransitionRefused, WireError, WrongState, wire
from session_fsm.errors import http_status
from session_fsm.store import SessionNotFound, SessionStore
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
        with store.transaction() as transaction:
            transaction.add_dead_letter(line, error)
        return f"{UNREADABLE}{error}"
    with store.transaction() as transaction:
        earlier = transaction.outcome(message.id)
        if earlier is not None:
            return f"repeated; it was {earlier}"
        outcome = _apply(transaction.sessions, message)
        transaction.mark_handled(message.id, outcome)
    return outcome


def _apply(sessions: SessionStore[ShopSession], message: Message) -> str:
    if message.dry:
        return "passed over, a dry run"
    session_id, body, time = message.session_id, message.body, message.time
    try:
        match body:
            case SessionUpdate():
                event = sessions.change(
                    session_id,
                    lambda session: session.put(body, now=time),
                    create=lambda: ShopSession.create(session_id, body, now=time),
                )
            case wire.ReturnRequest():
                event = sessions.change(session_id, lambda session: session.return_items(body, now=time))
            case None:
                event = sessions.change(session_id, lambda session: session.reopen(now=time))
    except SessionNotFound:
        return "refused: unknown_session"
    except SessionFSMError as error:
        if http_status(error) != 400:
            _log.error("session %r: message %r is not handled", message.session_id, message.id, exc_info=error)
            raise
        return _refusal(error)
    return f"applied, {event.target} now"


def _refusal(error: SessionFSMError) -> str:
    if isinstance(error, WrongState) and error.already:
        return f"already {error.state}"
    if isinstance(error, TransitionRefused):
        return f"refused: {', '.join(violation.code for violation in error.violations)}"
    return f"refused: {error}"


def publish(store: Store, stream: IO[str]) -> None:
    """Write the events in the outbox to *stream*, one per line.

    An event is acknowledged after it was written. If the worker stops in between, the event is written again: consumers
    identify events by ``sessionId`` and ``updateCount``.
    """
    while messages := store.sessions.outbox.pending():
        for message in messages:
            stream.write(message.document + "\n")
            stream.flush()
            message.acknowledge()
