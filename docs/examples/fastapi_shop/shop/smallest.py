"""A minimal service: one endpoint, and sessions in the memory of one process."""

import logging
from threading import Lock
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from session_fsm import CustomerSession, SessionFSMError, SessionUpdate, wire
from session_fsm.errors import http_status, to_error_response

__all__ = ["app", "sessions"]

log = logging.getLogger(__name__)
app = FastAPI()
sessions: dict[str, bytes] = {}  # use a database in production
lock = Lock()  # FastAPI runs the endpoint in several threads


async def raw_body(request: Request) -> bytes:
    """Return the unparsed body: FastAPI's JSON parser would convert prices to binary floats."""
    return await request.body()


@app.put("/v2/customer_sessions/{session_id}")
def update(session_id: str, body: Annotated[bytes, Depends(raw_body)]) -> Response:
    """Create, update, close or cancel a session, depending on the state in the body."""
    change = wire.loads(body, SessionUpdate)
    with lock:
        if session_id in sessions:
            session = wire.loads(sessions[session_id])
            session.put(change)
        else:
            session = CustomerSession.create(session_id, change, id=len(sessions) + 1, application_id=1)
        sessions[session_id] = document = wire.dumps(session)
    content = b'{"customerSession":%s,"effects":[],"createdCoupons":[],"createdReferrals":[]}' % document
    return Response(content, media_type="application/json")


@app.exception_handler(SessionFSMError)
def refuse(request: Request, error: SessionFSMError) -> Response:
    """Return an error in Talon.One's format; the cause of a 500 is only logged."""
    status = http_status(error)
    if status >= 500:
        log.error("session %r: %s", request.path_params.get("session_id"), type(error).__name__, exc_info=error)
    return JSONResponse(to_error_response(error), status)
