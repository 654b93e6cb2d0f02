"""Idempotency keys: the request of a key, its fingerprint, and its answer as it is stored.

The answer is a `SessionEvent`, a session, None, or a value of JSON: what is given again equals the first answer.
"""

from __future__ import annotations

import json
from decimal import Decimal
from hashlib import sha256
from typing import Any

from attrs import frozen

from session_fsm import wire
from session_fsm.errors import InvalidValue
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.store.database.keys import is_storable, short_key
from session_fsm.store.operations.documents import Documents

__all__ = ["KeyedRequest", "answer_of", "stored_answer"]

_LONGEST = 1000
"""The greatest number of characters of an idempotency key."""


@frozen
class KeyedRequest:
    """A request with an idempotency key."""

    key: str
    """The key as the caller gave it."""
    stored_key: str
    fingerprint: str
    """The SHA-256 of the session's key and of the request."""

    @classmethod
    def of(cls, key: str | None, request: object, session_key: str) -> KeyedRequest | None:
        """Return the request, or None if it has no key.

        Raises:
            InvalidValue: the key is empty or too long, or the request is neither a text, bytes nor JSON.
        """
        if key is None:
            return None
        if not 1 <= len(key) <= _LONGEST or not is_storable(key):
            raise InvalidValue("", f"an idempotency key has 1 to {_LONGEST} characters")
        digest = sha256(session_key.encode("utf-8", "surrogatepass"))
        digest.update(b"\0")
        digest.update(_bytes(request))
        return cls(key, short_key(key), digest.hexdigest())


def _bytes(request: object) -> bytes:
    match request:
        case bytes():
            return b"b" + request
        case str():
            return b"t" + request.encode("utf-8", "surrogatepass")
        case None:
            return b""
        case _:
            try:
                return b"d" + wire.dumps(request)
            except InvalidValue:
                pass
    try:
        return b"j" + json.dumps(request, sort_keys=True, default=_plain).encode()
    except (TypeError, ValueError, RecursionError):
        raise InvalidValue("", "a request is a text, bytes, a value of this library, or JSON") from None


def _plain(value: Any) -> Any:
    """Return what stands for a value that `json` does not write: an exact decimal, or a value of this library."""
    return {"decimal": str(value)} if isinstance(value, Decimal) else wire.unstructure(value)


def stored_answer(answer: object) -> tuple[str, str]:
    """Return the kind of *answer* and its text.

    Raises:
        InvalidValue: it would not be the same when it is read again.
    """
    if isinstance(answer, SessionEvent):
        return "event", wire.dumps(answer).decode()
    if isinstance(answer, CustomerSession):
        return "session", wire.dumps(answer).decode()
    try:
        text = json.dumps(answer, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        text = ""
    if not text or not _same(json.loads(text), answer):
        raise InvalidValue("", "with an idempotency key, the function returns an event, a session, None or JSON")
    return "json", text


def _same(read: Any, answer: Any) -> bool:
    """Whether *read* is *answer*, types included: a tuple would become a list, and a number as a name a text."""
    if type(read) is not type(answer):
        return False
    if isinstance(read, dict):
        return read.keys() == answer.keys() and all(_same(value, answer[name]) for name, value in read.items())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # of any JSON
    if isinstance(read, list):
        return len(read) == len(answer) and all(map(_same, read, answer))  # pyright: ignore[reportUnknownArgumentType]  # of any JSON
    return bool(read == answer)


def answer_of(documents: Documents[Any], kind: str, text: str) -> Any:
    """Return the answer that `stored_answer` was given."""
    if kind == "event":
        return documents.read_event(text)
    if kind == "session":
        return wire.loads(text, documents.kind, most_bytes=None)
    return json.loads(text)
