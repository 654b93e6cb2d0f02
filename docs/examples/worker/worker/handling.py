"""What the worker does with a line: it applies the operation once, and publishes the events that came of it."""

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
"""How the outcome of a line begins that cannot be read."""


def handle(store: Store, line: bytes, default_id: str | None) -> str:
    """Apply what *line* asks for, unless that has been done, and return what came of it.

    Session, events and the note that the message has been handled are saved together or not at all: whenever the
    worker is stopped, the same line may be handed to it again.

    Args:
        store: where sessions are kept.
        line: one message.
        default_id: the ID of a message whose line has none.

    Raises:
        SessionFSMError: a rule failed, or somebody else has saved the session. The message is not handled, and the
            log says why.
    """
    try:
        message = read(line, default_id)
    except WireError as error:
        with store.transaction():
            store.bury(line, error)
        return f"{UNREADABLE}{error}"
    with store.transaction():
        earlier = store.outcome(message.id)
        if earlier is not None:
            return f"repeated; it was {earlier}"
        outcome = _apply(store, message)
        store.remember(message.id, outcome)
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
    """Write the events of the outbox to *stream*, a line each.

    An event leaves the outbox after it was written. If the worker stops between the two, it is written once more:
    readers tell events apart by ``sessionId`` and ``updateCount``.
    """
    for place, document in store.unpublished():
        stream.write(document + "\n")
        stream.flush()
        store.forget(place)
