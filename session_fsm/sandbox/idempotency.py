"""The answers of idempotency keys, which are given again for 24 hours (W-22)."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from attrs import frozen

from session_fsm.sandbox.errors import Refused
from session_fsm.sandbox.reading import LONGEST_KEY

__all__ = ["KeptAnswers", "fingerprint"]

_KEPT = timedelta(hours=24)
_MOST = 10_000
"""How many answers are kept; the oldest ones go first."""


@frozen
class _Kept:
    fingerprint: bytes
    answer: bytes
    at: datetime


def fingerprint(method: str, target: str, body: bytes) -> bytes:
    """Return what tells a request from another one."""
    return sha256(b"\0".join([method.encode(), target.encode(), body])).digest()


class KeptAnswers:
    """Answers by their keys."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def find(self, key: str, request: bytes, now: datetime) -> bytes | None:
        """Return the answer of a key, or None if it has none yet.

        Raises:
            Refused: the key is empty or too long, or was used for another request.
        """
        if not 1 <= len(key) <= LONGEST_KEY:
            details = f"an idempotency key has 1 to {LONGEST_KEY} characters"
            raise Refused(400, "The submitted data was invalid", title="Invalid value", details=details)
        kept = self._kept.get(key)
        if kept is None or abs(now - kept.at) >= _KEPT:
            return None
        if kept.fingerprint != request:
            details = "the idempotency key was used for another request"
            raise Refused(400, "The submitted data was invalid", title="idempotency_conflict", details=details)
        return kept.answer

    def keep(self, key: str, request: bytes, answer: bytes, now: datetime) -> None:
        """Keep the answer of a key."""
        self._kept.pop(key, None)
        self._kept[key] = _Kept(request, answer, now)
        if len(self._kept) > _MOST:
            del self._kept[next(iter(self._kept))]

    def clear(self) -> None:
        """Forget all answers."""
        self._kept.clear()
