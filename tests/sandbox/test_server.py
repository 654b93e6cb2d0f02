"""`Sandbox` on a port: it starts quickly, ends quickly, and bears hostile and slow clients."""

import asyncio
import os
import socket
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from builders import EveryRuleSession, TenantSession
from sandbox_client import CART, HEADERS, Client, run

from session_fsm import State
from session_fsm.sandbox import Sandbox, SessionUnknown, create_app
from session_fsm.sandbox import bell as bell_module
from session_fsm.sandbox.bell import Bell
from session_fsm.sandbox.connection import until_disconnected, with_transport
from session_fsm.sandbox.server import SandboxServer, listening_socket

TIMES = int(os.environ.get("SESSION_FSM_SANDBOX_TIMES", "1"))
"""How much longer the tests with many requests and connections are."""


def put(sandbox: Sandbox[Any], session_id: str = "order-1", **session: Any) -> httpx2.Response:
    url = f"{sandbox.url}/v2/customer_sessions/{session_id}"
    return httpx2.put(url, json={"customerSession": session}, headers=HEADERS)


def exchange(sandbox: Sandbox[Any], data: bytes, *, timeout: float = 10) -> bytes:
    """Send bytes, and return what comes until the server ends the connection or says all."""
    with socket.create_connection((sandbox.host, sandbox.port), timeout=timeout) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except OSError:  # the server has ended it already
            pass
        parts = []
        try:
            while part := connection.recv(65536):
                parts.append(part)
        except ConnectionResetError:
            pass
        return b"".join(parts)


