"""`json_line` writes one value as a line of JSON Lines, for the option ``--json``; `has_json_lines` recognises them."""

from __future__ import annotations

import re
import sys
from datetime import datetime
from decimal import Decimal
from typing import Any

from session_fsm.converters import timestamp
from session_fsm.errors import WireError
from session_fsm.validators import is_list, is_object
from session_fsm.wire.encoding import encode_value
from session_fsm.wire.text import parse

__all__ = ["has_json_lines", "json_line"]

_BEYOND_ASCII = re.compile(r"[^\x20-\x7e]")


def has_json_lines(data: bytes) -> bool:
    """Whether the first two lines of *data* are JSON objects."""
    lines = data.strip().split(b"\n", 2)[:2]
    try:
        return len(lines) == 2 and all(is_object(parse(line)) for line in lines)
    except WireError:
        return False


def json_line(value: Any) -> str:
    """Return *value* as one line. Unprintable characters, and those that the output cannot encode, become escapes."""
    line = encode_value(_plain(value)).decode()
    if not line.isprintable() or not (line.isascii() or _encodable(line)):
        line = _BEYOND_ASCII.sub(_escape, line)
    return line + "\n"


def _encodable(line: str) -> bool:
    try:
        line.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def _plain(value: Any) -> Any:
    """Return a value of a violation's details as a value that JSON can represent."""
    match value:
        case None | bool() | int():
            return value
        case str():
            return str(value)
        case Decimal() if value.is_finite():
            return value
        case float():
            return _plain(Decimal(repr(value)))
        case datetime() if value.utcoffset() is not None:
            return timestamp(value)
        case _ if is_object(value):
            return {str(name): _plain(member) for name, member in value.items()}
        case _ if is_list(value):
            return [_plain(element) for element in value]
        case _ if type(value) in (set, frozenset):
            return sorted(map(str, value))
        case _:
            return str(value)
