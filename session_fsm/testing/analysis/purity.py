"""Detect rules that are not pure functions, by calling them; used by `lint`.

An `Observed` rule returns what the rule returns. It calls the rule twice with the same arguments, compares the
arguments before and after, and notes every call of a clock or a random source, also in functions that the rule calls.
A rule should take the time as its parameter ``now``.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from functools import wraps
from types import FrameType
from typing import Any

from attrs import evolve

from session_fsm.entities import contents, restore
from session_fsm.errors import Violation
from session_fsm.guards import Answer, Rule
from session_fsm.session import CustomerSession

__all__ = ["Impurity", "Observed", "UnfitAnswer", "impurity_of_call"]

_CLOCK_METHODS = {"now", "utcnow", "today"}
_TIME_FUNCTIONS = {
    *("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time"),
    *("process_time_ns", "thread_time", "thread_time_ns", "clock_gettime", "clock_gettime_ns"),
}
"""The functions of the module `time` that read a clock."""
_SYSTEM_RANDOM = {"urandom", "getrandom"}


class Impurity(StrEnum):
    """The ways in which a rule is not a pure function."""

    DEPENDS_ON_TIME = "depends-on-time"
    DEPENDS_ON_CHANCE = "depends-on-chance"
    CHANGES_ITS_INPUT = "changes-its-input"


class UnfitAnswer(TypeError):
    """A rule returned a value that is not a valid answer."""


_BOOLEAN, _EMPTY_LIST, _VIOLATIONS = "a boolean", "an empty list", "violations"


class Observed:
    """A rule, wrapped to detect impurities and invalid answers."""

    def __init__(self, rule: Rule) -> None:
        self.impurities: dict[Impurity, str] = {}
        """The impurities that were found, each with its reason."""
        self.rule = evolve(rule, function=self._wrapped(rule))
        """The wrapped rule."""
        self._valid: dict[str, None] = {}
        """The kinds of its valid answers, in the order of their first occurrence."""
        self._invalid: dict[str, None] = {}
        """The types of its invalid answers."""

    def unfit_answers(self) -> Iterator[str]:
        """Yield a text for each problem with its answers."""
        for kind in self._invalid:
            yield f"it answers {kind}, which is an error of the rule; {_FIX}"
        if _BOOLEAN in self._valid and _VIOLATIONS not in self._valid:
            for kind in self._valid:
                if kind != _BOOLEAN:
                    yield f"it answers {kind} at times, which passes, and a boolean at others; {_FIX}"

    def _wrapped(self, rule: Rule) -> Callable[..., Answer]:
        @wraps(rule.function)
        def observed(*arguments: Any, **named: Any) -> Answer:
            given = {**dict(zip(rule.parameters, arguments, strict=False)), **named}
            before, sessions = _snapshot(given), _contents_of_sessions(given)
            with self._profiled():
                answer = _answer(rule, arguments, named)
            first = self._judged(rule, answer)
            if _snapshot(given) != before:
                changed = [name for name, snapshot in _snapshot(given).items() if snapshot != before[name]]
                self._note(Impurity.CHANGES_ITS_INPUT, f"it changes {', '.join(changed)}")
                self._restore(sessions)
            second = self._judged(rule, _answer(rule, arguments, named))
            if Impurity.CHANGES_ITS_INPUT in self.impurities:
                self._restore(sessions)
            if _describe(first) != _describe(second):
                self._note(
                    Impurity.DEPENDS_ON_CHANCE,
                    f"it answered {_describe(first)}, and then, for the same arguments, {_describe(second)}",
                )
            if isinstance(first, Exception):
                raise first
            judged: Answer = first
            return judged

        return observed

    def _judged(self, rule: Rule, answer: Any) -> Any:
        """Return the meaning of *answer*: None, violations, or the exception that the rule raised or that its answer causes."""
        if isinstance(answer, Exception):
            return answer
        if answer is None or isinstance(answer, bool):
            if answer is not None:
                self._valid[_BOOLEAN] = None
            return None if answer is not False else rule.violations_in(answer)
        listed: Any = [answer] if isinstance(answer, Violation) else answer
        if isinstance(listed, (list, tuple)) and all(isinstance(each, Violation) for each in listed):  # pyright: ignore[reportUnknownVariableType]  # elements of any type
            empty = "an empty tuple" if isinstance(answer, tuple) else _EMPTY_LIST
            self._valid[_VIOLATIONS if listed else empty] = None
            try:
                return rule.violations_in(answer)  # pyright: ignore[reportUnknownArgumentType]  # as above
            except ValueError as error:  # a violation with the code of another rule
                return error
        self._invalid[_name_of(answer)] = None
        return UnfitAnswer(f"the rule answered {_name_of(answer)}")

    def _restore(self, sessions: list[tuple[CustomerSession, dict[str, Any]]]) -> None:
        """Undo changes of sessions, which would disturb the search; the finding is already noted."""
        for session, before in sessions:
            restore(session, before)

    def _note(self, impurity: Impurity, reason: str) -> None:
        self.impurities.setdefault(impurity, reason)

    @contextmanager
    def _profiled(self) -> Generator[None]:
        """Profile the calls in the enclosed code, without garbage collection, whose finalizers are not calls of the rule."""
        before, collecting = sys.getprofile(), gc.isenabled()
        gc.disable()
        sys.setprofile(self._on_call)
        try:
            yield
        finally:
            sys.setprofile(before)
            if collecting:
                gc.enable()

    # The interpreter disables tracing in a profile function, so coverage cannot measure these lines.
    def _on_call(self, frame: FrameType, event: str, function: Any) -> None:  # pragma: no cover - as above
        if event == "c_call" and (found := impurity_of_call(function, str(frame.f_globals.get("__name__")))):
            self._note(*found)


def impurity_of_call(function: Any, module: str) -> tuple[Impurity, str] | None:
    """Return the impurity that a call of the built-in *function* by *module* means; None for others and for logging."""
    name: str = getattr(function, "__name__", "")
    owner: Any = getattr(function, "__self__", None)
    if module.partition(".")[0] == "logging":
        return None
    if isinstance(owner, type) and issubclass(owner, date) and name in _CLOCK_METHODS:
        return Impurity.DEPENDS_ON_TIME, f"it calls {owner.__name__}.{name}(); use the parameter now"
    if owner is time and name in _TIME_FUNCTIONS:
        return Impurity.DEPENDS_ON_TIME, f"it calls time.{name}(); use the parameter now"
    if isinstance(owner, random.Random) or name in _SYSTEM_RANDOM:
        return Impurity.DEPENDS_ON_CHANCE, f"it calls {name}(), which is random"
    return None


_FIX = "if it means yes or no, write bool(...)"


def _name_of(answer: Any) -> str:
    """Return the name of the type of *answer*, for a list with the type of its first invalid element."""
    name = f"a value of the type {type(answer).__name__}"
    if isinstance(answer, (list, tuple)):
        inner: Any = next(each for each in answer if not isinstance(each, Violation))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # elements of any type
        name += f" with {_name_of(inner)} in it"
    return name


def _answer(rule: Rule, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """Return what *rule* returns, with generators as lists, or the exception that it raises."""
    try:
        answer: Any = rule.function(*arguments, **named)
        return [*answer] if isinstance(answer, Iterator) else answer
    except Exception as error:  # noqa: BLE001 - the exception is the result
        return error


def _describe(answer: Any) -> str:
    if answer in (None, ()):
        return "that it passes"
    if isinstance(answer, Exception):
        return f"{type(answer).__name__}: {answer}"
    return "; ".join(violation.message for violation in answer)


def _contents_of_sessions(given: Mapping[str, Any]) -> list[tuple[CustomerSession, dict[str, Any]]]:
    return [(each, contents(each)) for each in given.values() if isinstance(each, CustomerSession)]


def _snapshot(given: Mapping[str, Any]) -> dict[str, str]:
    return {name: repr(contents(each) if isinstance(each, CustomerSession) else each) for name, each in given.items()}
