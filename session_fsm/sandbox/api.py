"""The API's operations as an ASGI application: routes, authentication, faults, turns, idempotency keys, the journal."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from email.utils import format_datetime
from time import perf_counter
from typing import Any, Generic, TypeVar

from attrs import define, evolve, field, frozen

from session_fsm.errors import SessionFSMError, TransitionRefused
from session_fsm.sandbox.answers import EffectsFailed
from session_fsm.sandbox.connection import Receive, Scope, Send, end_connection
from session_fsm.sandbox.errors import Refused, status_and_envelope
from session_fsm.sandbox.faults import Fault, OperationName
from session_fsm.sandbox.idempotency import fingerprint
from session_fsm.sandbox.journal import Exchange
from session_fsm.sandbox.reading import read_request, segments_of, text_of
from session_fsm.sandbox.settings import ApiRequest
from session_fsm.sandbox.world import World
from session_fsm.session import CustomerSession
from session_fsm.validators import is_object
from session_fsm.wire.text import MOST_BYTES

__all__ = ["Api", "path_of"]

C = TypeVar("C", bound=CustomerSession)

_log = logging.getLogger("session_fsm.sandbox")

_ROUTES: Sequence[tuple[Sequence[bytes | None], Mapping[str, OperationName]]] = (
    ((b"v2", b"customer_sessions", None), {"GET": "get", "PUT": "update"}),
    ((b"v2", b"customer_sessions", None, b"returns"), {"POST": "return"}),
    ((b"v2", b"customer_sessions", None, b"reopen"), {"PUT": "reopen"}),
    ((b"v2", b"customer_profiles", None), {"PUT": "profile"}),
)
"""The segments of each path, with None for the ID, and the operation of each method."""
_WITH_BODY = ("update", "return", "profile")
_WITH_KEY = ("update", "return", "reopen")
_LIMITED = ("update", "profile")
"""The operations of which only three at once are allowed for one session or profile (W-20)."""
_SCHEME = "apikey-v1"
_MESSAGES = {
    409: "Too many requests are updating this session at the same time",
    429: "Too many requests",
    500: "Internal server error",
    503: "Service unavailable",
}


class _Dropped(Exception):
    """The connection is to be dropped without an answer."""


class _Gone(Exception):
    """The client has gone before its request was complete."""


@frozen
class _Answer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(factory=dict[str, str])
    cut: bool = False


@define
class _Call:
    """One request while it is answered."""

    scope: Scope
    receive: Receive
    method: str
    headers: Mapping[str, str]
    segments: Sequence[bytes]
    target: str
    operation: OperationName | None = None
    session_id: str | None = None
    body: bytes = b""
    request: ApiRequest | None = None
    fault: Fault | None = None
    performed: bool = False
    repeated: bool = False


def path_of(scope: Scope) -> bytes:
    """Return the path of a request as it was sent, percent-encoded, below the place where the application is mounted."""
    raw: bytes | None = scope.get("raw_path")
    path = scope["path"].encode() if raw is None else raw.partition(b"?")[0]
    root = scope.get("root_path", "").encode()
    return path[len(root) :] if root and path.startswith(root + b"/") else path


class Api(Generic[C]):
    """The operations. Everything that is not one of them is answered with 404."""

    def __init__(self, world: World[C], page_key: str) -> None:
        self._world = world
        self._page_key = page_key
        operations = world.operations
        self._perform: Mapping[OperationName, Callable[[ApiRequest], bytes]] = {
            "update": operations.update,
            "get": operations.get,
            "return": operations.return_items,
            "reopen": operations.reopen,
            "profile": operations.profile,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        began = perf_counter()
        path, query = path_of(scope), scope.get("query_string", b"")
        call = _Call(
            scope,
            receive,
            "GET" if scope["method"] == "HEAD" else scope["method"],
            {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
            segments_of(path),
            (path + (b"?" + query if query else b"")).decode("latin-1"),
        )
        answer: _Answer | None = None
        try:
            answer = self._complete(await self._answered(call))
        except _Gone:
            return
        except _Dropped:
            pass
        self._note(call, answer, (perf_counter() - began) * 1000)
        if answer is None:
            await end_connection(scope, receive, flush=False)
        else:
            await self._send(call, answer, send)

    def _note(self, call: _Call, answer: _Answer | None, milliseconds: float) -> None:
        request, journal = call.request, self._world.journal
        journal.add(
            Exchange(
                number=journal.next_number(),
                at=self._world.clock.time if request is None else request.time,
                method=call.scope["method"],
                target=call.target,
                headers=call.headers,
                body=call.body,
                operation=call.operation,
                session_id=call.session_id,
                dry=request is not None and request.dry,
                now=None if request is None else request.now,
                performed=call.performed,
                repeated=call.repeated,
                fault=None if call.fault is None else call.fault.to_json(),
                status=None if answer is None else answer.status,
                answer=b"" if answer is None else answer.body,
                answer_headers={} if answer is None else answer.headers,
                milliseconds=round(milliseconds, 3),
            )
        )

    def _complete(self, answer: _Answer) -> _Answer:
        """Return the answer with all its headers. The date is that of the sandbox's clock."""
        headers = {
            "content-type": "application/json",
            "content-length": str(len(answer.body)),
            "date": format_datetime(self._world.clock.time, usegmt=True),
        }
        return _Answer(answer.status, answer.body, {**headers, **answer.headers}, answer.cut)

    async def _send(self, call: _Call, answer: _Answer, send: Send) -> None:
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
        if answer.cut:
            half = answer.body[: len(answer.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            await end_connection(call.scope, call.receive, flush=True)
        else:
            await send({"type": "http.response.body", "body": answer.body})

    # --- From the request to the answer -------------------------------------------------------------------------------

    async def _answered(self, call: _Call) -> _Answer:
        """Return the answer; whatever goes wrong is an answer too.

        Raises:
            _Dropped: a fault drops the connection.
            _Gone: the client has gone.
        """
        try:
            return await self._routed(call)
        except (_Dropped, _Gone):
            raise
        except Refused as refused:
            return _Answer(refused.status, refused.body(), refused.headers)
        except SessionFSMError as error:
            call.performed = isinstance(error, TransitionRefused)
            return _Answer(*status_and_envelope(error))
        except Exception as error:  # noqa: BLE001 - the class and the function for effects may raise anything
            _log.exception("%s %s failed", call.method, call.target)
            text = str(error) if isinstance(error, EffectsFailed) else f"{type(error).__name__}: {error}"
            return _Answer(500, Refused(500, text, title="failed", details=text).body())

    async def _routed(self, call: _Call) -> _Answer:
        operations = _operations_at(call.segments)
        if operations is None:
            message = f"There is no operation {call.method} {call.target}"
            raise Refused(404, message, title="Not Found", details="The sandbox has no such path")
        call.session_id = text_of(call.segments[2])
        call.operation = operations.get(call.method)
        if call.operation is None:
            allowed = ", ".join([*operations, *(["HEAD"] if "GET" in operations else [])])
            message = f"{call.method} is not allowed here; {allowed} is"
            raise Refused(405, message, title="Method Not Allowed", details=message, headers={"allow": allowed})
        self._authenticate(call)
        call.body = await self._body(call)
        if call.operation in _WITH_BODY:
            _check_content_type(call.headers.get("content-type", ""))
        query = call.scope.get("query_string", b"")
        call.request = read_request(call.operation, call.session_id, query, call.body, self._world.clock.time)
        call.fault = fault = self._world.take_fault(call.operation, call.session_id)
        async with self._turn(call.request):
            await self._world.wait_while_held(call.session_id)
            if fault is not None:
                await self._before(fault)
            call.request = evolve(call.request, time=self._world.clock.time)
            answer = await self._performed(call, call.request)
        if fault is not None and fault.drop == "after":
            raise _Dropped
        return _Answer(200, answer, cut=fault is not None and fault.cut)

    def _authenticate(self, call: _Call) -> None:
        """Check the API key (W-17).

        Raises:
            Refused: there is none, or a wrong one.
        """
        scheme, _, key = call.headers.get("authorization", "").strip().partition(" ")
        keys = self._world.settings.keys
        if scheme.lower() == _SCHEME and key.strip() and (not keys or key.strip() in (*keys, self._page_key)):
            return
        details = "The request needs the header Authorization: ApiKey-v1 KEY"
        if keys and scheme.lower() == _SCHEME and key.strip():
            details = "The sandbox does not know this API key"
        headers = {"www-authenticate": "ApiKey-v1"}
        raise Refused(401, "Invalid API key", title="Unauthorized", details=details, headers=headers)

    async def _body(self, call: _Call) -> bytes:
        """Read the body.

        Raises:
            Refused: it is too large, or too slow.
            _Gone: the client has gone.
        """
        announced = call.headers.get("content-length", "")
        if announced.isdigit() and (len(announced) > len(str(MOST_BYTES)) or int(announced) > MOST_BYTES):
            raise _too_large()
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._world.settings.body_timeout):
                while True:
                    message = await call.receive()
                    if message["type"] == "http.disconnect":
                        raise _Gone
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > MOST_BYTES:
                        raise _too_large()
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError:
            raise _closing(408, "The body of the request did not arrive in time", "Request Timeout") from None

    def _turn(self, request: ApiRequest) -> Any:
        """Return the context in which it is the turn of a request (W-20)."""
        if request.operation == "get":
            return nullcontext()
        places = [("profile" if request.operation == "profile" else "session", request.session_id)]
        if request.operation == "update":
            session: Any = request.body.get("customerSession")
            profile_id: Any = session.get("profileId") if is_object(session) else None
            if isinstance(profile_id, str) and profile_id:
                places.append(("profile", profile_id))
        return self._world.turns.take(places, limited=request.operation in _LIMITED)

    async def _before(self, fault: Fault) -> None:
        """Do what a fault does before a request is performed.

        Raises:
            _Dropped: it drops the connection.
            Refused: it answers.
        """
        if fault.delay:
            await self._world.pause(fault.delay)
        if fault.drop == "before":
            raise _Dropped
        if fault.status is not None:
            message = fault.message or _MESSAGES.get(fault.status) or f"Status {fault.status}, as ordered"
            title = "" if fault.status == 409 else "sandbox_fault"
            raise Refused(fault.status, message, title=title, details="A fault to order", headers=fault.headers)

    async def _performed(self, call: _Call, request: ApiRequest) -> bytes:
        """Perform a request, or return the answer that its idempotency key has already (W-22)."""
        key = call.headers.get("idempotency-key") if request.operation in _WITH_KEY else None
        kept, now = self._world.kept_answers, request.time
        identity = fingerprint(call.method, call.target, call.body)
        if key is not None and (answer := kept.find(key, identity, now)) is not None:
            call.repeated = True
            return answer
        perform = self._perform[request.operation]
        answer = await asyncio.to_thread(perform, request) if self._world.blocks else perform(request)
        call.performed = True
        if key is not None:
            kept.keep(key, identity, answer, now)
        return answer


def _operations_at(segments: Sequence[bytes]) -> Mapping[str, OperationName] | None:
    """Return the operations of a path by their methods, or None if it has none. An empty ID has none (W-24)."""
    for pattern, operations in _ROUTES:
        if len(pattern) == len(segments) and all(
            given if wanted is None else wanted == given for wanted, given in zip(pattern, segments, strict=True)
        ):
            return operations
    return None


def _check_content_type(given: str) -> None:
    """Check that a body is JSON.

    Raises:
        Refused: its type is another one.
    """
    kind = given.partition(";")[0].strip().lower()
    if kind and kind != "application/json":
        details = f"The body is JSON: send Content-Type: application/json instead of {kind}"
        headers = {"accept": "application/json"}
        raise Refused(415, details, title="Unsupported Media Type", details=details, headers=headers)


def _too_large() -> Refused:
    return _closing(413, f"The body of the request is larger than {MOST_BYTES:,} bytes", "Content Too Large")


def _closing(status: int, message: str, title: str) -> Refused:
    """Return an answer after which the connection ends, because the rest of the request is not read."""
    return Refused(status, message, title=title, details=message, headers={"connection": "close"})
