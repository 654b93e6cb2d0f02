"""`Sandbox`: a sandbox on a port of its own, in a thread; and the uvicorn server that it and the command use."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast, overload

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from session_fsm.sandbox.app import SandboxApp
from session_fsm.sandbox.connection import with_transport
from session_fsm.sandbox.settings import Effects, Settings
from session_fsm.session import CustomerSession

__all__ = ["LOOPBACK", "Sandbox", "SandboxServer", "listening_socket", "serve"]

C = TypeVar("C", bound=CustomerSession)

LOOPBACK = "127.0.0.1"
_MOST_CONNECTIONS = 1000
_HEAD_TIMEOUT = 30.0
"""How many seconds the head of a request may take to arrive."""
_LONGEST_HEAD = 64 * 1024
_BACKLOG = 2048
_GRACE = 1.0
"""How many seconds requests get when the server ends."""
_PATIENCE = 10.0
"""How many seconds a server may take to start or stop."""


class _Connection(H11Protocol):
    """A connection that ends when the head of a request is too slow, and that a fault can end (W-25)."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        answer = with_transport(self.app, transport)

        async def call(scope: Any, receive: Any, send: Any) -> None:
            self._head_is_complete()
            await answer(scope, receive, send)

        self.app = cast("Any", call)
        self._waiting = self.loop.call_later(_HEAD_TIMEOUT, transport.abort)

    def data_received(self, data: bytes) -> None:
        is_idle = self.cycle is None or self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison]  # None before the first request
        if self._waiting is None and is_idle:
            self._waiting = self.loop.call_later(_HEAD_TIMEOUT, self.transport.abort)
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_complete()
        super().connection_lost(exc)

    def _head_is_complete(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


class SandboxServer(uvicorn.Server):
    """A uvicorn server that starts and stops without delay."""

    def __init__(self, app: SandboxApp[Any], started: Callable[[], object]) -> None:
        super().__init__(
            uvicorn.Config(
                cast("Any", app),
                http=_Connection,
                ws="none",
                loop="asyncio",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                limit_concurrency=_MOST_CONNECTIONS,
                backlog=_BACKLOG,
                h11_max_incomplete_event_size=_LONGEST_HEAD,
                timeout_graceful_shutdown=1,
            )
        )
        self._app = app
        self._has_started = started
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Wait until the server is stopped. uvicorn's own loop looks for that every tenth of a second."""
        self._loop = asyncio.get_running_loop()
        self._has_started()
        while not self.should_exit:
            await self._stop.wait()

    def stop(self) -> None:
        """Stop the server; from any thread, or from a signal handler."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)

    def handle_exit(self, sig: int, frame: Any) -> None:  # noqa: ARG002 - the signature is uvicorn's
        """Stop the server after a signal."""
        self.stop()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the connections; requests that wait are let go, and get a second."""
        self._app.is_closing = True
        self._app.bell.ring()
        for server in self.servers:
            server.close()
        for one in sockets or []:
            one.close()
        for connection in list(self.server_state.connections):
            cast("Any", connection).shutdown()
        tasks = list(self.server_state.tasks)
        late = (await asyncio.wait(tasks, timeout=_GRACE))[1] if tasks else set[Any]()
        for connection in list(self.server_state.connections):
            cast("Any", connection).transport.abort()
        await asyncio.sleep(0)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        OSError: the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only for sockets that name TCP; with it, an answer takes 40 ms longer.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


class Sandbox(SandboxApp[C], Generic[C]):
    """A sandbox that listens on a free port of the loopback interface, in a thread, as long as the block runs.

    >>> import httpx2
    >>> with Sandbox() as talon_one:
    ...     url = f"{talon_one.url}/v2/customer_sessions/order-1042"
    ...     body = {"customerSession": {"state": "closed"}}
    ...     answer = httpx2.put(url, json=body, headers={"Authorization": "ApiKey-v1 test"})
    ...     answer.json(), talon_one.session("order-1042").state
    ({'effects': [], 'createdCoupons': [], 'createdReferrals': []}, <State.CLOSED: 'closed'>)

    Args:
        kind: and the others: as for `create_app`.
        host: the address to listen on.
        port: the port; a free one without it.
    """

    @overload
    def __init__(
        self: Sandbox[CustomerSession],
        *,
        host: str = LOOPBACK,
        port: int = 0,
        store: str | None = None,
        own: Mapping[str, Any] = ...,
        effects: Effects | None = None,
        keys: Sequence[str] = (),
        application_id: int = 1,
        unknown_session: int = 404,
        always_session: bool = False,
        api_version: str | None = None,
        body_timeout: float = 30.0,
        now: datetime | None = None,
        running: bool = True,
    ) -> None: ...
    @overload
    def __init__(
        self,
        kind: type[C],
        *,
        host: str = LOOPBACK,
        port: int = 0,
        store: str | None = None,
        own: Mapping[str, Any] = ...,
        effects: Effects | None = None,
        keys: Sequence[str] = (),
        application_id: int = 1,
        unknown_session: int = 404,
        always_session: bool = False,
        api_version: str | None = None,
        body_timeout: float = 30.0,
        now: datetime | None = None,
        running: bool = True,
    ) -> None: ...
    def __init__(
        self,
        kind: Any = CustomerSession,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        store: str | None = None,
        now: datetime | None = None,
        running: bool = True,
        **settings: Any,
    ) -> None:
        super().__init__(Settings(kind=kind, **settings), store=store, now=now, running=running)
        self._address = host, port
        self._server: SandboxServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def host(self) -> str:
        """The address that it listens on."""
        return self._address[0]

    @property
    def port(self) -> int:
        """The port; 0 before it listens on a free one."""
        return self._address[1]

    @property
    def url(self) -> str:
        """The base URL for clients, such as ``http://127.0.0.1:49152``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def start(self) -> Self:
        """Start the server, and return when it listens.

        Raises:
            OSError: the address cannot be used.
        """
        listening = listening_socket(*self._address)
        self._address = self.host, listening.getsockname()[1]
        started = threading.Event()
        self._server = server = SandboxServer(self, started.set)
        # A server that dies without listening must not block the caller for ever.
        self._thread = threading.Thread(
            target=_run, args=(server, listening, started), name=f"session-fsm sandbox on port {self.port}", daemon=True
        )
        self._thread.start()
        started.wait(_PATIENCE)
        return self

    def stop(self) -> None:
        """Stop the server, and close the store; nothing happens if it does not run."""
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join(_PATIENCE)
            self._server = self._thread = None
        self.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Sandbox of {self.settings.kind.__name__} at {self.url}>"


def serve(app: SandboxApp[Any], listening: socket.socket, started: Callable[[], object]) -> None:
    """Serve *app* until a signal ends the process, and close it. *started* is called when it listens."""
    try:
        SandboxServer(app, started).run(sockets=[listening])
    finally:
        app.close()


def _run(server: SandboxServer, listening: socket.socket, started: threading.Event) -> None:
    try:
        server.run(sockets=[listening])
    finally:
        started.set()