class TestSandbox:
    def test_it_listens_on_loopback_and_on_a_port_of_its_own(self, talon_one: Sandbox[Any]) -> None:
        with Sandbox() as other:
            assert other.port != talon_one.port
            assert other.url == f"http://127.0.0.1:{other.port}"
            assert repr(other) == f"<Sandbox of CustomerSession at {other.url}>"
            put(other)
            assert (other.session("order-1").state, talon_one.sessions()) == ("open", [])

    def test_it_starts_within_50_milliseconds_once_warm(self, talon_one: Sandbox[Any]) -> None:
        times = []
        for _ in range(5):
            began = perf_counter()
            with Sandbox():
                times.append(perf_counter() - began)
        assert min(times) < 0.05
        assert put(talon_one).status_code == 200

    def test_it_may_be_started_and_stopped_by_hand(self) -> None:
        sandbox = Sandbox(TenantSession, own={"tenant": "acme"})
        assert sandbox.port == 0
        sandbox.stop()
        sandbox = Sandbox(TenantSession, own={"tenant": "acme"}).start()
        assert put(sandbox).status_code == 200
        assert sandbox.session("order-1").tenant == "acme"
        sandbox.stop()
        with pytest.raises(httpx2.ConnectError):
            put(sandbox)

    def test_a_port_that_is_taken_is_an_error(self, talon_one: Sandbox[Any]) -> None:
        with pytest.raises(OSError, match="in use"):
            Sandbox(port=talon_one.port).start()

    def test_it_listens_on_ipv6_too(self) -> None:
        if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
            pytest.skip("this machine has no IPv6")
        with Sandbox(host="::1") as sandbox:
            assert sandbox.url == f"http://[::1]:{sandbox.port}"
            assert put(sandbox).status_code == 200

    def test_it_ends_while_requests_wait(self) -> None:
        with Sandbox() as sandbox, ThreadPoolExecutor() as executor:
            sandbox.delay_next(3600)
            waiting = executor.submit(put, sandbox)
            sandbox.bell.wait_until(lambda: sandbox.turns.users("session", "order-1") == 1, 10)
            with httpx2.stream("GET", f"{sandbox.url}/sandbox/events") as watching:
                told = watching.iter_raw()
                assert b"event: ready" in next(told)
                sandbox.stop()
                assert waiting.result().status_code == 200
                assert not any(b"reset" in part for part in told)

    def test_a_request_that_does_not_end_is_cancelled(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sandbox = Sandbox()

        async def never(*_: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(sandbox, "wait_while_held", never)
        monkeypatch.setattr("session_fsm.sandbox.server._GRACE", 0.01)
        with sandbox, ThreadPoolExecutor() as executor:
            waiting = executor.submit(put, sandbox)
            sandbox.bell.wait_until(lambda: sandbox.turns.users("session", "order-1") == 1, 10)
            sandbox.stop()
            with pytest.raises(httpx2.TransportError):
                raise waiting.exception() or AssertionError

    def test_it_ends_while_requests_are_held(self) -> None:
        with Sandbox() as sandbox, ThreadPoolExecutor() as executor, sandbox.hold("order-1") as held:
            waiting = executor.submit(put, sandbox)
            held.wait()
            sandbox.stop()
            assert waiting.result().status_code == 200

    def test_a_server_that_is_stopped_before_it_runs_ends_at_once(self) -> None:
        listening = listening_socket("127.0.0.1", 0)
        server = SandboxServer(create_app(), lambda: None)
        server.stop()
        server.run(sockets=[listening])
        listening.close()

    def test_a_hold_that_nothing_reaches_times_out(self, talon_one: Sandbox[Any]) -> None:
        with talon_one.hold() as held, pytest.raises(TimeoutError, match="0 of 2 requests"):
            held.wait(2, timeout=0.01)

    def test_everything_may_be_held(self, talon_one: Sandbox[Any]) -> None:
        with ThreadPoolExecutor() as executor, talon_one.hold() as held:
            sent = [executor.submit(put, talon_one, name) for name in ("a", "b")]
            held.wait(2)
            with pytest.raises(SessionUnknown):
                talon_one.session("a")
            executor.submit(lambda: None)
        assert [one.result().status_code for one in sent] == [200, 200]


class TestStore:
    """``store=`` keeps the sessions."""

    def test_sessions_are_kept_in_a_database(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("session_fsm.sandbox.stored._BATCH", 1)
        url = f"sqlite:///{tmp_path / 'sandbox.db'}"
        with Sandbox(EveryRuleSession, store=url) as first:
            assert put(first, cartItems=CART, profileId="cust-7").status_code == 200
            assert put(first, couponCodes=["XMAS"]).status_code == 200
            put(first, "order-2", profileId="cust-7")
            assert put(first, "order-3", state="cancelled").status_code == 400
        with Sandbox(EveryRuleSession, store=url) as second:
            session = second.session("order-1")
            assert (session.coupon_codes, session.update_count, session.first_session) == (("XMAS",), 2, True)
            assert second.session("order-2").first_session is False
            assert [one.integration_id for one in second.sessions(limit=1)] == ["order-2"]
            assert len(second.history("order-1")) == 2
            body = {"customerSession": {}, "responseContent": ["customerProfile", "previousReturns"]}
            url = f"{second.url}/v2/customer_sessions/order-3"
            assert httpx2.put(url, json=body, headers=HEADERS).json()["previousReturns"] == []
            assert second.session("order-3").id == 3
            for call in (second.session, second.history):
                with pytest.raises(SessionUnknown):
                    call("order-9")
            second.reset()
            assert second.sessions() == []

    def test_sessions_that_others_stored_are_answered_with_the_ids_that_clients_need(self, tmp_path: Path) -> None:
        """W-16: id and applicationId are in every answer."""
        from session_fsm import CustomerSession  # noqa: PLC0415 - beside the store
        from session_fsm.store import SessionStore  # noqa: PLC0415 - an extra of its own

        url = f"sqlite:///{tmp_path / 'sandbox.db'}"
        with SessionStore(url, application_id=1) as store:
            store.create_schema()
            store.add(CustomerSession.create("order-1"))
        client = Client(store=url)
        session = client.get().json()["customerSession"]
        assert (session["id"], session["applicationId"]) == (0, 1)
        client.app.close()

    def test_an_answer_says_what_failed_in_the_store(self, tmp_path: Path) -> None:
        path = tmp_path / "sandbox.db"
        client = Client(store=f"sqlite:///{path}")
        with closing(sqlite3.connect(path)) as database:
            database.execute("DROP TABLE sessions")
        answer = client.get()
        assert answer.status_code == 503
        assert answer.json()["message"] == "session 'order-1': the database has refused a statement [SQLITE_ERROR]"
        client.app.close()

    def test_a_store_that_cannot_be_opened_is_an_error(self, tmp_path: Path) -> None:
        from session_fsm.store import StoreUnavailable  # noqa: PLC0415 - an extra of its own

        with pytest.raises(StoreUnavailable):
            Client(store=f"sqlite:///{tmp_path}/no/such/folder.db")


class TestHostileClients:
    """Everything ends in an error, and never in a traceback or in a server that is stuck."""

    def check(self, sandbox: Sandbox[Any], caplog: pytest.LogCaptureFixture) -> None:
        assert put(sandbox).status_code == 200
        assert "Traceback" not in caplog.text

    @pytest.mark.parametrize(
        "data",
        [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"PUT /v2/customer_sessions/a HTTP/1.1\r\n\r\n",
            b"PUT /v2/customer_sessions/a HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            b"PUT /v2/customer_sessions/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"PUT /v2/customer_sessions/\xff HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X-Many: a\r\n" * 20_000 + b"\r\n",
        ],
        ids=["tls", "no host", "length", "chunk", "bytes", "long path", "long header", "many headers"],
    )
    def test_what_is_no_request_is_refused(
        self, talon_one: Sandbox[Any], caplog: pytest.LogCaptureFixture, data: bytes
    ) -> None:
        assert exchange(talon_one, data)[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 431", b"")
        self.check(talon_one, caplog)

    def test_an_id_of_any_bytes_is_answered(self, talon_one: Sandbox[Any], caplog: pytest.LogCaptureFixture) -> None:
        """W-24."""
        head = b" HTTP/1.1\r\nHost: a\r\nAuthorization: ApiKey-v1 x\r\nConnection: close\r\nContent-Length: 22\r\n\r\n"
        statuses = {
            exchange(talon_one, b"PUT /v2/customer_sessions/%%%02X" % byte + head + b'{"customerSession":{}}')[:12]
            for byte in range(256)
        }
        assert statuses == {b"HTTP/1.1 200", b"HTTP/1.1 400"}
        assert len(talon_one.sessions(limit=1000)) == 128
        self.check(talon_one, caplog)

    def test_a_body_of_more_than_16_mib_is_413(self, talon_one: Sandbox[Any], caplog: pytest.LogCaptureFixture) -> None:
        head = b"PUT /v2/customer_sessions/a HTTP/1.1\r\nHost: a\r\nAuthorization: ApiKey-v1 x\r\n"
        answer = exchange(talon_one, head + b"Content-Length: 20000000\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 413")
        self.check(talon_one, caplog)

    def test_a_head_that_does_not_arrive_ends_the_connection(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr("session_fsm.sandbox.server._HEAD_TIMEOUT", 0.05)
        with Sandbox() as sandbox, socket.create_connection((sandbox.host, sandbox.port), timeout=10) as silent:
            head = b"GET /sandbox/clock HTTP/1.1\r\nHost: a\r\n"
            silent.sendall(head + b"\r\n")
            answer = b""
            while b"}" not in answer:
                answer += silent.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200")
            silent.sendall(head)
            with suppress(ConnectionResetError):
                assert silent.recv(65536) == b""
            self.check(sandbox, caplog)

    def test_many_connections_are_borne(self, talon_one: Sandbox[Any], caplog: pytest.LogCaptureFixture) -> None:
        idle = [socket.create_connection((talon_one.host, talon_one.port)) for _ in range(100 * TIMES)]
        self.check(talon_one, caplog)
        for connection in idle:
            connection.close()
        self.check(talon_one, caplog)

    def test_more_connections_than_are_allowed_get_503(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr("session_fsm.sandbox.server._MOST_CONNECTIONS", 3)
        with Sandbox() as sandbox:
            idle = [socket.create_connection((sandbox.host, sandbox.port)) for _ in range(3)]
            assert put(sandbox).status_code == 503
            for connection in idle:
                connection.close()
        assert "Traceback" not in caplog.text

    def test_a_client_that_goes_in_the_middle_is_forgotten(
        self, talon_one: Sandbox[Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        head = b"PUT /v2/customer_sessions/a HTTP/1.1\r\nHost: a\r\nAuthorization: ApiKey-v1 x\r\nContent-Length: 99\r\n\r\n"
        with socket.create_connection((talon_one.host, talon_one.port)) as connection:
            connection.sendall(head + b"{")
        self.check(talon_one, caplog)
        assert [one.session_id for one in talon_one.requests] == ["order-1"]

    def test_a_connection_upgrade_is_not_made(self, talon_one: Sandbox[Any], caplog: pytest.LogCaptureFixture) -> None:
        head = b"GET /sandbox/clock HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n"
        assert exchange(talon_one, head).startswith(b"HTTP/1.1 200")
        self.check(talon_one, caplog)


class TestConnections:
    """What `session_fsm.sandbox.connection` does for any server."""

    def test_the_end_of_a_connection_is_waited_for(self) -> None:
        messages = [{"type": "http.request"}, {"type": "http.disconnect"}]

        async def receive() -> Any:
            return messages.pop(0)

        run(until_disconnected(receive))
        assert messages == []

    def test_a_request_is_cancelled_silently_where_its_connection_has_ended(self) -> None:
        async def app(*_: Any) -> None:
            raise asyncio.CancelledError

        async def call(*, closing: bool) -> None:
            transport: Any = SimpleNamespace(is_closing=lambda: closing)
            await with_transport(app, transport)({}, None, None)  # type: ignore[arg-type]  # neither is called

        run(call(closing=True))
        with pytest.raises(asyncio.CancelledError):
            run(call(closing=False))

    @pytest.mark.parametrize("closing", [False, True])
    def test_nothing_is_sent_before_the_server_knows_that_a_connection_is_closing(self, closing: bool) -> None:
        order: list[str] = []
        transport: Any = SimpleNamespace(is_closing=lambda: closing)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            assert scope["extensions"]["other"] == 1
            await send({"type": "http.response.start"})

        async def receive() -> Any:
            order.append("disconnected")
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            order.append("sent")

        run(with_transport(app, transport)({"extensions": {"other": 1}}, receive, send))
        assert order == (["disconnected", "sent"] if closing else ["sent"])


class TestManyClients:
    def test_no_update_is_lost(self, talon_one: Sandbox[Any]) -> None:
        """W-20: every update is performed once, or is refused with 409 and not performed."""
        requests = 50 * TIMES

        def send(number: int) -> list[int]:
            with httpx2.Client(base_url=talon_one.url, headers=HEADERS) as client:
                body = {"customerSession": {"couponCodes": [str(number)]}}
                path = f"/v2/customer_sessions/order-{number % 3}"
                return [client.put(path, json=body).status_code for _ in range(requests)]

        with ThreadPoolExecutor(12) as executor:
            statuses = [status for many in executor.map(send, range(12)) for status in many]
        assert set(statuses) <= {200, 409}
        performed = sum(talon_one.session(f"order-{number}").update_count for number in range(3))
        assert performed == statuses.count(200)
        assert talon_one.session("order-0").state is State.OPEN


class TestBell:
    def test_a_waiter_that_is_awake_already_is_left_alone(self) -> None:
        async def wake() -> None:
            future = asyncio.get_running_loop().create_future()
            bell_module._wake(future)
            bell_module._wake(future)

        run(wake())

    def test_a_bell_wakes_threads_and_tasks(self) -> None:
        bell = Bell()
        assert bell.wait_until(lambda: False, 0.01) is False
        rung = threading.Timer(0.01, bell.ring)
        rung.start()
        assert bell.wait_until(lambda: bell.rings == 1, 10)
        rung.join()

        async def wait() -> None:
            await bell.wait(0)
            await bell.wait(1, 0.001)
            waiting = [asyncio.create_task(bell.wait(1)) for _ in range(2)]
            await asyncio.sleep(0)
            bell.ring()
            bell.ring()
            await asyncio.gather(*waiting)

        run(wait())

    def test_a_task_whose_loop_has_gone_is_left_alone(self) -> None:
        bell = Bell()
        loop = asyncio.new_event_loop()
        waiting = loop.create_task(bell.wait(0))
        loop.run_until_complete(asyncio.sleep(0))
        closed, waiting_on = loop.is_closed, loop
        waiting_on.is_closed = lambda: True  # type: ignore[method-assign]  # as if the loop had ended
        bell.ring()
        waiting_on.is_closed = closed  # type: ignore[method-assign]  # as it was
        waiting.cancel()
        loop.run_until_complete(asyncio.wait([waiting]))
        loop.close()
        assert bell.rings == 1


def test_a_socket_that_cannot_listen_is_closed() -> None:
    with pytest.raises(OSError):
        listening_socket("192.0.2.1", 0)
