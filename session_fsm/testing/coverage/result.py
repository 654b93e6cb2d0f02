"""The coverage of one session class: its goals, the gaps, and for each gap an example or the reason why there is none.

The goals are every row of the table, and for every rule that it passed and that it refused. A goal is excused if the
search for witnesses finds that rules contradict each other or that one rule always refuses together with another: it
is reported with the reason, but does not lower the percentage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from attrs import field, frozen

from session_fsm.decisions import Outcome
from session_fsm.guards import Rule
from session_fsm.lifecycle import Row
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.coverage.counters import ClassCounters, MissingTransition, RuleName, TransitionKey
from session_fsm.testing.coverage.hooks import unrecorded
from session_fsm.testing.generation.witnesses import NoWitness, Why, Witness, witness
from session_fsm.testing.steps import Contexts

__all__ = ["Coverage", "Gap", "Goal", "transition_text"]

# The reasons for a missing witness that excuse a goal.
_EXCUSES = (Why.SHADOWED, Why.CONTRADICTORY)
_BUDGET = 2_000
"""Stories to try for each gap; where a witness exists, some hundreds are enough."""


@frozen
class Goal:
    """One thing that tests should exercise: a row of the table, or an outcome of a rule."""

    what: Row | Rule
    outcome: Outcome | None = None
    """The outcome of the rule; None for a row."""

    @property
    def key(self) -> str:
        """The key of the goal in `Coverage.counts`: ``T-04``, ``too_many_units:violated``."""
        return self.what.id if isinstance(self.what, Row) else f"{self.what.code}:{self.outcome}"

    def __str__(self) -> str:
        if isinstance(self.what, Row):
            return f"{self.what.id} {transition_text(self.what)} never took place"
        return f"{self.what.code} never {'passed' if self.outcome is Outcome.PASSED else 'refused'}"


@frozen
class Gap:
    """A goal that was not reached, with an example that reaches it or the reason why there is none."""

    goal: Goal
    witness: Witness | None = None
    """A session and a step that reach it."""
    reason: str = ""
    """Why there is no witness, as text."""
    excused: bool = False
    """Whether it is not counted, because rules contradict each other or another rule always refuses too."""


@frozen(slots=False)  # for a cached property, slots need a generated ``__getattr__``, which pydoc cannot show
class Coverage:
    """The coverage of one session class."""

    kind: type[CustomerSession]
    rows: Mapping[str, int]
    """How often each row fired, by its ID, in table order."""
    rules: Mapping[str, Mapping[Outcome, int]]
    """How often each rule had each outcome, by its code."""
    refusals: Mapping[tuple[State, Trigger], int]
    """How often each state and trigger without a row was tried. These are reported, but are not goals."""
    own: Mapping[str, Any] = field(factory=dict[str, Any])
    context: Contexts = None

    @classmethod
    def of(
        cls,
        kind: type[CustomerSession],
        counters: Iterable[ClassCounters],
        *,
        own: Mapping[str, Any] | None = None,
        context: Contexts = None,
    ) -> Coverage:
        """Return the coverage of *kind* from *counters*; counts of other rows and rules are ignored."""
        total, machine = ClassCounters.sum(counters), kind.machine
        cells = {(row.source, row.trigger) for row in machine.table}
        moving = [trigger for trigger in Trigger if trigger is not Trigger.CREATE]
        return cls(
            kind=kind,
            rows={row.id: total.fired[TransitionKey(row.source, row.trigger, row.target)] for row in machine.table},
            rules={
                rule.code: {outcome: total.rules[RuleName.of(rule), outcome] for outcome in Outcome}
                for rule in machine.rules
            },
            refusals={
                (state, trigger): total.refused[MissingTransition(state, trigger)]
                for state in State
                for trigger in moving
                if (state, trigger) not in cells
            },
            own=own or {},
            context=context,
        )

    @property
    def goals(self) -> tuple[Goal, ...]:
        """All goals: the rows, then each rule as passed and as violated."""
        outcomes = (Outcome.PASSED, Outcome.VIOLATED)
        machine = self.kind.machine
        return (*map(Goal, machine.table), *(Goal(rule, outcome) for rule in machine.rules for outcome in outcomes))

    @property
    def counts(self) -> Mapping[str, int]:
        """The counts in the form that `session_fsm.diagrams.render` takes: by ``T-04``, ``code:passed``, ``code:violated``."""
        outcomes = {f"{code}:{outcome}": n for code, counts in self.rules.items() for outcome, n in counts.items()}
        return dict(self.rows) | outcomes

    @property
    def missing(self) -> tuple[Goal, ...]:
        """The goals that were not reached, including the excused ones."""
        counts = self.counts
        return tuple(goal for goal in self.goals if not counts[goal.key])

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """Each missing goal with a witness or the reason why there is none; computed on first access."""
        with unrecorded():
            return tuple(map(self._gap, self.missing))

    def _gap(self, goal: Goal) -> Gap:
        try:
            found = witness(self.kind, goal.what, goal.outcome, own=self.own, context=self.context, budget=_BUDGET)
            return Gap(goal, witness=found)
        except NoWitness as none:
            return Gap(goal, reason=str(none), excused=none.why in _EXCUSES)
        except Exception as error:  # noqa: BLE001 - the report is written even if the search fails
            return Gap(goal, reason=f"no example was found: {type(error).__name__}: {error}")

    @property
    def reached(self) -> int:
        """How many goals were reached."""
        return len(self.goals) - len(self.missing)

    @property
    def possible(self) -> int:
        """How many goals there are, without the excused gaps."""
        return len(self.goals) - sum(gap.excused for gap in self.gaps)

    @property
    def percent(self) -> float:
        """The percentage of possible goals that were reached, rounded down to one decimal."""
        return 1000 * self.reached // self.possible / 10 if self.possible else 100.0


def transition_text(row: Row) -> str:
    """Return *row* as short text."""
    return f"{row.source or '(new)'} -> {row.trigger} -> {row.target}"
