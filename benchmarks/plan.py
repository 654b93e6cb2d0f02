"""What a comparison is made of: contenders that do the same work, and the ratios that are to come of it.

A module in `benchmarks.subjects` makes a `Comparison` and gives it contenders, each a function that sets one up::

    READING = Comparison(
        "S-6",
        "read a session of 10 items",
        unit="us per document",
        ratios=[Ratio("talon-one-sdk", "session-fsm", at_least=3, aim=5)],
    )


    @READING.contender("session-fsm")
    def read_with_us() -> Timed:
        from session_fsm import wire

        def work(repeats: range) -> None:
            for _ in repeats:
                wire.loads(DOCUMENT)

        return Timed(work, result=lambda: wire.unstructure(wire.loads(DOCUMENT)))


    COMPARISONS = [READING]
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from time import process_time
from typing import Any

__all__ = ["Comparison", "Contender", "Measured", "Ratio", "Timed", "all_comparisons", "find"]

# How many of each unit a second has, or a byte.
_SCALES = {"ns": 1e9, "us": 1e6, "ms": 1e3, "s": 1.0, "bytes": 1.0, "MB": 1e-6, "GB": 1e-9}
_MOST_REPEATS = 200_000


@dataclass(frozen=True)
class Timed:
    """A contender that is ready: its work is timed, nothing else."""

    work: Callable[[Any], object]
    """Does the work as often as it was prepared for."""
    prepare: Callable[[int], Any] = range
    """Makes what so many repeats of the work need; it is not timed."""
    result: Callable[[], Any] = lambda: None
    """Does the work once and tells in JSON what came of it. All contenders have to agree."""
    pieces: float = 1
    """How many pieces of what the unit counts one repeat does, such as the items of a cart."""
    clock: Callable[[], float] = process_time
    """Tells the seconds. That of the process's own work does not count what else the machine does meanwhile."""
    repeats: int | None = None
    """How often a round repeats the work; None leaves it to the clock."""

    def rehearse(self, seconds: float) -> int:
        """Warm up, and return how often the work has to be repeated to last so many *seconds*."""
        repeats = self.repeats or 1
        while self._round(repeats) < seconds and repeats < _MOST_REPEATS and not self.repeats:
            repeats *= 2
        self._round(repeats)
        return repeats

    def value(self, repeats: int) -> float:
        """Return the seconds that one piece of the work takes."""
        return self._round(repeats) / (repeats * self.pieces)

    def _round(self, repeats: int) -> float:
        material = self.prepare(repeats)
        gc.collect()
        gc.disable()
        try:
            start = self.clock()
            self.work(material)
            return self.clock() - start
        finally:
            gc.enable()


@dataclass(frozen=True)
class Measured:
    """A contender that measures itself, because what counts is no time, or the time of another process."""

    measure: Callable[[], float]
    """Returns seconds, or bytes."""
    result: Callable[[], Any] = lambda: None
    """As in `Timed`."""

    def rehearse(self, seconds: float) -> int:  # noqa: ARG002 - as in `Timed`
        """Return what `value` is to be told; there is nothing to warm up."""
        return 1

    def value(self, repeats: int) -> float:  # noqa: ARG002 - as in `Timed`
        """Return what was measured."""
        return self.measure()


@dataclass(frozen=True)
class Ratio:
    """One line of the table: how one contender's figure relates to another's, and what it should be."""

    of: str
    over: str | None = None
    """None asks for the figure itself, in the comparison's unit."""
    at_least: float | None = None
    at_most: float | None = None
    aim: float | None = None
    """What would be better still."""
    beyond: tuple[str, str] | None = None
    """A ratio that is nobody's fault; what is asked for is divided by it."""

    @property
    def name(self) -> str:
        """What is divided by what, in words."""
        name = self.of if self.over is None else f"{self.of} / {self.over}"
        return f"({name}) / ({' / '.join(self.beyond)})" if self.beyond else name

    def of_round(self, figures: dict[str, float]) -> float | None:
        """Return the ratio in one round; None where a contender did not take part."""
        try:
            value = figures[self.of] / (1 if self.over is None else figures[self.over])
            return value / (figures[self.beyond[0]] / figures[self.beyond[1]]) if self.beyond else value
        except KeyError:
            return None


@dataclass(frozen=True)
class Contender:
    """Who does the work: a name, and the function that sets it up."""

    name: str
    set_up: Callable[[], Timed | Measured]
    slow: bool = False
    """Left out of a quick run."""


@dataclass(frozen=True)
class Comparison:
    """The same work, done by several contenders, each in its own process."""

    code: str
    """The number of the goal, such as ``S-2``; a comparison that is one of several bears a letter too: ``S-6a``."""
    title: str
    unit: str
    """What figures count, such as ``us per trigger``; its first word is one of ns, us, ms, s, bytes, MB, GB."""
    ratios: Sequence[Ratio] = ()
    rounds: int | None = None
    """How many rounds; None leaves it to the command."""
    contenders: list[Contender] = field(default_factory=list)

    def contender(self, name: str, *, slow: bool = False) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
        """Add the contender *name*, which the function below sets up."""

        def add(set_up: Callable[[], Any]) -> Callable[[], Any]:
            self.contenders.append(Contender(name, set_up, slow))
            return set_up

        return add

    @property
    def scale(self) -> float:
        """What seconds or bytes are multiplied with to be of the unit."""
        return _SCALES[self.unit.split()[0]]


def _modules() -> Iterator[Any]:
    from benchmarks import subjects  # noqa: PLC0415 - its modules import this one

    for found in sorted(iter_modules(subjects.__path__), key=lambda module: module.name):
        yield import_module(f"benchmarks.subjects.{found.name}")


def all_comparisons() -> list[Comparison]:
    """Return every comparison there is, in the order of the goals."""
    found = [comparison for module in _modules() for comparison in module.COMPARISONS]
    return sorted(found, key=lambda one: (int("".join(filter(str.isdigit, one.code))), one.code))


def find(code: str, name: str) -> tuple[Comparison, Contender]:
    """Return a comparison by its code, with one of its contenders."""
    comparison = next(one for one in all_comparisons() if one.code == code)
    return comparison, next(one for one in comparison.contenders if one.name == name)
