"""The recorder: counts the transitions, refusals and rule outcomes of sessions while it runs.

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
from session_fsm.testing.coverage.counters import (
    ClassCounters,
    ClassName,
    MissingTransition,
    RuleName,
    TransitionKey,
    read_counters,
    to_document,
)
from session_fsm.testing.coverage.hooks import add_observer, remove_observer
from session_fsm.testing.coverage.report import report
from session_fsm.testing.coverage.result import Coverage
from session_fsm.testing.steps import Contexts

__all__ = ["Recorder", "recording"]


@define(eq=False)
class _TransitionCounter:
    """Counts one transition of one class, together with the rules that guard it.

    One increment per transition instead of one per rule keeps recording cheap; `flush` adds the count to the rules.
    """

    counters: ClassCounters
    key: TransitionKey
    rules: tuple[RuleName, ...]
    count: int = 0

    def flush(self) -> None:
        """Move the count into the counters of the class."""
        self.counters.fired[self.key] += self.count
        for name in self.rules:
            self.counters.rules[name, Outcome.PASSED] += self.count
        self.count = 0


class Recorder:
    """Counts what sessions do between `start` and `stop`, separately for each class.

    A transition counts for its row, and as passed for every rule that guards the row. A refusal counts for each
    rule with its outcome, or, if the table has no such row, for the state and the trigger. A dry run (`evaluate`,
    `board`, `allowed_triggers`) counts like a refusal, and never for a row.

    Several recorders may run at the same time, also nested; each counts everything, in all threads.

    Args:
        kinds: the classes to count, with their subclasses; default: every class.
    """

    def __init__(self, *kinds: type[CustomerSession]) -> None:
        self._only = kinds
        self._lock = threading.RLock()
        self._counters: dict[ClassName, ClassCounters] = {}
        self._transitions: list[_TransitionCounter] = []
        # Weak keys, so that classes which a test defines can be garbage-collected.
        self._classes: WeakKeyDictionary[type[Any], dict[tuple[str | None, str, str], _TransitionCounter] | None] = (
            WeakKeyDictionary()
        )
        self._runs = False

    @property
    def runs(self) -> bool:
        """Whether the recorder is counting."""
        return self._runs

    def start(self) -> None:
        """Start or continue to count.

        Raises:
            SessionFSMError: the recorder is already running.
        """
        if self._runs:
            raise SessionFSMError("the recorder runs already; take another to record within a recording")
        self._runs = True
        add_observer(self)

    def stop(self) -> None:
        """Stop counting. Does nothing if the recorder is not running."""
        if self._runs:
            remove_observer(self)
            self._runs = False

    def on_transition(
        self, kind: type[Any], machine: LifecycleMachine, source: State | None, trigger: Trigger, target: State
    ) -> None:
        """Count a transition or creation of a session of *kind*."""
        with self._lock:
            transitions = self._transitions_of(kind)
            if transitions is None:
                return
            counter = transitions.get((source, trigger, target))
            if counter is None:
                rules = tuple(RuleName.of(rule) for rule in machine.rules if rule.guards(trigger, target))
                key = TransitionKey(source, trigger, target)
                counter = transitions[key] = _TransitionCounter(self._counters_of(ClassName.of(kind)), key, rules)
                self._transitions.append(counter)
            counter.count += 1

    def on_decision(self, kind: type[Any], decision: Decision[Any]) -> None:
        """Count the outcomes of a refusal or of a dry run."""
        with self._lock:
            if self._transitions_of(kind) is None:
                return
            counters = self._counters_of(ClassName.of(kind))
            for check in decision.checks:
                counters.rules[RuleName.of(check.rule), check.outcome] += 1
            if decision.target is None and decision.source is not None:
                counters.refused[MissingTransition(decision.source, decision.trigger)] += 1

    def _transitions_of(self, kind: type[Any]) -> dict[tuple[str | None, str, str], _TransitionCounter] | None:
        """Return the transition counters of *kind*; None if the recorder does not count the class."""
        try:
            return self._classes[kind]
        except KeyError:
            transitions = self._classes[kind] = {} if not self._only or issubclass(kind, self._only) else None
            return transitions

    def _counters_of(self, name: ClassName) -> ClassCounters:
        return self._counters.setdefault(name, ClassCounters(name))

    def counters(self) -> tuple[ClassCounters, ...]:
        """Return a copy of the counters of each class."""
        with self._lock:
            for counter in self._transitions:
                counter.flush()
            copies = tuple(ClassCounters(name) for name in self._counters)
            for copy in copies:
                copy.add(self._counters[copy.kind])
        return copies

    def of(
        self,
        kind: type[CustomerSession] = CustomerSession,
        *,
        including_subclasses: bool = True,
        own: Mapping[str, Any] | None = None,
        context: Contexts = None,
    ) -> Coverage:
        """Return the coverage of the definition of *kind*.

        With *including_subclasses*, the counts of a subclass are added where the row is the same, and where the
        rule is the same: equal code and equal function. What a subclass adds or replaces does not count.

        Args:
            kind: the class.
            including_subclasses: whether to add the counts of its subclasses.
            own: what a creation gives to the fields that *kind* adds; used by the search for examples only.
            context: the ``context=`` of the calls in examples, for rules that read it, or a list of several to try.
        """
        name = ClassName.of(kind).name
        counters = [
            one for one in self.counters() if one.kind.name == name or (including_subclasses and name in one.kind.bases)
        ]
        return Coverage.of(kind, counters, own=own, context=context)

    def report(
        self,
        *kinds: type[CustomerSession],
        format: str = "term",  # noqa: A002 - the word of `session_fsm.diagrams.render`
        including_subclasses: bool = True,
    ) -> str:
        """Return a report on *kinds*, as `session_fsm.testing.coverage.report` writes it.

        Args:
            kinds: the classes; default: `CustomerSession`.
            format: ``term``, ``json``, ``html``, or another format of `session_fsm.diagrams`.
            including_subclasses: as for `of`.

        Raises:
            InvalidValue: the format does not exist, or cannot hold several classes.
        """
        reported = kinds or (CustomerSession,)
        return report(
            self.counters(), [self.of(kind, including_subclasses=including_subclasses) for kind in reported], format
        )

    def __add__(self, other: object) -> Recorder:
        """Return a new recorder with the sum of both counts; it is not running."""
        if not isinstance(other, Recorder):
            return NotImplemented
        return Recorder._with((*self.counters(), *other.counters()))

    def to_json(self) -> str:
        """Return the counts as JSON, the same text for the same counts."""
        return json.dumps(to_document(self.counters()), indent=1) + "\n"

    @classmethod
    def from_json(cls, data: str | bytes) -> Recorder:
        """Return a recorder with the counts in *data*; it is not running.

        Raises:
            WireError: *data* is not a recording, or of another version.
        """
        return cls._with(read_counters(data))

    @classmethod
    def _with(cls, counters: Iterable[ClassCounters]) -> Recorder:
        recorder = cls()
        for one in counters:
            recorder._counters_of(one.kind).add(one)
        return recorder

    def __repr__(self) -> str:
        counters = self.counters()
        fired = sum(one.fired.total() for one in counters)
        kinds = len({one.kind.name for one in counters})
        return f"<Recorder: {counted(fired, 'transition')} of {counted(kinds, 'class', 'classes')}>"


@contextmanager
def recording(*kinds: type[CustomerSession]) -> Generator[Recorder]:
    """Run a recorder for the enclosed code, for every class or for *kinds* and their subclasses only."""
    recorder = Recorder(*kinds)
    recorder.start()
    try:
        yield recorder
    finally:
        recorder.stop()
