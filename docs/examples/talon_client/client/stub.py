"""Plays Talon.One for one session, in place of the client's network."""

import json
from types import SimpleNamespace
from typing import Any

from talon_one import ApiClient, Configuration, IntegrationApi
from talon_one.rest import RESTResponse

from session_fsm import CustomerSession, SessionFSMError, SessionUpdate, wire
from session_fsm.errors import http_status, to_error_response

__all__ = ["Stub", "api_with"]


class Stub:
    """Answers as Talon.One does, but without effects: there are no campaigns here."""

    def __init__(self) -> None:
        self.session: CustomerSession | None = None
        self.busy = 0
        """How many updates are answered with 409 first."""
        self.log: list[str] = []
        """The requests, in their order."""
        self.answers: dict[str, RESTResponse] = {}
        """The answers by idempotency key; Talon.One keeps them for 24 hours."""

    def request(
        self, method: str, url: str, headers: dict[str, str] | None = None, body: Any = None, **_: object
    ) -> RESTResponse:
        """Answer one request; the client calls this in place of its network."""
        self.log.append(f"{method} {url.partition('//')[2].partition('/')[2]}")
        key = (headers or {}).get("Idempotency-Key", "")
        if key in self.answers:
            return self.answers[key]
        try:
            answer = self.answered(method, url, body or {})
        except SessionFSMError as error:
            answer = self.response(http_status(error), json.dumps(to_error_response(error)).encode())
        if key:
            self.answers[key] = answer
        return answer

    def answered(self, method: str, url: str, body: Any) -> RESTResponse:
        """Do what is asked for, and answer."""
        if url.endswith("/reopen"):
            self.existing().reopen()
            return self.response(200, b'{"effects":[]}')
        if method == "GET":
            return self.response(200, b'{"customerSession":%s}' % wire.dumps(self.existing()))
        if self.busy:
            self.busy -= 1
            self.existing().update(referral_code="FRIEND")  # this is what kept it busy
            message = "Too many requests are updating this session at the same time"
            return self.response(409, json.dumps({"message": message, "StatusCode": 409}).encode())
        if url.endswith("/returns"):
            self.existing().return_items(wire.structure(body, wire.ReturnRequest))
        elif self.session is None:
            update = wire.structure(body, SessionUpdate)
            self.session = CustomerSession.create("order-7", update, id=1, application_id=1)
        else:
            self.session.put(wire.structure(body, SessionUpdate))
        asked = "customerSession" in body.get("responseContent", ())
        session = b'"customerSession":%s,' % wire.dumps(self.existing()) if asked else b""
        return self.response(200, b'{%s"effects":[],"createdCoupons":[],"createdReferrals":[]}' % session)

    def existing(self) -> CustomerSession:
        """Return the session, which there has to be."""
        if self.session is None:
            raise SessionFSMError("There is no such session")
        return self.session

    def response(self, status: int, content: bytes) -> RESTResponse:
        """Return an answer as the client's network has it."""
        headers = {"content-type": "application/json"}
        return RESTResponse(SimpleNamespace(status=status, reason="", data=content, headers=headers))


def api_with(stub: Stub) -> IntegrationApi:
    """Return the client, with *stub* in place of its network."""
    client = ApiClient(Configuration(host="https://shop.example"))
    client.rest_client = stub
    return IntegrationApi(client)
