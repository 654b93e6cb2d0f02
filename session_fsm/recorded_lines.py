"""The lines of a recording: `read_line` reads one as a `Request` or a `Snapshot`. ``docs/replay-format.md`` describes them.

`session_fsm.recording` plays the requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import IO, Any

from attrs import frozen

from session_fsm.converters import is_timestamp, to_time
from session_fsm.errors import Problem, WireError, pointer_token
from session_fsm.generated import maker
from session_fsm.states import Operation
from session_fsm.validators import Check, boolean, is_object, kind_of, text
from session_fsm.values import SessionUpdate
from session_fsm.wire import ReturnRequest, fast_reader, structure
from session_fsm.wire.fast_reading import FALL_BACK, SlowPathNeeded, accounts_for, line_decoder, other_members
from session_fsm.wire.text import MOST_BYTES, decoded, parse

__all__ = ["Request", "Snapshot", "lines_of", "read_line", "read_request"]

OPERATIONS: Mapping[str, Operation] = {
    "update": Operation.UPDATE,
    "return": Operation.RETURN,
    "reopen": Operation.REOPEN,
    **{operation.value: operation for operation in Operation},
    "updateCustomerSessionV2": Operation.UPDATE,
    "returnCartItems": Operation.RETURN,
    "reopenCustomerSession": Operation.REOPEN,
}
"""The names of an operation in a line: its short name, its title in the API reference, or its operation ID."""
_SHORT_NAMES = dict(zip(Operation, OPERATIONS, strict=False))
_SNAPSHOT = "snapshot"
"""The member ``operation`` of a line that holds a snapshot."""


@frozen(kw_only=True, weakref_slot=False)
class Request:
    """A recorded request to the API: one line of a recording."""

    operation: Operation
    session_id: str
    body: SessionUpdate | ReturnRequest | None
    """None if the operation has no body."""
    time: datetime | None = None
    """The time of the request; None if the line has none."""
    dry: bool = False
    """Whether it was a dry run, which changes nothing."""
    note: str = ""
    """A remark."""

    @property
    def name(self) -> str:
        """The short name of the operation: update, return or reopen."""
        return _SHORT_NAMES[self.operation]


@frozen(kw_only=True, weakref_slot=False)
class Snapshot:
    """A session as it was at some time: a line of a recording that stands for the requests before it."""

    session_id: str
    body: Any
    """The document of the session, as the API returns it."""
    time: datetime | None = None
    """The time of the snapshot; None if the line has none."""


def lines_of(stream: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Yield every line that is not blank, with its number from 1; a line that is too long is None."""
    number = 0
    while line := stream.readline(MOST_BYTES):
        number += 1
        if len(line) == MOST_BYTES and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = stream.readline(MOST_BYTES)
            yield number, None
        elif not line.isspace():
            yield number, line


def read_request(line: bytes | None, *, strict: bool = False) -> Request:
    """Read one line. With *strict*, unknown members of the line and of its body are problems.

    Raises:
        WireError: with every problem of the line; pointers start at the line's object.
    """
    if line is None:
        raise WireError([Problem("", f"the line is longer than {MOST_BYTES:,} bytes")])
    try:
        return _read_fast(decoded(line), strict=strict)
    except FALL_BACK:
        pass
    return _read_slow(line, strict=strict)


def read_line(line: bytes | None, *, strict: bool = False) -> Request | Snapshot:
    """Read one line as `read_request` does, or as the snapshot of a session.

    Raises:
        WireError: with every problem of the line.
    """
    if line is not None and b'"snapshot"' in line and (snapshot := _read_snapshot(line, strict=strict)):
        return snapshot
    return read_request(line, strict=strict)


