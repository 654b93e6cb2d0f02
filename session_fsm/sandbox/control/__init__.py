"""The control API below ``/sandbox/``, and the page at ``/``. `openapi` describes it.

IDs of sessions are in the query: a path cannot hold every ID (W-24).
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from session_fsm import wire
from session_fsm.converters import timestamp, to_time
from session_fsm.diagrams import render
from session_fsm.errors import InvalidValue, Problem, SessionFSMError, WireError
from session_fsm.sandbox.control.documents import decision_document, exchange_summary, fault_document, session_summary
from session_fsm.sandbox.control.requests import body_of, is_number, number_of, parameters_of, session_id_of
from session_fsm.sandbox.errors import Refused, status_and_envelope
from session_fsm.sandbox.faults import Fault
from session_fsm.sandbox.openapi import description
from session_fsm.sandbox.page import PAGE, POLICY
from session_fsm.sandbox.world import SessionUnknown, World
from session_fsm.session import CustomerSession
from session_fsm.states import Trigger
from session_fsm.values import SessionUpdate
from session_fsm.wire.encoding import encode_value

__all__ = ["Control"]

C = TypeVar("C", bound=CustomerSession)
_Handler = Callable[[Request], Awaitable[Response]]

_MOST_SESSIONS = 1000
_HEARTBEAT = 15.0
"""How many seconds pass between the signs of life of a stream of events."""
_SAFE = {"x-content-type-options": "nosniff", "cache-control": "no-store", "referrer-policy": "no-referrer"}


class Control(Generic[C]):
    """The control API of one sandbox."""

    def __init__(self, world: World[C], page_key: str) -> None:
        self._world = world
        self._page_key = page_key
        routes: Mapping[str, Mapping[str, _Handler]] = {
            "/": {"GET": self._page},
            "/sandbox": {"GET": self._about},
            "/sandbox/": {"GET": self._about},
            "/sandbox/openapi.json": {"GET": self._openapi},
            "/sandbox/sessions": {"GET": self._sessions},
            "/sandbox/session": {"GET": self._session},
            "/sandbox/picture": {"GET": self._picture},
            "/sandbox/evaluation": {"POST": self._evaluation},
            "/sandbox/requests": {"GET": self._requests},
            "/sandbox/request": {"GET": self._request},
            "/sandbox/recording": {"GET": self._recording},
            "/sandbox/clock": {"GET": self._clock, "PUT": self._change_clock},
            "/sandbox/faults": {"GET": self._faults, "POST": self._add_fault, "DELETE": self._delete_faults},
            "/sandbox/reset": {"POST": self._reset},
            "/sandbox/events": {"GET": self._events},
        }
        self.app = Starlette(
            routes=[Route(path, _by_method(handlers), methods=list(handlers)) for path, handlers in routes.items()],
            exception_handlers={
                HTTPException: _http_error,
                Refused: _refused,
                SessionUnknown: _session_unknown,
                SessionFSMError: _library_error,
            },
        )
        self.app.router.redirect_slashes = False

    # --- The page and what describes the sandbox ----------------------------------------------------------------------

    async def _page(self, _: Request) -> Response:
        headers = {**_SAFE, "content-security-policy": POLICY}
        return Response(PAGE, media_type="text/html", headers=headers)

    async def _about(self, _: Request) -> Response:
        kind, settings = self._world.settings.kind, self._world.settings
        return _json(
            {
                "class": f"{kind.__module__}:{kind.__qualname__}",
                "applicationId": settings.application_id,
                "apiKey": self._page_key,
                "rules": [{"code": rule.code, "text": rule.text} for rule in kind.rules],
                "sessions": self._world.session_count(),
                "requests": len(self._world.requests),
                "clock": self._clock_document(),
                "faults": [fault_document(state) for state in self._world.faults],
            }
        )

    async def _openapi(self, _: Request) -> Response:
        return _json(description())

    # --- Sessions -----------------------------------------------------------------------------------------------------

    async def _sessions(self, request: Request) -> Response:
        limit = number_of(request, "limit", 100, _MOST_SESSIONS)
        sessions = self._world.sessions(limit=limit)
        return _json({"sessions": list(map(session_summary, sessions)), "total": self._world.session_count()})

    async def _session(self, request: Request) -> Response:
        session_id = session_id_of(request)
        session = self._world.session(session_id)
        board = {trigger.value: decision_document(decision) for trigger, decision in session.board().items()}
        history = [wire.unstructure(event) for event in self._world.history(session_id)]
        return _json(
            {
                "session": wire.unstructure(session),
                "returnedItemTotal": session.returned_item_total,
                "remainingItemTotal": session.remaining_item_total,
                "board": board,
                "history": history,
            }
        )

    async def _picture(self, request: Request) -> Response:
        session_id = session_id_of(request)
        session = self._world.session(session_id)
        detail: Any = parameters_of(request).get("detail", "full")
        history = self._world.history(session_id)
        picture = render(self._world.settings.kind, "svg", session=session, events=history, detail=detail)
        headers = {**_SAFE, "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
        return Response(picture, media_type="image/svg+xml", headers=headers)

    async def _evaluation(self, request: Request) -> Response:
        """Judge a trigger without calling it, with the outcome of every rule."""
        session = self._world.session(session_id_of(request))
        document = await body_of(request)
        trigger = document.get("trigger")
        if trigger not in _MOVING:
            raise WireError([Problem("/trigger", f"is none of: {', '.join(_MOVING)}")])
        body, now = document.get("body"), self._world.clock.time
        argument: Any = None
        if trigger in (Trigger.UPDATE, Trigger.CLOSE) and body is not None:
            argument = wire.structure(body, SessionUpdate)
        elif trigger == Trigger.RETURN_ITEMS:
            given: Any = {"returnedCartItems": []} if body is None else body
            argument = wire.structure(given, wire.ReturnRequest)
        return _json(decision_document(session.evaluate(trigger, argument, now=now)))

    # --- Requests -----------------------------------------------------------------------------------------------------

    async def _requests(self, request: Request) -> Response:
        limit = number_of(request, "limit", 100, _MOST_SESSIONS)
        parameters = parameters_of(request)
        found = self._world.requests
        if "session" in parameters:
            found = [one for one in found if one.session_id == parameters["session"] and one.operation != "profile"]
        return _json({"requests": [exchange_summary(one) for one in found[: -limit - 1 : -1]], "total": len(found)})

    async def _request(self, request: Request) -> Response:
        number = number_of(request, "number", 0, 1_000_000_000)
        found = self._world.journal.find(number)
        if found is None:
            raise Refused(404, f"The sandbox keeps no request {number}")
        return _json(
            {
                **exchange_summary(found),
                "headers": dict(found.headers),
                "body": found.body.decode(errors="replace"),
                "answerHeaders": dict(found.answer_headers),
                "answer": found.answer.decode(errors="replace"),
            }
        )

    async def _recording(self, _: Request) -> Response:
        headers = {**_SAFE, "content-disposition": 'attachment; filename="sandbox.jsonl"'}
        return Response(self._world.recording(), media_type="application/x-ndjson", headers=headers)

    # --- The clock, faults, reset -------------------------------------------------------------------------------------

    def _clock_document(self) -> dict[str, Any]:
        clock = self._world.clock
        return {"now": timestamp(clock.time), "running": clock.running}

    async def _clock(self, _: Request) -> Response:
        return _json(self._clock_document())

    async def _change_clock(self, request: Request) -> Response:
        clock = self._world.clock
        document = await body_of(request, "now", "advance", "running")
        now, by, running = document.get("now"), document.get("advance"), document.get("running")
        time = to_time(now) if isinstance(now, str) else None
        problems = [
            *([Problem("/now", "is not a time with its time zone")] if now is not None and time is None else []),
            *([Problem("/advance", "is not a number of seconds")] if by is not None and not is_number(by) else []),
            *([Problem("/running", "is not a boolean")] if running not in (None, True, False) else []),
        ]
        if problems:
            raise InvalidValue.of(problems)
        if time is not None:
            clock.set(time)
        if by is not None:
            clock.advance(seconds=float(by))
        if running is not None:
            clock.run() if running else clock.stop()
        return await self._clock(request)

    async def _faults(self, _: Request) -> Response:
        return _json({"faults": [fault_document(state) for state in self._world.faults]})

    async def _add_fault(self, request: Request) -> Response:
        state = self._world.add_fault(Fault.from_json(await body_of(request)))
        return _json(fault_document(state), status=201)

    async def _delete_faults(self, request: Request) -> Response:
        if "number" not in parameters_of(request):
            self._world.clear_faults()
        elif not self._world.remove_fault(number := number_of(request, "number", 0, 1_000_000_000)):
            raise Refused(404, f"There is no fault {number}")
        return Response(status_code=204, headers=_SAFE)

    async def _reset(self, _: Request) -> Response:
        self._world.reset()
        return Response(status_code=204, headers=_SAFE)

    # --- Events -------------------------------------------------------------------------------------------------------

    async def _events(self, _: Request) -> Response:
        return StreamingResponse(self._stream(), media_type="text/event-stream", headers=_SAFE)

    async def _stream(self) -> AsyncGenerator[bytes]:
        """Yield an event for each kind of change since the last one, and a comment where nothing changes.

        Starlette ends it when the client has gone.
        """
        world = self._world
        seen = dict(world.versions)
        yield b"retry: 1000\n\nevent: ready\ndata: {}\n\n"
        while True:
            rings = world.bell.rings
            if world.is_closing:
                return
            current = dict(world.versions)
            changed = [name for name, version in current.items() if version != seen[name]]
            for name in changed:
                yield f"event: {name}\ndata: {json.dumps({'version': current[name]})}\n\n".encode()
            seen = current
            if not changed:
                before = world.bell.rings
                await world.bell.wait(rings, _HEARTBEAT)
                if before == world.bell.rings:
                    yield b": still here\n\n"


_MOVING = tuple(trigger.value for trigger in Trigger if trigger is not Trigger.CREATE)


def _by_method(handlers: Mapping[str, _Handler]) -> _Handler:
    """Return what calls the handler of a method, and refuses requests that pages of other sites send."""

    async def handle(request: Request) -> Response:
        origin = request.headers.get("origin")
        if request.method not in ("GET", "HEAD") and origin not in (None, f"http://{request.headers.get('host')}"):
            raise Refused(403, "Pages of other sites cannot control the sandbox")
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return handle


def _json(document: Mapping[str, Any], status: int = 200) -> Response:
    return Response(encode_value(document), status, media_type="application/json", headers=_SAFE)


async def _http_error(request: Request, error: Any) -> Response:
    message = f"{request.method} {request.url.path}: {error.detail}"
    return _error(Refused(error.status_code, message, headers=error.headers or {}))


async def _refused(_: Request, error: Any) -> Response:
    return _error(error)


async def _session_unknown(_: Request, error: Any) -> Response:
    return _error(Refused(404, f'There is no session "{error.session_id}"'))


async def _library_error(_: Request, error: Any) -> Response:
    status, body = status_and_envelope(error)
    return Response(body, status, media_type="application/json", headers=_SAFE)


def _error(refused: Refused) -> Response:
    headers = {**_SAFE, **refused.headers}
    return Response(refused.body(), refused.status, media_type="application/json", headers=headers)
