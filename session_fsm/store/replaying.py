"""Play events again: the session that they lead to, without judging rules, and without calling callbacks.

An event is a fact. Rules that were added since do not judge it, and callbacks do not act on it a second time.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, cast

from session_fsm import wire
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.states import Trigger

__all__ = ["replayed"]


@lru_cache(maxsize=64)
def _without_rules(kind: type[CustomerSession]) -> type[CustomerSession]:
    """Return a subclass of *kind* that has its own machine: the same table, no rules and no callbacks."""
    names: dict[str, Any] = {"rules": (), "__slots__": (), "__module__": kind.__module__, "__doc__": kind.__doc__}
    make: Any = type(kind)
    return cast("type[CustomerSession]", make(kind.__name__, (kind,), names))


def replayed(
    kind: type[CustomerSession],
    events: Iterable[SessionEvent],
    *,
    start: str | None = None,
    application_id: int | None = None,
) -> CustomerSession:
    """Return the session that *events*, oldest first, lead to from *start*, a document, or from their creation."""
    plain = _without_rules(kind)
    session = None if start is None else wire.loads(start, plain, most_bytes=None)
    for event in events:
        change: Any = event.change
        if event.trigger is Trigger.CREATE:
            given: dict[str, Any] = {"application_id": application_id, "now": event.at, "context": event.context}
            session = plain.create(event.session_id, change, **given)
        elif session is None:
            raise LookupError("the events do not begin with a creation")
        else:
            plain.machine.events[event.trigger.value].fire(session, change, event.at, event.context)
            session.take_events()
    if session is None:
        raise LookupError("there are no events")
    return session
