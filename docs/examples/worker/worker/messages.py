"""Messages of the queue: a recorded operation in the format of docs/replay-format.md, with an ID."""

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
    """One requested operation."""

    id: str
    """Unique; a message with a known ID is not applied again."""
    session_id: str
    body: SessionUpdate | wire.ReturnRequest | None
    """An update or a return; None for a reopening."""
    time: datetime | None
    """The time of the request; None if the line has none."""
    dry: bool
    """Whether it is a dry run."""


def read(line: bytes, default_id: str | None) -> Message:
    """Read one line.

    Args:
        line: a JSON object.
        default_id: the ID of a line without an `id`.

    Raises:
        WireError: the line is invalid; it has every problem with a JSON pointer.
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
        body = None  # a reopening has no body
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
