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
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from functools import wraps
from types import FrameType
from typing import Any

from attrs import evolve

from session_fsm.decisions import Answer, Rule
from session_fsm.entities import contents
from session_fsm.scalars import is_list, is_object
from session_fsm.session import CustomerSession

__all__ = ["Impurity", "Observed", "told_by"]

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


class Observed:
    """A rule under observation."""

    def __init__(self, rule: Rule) -> None:
        self.impurities: dict[Impurity, str] = {}
        """What was noticed, each with the reason in words."""
        self.rule = evolve(rule, function=self._observing(rule))
        """The rule to judge with."""

    def _observing(self, rule: Rule) -> Callable[..., Answer]:
        @wraps(rule.function)
        def observing(*arguments: Any) -> Answer:
            before = _picture(arguments)
            with self._watched():
                first: Any = _answer(rule, arguments)
            if _picture(arguments) != before:
                changed = [n for n, a, b in zip(rule.parameters, before, _picture(arguments), strict=True) if a != b]
                self._note(Impurity.CHANGES_ITS_INPUT, f"it changes {', '.join(changed)}")
            second = _answer(rule, arguments)
            if _shown(first) != _shown(second):
                self._note(
                    Impurity.DEPENDS_ON_CHANCE,
                    f"it answered {_shown(first)}, and then, asked the same, {_shown(second)}",
                )
            if isinstance(first, Exception):
                raise first
            answer: Answer = first
            return answer

        return observing

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


def _answer(rule: Rule, arguments: tuple[Any, ...]) -> Any:
    """Return what *rule* answers, all that it yields included, or what it raises."""
    try:
        answer = rule.function(*arguments)
        return answer if answer is None or answer is True else rule.violations_in(answer)
    except Exception as error:  # noqa: BLE001 - that is the rule's answer
        return error


def _shown(answer: Any) -> str:
    if answer in (None, True, ()):
        return "that it passes"
    if isinstance(answer, Exception):
        return f"{type(answer).__name__}: {answer}"
    return "; ".join(violation.message for violation in answer)


_LOOKED_AT = 10
"""So many elements of a long list are looked at, from its beginning and from its end."""


def _picture(arguments: tuple[Any, ...]) -> list[str]:
    return [repr(_held(contents(each) if isinstance(each, CustomerSession) else each)) for each in arguments]


def _held(value: Any) -> Any:
    """Return *value*, of a long list its length and its ends: a rule that changes elements changes one of these."""
    if is_object(value):
        return {name: _held(member) for name, member in value.items()}
    if is_list(value) and len(value) > 2 * _LOOKED_AT:
        return len(value), value[:_LOOKED_AT], value[-_LOOKED_AT:]
    return value
