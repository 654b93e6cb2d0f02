"""The endpoints, shaped like those of Talon.One's Integration API, and which error has which status."""

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
"""Talon.One's clients expect one in every session; this shop has a single Application."""

_SESSIONS = "/v2/customer_sessions"
# An ID may hold any character, a slash too. The longer addresses stand first, because this one matches them as well.
_SESSION = _SESSIONS + "/{session_id:path}"

_MEDIA_TYPES = {"svg": "image/svg+xml", "html": "text/html; charset=utf-8"}


async def _raw_body(request: Request) -> bytes:
    """Hand the body over unread: FastAPI's own JSON would turn prices into binary floats."""
    return await request.body()


Body = Annotated[bytes, Depends(_raw_body)]


def create_app(store: SessionStore | None = None) -> FastAPI:
    """Make the service. Its sessions are in *store*, or in the file shop.sqlite3 of the current folder."""
    sessions = store or SQLiteSessionStore(Path("shop.sqlite3"))
    app = FastAPI(title="An order service")

    def found(session_id: str) -> ShopSession:
        session = sessions.find(session_id)
        if session is None:
            raise HTTPException(404, f'There is no session "{session_id}"')
        return session

    @app.put(_SESSION + "/reopen")
    def reopen(session_id: str) -> Response:
        session = found(session_id)
        session.reopen()
        sessions.save(session)
        return JSONResponse({"effects": []})

    @app.post(_SESSION + "/returns")
    def return_items(session_id: str, body: Body, *, dry: bool = False) -> Response:
        request = wire.loads(body, wire.ReturnRequest)
        session = found(session_id)
        if dry:
            return _answer(_after(session.evaluate("return_items", request)))
        session.return_items(request)
        sessions.save(session)
        return _answer(session)

    @app.put(_SESSION)
    def update(session_id: str, body: Body, *, dry: bool = False) -> Response:
        change = wire.loads(body, SessionUpdate)
        session = sessions.find(session_id)
        if session is None:
            session = ShopSession.create(session_id, change, id=randbits(53), application_id=_APPLICATION_ID)
        elif dry:  # as Talon.One judges it: a closing by its request alone
            return _answer(_after(session.evaluate("put", change, payload_only=True)))
        else:
            session.put(change)
        if not dry:
            sessions.save(session)
        return _answer(session)

    @app.get(_SESSION + "/diagram.{kind}")
    def diagram(session_id: str, kind: Literal["svg", "html"]) -> Response:
        drawn = render(format=kind, session=found(session_id), events=sessions.history(session_id))
        return Response(drawn, media_type=_MEDIA_TYPES[kind])

    @app.get(_SESSION)
    def show(session_id: str) -> Response:
        return Response(b'{"customerSession":%s}' % wire.dumps(found(session_id)), media_type="application/json")

    for error, handler in _HANDLERS.items():
        app.add_exception_handler(error, handler)
    return app


def _after(decision: Decision[ShopSession]) -> ShopSession:
    """Return the session as it would be."""
    if decision.after is None:
        raise decision.refusal()
    return decision.after


def _answer(session: ShopSession) -> Response:
    """Answer an update or a return, with the members that every client of Talon.One's reads."""
    body = b'{"customerSession":%s,"effects":[],"createdCoupons":[],"createdReferrals":[]}' % wire.dumps(session)
    return Response(body, media_type="application/json")


# --- Errors, all in Talon.One's envelope ----------------------------------------------------------------------------


def _refused(request: Request, error: Any) -> Response:
    """Answer 400, 409, or 500 where this service is at fault: what that is about is for the log alone."""
    status = http_status(error)
    if status >= 500:
        _log.error("session %r: %s", request.path_params["session_id"], type(error).__name__, exc_info=error)
    return JSONResponse(to_error_response(error), status)


def _unusable(_: Request, error: Any) -> Response:
    """Answer for the address and its query; FastAPI has read these itself."""
    entries: list[dict[str, Any]] = [
        {"title": "Invalid value", "details": f"{'.'.join(map(str, e['loc']))}: {e['msg']}", "source": {}}
        for e in error.errors()
    ]
    return JSONResponse({"message": "The submitted data was invalid", "errors": entries}, 400)


def _failed(_: Request, __: Any) -> Response:
    """Answer for an error that nobody expected; the server logs it."""
    return JSONResponse({"message": "Internal Server Error", "errors": []}, 500)


def _no_such_thing(_: Request, error: Any) -> Response:
    return JSONResponse({"message": error.detail, "errors": []}, error.status_code, error.headers)


_HANDLERS = {
    SessionFSMError: _refused,
    RequestValidationError: _unusable,
    HTTPException: _no_such_thing,
    Exception: _failed,
}
