"""The recorder: which rows, refusals and outcomes of rules sessions went through while it ran.

>>> from session_fsm import CustomerSession
>>> with recording() as recorder:
...     CustomerSession.create("order-1").close().name
<EventName.CLOSED: 'talon_session_closed'>
>>> recorder.of(CustomerSession).rows["T-04"]
1
"""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from attrs import define

from session_fsm.decisions import Decision, Outcome
from session_fsm.errors import SessionFSMError, counted
from session_fsm.machine import LifecycleMachine
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.coverage.counters import Asked, ClassName, RuleName, Tally, Way, document_of, read
from session_fsm.testing.coverage.hooks import unwatch, watch
from session_fsm.testing.coverage.report import report
from session_fsm.testing.coverage.result import Coverage

__all__ = ["Recorder", "recording"]


@define(eq=False)
class _Passage:
    """A way that sessions of one class took, and the rules that passed each time."""

    tally: Tally
    way: Way
    rules: tuple[RuleName, ...]
    count: int = 0

    def settle(self) -> None:
        """Enter the count into the tally."""
        self.tally.fired[self.way] += self.count
        for name in self.rules:
            self.tally.rules[name, Outcome.PASSED] += self.count
        self.count = 0


class Recorder:
    """Counts, between `start` and `stop`, what sessions do, each class for itself.

    What took place counts for its row, and every rule that guards the row has passed. A refusal counts for each
    rule with its outcome, or for the table's cell where the table has no such row. A dry run (`evaluate`,
    `board`, `allowed_triggers`) counts in the same way, but for no row: nothing took place.

    Recorders may run at the same time, one within the other too; each counts everything. All threads are counted.

    Args:
        kinds: the classes that count, with their subclasses; every class unless given.
    """

    def __init__(self, *kinds: type[CustomerSession]) -> None:
        self._kinds = kinds
        self._lock = threading.RLock()
        self._tallies: dict[ClassName, Tally] = {}
        self._passages: list[_Passage] = []
        # Classes that tests make by the way may go as they came.
        self._known: WeakKeyDictionary[type[Any], dict[tuple[str | None, str, str], _Passage] | None] = (
            WeakKeyDictionary()
        )
        self._runs = False

    @property
    def runs(self) -> bool:
        """Whether it counts now."""
        return self._runs

    def start(self) -> None:
        """Begin, or go on, to count.

        Raises:
            SessionFSMError: it counts already.
        """
        if self._runs:
            raise SessionFSMError("the recorder runs already; take another to record within a recording")
        self._runs = True
        watch(self)

    def stop(self) -> None:
        """Count no more. One that does not run stays as it is."""
        if self._runs:
            unwatch(self)
            self._runs = False

    def moved(
        self, kind: type[Any], machine: LifecycleMachine, source: State | None, trigger: Trigger, target: State
    ) -> None:
        """Count that a session of *kind* came into being or moved, all rules having passed."""
        with self._lock:
            passages = self._passages_of(kind)
            if passages is None:
                return
            passage = passages.get((source, trigger, target))
            if passage is None:
                rules = tuple(RuleName.of(rule) for rule in machine.rules if rule.guards(trigger, target))
                passage = _Passage(self._tally(ClassName.of(kind)), Way(source, trigger, target), rules)
                passages[passage.way] = passage
                self._passages.append(passage)
            passage.count += 1

    def judged(self, kind: type[Any], decision: Decision[Any]) -> None:
        """Count the outcomes of a refusal or of a dry run."""
        with self._lock:
            if self._passages_of(kind) is None:
                return
            tally = self._tally(ClassName.of(kind))
            for check in decision.checks:
                tally.rules[RuleName.of(check.rule), check.outcome] += 1
            if decision.target is None and decision.source is not None:
                tally.refused[Asked(decision.source, decision.trigger)] += 1

    def _passages_of(self, kind: type[Any]) -> dict[tuple[str | None, str, str], _Passage] | None:
        """Return the ways that *kind* is known to take; None if it does not count."""
        try:
            return self._known[kind]
        except KeyError:
            known = self._known[kind] = {} if not self._kinds or issubclass(kind, self._kinds) else None
            return known

    def _tally(self, name: ClassName) -> Tally:
        return self._tallies.setdefault(name, Tally(name))

    def tallies(self) -> tuple[Tally, ...]:
        """Return the counts of each class until now."""
        with self._lock:
            for passage in self._passages:
                passage.settle()
            copies = tuple(Tally(tally.kind) for tally in self._tallies.values())
            for copy in copies:
                copy.add(self._tallies[copy.kind])
        return copies

    def of(
        self,
        kind: type[CustomerSession] = CustomerSession,
        *,
        including_subclasses: bool = True,
        own: Mapping[str, Any] | None = None,
    ) -> Coverage:
        """Return how much of the definition of *kind* was exercised.

        A subclass inherits rows and rules. With *including_subclasses* what was exercised in one counts for
        *kind* as far as it has it too: the same row, and the same rule, which is the same function against the
        same fault. What a subclass adds or replaces does not count.

        Args:
            kind: the class.
            including_subclasses: whether its subclasses count for it.
            own: what a creation gives to the fields that *kind* adds; only the search for examples needs it.
        """
        name = ClassName.of(kind).name
        counted = [
            tally
            for tally in self.tallies()
            if tally.kind.name == name or (including_subclasses and name in tally.kind.bases)
        ]
        return Coverage.of(kind, counted, own=own)

    def report(
        self,
        *kinds: type[CustomerSession],
        format: str = "term",  # noqa: A002 - the word of `session_fsm.diagrams.render`
        including_subclasses: bool = True,
    ) -> str:
        """Return a report on *kinds*, as `session_fsm.testing.coverage.report` writes it.

        Args:
            kinds: the classes; the plain session unless given.
            format: ``term``, ``json``, ``html``, or another format of `session_fsm.diagrams`.
            including_subclasses: as for `of`.

        Raises:
            InvalidValue: there is no such format, or it cannot hold several classes.
        """
        asked = kinds or (CustomerSession,)
        return report(
            self.tallies(), [self.of(kind, including_subclasses=including_subclasses) for kind in asked], format
        )

    def __add__(self, other: object) -> Recorder:
        """Return a recorder that has counted what both have; it does not run."""
        if not isinstance(other, Recorder):
            return NotImplemented
        return Recorder._with((*self.tallies(), *other.tallies()))

    def to_json(self) -> str:
        """Return the counts as JSON, the same text for the same counts."""
        return json.dumps(document_of(self.tallies()), indent=1) + "\n"

    @classmethod
    def from_json(cls, data: str | bytes) -> Recorder:
        """Return a recorder that has counted what is in *data*; it does not run.

        Raises:
            WireError: the text is no recording, or of a later version.
        """
        return cls._with(read(data))

    @classmethod
    def _with(cls, tallies: Iterable[Tally]) -> Recorder:
        recorder = cls()
        for tally in tallies:
            recorder._tally(tally.kind).add(tally)
        return recorder

    def __repr__(self) -> str:
        moves = sum(tally.fired.total() for tally in self.tallies())
        kinds = len({tally.kind.name for tally in self.tallies()})
        return f"<Recorder: {counted(moves, 'transition')} of {counted(kinds, 'class', 'classes')}>"


@contextmanager
def recording(*kinds: type[CustomerSession]) -> Generator[Recorder]:
    """Record what happens within, of every class or of *kinds* and their subclasses alone."""
    recorder = Recorder(*kinds)
    recorder.start()
    try:
        yield recorder
    finally:
        recorder.stop()
