"""The control API below /sandbox/: sessions, requests, the clock, faults, reset, the recording, events."""

import asyncio
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sandbox_client import CART, Client, run

from session_fsm import InvalidValue
from session_fsm.sandbox import SandboxClock

NOW = datetime(2026, 9, 14, 9, 12, tzinfo=UTC)


@pytest.fixture
def client() -> Client:
    return Client(now=NOW, running=False)


def get(client: Client, path: str) -> Any:
    answer = client.send("GET", f"/sandbox/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


class TestReading:
    def test_the_sandbox_says_what_it_is_made_with(self, client: Client) -> None:
        client.order()
        about = get(client, "")
        assert about["class"] == "session_fsm.session:CustomerSession"
        assert (about["sessions"], about["requests"], about["faults"]) == (1, 1, [])
        assert about["clock"] == {"now": "2026-09-14T09:12:00Z", "running": False}
        assert "too_many_units" in [rule["code"] for rule in about["rules"]]
        assert get(client, "") == client.send("GET", "/sandbox").json()

    def test_sessions_are_listed_with_the_newest_in_front(self, client: Client) -> None:
        for number in range(3):
            client.update(f"order-{number}", cartItems=CART)
        client.update("order-0", couponCodes=["XMAS"])
        found = get(client, "sessions?limit=2")
        assert ([one["id"] for one in found["sessions"]], found["total"]) == (["order-0", "order-2"], 3)
        assert found["sessions"][0] == {
            "id": "order-0",
            "state": "open",
            "profileId": "",
            "total": 39.5,
            "items": 2,
            "created": "2026-09-14T09:12:00Z",
            "updated": "2026-09-14T09:12:00Z",
            "updateCount": 2,
        }

    def test_a_session_is_shown_with_its_board_and_its_history(self, client: Client) -> None:
        client.order("a%2Fb+c")
        client.return_items({"sku": "MUG", "quantity": 1}, session_id="a%2Fb+c")
        found = get(client, "session?id=a/b+c")
        assert found["session"]["integrationId"] == "a/b+c"
        assert found["returnedItemTotal"] == 12.5
        assert found["board"]["cancel"]["allowed"]
        assert [one["message"] for one in found["board"]["close"]["violations"]] == ["Only open sessions can be closed"]
        assert [one["trigger"] for one in found["history"]] == ["create", "return_items"]

    @pytest.mark.parametrize("detail", ["", "&detail=full", "&detail=simple"])
    def test_a_session_has_a_picture(self, client: Client, detail: str) -> None:
        client.order()
        answer = client.send("GET", f"/sandbox/picture?id=order-1{detail}")
        assert answer.headers["content-type"].startswith("image/svg+xml")
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.text.startswith("<svg")

    def test_a_trigger_is_judged_with_the_outcome_of_every_rule(self, client: Client) -> None:
        client.order()
        body = {"trigger": "return_items", "body": {"returnedCartItems": [{"sku": "CUP"}]}}
        decision = client.send("POST", "/sandbox/evaluation?id=order-1", json=body).json()
        outcomes = {check["code"]: check["outcome"] for check in decision["checks"]}
        assert (decision["allowed"], outcomes["unknown_cart_item"]) == (False, "violated")
        assert decision["violations"][0]["pointer"] == "/returnedCartItems/0/sku"
        assert outcomes["nothing_to_return"] == "passed"
        for trigger, body, allowed in [
            ("return_items", None, False),
            ("reopen", None, True),
            ("close", None, False),
            ("update", {"couponCodes": ["A"]}, False),
            ("cancel", {"state": "cancelled"}, True),
        ]:
            given = {"trigger": trigger, "body": body}
            answer = client.send("POST", "/sandbox/evaluation?id=order-1", json=given)
            assert answer.json()["allowed"] is allowed
        assert client.send("POST", "/sandbox/evaluation?id=order-1", json={"trigger": "create"}).status_code == 400
        assert client.app.session("order-1").update_count == 1

    def test_requests_are_listed_and_shown_as_sent(self, client: Client) -> None:
        client.update("order-1", "?dry=true", cartItems=CART)
        client.update("order-2")
        client.app.fail_next(503, session_id="order-2")
        client.update("order-2")
        client.app.delay_next(0.001)
        client.update("order-2")
        found = get(client, "requests?session=order-2")
        assert [(one["number"], one["status"]) for one in found["requests"]] == [(4, 200), (3, 503), (2, 200)]
        assert found["requests"][0]["fault"] == {"delay": 0.001, "times": 1}
        assert get(client, "requests?limit=1")["total"] == 4
        shown = get(client, "request?number=1")
        assert (shown["dry"], shown["target"]) == (True, "/v2/customer_sessions/order-1?dry=true")
        assert json.loads(shown["body"])["customerSession"]["cartItems"] == CART
        assert json.loads(shown["answer"]) == {"effects": [], "createdCoupons": [], "createdReferrals": []}
        assert shown["answerHeaders"]["content-type"] == "application/json"

    def test_the_recording_is_a_file(self, client: Client) -> None:
        client.update()
        answer = client.send("GET", "/sandbox/recording")
        assert answer.text == client.app.recording()
        assert answer.headers["content-disposition"] == 'attachment; filename="sandbox.jsonl"'

    def test_the_page_is_served_with_a_policy_that_allows_nothing_from_elsewhere(self, client: Client) -> None:
        answer = client.send("GET", "/")
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'sha256-")
        assert client.send("HEAD", "/").status_code == 200


class TestChanging:
    def test_the_clock_is_set_advanced_stopped_and_started(self, client: Client) -> None:
        def change(**given: Any) -> Any:
            return client.send("PUT", "/sandbox/clock", json=given).json()

        assert change(now="2026-12-24T00:00:00+01:00") == {"now": "2026-12-23T23:00:00Z", "running": False}
        assert change(advance=90.5)["now"] == "2026-12-23T23:01:30.500000Z"
        assert change(running=True)["running"] is True
        assert change(running=False)["running"] is False
        assert get(client, "clock")["running"] is False

    @pytest.mark.parametrize(
        ("given", "pointers"),
        [
            ({"now": "tomorrow", "advance": "1", "running": 1.5}, ["/now", "/advance", "/running"]),
            ({"now": 5, "advance": True}, ["/now", "/advance"]),
            ({"advance": 1e300}, ["/by"]),
            ({"time": 5}, ["/time"]),
            ([], [""]),
        ],
    )
    def test_a_time_that_is_none_is_refused(self, client: Client, given: Any, pointers: list[str]) -> None:
        answer = client.send("PUT", "/sandbox/clock", json=given)
        assert answer.status_code == 400
        assert [one["source"].get("pointer", "") for one in answer.json()["errors"]] == pointers
        assert client.app.clock.time == NOW

    def test_faults_are_ordered_listed_and_deleted(self, client: Client) -> None:
        ordered = client.send("POST", "/sandbox/faults", json={"status": 503, "every": 2, "delay": 0.5})
        assert ordered.status_code == 201
        fault = {"number": 1, "seen": 0, "done": 0, "fault": {"status": 503, "every": 2, "delay": 0.5}}
        assert ordered.json() == fault
        assert get(client, "faults") == {"faults": [fault]}
        client.send("POST", "/sandbox/faults", json={"drop": "after"})
        assert client.send("DELETE", "/sandbox/faults?number=1").status_code == 204
        assert client.send("DELETE", "/sandbox/faults?number=1").status_code == 404
        assert client.send("DELETE", "/sandbox/faults").status_code == 204
        assert get(client, "faults") == {"faults": []}
        assert client.send("POST", "/sandbox/faults", json={"status": 200}).status_code == 400

    def test_a_reset_deletes_everything(self, client: Client) -> None:
        client.update()
        assert client.send("POST", "/sandbox/reset").status_code == 204
        assert get(client, "sessions") == {"sessions": [], "total": 0}


class TestRefusals:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "nothing", 404),
            ("GET", "session", 400),
            ("GET", "session?id=order-9", 404),
            ("GET", "picture?id=order-9", 404),
            ("POST", "evaluation?id=order-9", 404),
            ("GET", "picture?id=order-1&detail=all", 400),
            ("GET", "request?number=99", 404),
            ("GET", "request?number=x", 400),
            ("GET", "sessions?limit=1001", 400),
            ("POST", "sessions", 405),
            ("DELETE", "clock", 405),
            ("PUT", "reset", 405),
        ],
    )
    def test_what_cannot_be_is_refused_in_the_envelope(
        self, client: Client, method: str, path: str, status: int
    ) -> None:
        client.update()
        answer = client.send(method, f"/sandbox/{path}")
        assert answer.status_code == status
        assert answer.json()["message"]
        assert ("allow" in answer.headers) == (status == 405)

    @pytest.mark.parametrize("content_type", ["text/plain", ""])
    def test_a_body_is_json(self, client: Client, content_type: str) -> None:
        headers = {"Content-Type": content_type}
        assert client.send("PUT", "/sandbox/clock", content=b"{}", headers=headers).status_code == 415

    def test_a_body_is_bounded(self, client: Client) -> None:
        headers = {"Content-Type": "application/json"}
        answer = client.send("PUT", "/sandbox/clock", content=b" " * (16 * 1024 * 1024 + 1), headers=headers)
        assert answer.status_code == 413

    def test_pages_of_other_sites_cannot_control_it(self, client: Client) -> None:
        for origin, status in (("http://evil.example", 403), ("null", 403), ("http://sandbox", 204)):
            assert client.send("POST", "/sandbox/reset", headers={"Origin": origin}).status_code == status


