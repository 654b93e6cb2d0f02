"""S-22 and S-23: the sandbox beside a bare Starlette handler that parses and writes the same JSON; the command's start.

Each server runs in a process of its own, with one worker. The client is a socket that sends the next request when the
answer of the last one has arrived. Time is the CPU time of both processes, and of the command for its start.
"""

from __future__ import annotations

import atexit
import json
import multiprocessing
import socket
import subprocess
import sys
from collections.abc import Callable
from time import clock_gettime, process_time
from typing import Any

from benchmarks.plan import Comparison, Measured, Ratio, Timed

__all__ = ["COMPARISONS"]

_PATH = "/v2/customer_sessions/order-1"
_BODY = json.dumps(
    {
        "customerSession": {
            "profileId": "cust-7",
            "cartItems": [{"sku": f"SKU-{number}", "quantity": 2, "price": 19.99} for number in range(3)],
        },
        "responseContent": ["customerSession"],
    }
).encode()
_HEAD = "Host: localhost\r\nAuthorization: ApiKey-v1 test\r\nContent-Type: application/json\r\n"


def _request(method: str) -> bytes:
    body = _BODY if method == "PUT" else b""
    return f"{method} {_PATH} HTTP/1.1\r\n{_HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _sandbox(listening: socket.socket) -> None:
    from session_fsm.sandbox import create_app
    from session_fsm.sandbox.server import serve

    serve(create_app(), listening, lambda: None)


def _bare(listening: socket.socket) -> None:
    """Serve the same JSON with Starlette on uvicorn, as its documentation shows, without looking at it."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from session_fsm import SessionUpdate, wire
    from session_fsm.session import CustomerSession

    update = wire.loads(_BODY, SessionUpdate)
    session = json.loads(wire.dumps(CustomerSession.create("order-1", update, id=1, application_id=1)))
    changed = {"customerSession": session, "effects": [], "createdCoupons": [], "createdReferrals": []}
    found = {"customerSession": session, "effects": []}

    async def put(request: Request) -> Response:
        json.loads(await request.body())
        return Response(json.dumps(changed), media_type="application/json")

    async def get(_: Request) -> Response:
        return Response(json.dumps(found), media_type="application/json")

    path = "/v2/customer_sessions/{session_id}"
    app = Starlette(routes=[Route(path, put, methods=["PUT"]), Route(path, get, methods=["GET"])])
    config = uvicorn.Config(app, access_log=False, log_config=None, http="h11", loop="asyncio")
    uvicorn.Server(config).run(sockets=[listening])


def _cpu_seconds(process: Any) -> float:
    """Return the CPU time of the process with this number, by the clock that Linux has for it."""
    return clock_gettime((~process << 3) | 2)


class _Client:
    """A connection that is kept."""

    def __init__(self, serving: Callable[[socket.socket], None]) -> None:
        # Nagle's algorithm is turned off by asyncio if the socket names TCP.
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        process = multiprocessing.get_context("fork").Process(target=serving, args=(listening,), daemon=True)
        process.start()
        atexit.register(process.terminate)
        self._server = process.ident
        self._socket = socket.create_connection(listening.getsockname())
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def seconds(self) -> float:
        """Return the CPU time of the client and the server."""
        return process_time() + _cpu_seconds(self._server)

    def send(self, request: bytes) -> bytes:
        """Send a request, and return the body of its answer."""
        self._socket.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._socket.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while len(body) < length:
            body += self._socket.recv(65536)
        return body


def _requests(serving: Callable[[socket.socket], None], method: str) -> Timed:
    client, request = _Client(serving), _request(method)
    client.send(_request("PUT"))

    def work(repeats: range) -> None:
        for _ in repeats:
            client.send(request)

    def result() -> Any:
        session = json.loads(client.send(request))["customerSession"]
        return [session["integrationId"], session["total"], len(session["cartItems"])]

    return Timed(work, result=result, clock=client.seconds)


def _comparison(letter: str, method: str) -> Comparison:
    comparison = Comparison(
        f"S-22{letter}",
        f"{method} a session of three items; a bare handler parses and writes the same JSON",
        area="sandbox",
        unit="us per request",
        ratios=[Ratio("bare Starlette", "session-fsm sandbox", at_least=0.5)],
    )

    @comparison.contender("session-fsm sandbox")
    def sandbox() -> Timed:
        return _requests(_sandbox, method)

    @comparison.contender("bare Starlette")
    def bare() -> Timed:
        return _requests(_bare, method)

    return comparison


START = Comparison(
    "S-23",
    "from the start of the command to its first answer",
    area="sandbox",
    unit="s",
    rounds=10,
    ratios=[Ratio("session-fsm sandbox", at_most=0.7)],
)


@START.contender("session-fsm sandbox")
def start_the_command() -> Measured:
    command = [sys.executable, "-m", "session_fsm", "sandbox", "--port", "0"]

    def measure() -> float:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - this program
            line = process.stdout.readline()  # type: ignore[union-attr]  # it was opened as a pipe
            port = int(line.rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(_request("GET"))
                connection.recv(1)
            took = _cpu_seconds(process.pid)
            process.terminate()
            return took

    return Measured(measure)


COMPARISONS = [_comparison("a", "PUT"), _comparison("b", "GET"), START]
