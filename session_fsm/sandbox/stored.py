"""`StoredSessions`: the sessions of a sandbox in a store, which keeps them when the sandbox ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from session_fsm.sandbox.clock import SandboxClock
from session_fsm.sandbox.sessions import Changed, Recorded
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.store import SessionNotFound, SessionStore

__all__ = ["StoredSessions"]

C = TypeVar("C", bound=CustomerSession)

_END = datetime.max.replace(tzinfo=UTC)
_BATCH = 1000


class StoredSessions(Generic[C]):
    """Sessions in a store."""

    def __init__(self, url: str, kind: type[C], *, application_id: int, clock: SandboxClock) -> None:
        self._store = SessionStore(url, kind, application_id=application_id, outbox=False, clock=clock)
        try:
            self._store.create_schema()
        except BaseException:
            self._store.close()
            raise

    def get(self, session_id: str) -> C | None:
        """Read a session."""
        try:
            return self._store.get(session_id)
        except SessionNotFound:
            return None

    def change(self, session_id: str, act: Callable[[C | None], C]) -> Changed[C]:
        """Call *act*, and save the session that it returns."""
        done: list[tuple[C, int]] = []

        def change(session: C | None) -> C:
            changed = act(session)
            done[:] = [(changed, len(changed.pending_events))]
            return changed

        self._store.change(session_id, lambda session: change(session) and None, create=lambda: change(None))
        ((session, new),) = done
        return Changed(session, self.history(session_id)[-new:])

    def history(self, session_id: str) -> Sequence[Recorded]:
        """Read the events of a session."""
        try:
            return [Recorded(stored.position, stored.event) for stored in self._store.history(session_id)]
        except SessionNotFound:
            return []

    def returns(self, session_id: str) -> Sequence[Recorded]:
        """Read the returns of a session."""
        return [one for one in self.history(session_id) if one.event.trigger is Trigger.RETURN_ITEMS]

    def newest(self, limit: int) -> list[C]:
        """Read the sessions that were updated last. This reads all of them."""
        return list(reversed(deque(self._all(), maxlen=limit)))

    def of_profile(self, profile_id: str) -> list[C]:
        """Read the sessions of a customer."""
        return list(self._all(profile_id=profile_id))

    def _all(self, **wanted: Any) -> Iterable[C]:
        cursor = None
        while True:
            page = self._store.find(**wanted, limit=_BATCH, after=cursor)
            yield from page
            cursor = page.cursor
            if cursor is None:
                return

    def count(self) -> int:
        """Count the sessions."""
        return self._store.count()

    def clear(self) -> None:
        """Delete all sessions."""
        self._store.prune(sessions_before=_END, states=State)

    def close(self) -> None:
        """Close the connections of the store."""
        self._store.close()
