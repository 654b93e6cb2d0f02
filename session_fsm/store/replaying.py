"""Play events again: the session that they lead to, without judging rules, and without calling callbacks.

An event is a fact. Rules that were added since do not judge it, and callbacks do not act on it a second time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from session_fsm import wire
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.states import Trigger

__all__ = ["replayed", "without_rules"]


def without_rules(kind: type[CustomerSession]) -> type[CustomerSession]:
    """Return a subclass of *kind* that has no rules, for `replayed`."""
    names: dict[str, Any] = {"rules": (), "__slots__": (), "__module__": kind.__module__, "__doc__": kind.__doc__}
    make: Any = type(kind)
    return cast("type[CustomerSession]", make(kind.__name__, (kind,), names))


def replayed(
    plain: type[CustomerSession],
    events: Iterable[SessionEvent],
    *,
    start: str | None = None,
    application_id: int | None = None,
) -> CustomerSession:
    """Return the session that *events*, oldest first, lead to from *start*, a document, or from their creation.

    *plain* is the class of the session, as `without_rules` returns it.
    """
    session = None if start is None else wire.loads(start, plain, most_bytes=None)
    for event in events:
        change: Any = event.change
        if event.trigger is Trigger.CREATE:
            given: dict[str, Any] = {"application_id": application_id, "now": event.at, "context": event.context}
            session = plain.create(event.session_id, change, **given)
        else:
            session = _after(session, event)
    if session is None:
        raise LookupError("there are no events")
    return session


def _after(session: CustomerSession | None, event: SessionEvent) -> CustomerSession:
    """Do to *session* what *event* says, past the callbacks of its machine."""
    transition = None if session is None else session.machine.events[event.trigger.value].transition(session.state)
    if session is None or transition is None:
        raise LookupError("the event has no place there")
    transition.logic.run(session, event.change, event.at, event.context)
    session.take_events()
    return session
