"""Find faults in a definition by inspecting it and by running its rules.

`lint_definition` inspects a table and rules, also invalid ones of which no class can be made. `lint` inspects a class,
and runs its rules on sessions that `session_fsm.testing.generation.search` finds: it reports rules that never refuse,
that refuse only together with another rule, that do not guard the creation of a closed session, that return an
invalid answer, or that are not pure functions (`session_fsm.testing.analysis.purity`).

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

Intended findings can be ignored: ``lint(ShopSession, ignore=["negative_total:never-refuses"])``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from attrs import evolve, frozen

from session_fsm.decisions import Outcome
from session_fsm.diagrams.model import Edge
from session_fsm.errors import InvalidValue, counted
from session_fsm.guards import Rule
from session_fsm.lifecycle import FINAL, Row
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.analysis.equivalence import require_own
from session_fsm.testing.analysis.purity import Impurity, Observed, UnfitAnswer
from session_fsm.testing.generation.goals import needs_context
from session_fsm.testing.generation.search import Player, Situation, row_sequences, search
from session_fsm.testing.generation.shrinking import shrink
from session_fsm.testing.mutation.modified_classes import modified_copy
from session_fsm.testing.rule_inputs import as_creation_rule
from session_fsm.testing.steps import Contexts, Story
from session_fsm.testing.wording import SESSION_IN

__all__ = ["Fault", "Finding", "lint", "lint_definition", "states_without_end"]

TRIES = 2_000
"""The default number of stories to try for each rule."""
_LEAST = 50
"""The least number of stories to try for each rule, even if it refuses an early one."""
_DEPTH = 5


class Fault(StrEnum):
    """The faults that a definition can have."""

    UNREACHABLE_STATE = "unreachable-state"
    DEAD_END = "dead-end"
    """A state that is not final and from which no final state is reachable."""
    EXIT_FROM_FINAL = "exit-from-final"
    TRIGGER_WITHOUT_ROW = "trigger-without-row"
    RIVAL_ROWS = "rival-rows"
    """Two rows have the same source and trigger."""
    NO_RULE = "no-rule"
    """An entry of the rule list is not a rule."""
    NO_TEXT = "no-text"
    """A rule has no docstring."""
    CODE_USED_TWICE = "code-used-twice"
    GUARDS_NOTHING = "guards-nothing"
    """A rule guards no transition, or names a trigger without a matching row."""
    NEVER_REFUSES = "never-refuses"
    SHADOWED = "shadowed"
    """Whenever the rule refuses, another rule refuses too."""
    FAILS = "fails"
    """A rule raises an exception."""
    UNFIT_ANSWER = "unfit-answer"
    """A rule returns neither a boolean nor violations, or an empty collection besides booleans."""
    DROPS_BUILT_IN = "drops-built-in"
    """The class has none of the rules of `CustomerSession`."""
    MISSES_CREATION = "misses-creation"
    """A rule guards closing, but not the creation of a closed session."""
    DEPENDS_ON_TIME = Impurity.DEPENDS_ON_TIME.value
    DEPENDS_ON_CHANCE = Impurity.DEPENDS_ON_CHANCE.value
    CHANGES_ITS_INPUT = Impurity.CHANGES_ITS_INPUT.value


@frozen
class Finding:
    """One fault of a definition."""

    code: Fault
    place: str
    """A state, a trigger, the ID of a row, the code of a rule, or ``rules`` for all of them."""
    reason: str
    """The reason as text."""

    def __str__(self) -> str:
        return f"{self.place}: {self.code}: {self.reason}"


def lint_definition(table: Sequence[Row], rules: Sequence[Any]) -> list[Finding]:
    """Return the faults of *table* and *rules* that can be found without running the rules."""
    return [*_of_states(table), *_of_rows(table), *_of_rules(table, rules)]


def lint(
    kind: type[CustomerSession],
    *,
    own: Mapping[str, Any] | None = None,
    context: Contexts = None,
    tries: int = TRIES,
    ignore: Collection[str] = (),
) -> list[Finding]:
    """Return the faults of the definition of *kind*, also those found by running its rules.

    Args:
        kind: the session class.
        own: what a creation gives to the fields that *kind* adds.
        context: the ``context=`` of the calls, for rules that read it, or a list of several to try; calls without one
            are tried too.
        tries: how many stories to try at most for each rule.
        ignore: findings to leave out: a fault at one place, such as ``"minimum_order_missed:misses-creation"``, or
            everywhere, such as ``"misses-creation"``.

    Raises:
        InvalidValue: *kind* requires fields that *own* lacks, or *ignore* names an unknown fault.
    """
    require_own(kind, own)
    _require_faults(ignore)
    machine = kind.machine
    observed = {rule.code: Observed(rule) for rule in machine.rules}
    copy = modified_copy(kind, [observed[rule.code].rule for rule in machine.rules], machine.table)
    found = [*lint_definition(machine.table, machine.rules), *_of_built_in(kind)]
    for rule in copy.machine.rules:
        found += _of_outcomes(copy, rule, own, context, tries)
    for rule in machine.rules:
        found += _of_creations(kind, rule, own, context, tries)
    for rule in machine.rules:
        found += [Finding(Fault.UNFIT_ANSWER, rule.code, text) for text in observed[rule.code].unfit_answers()]
        found += [Finding(Fault(flaw.value), rule.code, text) for flaw, text in observed[rule.code].impurities.items()]
    return [one for one in found if not {one.code.value, f"{one.place}:{one.code}"} & {*ignore}]


def _require_faults(ignore: Collection[str]) -> None:
    """Check that every text in *ignore* names a fault.

    Raises:
        InvalidValue: one does not.
    """
    for text in ignore:
        fault = text.rpartition(":")[2]
        if isinstance(ignore, str) or fault not in {*Fault}:
            problem = (
                f'no fault is called "{text:.80}"; what is ignored is a list of them, each "FAULT" or "PLACE:FAULT"'
            )
            raise InvalidValue("/ignore", f"{problem}; the faults are: {', '.join(Fault)}")


def states_without_end(table: Iterable[Row | Edge]) -> list[State]:
    """Return the states from which *table* reaches no final state."""
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
            yield Finding(Fault.UNREACHABLE_STATE, state, f"no way leads from a creation to {SESSION_IN[state]}")
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
                when = f"{row.trigger} of {SESSION_IN[row.source]}" if row.source else f"a creation as {row.target}"
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
            for trigger in _unused_triggers(rule, table):
                where = f"into {rule.target}" if rule.target else "there is"
                yield Finding(Fault.GUARDS_NOTHING, rule.code, f"it names {trigger}, but no such transition {where}")


def _of_built_in(kind: type[CustomerSession]) -> Iterator[Finding]:
    """Yield the finding that *kind* has no built-in rule. Some may be missing on purpose, hardly all."""
    built_in = CustomerSession.machine.rules
    if not {rule.code for rule in built_in} & {rule.code for rule in kind.machine.rules}:
        reason = f"it drops the {len(built_in)} rules of CustomerSession; write rules = (*CustomerSession.rules, ...)"
        yield Finding(Fault.DROPS_BUILT_IN, "rules", reason)


def _unused_triggers(rule: Rule, table: Sequence[Row]) -> list[Trigger]:
    return [
        trigger
        for trigger in rule.on
        if not any(row.trigger is trigger and rule.guards(trigger, row.target) for row in table)
    ]


def _of_outcomes(
    kind: type[CustomerSession], rule: Rule, own: Mapping[str, Any] | None, context: Contexts, tries: int
) -> Iterator[Finding]:
    """Search for a step that only *rule* refuses, and yield the finding if there is none."""
    table = kind.machine.table
    ends: list[Row | State] = [row for row in table if rule.guards(row.trigger, row.target)]
    ends += [state for state in State if rule.guards(Trigger.CREATE, state)]
    outcomes = _Outcomes(rule)
    sequences = row_sequences(table, ends, _DEPTH)
    result = search(kind, outcomes.distance, sequences, focus=(rule,), own=own, context=context, budget=tries)
    tried = counted(result.judged, "try", "tries")
    if outcomes.error:
        yield Finding(Fault.FAILS, rule.code, outcomes.error)
    if not outcomes.found:
        if not outcomes.shadows and not outcomes.failed:
            hint = "" if context else needs_context([rule])
            reason = f"nothing was refused for it in {tried}{hint and f'; {hint}'}"
            yield Finding(Fault.NEVER_REFUSES, rule.code, reason)
        elif outcomes.shadows:
            others = frozenset[str]().union(*outcomes.shadows)
            hint = (
                "" if context else needs_context(one for one in kind.machine.rules if one is rule or one.code in others)
            )
            reason = f"wherever it refuses, so does {outcomes.shadowing_rules()}; {tried}{hint and f'; {hint}'}"
            yield Finding(Fault.SHADOWED, rule.code, reason)


def _of_creations(
    kind: type[CustomerSession], rule: Rule, own: Mapping[str, Any] | None, context: Contexts, tries: int
) -> Iterator[Finding]:
    """Search for a creation of a closed session that *rule* would refuse if it guarded creations."""
    table = kind.machine.table
    closed = {row.target for row in table if row.trigger is Trigger.CLOSE and rule.guards(row.trigger, row.target)}
    for row in table:
        if row.source is None and row.target in closed and not rule.guards(Trigger.CREATE, row.target):
            widened = evolve(rule, on=(Trigger.CREATE,), target=row.target, function=as_creation_rule(rule, kind))
            copy = modified_copy(kind, [widened if one is rule else one for one in kind.machine.rules], table)
            goal = _OnlyRefusal(rule.code)
            result = search(copy, goal.distance, [(row,)], focus=(widened,), own=own, context=context, budget=tries)
            if result.found is not None:
                story = shrink(result.found.whole, goal.shown_by(Player(copy)), kept=own or ())
                creation = story.steps[0].code(kind.__name__, story.own).removeprefix("session = ")
                reason = f"it guards a closing, and {creation} goes past it; {_fix(rule, row.target)}"
                yield Finding(Fault.MISSES_CREATION, rule.code, reason)


class _OnlyRefusal:
    """The goal of a search: one rule refuses and no other."""

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


def _fix(rule: Rule, state: State) -> str:
    """Return how to make *rule* also guard a creation in *state*."""
    triggers = ", ".join(f"Trigger.{trigger.name}" for trigger in (Trigger.CREATE, *rule.on))
    text = f"write on=[{triggers}]"
    if rule.on == (Trigger.CLOSE,):
        text += f", target=State.{state.name}"
    if "session" in rule.parameters:
        text += ", and ask for after instead of session, which is None when a session is created"
    return text


class _Outcomes:
    """Collects the outcomes of one rule during a search."""

    def __init__(self, rule: Rule) -> None:
        self.code = rule.code
        self.shadows: set[frozenset[str]] = set()
        """The other rules that refused, for each refusal by the rule."""
        self.error = ""
        self.found = False
        """Whether the rule refused a step that no other rule refused."""
        self.failed = False
        """Whether the rule raised or returned an invalid answer."""
        self._judged = 0

    def shadowing_rules(self) -> str:
        """Return the rules that always refuse too, or those of which one always does."""
        first, *others = self.shadows
        always = first.intersection(*others)
        return " and ".join(sorted(always)) or f"one of {', '.join(sorted(first.union(*others)))}"

    def distance(self, situation: Situation) -> int:
        self._judged += 1
        failing = {check.rule.code: check for check in situation.decision.checks if check.outcome is not Outcome.PASSED}
        check = failing.pop(self.code, None)
        if check is None:
            return 1 + len(failing)
        if check.outcome is Outcome.ERRORED:
            self.failed = True
            if not isinstance(check.error, UnfitAnswer):  # reported as UNFIT_ANSWER
                self.error = self.error or f"it raises {check.raised}"
        else:
            self.shadows.add(frozenset(failing))
            self.found |= not failing
        # Run at least `_LEAST` stories, so that impurities and invalid answers show.
        return 0 if self.found and self._judged >= _LEAST else 1 + len(failing)
