"""Hypothesis drives a sandbox over HTTP beside a session in this process and the reference model of the testing kit."""

import asyncio
import os
from datetime import datetime
from typing import Any

import httpx2
from attrs import evolve
from builders import EveryRuleSession, TenantSession
from hypothesis.stateful import invariant, rule
from sandbox_client import HEADERS

from session_fsm import UNSET, CustomerSession, SessionEvent, SessionUpdate, State, Trigger, wire
from session_fsm.errors import InvalidValue
from session_fsm.sandbox import create_app
from session_fsm.testing import SessionMachine
from session_fsm.testing.test_classes import relaxed_settings

EXAMPLES = int(os.environ.get("SESSION_FSM_SANDBOX_EXAMPLES", "15"))
PATH = "/v2/customer_sessions/order-1"
_GIVEN = ("id", "application_id", "first_session")
counted = {"requests": 0}
"""How many requests were sent in this process."""


class _ServedMachine(SessionMachine):
    """The state machine of the testing kit. Each verb that it calls is sent to a sandbox as a request."""

    settings = relaxed_settings(max_examples=EXAMPLES, stateful_step_count=12)
    app: Any = None

    def send(self, method: str, path: str, content: bytes | None = None) -> httpx2.Response:
        async def send() -> httpx2.Response:
            transport = httpx2.ASGITransport(self.app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://sandbox", headers=HEADERS) as client:
                headers = {} if content is None else {"Content-Type": "application/json"}
                return await client.request(method, path, content=content, headers=headers)

        counted["requests"] += 1
        return self.loop.run_until_complete(send())

    def update(self, change: SessionUpdate, query: str = "") -> httpx2.Response:
        body = b'{"customerSession":%s,"responseContent":["customerSession"]}' % wire.dumps(change)
        return self.send("PUT", PATH + query, body)

    def _begin(self, step: Any) -> None:
        super()._begin(step)
        self.teardown()
        self.loop = asyncio.new_event_loop()
        change = SessionUpdate() if step.argument is None else step.argument
        # A sandbox gives the IDs itself, and is told what it gives to the fields of the class.
        own = {name: value for name, value in change.own.items() if name not in _GIVEN}
        self.app = create_app(self.kind, own={**self.own, **own}, now=self.session.created, running=False)
        self.served = True
        answer = self.update(evolve(change, own={}))
        assert answer.status_code == 200, answer.text

    def _can_be_sent(self, change: Any) -> bool:
        return isinstance(change, SessionUpdate) and not change.own

    def teardown(self) -> None:
        if getattr(self, "loop", None) is not None:
            self.loop.close()
            self.loop = None

    def at(self, now: datetime) -> None:
        self.app.clock.set(now)

    def _call(self, verdict: Any, change: Any, verb: Any, given: Any, **keywords: Any) -> SessionEvent | None:
        before = self.session.update_count
        event = super()._call(verdict, change, verb, given, **keywords)
        if not self.served:
            return event
        answer = self.request(verb.__name__, given, event)
        if answer is None:
            if event is not None:
                self.served = False
            return event
        if event is None:
            assert answer.status_code == 400, answer.text
            assert self.app.session("order-1").update_count == before
        else:
            assert answer.status_code == 200, answer.text
        return event

    def request(self, verb: str, given: Any, event: SessionEvent | None) -> httpx2.Response | None:
        """Send what a verb was called with; None if no request can say it."""
        if event is not None:
            self.at(event.at)
        change = given[0] if given else None
        try:
            if verb == "reopen":
                return self.send("PUT", f"{PATH}/reopen")
            if verb == "cancel":
                return self.update(SessionUpdate(state="cancelled"))
            if verb == "return_items":
                returned = wire.ReturnRequest(returned_cart_items=tuple(change))
                return self.send("POST", f"{PATH}/returns", b'{"return":%s}' % wire.dumps(returned))
            update = SessionUpdate() if change is None else change
            if not self._can_be_sent(update):
                return None
            states = {"close": State.CLOSED, "update": UNSET, "put": update.state}
            return self.update(evolve(update, state=states[verb]))
        except InvalidValue:  # a text that JSON cannot hold
            return None

    def compare(self) -> None:
        served = self.app.session("order-1")
        ours = wire.unstructure(self.session)
        theirs = wire.unstructure(served)
        for name in ("id", "applicationId", "firstSession"):
            ours.pop(name, None)
            theirs.pop(name, None)
        assert theirs == ours

    @invariant()
    def check_the_served_session(self) -> None:
        if self.app is not None and self.served:
            self.compare()

    @rule()
    def get(self) -> None:
        if self.served:
            answer = self.send("GET", PATH)
            assert answer.json()["customerSession"]["state"] == self.session.state

    @rule()
    def dry_runs_change_nothing(self) -> None:
        if self.served:
            for trigger, state in ((Trigger.CLOSE, "closed"), (Trigger.CANCEL, "cancelled")):
                answer = self.update(SessionUpdate(state=state), "?dry=true")
                decision = self.session.evaluate(trigger, now=self.app.clock.time, payload_only=True)
                assert (answer.status_code == 200) is bool(decision), answer.text


class TestPlainSession(_ServedMachine):
    kind = CustomerSession


class TestSessionWithEveryRule(_ServedMachine):
    kind = EveryRuleSession


class TestSessionWithOwnFields(_ServedMachine):
    kind = TenantSession
    own = {"tenant": "acme"}


del _ServedMachine
