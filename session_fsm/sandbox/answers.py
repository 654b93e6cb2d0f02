"""The answers of the operations: what is always in them, and what a request asks for (W-04, W-05, W-11 to W-16)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Generic, TypeVar

from session_fsm import wire
from session_fsm.converters import timestamp
from session_fsm.events import SessionEvent
from session_fsm.sandbox.profiles import Profile
from session_fsm.sandbox.sessions import Recorded, Sessions
from session_fsm.sandbox.settings import ApiRequest, Settings
from session_fsm.session import CustomerSession
from session_fsm.states import Trigger
from session_fsm.validators import is_list, is_object, kind_of
from session_fsm.wire.encoding import encode_value

__all__ = ["Answers", "EffectsFailed", "joined_members"]

C = TypeVar("C", bound=CustomerSession)

_SHORTEST_REFERRAL = 4
"""How many characters the code of a referral has at least, in the API's description."""
_EMPTY: Mapping[str, bytes] = {
    "coupons": b"[]",
    "triggeredCampaigns": b"[]",
    "loyalty": b'{"cards":[],"programs":{}}',
    "awardedGiveaways": b"[]",
    "ruleFailureReasons": b"[]",
    "campaignEligibility": b"[]",
    "achievements": b"[]",
}
"""What a sandbox without campaigns has nothing to say about."""
_ACCOUNT = 1
_REFERRED = ("createdCoupons", "createdReferrals")
_EFFECT = {"campaignId": 1, "rulesetId": 1, "ruleIndex": 0, "ruleName": "sandbox"}


class EffectsFailed(Exception):
    """The function for effects raised, or returned something else than effects."""


