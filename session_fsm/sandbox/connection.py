"""What an ASGI server may offer a sandbox: a way to end the connection of a request (W-25)."""

from __future__ import annotations

from asyncio import CancelledError, WriteTransport
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

__all__ = [
    "ASGIApp",
    "ConnectionDropped",
    "Message",
    "Receive",
    "Scope",
    "Send",
    "end_connection",
    "until_disconnected",
    "with_transport",
]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_EXTENSION = "session_fsm.transport"


class ConnectionDropped(ConnectionResetError):
    """A client without a connection, as httpx with its ``ASGITransport``, gets this where a connection is dropped."""


def with_transport(app: ASGIApp, transport: WriteTransport) -> ASGIApp:
    """Return *app* with the transport of its connection in the scope; it sends nothing once that is closing."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        """Call *app*."""

        async def send_unless_closing(message: Message) -> None:
            """Send a message, unless the connection is closing."""
            if transport.is_closing():  # a later part of the request was no HTTP, and the server has answered that
                await until_disconnected(receive)
            await send(message)

        scope["extensions"] = {**(scope.get("extensions") or {}), _EXTENSION: transport}
        try:
            await app(scope, receive, send_unless_closing)
        except CancelledError:
            if not transport.is_closing():  # else the server ends, and has ended the connection
                raise

    return call


async def end_connection(scope: Scope, receive: Receive, *, flush: bool) -> None:
    """End the connection of a request; with *flush*, after what was sent already.

    Raises:
        ConnectionDropped: the server gives no access to the connection.
    """
    extensions: dict[str, Any] = scope.get("extensions") or {}
    transport: WriteTransport | None = extensions.get(_EXTENSION)
    if transport is None:
        raise ConnectionDropped("the sandbox dropped the connection, as a fault told it to")
    if flush:
        transport.close()
    else:
        transport.abort()
    # The server would answer in place of an application that returns before it knows that the client has gone.
    await until_disconnected(receive)


async def until_disconnected(receive: Receive) -> None:
    """Wait until the server knows that the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
