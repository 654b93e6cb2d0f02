"""The endpoints, with the URLs and bodies of Talon.One's Integration API, and the error responses."""

import logging
from secrets import randbits
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from session_fsm import Decision, SessionFSMError, SessionUpdate, wire
from session_fsm.diagrams import render
from session_fsm.errors import http_status, to_error_response
from session_fsm.store import SessionNotFound, SessionStore
from shop.sessions import ShopSession

__all__ = ["create_app", "open_store"]

_log = logging.getLogger(__name__)
_APPLICATION_ID = 1
"""Talon.One's clients require one in every session; this shop has a single Application."""

_SESSIONS = "/v2/customer_sessions"
# An ID may contain slashes. This URL also matches the longer ones, so their routes are declared first.
_SESSION = _SESSIONS + "/{session_id:path}"

_MEDIA_TYPES = {"svg": "image/svg+xml", "html": "text/html; charset=utf-8"}


async def _raw_body(request: Request) -> bytes:
    """Return the unparsed body: FastAPI's JSON parser would convert prices to binary floats."""
    return await request.body()


Body = Annotated[bytes, Depends(_raw_body)]


def open_store(url: str = "sqlite:///shop.sqlite3") -> SessionStore[ShopSession]:
    """Open the store; by default a file in the current folder."""
    store = SessionStore(url, ShopSession, application_id=_APPLICATION_ID)
    store.create_schema()
    return store


def create_app(store: SessionStore[ShopSession] | None = None) -> FastAPI:
    """Create the service with *store*, or with `open_store`."""
    sessions = store or open_store()
    app = FastAPI(title="An order service")

    @app.put(_SESSION + "/reopen")
    def reopen(session_id: str) -> Response:
        sessions.change(session_id, lambda session: session.reopen())
        return JSONResponse({"effects": []})

    @app.post(_SESSION + "/returns")
    def return_items(session_id: str, body: Body, *, dry: bool = False) -> Response:
        request = wire.loads(body, wire.ReturnRequest)
        if dry:
            return _update_response(_session_after(sessions.get(session_id).evaluate("return_items", request)))
        with sessions.session(session_id) as session:
            session.return_items(request)
        return _update_response(session)

    @app.put(_SESSION)
    def update(session_id: str, body: Body, *, dry: bool = False) -> Response:
        change = wire.loads(body, SessionUpdate)

        def create() -> ShopSession:
            return ShopSession.create(session_id, change, id=randbits(53), application_id=_APPLICATION_ID)

        if not dry:
            sessions.change(session_id, lambda session: session.put(change), create=create)
            return _update_response(sessions.get(session_id))
        try:  # as at Talon.One, a close considers only the request
            session = sessions.get(session_id)
        except SessionNotFound:
            return _update_response(create())
        return _update_response(_session_after(session.evaluate("put", change, payload_only=True)))

    @app.get(_SESSION + "/diagram.{kind}")
    def diagram(session_id: str, kind: Literal["svg", "html"]) -> Response:
        events = [stored.event for stored in sessions.history(session_id)]
        drawn = render(format=kind, session=sessions.get(session_id), events=events)
        return Response(drawn, media_type=_MEDIA_TYPES[kind])

    @app.get(_SESSION)
    def show(session_id: str) -> Response:
        body = b'{"customerSession":%s}' % wire.dumps(sessions.get(session_id))
        return Response(body, media_type="application/json")

    for error, handler in _HANDLERS.items():
        app.add_exception_handler(error, handler)
    return app


def _session_after(decision: Decision[ShopSession]) -> ShopSession:
    """Return the session after the transition, or raise the refusal."""
    if decision.after is None:
        raise decision.refusal()
    return decision.after


def _update_response(session: ShopSession) -> Response:
    """Return the response to an update or a return, with the members that Talon.One's clients require."""
    body = b'{"customerSession":%s,"effects":[],"createdCoupons":[],"createdReferrals":[]}' % wire.dumps(session)
    return Response(body, media_type="application/json")


# --- Errors, all in Talon.One's format ------------------------------------------------------------------------------


def _library_error(request: Request, error: Any) -> Response:
    """Return the status that the library has for the error; from 500 on, the cause is only logged."""
    status = http_status(error)
    if status >= 500:
        _log.error("session %r: %s", request.path_params.get("session_id"), type(error).__name__, exc_info=error)
    return JSONResponse(to_error_response(error), status)


def _validation_error(_: Request, error: Any) -> Response:
    """Return status 400 for an invalid path or query, which FastAPI validates."""
    entries: list[dict[str, Any]] = [
        {"title": "Invalid value", "details": f"{'.'.join(map(str, e['loc']))}: {e['msg']}", "source": {}}
        for e in error.errors()
    ]
    return JSONResponse({"message": "The submitted data was invalid", "errors": entries}, 400)


def _unexpected_error(_: Request, __: Any) -> Response:
    """Return status 500 for an unexpected error, which the server logs."""
    return JSONResponse({"message": "Internal Server Error", "errors": []}, 500)


def _http_error(_: Request, error: Any) -> Response:
    return JSONResponse({"message": error.detail, "errors": []}, error.status_code, error.headers)


_HANDLERS = {
    SessionFSMError: _library_error,
    RequestValidationError: _validation_error,
    HTTPException: _http_error,
    Exception: _unexpected_error,
}
