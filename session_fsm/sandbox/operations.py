"""The operations of the API: update, get, return and reopen a session, and update a customer profile (W-01)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Generic, Never, TypeVar

from session_fsm import wire
from session_fsm.errors import Problem, WireError
from session_fsm.events import SessionEvent
from session_fsm.sandbox.answers import Answers, joined_members
from session_fsm.sandbox.errors import Refused
from session_fsm.sandbox.profiles import Profile, Profiles
from session_fsm.sandbox.reading import member_of
from session_fsm.sandbox.sessions import Recorded, Sessions
from session_fsm.sandbox.settings import ApiRequest, Settings
from session_fsm.session import CustomerSession
from session_fsm.states import Trigger
from session_fsm.validators import is_object, kind_of
from session_fsm.values import SessionUpdate

__all__ = ["Operations"]

C = TypeVar("C", bound=CustomerSession)

_NOT_RECORDED = 0
"""The number of an event that a dry run does not record."""


class Operations(Generic[C]):
    """Performs requests of one sandbox, each as one function of the request, which returns the body of its answer.

    All of them raise what a session raises, `session_fsm.WireError` for a body that cannot be read, and `Refused`.
    """

    def __init__(self, settings: Settings[C], sessions: Callable[[], Sessions[C]], profiles: Profiles) -> None:
        self._settings, self._find_sessions, self._profiles = settings, sessions, profiles
        self._answers = Answers(settings, sessions)

    @property
    def _sessions(self) -> Sessions[C]:
        return self._find_sessions()

    # --- Update -------------------------------------------------------------------------------------------------------

    def update(self, request: ApiRequest) -> bytes:
        """Update a session, or create it (W-07)."""
        member_of(request.body, "customerSession")
        change = wire.structure(request.body, SessionUpdate)
        if request.dry:
            return self._dry_update(request, change)
        effects = b""
        at = request.judged_at

        def act(session: C | None) -> C:
            nonlocal effects
            if session is None:
                session = self._created(request.session_id, change, at)
            else:
                session.put(change, now=at)
            effects = self._answers.effects(session, session.pending_events[-1], request)
            return session

        return self._changed(request, act, lambda: effects)

    def _created(self, session_id: str, change: SessionUpdate, at: datetime) -> C:
        profile_id = change.given().get("profile_id", "")
        return self._settings.kind.create(
            session_id,
            change,
            id=self._sessions.count() + 1,
            application_id=self._settings.application_id,
            first_session=not profile_id or not self._sessions.of_profile(profile_id),
            now=at,
            **self._settings.own,
        )

    def _dry_update(self, request: ApiRequest, change: SessionUpdate) -> bytes:
        """Judge an update; of a closing, as Talon.One does, only by what the request holds (U-11, W-09)."""
        at = request.judged_at
        held = self._sessions.get(request.session_id)
        if held is None:
            after = self._created(request.session_id, change, at)
        else:
            after = _after(held.evaluate("put", change, now=at, payload_only=True).raise_if_refused().after)
        return self._dry_answer(request, after)

    # --- The others ---------------------------------------------------------------------------------------------------

    def get(self, request: ApiRequest) -> bytes:
        """Return a session."""
        session = self._sessions.get(request.session_id)
        if session is None:
            self._unknown(request)
        return joined_members([("customerSession", self._answers.session(session)), ("effects", b"[]")])

    def return_items(self, request: ApiRequest) -> bytes:
        """Take items of an order back."""
        member_of(request.body, "return")
        wanted = wire.structure(request.body, wire.ReturnRequest)
        at = request.judged_at
        if request.dry:
            held = self._known(request, self._sessions.get(request.session_id))
            decision = held.evaluate(Trigger.RETURN_ITEMS, wanted, now=at)
            return self._dry_answer(request, _after(decision.raise_if_refused().after))
        effects = b""

        def act(held: C | None) -> C:
            nonlocal effects
            session = self._known(request, held)
            event = session.return_items(wanted, now=at)
            effects = self._answers.effects(session, event, request)
            return session

        return self._changed(request, act, lambda: effects)

    def reopen(self, request: ApiRequest) -> bytes:
        """Turn an order into a cart again. The answer has only effects (W-05)."""
        effects = b""

        def act(held: C | None) -> C:
            nonlocal effects
            session = self._known(request, held)
            event = session.reopen(now=request.judged_at)
            effects = self._answers.effects(session, event, request)
            return session

        self._sessions.change(request.session_id, act)
        return joined_members([("effects", effects)])

    def profile(self, request: ApiRequest) -> bytes:
        """Update a customer profile, or create it."""
        attributes = request.body.get("attributes")
        if attributes is not None and not is_object(attributes):
            raise WireError([Problem("/attributes", f"{kind_of(attributes)} is not an object")])
        profile = self._profiles.touched(request.session_id, request.judged_at, attributes)
        if not request.dry:
            self._profiles.keep(profile)
        return self._answers.of_profile(request, profile)

    # --- What they share ----------------------------------------------------------------------------------------------

    def _changed(self, request: ApiRequest, act: Callable[[C | None], C], effects: Callable[[], bytes]) -> bytes:
        changed = self._sessions.change(request.session_id, act)
        recorded = changed.events[-1]
        profile = self._touched(changed.session, recorded.event)
        if profile is not None:
            self._profiles.keep(profile)
        return self._answers.of_change(request, changed.session, recorded, effects(), profile)

    def _dry_answer(self, request: ApiRequest, after: C) -> bytes:
        event = after.pending_events[-1]
        effects = self._answers.effects(after, event, request)
        recorded = Recorded(_NOT_RECORDED, event)
        return self._answers.of_change(request, after, recorded, effects, self._touched(after, event))

    def _touched(self, session: C, event: SessionEvent) -> Profile | None:
        """Return the profile of a session after an event; an update creates it if there is none."""
        return self._profiles.touched(session.profile_id, event.at) if session.profile_id else None

    def _known(self, request: ApiRequest, session: C | None) -> C:
        if session is None:
            self._unknown(request)
        return session

    def _unknown(self, request: ApiRequest) -> Never:
        """Refuse a request about a session that does not exist (W-21)."""
        details = f'There is no session "{request.session_id}"; an update creates one'
        raise Refused(self._settings.unknown_session, details, title="unknown_session", details=details)


def _after(session: C | None) -> C:
    if session is None:  # pragma: no cover - a decision that was not refused has it
        raise AssertionError
    return session