def _read_snapshot(line: bytes, *, strict: bool) -> Snapshot | None:
    """Read the line of a snapshot. Return None for another line, or for text that is not JSON."""
    try:
        document = parse(line)
    except WireError:
        return None
    if not is_object(document) or document.get("operation") != _SNAPSHOT:
        return None
    members = {name: value for name, value in document.items() if value is not None}
    problems = [Problem(f"/{name}", "is missing") for name in ("sessionId", "body") if name not in members]
    given = [name for name in ("sessionId", "time", "note") if name in members]
    problems += [Problem(f"/{name}", str(text)) for name in given if (text := _CHECKS[name](members[name]))]
    if strict:
        problems += [Problem(pointer_token(name), "is not known") for name in document if name not in _MEMBERS]
    if problems:
        raise WireError(problems)
    time = members.get("time")
    return Snapshot(session_id=members["sessionId"], body=members["body"], time=to_time(time) if time else None)


def _read_fast(text: str, *, strict: bool) -> Request:
    """Read a valid line. `_read_slow` reads what this function refuses, and reports all problems.

    Raises:
        FALL_BACK: the line may be invalid.
    """
    line = _decode_line(text)
    operation = OPERATIONS.get(line.operation)
    time = None if line.time is None else to_time(line.time)
    if operation is None or _CHECKS["sessionId"](line.sessionId) or (time is None and line.time is not None):
        raise SlowPathNeeded
    texts = [value for value in (line.operation, line.sessionId, line.time, line.note) if value is not None]
    members = len(texts) + (line.dry is not None) + (line.body is not None)
    counts = [members, sum([value.count(":") for value in texts])]
    kind, body, wrapper = _BODIES.get(operation), None, None
    reader = None if kind is None else fast_reader(kind, strict=strict)
    if reader is not None:
        if line.body is None:
            raise SlowPathNeeded
        body, wrapper = reader.read_part(str(line.body, "utf-8"), counts)
    if not accounts_for(text, *counts):
        document = other_members(text, strict=strict)
        if reader is not None:
            reader.check_others(document["body"], wrapper)
    return _make_request(operation, line.sessionId, body, time, line.dry or False, line.note or "")


_decode_line = line_decoder({"operation": str, "sessionId": str, "time": str, "dry": bool, "note": str}, body="body")
_make_request = maker(Request)


def _read_slow(line: bytes, *, strict: bool) -> Request:
    """Read a line, or report all its problems."""
    document = parse(line)
    if not is_object(document):
        raise WireError([Problem("", f"{kind_of(document)} is not an object")])
    members = {name: value for name, value in document.items() if value is not None}
    needed = ("operation", "sessionId")
    problems = [Problem(f"/{name}", "is missing") for name in needed if name not in members]
    for name, check in _CHECKS.items():
        if name in members and (problem := check(members[name])):
            problems.append(Problem(f"/{name}", str(problem)))
    if strict:
        problems += [Problem(pointer_token(name), "is not known") for name in document if name not in _MEMBERS]
    named, time = members.get("operation"), members.get("time")
    operation = OPERATIONS.get(named) if isinstance(named, str) else None
    body, kind = None, _BODIES.get(operation)
    if kind and "body" not in members:
        problems.append(Problem("/body", "is missing"))
    elif kind:
        try:
            body = structure(members["body"], kind, strict=strict)
        except WireError as error:
            problems += [problem.under("/body") for problem in error.problems]
    if problems or operation is None:
        raise WireError(problems)
    return Request(
        operation=operation,
        session_id=members["sessionId"],
        body=body,
        time=to_time(time) if time else None,
        dry=members.get("dry", False),
        note=members.get("note", ""),
    )


def _operation(value: object) -> str | None:
    if isinstance(value, str) and value in OPERATIONS:
        return None
    given = f'"{value:.40}"' if isinstance(value, str) else kind_of(value)
    return f"{given} is none of: {', '.join(_SHORT_NAMES.values())}"


def _time(value: object) -> str | None:
    if isinstance(value, str) and is_timestamp(value):
        return None
    return "is not a time with its time zone, such as 2026-09-14T09:12:00Z"


_CHECKS: Mapping[str, Check] = {
    "operation": _operation,
    "sessionId": text(at_least=1, at_most=1000),
    "time": _time,
    "dry": boolean,
    "note": text(),
}
_MEMBERS = {*_CHECKS, "body"}
_BODIES: Mapping[Operation | None, type[SessionUpdate | ReturnRequest]] = {
    Operation.UPDATE: SessionUpdate,
    Operation.RETURN: ReturnRequest,
}
