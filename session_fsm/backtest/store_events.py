"""The events of a store as the lines of a recording.

`event_documents` is the only function that knows the tables of a store. Everything else takes the JSON of a
`SessionEvent`, as `session_fsm.wire.dumps` writes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from session_fsm.backtest.errors import BacktestError
from session_fsm.backtest.extras import needed
from session_fsm.errors import WireError
from session_fsm.states import Trigger
from session_fsm.validators import is_object
from session_fsm.wire.text import parse, write

__all__ = ["event_documents", "event_lines"]

_EVENTS = "SELECT document FROM session_fsm_events ORDER BY session_id, sequence"
_OPERATIONS: Mapping[str, str] = {Trigger.RETURN_ITEMS: "return", Trigger.REOPEN: "reopen"}
_STATES: Mapping[str, str] = {Trigger.CLOSE: "closed", Trigger.CANCEL: "cancelled"}


def event_documents(url: str) -> Iterator[str | bytes]:
    """Yield the JSON of every event in the store at *url*, by session and sequence number.

    Raises:
        BacktestError: the database cannot be opened, or has no events.
    """
    sqlalchemy = needed("sqlalchemy", "store")
    try:
        engine = sqlalchemy.create_engine(url)
        with engine.connect() as connection:
            rows = connection.execution_options(stream_results=True, max_row_buffer=1000).execute(
                sqlalchemy.text(_EVENTS)
            )
            for (document,) in rows:
                yield document
        engine.dispose()
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise BacktestError(f"the events of the store cannot be read: {error}") from None


def event_lines(url: str) -> Iterator[bytes]:
    """Yield the request of every event in the store at *url* as a line of a recording."""
    return (line_of(document) for document in event_documents(url))


def line_of(document: str | bytes) -> bytes:
    """Return the line of a recording that repeats the event in *document*; what is no event is returned as it is."""
    data = document.encode() if isinstance(document, str) else bytes(document)
    try:
        event: Any = parse(data)
        if not is_object(event):
            return data
        trigger = event["trigger"]
        line = {"operation": _OPERATIONS.get(trigger, "update"), "sessionId": event["sessionId"], "time": event["at"]}
        return write(line | _body(trigger, event)).encode()
    except (WireError, KeyError, TypeError):
        return data


def _body(trigger: str, event: Any) -> dict[str, Any]:
    change = event.get("change")
    if trigger == Trigger.REOPEN:
        return {}
    if trigger == Trigger.RETURN_ITEMS:
        return {"body": change}
    state = event["target"] if trigger == Trigger.CREATE else _STATES.get(trigger)
    return {"body": (change or {}) | ({"state": state} if state else {})}
