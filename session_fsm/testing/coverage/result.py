"""How much of the definition of a session class was exercised, what was not, and what it would take.

What counts is every row of the table, and of every rule both outcomes: it passed, and it refused. What cannot be shown
by any test, as far as the search for witnesses can tell, because rules contradict one another or one is in the shadow
of another, does not count, but is named with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from attrs import field, frozen

from session_fsm.decisions import Outcome, Rule
from session_fsm.lifecycle import Row
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.coverage.counters import Asked, RuleName, Tally, Way
from session_fsm.testing.coverage.hooks import unrecorded
from session_fsm.testing.generation.witnesses import NoWitness, Why, Witness, witness

__all__ = ["Coverage", "Gap", "Goal", "way_of"]

# Why a witness may be missing so that no test is asked for one.
_EXCUSES = (Why.SHADOWED, Why.CONTRADICTORY)
_BUDGET = 2_000
"""How many stories are judged for each gap. Rules that can be told apart need some hundreds; the rest would be waiting."""


@frozen
class Goal:
    """One thing that tests should do: let a row take place, or see a rule come to an outcome."""

    what: Row | Rule
    outcome: Outcome | None = None
    """The outcome of the rule; None where it is about a row."""

    @property
    def key(self) -> str:
        """The name by which diagrams count it: ``T-04``, ``too_many_units:violated``."""
        return self.what.id if isinstance(self.what, Row) else f"{self.what.code}:{self.outcome}"

    def __str__(self) -> str:
        if isinstance(self.what, Row):
            return f"{self.what.id} {way_of(self.what)} never took place"
        return f"{self.what.code} never {'passed' if self.outcome is Outcome.PASSED else 'refused'}"


@frozen
class Gap:
    """A goal that was not reached, and how to reach it, or why not."""

    goal: Goal
    witness: Witness | None = None
    """A session and a trigger that would reach it."""
    reason: str = ""
    """Why there is no witness, in words."""
    excused: bool = False
    """Whether it does not count, because rules contradict one another or one is in the shadow of another."""


@frozen
class Coverage:
    """What was exercised of one session class."""

    kind: type[CustomerSession]
    rows: Mapping[str, int]
    """How often each row took place, by its number, in table order."""
    rules: Mapping[str, Mapping[Outcome, int]]
    """How often each rule came to each outcome, by its code."""
    refusals: Mapping[tuple[State, Trigger], int]
    """How often the table refused each trigger that it does not have from a state. They are shown, but no goal."""
    own: Mapping[str, Any] = field(factory=dict[str, Any])

    @classmethod
    def of(
        cls, kind: type[CustomerSession], tallies: Iterable[Tally], *, own: Mapping[str, Any] | None = None
    ) -> Coverage:
        """Read from *tallies* what belongs to *kind*; whatever else they hold does not count."""
        total, machine = Tally.sum(tallies), kind.machine
        cells = {(row.source, row.trigger) for row in machine.table}
        moving = [trigger for trigger in Trigger if trigger is not Trigger.CREATE]
        return cls(
            kind=kind,
            rows={row.id: total.fired[Way(row.source, row.trigger, row.target)] for row in machine.table},
            rules={
                rule.code: {outcome: total.rules[RuleName.of(rule), outcome] for outcome in Outcome}
                for rule in machine.rules
            },
            refusals={
                (state, trigger): total.refused[Asked(state, trigger)]
                for state in State
                for trigger in moving
                if (state, trigger) not in cells
            },
            own=own or {},
        )

    @property
    def goals(self) -> tuple[Goal, ...]:
        """Everything that tests should exercise: the rows, then the rules with both outcomes."""
        outcomes = (Outcome.PASSED, Outcome.VIOLATED)
        machine = self.kind.machine
        return (*map(Goal, machine.table), *(Goal(rule, outcome) for rule in machine.rules for outcome in outcomes))

    @property
    def counts(self) -> Mapping[str, int]:
        """The counts as `session_fsm.diagrams.render` takes them: by ``T-04``, ``code:passed``, ``code:violated``."""
        outcomes = {f"{code}:{outcome}": n for code, counts in self.rules.items() for outcome, n in counts.items()}
        return dict(self.rows) | outcomes

    @property
    def missing(self) -> tuple[Goal, ...]:
        """The goals that were not reached, those among them that do not count."""
        counts = self.counts
        return tuple(goal for goal in self.goals if not counts[goal.key])

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """Each missing goal with a witness, or with the reason why there is none; searched for when first asked."""
        with unrecorded():
            return tuple(map(self._gap, self.missing))

    def _gap(self, goal: Goal) -> Gap:
        try:
            return Gap(goal, witness=witness(self.kind, goal.what, goal.outcome, own=self.own, budget=_BUDGET))
        except NoWitness as none:
            return Gap(goal, reason=str(none), excused=none.why in _EXCUSES)
        except Exception as error:  # noqa: BLE001 - a class that cannot be searched is no reason to report nothing
            return Gap(goal, reason=f"no example was found: {type(error).__name__}: {error}")

    @property
    def reached(self) -> int:
        """How many goals were reached."""
        return len(self.goals) - len(self.missing)

    @property
    def possible(self) -> int:
        """How many goals there are, without those that were missed and are excused."""
        return len(self.goals) - sum(gap.excused for gap in self.gaps)

    @property
    def percent(self) -> float:
        """How much of what is possible was exercised, rounded down to a tenth: 100.0 is all of it."""
        return 1000 * self.reached // self.possible / 10 if self.possible else 100.0


def way_of(row: Row) -> str:
    """Return what *row* does, in short."""
    return f"{row.source or '(new)'} -> {row.trigger} -> {row.target}"
