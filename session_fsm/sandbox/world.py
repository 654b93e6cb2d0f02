"""`World`: everything that a sandbox holds, and what tests and the control API do with it."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from copy import copy
from datetime import datetime
from typing import Any, Generic, TypeVar

from attrs import define

from session_fsm.errors import SessionFSMError
from session_fsm.events import SessionEvent
from session_fsm.sandbox.bell import Bell
from session_fsm.sandbox.clock import SandboxClock
from session_fsm.sandbox.faults import Drop, Fault, Faults, FaultState, OperationName
from session_fsm.sandbox.idempotency import KeptAnswers
from session_fsm.sandbox.journal import Exchange, Journal
from session_fsm.sandbox.operations import Operations
from session_fsm.sandbox.profiles import Profiles
from session_fsm.sandbox.sessions import MemorySessions, Sessions
from session_fsm.sandbox.settings import Settings
from session_fsm.sandbox.turns import Turns
from session_fsm.session import CustomerSession

__all__ = ["Hold", "SessionUnknown", "World"]

C = TypeVar("C", bound=CustomerSession)

_PATIENCE = 10.0
"""How many seconds `Hold.wait` waits."""


class SessionUnknown(SessionFSMError, LookupError):
    """The sandbox has no such session."""

    def __init__(self, session_id: str) -> None:
        super().__init__(session_id)
        self.session_id = session_id
        """The ID that was asked for."""

    def __str__(self) -> str:
        return f"the sandbox has no session {self.session_id!r}"


@define(eq=False)
class Hold:
    """Requests that a sandbox holds back, so that a test can send others meanwhile."""

    session_id: str | None
    """The session whose requests are held back; None for all."""
    _turns: Turns
    _bell: Bell
    held: int = 0
    """How many requests are held back."""

    def wait(self, requests: int = 1, *, timeout: float = _PATIENCE) -> None:
        """Block until so many requests have arrived and are held, or wait for their turn behind one that is.

        Raises:
            TimeoutError: they did not arrive within *timeout* seconds.
        """
        if not self._bell.wait_until(lambda: self._count() >= requests, timeout):
            raise TimeoutError(f"{self._count()} of {requests} requests have arrived within {timeout:g} seconds")

    async def arrived(self, requests: int = 1) -> None:
        """Wait as `wait` does, in the event loop of an application that is tested without a network."""
        rings = self._bell.rings
        while self._count() < requests:
            await self._bell.wait(rings)
            rings = self._bell.rings

    def _count(self) -> int:
        return self.held if self.session_id is None else self._turns.users("session", self.session_id)


class World(Generic[C]):
    """The sessions, the clock, the faults and the requests of one sandbox. Its methods may be called from any thread."""

    def __init__(
        self, settings: Settings[C], *, store: str | None = None, now: datetime | None = None, running: bool = True
    ) -> None:
        self.settings = settings
        self.bell = Bell()
        self.versions: dict[str, int] = dict.fromkeys(("requests", "clock", "faults", "reset"), 0)
        """How often each has changed."""
        self.clock = SandboxClock(now, running=running, changed=self._changing("clock"))
        """The clock, which runs unless it was told otherwise."""
        self._sessions: Sessions[C] = self._open(store)
        self.blocks = store is not None
        """Whether an operation may block, so that it runs in a thread of its own."""
        self.profiles = Profiles()
        self.operations = Operations(settings, lambda: self._sessions, self.profiles)
        self._faults = Faults(self._changing("faults"))
        self.journal = Journal(self._changing("requests"))
        self.kept_answers = KeptAnswers()
        self.turns = Turns(self.bell.ring)
        self.holds: list[Hold] = []
        self.is_closing = False

    def _open(self, store: str | None) -> Sessions[C]:
        if store is None:
            return MemorySessions()
        from session_fsm.sandbox.stored import StoredSessions  # noqa: PLC0415 - SQLAlchemy is slow to import

        return StoredSessions(store, self.settings.kind, application_id=self.settings.application_id, clock=self.clock)

    def _changing(self, what: str) -> Any:
        def changed() -> None:
            self.versions[what] += 1
            self.bell.ring()

        return changed

    # --- Sessions and requests ----------------------------------------------------------------------------------------

    def session(self, session_id: str) -> C:
        """Return a copy of a session, to look at.

        Raises:
            SessionUnknown: there is none.
        """
        found = self._sessions.get(session_id)
        if found is None:
            raise SessionUnknown(session_id)
        return copy(found)

    def sessions(self, *, limit: int = 100) -> list[C]:
        """Return copies of the sessions, those that were updated last in front."""
        return [copy(session) for session in self._sessions.newest(limit)]

    def session_count(self) -> int:
        """Count the sessions."""
        return self._sessions.count()

    def history(self, session_id: str) -> list[SessionEvent]:
        """Return the events of a session, oldest first; without a store, the newest 250 of them.

        Raises:
            SessionUnknown: there is none.
        """
        events = [recorded.event for recorded in self._sessions.history(session_id)]
        if not events:
            raise SessionUnknown(session_id)
        return events

    @property
    def requests(self) -> list[Exchange]:
        """The requests to the API, each with its answer, in the order in which they were answered."""
        return self.journal.all()

    def recording(self) -> str:
        """Return the requests as a recording that ``session-fsm replay`` reads."""
        return self.journal.recording().decode()

    def reset(self) -> None:
        """Delete sessions, profiles, requests, faults and answers of idempotency keys. The clock stays."""
        self._sessions.clear()
        self.profiles.clear()
        self.kept_answers.clear()
        self._faults.clear()
        self.journal.clear()
        self._changing("reset")()

    # --- Faults -------------------------------------------------------------------------------------------------------

    @property
    def faults(self) -> list[FaultState]:
        """The faults that are still to happen."""
        return self._faults.all()

    def add_fault(self, fault: Fault) -> FaultState:
        """Order a fault."""
        return self._faults.add(fault)

    def remove_fault(self, number: int) -> bool:
        """Delete a fault by its number, and return whether it was there."""
        return self._faults.remove(number)

    def clear_faults(self) -> None:
        """Delete all faults."""
        self._faults.clear()

    def take_fault(self, operation: str, session_id: str) -> Fault | None:
        """Return the fault that happens to a request, or None."""
        return self._faults.take(operation, session_id)

    def fail_next(
        self,
        status: int = 500,
        *,
        times: int = 1,
        session_id: str | None = None,
        operation: OperationName | None = None,
        retry_after: int | None = None,
    ) -> FaultState:
        """Answer the next requests with an error status, without performing them.

        Args:
            status: the status, such as 409, 429, 500 or 503.
            times: how many requests.
            session_id: only those of this session.
            operation: only those of this operation: update, get, return, reopen or profile.
            retry_after: ``Retry-After`` in seconds; 429 and 503 have 1 without it.
        """
        return self.add_fault(
            Fault(status=status, times=times, session_id=session_id, operation=operation, retry_after=retry_after)
        )

    def drop_next(
        self,
        when: Drop = "after",
        *,
        times: int = 1,
        session_id: str | None = None,
        operation: OperationName | None = None,
    ) -> FaultState:
        """Drop the connection of the next requests, ``before`` they are performed or ``after`` it (W-25)."""
        return self.add_fault(Fault(drop=when, times=times, session_id=session_id, operation=operation))

    def cut_next(
        self, *, times: int = 1, session_id: str | None = None, operation: OperationName | None = None
    ) -> FaultState:
        """Perform the next requests, and end the connection in the middle of the answer."""
        return self.add_fault(Fault(cut=True, times=times, session_id=session_id, operation=operation))

    def delay_next(
        self,
        seconds: float,
        *,
        times: int = 1,
        session_id: str | None = None,
        operation: OperationName | None = None,
    ) -> FaultState:
        """Let the next requests take some seconds. Meanwhile their session is busy (W-20)."""
        return self.add_fault(Fault(delay=seconds, times=times, session_id=session_id, operation=operation))

    @contextmanager
    def hold(self, session_id: str | None = None) -> Generator[Hold]:
        """Hold back the requests of a session, or all, until the block ends.

        A test sends three updates from threads of its own, waits with `Hold.wait` until they have arrived, and sends
        one more, which gets the 409 of parallel updates (W-20).
        """
        hold = Hold(session_id, self.turns, self.bell)
        self.holds.append(hold)
        try:
            yield hold
        finally:
            self.holds.remove(hold)
            self.bell.ring()

    async def wait_while_held(self, session_id: str) -> None:
        """Wait until no `hold` holds the requests of a session."""
        held: list[Hold] = []
        while not self.is_closing:
            rings = self.bell.rings
            holding = [hold for hold in self.holds if hold.session_id in (None, session_id)]
            for hold in holding:
                if hold not in held:
                    held.append(hold)
                    hold.held += 1
                    self.bell.ring()
                    rings = self.bell.rings
            if not holding:
                break
            await self.bell.wait(rings)
        for hold in held:
            hold.held -= 1

    async def pause(self, seconds: float) -> None:
        """Wait, unless the sandbox closes meanwhile."""
        until = asyncio.get_running_loop().time() + seconds
        while not self.is_closing:
            rings = self.bell.rings
            left = until - asyncio.get_running_loop().time()
            if left <= 0:
                return
            await self.bell.wait(rings, left)

    def close(self) -> None:
        """End everything that waits, and close the store."""
        self.is_closing = True
        self.bell.ring()
        self._sessions.close()
