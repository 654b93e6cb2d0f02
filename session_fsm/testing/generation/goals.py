"""The goal of a search for a witness, the sequences of rows that may lead there, and the reason why none does.

`session_fsm.testing.generation.witnesses` makes the goal and searches for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from itertools import chain
from typing import Any

from session_fsm.converters import to_member
from session_fsm.decisions import Outcome, OutcomeLike
from session_fsm.errors import InvalidValue, SessionFSMError, counted
from session_fsm.guards import Rule
from session_fsm.lifecycle import Row
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.generation.rule_references import reads_context, references_of
from session_fsm.testing.generation.search import RowSequence, Situation, row_sequences

__all__ = ["Goal", "NoWitness", "Why", "goal_of", "needs_context", "sequences_to"]

_LONGEST_COUNT = 60
"""The most steps of a sequence with repeated transitions."""


def needs_context(rules: Iterable[Rule]) -> str:
    """Return the text that says which of *rules* read the context, which no call had; empty if none does."""
    codes = [rule.code for rule in rules if reads_context(rule)]
    if not codes:
        return ""
    subject = f"the rule {codes[0]} reads" if len(codes) == 1 else f"the rules {', '.join(codes)} read"
    return f"{subject} context; give context=..."


class Why(StrEnum):
    """Why there is no witness."""

    SHADOWED = "shadowed"
    """Whenever the rule refuses or raises, another rule refuses too."""
    CONTRADICTORY = "contradictory"
    """The rules of the transition never all pass: one refuses everything, or they exclude each other."""
    NOT_FOUND = "not_found"
    """No story that was judged is a witness, for no known reason, or because a rule reads a context that was not given."""


class NoWitness(SessionFSMError):
    """A search found no witness. The reason holds for the stories that were judged within the budget."""

    def __init__(self, what: str, why: Why, by: tuple[str, ...], tried: int, text: str) -> None:
        super().__init__(what, why, by, tried, text)
        self.what = what
        """The goal, such as ``T-07 fires`` or ``too_late violated``."""
        self.why = why
        self.by = by
        """The codes of the rules that prevent it."""
        self.tried = tried
        """How many stories were judged."""
        self.text = text
        """The reason as text."""

    def __str__(self) -> str:
        return f"{self.what}: no witness in {counted(self.tried, 'story', 'stories')}, {self.why}: {self.text}"


class Goal:
    """The goal of a search, the distance of a situation to it, and the refusals that were seen."""

    def __init__(self, what: str, ends: Iterable[Row | State], rule: Rule | None, outcome: Outcome) -> None:
        self.what = what
        self.ends = tuple(ends)
        self.rule = rule
        self.outcome = outcome
        self.rules = () if rule is None else (rule,)
        self._places = {
            (end.source, end.trigger, end.target) if isinstance(end, Row) else (None, Trigger.CREATE, None)
            for end in self.ends
        }
        self._seen: dict[tuple[frozenset[str], bool], None] = {}
        """The distinct pairs of the codes that refused and whether the rule had the wanted outcome."""

    def distance(self, situation: Situation) -> int:
        """Return how far *situation* is from the goal: the rules that must change their outcome. 0 fulfils it."""
        decision = situation.decision
        failing = {check.rule.code: check.outcome for check in decision.checks if check.outcome is not Outcome.PASSED}
        place = (decision.source, decision.trigger, decision.target)
        if place not in self._places:
            return len(failing) + 1
        reached = self.outcome is Outcome.PASSED
        if self.rule is not None and not reached:
            reached = failing.pop(self.rule.code, None) is self.outcome
        self._seen[frozenset(failing), reached] = None
        return len(failing) + (not reached)

    def explain(self, tried: int, closest: Situation | None, unknown: Iterable[Rule] = ()) -> NoWitness:
        """Return the reason why *tried* stories have no witness.

        Args:
            tried: how many stories were judged.
            closest: the situation with the smallest distance.
            unknown: rules that may decide otherwise with a context, if none was given.
        """
        others_refusing = [failing for failing, reached in self._seen if reached]
        why, text = Why.NOT_FOUND, "nothing of the kind was seen"
        by: tuple[str, ...] = ()
        if others_refusing:
            always = others_refusing[0].intersection(*others_refusing)
            fewest = (one for one in others_refusing if not any(other < one for other in others_refusing))
            by = tuple(sorted(always or set(chain.from_iterable(fewest))))
            names = ", ".join(by)
            if self.outcome is not Outcome.PASSED:
                why = Why.SHADOWED
                text = f"wherever it is {self.outcome}, {'so' if always else 'one of these'} refuses too: {names}"
            elif always:
                why, text = Why.CONTRADICTORY, f"everything was refused by: {names}"
            else:
                why, text = Why.CONTRADICTORY, f"each of these passes somewhere, but never all together: {names}"
        elif closest is None:
            text = "no way of so few steps leads there"
        elif closest.left:
            why, by = Why.CONTRADICTORY, tuple(rule.code for rule in closest.failing())
            text = f"no session gets that far, because {closest.step.trigger} is refused by: {', '.join(by)}"
        elif self.rule is not None:
            text = f"the rule was never {self.outcome}"
        if hint := needs_context(rule for rule in unknown if rule.code in by or rule in self.rules):
            why, text = Why.NOT_FOUND, f"{text}; {hint}"
        return NoWitness(self.what, why, by, tried, text)


def goal_of(kind: type[CustomerSession], what: Row | Rule | str, outcome: OutcomeLike | None, on: Any) -> Goal:
    """Return the goal that the arguments of `witness` describe.

    Raises:
        InvalidValue: the class has no such row or rule, or the outcome does not exist.
    """
    table, rules = kind.machine.table, kind.machine.rules
    if rows := [row for row in table if what in (row, row.id)]:
        if outcome is not None or on is not None:
            raise InvalidValue(
                "/outcome", "a transition fires or has no witness; only a rule has outcomes and triggers"
            )
        return Goal(f"{rows[0].id} fires", rows, None, Outcome.PASSED)
    rule = next((rule for rule in rules if what == rule.code or what is rule or what == rule), None)
    if rule is None:
        known = ", ".join((*(row.id for row in table), *(rule.code for rule in rules)))
        raise InvalidValue("/what", f"{kind.__name__} has no row or rule {what!s:.80}; it has {known}")
    wanted = to_member(Outcome, outcome)
    if not isinstance(wanted, Outcome):
        raise InvalidValue("/outcome", f"{outcome!r} is none of: {', '.join(Outcome)}")
    trigger = to_member(Trigger, on)
    if on is not None and trigger not in rule.on:
        raise InvalidValue("/on", f"the rule {rule.code} guards {', '.join(rule.on)}, and not {on}")
    ends: list[Row | State] = [r for r in table if rule.guards(r.trigger, r.target) and trigger in (None, r.trigger)]
    if wanted is not Outcome.PASSED and trigger in (None, Trigger.CREATE):
        creatable = {row.target for row in table if row.source is None}
        ends += [state for state in State if state not in creatable and rule.guards(Trigger.CREATE, state)]
    where = f" on {trigger}" if trigger else ""
    return Goal(f"{rule.code} {wanted}{where}", ends, rule, wanted)


def sequences_to(kind: type[CustomerSession], goal: Goal, depth: int) -> list[RowSequence]:
    """Return the sequences of rows to search for *goal*, the shortest first, most with at most *depth* rows."""
    sequences = [*row_sequences(kind.machine.table, goal.ends, depth), *_long_sequences(kind, goal, depth)]
    return sorted(sequences, key=len)


def _long_sequences(kind: type[CustomerSession], goal: Goal, depth: int) -> Iterable[RowSequence]:
    """Yield sequences that repeat an internal transition, as long as the numbers in rules that read `update_count`."""
    references = references_of(goal.rules or kind.machine.rules, kind)
    if "update_count" not in references.names:
        return
    table = kind.machine.table
    internal = {row.source: row for row in reversed(table) if row.internal}
    shortest: dict[Row | State, tuple[RowSequence, int, Row]] = {}
    for sequence in row_sequences(table, goal.ends, depth):
        for place, before in enumerate(sequence[:-1], 1):
            if isinstance(before, Row) and before.target in internal:
                shortest.setdefault(sequence[-1], (sequence, place, internal[before.target]))
    for number in references.numbers:
        for length in (int(number) - 1, int(number), int(number) + 1):
            if depth < length <= _LONGEST_COUNT:
                for sequence, place, repeated in shortest.values():
                    yield (*sequence[:place], *(repeated,) * (length - len(sequence)), *sequence[place:])
