"""Which sessions are being judged or moved just now, so that nothing else moves them meanwhile (D-13, D-14).

A rule is pure. One that calls a verb of the session it judges, however it got hold of it, is told so, and so is
another thread that moves the session in the middle of a judgement or of a trigger's callbacks.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from threading import get_ident
from typing import Any

from attrs import fields

from session_fsm.entities import contents, copy_with, restore, unslotted_of
from session_fsm.errors import ConcurrentChange

__all__ = [
    "BUSY",
    "begin",
    "busy_error",
    "end",
    "held_by",
    "judged_copy",
    "moving",
    "put_back",
    "refuse_if_busy",
    "under_judgement",
]

BUSY: dict[int, object] = {}
"""The identities of these sessions. While one is being moved, the value is the number of the thread that moves it; while
it is being judged, the value is anything else. A single operation of a dictionary is atomic, so threads need no lock."""


class _Mover(int):
    """The number of a thread that moves a session. Each is an object of its own, so that it is known by identity."""


def busy_error(session: Any) -> ConcurrentChange:
    """Return the error that *session* cannot be changed now."""
    problem = "it is being judged or moved; a rule must not change it, and only one thread may at a time"
    return ConcurrentChange(f"session {session.integration_id!r} cannot be changed: {problem}")


def refuse_if_busy(session: Any) -> None:
    """Refuse to change a session that is being judged, or moved by another thread.

    Raises:
        ConcurrentChange: it is.
    """
    if BUSY and BUSY.get(id(session), get_ident()) != get_ident():
        raise busy_error(session)


def begin(session: Any, held: object) -> object:
    """Note that *session*, with what `held_by` returned, is being judged, and return what `end` takes.

    Raises:
        ConcurrentChange: another judgement is under way, or another thread moves the session.
    """
    key = id(session)
    before = BUSY.setdefault(key, held)
    if before is held:
        return None
    if before != get_ident():
        raise busy_error(session)
    BUSY[key] = held  # a callback of this thread asks
    return before


def end(session: Any, before: object) -> None:
    """Note that the judgement is over, and put *before*, which `begin` returned, back."""
    if before is None:
        del BUSY[id(session)]
    else:
        BUSY[id(session)] = before


@contextmanager
def moving(session: Any) -> Generator[None]:
    """Let no other thread change *session* meanwhile; the callbacks of this one may.

    Raises:
        ConcurrentChange: it is being judged, or moved by another thread.
    """
    key, mover = id(session), _Mover(get_ident())
    held = BUSY.setdefault(key, mover)
    if held != mover:
        raise busy_error(session)
    try:
        yield
    finally:
        if held is mover:  # and not a callback that moves the session on
            del BUSY[key]


@contextmanager
def under_judgement(session: Any) -> Generator[bool]:
    """Let nothing change *session* meanwhile. Gives whether nobody else sees to that already."""
    held = held_by(session)
    try:
        before = begin(session, held)
    except ConcurrentChange:  # a rule asks what would come of something, or another thread does
        yield False
        return
    try:
        yield True
    finally:
        end(session, before)


def held_by(session: Any) -> tuple[Any, ...] | dict[str, Any]:
    """Return what all fields of *session* hold, to be compared with what they hold later."""
    try:
        held: tuple[Any, ...] = session.__contents__()
    except AttributeError:  # a field of a subclass has no value yet
        return contents(session)
    return held


def put_back(session: Any, held: tuple[Any, ...] | dict[str, Any]) -> None:
    """Put the fields of *session* back to what `held_by` returned."""
    if isinstance(held, tuple):
        kind: Any = session.__class__
        held = dict(zip((attribute.name for attribute in fields(kind)), held, strict=True))
    restore(session, held | unslotted_of(session))


def judged_copy(session: Any, values: dict[str, Any]) -> Any:
    """Return a copy of *session* for rules to look at, which nothing may move until it is taken out of `BUSY`."""
    made = copy_with(session, values)
    BUSY[id(made)] = values
    return made
