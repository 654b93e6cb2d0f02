"""Compare the fast and the slow path of reading JSON."""

import json
from decimal import Decimal
from typing import Any

import attrs

from session_fsm import WireError, wire
from session_fsm.wire import fast_reader
from session_fsm.wire.fast_reading import FALL_BACK
from session_fsm.wire.text import decoded, parse


def held(value: Any) -> Any:
    """Return what an object holds, with the type of everything, so that 1 is not True and 1.0 not 1.00."""
    if attrs.has(type(value)):
        fields = {a.name: held(getattr(value, a.name)) for a in attrs.fields(type(value))}
        return type(value), fields
    if isinstance(value, dict):
        return type(value), {name: held(member) for name, member in value.items()}
    if isinstance(value, tuple):
        return type(value), [held(element) for element in value]
    return type(value), repr(value)


class _Mapping(dict[str, Any]):
    """An object that the fast path does not know, so that the slow path has to read it."""


def slowly(document: Any, kind: Any, *, strict: bool) -> Any:
    """Read *document*, and everything in it, on the slow path."""

    def copy(value: Any) -> Any:
        if isinstance(value, dict):
            return _Mapping({name: copy(member) for name, member in value.items()})
        return [copy(element) for element in value] if isinstance(value, list) else value

    return wire.structure(copy(document), kind, strict=strict)


def outcome(read: Any, *arguments: Any, **settings: Any) -> Any:
    """Return what was read, or where the problems are and what they are."""
    try:
        return held(read(*arguments, **settings))
    except WireError as error:
        return [(problem.pointer, problem.text) for problem in error.problems]


def fast_outcome(text: str, kind: Any, *, strict: bool) -> Any:
    """Return what the fast path reads, or None where it leaves the document to the slow one."""
    try:
        return held(fast_reader(kind, strict=strict).read(decoded(text), strict=strict))
    except FALL_BACK:
        return None


def agrees(text: str, kind: Any, *, strict: bool = False) -> bool:
    """Compare the paths on *text*, and return whether the fast path read it."""
    fast = fast_outcome(text, kind, strict=strict)
    slow = outcome(lambda: slowly(parse(text), kind, strict=strict))
    assert fast is None or fast == slow
    assert outcome(wire.loads, text, kind, strict=strict) == slow
    return fast is not None


def text_of(value: Any) -> str:
    """Write anything as JSON text, even what no reader should take."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(name))}:{text_of(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(text_of, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value)
