"""What is wrong with a definition, by looking at it and by running its rules.

`lint_definition` looks at a table and at rules, those too of which no class can be made. `lint` looks at a class, and
runs its rules on the sessions that `session_fsm.testing.generation.search` finds: it sees rules that never refuse, rules in the
shadow of another, rules that a session created as closed goes past, rules that answer what no rule may, and rules that
are no pure functions (`session_fsm.testing.analysis.purity`).

>>> from decimal import Decimal
>>> from session_fsm import CustomerSession, Trigger, rule
>>> @rule("negative_total", on=[Trigger.CANCEL])
... def total_is_a_number(total: Decimal | None) -> bool:
...     '''The total is a number.'''
...     return total is not None
>>> class ShopSession(CustomerSession):
...     rules = (*CustomerSession.rules, total_is_a_number)
>>> for finding in lint(ShopSession):
...     print(finding)
negative_total: never-refuses: nothing was refused for it in ... tries

What is so on purpose is left out: ``lint(ShopSession, ignore=["negative_total:never-refuses"])``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from attrs import evolve, frozen

from session_fsm.decisions import Outcome, Rule
from session_fsm.diagrams.model import Edge
from session_fsm.errors import InvalidValue, counted
from session_fsm.lifecycle import FINAL, Row
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.analysis.equivalence import require_own
from session_fsm.testing.analysis.purity import Impurity, Observed, UnfitAnswer
from session_fsm.testing.attempts import of_newborn
from session_fsm.testing.generation.search import Player, Situation, search, walks
from session_fsm.testing.generation.shrinking import simplest
from session_fsm.testing.mutation.modified_classes import twin_of
from session_fsm.testing.phrases import SOMETHING_OF
from session_fsm.testing.steps import Story

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
    UNFIT_ANSWER = "unfit-answer"
    """A rule answers something that is neither a boolean nor violations, or that passes though it may mean no."""
    MISSES_CREATION = "misses-creation"
    """A rule guards the closing, and a session that is created as closed goes past it."""
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


def lint(
    kind: type[CustomerSession],
    *,
    own: Mapping[str, Any] | None = None,
    tries: int = TRIES,
    ignore: Collection[str] = (),
) -> list[Finding]:
    """Return what is wrong with the definition of *kind*; its rules are run, but nothing of *kind* is changed.

    Args:
        kind: the session class.
        own: what a creation gives to the fields that *kind* adds.
        tries: how many stories are judged for each rule at most.
        ignore: what is so on purpose: a fault at one place, such as ``"minimum_order_missed:misses-creation"``, or
            everywhere, such as ``"misses-creation"``.

    Raises:
        InvalidValue: *kind* needs further fields, or there is no such fault as *ignore* names.
    """
    require_own(kind, own)
    _require_faults(ignore)
    machine = kind.machine
    observed = {rule.code: Observed(rule) for rule in machine.rules}
    twin = twin_of(kind, [observed[rule.code].rule for rule in machine.rules], machine.table)
    found = lint_definition(machine.table, machine.rules)
    for rule in twin.machine.rules:
        found += _of_outcomes(twin, rule, own, tries)
    for rule in machine.rules:
        found += _of_creations(kind, rule, own, tries)
    for rule in machine.rules:
        found += [Finding(Fault.UNFIT_ANSWER, rule.code, text) for text in observed[rule.code].unfit_answers()]
        found += [Finding(Fault(flaw.value), rule.code, text) for flaw, text in observed[rule.code].impurities.items()]
    return [one for one in found if not {one.code.value, f"{one.place}:{one.code}"} & {*ignore}]


def _require_faults(ignore: Collection[str]) -> None:
    """Refuse a text among *ignore* that can never be that of a finding.

    Raises:
        InvalidValue: there is one.
    """
    for text in ignore:
        fault = text.rpartition(":")[2]
        if isinstance(ignore, str) or fault not in {*Fault}:
            problem = (
                f'no fault is called "{text:.80}"; what is ignored is a list of them, each "FAULT" or "PLACE:FAULT"'
            )
            raise InvalidValue("/ignore", f"{problem}; the faults are: {', '.join(Fault)}")


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
        if not outcomes.shadows and not outcomes.failed:
            yield Finding(
                Fault.NEVER_REFUSES,
                rule.code,
                f"nothing was refused for it in {counted(result.judged, 'try', 'tries')}",
            )
        elif outcomes.shadows:
            reason = f"wherever it refuses, so does {outcomes.which()}; {counted(result.judged, 'try', 'tries')}"
            yield Finding(Fault.SHADOWED, rule.code, reason)


def _of_creations(
    kind: type[CustomerSession], rule: Rule, own: Mapping[str, Any] | None, tries: int
) -> Iterator[Finding]:
    """Look for a session that can be created as closed, and that *rule* would refuse if it were asked then too."""
    table = kind.machine.table
    closed = {row.target for row in table if row.trigger is Trigger.CLOSE and rule.guards(row.trigger, row.target)}
    for row in table:
        if row.source is None and row.target in closed and not rule.guards(Trigger.CREATE, row.target):
            asked = evolve(rule, on=(Trigger.CREATE,), target=row.target, function=of_newborn(rule, kind))
            twin = twin_of(kind, [asked if one is rule else one for one in kind.machine.rules], table)
            alone = _Alone(rule.code)
            result = search(twin, alone.distance, [(row,)], focus=(asked,), own=own, budget=tries)
            if result.found is not None:
                story = simplest(result.found.whole, alone.shown_by(Player(twin)), kept=own or ())
                creation = story.steps[0].code(kind.__name__, story.own).removeprefix("session = ")
                reason = f"it guards a closing, and {creation} goes past it; {_mended(rule, row.target)}"
                yield Finding(Fault.MISSES_CREATION, rule.code, reason)


class _Alone:
    """Looks for what one rule is against, and no other."""

    def __init__(self, code: str) -> None:
        self.code = code

    def distance(self, situation: Situation) -> int:
        codes = [rule.code for rule in situation.failing()]
        return 0 if codes == [self.code] else 1 + sum(code != self.code for code in codes)

    def shown_by(self, player: Player) -> Callable[[Story], bool]:
        def shows(story: Story) -> bool:
            try:
                return self.distance(player.play(story)) == 0
            except InvalidValue:
                return False

        return shows


def _mended(rule: Rule, state: State) -> str:
    """Say how *rule* guards a creation in *state* too."""
    triggers = ", ".join(f"Trigger.{trigger.name}" for trigger in (Trigger.CREATE, *rule.on))
    text = f"write on=[{triggers}]"
    if rule.on == (Trigger.CLOSE,):
        text += f", target=State.{state.name}"
    if "session" in rule.parameters:
        text += ", and ask for after instead of session, which is None when a session is created"
    return text


class _Outcomes:
    """What a search has seen of one rule."""

    def __init__(self, rule: Rule) -> None:
        self.code = rule.code
        self.shadows: set[frozenset[str]] = set()
        """For every kind of refusal by the rule, which other rules refused."""
        self.error = ""
        self.found = False
        """Whether the rule alone refused something."""
        self.failed = False
        """Whether it failed, by raising or by its answer."""
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
            self.failed = True
            if not isinstance(check.error, UnfitAnswer):  # which is a finding of its own
                self.error = self.error or f"it raises {check.raised}"
        else:
            self.shadows.add(frozenset(failing))
            self.found |= not failing
        # Even where it refuses at once it is run some times more, for the sake of what it may do besides.
        return 0 if self.found and self._judged >= _LEAST else 1 + len(failing)
