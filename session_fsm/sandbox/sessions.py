"""The sessions of a sandbox: `Sessions` is what it does with them, and `MemorySessions` keeps them in memory.

`MemorySessions` holds them in dictionaries. It needs no database, so that a sandbox starts in a few milliseconds and
the command in half a second; importing SQLAlchemy and setting up SQLite take longer than that. `stored.StoredSessions`
keeps them in a `session_fsm.store.SessionStore`.

A sandbox performs the requests of one session one after the other, so nothing here locks a session.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from copy import copy
from typing import Generic, Protocol, TypeVar

from attrs import frozen

from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.states import Trigger

__all__ = ["Changed", "MemorySessions", "Recorded", "Sessions"]

C = TypeVar("C", bound=CustomerSession)

MOST_EVENTS = 250
"""How many events of a session are kept in memory, so that a sandbox that runs for days does not grow without end."""


@frozen
class Recorded:
    """An event of a session, with its number within the sandbox."""

    number: int
    """Later events have higher numbers."""
    event: SessionEvent
    """The event."""


@frozen
class Changed(Generic[C]):
    """A session that was changed."""

    session: C
    """The session, which is not to be changed."""
    events: Sequence[Recorded]
    """The new events."""


class Sessions(Protocol[C]):
    """What a sandbox does with its sessions."""

    def get(self, session_id: str) -> C | None:
        """Return a session to look at, which is not to be changed, or None if there is none."""
        ...

    def change(self, session_id: str, act: Callable[[C | None], C]) -> Changed[C]:
        """Call *act* with a copy of the session, or None, and keep the session that it returns, with its new events.

        What *act* raises is raised, and nothing is changed.
        """
        ...

    def history(self, session_id: str) -> Sequence[Recorded]:
        """Return the events of a session, oldest first; none if there is no session."""
        ...

    def returns(self, session_id: str) -> Sequence[Recorded]:
        """Return those events of a session that are returns."""
        ...

    def newest(self, limit: int) -> list[C]:
        """Return sessions to look at, those that were updated last in front."""
        ...

    def of_profile(self, profile_id: str) -> list[C]:
        """Return the sessions of a customer, to look at."""
        ...

    def count(self) -> int:
        """Count the sessions."""
        ...

    def clear(self) -> None:
        """Delete all sessions."""
        ...

    def close(self) -> None:
        """Release what they are kept in."""
        ...


class MemorySessions(Generic[C]):
    """Sessions in dictionaries."""

    def __init__(self) -> None:
        self._sessions: dict[str, C] = {}
        """In the order of their last change."""
        self._history: dict[str, deque[Recorded]] = {}
        self._returns: dict[str, list[Recorded]] = {}
        self._of_profile: dict[str, dict[str, None]] = {}
        self._number = 0

    def get(self, session_id: str) -> C | None:
        """Return a session to look at, or None if there is none."""
        return self._sessions.get(session_id)

    def change(self, session_id: str, act: Callable[[C | None], C]) -> Changed[C]:
        """Call *act*, and keep the session that it returns."""
        held = self._sessions.get(session_id)
        session = act(None if held is None else copy(held))
        events = [Recorded(self._number + place, event) for place, event in enumerate(session.take_events(), 1)]
        self._number += len(events)
        if held is not None:
            if held.profile_id != session.profile_id:
                del self._of_profile[held.profile_id][session_id]
            del self._sessions[session_id]
        self._sessions[session_id] = session
        self._of_profile.setdefault(session.profile_id, {})[session_id] = None
        self._history.setdefault(session_id, deque(maxlen=MOST_EVENTS)).extend(events)
        if returns := [one for one in events if one.event.trigger is Trigger.RETURN_ITEMS]:
            self._returns.setdefault(session_id, []).extend(returns)
        return Changed(session, events)

    def history(self, session_id: str) -> Sequence[Recorded]:
        """Return the newest events of a session."""
        return list(self._history.get(session_id, ()))

    def returns(self, session_id: str) -> Sequence[Recorded]:
        """Return all returns of a session; they are as many as its units at most."""
        return list(self._returns.get(session_id, ()))

    def newest(self, limit: int) -> list[C]:
        """Return the sessions that were changed last."""
        return list(self._sessions.values())[: -limit - 1 : -1]

    def of_profile(self, profile_id: str) -> list[C]:
        """Return the sessions of a customer."""
        return [self._sessions[session_id] for session_id in self._of_profile.get(profile_id, ())]

    def count(self) -> int:
        """Count the sessions."""
        return len(self._sessions)

    def clear(self) -> None:
        """Delete all sessions. Numbers of events begin at 1 again."""
        self._sessions, self._history, self._returns, self._of_profile, self._number = {}, {}, {}, {}, 0

    def close(self) -> None:
        """Do nothing: there is nothing to release."""
