"""What a store has recorded, as the lines of a recording: its snapshots and its events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from session_fsm.backtest.errors import BacktestError
from session_fsm.backtest.extras import needed
from session_fsm.errors import InvalidValue, WireError
from session_fsm.states import Trigger
from session_fsm.validators import is_object
from session_fsm.wire.encoding import encode_value
from session_fsm.wire.text import parse

__all__ = ["event_lines"]

_OPERATIONS: Mapping[str, str] = {Trigger.RETURN_ITEMS: "return", Trigger.REOPEN: "reopen"}
_STATES: Mapping[str, str] = {Trigger.CLOSE: "closed", Trigger.CANCEL: "cancelled"}


def event_lines(url: str) -> Iterator[bytes]:
    """Yield the lines of a recording that repeats what the store at *url* has recorded, session by session.

    An event is a request. A snapshot, which a store keeps of a session whose events alone do not give it, is one here.

    Raises:
        BacktestError: the store cannot be read.
    """
    for is_snapshot, document in _documents(url):
        yield snapshot_line(document) if is_snapshot else line_of(document)


def _documents(url: str) -> Iterator[tuple[bool, str]]:
    """Yield the document of each event and snapshot, and whether it is a snapshot, in the order of their versions."""
    sqlalchemy = needed("sqlalchemy", "store")
    engines, tables = (
        needed("session_fsm.store.database.engines", "store"),
        needed("session_fsm.store.database.schema", "store").Schema(),
    )
    events, snapshots = tables.events.c, tables.snapshots.c
    literal, select = sqlalchemy.literal, sqlalchemy.select
    query = sqlalchemy.union_all(
        select(events.session, events.sequence, literal(0), events.document),
        select(snapshots.session, snapshots.version, literal(1), snapshots.document),
    ).order_by(sqlalchemy.text("1, 2, 3"))
    try:
        views = engines.views(url, timeout=30)
    except InvalidValue as error:
        raise BacktestError(f"the events of the store cannot be read: {error.problem}") from None
    try:
        with views.reading.connect() as connection:
            rows = connection.execution_options(stream_results=True, max_row_buffer=1000).execute(query)
            for _, _, is_snapshot, document in rows:
                yield bool(is_snapshot), document
    except sqlalchemy.exc.SQLAlchemyError:  # its message holds the statement
        raise BacktestError(
            "the events of the store cannot be read: the database cannot be opened, or has not the tables of a store"
        ) from None
    finally:
        views.engine.dispose()


def snapshot_line(document: str) -> bytes:
    """Return the line of a recording that starts a session as *document* has it."""
    body = parse(document)
    return encode_value(
        {"operation": "snapshot", "sessionId": body["integrationId"], "time": body["updated"], "body": body}
    )


def line_of(document: str) -> bytes:
    """Return the line of a recording that repeats the event in *document*; what is no event is returned as it is."""
    try:
        event: Any = parse(document)
        if not is_object(event):
            return document.encode()
        trigger = event["trigger"]
        line = {"operation": _OPERATIONS.get(trigger, "update"), "sessionId": event["sessionId"], "time": event["at"]}
        return encode_value(line | _body(trigger, event))
    except (WireError, KeyError, TypeError):
        return document.encode()


def _body(trigger: str, event: Any) -> dict[str, Any]:
    change = event.get("change")
    if trigger == Trigger.REOPEN:
        return {}
    if trigger == Trigger.RETURN_ITEMS:
        return {"body": change}
    state = event["target"] if trigger == Trigger.CREATE else _STATES.get(trigger)
    return {"body": (change or {}) | ({"state": state} if state else {})}
