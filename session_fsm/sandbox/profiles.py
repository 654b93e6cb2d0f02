"""Customer profiles: created when a session or a request names them, with attributes and what their sessions add up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from attrs import evolve, field, frozen

from session_fsm.converters import timestamp
from session_fsm.session import CustomerSession
from session_fsm.states import State

__all__ = ["Profile", "Profiles"]

_SOLD = (State.CLOSED, State.PARTIALLY_RETURNED)
_ACCOUNT = 1


@frozen(kw_only=True)
class Profile:
    """A customer profile."""

    id: int
    integration_id: str
    created: datetime
    last_activity: datetime
    attributes: Mapping[str, Any] = field(factory=dict[str, Any])

    def changed(self, attributes: Mapping[str, Any], at: datetime) -> Profile:
        """Return the profile with *attributes* merged into its own; None removes one, as in sessions (U-05)."""
        merged = {name: value for name, value in {**self.attributes, **attributes}.items() if value is not None}
        return evolve(self, attributes=merged, last_activity=at)

    def document(self, sessions: Iterable[CustomerSession]) -> dict[str, Any]:
        """Return the profile as answers have it (W-14)."""
        sold = [session for session in sessions if session.state in _SOLD]
        return {
            "id": self.id,
            "created": timestamp(self.created),
            "integrationId": self.integration_id,
            "attributes": dict(self.attributes),
            "accountId": _ACCOUNT,
            "closedSessions": len(sold),
            "totalSales": sum((session.total for session in sold), Decimal()),
            "lastActivity": timestamp(self.last_activity),
        }


class Profiles:
    """The profiles of a sandbox, in memory."""

    def __init__(self) -> None:
        self._profiles: dict[str, Profile] = {}

    def touched(self, profile_id: str, at: datetime, attributes: Mapping[str, Any] | None = None) -> Profile:
        """Return a profile as it is after an activity; a new one if there is none. It is not kept."""
        held = self._profiles.get(profile_id)
        if held is None:
            number = len(self._profiles) + 1
            held = Profile(id=number, integration_id=profile_id, created=at, last_activity=at)
        return held.changed(attributes or {}, at)

    def keep(self, profile: Profile) -> None:
        """Keep a profile."""
        self._profiles[profile.integration_id] = profile

    def clear(self) -> None:
        """Delete all profiles."""
        self._profiles.clear()
