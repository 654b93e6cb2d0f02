"""`create_app`: a sandbox as an ASGI application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from secrets import token_urlsafe
from typing import Any, Generic, TypeVar, overload

from session_fsm.sandbox.api import Api, path_of
from session_fsm.sandbox.connection import Receive, Scope, Send
from session_fsm.sandbox.control import Control
from session_fsm.sandbox.errors import Refused
from session_fsm.sandbox.settings import Effects, Settings
from session_fsm.sandbox.world import World
from session_fsm.session import CustomerSession

__all__ = ["SandboxApp", "create_app"]

C = TypeVar("C", bound=CustomerSession)

_LONGEST_HEAD = 64 * 1024
"""How many bytes the path, the query and the headers of a request may have."""


class SandboxApp(World[C], Generic[C]):
    """A sandbox as an ASGI application. `create_app` makes it."""

    def __init__(
        self, settings: Settings[C], *, store: str | None = None, now: datetime | None = None, running: bool = True
    ) -> None:
        super().__init__(settings, store=store, now=now, running=running)
        self.page_key = token_urlsafe(16)
        """The API key of the sandbox's own page, which every sandbox accepts."""
        self._api = Api(self, self.page_key)
        self._control = Control(self, self.page_key)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as the ASGI specification describes."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000, "reason": ""})
        elif _is_too_long(scope):
            await _refuse_head(send)
        elif (path := path_of(scope)) == b"/" or path == b"/sandbox" or path.startswith(b"/sandbox/"):
            await self._control.app(scope, receive, send)
        else:
            await self._api(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        self.close()
        await send({"type": "lifespan.shutdown.complete"})


def _is_too_long(scope: Scope) -> bool:
    """Whether the head of a request is too long. Servers limit what they read, but not all limit what arrives at once."""
    size = len(scope.get("raw_path") or b"") + len(scope.get("query_string", b""))
    return size + sum(len(name) + len(value) for name, value in scope["headers"]) > _LONGEST_HEAD


async def _refuse_head(send: Send) -> None:
    message = f"The path and the headers of the request have more than {_LONGEST_HEAD:,} bytes"
    body = Refused(431, message, title="Request Header Fields Too Large", details=message).body()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 431, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@overload
def create_app(
    *,
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
) -> SandboxApp[CustomerSession]: ...
@overload
def create_app(
    kind: type[C],
    *,
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
) -> SandboxApp[C]: ...
def create_app(
    kind: Any = CustomerSession,
    *,
    store: str | None = None,
    now: datetime | None = None,
    running: bool = True,
    **settings: Any,
) -> Any:
    """Return a sandbox as an ASGI application, for a server of your own or for clients in the same process.

    >>> import asyncio, httpx2
    >>> app = create_app()
    >>> async def close_an_order() -> int:
    ...     transport = httpx2.ASGITransport(app)
    ...     headers = {"Authorization": "ApiKey-v1 test"}
    ...     async with httpx2.AsyncClient(transport=transport, base_url="http://sandbox", headers=headers) as client:
    ...         body = {"customerSession": {"state": "closed"}}
    ...         return (await client.put("/v2/customer_sessions/order-1042", json=body)).status_code
    >>> asyncio.run(close_an_order()), app.session("order-1042").state
    (200, <State.CLOSED: 'closed'>)

    Args:
        kind: the class of the sessions, whose rules judge the requests.
        store: the URL of a database that keeps the sessions, such as ``sqlite:///sandbox.db``; memory without it.
        settings: how it behaves:
        own: values for the fields that the class adds, for sessions that are created. Those without a default need one.
        effects: a function from the session, its event and the `ApiRequest` to a list of effects; none without it.
        keys: the API keys that are accepted; any without them (W-17).
        application_id: the Application of the sessions.
        unknown_session: the status for a session that does not exist, 404 or 400 (W-21).
        always_session: put the session into answers that did not ask for it (W-12).
        api_version: a month of the API's description, such as ``2026-02``: members that came later are left out of
            sessions in answers (W-16).
        body_timeout: how many seconds the body of a request may take to arrive.
        now: the time at which the clock starts; the current time without it.
        running: whether the clock runs.

    Raises:
        InvalidValue: an argument is wrong.
    """
    return SandboxApp(Settings(kind=kind, **settings), store=store, now=now, running=running)
