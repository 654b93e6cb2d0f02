"""What is wrong with a definition, by looking at it and by running its rules.

`lint_definition` looks at a table and at rules, those too of which no class can be made. `lint` looks at a class, and
runs its rules on the sessions that `session_fsm.testing.search` finds: it sees rules that never refuse, rules in the
shadow of another, and rules that are no pure functions (`session_fsm.testing.purity`).

>>> from session_fsm import CustomerSession, Trigger, rule
>>> @rule("negative_total", on=[Trigger.CANCEL])
... def total_is_a_number(total):
...     '''The total is a number.'''
...     return total is not None
>>> class ShopSession(CustomerSession):
...     rules = (*CustomerSession.rules, total_is_a_number)
>>> for finding in lint(ShopSession):
...     print(finding)
negative_total: never-refuses: nothing was refused for it in ... tries
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from attrs import frozen

from session_fsm.decisions import Outcome, Rule
from session_fsm.diagrams.model import Edge
from session_fsm.errors import counted
from session_fsm.lifecycle import FINAL, Row
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.comparison import require_own
from session_fsm.testing.phrases import SOMETHING_OF
from session_fsm.testing.purity import Impurity, Observed
from session_fsm.testing.search import Situation, search, walks
from session_fsm.testing.twins import twin_of

__all__ = ["Fault", "Finding", "lint", "lint_definition", "states_without_end"]

TRIES = 2_000
"""How many stories are judged for each rule, unless it is told otherwise."""
_LEAST = 50
"""So many stories are judged for each rule, however early it refuses one."""
_DEPTH = 5


class Fault(StrEnum):
    """What may be wrong with a definition."""

    UNREACHABLE_STATE = "unreachable-state"
    DEAD_END = "dead-end"
    """A state that is not final, and from which no way leads to one that is."""
    EXIT_FROM_FINAL = "exit-from-final"
    TRIGGER_WITHOUT_ROW = "trigger-without-row"
    RIVAL_ROWS = "rival-rows"
    """Two rows apply at the same time."""
    NO_RULE = "no-rule"
    """Something among the rules is none."""
    NO_TEXT = "no-text"
    """A rule has no docstring that says it in words."""
    CODE_USED_TWICE = "code-used-twice"
    GUARDS_NOTHING = "guards-nothing"
    """A rule guards no transition, or names a trigger in vain."""
    NEVER_REFUSES = "never-refuses"
    SHADOWED = "shadowed"
    """Wherever the rule refuses, another rule refuses too."""
    FAILS = "fails"
    """A rule raises an exception."""
    DEPENDS_ON_TIME = Impurity.DEPENDS_ON_TIME.value
    DEPENDS_ON_CHANCE = Impurity.DEPENDS_ON_CHANCE.value
    CHANGES_ITS_INPUT = Impurity.CHANGES_ITS_INPUT.value


@frozen
class Finding:
    """Something that is wrong with a definition."""

    code: Fault
    place: str
    """A state, a trigger, the number of a row, or the code of a rule."""
    reason: str
    """Why, in words."""

    def __str__(self) -> str:
        return f"{self.place}: {self.code}: {self.reason}"


def lint_definition(table: Sequence[Row], rules: Sequence[Any]) -> list[Finding]:
    """Return what is wrong with *table* and *rules*, as far as it can be seen without running them."""
    return [*_of_states(table), *_of_rows(table), *_of_rules(table, rules)]


def lint(kind: type[CustomerSession], *, own: Mapping[str, Any] | None = None, tries: int = TRIES) -> list[Finding]:
    """Return what is wrong with the definition of *kind*; its rules are run, but nothing of *kind* is changed.

    Args:
        kind: the session class.
        own: what a creation gives to the fields that *kind* adds.
        tries: how many stories are judged for each rule at most.

    Raises:
        InvalidValue: *kind* needs further fields.
    """
    require_own(kind, own)
    machine = kind.machine
    observed = {rule.code: Observed(rule) for rule in machine.rules}
    twin = twin_of(kind, [observed[rule.code].rule for rule in machine.rules], machine.table)
    found = lint_definition(machine.table, machine.rules)
    for rule in twin.machine.rules:
        found += _of_outcomes(twin, rule, own, tries)
    for rule in machine.rules:
        found += [Finding(Fault(flaw.value), rule.code, text) for flaw, text in observed[rule.code].impurities.items()]
    return found


def states_without_end(table: Iterable[Row | Edge]) -> list[State]:
    """Return the states from which no way of *table* leads to a final one."""
    rows = tuple(table)
    ending: set[State] = set(FINAL)
    for _ in State:
        ending |= {row.source for row in rows if row.source and row.target in ending}
    return [state for state in State if state not in ending]


def _of_states(table: Sequence[Row]) -> Iterator[Finding]:
    reached: set[State | None] = {None}
    for _ in State:
        reached |= {row.target for row in table if row.source in reached}
    for state in State:
        if state not in reached:
            yield Finding(Fault.UNREACHABLE_STATE, state, f"no way leads from a creation to {SOMETHING_OF[state]}")
    for state in states_without_end(table):
        exits = [row.id for row in table if row.source is state and row.target is not state]
        reason = (
            f"{', '.join(exits)} lead out, but to no final state" if exits else "nothing leads out, and it is not final"
        )
        yield Finding(Fault.DEAD_END, state, reason)
    for trigger in Trigger:
        if not any(row.trigger is trigger for row in table):
            yield Finding(Fault.TRIGGER_WITHOUT_ROW, trigger, "it is refused in every state")


def _of_rows(table: Sequence[Row]) -> Iterator[Finding]:
    for place, row in enumerate(table):
        if row.source in FINAL:
            yield Finding(Fault.EXIT_FROM_FINAL, row.id, f"it leads out of {row.source}, which is final")
        for other in table[:place]:
            alike = (other.source, other.trigger) == (row.source, row.trigger)
            if alike and (row.source is not None or other.target is row.target):
                when = f"{row.trigger} of {SOMETHING_OF[row.source]}" if row.source else f"a creation as {row.target}"
                yield Finding(Fault.RIVAL_ROWS, row.id, f"{other.id} applies too, to {when}")


def _of_rules(table: Sequence[Row], rules: Sequence[Any]) -> Iterator[Finding]:
    seen: set[str] = set()
    for place, rule in enumerate(rules):
        if not isinstance(rule, Rule):
            yield Finding(Fault.NO_RULE, f"rules/{place}", f"{rule!r} is none; make one with the decorator rule")
            continue
        if not rule.text.strip():
            yield Finding(Fault.NO_TEXT, rule.code, "no docstring says it in words, so no refusal can")
        if rule.code in seen:
            yield Finding(Fault.CODE_USED_TWICE, rule.code, "another rule before it has the same code")
        seen.add(rule.code)
        if not any(rule.guards(row.trigger, row.target) for row in table):
            yield Finding(Fault.GUARDS_NOTHING, rule.code, "no transition is guarded by it")
        else:
            for trigger in _in_vain(rule, table):
                where = f"into {rule.target}" if rule.target else "there is"
                yield Finding(Fault.GUARDS_NOTHING, rule.code, f"it names {trigger}, but no such transition {where}")


def _in_vain(rule: Rule, table: Sequence[Row]) -> list[Trigger]:
    return [
        trigger
        for trigger in rule.on
        if not any(row.trigger is trigger and rule.guards(trigger, row.target) for row in table)
    ]


def _of_outcomes(
    kind: type[CustomerSession], rule: Rule, own: Mapping[str, Any] | None, tries: int
) -> Iterator[Finding]:
    """Look for a step that *rule* alone refuses, and say why there is none."""
    table = kind.machine.table
    ends: list[Row | State] = [row for row in table if rule.guards(row.trigger, row.target)]
    ends += [state for state in State if rule.guards(Trigger.CREATE, state)]
    outcomes = _Outcomes(rule)
    result = search(kind, outcomes.distance, walks(table, ends, _DEPTH), focus=(rule,), own=own, budget=tries)
    if outcomes.error:
        yield Finding(Fault.FAILS, rule.code, outcomes.error)
    if not outcomes.found:
        if not outcomes.shadows and not outcomes.error:
            yield Finding(
                Fault.NEVER_REFUSES,
                rule.code,
                f"nothing was refused for it in {counted(result.judged, 'try', 'tries')}",
            )
        elif outcomes.shadows:
            reason = f"wherever it refuses, so does {outcomes.which()}; {counted(result.judged, 'try', 'tries')}"
            yield Finding(Fault.SHADOWED, rule.code, reason)


class _Outcomes:
    """What a search has seen of one rule."""

    def __init__(self, rule: Rule) -> None:
        self.code = rule.code
        self.shadows: set[frozenset[str]] = set()
        """For every kind of refusal by the rule, which other rules refused."""
        self.error = ""
        self.found = False
        """Whether the rule alone refused something."""
        self._judged = 0

    def which(self) -> str:
        """Name the rules that always refuse too, or those of which always one does."""
        some, *others = self.shadows
        always = some.intersection(*others)
        return " and ".join(sorted(always)) or f"one of {', '.join(sorted(some.union(*others)))}"

    def distance(self, situation: Situation) -> int:
        self._judged += 1
        failing = {check.rule.code: check for check in situation.decision.checks if check.outcome is not Outcome.PASSED}
        check = failing.pop(self.code, None)
        if check is None:
            return 1 + len(failing)
        if check.outcome is Outcome.ERRORED:
            self.error = self.error or f"it raises {check.raised}"
        else:
            self.shadows.add(frozenset(failing))
            self.found |= not failing
        # Even where it refuses at once it is run some times more, for the sake of what it may do besides.
        return 0 if self.found and self._judged >= _LEAST else 1 + len(failing)
