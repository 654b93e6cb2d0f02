"""Faults to order: what a sandbox does wrong because a test asks for it (W-23, W-25)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args

from attrs import asdict, field, fields, frozen

from session_fsm.errors import InvalidValue, Problem, pointer_token
from session_fsm.validators import is_object, kind_of

__all__ = ["Drop", "Fault", "FaultState", "Faults", "OperationName"]

OperationName: TypeAlias = Literal["update", "get", "return", "reopen", "profile"]
"""An operation of the sandbox: the four of customer sessions, and ``profile`` for the update of a customer profile."""
Drop: TypeAlias = Literal["before", "after"]
"""When a connection is dropped: before the request is performed, or after it, before the answer."""
_LONGEST_DELAY = 3600.0
_MOST_TIMES = 1_000_000_000
_WAITS = (429, 503)
"""The statuses that are answered with ``Retry-After``, unless the fault says otherwise."""


@frozen(kw_only=True)
class Fault:
    """One fault, and the requests that it happens to.

    >>> Fault(status=503, every=3).to_json()
    {'status': 503, 'every': 3}

    Raises:
        InvalidValue: with every member that is wrong.
    """

    status: int | None = None
    """The status of the answer, from 400 to 599; the request is not performed."""
    message: str | None = None
    """The message of the answer; by default that of the status."""
    retry_after: int | None = None
    """``Retry-After`` in seconds; by default 1 for 429 and 503, and none for others."""
    delay: float = 0.0
    """How many seconds the request takes before it is performed. Meanwhile its session is busy (W-20)."""
    drop: Drop | None = None
    """Drop the connection ``before`` the request is performed, or ``after`` it."""
    cut: bool = False
    """Perform the request, and end the connection in the middle of the answer."""
    times: int | None = field(default=None)
    """To how many requests it happens; None for all. By default 1, and all if `every` or `session_id` is given."""
    every: int = 1
    """It happens to every nth of the requests that it is for."""
    session_id: str | None = None
    """Only requests of this session (or profile)."""
    operation: OperationName | None = None
    """Only requests of this operation."""

    def __attrs_post_init__(self) -> None:
        problems = [Problem(pointer_token(name), text) for name, text in self._problems() if text]
        if problems:
            raise InvalidValue.of(problems)

    @property
    def limit(self) -> int | None:
        """To how many requests it happens in the end; None for all."""
        if self.times is None and self.every == 1 and self.session_id is None:
            return 1
        return self.times

    def _problems(self) -> Iterable[tuple[str, str]]:
        yield "status", _integer(self.status, 400, 599)
        yield "message", "" if self.message is None or isinstance(self.message, str) else "is not a string"  # pyright: ignore[reportUnnecessaryIsInstance]  # the values come from JSON
        yield "retryAfter", _integer(self.retry_after, 0, 86_400)
        yield "delay", _seconds(self.delay)
        yield "drop", _one_of(self.drop, get_args(Drop))
        yield "cut", "" if isinstance(self.cut, bool) else "is not a boolean"  # pyright: ignore[reportUnnecessaryIsInstance]  # the values come from JSON
        yield "times", _integer(self.times, 1, _MOST_TIMES)
        yield "every", "is missing" if self.every is None else _integer(self.every, 1, _MOST_TIMES)  # pyright: ignore[reportUnnecessaryComparison]  # the values come from JSON
        yield "sessionId", "" if self.session_id is None or isinstance(self.session_id, str) else "is not a string"  # pyright: ignore[reportUnnecessaryIsInstance]  # the values come from JSON
        yield "operation", _one_of(self.operation, get_args(OperationName))
        chosen = [self.status is not None, self.drop is not None, self.cut is True]
        if sum(chosen) > 1:
            yield "", "a fault is a status, a dropped connection or a cut answer, not several of them"
        elif not any(chosen) and self.delay == 0:
            yield "", "a fault has a status, a delay, a dropped connection (drop) or a cut answer (cut)"
        if self.retry_after is not None and self.status is None:
            yield "retryAfter", "needs a status"

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the answer."""
        seconds = 1 if self.retry_after is None and self.status in _WAITS else self.retry_after
        return MappingProxyType({} if seconds is None else {"retry-after": str(seconds)})

    @classmethod
    def from_json(cls, document: object) -> Fault:
        """Read a fault, as the control API and files of faults have it.

        Raises:
            InvalidValue: with every member that is wrong or unknown.
        """
        if not is_object(document):
            raise InvalidValue("", f"a fault is an object, not {kind_of(document)}")
        given: Mapping[Any, Any] = document
        members = {name: value for name, value in given.items() if value is not None}
        unknown = [Problem(pointer_token(str(name)), "is not known") for name in members if name not in _NAMES]
        if unknown:
            raise InvalidValue.of(unknown)
        values: dict[str, Any] = {
            _NAMES[name]: float(value) if isinstance(value, Decimal) else value for name, value in members.items()
        }
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """Return the fault as `from_json` reads it, without the members that have their default."""
        values = asdict(self)
        defaults = {attribute.name: attribute.default for attribute in fields(Fault)}
        return {name: values[own] for name, own in _NAMES.items() if values[own] != defaults[own]}

    def is_for(self, operation: str, session_id: str) -> bool:
        """Whether it may happen to a request."""
        return self.operation in (None, operation) and self.session_id in (None, session_id)


