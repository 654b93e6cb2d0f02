"""Whether a rule is a pure function, found out by calling it.

An observed rule answers as the rule itself does. Meanwhile it is called twice with the same arguments, which are
compared before and after, and what it calls is watched: a clock or a source of chance is noticed wherever in the rule,
or in what the rule calls, it is asked. A rule that is given the time, as its parameter ``now``, asks no clock.
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

from session_fsm.decisions import Answer, Rule
from session_fsm.entities import contents, restore
from session_fsm.errors import Violation
from session_fsm.session import CustomerSession
from session_fsm.validators import is_list, is_object

__all__ = ["Impurity", "Observed", "UnfitAnswer", "told_by"]

_CLOCKS = {"now", "utcnow", "today"}
_CLOCKS_OF_TIME = {
    *("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time"),
    *("process_time_ns", "thread_time", "thread_time_ns", "clock_gettime", "clock_gettime_ns"),
}
"""What the module `time` has that tells the time, whatever it is given."""
_CHANCE_OF_THE_SYSTEM = {"urandom", "getrandom"}


class Impurity(StrEnum):
    """Why a rule is no pure function."""

    DEPENDS_ON_TIME = "depends-on-time"
    DEPENDS_ON_CHANCE = "depends-on-chance"
    CHANGES_ITS_INPUT = "changes-its-input"


class UnfitAnswer(TypeError):
    """A rule answered what no rule may answer."""


_BOOLEAN, _NOTHING, _VIOLATIONS = "a boolean", "an empty list", "violations"


class Observed:
    """A rule under observation."""

    def __init__(self, rule: Rule) -> None:
        self.impurities: dict[Impurity, str] = {}
        """What was noticed, each with the reason in words."""
        self.rule = evolve(rule, function=self._observing(rule))
        """The rule to judge with."""
        self._answered: dict[str, None] = {}
        """What it answered that a rule may answer, by kind; the first of each kind first."""
        self._unfit: dict[str, None] = {}
        """What it answered that no rule may answer, by type."""

    def unfit_answers(self) -> Iterator[str]:
        """Yield what is wrong with its answers, in words."""
        for kind in self._unfit:
            yield f"it answers {kind}, which is an error of the rule; {_MEND}"
        if _BOOLEAN in self._answered and _VIOLATIONS not in self._answered:
            for kind in self._answered:
                if kind != _BOOLEAN:
                    yield f"it answers {kind} at times, which passes, and a boolean at others; {_MEND}"

    def _observing(self, rule: Rule) -> Callable[..., Answer]:
        @wraps(rule.function)
        def observing(*arguments: Any, **named: Any) -> Answer:
            given = {**dict(zip(rule.parameters, arguments, strict=False)), **named}
            before, held = _picture(given), _held_by_sessions(given)
            with self._watched():
                answer = _answer(rule, arguments, named)
            first = self._judged(rule, answer)
            if _picture(given) != before:
                changed = [name for name, picture in _picture(given).items() if picture != before[name]]
                self._note(Impurity.CHANGES_ITS_INPUT, f"it changes {', '.join(changed)}")
                self._restore(held)
            second = self._judged(rule, _answer(rule, arguments, named))
            if Impurity.CHANGES_ITS_INPUT in self.impurities:
                self._restore(held)
            if _shown(first) != _shown(second):
                self._note(
                    Impurity.DEPENDS_ON_CHANCE,
                    f"it answered {_shown(first)}, and then, asked the same, {_shown(second)}",
                )
            if isinstance(first, Exception):
                raise first
            judged: Answer = first
            return judged

        return observing

    def _judged(self, rule: Rule, answer: Any) -> Any:
        """Return what an answer stands for: None, violations, or the exception that the rule raised or its answer means."""
        if isinstance(answer, Exception):
            return answer
        if answer is None or isinstance(answer, bool):
            if answer is not None:
                self._answered[_BOOLEAN] = None
            return None if answer is not False else rule.violations_in(answer)
        listed: Any = [answer] if isinstance(answer, Violation) else answer
        if isinstance(listed, (list, tuple)) and all(isinstance(each, Violation) for each in listed):  # pyright: ignore[reportUnknownVariableType]  # of whatever it is
            empty = "an empty tuple" if isinstance(answer, tuple) else _NOTHING
            self._answered[_VIOLATIONS if listed else empty] = None
            try:
                return rule.violations_in(answer)  # pyright: ignore[reportUnknownArgumentType]  # as above
            except ValueError as error:  # of another rule
                return error
        self._unfit[_name_of(answer)] = None
        return UnfitAnswer(f"the rule answered {_name_of(answer)}")

    def _restore(self, held: list[tuple[CustomerSession, dict[str, Any]]]) -> None:
        """Put sessions back to what they held: a change would end the search, and is told of anyway."""
        for session, before in held:
            restore(session, before)

    def _note(self, impurity: Impurity, reason: str) -> None:
        self.impurities.setdefault(impurity, reason)

    @contextmanager
    def _watched(self) -> Generator[None]:
        """Watch what is called. Garbage is not collected meanwhile: who is called then is none of the rule's business."""
        before, collecting = sys.getprofile(), gc.isenabled()
        gc.disable()
        sys.setprofile(self._called)
        try:
            yield
        finally:
            sys.setprofile(before)
            if collecting:
                gc.enable()

    # The interpreter traces nothing while it tells of a call, so nothing can see that these lines are run.
    def _called(self, frame: FrameType, event: str, function: Any) -> None:  # pragma: no cover
        if event == "c_call" and (found := told_by(function, str(frame.f_globals.get("__name__")))):
            self._note(*found)


