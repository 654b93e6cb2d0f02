"""OpenTelemetry: one event for each trigger on the current span.

>>> from session_fsm import telemetry
>>> telemetry.enable()
>>> telemetry.disable()

An event is named ``session_fsm.close`` after its trigger, and has the attributes ``session_fsm.session_id``,
``session_fsm.trigger``, ``session_fsm.source``, ``session_fsm.target``, ``session_fsm.event_name``,
``session_fsm.update_count`` and ``session_fsm.codes``, as far as they are known, and ``session_fsm.refused``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

from session_fsm.errors import SessionFSMError, TransitionRefused
from session_fsm.events import SessionEvent
from session_fsm.logs import of_event, of_refusal
from session_fsm.machine import LifecycleEvent, LifecycleMachine

__all__ = ["disable", "enable"]

# Enabling replaces these methods, so that a trigger does not even have to look whether it is enabled.
_METHODS: tuple[tuple[type[Any], str], ...] = (
    (LifecycleEvent, "fire"),
    (LifecycleMachine, "create"),
    (LifecycleMachine, "refuse"),
)
_replaced: dict[tuple[type[Any], str], Any] = {}


def enable() -> None:
    """Add an event to the current span for each trigger from now on, of all session classes.

    Raises:
        SessionFSMError: OpenTelemetry is not installed.
    """
    try:
        trace = import_module("opentelemetry.trace")
    except ModuleNotFoundError:
        raise SessionFSMError("OpenTelemetry is not installed; run: pip install opentelemetry-api") from None
    for kind, name in _METHODS:
        if (kind, name) not in _replaced:
            _replaced[kind, name] = method = getattr(kind, name)
            setattr(kind, name, _traced(method, trace.get_current_span))


def disable() -> None:
    """Add no more events."""
    for (kind, name), method in _replaced.items():
        setattr(kind, name, method)
    _replaced.clear()


def _traced(method: Callable[..., SessionEvent], current_span: Callable[[], Any]) -> Callable[..., SessionEvent]:
    @wraps(method)
    def call_and_tell(*args: Any, **kwargs: Any) -> SessionEvent:
        span = current_span()
        if not span.is_recording():
            return method(*args, **kwargs)
        try:
            event = method(*args, **kwargs)
        except TransitionRefused as error:
            _add(span, of_refusal(error), refused=True)
            raise
        _add(span, of_event(event), refused=False)
        return event

    return call_and_tell


def _add(span: Any, facts: dict[str, Any], *, refused: bool) -> None:
    attributes = {f"session_fsm.{name}": value for name, value in facts.items() if value not in (None, [])}
    span.add_event(f"session_fsm.{facts['trigger']}", {**attributes, "session_fsm.refused": refused})
