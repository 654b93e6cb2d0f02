"""The smallest order service: one endpoint, and sessions in the memory of one process."""

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
sessions: dict[str, bytes] = {}  # use a database in real life
one_at_a_time = Lock()  # FastAPI runs the endpoint in several threads


async def raw_body(request: Request) -> bytes:
    """Return the body unparsed: FastAPI's own JSON would turn prices into binary floats."""
    return await request.body()


@app.put("/v2/customer_sessions/{session_id}")
def update(session_id: str, body: Annotated[bytes, Depends(raw_body)]) -> Response:
    """Create, update, close or cancel a session, as the state in the body says."""
    change = wire.loads(body, SessionUpdate)
    with one_at_a_time:
        if session_id in sessions:
            session = wire.loads(sessions[session_id])
            session.put(change)
        else:
            session = CustomerSession.create(session_id, change, id=len(sessions) + 1, application_id=1)
        sessions[session_id] = document = wire.dumps(session)
    answer = b'{"customerSession":%s,"effects":[],"createdCoupons":[],"createdReferrals":[]}' % document
    return Response(answer, media_type="application/json")


@app.exception_handler(SessionFSMError)
def refuse(request: Request, error: SessionFSMError) -> Response:
    """Answer an error in Talon.One's envelope. What a 500 is about is for the log alone."""
    status = http_status(error)
    if status >= 500:
        log.error("session %r: %s", request.path_params["session_id"], type(error).__name__, exc_info=error)
    return JSONResponse(to_error_response(error), status)
