"""What a line of the queue says: a recorded operation, as docs/replay-format.md describes it, and the ID that it bears."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from attrs import frozen

from session_fsm import SessionUpdate, WireError, wire
from session_fsm.errors import Problem

__all__ = ["Message", "read"]

_BODIES = {"update": SessionUpdate, "return": wire.ReturnRequest, "reopen": None}


@frozen(kw_only=True)
class Message:
    """One operation that somebody wants done."""

    id: str
    """What tells the message from all others, so that it is applied once only."""
    session_id: str
    body: SessionUpdate | wire.ReturnRequest | None
    """An update or a return; None asks for a reopening."""
    time: datetime | None
    """When it was asked for; None where the line does not say."""
    dry: bool
    """Whether it was only a question."""


def read(line: bytes, default_id: str | None) -> Message:
    """Read one line.

    Args:
        line: a JSON object.
        default_id: the ID of a message whose line has none.

    Raises:
        WireError: with every problem of the line and its place.
    """
    try:
        loaded: Any = json.loads(line, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise WireError([Problem("", f"the line is not JSON: {error}")]) from None
    if not isinstance(loaded, dict):
        raise WireError([Problem("", "the line is not an object")])
    members = cast("dict[str, Any]", loaded)
    problems: list[Problem] = []
    message_id = _text(members, "id", problems, default_id)
    session_id = _text(members, "sessionId", problems)
    operation = members.get("operation")
    body: Any = members.get("body")
    if not isinstance(operation, str) or operation not in _BODIES:
        problems.append(Problem("/operation", f"is none of: {', '.join(_BODIES)}"))
    elif kind := _BODIES[operation]:
        try:
            body = wire.structure(body, kind)
        except WireError as error:
            problems += [problem.under("/body") for problem in error.problems]
    else:
        body = None  # a reopening has none
    time = _time(members.get("time"), problems)
    if problems:
        raise WireError(problems)
    return Message(id=message_id, session_id=session_id, body=body, time=time, dry=members.get("dry") is True)


def _text(members: dict[str, Any], name: str, problems: list[Problem], default: str | None = None) -> Any:
    value = members.get(name) or default
    if value is None:
        problems.append(Problem(f"/{name}", "is missing"))
    elif not isinstance(value, str):
        problems.append(Problem(f"/{name}", "is not a text"))
    else:
        try:
            value.encode()
        except UnicodeEncodeError:
            problems.append(Problem(f"/{name}", "holds half of a surrogate pair, which is no character"))
    return value


def _time(value: Any, problems: list[Problem]) -> datetime | None:
    if value is None:
        return None
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        time = None
    if time is None or time.utcoffset() is None:
        problems.append(Problem("/time", "is not a time with its time zone, such as 2026-09-14T09:12:00Z"))
    return time
