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
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from session_fsm.decisions import Decision, OutcomeLike
from session_fsm.errors import InvalidValue
from session_fsm.guards import Rule
from session_fsm.lifecycle import Row
from session_fsm.session import CustomerSession
from session_fsm.states import TriggerLike
from session_fsm.testing.coverage.hooks import unrecorded
from session_fsm.testing.generation.drawn_values import drawn_from
from session_fsm.testing.generation.goals import NoWitness, Why, goal_of, sequences_to
from session_fsm.testing.generation.rule_references import references_of
from session_fsm.testing.generation.search import BUDGET, DEPTH, Player, search
from session_fsm.testing.generation.shrinking import shrink
from session_fsm.testing.steps import Contexts, Step, Story

__all__ = ["NoWitness", "Why", "Witness", "find_witness", "raised_in", "witness"]


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
        names = references_of(self.kind.machine.rules, self.kind).names
        return None if names.isdisjoint(("now", "created", "updated")) else True

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
    context: Contexts = None,
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
        context: the ``context=`` of the calls, for rules that read it, or a list of several to try; calls without one
            are tried too.

    Raises:
        NoWitness: none was found within the budget; the error has the reason.
        InvalidValue: the class has no such row or rule, or the outcome does not exist.
    """
    found = find_witness(
        kind, what, outcome, on=on, strategy=strategy, budget=budget, depth=depth, own=own, context=context
    )
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
    context: Contexts = None,
) -> Witness | NoWitness:
    """Return what `witness` returns; if there is none, return the `NoWitness` instead of raising it."""
    goal = goal_of(kind, what, outcome, on)
    seeds, steps = drawn_from(strategy)
    result = search(
        kind,
        goal.distance,
        sequences_to(kind, goal, depth),
        focus=goal.rules,
        seeds=seeds,
        steps=steps,
        own=own,
        context=context,
        budget=budget,
    )
    if result.found is None:
        return goal.explain(result.judged, result.closest, () if context else kind.machine.rules)
    player = Player(kind)

    def shows(story: Story) -> bool:
        try:
            situation = player.play(story)
        except InvalidValue:
            return False
        return situation.left == 0 and goal.distance(situation) == 0

    end = player.play(shrink(result.found.whole, shows, kept=own or ()))
    return Witness(kind, goal.what, end.story, end.step, end.decision, result.judged)


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