def told_by(function: Any, module: str) -> tuple[Impurity, str] | None:
    """Return what it says of a rule that *function*, a built-in one, is called by *module*; what a log asks says nothing."""
    name: str = getattr(function, "__name__", "")
    owner: Any = getattr(function, "__self__", None)
    if module.partition(".")[0] == "logging":
        return None
    if isinstance(owner, type) and issubclass(owner, date) and name in _CLOCKS:
        return Impurity.DEPENDS_ON_TIME, f"it calls {owner.__name__}.{name}(); let it ask for its parameter now"
    if owner is time and name in _CLOCKS_OF_TIME:
        return Impurity.DEPENDS_ON_TIME, f"it calls time.{name}(); let it ask for its parameter now"
    if isinstance(owner, random.Random) or name in _CHANCE_OF_THE_SYSTEM:
        return Impurity.DEPENDS_ON_CHANCE, f"it calls {name}(), which nobody can foretell"
    return None


_MEND = "where it means yes or no, write bool(...)"


def _name_of(answer: Any) -> str:
    """Name the type of an answer, and of a list that of what is in it."""
    name = f"a value of the type {type(answer).__name__}"
    if isinstance(answer, (list, tuple)):
        inner: Any = next(each for each in answer if not isinstance(each, Violation))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # of whatever it is
        name += f" with {_name_of(inner)} in it"
    return name


def _answer(rule: Rule, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """Return what *rule* answers, all that it yields in a list, or what it raises."""
    try:
        answer: Any = rule.function(*arguments, **named)
        return [*answer] if isinstance(answer, Iterator) else answer
    except Exception as error:  # noqa: BLE001 - that is the rule's answer
        return error


def _shown(answer: Any) -> str:
    if answer in (None, ()):
        return "that it passes"
    if isinstance(answer, Exception):
        return f"{type(answer).__name__}: {answer}"
    return "; ".join(violation.message for violation in answer)


_LOOKED_AT = 10
"""So many elements of a long list are looked at, from its beginning and from its end."""


def _held_by_sessions(given: Mapping[str, Any]) -> list[tuple[CustomerSession, dict[str, Any]]]:
    return [(each, contents(each)) for each in given.values() if isinstance(each, CustomerSession)]


def _picture(given: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: repr(_held(contents(each) if isinstance(each, CustomerSession) else each)) for name, each in given.items()
    }


def _held(value: Any) -> Any:
    """Return *value*, of a long list its length and its ends: a rule that changes elements changes one of these."""
    if is_object(value):
        return {name: _held(member) for name, member in value.items()}
    if is_list(value) and len(value) > 2 * _LOOKED_AT:
        return len(value), value[:_LOOKED_AT], value[-_LOOKED_AT:]
    return value