def joined_members(members: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a JSON object of members that are written already."""
    return b"{%s}" % b",".join(b'"%s":%s' % (name.encode(), value) for name, value in members)


class Answers(Generic[C]):
    """Writes the answers of one sandbox."""

    def __init__(self, settings: Settings[C], sessions: Callable[[], Sessions[C]]) -> None:
        self._settings = settings
        self._sessions = sessions
        self._left_out = settings.left_out()
        self._writes: Mapping[str, Callable[[ApiRequest, C, Recorded, Profile | None], bytes | None]] = {
            "customerSession": lambda _, session, __, ___: self.session(session),
            "customerProfile": lambda _, __, ___, profile: None if profile is None else self.profile(profile),
            "event": lambda _, session, recorded, __: encode_value(self._event(session, recorded)),
            "referral": lambda _, session, __, ___: self._referral(session),
            "previousReturns": lambda _, session, recorded, __: encode_value(self._previous(session, recorded)),
        }

    def session(self, session: C) -> bytes:
        """Write a session with every member that the description requires (W-16)."""
        if not self._left_out and session.id is not None and session.application_id is not None:
            return wire.dumps(session)
        document = {"id": session.id or 0, "applicationId": session.application_id or self._settings.application_id}
        document |= {name: value for name, value in wire.unstructure(session).items() if name not in self._left_out}
        return encode_value(document)

    def profile(self, profile: Profile) -> bytes:
        """Write a profile, with what its sessions add up to."""
        return encode_value(profile.document(self._sessions().of_profile(profile.integration_id)))

    def effects(self, session: C, event: SessionEvent, request: ApiRequest) -> bytes:
        """Return the effects of a request, written.

        Raises:
            EffectsFailed: the function for effects raised, or returned something else.
        """
        if self._settings.effects is None:
            return b"[]"
        try:
            given = list(self._settings.effects(session, event, request))
            return encode_value([_effect(one) for one in given])
        except Exception as error:
            raise EffectsFailed(f"the function for effects failed: {type(error).__name__}: {error}") from error

    def of_change(
        self, request: ApiRequest, session: C, recorded: Recorded, effects: bytes, profile: Profile | None
    ) -> bytes:
        """Write the answer of an update or a return."""
        members: list[tuple[str, bytes]] = []
        wanted = dict.fromkeys(request.response_content)
        if self._settings.always_session:
            wanted = {"customerSession": None, **wanted}
        for name in wanted:
            written = self._writes[name](request, session, recorded, profile) if name in self._writes else _EMPTY[name]
            if written is not None:
                members.append((name, written))
        if recorded.event.trigger is Trigger.RETURN_ITEMS:
            members.append(("return", encode_value(self._return(session, recorded))))
        return joined_members([*members, ("effects", effects), *((name, b"[]") for name in _REFERRED)])

    def of_profile(self, request: ApiRequest, profile: Profile) -> bytes:
        """Write the answer of an update of a profile."""
        members: list[tuple[str, bytes]] = []
        for name in dict.fromkeys(request.response_content):
            if name == "customerProfile":
                members.append((name, self.profile(profile)))
            elif name in _EMPTY:
                members.append((name, _EMPTY[name]))
        return joined_members([*members, ("effects", b"[]"), *((name, b"[]") for name in _REFERRED)])

    def _event(self, session: C, recorded: Recorded) -> dict[str, Any]:
        event = recorded.event
        document: dict[str, Any] = {
            "id": recorded.number,
            "created": timestamp(event.at),
            "applicationId": self._application(session),
            "sessionId": session.integration_id,
            "type": event.name.value,
            "attributes": {},
            "effects": [],
        }
        if session.profile_id:
            document["profileId"] = session.profile_id
        return document

    def _previous(self, session: C, recorded: Recorded) -> Sequence[dict[str, Any]]:
        """Return the returns before the one that *recorded* is."""
        return [
            self._return(session, one)
            for one in self._sessions().returns(session.integration_id)
            if one.event.update_count < recorded.event.update_count
        ]

    def _return(self, session: C, recorded: Recorded) -> dict[str, Any]:
        """Return a return as answers have it (W-13)."""
        event = recorded.event
        document: dict[str, Any] = {
            "id": recorded.number,
            "created": timestamp(event.at),
            "applicationId": self._application(session),
            "accountId": _ACCOUNT,
            "returnedCartItems": [
                {"position": item.position, "quantity": item.quantity, "sku": item.sku} for item in event.returned_items
            ],
            "eventId": recorded.number,
            "sessionId": session.id or 0,
            "sessionIntegrationId": session.integration_id,
        }
        if session.profile_id:
            document["profileIntegrationId"] = session.profile_id
        return document

    def _referral(self, session: C) -> bytes | None:
        """Write the referral whose code the session holds; it has none without a code of the length that the API has."""
        if len(session.referral_code) < _SHORTEST_REFERRAL:
            return None
        document: dict[str, Any] = {
            "id": 1,
            "created": timestamp(session.created),
            "usageLimit": 0,
            "campaignId": _EFFECT["campaignId"],
            "advocateProfileIntegrationId": "",
            "code": session.referral_code,
            "usageCounter": 0,
            "referredCustomers": [],
        }
        return encode_value(document)

    def _application(self, session: C) -> int:
        return session.application_id or self._settings.application_id


def _effect(given: Any) -> dict[str, Any]:
    """Return an effect with every member that the description requires.

    Raises:
        TypeError: it is no mapping with an ``effectType``.
    """
    if not is_object(given):
        raise TypeError(f"an effect is a mapping, not {kind_of(given)}")
    effect: dict[str, Any] = {**_EFFECT, "props": {}, **given}
    if not isinstance(effect.get("effectType"), str):
        raise TypeError("an effect has an effectType, which is a string")
    exact: dict[str, Any] = _exact(effect)
    return exact


def _exact(value: Any) -> Any:
    """Return a JSON value whose binary floats are the shortest decimals that they can stand for."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if is_object(value):
        return {name: _exact(member) for name, member in value.items()}
    return [_exact(element) for element in value] if is_list(value) else value
