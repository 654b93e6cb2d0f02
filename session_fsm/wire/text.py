"""JSON text: read strictly and exactly, written exactly.

Numbers with a fraction or an exponent become decimals straight from their digits and go back the same way;
no binary float is ever in between.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring
from typing import Any, Never

from session_fsm.errors import InvalidValue, Problem, WireError
from session_fsm.json_values import FrozenDict
from session_fsm.validators import Unusual, is_list, is_object, kind_of

__all__ = [
    "MOST_BYTES",
    "decoded",
    "names_stand_once",
    "parse",
    "parse_straight",
    "write",
    "write_object",
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
        text = data if isinstance(data, str) else str(data, "utf-8")
        if text.startswith(_BYTE_ORDER_MARK) and not isinstance(data, str):
            text = text[1:]
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


def parse_straight(text: str) -> Any:
    """Read JSON text in half the time, without noticing whether a name stands twice in an object.

    Raises:
        Unusual: perhaps `parse` would not read the text either.
    """
    try:
        value, end = _scan(text)
    except (ValueError, InvalidOperation, RecursionError):
        raise Unusual from None
    if end != len(text) and not text[end:].isspace():
        raise Unusual
    return value


def names_stand_once(text: str, members: int) -> bool:
    """Whether no object in *text* names a member twice, given how many members were found in all its objects.

    A name ends with a quotation mark and a colon. The two may stand in a string too, and then the answer is False
    although it might be True; but where as many were found as there are pairs of the two, none was passed over.
    """
    return (
        text.count('":') == members
        and " :" not in text
        # Single characters are found much more quickly than pairs of them, and most texts have none of these.
        and ("\n" not in text or "\n:" not in text)
        and ("\t" not in text or "\t:" not in text)
        and ("\r" not in text or "\r:" not in text)
    )


def _refusal(text: str) -> WireError:
    return WireError([Problem("", text)])


def _no_constant(name: str) -> Never:
    raise _refusal(f"the document is not JSON: {name} is not a number")


_scan = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant).raw_decode


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name in counts if counts[name] > 1)
        raise _refusal(f'the document names "{twice}" twice in one object')
    return members


def write(value: Any, indent: int | None = None, margin: str = "\n") -> str:
    """Write a value of objects, lists, text, integers, decimals, booleans and None as JSON text.

    Raises:
        InvalidValue: it holds something else, or a decimal that is not finite.
    """
    if indent is None and (write_plainly := _PLAIN.get(type(value))):
        return write_plainly(value)
    inner = margin if indent is None else margin + " " * indent
    match value:
        case str():
            return encode_basestring(value)
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return int.__repr__(value)
        case Decimal() if value.is_finite():
            return written_amount(value)
        case _ if is_object(value):
            colon = ":" if indent is None else ": "
            parts = [_name(name) + colon + write(member, indent, inner) for name, member in value.items()]
            return _enclose("{", parts, "}", indent, margin, inner)
        case _ if is_list(value):
            parts = [write(element, indent, inner) for element in value]
            return _enclose("[", parts, "]", indent, margin, inner)
        case _:
            raise InvalidValue("", f"{kind_of(value)} cannot be written as JSON")


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise InvalidValue("", f"{kind_of(name)} is no name of a member of an object")
    return encode_basestring(name)


def _enclose(start: str, parts: list[str], end: str, indent: int | None, margin: str, inner: str) -> str:
    if indent is None or not parts:
        return start + ",".join(parts) + end
    return start + inner + ("," + inner).join(parts) + margin + end


def written_amount(value: Decimal) -> str:
    """Write a finite decimal with all its digits and without an exponent."""
    text = str(value)
    return format(value, "f") if "E" in text else text


def write_object(value: Mapping[str, Any]) -> str:
    """Write an object in one line."""
    text = ""
    for name, member in value.items():
        kind = type(member)  # pyright: ignore[reportUnknownVariableType]  # of whatever it is
        written = encode_basestring(member) if kind is str else (_PLAIN.get(kind) or write)(member)
        text += f",{encode_basestring(name) if type(name) is str else _name(name)}:{written}"  # pyright: ignore[reportUnnecessaryComparison]  # callers may be untyped
    return "{" + text[1:] + "}"


def _write_list(value: Iterable[Any]) -> str:
    return "[" + ",".join([write(element) for element in value]) + "]"


# How the commonest types are written in one line.
_PLAIN: dict[Any, Callable[[Any], str]] = {
    str: encode_basestring,
    bool: {True: "true", False: "false"}.__getitem__,
    int: int.__repr__,
    dict: write_object,
    FrozenDict: write_object,
    list: _write_list,
    tuple: _write_list,
}
