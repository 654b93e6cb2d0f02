"""One function for each call: it applies the change to a local copy, sends it, and returns Talon.One's session."""

import copy
from collections.abc import Callable, Iterable

import attrs
from talon_one import IntegrationApi, IntegrationRequest, ReturnIntegrationRequest
from talon_one.exceptions import ConflictException

from client.sessions import ShopSession
from session_fsm import ReturnedCartItem, SessionEvent, SessionUpdate, wire

__all__ = ["create", "load", "put", "reopen", "return_items"]


def create(api: IntegrationApi, session_id: str, update: SessionUpdate) -> tuple[ShopSession, SessionEvent]:
    """Create a session locally and at Talon.One; return Talon.One's session and the event."""
    changed = ShopSession.create(session_id, update)
    return call(api, changed, update), changed.pending_events[-1]


def put(
    api: IntegrationApi,
    session: ShopSession,
    update: SessionUpdate,
    *,
    attempts: int = 3,
    wait: Callable[[int], object] = lambda _: None,
) -> tuple[ShopSession, SessionEvent]:
    """Apply *update* locally and at Talon.One; return Talon.One's session and the event."""
    attempt = 1
    while True:
        changed = copy.copy(session)
        event = changed.put(update)  # raises before the request if Talon.One would refuse it
        try:
            return call(api, changed, update), event
        except ConflictException:
            if attempt >= attempts:
                raise
        wait(attempt)
        attempt += 1
        session = load(api, session)


def call(api: IntegrationApi, changed: ShopSession, update: SessionUpdate) -> ShopSession:
    """Send *update* and return the session in the response."""
    body = b'{"customerSession":%s,"responseContent":["customerSession"]}' % wire.dumps(update)
    request = IntegrationRequest.from_json(body.decode())
    assert request is not None  # noqa: S101 - the client's types allow None
    response = api.update_customer_session_v2_with_http_info(changed.integration_id, request)
    return session_from(response.raw_data, changed)


def return_items(
    api: IntegrationApi, session: ShopSession, entries: Iterable[ReturnedCartItem], *, key: str
) -> tuple[ShopSession, SessionEvent]:
    """Return units locally and at Talon.One, which performs a return once for each idempotency *key*."""
    changed, wanted = copy.copy(session), wire.ReturnRequest(returned_cart_items=tuple(entries))
    event = changed.return_items(wanted)
    body = b'{"return":%s,"responseContent":["customerSession"]}' % wire.dumps(wanted)
    request = ReturnIntegrationRequest.from_json(body.decode())
    assert request is not None  # noqa: S101 - the client's types allow None
    headers = {"Idempotency-Key": key}
    response = api.return_cart_items_with_http_info(session.integration_id, request, _headers=headers)
    return session_from(response.raw_data, changed), event


def reopen(api: IntegrationApi, session: ShopSession) -> tuple[ShopSession, SessionEvent]:
    """Reopen a session locally and at Talon.One, and load it: the response contains only effects."""
    changed = copy.copy(session)
    event = changed.reopen()
    api.reopen_customer_session(session.integration_id)
    return load(api, changed), event


def load(api: IntegrationApi, session: ShopSession) -> ShopSession:
    """Load the session from Talon.One."""
    return session_from(api.get_customer_session_with_http_info(session.integration_id).raw_data, session)


def session_from(response: bytes, changed: ShopSession) -> ShopSession:
    """Return the session in a response, with the shop's own fields copied from *changed*."""
    return attrs.evolve(wire.loads(response, ShopSession), branch=changed.branch)
