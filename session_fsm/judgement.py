"""Which sessions are being judged just now: nothing may move them meanwhile (D-13, D-14).

A rule is pure. One that calls a verb of the session it judges, however it got hold of it, is told so, and so is
another thread that moves the session in the middle of a judgement.
"""

from __future__ import annotations

from typing import Any

from session_fsm.entities import contents, restore
from session_fsm.errors import ConcurrentChange

__all__ = ["UNDER_JUDGEMENT", "refuse_if_judged", "restore_if_changed"]

UNDER_JUDGEMENT: set[int] = set()
"""The identities of these sessions. To add and to discard one is atomic, so threads need no lock."""


def refuse_if_judged(session: Any) -> None:
    """Refuse to change a session that is being judged.

    Raises:
        ConcurrentChange: a rule asks for it, or another thread does.
    """
    if UNDER_JUDGEMENT and id(session) in UNDER_JUDGEMENT:
        problem = "it is being judged; a rule must not change it, and one thread at a time may"
        raise ConcurrentChange(f"session {session.integration_id!r} cannot be changed: {problem}")


def restore_if_changed(session: Any, held: dict[str, Any]) -> None:
    """Put a session back to what it *held* before its rules were judged, if one of them has assigned to a field.

    Raises:
        ConcurrentChange: one has.
    """
    now = contents(session)
    if now.keys() != held.keys() or any(now[name] is not value for name, value in held.items()):
        restore(session, held)
        raise ConcurrentChange(f"session {session.integration_id!r}: a rule assigned to a field, which is undone")
