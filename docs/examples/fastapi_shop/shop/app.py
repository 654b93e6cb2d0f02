"""The endpoints, with the URLs and bodies of Talon.One's Integration API, and the error responses."""

import logging
from pathlib import Path
from secrets import randbits
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from session_fsm import Decision, SessionFSMError, SessionUpdate, wire
from session_fsm.diagrams import render
from session_fsm.errors import http_status, to_error_response
from shop.sessions import ShopSession
from shop.store import SessionStore, SQLiteSessionStore

__all__ = ["create_app"]

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


def create_app(store: SessionStore | None = None) -> FastAPI:
    """Create the service with *store*, or with the file shop.sqlite3 in the current folder."""
    sessions = store or SQLiteSessionStore(Path("shop.sqlite3"))
    app = FastAPI(title="An order service")

    def get_or_404(session_id: str) -> ShopSession:
        session = sessions.find(session_id)
        if session is None:
            raise HTTPException(404, f'There is no session "{session_id}"')
        return session

    @app.put(_SESSION + "/reopen")
    def reopen(session_id: str) -> Response:
        session = get_or_404(session_id)
        session.reopen()
        sessions.save(session)
        return JSONResponse({"effects": []})

    @app.post(_SESSION + "/returns")
    def return_items(session_id: str, body: Body, *, dry: bool = False) -> Response:
        request = wire.loads(body, wire.ReturnRequest)
        session = get_or_404(session_id)
        if dry:
            return _update_response(_session_after(session.evaluate("return_items", request)))
        session.return_items(request)
        sessions.save(session)
        return _update_response(session)

    @app.put(_SESSION)
    def update(session_id: str, body: Body, *, dry: bool = False) -> Response:
        change = wire.loads(body, SessionUpdate)
        session = sessions.find(session_id)
        if session is None:
            session = ShopSession.create(session_id, change, id=randbits(53), application_id=_APPLICATION_ID)
        elif dry:  # as at Talon.One, a close considers only the request
            return _update_response(_session_after(session.evaluate("put", change, payload_only=True)))
        else:
            session.put(change)
        if not dry:
            sessions.save(session)
        return _update_response(session)

    @app.get(_SESSION + "/diagram.{kind}")
    def diagram(session_id: str, kind: Literal["svg", "html"]) -> Response:
        drawn = render(format=kind, session=get_or_404(session_id), events=sessions.history(session_id))
        return Response(drawn, media_type=_MEDIA_TYPES[kind])

    @app.get(_SESSION)
    def show(session_id: str) -> Response:
        return Response(b'{"customerSession":%s}' % wire.dumps(get_or_404(session_id)), media_type="application/json")

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
    """Return status 400, 409, or 500 if this service is at fault; the cause of a 500 is only logged."""
    status = http_status(error)
    if status >= 500:
        _log.error("session %r: %s", request.path_params["session_id"], type(error).__name__, exc_info=error)
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
