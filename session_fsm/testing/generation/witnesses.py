"""Witnesses: a concrete session and step for which a transition fires, or for which exactly one rule refuses.

They are found by `session_fsm.testing.generation.search`, with the real rules, the same in every run, and they are minimal.

>>> from session_fsm import CustomerSession
>>> print(witness(CustomerSession, "T-07").code())
session = CustomerSession.create("order-1", state="closed", cart_items=[CartItem(sku="A", quantity=1)])
session.return_items([ReturnedCartItem(position=0)])
assert session.state == "partially_returned"
>>> print(witness(CustomerSession, "unknown_cart_item", "violated"))
return_items is refused by unknown_cart_item: The cart has no item at position 0; it holds 0 items. \
(at /returnedCartItems/0/position)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import chain
from typing import Any

from attrs import field, frozen

from session_fsm.decisions import Decision, Outcome, OutcomeLike
from session_fsm.errors import InvalidValue, SessionFSMError, counted
from session_fsm.guards import Rule
from session_fsm.lifecycle import Row
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger, TriggerLike
from session_fsm.testing.coverage.hooks import unrecorded
from session_fsm.testing.generation.rule_references import references_of
from session_fsm.testing.generation.search import BUDGET, DEPTH, Player, RowSequence, Situation, row_sequences, search
from session_fsm.testing.generation.shrinking import shrink
from session_fsm.testing.steps import Step, Story
from session_fsm.validators import to_member
from session_fsm.values import SessionUpdate

__all__ = ["NoWitness", "Why", "Witness", "find_witness", "raised_in", "witness"]


class Why(StrEnum):
    """Why there is no witness."""

    SHADOWED = "shadowed"
    """Whenever the rule refuses or raises, another rule refuses too."""
    CONTRADICTORY = "contradictory"
    """The rules of the transition never all pass: one refuses everything, or they exclude each other."""
    NOT_FOUND = "not_found"
    """No story that was judged is a witness, for no known reason."""


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


@frozen
class Witness:
    """A story and a last step that fires a row, or gives a rule an outcome."""

    kind: type[CustomerSession]
    what: str
    """The goal, such as ``T-07 fires`` or ``too_late violated``."""
    story: Story
    """The steps before; none if the step is a creation."""
    step: Step
    decision: Decision[Any] = field(eq=False, repr=False)
    """The decision on the step."""
    tried: int = field(eq=False)
    """How many stories were judged to find it, without shrinking."""

    @property
    def whole(self) -> Story:
        """The story with the step."""
        return self.story.then(self.step)

    def session(self) -> CustomerSession | None:
        """Return a new session after the story; None if the step is a creation."""
        return self.story.play(self.kind) if self.story.steps else None

    def code(self, *, imports: bool = False) -> str:
        """Return Python to paste into a test: the story, the step, and an assertion of its outcome.

        Args:
            imports: whether to start with the import statements.
        """
        *setup, last = self.whole.code(self.kind.__name__, times=self._depends_on_time).splitlines()
        if self.decision:
            lines = [*setup, last, f'assert session.state == "{self.decision.target}"']
        else:
            codes = ", ".join(f'"{code}"' for code in dict.fromkeys(v.code for v in self.decision.violations))
            lines = [
                *setup,
                "with pytest.raises(RuleViolated) as refusal:",
                f"    {last}",
                f"assert {{violation.code for violation in refusal.value.violations}} == {{{codes}}}",
            ]
        text = "\n".join(lines)
        return f"{_imports(text, self.kind)}\n\n{text}" if imports else text

    def json_lines(self) -> str:
        """Return the story and the step in the format of ``docs/replay-format.md``."""
        return self.whole.json_lines()

    @property
    def _depends_on_time(self) -> bool | None:
        """True if a rule reads the time, so that the code must give the time of each step; else None."""
        return (
            references_of(self.kind.machine.rules, self.kind).names.isdisjoint(("now", "created", "updated")) is False
            or None
        )

    def __str__(self) -> str:
        if self.decision:
            return str(self.decision)
        reasons = map(str, (*self.decision.violations, *raised_in(self.decision)))
        return f"{self.step.trigger} is refused by " + " ".join(reasons)


def raised_in(decision: Decision[Any]) -> tuple[str, ...]:
    """Return what the rules in *decision* raised, each with the code of its rule."""
    return tuple(f"{check.rule.code} raised {check.raised}" for check in decision.checks if check.raised)


def witness(
    kind: type[CustomerSession],
    what: Row | Rule | str,
    outcome: OutcomeLike | None = None,
    *,
    on: TriggerLike | None = None,
    strategy: Any = None,
    budget: int = BUDGET,
    depth: int = DEPTH,
    own: Mapping[str, Any] | None = None,
) -> Witness:
    """Return a witness of a row or of a rule's outcome; deterministic.

    - ``witness(kind, "T-07")``: the transition fires, all its rules pass.
    - ``witness(kind, rule, "violated")``: exactly that rule refuses, and no other.
    - ``witness(kind, rule, "errored")``: exactly that rule raises, and no other refuses.
    - ``witness(kind, rule, "passed")``: the rule passes in a step that is allowed.

    The witness is minimal: no step, field, item or entry can be dropped, and no value simplified, such that it remains
    a witness. (Shrinking very long carts stops at a limit of work.)

    Args:
        kind: the session class.
        what: a row of the table or its ID, or a rule of the class or its code.
        outcome: for a rule: passed, violated or errored.
        on: for a rule: the trigger of the step; None means any that it guards.
        strategy: a Hypothesis strategy that draws values which the search does not try by itself: each `SessionUpdate`
            is tried as the argument of every step that takes one, each `Step` in the place of those that have its
            trigger, and each `Story` as a whole.
        budget: how many stories to judge at most.
        depth: the most steps of a story; if a rule reads `update_count`, there may be more.
        own: what a creation gives to the fields that *kind* adds.

    Raises:
        NoWitness: none was found within the budget; the error has the reason.
        InvalidValue: the class has no such row or rule, or the outcome does not exist.
    """
    found = find_witness(kind, what, outcome, on=on, strategy=strategy, budget=budget, depth=depth, own=own)
    if isinstance(found, NoWitness):
        raise found
    return found


@unrecorded()
def find_witness(
    kind: type[CustomerSession],
    what: Row | Rule | str,
    outcome: OutcomeLike | None = None,
    *,
    on: TriggerLike | None = None,
    strategy: Any = None,
    budget: int = BUDGET,
    depth: int = DEPTH,
    own: Mapping[str, Any] | None = None,
) -> Witness | NoWitness:
    """Return what `witness` returns; if there is none, return the `NoWitness` instead of raising it."""
    goal = _goal(kind, what, outcome, on)
    seeds, steps = _drawn(strategy)
    sequences = sorted(
        (*row_sequences(kind.machine.table, goal.ends, depth), *_long_sequences(kind, goal, depth)), key=len
    )
    result = search(kind, goal.distance, sequences, focus=goal.rules, seeds=seeds, steps=steps, own=own, budget=budget)
    if result.found is None:
        return goal.explain(result.judged, result.closest)
    player = Player(kind)

    def shows(story: Story) -> bool:
        try:
            situation = player.play(story)
        except InvalidValue:
            return False
        return situation.left == 0 and goal.distance(situation) == 0

    end = player.play(shrink(result.found.whole, shows, kept=own or ()))
    return Witness(kind, goal.what, end.story, end.step, end.decision, result.judged)


class _Goal:
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

    def explain(self, tried: int, closest: Situation | None) -> NoWitness:
        """Return the reason why *tried* stories have no witness; *closest* is the situation with the smallest distance."""
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
        return NoWitness(self.what, why, by, tried, text)


def _goal(kind: type[CustomerSession], what: Row | Rule | str, outcome: OutcomeLike | None, on: Any) -> _Goal:
    table, rules = kind.machine.table, kind.machine.rules
    if rows := [row for row in table if what in (row, row.id)]:
        if outcome is not None or on is not None:
            raise InvalidValue(
                "/outcome", "a transition fires or has no witness; only a rule has outcomes and triggers"
            )
        return _Goal(f"{rows[0].id} fires", rows, None, Outcome.PASSED)
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
    return _Goal(f"{rule.code} {wanted}{where}", ends, rule, wanted)


_LONGEST_COUNT = 60
"""The most steps of a sequence with repeated transitions."""


def _long_sequences(kind: type[CustomerSession], goal: _Goal, depth: int) -> Iterable[RowSequence]:
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


def _drawn(strategy: Any) -> tuple[tuple[Story, ...], tuple[Step, ...]]:
    """Return the stories and the steps that *strategy* draws."""
    stories: list[Story] = []
    steps: list[Step] = []
    for example in () if strategy is None else _examples(strategy):
        match example:
            case Story():
                stories.append(example)
            case Step():
                steps.append(example)
            case SessionUpdate():
                steps += [Step(trigger, example) for trigger in (Trigger.CREATE, Trigger.UPDATE, Trigger.CLOSE)]
            case _:
                problem = f"the strategy drew {example!r:.80}, which is neither a Story nor a Step nor a SessionUpdate"
                raise InvalidValue("/strategy", problem)
    return tuple(stories), tuple(steps)


_DRAWN = 100
"""How many values to draw from a strategy."""


def _examples(strategy: Any) -> list[Any]:
    try:
        from hypothesis import HealthCheck, Phase, given, settings  # noqa: PLC0415 - only a strategy needs it
    except ImportError as error:
        raise SessionFSMError("a strategy needs Hypothesis; install session-fsm[testing]") from error
    examples: list[Any] = []

    @settings(
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=_DRAWN,
        phases=[Phase.generate],
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.filter_too_much,
            HealthCheck.large_base_example,
        ],
    )
    @given(strategy)
    def collect(example: Any) -> None:
        examples.append(example)

    collect()
    return examples


_MODULES: Mapping[str, str] = {
    "Decimal": "decimal",
    "UTC": "datetime",
    "datetime": "datetime",
    "AdditionalCost": "session_fsm",
    "CartItem": "session_fsm",
    "ExperimentVariantAllocation": "session_fsm",
    "Product": "session_fsm.values",
    "ReturnedCartItem": "session_fsm",
    "RuleViolated": "session_fsm",
}


def _imports(code: str, kind: type[CustomerSession]) -> str:
    """Return the import statements that *code* needs."""
    words = set(re.findall(r"\b[A-Za-z_]\w*(?=[(.,)])", code))
    modules: dict[str, set[str]] = {}
    for name, module in {**_MODULES, kind.__name__: kind.__module__}.items():
        if name in words:
            modules.setdefault(module.removesuffix(".session"), set()).add(name)
    lines = [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(modules.items())]
    own = [line for line in lines if line.split()[1] not in ("datetime", "decimal")]
    others = [line for line in lines if line not in own]
    groups = [others, ["import pytest"] if "pytest" in words else [], own]
    return "\n\n".join("\n".join(group) for group in groups if group)
