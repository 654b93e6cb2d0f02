"""The parts of a comparison: contenders that do the same work, and the ratios to report.

A module in `benchmarks.subjects` creates a `Comparison` and registers contenders, each with its set-up function::

    READING = Comparison(
        "S-6",
        "read a session of 10 items",
        area="json",
        unit="us per document",
        ratios=[Ratio("talon-one-sdk", "session-fsm", at_least=3, aim=5)],
    )


    @READING.contender("session-fsm")
    def read_with_session_fsm() -> Timed:
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

__all__ = ["AREAS", "LIBRARY", "Comparison", "Contender", "Measured", "Ratio", "Timed", "all_comparisons", "find"]

# The number of units in a second or in a byte.
_SCALES = {"ns": 1e9, "us": 1e6, "ms": 1e3, "s": 1.0, "bytes": 1.0, "MB": 1e-6}
_MOST_REPEATS = 200_000

LIBRARY = "session-fsm"
"""How the name of a contender begins that is the library, where there are others."""
AREAS = {
    "triggers": "Triggers",
    "json": "JSON",
    "memory": "Memory and import",
    "store": "Store",
    "sandbox": "Sandbox",
    "backtest": "Backtest and replay",
}
"""The areas, in the order of the page, with their titles."""


@dataclass(frozen=True)
class Timed:
    """A contender after its set-up; only `work` is timed."""

    work: Callable[[Any], object]
    """Repeats the work on the return value of `prepare`."""
    prepare: Callable[[int], Any] = range
    """Returns the input for a number of repeats; it is not timed."""
    result: Callable[[], Any] = lambda: None
    """Does the work once and returns its result as JSON. All contenders must return the same."""
    pieces: float = 1
    """The number of the unit's pieces in one repeat, such as the items of a cart."""
    clock: Callable[[], float] = process_time
    """Returns seconds. The default, CPU time of the process, excludes other processes of the machine."""
    repeats: int | None = None
    """The repeats of the work in a round; None lets `warm_up` choose."""

    def warm_up(self, seconds: float) -> int:
        """Warm up, and return how often the work must be repeated to last *seconds*."""
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
    """A contender that measures itself: not a time, or the time of another process."""

    measure: Callable[[], float]
    """Returns seconds, or bytes."""
    result: Callable[[], Any] = lambda: None
    """As in `Timed`."""

    def warm_up(self, seconds: float) -> int:  # noqa: ARG002 - as in `Timed`
        """Return the argument for `value`; there is nothing to warm up."""
        return 1

    def value(self, repeats: int) -> float:  # noqa: ARG002 - as in `Timed`
        """Return the measured value."""
        return self.measure()


@dataclass(frozen=True)
class Ratio:
    """One line of the table: the ratio of two contenders' figures, and its goal."""

    of: str
    over: str | None = None
    """The divisor; None reports the figure itself, in the comparison's unit."""
    at_least: float | None = None
    at_most: float | None = None
    aim: float | None = None
    """A value better than the goal."""
    baseline: tuple[str, str] | None = None
    """The same ratio without the library; the reported ratio is divided by it."""

    @property
    def name(self) -> str:
        """The ratio in words."""
        name = self.of if self.over is None else f"{self.of} / {self.over}"
        return f"({name}) / ({' / '.join(self.baseline)})" if self.baseline else name

    def of_round(self, figures: dict[str, float]) -> float | None:
        """Return the ratio in one round, or None if a contender did not take part."""
        try:
            value = figures[self.of] / (1 if self.over is None else figures[self.over])
            return value / (figures[self.baseline[0]] / figures[self.baseline[1]]) if self.baseline else value
        except KeyError:
            return None


@dataclass(frozen=True)
class Contender:
    """One implementation of the work: a name, and the function that sets it up."""

    name: str
    set_up: Callable[[], Timed | Measured]
    slow: bool = False
    """Whether a quick run omits it."""


@dataclass(frozen=True)
class Comparison:
    """The same work, done by several contenders, each in its own process."""

    code: str
    """The number of the goal, such as ``S-2``, with a letter if the goal has several comparisons: ``S-6a``."""
    title: str
    area: str
    """The part of the speed page that shows it: one of `AREAS`."""
    unit: str
    """The unit of the figures, such as ``us per trigger``; its first word is one of ns, us, ms, s, bytes, MB."""
    ratios: Sequence[Ratio] = ()
    rounds: int | None = None
    """The number of rounds; None lets the command choose."""
    drawn: bool = True
    """Whether the chart of its area shows it."""
    needs: str | None = None
    """The environment variable without which it cannot be measured."""
    contenders: list[Contender] = field(default_factory=list)

    def contender(self, name: str, *, slow: bool = False) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
        """Return a decorator that registers its function as the set-up of the contender *name*."""

        def add(set_up: Callable[[], Any]) -> Callable[[], Any]:
            self.contenders.append(Contender(name, set_up, slow))
            return set_up

        return add

    @property
    def reference(self) -> str:
        """The contender that the others are compared with: the library, or the first if all belong to it."""
        names = [contender.name for contender in self.contenders]
        return next((name for name in names if name.startswith(LIBRARY)), names[0])

    @property
    def scale(self) -> float:
        """The factor that converts seconds or bytes to the unit."""
        return _SCALES[self.unit.split()[0]]


def _modules() -> Iterator[Any]:
    from benchmarks import subjects  # noqa: PLC0415 - its modules import this one

    for found in sorted(iter_modules(subjects.__path__), key=lambda module: module.name):
        yield import_module(f"benchmarks.subjects.{found.name}")


def all_comparisons() -> list[Comparison]:
    """Return every comparison, in the order of the goals."""
    found = [comparison for module in _modules() for comparison in module.COMPARISONS]
    return sorted(found, key=lambda c: (int("".join(filter(str.isdigit, c.code))), c.code))


def find(code: str, name: str) -> tuple[Comparison, Contender]:
    """Return the comparison *code* and its contender *name*."""
    comparison = next(c for c in all_comparisons() if c.code == code)
    return comparison, next(contender for contender in comparison.contenders if contender.name == name)
