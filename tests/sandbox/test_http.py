"""What HTTP and the API ask of the server: paths, methods, content types, keys, parallel requests, faults."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from sandbox_client import CART, Client, details, run, titles

from session_fsm import InvalidValue
from session_fsm.sandbox import ConnectionDropped, Fault, Hold, create_app

NOW = datetime(2026, 9, 14, 9, 12, tzinfo=UTC)
CONFLICT = {"message": "Too many requests are updating this session at the same time", "StatusCode": 409}


@pytest.fixture
def client() -> Client:
    return Client(now=NOW, running=False)


class TestPaths:
    """W-01, W-24: the ID is one segment of the path, and is percent-decoded after the path was split."""

    @pytest.mark.parametrize(
        ("sent", "meant"),
        [
            ("a%2Fb", "a/b"),
            ("a+b", "a+b"),
            ("a%20b", "a b"),
            ("a%2Bb", "a+b"),
            ("caf%C3%A9", "café"),
            ("%00", "\0"),
            ("a%3Fb%23c", "a?b#c"),
            ("%25", "%"),
            ("reopen", "reopen"),
        ],
    )
    def test_an_id_may_hold_any_character(self, client: Client, sent: str, meant: str) -> None:
        assert client.update(sent).status_code == 200
        assert client.app.session(meant).integration_id == meant
        assert client.get(sent).json()["customerSession"]["integrationId"] == meant

    def test_an_id_that_is_not_utf_8_is_refused(self, client: Client) -> None:
        assert details(client.update("%FF")) == [("the path is not UTF-8", {})]

    @pytest.mark.parametrize(
        "path",
        [
            *("/v2/customer_sessions/", "/v2/customer_sessions", "/v2/customer_sessions//returns", "/v2/events"),
            *(
                "/v1/customer_profiles/cust-7/inventory",
                "/v2/customer_sessions/a/b",
                "/v2/customer_profiles/",
                "/x?y=1",
            ),
        ],
    )
    def test_every_other_path_is_404_with_the_method_and_the_path(self, client: Client, path: str) -> None:
        answer = client.send("POST", path)
        assert answer.status_code == 404
        assert answer.json()["message"] == f"There is no operation POST {path}"
        assert answer.json()["errors"][0]["source"] == {}

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("POST", "/v2/customer_sessions/a", "GET, PUT, HEAD"),
            ("DELETE", "/v2/customer_sessions/a", "GET, PUT, HEAD"),
            ("GET", "/v2/customer_sessions/a/returns", "POST"),
            ("POST", "/v2/customer_sessions/a/reopen", "PUT"),
            ("PATCH", "/v2/customer_profiles/a", "PUT"),
        ],
    )
    def test_another_method_is_405_with_those_that_are_allowed(
        self, client: Client, method: str, path: str, allowed: str
    ) -> None:
        answer = client.send(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)

    def test_head_is_answered_as_get(self, client: Client) -> None:
        client.update()
        assert client.send("HEAD", "/v2/customer_sessions/order-1").status_code == 200
        assert client.app.requests[-1].method == "HEAD"

    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
    def test_a_body_of_another_type_is_415(self, client: Client, content_type: str) -> None:
        answer = client.send("PUT", "/v2/customer_sessions/a", content=b"{}", headers={"Content-Type": content_type})
        assert (answer.status_code, answer.headers["accept"]) == (415, "application/json")

    @pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON", ""])
    def test_json_may_be_named_as_http_allows(self, client: Client, content_type: str) -> None:
        answer = client.send(
            "PUT", "/v2/customer_sessions/a", content=b'{"customerSession":{}}', headers={"Content-Type": content_type}
        )
        assert answer.status_code == 200

    def test_the_date_of_an_answer_is_that_of_the_clock(self, client: Client) -> None:
        assert client.update().headers["date"] == "Mon, 14 Sep 2026 09:12:00 GMT"

    def test_it_may_be_mounted_below_a_path(self) -> None:
        from starlette.applications import Starlette  # noqa: PLC0415 - for this test alone
        from starlette.routing import Mount  # noqa: PLC0415 - as above

        app = create_app()
        outer: Any = Starlette(routes=[Mount("/talon", app)])
        client = Client(outer)
        answer = client.send("PUT", "/talon/v2/customer_sessions/a%2Fb", json={"customerSession": {}})
        assert answer.status_code == 200
        assert app.session("a/b").state == "open"

    def test_a_server_that_does_not_know_the_raw_path_is_served_too(self) -> None:
        app = create_app()
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b'{"customerSession":{}}'}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "PUT",
            "path": "/v2/customer_sessions/a",
            "headers": [(b"authorization", b"ApiKey-v1 x")],
        }
        run(app(scope, receive, send))
        assert sent[0]["status"] == 200

    def test_web_sockets_are_refused_and_the_lifespan_is_answered(self) -> None:
        app = create_app()
        sent: list[Any] = []
        messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

        async def receive() -> Any:
            return messages.pop(0)

        async def send(message: Any) -> None:
            sent.append(message["type"])

        run(app({"type": "websocket"}, receive, send))
        run(app({"type": "lifespan"}, receive, send))
        assert sent == ["websocket.close", "lifespan.startup.complete", "lifespan.shutdown.complete"]


class TestAuthentication:
    """W-17: Authorization: ApiKey-v1 KEY."""

    @pytest.mark.parametrize("header", [None, "", "ApiKey-v1", "ApiKey-v1 ", "Bearer secret", "secret"])
    def test_no_key_or_another_scheme_is_401(self, client: Client, header: str | None) -> None:
        answer = client.send("GET", "/v2/customer_sessions/order-1", headers={"Authorization": header})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "ApiKey-v1")
        assert answer.json()["StatusCode"] == 401
        assert "needs the header" in details(answer)[0][0]

    def test_any_key_is_accepted_unless_the_server_was_told_some(self) -> None:
        assert Client().update().status_code == 200
        client = Client(keys=["secret", "other"])
        assert details(client.update()) == [("The sandbox does not know this API key", {})]
        for key in ("secret", "other", client.app.page_key):
            answer = client.send("GET", "/v2/customer_sessions/order-1", headers={"Authorization": f"apikey-v1 {key}"})
            assert answer.status_code == 404


class TestIdempotencyKeys:
    """W-22: the answer of a key is given again for 24 hours."""

    def close(self, client: Client, key: str, **session: Any) -> httpx2.Response:
        body = {"customerSession": {"state": "closed", **session}}
        return client.send("PUT", "/v2/customer_sessions/order-1", json=body, headers={"Idempotency-Key": key})

    def test_the_same_request_gets_the_same_answer_and_is_performed_once(self, client: Client) -> None:
        first, second = self.close(client, "k"), self.close(client, "k")
        assert (first.status_code, first.content) == (200, second.content)
        assert client.app.session("order-1").update_count == 1
        assert [one.repeated for one in client.app.requests] == [False, True]

    def test_the_key_of_a_return_and_of_a_reopening_counts_too(self, client: Client) -> None:
        client.order()
        for _ in range(2):
            answer = client.send("PUT", "/v2/customer_sessions/order-1/reopen", headers={"Idempotency-Key": "r"})
            assert answer.status_code == 200
        client.update(state="closed")
        body = {"return": {"returnedCartItems": [{"sku": "MUG", "quantity": 1}]}}
        for _ in range(2):
            client.send("POST", "/v2/customer_sessions/order-1/returns", json=body, headers={"Idempotency-Key": "s"})
        assert client.app.session("order-1").cart_items[0].returned_quantity == 1

    def test_the_same_key_with_another_body_is_400(self, client: Client) -> None:
        self.close(client, "k")
        assert titles(self.close(client, "k", couponCodes=["XMAS"])) == ["idempotency_conflict"]

    @pytest.mark.parametrize("key", ["", "k" * 256])
    def test_a_key_has_1_to_255_characters(self, client: Client, key: str) -> None:
        assert "1 to 255 characters" in details(self.close(client, key))[0][0]
        assert self.close(client, "k" * 255).status_code == 200

    def test_a_refusal_is_not_kept(self, client: Client) -> None:
        client.order()
        assert self.close(client, "k").status_code == 400
        client.reopen()
        assert self.close(client, "k").status_code == 200

    def test_an_answer_is_forgotten_after_24_hours(self, client: Client) -> None:
        self.close(client, "k")
        client.app.clock.advance(hours=23, minutes=59)
        assert self.close(client, "k").status_code == 200
        client.app.clock.advance(minutes=1)
        assert self.close(client, "k").status_code == 400

    def test_the_oldest_answers_go_first(self, monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
        monkeypatch.setattr("session_fsm.sandbox.idempotency._MOST", 1)
        self.close(client, "k")
        client.update("order-2")
        body: Any = {"customerSession": {}}
        client.send("PUT", "/v2/customer_sessions/order-2", json=body, headers={"Idempotency-Key": "other"})
        assert self.close(client, "k").status_code == 400

    def test_a_get_has_no_key(self, client: Client) -> None:
        client.update()
        for state in ("open", "closed"):
            answer = client.send("GET", "/v2/customer_sessions/order-1", headers={"Idempotency-Key": "k"})
            assert answer.json()["customerSession"]["state"] == state
            client.update(state="closed")


class TestParallelRequests:
    """W-20: one runs, two wait, the fourth gets 409. Update, not Return or Reopen."""

    def at_once(self, client: Client, *paths: tuple[str, str, Any], more: tuple[str, str, Any]) -> tuple[Any, Any]:
        """Send requests while they are held, then one more; return its answer, and those of the others."""

        async def send() -> tuple[Any, Any]:
            with client.app.hold("order-1") as hold:
                tasks = [asyncio.create_task(client.asend(m, p, json=b)) for m, p, b in paths]
                await hold.arrived(len(paths))
                last = asyncio.create_task(client.asend(more[0], more[1], json=more[2]))
                done, _ = await asyncio.wait([last], timeout=0.05)
            return (last.result() if done else await last), await asyncio.gather(*tasks)

        return run(send())

    def put(self, number: int, session_id: str = "order-1", **more: Any) -> tuple[str, str, Any]:
        return "PUT", f"/v2/customer_sessions/{session_id}", {"customerSession": {"couponCodes": [str(number)], **more}}

    def test_the_fourth_update_of_a_session_gets_409(self, client: Client) -> None:
        fourth, others = self.at_once(client, *map(self.put, range(3)), more=self.put(4))
        assert (fourth.status_code, fourth.json()) == (409, CONFLICT)
        assert [answer.status_code for answer in others] == [200, 200, 200]
        assert client.app.session("order-1").coupon_codes == ("2",)
        assert client.app.session("order-1").update_count == 3

    def test_an_update_of_another_session_does_not(self, client: Client) -> None:
        fourth, _ = self.at_once(client, *map(self.put, range(3)), more=self.put(4, "order-2"))
        assert fourth.status_code == 200

    def test_updates_of_several_sessions_of_one_profile_do(self, client: Client) -> None:
        async def send() -> list[int]:
            with client.app.hold():
                tasks = [
                    asyncio.create_task(client.asend(m, p, json=b))
                    for m, p, b in (self.put(n, f"order-{n}", profileId="cust-7") for n in range(4))
                ]
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                assert [task.result().status_code for task in done] == [409]
            return sorted([(await task).status_code for task in tasks])

        assert run(send()) == [200, 200, 200, 409]

    def test_returns_and_reopenings_wait_without_a_limit(self, client: Client) -> None:
        client.order()
        one = {"return": {"returnedCartItems": [{"sku": "MUG", "quantity": 1}]}}
        path = "/v2/customer_sessions/order-1"
        returns = [("POST", f"{path}/returns", one)] * 3
        last, others = self.at_once(client, *returns, more=("PUT", f"{path}/reopen", None))
        assert [answer.status_code for answer in others] == [200, 200, 200]
        assert (last.status_code, client.app.turns.users("session", "order-1")) == (400, 0)


class TestFaults:
    """W-23, W-25: faults to order."""

    def test_the_next_request_fails_and_the_one_after_it_does_not(self, client: Client) -> None:
        client.app.fail_next(503)
        answer = client.update()
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json()["message"] == "Service unavailable"
        assert client.app.sessions() == []
        assert client.update().status_code == 200

    @pytest.mark.parametrize(
        ("status", "retry_after", "header", "body"),
        [
            (409, None, None, CONFLICT),
            (429, None, "1", {"message": "Too many requests"}),
            (429, 7, "7", {"message": "Too many requests"}),
            (500, None, None, {"message": "Internal server error"}),
            (418, None, None, {"message": "Status 418, as ordered"}),
        ],
    )
    def test_a_status_is_answered_in_the_envelope(
        self, client: Client, status: int, retry_after: int | None, header: str | None, body: dict[str, Any]
    ) -> None:
        client.app.fail_next(status, retry_after=retry_after)
        answer = client.update()
        assert (answer.status_code, answer.headers.get("retry-after")) == (status, header)
        assert answer.json() | body == answer.json()
        assert answer.json().get("errors", [{"source": {}}])[0]["source"] == {}

    def test_a_fault_is_for_a_session_an_operation_or_every_nth_request(self, client: Client) -> None:
        client.app.add_fault(Fault(status=500, session_id="order-2"))
        client.app.add_fault(Fault(status=503, operation="get", times=1))
        client.app.add_fault(Fault(status=429, every=3, message="slow down"))
        statuses = [client.update(f"order-{number}").status_code for number in (1, 2, 2, 1, 1, 1, 1, 1)]
        assert statuses == [200, 500, 500, 200, 429, 200, 200, 429]
        assert client.get().status_code == 503
        assert [(state.seen, state.done) for state in client.app.faults] == [(2, 2), (6, 2)]
        assert client.app.remove_fault(client.app.faults[0].number)
        assert not client.app.remove_fault(99)
        client.app.clear_faults()
        assert client.app.faults == []

    def test_a_connection_is_dropped_before_or_after_the_request_is_performed(self, client: Client) -> None:
        for when, stored in (("before", 0), ("after", 1)):
            client.app.drop_next(when)
            with pytest.raises(ConnectionDropped, match="as a fault told it to"):
                client.update()
            assert len(client.app.sessions()) == stored
        assert [(one.status, one.answer) for one in client.app.requests] == [(None, b""), (None, b"")]
        assert repr(client.app.requests[0]) == "<PUT /v2/customer_sessions/order-1: dropped>"

    def test_an_answer_is_cut_in_the_middle(self, client: Client) -> None:
        client.app.cut_next()
        with pytest.raises(ConnectionDropped):
            client.update()
        assert client.app.session("order-1").state == "open"
        assert client.app.requests[0].status == 200

    def test_a_delay_takes_its_time_and_ends_when_the_sandbox_closes(self, client: Client) -> None:
        client.app.delay_next(0.01)
        assert client.update().status_code == 200
        client.app.delay_next(3600)

        async def send() -> int:
            task = asyncio.create_task(
                client.asend("PUT", "/v2/customer_sessions/order-1", json={"customerSession": {}})
            )
            await Hold("order-1", client.app.turns, client.app.bell).arrived()
            client.app.close()
            return (await task).status_code

        assert run(send()) == 200

    def test_a_fault_is_noted_with_its_request(self, client: Client) -> None:
        client.app.fail_next(500, session_id="order-1", operation="update", times=2)
        client.update()
        fault = {"status": 500, "sessionId": "order-1", "operation": "update", "times": 2}
        assert client.app.requests[0].fault == fault
        assert Fault.from_json(fault).to_json() == fault

    @pytest.mark.parametrize(
        ("document", "pointers"),
        [
            ([], [""]),
            ({}, [""]),
            ({"status": 200, "every": 0, "times": 0}, ["/status", "/times", "/every"]),
            ({"status": True}, ["/status"]),
            ({"status": 500, "drop": "after"}, [""]),
            ({"drop": "now"}, ["/drop"]),
            ({"cut": 1}, ["/cut", ""]),
            ({"delay": -1}, ["/delay"]),
            ({"delay": "1"}, ["/delay"]),
            ({"delay": 1, "retryAfter": 3}, ["/retryAfter"]),
            ({"status": 500, "retryAfter": -1}, ["/retryAfter"]),
            (
                {"status": 500, "message": 5, "sessionId": 5, "operation": "put"},
                ["/message", "/sessionId", "/operation"],
            ),
            ({"statsu": 500}, ["/statsu"]),
        ],
    )
    def test_a_fault_that_cannot_happen_is_refused_with_its_place(self, document: Any, pointers: list[str]) -> None:
        with pytest.raises(InvalidValue) as refused:
            Fault.from_json(document)
        assert [problem.pointer.removeprefix("/") for problem in refused.value.problems] == [
            pointer.removeprefix("/") for pointer in pointers
        ]


class TestJournal:
    """The requests and answers are kept as they were sent."""

    def test_a_request_and_its_answer_are_as_sent(self, client: Client) -> None:
        answer = client.update("order%2D1", "?dry=false", cartItems=CART)
        (exchange,) = client.app.requests
        assert (exchange.number, exchange.at, exchange.method) == (1, NOW, "PUT")
        assert (exchange.target, exchange.path) == (
            "/v2/customer_sessions/order%2D1?dry=false",
            "/v2/customer_sessions/order%2D1",
        )
        assert (exchange.operation, exchange.session_id, exchange.dry) == ("update", "order-1", False)
        assert exchange.headers["authorization"] == "ApiKey-v1 test"
        assert exchange.json()["customerSession"]["cartItems"][1] == CART[1]
        assert (exchange.status, exchange.answer) == (200, answer.content)
        assert exchange.answer_json() == answer.json()
        assert exchange.milliseconds > 0

    def test_the_oldest_requests_go_first(self) -> None:
        from session_fsm.sandbox.journal import Journal  # noqa: PLC0415 - not public

        exchange = self.one()
        few, small = Journal(lambda: None, most=2), Journal(lambda: None, most_bytes=5)
        for journal, kept in ((few, [2, 3]), (small, [3])):
            for number in (1, 2, 3):
                journal.add(type(exchange)(number=number, at=NOW, method="PUT", target="/", body=b"123456"))
            assert [one.number for one in journal.all()] == kept
        assert few.find(3) is not None
        assert few.find(1) is None

    def one(self) -> Any:
        client = Client()
        client.update()
        return client.app.requests[0]

    def test_a_recording_has_the_requests_that_a_session_has_judged(self, client: Client) -> None:
        """The format is that of docs/replay-format.md."""
        client.update(cartItems=CART)
        client.update("order-1", "?dry=true&now=2026-12-24T00:00:00Z", "customerSession", state="closed")
        client.update(state="closed")
        client.update(state="closed")
        client.update(state="frozen")
        client.get()
        client.reopen("unknown")
        client.send("PUT", "/v2/customer_profiles/cust-7", json={})
        client.app.fail_next()
        client.update(state="cancelled")
        client.app.drop_next()
        with pytest.raises(ConnectionDropped):
            client.return_items({"sku": "MUG", "quantity": 1})
        lines = list(map(json.loads, client.app.recording().splitlines()))
        assert lines == [
            {
                "operation": "update",
                "sessionId": "order-1",
                "body": {"customerSession": {"cartItems": CART}},
                "time": "2026-09-14T09:12:00Z",
            },
            {
                "operation": "update",
                "sessionId": "order-1",
                "body": {"customerSession": {"state": "closed"}},
                "time": "2026-12-24T00:00:00Z",
                "dry": True,
            },
            {
                "operation": "update",
                "sessionId": "order-1",
                "body": {"customerSession": {"state": "closed"}},
                "time": "2026-09-14T09:12:00Z",
            },
            {
                "operation": "update",
                "sessionId": "order-1",
                "body": {"customerSession": {"state": "closed"}},
                "time": "2026-09-14T09:12:00Z",
                "note": "answered with 400",
            },
            {
                "operation": "return",
                "sessionId": "order-1",
                "body": {"return": {"returnedCartItems": [{"sku": "MUG", "quantity": 1}]}},
                "time": "2026-09-14T09:12:00Z",
                "note": "dropped",
            },
        ]

    def test_a_reopening_is_recorded_without_a_body(self, client: Client) -> None:
        client.order()
        client.reopen()
        assert json.loads(client.app.recording().splitlines()[1]) == {
            "operation": "reopen",
            "sessionId": "order-1",
            "time": "2026-09-14T09:12:00Z",
        }

    def test_a_reset_deletes_everything_but_the_clock(self, client: Client) -> None:
        client.order(profileId="cust-7")
        client.app.fail_next()
        client.app.clock.advance(hours=1)
        client.app.reset()
        assert (client.app.sessions(), client.app.requests, client.app.faults) == ([], [], [])
        assert client.app.clock.time.hour == 10
        client.update()
        assert (client.app.session("order-1").id, client.app.requests[0].number) == (1, 1)


class TestBodies:
    """Bodies are bounded: 16 MiB, and a time to arrive."""

    def call(self, app: Any, messages: list[Any], headers: dict[str, str] | None = None) -> list[Any]:
        sent: list[Any] = []

        async def receive() -> Any:
            if not messages:
                await asyncio.Event().wait()
            return messages.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        given = {"authorization": "ApiKey-v1 x", **(headers or {})}
        scope = {
            "type": "http",
            "method": "PUT",
            "path": "/v2/customer_sessions/a",
            "raw_path": b"/v2/customer_sessions/a",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }
        run(app(scope, receive, send))
        return sent

    @pytest.mark.parametrize("length", ["16777217", "9" * 100])
    def test_a_body_that_is_announced_as_too_large_is_413_and_is_not_read(self, length: str) -> None:
        sent = self.call(create_app(), [], {"content-length": length})
        assert sent[0]["status"] == 413
        assert (b"connection", b"close") in sent[0]["headers"]

    def test_a_body_that_turns_out_too_large_is_413(self) -> None:
        part = {"type": "http.request", "body": b" " * 9_000_000, "more_body": True}
        assert self.call(create_app(), [part, dict(part)])[0]["status"] == 413

    def test_a_body_of_16_mib_is_read(self) -> None:
        body = b'{"customerSession":{}}'.ljust(16 * 1024 * 1024)
        assert self.call(create_app(), [{"type": "http.request", "body": body}])[0]["status"] == 200

    def test_a_body_that_does_not_arrive_is_408(self) -> None:
        part = {"type": "http.request", "body": b"{", "more_body": True}
        assert self.call(create_app(body_timeout=0.01), [part])[0]["status"] == 408

    def test_a_client_that_has_gone_gets_nothing_and_is_not_noted(self) -> None:
        app = create_app()
        assert self.call(app, [{"type": "http.disconnect"}]) == []
        assert app.requests == []