class TestEvents:
    """Server-sent events: one for each kind of change since the last."""

    def test_each_change_is_told_once(self, client: Client) -> None:
        async def watch() -> list[str]:
            told: asyncio.Queue[str] = asyncio.Queue()
            done = asyncio.Event()

            async def receive() -> Any:
                await done.wait()
                return {"type": "http.disconnect"}

            async def send(message: Any) -> None:
                if body := message.get("body", b""):
                    told.put_nowait(body.decode())

            scope = {"type": "http", "method": "GET", "path": "/sandbox/events", "headers": [], "query_string": b""}
            watching = asyncio.create_task(client.app(scope, receive, send))
            seen = [await told.get()]
            await client.asend("PUT", "/v2/customer_sessions/order-1", json={"customerSession": {}})
            seen.append(await told.get())
            client.app.clock.advance(hours=1)
            seen.append(await told.get())
            client.app.fail_next()
            seen.append(await told.get())
            client.app.close()
            await watching
            return seen

        ready, *others = run(watch())
        assert "event: ready" in ready
        assert [text.splitlines()[0] for text in others] == ["event: requests", "event: clock", "event: faults"]

    def test_a_client_that_has_gone_is_noticed(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("session_fsm.sandbox.control._HEARTBEAT", 0.001)

        async def watch() -> list[str]:
            told: list[str] = []
            gone = asyncio.Event()

            async def receive() -> Any:
                await gone.wait()
                return {"type": "http.disconnect"}

            async def send(message: Any) -> None:
                if body := message.get("body", b""):
                    told.append(body.decode())
                if len(told) == 3:
                    gone.set()

            scope = {"type": "http", "method": "GET", "path": "/sandbox/events", "headers": [], "query_string": b""}
            await client.app(scope, receive, send)
            return told

        assert run(watch())[1:3] == [": still here\n\n"] * 2


class TestClock:
    def test_a_running_clock_runs_and_a_standing_one_stands(self) -> None:
        standing = SandboxClock(NOW, running=False)
        assert (standing(), standing.running, repr(standing)) == (
            NOW,
            False,
            "<SandboxClock standing at 2026-09-14T09:12:00+00:00>",
        )
        running = SandboxClock(NOW)
        assert NOW <= running.time < NOW + timedelta(minutes=1)
        assert running.run() >= NOW
        assert running.stop() == running.time
        assert SandboxClock().time.tzinfo is UTC

    def test_it_may_be_set_to_any_time(self) -> None:
        clock = SandboxClock(NOW, running=False)
        assert clock.set(NOW - timedelta(days=1)) == NOW - timedelta(days=1)
        assert clock.advance(timedelta(days=1), hours=-1) == NOW - timedelta(hours=1)

    @pytest.mark.parametrize(
        "move",
        [
            lambda clock: clock.set(datetime(2026, 1, 1)),
            lambda clock: clock.set("2026-01-01"),
            lambda clock: clock.advance(fortnights=1),
            lambda clock: clock.advance(days=10**7),
            lambda clock: clock.advance(seconds=float("nan")),
            lambda clock: clock.set(datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))),
            lambda clock: clock.advance("1"),
        ],
    )
    def test_what_is_no_time_is_refused(self, move: Any) -> None:
        clock = SandboxClock(NOW, running=False)
        with pytest.raises(InvalidValue):
            move(clock)
        assert clock.time == NOW

    def test_a_clock_that_runs_out_of_time_stands_at_the_last_moment(self) -> None:
        clock = SandboxClock(datetime.max.replace(tzinfo=UTC))
        assert clock.time == datetime.max.replace(tzinfo=UTC)
