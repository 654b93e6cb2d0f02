"""A stub of Talon.One for one session, used instead of the client's network."""

import json
from types import SimpleNamespace
from typing import Any

from talon_one import ApiClient, Configuration, IntegrationApi
from talon_one.rest import RESTResponse

from session_fsm import CustomerSession, SessionFSMError, SessionUpdate, wire
from session_fsm.errors import http_status, to_error_response

__all__ = ["Stub", "api_with"]


class Stub:
    """Returns Talon.One's responses, without effects, because it has no campaigns."""

    def __init__(self) -> None:
        self.session: CustomerSession | None = None
        self.conflicts = 0
        """The number of requests that get status 409 first."""
        self.requests: list[str] = []
        """The requests, in order."""
        self.responses: dict[str, RESTResponse] = {}
        """The responses by idempotency key; Talon.One keeps them for 24 hours."""

    def request(
        self, method: str, url: str, headers: dict[str, str] | None = None, body: Any = None, **_: object
    ) -> RESTResponse:
        """Return the response to one request; the client calls this instead of the network."""
        self.requests.append(f"{method} {url.partition('//')[2].partition('/')[2]}")
        key = (headers or {}).get("Idempotency-Key", "")
        if key in self.responses:
            return self.responses[key]
        try:
            response = self.perform(method, url, body or {})
        except SessionFSMError as error:
            response = self.response(http_status(error), json.dumps(to_error_response(error)).encode())
        if key:
            self.responses[key] = response
        return response

    def perform(self, method: str, url: str, body: Any) -> RESTResponse:
        """Perform a request and return its response."""
        if url.endswith("/reopen"):
            self.existing_session().reopen()
            return self.response(200, b'{"effects":[]}')
        if method == "GET":
            return self.response(200, b'{"customerSession":%s}' % wire.dumps(self.existing_session()))
        if self.conflicts:
            self.conflicts -= 1
            self.existing_session().update(referral_code="FRIEND")  # the parallel update
            message = "Too many requests are updating this session at the same time"
            return self.response(409, json.dumps({"message": message, "StatusCode": 409}).encode())
        if url.endswith("/returns"):
            self.existing_session().return_items(wire.structure(body, wire.ReturnRequest))
        elif self.session is None:
            update = wire.structure(body, SessionUpdate)
            self.session = CustomerSession.create("order-7", update, id=1, application_id=1)
        else:
            self.session.put(wire.structure(body, SessionUpdate))
        asked = "customerSession" in body.get("responseContent", ())
        session = b'"customerSession":%s,' % wire.dumps(self.existing_session()) if asked else b""
        return self.response(200, b'{%s"effects":[],"createdCoupons":[],"createdReferrals":[]}' % session)

    def existing_session(self) -> CustomerSession:
        """Return the session."""
        if self.session is None:
            raise SessionFSMError("There is no such session")
        return self.session

    def response(self, status: int, content: bytes) -> RESTResponse:
        """Return a response object of the client."""
        headers = {"content-type": "application/json"}
        return RESTResponse(SimpleNamespace(status=status, reason="", data=content, headers=headers))


def api_with(stub: Stub) -> IntegrationApi:
    """Return the client, with *stub* instead of its network."""
    client = ApiClient(Configuration(host="https://shop.example"))
    client.rest_client = stub
    return IntegrationApi(client)
