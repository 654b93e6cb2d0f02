"""Hooks that report every transition, refusal and dry run of sessions to observers, such as `Recorder`.

The first observer replaces four methods of the machine's classes by wrappers; when the last one is removed, the
original methods are back. Without an observer nothing is wrapped, so that sessions run at full speed.
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

__all__ = ["Observer", "add_observer", "remove_observer", "unrecorded"]


class Observer(Protocol):
    """The methods that the hooks call."""

    def on_transition(
        self, kind: type[Any], machine: LifecycleMachine, source: State | None, trigger: Trigger, target: State
    ) -> None:
        """Handle a transition or creation of a session of *kind*; all its rules passed."""
        ...

    def on_decision(self, kind: type[Any], decision: Decision[Any]) -> None:
        """Handle the decision of a refusal or of a dry run."""
        ...


class _Hooks:
    """The current observers, and the methods that the wrappers replaced."""

    observers: tuple[Observer, ...] = ()
    originals: tuple[Any, ...] = ()


_hooks = _Hooks()
# Reentrant, because a signal handler or a finalizer may fire a trigger while the lock is held.
_lock = threading.RLock()
_suppressed: ContextVar[bool] = ContextVar("suppressed", default=False)
_thread = threading.local()


def add_observer(observer: Observer) -> None:
    """Call *observer* from now on, for the sessions of every thread; install the wrappers if it is the first."""
    with _lock:
        if not _hooks.observers:
            _hooks.originals = tuple(getattr(owner, name) for owner, name, _ in _METHODS)
            for (owner, name, wrap), original in zip(_METHODS, _hooks.originals, strict=True):
                setattr(owner, name, wrap(original))
        _hooks.observers = (*_hooks.observers, observer)


def remove_observer(observer: Observer) -> None:
    """Stop calling *observer*; restore the original methods if it was the last."""
    with _lock:
        _hooks.observers = tuple(other for other in _hooks.observers if other is not observer)
        if not _hooks.observers:
            for (owner, name, _), original in zip(_METHODS, _hooks.originals, strict=True):
                setattr(owner, name, original)


@contextmanager
def unrecorded() -> Generator[None]:
    """Suspend every recorder for the enclosed code, in this thread or task only.

    Searches, comparisons and diagrams fire thousands of triggers that test nothing.
    It is also a decorator: ``@unrecorded()``.
    """
    token = _suppressed.set(True)
    try:
        yield
    finally:
        _suppressed.reset(token)


def _report_transition(
    kind: type[Any], machine: LifecycleMachine, source: State | None, trigger: Trigger, target: State
) -> None:
    if not _suppressed.get():
        for observer in _hooks.observers:
            observer.on_transition(kind, machine, source, trigger, target)


def _report_decision(kind: type[Any], decision: Decision[Any]) -> None:
    if not _suppressed.get():
        for observer in _hooks.observers:
            observer.on_decision(kind, decision)


def _report_refusal(kind: type[Any], refusal: TransitionRefused) -> None:
    """Report *refusal* once, even if it propagates through the trigger of another session, raised in its callback."""
    last: Any = getattr(_thread, "last_refusal", None)
    if last is None or last() is not refusal:
        _thread.last_refusal = weakref.ref(refusal)
        _report_decision(kind, refusal.decision)


def _kind_of(session: object) -> type[Any]:
    return type(session)


def _wrap_verb(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a method that returns the event of a transition or of a creation."""

    @wraps(original)
    def fire(self: LifecycleEvent | LifecycleMachine, session: Any, *args: Any, **kwargs: Any) -> Any:
        kind = _kind_of(session)
        machine = self if isinstance(self, LifecycleMachine) else self.machine
        try:
            event = original(self, session, *args, **kwargs)
        except TransitionRefused as refusal:
            _report_refusal(kind, refusal)
            raise
        _report_transition(kind, machine, event.source, event.trigger, event.target)
        return event

    return fire


def _wrap_trigger(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def trigger(self: LifecycleEvent, model: Any, *args: Any, **kwargs: Any) -> Any:
        kind, source = _kind_of(model), model.state
        try:
            has_fired = original(self, model, *args, **kwargs)
        except TransitionRefused as refusal:
            _report_refusal(kind, refusal)
            raise
        if has_fired:
            # The target comes from the table, because a callback may have fired a further trigger of the session.
            table = self.machine.table
            row = next(row for row in table if row.source is source and row.trigger == self.name)
            _report_transition(kind, self.machine, source, row.trigger, row.target)
        return has_fired

    return trigger


def _wrap_decide(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def decide(self: LifecycleEvent, session: Any, *args: Any, **kwargs: Any) -> Any:
        decision = original(self, session, *args, **kwargs)
        _report_decision(_kind_of(session), decision)
        return decision

    return decide


_METHODS: tuple[tuple[type[Any], str, Callable[[Callable[..., Any]], Callable[..., Any]]], ...] = (
    (LifecycleEvent, "fire", _wrap_verb),
    (LifecycleEvent, "trigger", _wrap_trigger),
    (LifecycleEvent, "decide", _wrap_decide),
    (LifecycleMachine, "create", _wrap_verb),
)
"""The methods that are wrapped: class, name, and the function that wraps it."""