_RENAMED = {"retry_after": "retryAfter", "session_id": "sessionId"}
_OWN_NAMES: tuple[str, ...] = tuple(attribute.name for attribute in fields(Fault))
_NAMES: Mapping[str, str] = {_RENAMED.get(name, name): name for name in _OWN_NAMES}
"""The names of the fields by those of the members in JSON."""


def _integer(value: object, least: int, most: int) -> str:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and least <= value <= most):
        return ""
    return f"is not an integer from {least} to {most}"


def _seconds(value: object) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _LONGEST_DELAY:
        return ""
    return f"is not a number of seconds from 0 to {_LONGEST_DELAY:.0f}"


def _one_of(value: object, allowed: Iterable[str]) -> str:
    names = tuple(allowed)
    return "" if value is None or value in names else f"is none of: {', '.join(names)}"


@frozen
class FaultState:
    """A fault that was ordered, and how far it has come."""

    number: int
    """By which it is deleted."""
    fault: Fault
    """The fault."""
    seen: int = 0
    """How many requests it was for."""
    done: int = 0
    """How many it has happened to."""


class Faults:
    """The faults that were ordered. They may be ordered from any thread."""

    def __init__(self, changed: Callable[[], object]) -> None:
        self._lock = threading.Lock()
        self._ordered: dict[int, FaultState] = {}
        self._number = 0
        self._changed = changed

    def add(self, fault: Fault) -> FaultState:
        """Order a fault."""
        with self._lock:
            self._number += 1
            state = self._ordered[self._number] = FaultState(self._number, fault)
        self._changed()
        return state

    def all(self) -> list[FaultState]:
        """Return the faults that are still to happen, in the order in which they were ordered."""
        with self._lock:
            return list(self._ordered.values())

    def remove(self, number: int) -> bool:
        """Delete a fault, and return whether it was there."""
        with self._lock:
            found = self._ordered.pop(number, None) is not None
        self._changed()
        return found

    def clear(self) -> None:
        """Delete all faults."""
        with self._lock:
            self._ordered.clear()
        self._changed()

    def take(self, operation: str, session_id: str) -> Fault | None:
        """Return the fault that happens to a request: the first that is for it, and whose turn it is."""
        if not self._ordered:
            return None
        with self._lock:
            found = self._take(operation, session_id)
        if found is not None:
            self._changed()
        return found

    def _take(self, operation: str, session_id: str) -> Fault | None:
        for state in list(self._ordered.values()):
            fault = state.fault
            if not fault.is_for(operation, session_id):
                continue
            seen = state.seen + 1
            happens = seen % fault.every == 0
            done = state.done + happens
            self._ordered[state.number] = FaultState(state.number, fault, seen, done)
            if happens:
                if fault.limit is not None and done >= fault.limit:
                    del self._ordered[state.number]
                return fault
        return None
