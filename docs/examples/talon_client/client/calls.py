"""The calls: each judges here, sends with Talon.One's client, and returns the session as Talon.One holds it."""

import copy
from collections.abc import Callable, Iterable

import attrs
from talon_one import IntegrationApi, IntegrationRequest, ReturnIntegrationRequest
from talon_one.exceptions import ConflictException

from client.sessions import ShopSession
from session_fsm import ReturnedCartItem, SessionEvent, SessionUpdate, wire

__all__ = ["create", "give_back", "load", "put", "reopen"]


def create(api: IntegrationApi, session_id: str, update: SessionUpdate) -> tuple[ShopSession, SessionEvent]:
    """Create a session, here and there; return it as Talon.One holds it, and the event."""
    ahead = ShopSession.create(session_id, update)
    return call(api, ahead, update), ahead.pending_events[-1]


def put(
    api: IntegrationApi,
    session: ShopSession,
    update: SessionUpdate,
    *,
    attempts: int = 3,
    wait: Callable[[int], object] = lambda _: None,
) -> tuple[ShopSession, SessionEvent]:
    """Do what *update* asks for, here and there; return the session as Talon.One holds it, and the event."""
    attempt = 1
    while True:
        ahead = copy.copy(session)
        event = ahead.put(update)  # refuses here what Talon.One would refuse there
        try:
            return call(api, ahead, update), event
        except ConflictException:
            if attempt >= attempts:
                raise
        wait(attempt)
        attempt += 1
        session = load(api, session)


def call(api: IntegrationApi, ahead: ShopSession, update: SessionUpdate) -> ShopSession:
    """Send *update*, and return the session in the answer."""
    body = b'{"customerSession":%s,"responseContent":["customerSession"]}' % wire.dumps(update)
    request = IntegrationRequest.from_json(body.decode())
    assert request is not None  # noqa: S101 - the client's own types leave it open
    answer = api.update_customer_session_v2_with_http_info(ahead.integration_id, request)
    return taken(answer.raw_data, ahead)


def give_back(
    api: IntegrationApi, session: ShopSession, entries: Iterable[ReturnedCartItem], *, key: str
) -> tuple[ShopSession, SessionEvent]:
    """Return units, here and there, once for each idempotency *key*, however often it is sent."""
    ahead, wanted = copy.copy(session), wire.ReturnRequest(returned_cart_items=tuple(entries))
    event = ahead.return_items(wanted)
    body = b'{"return":%s,"responseContent":["customerSession"]}' % wire.dumps(wanted)
    request = ReturnIntegrationRequest.from_json(body.decode())
    assert request is not None  # noqa: S101 - the client's own types leave it open
    headers = {"Idempotency-Key": key}
    answer = api.return_cart_items_with_http_info(session.integration_id, request, _headers=headers)
    return taken(answer.raw_data, ahead), event


def reopen(api: IntegrationApi, session: ShopSession) -> tuple[ShopSession, SessionEvent]:
    """Reopen a session, here and there. The answer holds effects alone, so the session is loaded afterwards."""
    ahead = copy.copy(session)
    event = ahead.reopen()
    api.reopen_customer_session(session.integration_id)
    return load(api, ahead), event


def load(api: IntegrationApi, session: ShopSession) -> ShopSession:
    """Return the session as Talon.One holds it now."""
    return taken(api.get_customer_session_with_http_info(session.integration_id).raw_data, session)


def taken(answer: bytes, ahead: ShopSession) -> ShopSession:
    """Return the session in an answer, with the fields of this shop, which no answer of Talon.One has."""
    return attrs.evolve(wire.loads(answer, ShopSession), branch=ahead.branch)
