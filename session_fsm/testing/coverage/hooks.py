"""The seam at which the life of sessions can be watched: four methods of the machine's classes.

While somebody watches, the methods are replaced by ones that tell of what happened; when nobody does, they are the
originals, and nothing costs anything.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Protocol

from session_fsm.decisions import Decision
from session_fsm.errors import TransitionRefused
from session_fsm.machine import LifecycleEvent, LifecycleMachine
from session_fsm.states import State, Trigger

__all__ = ["Watcher", "unrecorded", "unwatch", "watch"]


class Watcher(Protocol):
    """What is told of everything that sessions do."""

    def moved(
        self, kind: type[Any], machine: LifecycleMachine, source: State | None, trigger: Trigger, target: State
    ) -> None:
        """Hear that a session of *kind* came into being or moved, all rules having passed."""
        ...

    def judged(self, kind: type[Any], decision: Decision[Any]) -> None:
        """Hear of a refusal, or of what came of a dry run."""
        ...


class _Seam:
    """Who watches, and what the methods were before."""

    watchers: tuple[Watcher, ...] = ()
    originals: tuple[Any, ...] = ()


_seam = _Seam()
# Reentrant, because a signal or a finalizer may come in between and pull a trigger too.
_lock = threading.RLock()
_unheard: ContextVar[bool] = ContextVar("unheard", default=False)
_last = threading.local()


def watch(watcher: Watcher) -> None:
    """Let *watcher* hear of everything that happens from now on, in every thread, beside those who do already."""
    with _lock:
        if not _seam.watchers:
            _seam.originals = tuple(getattr(owner, name) for owner, name, _ in _METHODS)
            for (owner, name, telling), original in zip(_METHODS, _seam.originals, strict=True):
                setattr(owner, name, telling(original))
        _seam.watchers = (*_seam.watchers, watcher)


def unwatch(watcher: Watcher) -> None:
    """Tell *watcher* nothing any more."""
    with _lock:
        _seam.watchers = tuple(other for other in _seam.watchers if other is not watcher)
        if not _seam.watchers:
            for (owner, name, _), original in zip(_METHODS, _seam.originals, strict=True):
                setattr(owner, name, original)


@contextmanager
def unrecorded() -> Generator[None]:
    """Keep what happens within from every recorder, in this thread or task alone.

    What searches, compares or draws pulls triggers and judges rules by the thousand, and tests nothing by it.
    It decorates functions too: ``@unrecorded()``.
    """
    token = _unheard.set(True)
    try:
        yield
    finally:
        _unheard.reset(token)


def _moved(kind: type[Any], machine: LifecycleMachine, source: State | None, trigger: Trigger, target: State) -> None:
    if not _unheard.get():
        for watcher in _seam.watchers:
            watcher.moved(kind, machine, source, trigger, target)


def _judged(kind: type[Any], decision: Decision[Any]) -> None:
    if not _unheard.get():
        for watcher in _seam.watchers:
            watcher.judged(kind, decision)


def _refused(kind: type[Any], refusal: TransitionRefused) -> None:
    """Tell of *refusal* once, though it may pass through the trigger of another session, whose callback caused it."""
    last: Any = getattr(_last, "refusal", None)
    if last is None or last() is not refusal:
        _last.refusal = weakref.ref(refusal)
        _judged(kind, refusal.decision)


def _kind_of(session: object) -> type[Any]:
    return type(session)


def _telling_fire(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def fire(self: LifecycleEvent, session: Any, *args: Any, **kwargs: Any) -> Any:
        kind = _kind_of(session)
        try:
            event = original(self, session, *args, **kwargs)
        except TransitionRefused as refusal:
            _refused(kind, refusal)
            raise
        _moved(kind, self.machine, event.source, event.trigger, event.target)
        return event

    return fire


def _telling_trigger(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def trigger(self: LifecycleEvent, model: Any, *args: Any, **kwargs: Any) -> Any:
        kind, source = _kind_of(model), model.state
        try:
            has_moved = original(self, model, *args, **kwargs)
        except TransitionRefused as refusal:
            _refused(kind, refusal)
            raise
        if has_moved:
            # The row is looked up, because a callback may have moved the session on.
            table = self.machine.table
            row = next(row for row in table if row.source is source and row.trigger == self.name)
            _moved(kind, self.machine, source, row.trigger, row.target)
        return has_moved

    return trigger


def _telling_decide(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def decide(self: LifecycleEvent, session: Any, *args: Any, **kwargs: Any) -> Any:
        decision = original(self, session, *args, **kwargs)
        _judged(_kind_of(session), decision)
        return decision

    return decide


def _telling_create(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def create(self: LifecycleMachine, newborn: Any, *args: Any, **kwargs: Any) -> Any:
        kind = _kind_of(newborn)
        try:
            event = original(self, newborn, *args, **kwargs)
        except TransitionRefused as refusal:
            _refused(kind, refusal)
            raise
        _moved(kind, self, None, event.trigger, event.target)
        return event

    return create


_METHODS: tuple[tuple[type[Any], str, Callable[[Callable[..., Any]], Callable[..., Any]]], ...] = (
    (LifecycleEvent, "fire", _telling_fire),
    (LifecycleEvent, "trigger", _telling_trigger),
    (LifecycleEvent, "decide", _telling_decide),
    (LifecycleMachine, "create", _telling_create),
)
