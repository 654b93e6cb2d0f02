"""A service with URLs of its own, on the store: a field of the class from a header, the board, and optimistic locking by If-Match."""

from typing import Annotated

import attrs
from fastapi import Depends, FastAPI, Header, HTTPException, Response

from session_fsm import CustomerSession, SessionFSMError, SessionUpdate, wire
from session_fsm.store import SessionStore
from shop.smallest import raw_body, refuse

__all__ = ["BranchSession", "app", "orders"]

app = FastAPI()
app.exception_handler(SessionFSMError)(refuse)


@attrs.define(kw_only=True, eq=False, repr=False)
class BranchSession(CustomerSession):
    """A session with the branch that packs the order."""

    branch: str = ""


orders = SessionStore("sqlite://", BranchSession, application_id=1)  # in memory
orders.create_schema()


def with_etag(session: BranchSession) -> Response:
    """Return a session, with its update count as the ETag."""
    headers = {"ETag": f'"{session.update_count}"'}
    return Response(wire.dumps(session), media_type="application/json", headers=headers)


@app.put("/orders/{session_id}")
def pack(session_id: str, body: Annotated[bytes, Depends(raw_body)], x_branch: Annotated[str, Header()]) -> Response:
    """Create or update the session of an order, with the branch that the header X-Branch names."""
    change = wire.loads(body, SessionUpdate)
    orders.change(
        session_id,
        lambda session: session.put(change, branch=x_branch),
        create=lambda: BranchSession.create(session_id, change, branch=x_branch),
    )
    return with_etag(orders.get(session_id))


@app.get("/orders/{session_id}")
def show(session_id: str) -> Response:
    """Return a session."""
    return with_etag(orders.get(session_id))


@app.patch("/orders/{session_id}")
def edit(session_id: str, body: Annotated[bytes, Depends(raw_body)], if_match: Annotated[str, Header()]) -> Response:
    """Update a session, unless it has changed since the client read it."""
    change = wire.loads(body, SessionUpdate)

    def put(session: BranchSession) -> BranchSession:
        if if_match != f'"{session.update_count}"':
            raise HTTPException(412, "The session has changed; read it again")
        session.put(change)
        return session

    return with_etag(orders.change(session_id, put))


@app.get("/orders/{session_id}/board")
def board(session_id: str) -> Response:
    """Return which operations are allowed now, and why the others are refused."""
    return Response(wire.dumps(orders.get(session_id).board()), media_type="application/json")
