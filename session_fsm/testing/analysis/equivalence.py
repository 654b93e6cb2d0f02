"""Whether two definitions of a session class behave alike, judged by what their sessions may do.

A session of each class lives the same story; a step that is allowed to one and refused to the other, or leads them to
different states, or records different events, is a difference. Stories are found by `session_fsm.testing.generation.search`.

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

from session_fsm.decisions import Decision, Outcome, Rule
from session_fsm.errors import InvalidValue, TransitionRefused
from session_fsm.lifecycle import Row
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.generation.rule_source import mentioned
from session_fsm.testing.generation.search import Player, Situation, search, walks
from session_fsm.testing.generation.shrinking import simplest
from session_fsm.testing.steps import Step, Story

__all__ = ["TRIES", "Comparison", "Difference", "behaviour", "changed_rules", "compare", "require_own"]

TRIES = 2_000
"""How many stories that the rules of each class suggest are compared, unless it is told otherwise."""
_MORE = 100
"""So many differences are looked at in search of one in which no other rule refuses, and which is short."""
_PAGE = 2000
"""How many characters of code are short."""
_DEPTH = 5
"""How many steps such a story has at most."""

Behaviour: TypeAlias = "tuple[object, ...]"
Sought: TypeAlias = "Callable[[Decision[Any], Decision[Any]], bool]"


def behaviour(decision: Decision[Any]) -> Behaviour:
    """Return what a caller sees of *decision*: target and event, or which rules, or which codes, are against it."""
    if decision.allowed:
        return True, decision.target, decision.event_name
    failing = {(check.rule.code, check.outcome) for check in decision.checks if check.outcome is not Outcome.PASSED}
    return False, *sorted(failing or {(violation.code, Outcome.VIOLATED) for violation in decision.violations})


@frozen
class Difference:
    """A step after which a session of one class differs from one of another that has lived the same."""

    kind: type[CustomerSession]
    """The class as it was before."""
    story: Story
    """What sets the session up; without steps where the step is a creation."""
    step: Step
    before: Decision[Any] = field(repr=False)
    """What the first class makes of the step."""
    after: Decision[Any] = field(repr=False)
    """What the second class makes of it."""

    def code(self) -> str:
        """Return Python to paste into a test, which holds for the first class and not for the second."""
        names = mentioned(self.kind.machine.rules, self.kind).names
        times = True if names & {"now", "created", "updated"} else None
        *setting_up, last = self.story.then(self.step).code(self.kind.__name__, times=times).splitlines()
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
        return "\n".join((*setting_up, *lines))


@frozen
class Comparison:
    """What came of comparing two classes."""

    difference: Difference | None
    """The simplest one that was found; None where none was."""
    tries: int
    """How many stories both classes lived."""


def compare(
    kind: type[CustomerSession],
    other: type[CustomerSession],
    *,
    sought: Sought = lambda before, after: behaviour(before) != behaviour(after),
    rules: Sequence[Rule] | None = None,
    own: Mapping[str, Any] | None = None,
    tries: int = TRIES,
) -> Comparison:
    """Look for a step that *kind* and *other* judge differently, where their definitions differ.

    Args:
        kind: the class as it was before.
        other: the class as it is now.
        sought: whether two decisions on the same step are what is looked for.
        rules: where to look: at the transitions that these guard. Unless given, wherever the definitions differ.
        own: what a creation gives to the fields that the classes add.
        tries: how many stories are tried at most of those that the rules of *kind* suggest, and then of *other*.

    Raises:
        InvalidValue: *kind* needs further fields.
    """
    require_own(kind, own)
    everywhere = rules is None
    rules = changed_rules(kind, other) if rules is None else rules
    ends = tuple(_rows_where_they_differ(kind, other, rules, tables=everywhere))
    table = (*kind.machine.table, *(row for row in other.machine.table if row not in kind.machine.table))
    tried = 0
    for first, second in ((kind, other), (other, kind)):
        pair = _Pair(first, second, kind, sought, {rule.code for rule in rules})
        result = search(first, pair.distance, walks(table, ends, _DEPTH), focus=rules, own=own, budget=tries)
        tried += result.judged
        if pair.best is not None:
            return Comparison(pair.simplest(*pair.best, own or ()), tried)
    return Comparison(None, tried)


class _Pair:
    """Two classes whose sessions live the same stories, those that the first one's rules suggest."""

    def __init__(
        self,
        first: type[CustomerSession],
        second: type[CustomerSession],
        kind: type[CustomerSession],
        sought: Sought,
        changed: set[str],
    ) -> None:
        self.kind = kind
        self.sought = sought
        self.changed = changed
        self.turned = first is not kind
        self._first, self._second = Player(first), Player(second)
        self.best: tuple[int, Difference] | None = None
        """The difference in which the fewest rules refuse that are not in question, the first short one, and their number."""
        self._shortest = (0, 0)
        self._more = _MORE

    def distance(self, situation: Situation) -> int:
        """Return 0 where the classes differ, and otherwise more, the more rules that are not in question refuse.

        A difference in which such rules refuse, or that takes a page to write down, will do when there has been
        nothing better for a while.
        """
        difference = self._differ(situation)
        if difference is None:
            return 1 + sum(rule.code not in self.changed for rule in situation.failing())
        beside, length = self._beside(difference), len(situation.whole.code())
        if self.best is None or (beside, length) < self._shortest:
            self.best, self._shortest = (beside, difference), (beside, length)
        self._more -= 1
        return beside + (length > _PAGE) if self._more > 0 else 0

    def _beside(self, difference: Difference) -> int:
        """Return how many rules refuse that are not in question."""
        decisions = (difference.before, difference.after)
        failing = {c.rule.code for d in decisions for c in d.checks if c.outcome is not Outcome.PASSED}
        return len(failing - self.changed)

    def simplest(self, most: int, difference: Difference, kept: Collection[str]) -> Difference | None:
        """Return the simplest form of *difference* in which at most so many rules refuse that are not in question.

        The own fields *kept* stay as they are.
        """

        def shows(story: Story) -> bool:
            found = self.differ(story)
            return found is not None and self._beside(found) <= most

        return self.differ(simplest(difference.story.then(difference.step), shows, kept=kept))

    def differ(self, story: Story) -> Difference | None:
        """Return the difference that *story* ends with, if it does."""
        try:
            situation = self._first.play(story)
        except (InvalidValue, TypeError):  # a value is wrong, or a field that the class requires is missing
            return None
        return None if situation.left else self._differ(situation)

    def _differ(self, situation: Situation) -> Difference | None:
        there = self._second.play(situation.whole)
        if there.left:
            return None  # what differs earlier is found by a shorter story
        decisions = (situation.decision, there.decision)
        before, after = reversed(decisions) if self.turned else decisions
        if not self.sought(before, after):
            return None
        return Difference(self.kind, situation.story, situation.step, before, after)


def require_own(kind: type[CustomerSession], own: Mapping[str, Any] | None) -> None:
    """Check that *own* gives a creation whatever fields *kind* requires besides those of every session.

    Raises:
        InvalidValue: it does not.
    """
    given: Any = own or {}
    try:
        kind.create("order-1", **given)
    except TypeError as error:
        raise InvalidValue("/own", f"a {kind.__name__} cannot be created with these fields: {error}") from error
    except TransitionRefused:  # the rules want more, and that is what a search looks for
        pass


def changed_rules(kind: type[CustomerSession], other: type[CustomerSession]) -> tuple[Rule, ...]:
    """Return the rules that are in one class only, or in another form."""
    before, after = kind.machine.rules, other.machine.rules
    return tuple(
        rule
        for rules, others in ((before, after), (after, before))
        for rule in rules
        if not any(rule == twin and rule.function is twin.function for twin in others)
    )


def _rows_where_they_differ(
    kind: type[CustomerSession], other: type[CustomerSession], rules: Iterable[Rule], *, tables: bool
) -> Iterator[Row | State]:
    """Yield the rows that *rules* guard, those in only one of the *tables*, and states that are created so."""
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
