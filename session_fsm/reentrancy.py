"""The guard against changing a session while rules judge it or callbacks run for it (D-13, D-14).

Every trigger asks `refuse_if_busy`. A rule that calls a verb of the session it judges gets `ConcurrentChange`, and so
does another thread that changes the session during a judgement or a trigger's callbacks.
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
"""The busy sessions, by ``id()``. The value is the number of the thread that runs callbacks for the session, or, while
rules judge it, anything else. A single operation of a dictionary is atomic, so threads need no lock."""


class _Mover(int):
    """The number of a thread, as an object that is compared by identity."""


def busy_error(session: Any) -> ConcurrentChange:
    """Return the error that *session* is busy."""
    problem = "it is being judged or moved; a rule must not change it, and only one thread may at a time"
    return ConcurrentChange(f"session {session.integration_id!r} cannot be changed: {problem}")


def refuse_if_busy(session: Any) -> None:
    """Raise if *session* is being judged, or changed by another thread.

    Raises:
        ConcurrentChange: it is.
    """
    if BUSY and BUSY.get(id(session), get_ident()) != get_ident():
        raise busy_error(session)


def begin(session: Any, held: object) -> object:
    """Mark *session* as being judged, and return what `end` takes. *held* is what `held_by` returned.

    Raises:
        ConcurrentChange: it is being judged already, or another thread changes it.
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
    """Undo `begin`, which returned *before*."""
    if before is None:
        del BUSY[id(session)]
    else:
        BUSY[id(session)] = before


@contextmanager
def moving(session: Any) -> Generator[None]:
    """Mark *session* as being changed by this thread, whose callbacks may change it too.

    Raises:
        ConcurrentChange: it is being judged, or changed by another thread.
    """
    key, mover = id(session), _Mover(get_ident())
    held = BUSY.setdefault(key, mover)
    if held != mover:
        raise busy_error(session)
    try:
        yield
    finally:
        if held is mover:  # the outermost call of this thread
            del BUSY[key]


@contextmanager
def under_judgement(session: Any) -> Generator[bool]:
    """Mark *session* as being judged. The value is False where it was marked already."""
    held = held_by(session)
    try:
        before = begin(session, held)
    except ConcurrentChange:  # a rule, or another thread, evaluates the session while it is judged
        yield False
        return
    try:
        yield True
    finally:
        end(session, before)


def held_by(session: Any) -> tuple[Any, ...] | dict[str, Any]:
    """Return what all fields of *session* hold, to compare it with what they hold later."""
    try:
        held: tuple[Any, ...] = session.__contents__()
    except AttributeError:  # a field of a subclass has no value yet
        return contents(session)
    return held


def put_back(session: Any, held: tuple[Any, ...] | dict[str, Any]) -> None:
    """Set the fields of *session* to what `held_by` returned."""
    if isinstance(held, tuple):
        kind: Any = session.__class__
        held = dict(zip((attribute.name for attribute in fields(kind)), held, strict=True))
    restore(session, held | unslotted_of(session))


def judged_copy(session: Any, values: dict[str, Any]) -> Any:
    """Return a copy of *session* for rules to read. It is marked as busy until the caller removes it from `BUSY`."""
    made = copy_with(session, values)
    BUSY[id(made)] = values
    return made
