"""Compare the behaviour of two session classes; used by `diff` and by the mutation score.

Both classes play the same story. A step is a difference if one class allows it and the other refuses it, if the target
states or events differ, or if other rules refuse. `session_fsm.testing.generation.search` finds the stories.

>>> from session_fsm import CustomerSession
>>> from session_fsm.testing.mutation.mutants import mutants
>>> mutant = next(each for each in mutants(CustomerSession) if each.id == "delete-row:T-08")
>>> found = compare(CustomerSession, mutant.twin()).difference
>>> assert found is not None
>>> print(found.code())
session = CustomerSession.create("order-1", state="closed")
session.reopen()
assert session.state == "open"
assert session.pending_events[-1].name == "talon_session_reopened"
>>> str(found.after)
'reopen is refused: ...'
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from attrs import field, frozen

from session_fsm.decisions import Decision, Outcome
from session_fsm.errors import InvalidValue, TransitionRefused
from session_fsm.guards import Rule
from session_fsm.lifecycle import Row
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.generation.rule_references import references_of
from session_fsm.testing.generation.search import Player, Situation, row_sequences, search
from session_fsm.testing.generation.shrinking import shrink
from session_fsm.testing.steps import Contexts, Step, Story

__all__ = ["TRIES", "Comparison", "Difference", "behaviour", "changed_rules", "compare", "require_own"]

TRIES = 2_000
"""The default number of stories to compare for each class."""
_MOST_DIFFERENCES = 100
"""The number of differences to examine for a short one in which only changed rules refuse."""
_SHORT = 2000
"""The most characters of code that are short."""
_DEPTH = 5
"""The most steps of a story."""

Behaviour: TypeAlias = "tuple[object, ...]"
Predicate: TypeAlias = "Callable[[Decision[Any], Decision[Any]], bool]"


def behaviour(decision: Decision[Any]) -> Behaviour:
    """Return what a caller sees of *decision*: the target and the event, or the failing rules, or the violation codes."""
    if decision.allowed:
        return True, decision.target, decision.event_name
    failing = {(check.rule.code, check.outcome) for check in decision.checks if check.outcome is not Outcome.PASSED}
    return False, *sorted(failing or {(violation.code, Outcome.VIOLATED) for violation in decision.violations})


@frozen
class Difference:
    """A step that two classes decide differently after the same story."""

    kind: type[CustomerSession]
    """The first class."""
    story: Story
    """The steps before; none if the step is a creation."""
    step: Step
    before: Decision[Any] = field(repr=False)
    """The decision of the first class."""
    after: Decision[Any] = field(repr=False)
    """The decision of the second class."""

    def code(self) -> str:
        """Return Python to paste into a test that passes for the first class and fails for the second."""
        names = references_of(self.kind.machine.rules, self.kind).names
        times = True if names & {"now", "created", "updated"} else None
        *setup, last = self.story.then(self.step).code(self.kind.__name__, times=times).splitlines()
        if self.before.allowed:
            lines = [
                last,
                f'assert session.state == "{self.before.target}"',
                f'assert session.pending_events[-1].name == "{self.before.event_name}"',
            ]
        elif self.before.checks:
            codes = ", ".join(f'"{code}"' for code in dict.fromkeys(v.code for v in self.before.violations))
            lines = [
                "with pytest.raises(RuleViolated) as refusal:",
                f"    {last}",
                f"assert {{violation.code for violation in refusal.value.violations}} == {{{codes}}}",
            ]
        else:
            lines = ["with pytest.raises(WrongState):", f"    {last}"]
        return "\n".join((*setup, *lines))


@frozen
class Comparison:
    """The result of comparing two classes."""

    difference: Difference | None
    """The simplest difference that was found, or None."""
    tries: int
    """How many stories both classes played."""


def compare(
    kind: type[CustomerSession],
    other: type[CustomerSession],
    *,
    sought: Predicate = lambda before, after: behaviour(before) != behaviour(after),
    rules: Sequence[Rule] | None = None,
    own: Mapping[str, Any] | None = None,
    context: Contexts = None,
    tries: int = TRIES,
) -> Comparison:
    """Search for a step that *kind* and *other* decide differently, at the transitions where their definitions differ.

    Args:
        kind: the first class.
        other: the second class.
        sought: the predicate that two decisions on one step must fulfil; default: different behaviour.
        rules: search at the transitions that these rules guard; default: wherever the definitions differ.
        own: what a creation gives to the fields that the classes add.
        context: the ``context=`` of the calls, for rules that read it, or a list of several to try; calls without one
            are tried too.
        tries: how many stories to try at most for the rules of *kind*, and again for those of *other*.

    Raises:
        InvalidValue: *kind* requires fields that *own* lacks.
    """
    require_own(kind, own)
    everywhere = rules is None
    rules = changed_rules(kind, other) if rules is None else rules
    ends = tuple(_differing_rows(kind, other, rules, tables=everywhere))
    table = (*kind.machine.table, *(row for row in other.machine.table if row not in kind.machine.table))
    tried = 0
    for first, second in ((kind, other), (other, kind)):
        pair = _Pair(first, second, kind, sought, {rule.code for rule in rules})
        sequences = row_sequences(table, ends, _DEPTH)
        result = search(first, pair.distance, sequences, focus=rules, own=own, context=context, budget=tries)
        tried += result.judged
        if pair.best is not None:
            return Comparison(pair.shrunk(*pair.best, own or ()), tried)
    return Comparison(None, tried)


class _Pair:
    """Plays the same stories with two classes and keeps the best difference."""

    def __init__(
        self,
        first: type[CustomerSession],
        second: type[CustomerSession],
        kind: type[CustomerSession],
        sought: Predicate,
        changed: set[str],
    ) -> None:
        self.kind = kind
        self.sought = sought
        self.changed = changed
        self.swapped = first is not kind
        self._first, self._second = Player(first), Player(second)
        self.best: tuple[int, Difference] | None = None
        """The number of unchanged rules that refuse, and the difference in which it is smallest."""
        self._best_rank = (0, 0)
        self._left = _MOST_DIFFERENCES

    def distance(self, situation: Situation) -> int:
        """Return 0 for a difference, and otherwise more, the more unchanged rules refuse.

        A difference in which unchanged rules refuse, or whose code is long, is accepted only after
        `_MOST_DIFFERENCES` without a better one.
        """
        difference = self._differ(situation)
        if difference is None:
            return 1 + sum(rule.code not in self.changed for rule in situation.failing())
        unrelated, length = self._unrelated(difference), len(situation.whole.code())
        if self.best is None or (unrelated, length) < self._best_rank:
            self.best, self._best_rank = (unrelated, difference), (unrelated, length)
        self._left -= 1
        return unrelated + (length > _SHORT) if self._left > 0 else 0

    def _unrelated(self, difference: Difference) -> int:
        """Return how many unchanged rules refuse."""
        decisions = (difference.before, difference.after)
        failing = {c.rule.code for d in decisions for c in d.checks if c.outcome is not Outcome.PASSED}
        return len(failing - self.changed)

    def shrunk(self, most: int, difference: Difference, kept: Collection[str]) -> Difference | None:
        """Return *difference* shrunk, with at most *most* unchanged rules that refuse; the own fields *kept* stay."""

        def shows(story: Story) -> bool:
            found = self.differ(story)
            return found is not None and self._unrelated(found) <= most

        return self.differ(shrink(difference.story.then(difference.step), shows, kept=kept))

    def differ(self, story: Story) -> Difference | None:
        """Return the difference at the last step of *story*, or None."""
        try:
            situation = self._first.play(story)
        except (InvalidValue, TypeError):  # an invalid value, or a required field is missing
            return None
        return None if situation.left else self._differ(situation)

    def _differ(self, situation: Situation) -> Difference | None:
        other = self._second.play(situation.whole)
        if other.left:
            return None  # a shorter story shows the earlier difference
        decisions = (situation.decision, other.decision)
        before, after = reversed(decisions) if self.swapped else decisions
        if not self.sought(before, after):
            return None
        return Difference(self.kind, situation.story, situation.step, before, after)


def require_own(kind: type[CustomerSession], own: Mapping[str, Any] | None) -> None:
    """Check that *own* has the fields that a creation of *kind* requires.

    Raises:
        InvalidValue: a field is missing or unknown.
    """
    given: Any = own or {}
    try:
        kind.create("order-1", **given)
    except TypeError as error:
        raise InvalidValue("/own", f"a {kind.__name__} cannot be created with these fields: {error}") from error
    except TransitionRefused:  # the search finds what the rules require
        pass


def changed_rules(kind: type[CustomerSession], other: type[CustomerSession]) -> tuple[Rule, ...]:
    """Return the rules that are in one class only, or that differ."""
    before, after = kind.machine.rules, other.machine.rules
    return tuple(
        rule
        for rules, others in ((before, after), (after, before))
        for rule in rules
        if not any(rule == same and rule.function is same.function for same in others)
    )


def _differing_rows(
    kind: type[CustomerSession], other: type[CustomerSession], rules: Iterable[Rule], *, tables: bool
) -> Iterator[Row | State]:
    """Yield the rows that *rules* guard, with *tables* also the rows of one table only, and the states of creations."""
    before, after = kind.machine.table, other.machine.table
    union = (*before, *(row for row in after if row not in before))
    rows = [
        row
        for row in union
        if (tables and (row not in before or row not in after)) or any(r.guards(row.trigger, row.target) for r in rules)
    ]
    yield from rows
    for state in State:
        created = any(row.source is None and row.target is state for row in rows)
        if created or any(rule.guards(Trigger.CREATE, state) for rule in rules):
            yield state
