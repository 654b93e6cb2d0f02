"""What the store tells while it works: one log record for each event, and OpenTelemetry spans where that is installed.

The logger is ``session_fsm.store``. A record's attributes are ``session_id``, ``application_id``, ``trigger``,
``source``, ``target``, ``version``, ``attempts`` and ``duration`` (in seconds). Nothing holds data of the session.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cache
from time import perf_counter
from typing import Any

from session_fsm.events import SessionEvent
from session_fsm.store.errors import named

__all__ = ["Watch", "span"]

_log = logging.getLogger("session_fsm.store")


class Watch:
    """Measures one change of a session, from its creation on."""

    __slots__ = ("attempts", "started")

    def __init__(self) -> None:
        self.started = perf_counter()
        self.attempts = 1
        """How often the change was tried."""

    def stored(self, events: Sequence[SessionEvent], application_id: int | None) -> None:
        """Log the events that were stored."""
        if not _log.isEnabledFor(logging.INFO):
            return
        duration = perf_counter() - self.started
        for event in events:
            source, target = None if event.source is None else event.source.value, event.target.value
            facts = {
                "session_id": event.session_id,
                "application_id": application_id,
                "trigger": event.trigger.value,
                "source": source,
                "target": target,
                "version": event.update_count,
                "attempts": self.attempts,
                "duration": duration,
            }
            text = "%s: %s, from %s to %s, is stored as version %d"
            where = named(event.session_id, application_id)
            _log.info(text, where, event.trigger.value, source or "(new)", target, event.update_count, extra=facts)


@cache
def _tracer() -> Any:
    """Return the tracer of OpenTelemetry, or None where it is not installed."""
    try:
        from opentelemetry import trace  # noqa: PLC0415 - optional
    except ModuleNotFoundError:
        return None
    return trace.get_tracer("session_fsm.store")


@contextmanager
def span(operation: str, session_id: str = "") -> Generator[None]:
    """Run the block in a span of OpenTelemetry named ``session_fsm.store.OPERATION``, where that is installed.

    The span gets the class of an exception, and not its text or its traceback.
    """
    tracer = _tracer()
    if tracer is None:
        yield
        return
    attributes = {"session_fsm.session_id": session_id} if session_id else {}
    name = f"session_fsm.store.{operation}"
    with tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except Exception as error:
            current.set_attribute("error.type", type(error).__qualname__)
            raise
