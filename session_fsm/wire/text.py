"""JSON text: the parser of the slow path of reading, and how amounts are written.

Numbers with a fraction or an exponent become decimals of the same digits; no binary float is in between.
"""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Any, Never

from session_fsm.errors import Problem, WireError
from session_fsm.validators import kind_of

__all__ = [
    "MOST_BYTES",
    "decoded",
    "parse",
    "written_amount",
]

MOST_BYTES = 16 * 1024 * 1024
"""The largest document that is read, in bytes, unless the caller says otherwise."""


_BYTE_ORDER_MARK = "\ufeff"


def decoded(data: str | bytes | bytearray | memoryview, most_bytes: int | None = MOST_BYTES) -> str:
    """Return JSON text as text.

    Raises:
        WireError: the text is too large, is not UTF-8, or is empty.
    """
    try:
        size = len(data) if isinstance(data, (str, bytes)) else memoryview(data).nbytes
        if most_bytes is not None and size > most_bytes:
            raise _refusal(f"the document is larger than {most_bytes:,} bytes")
        text = data if isinstance(data, str) else str(data, "utf-8").removeprefix(_BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        raise _refusal(f"the document is not UTF-8: {error.reason} at byte {error.start}") from None
    except TypeError:
        raise _refusal(f"{kind_of(data)} is not JSON text") from None
    if not text or text.isspace():
        raise _refusal("the document is empty")
    return text


def parse(data: str | bytes | bytearray | memoryview, most_bytes: int | None = MOST_BYTES) -> Any:
    """Read JSON text as RFC 8259 describes it, and refuse what others read in more than one way.

    Raises:
        WireError: the text is too large, is not UTF-8 or not JSON, names a member of an object twice, or is
            nested too deeply.
    """
    text = decoded(data, most_bytes)
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise _refusal(f"the document is not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise _refusal("the document is nested too deeply") from None
    except InvalidOperation:
        raise _refusal("the document holds a number whose exponent is beyond all bounds") from None
    except WireError:
        raise
    except ValueError:  # an integer of more digits than Python reads
        raise _refusal("the document holds an integer of too many digits") from None


def _refusal(text: str) -> WireError:
    return WireError([Problem("", text)])


def _no_constant(name: str) -> Never:
    raise _refusal(f"the document is not JSON: {name} is not a number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name in counts if counts[name] > 1)
        raise _refusal(f'the document names "{twice}" twice in one object')
    return members


def written_amount(value: Decimal) -> str:
    """Write a finite decimal with all its digits and without an exponent."""
    text = str(value)
    return format(value, "f") if "E" in text else text
