"""Compute the fewest paths that cover all transitions, all pairs of transitions, or all rule outcomes.

Each path is played with the real rules and real arguments before it is returned.

>>> from session_fsm import CustomerSession
>>> found = paths(CustomerSession)
>>> print(found.paths[0].code())
session = CustomerSession.create("order-1")
assert session.state == "open"
...
>>> found.missing
()
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Any

from attrs import evolve, field, frozen

from session_fsm.decisions import Decision
from session_fsm.errors import InvalidValue, TransitionRefused, counted
from session_fsm.lifecycle import Row
from session_fsm.session import CustomerSession
from session_fsm.states import EventName, State, Trigger
from session_fsm.testing.coverage.hooks import unrecorded
from session_fsm.testing.generation.covering_walks import START, Arc, fewest_walks
from session_fsm.testing.generation.search import BUDGET, DEPTH, Player, Situation, row_sequences, search
from session_fsm.testing.generation.witnesses import Witness, find_witness
from session_fsm.testing.steps import Step, Story
from session_fsm.validators import to_member
from session_fsm.values import CartItem, ReturnedCartItem

__all__ = ["Cover", "Path", "PathStep", "Paths", "paths"]


class Cover(StrEnum):
    """What the paths cover."""

    TRANSITIONS = "transitions"
    """Every row of the table."""
    PAIRS = "pairs"
    """Every pair of successive rows."""
    RULES = "rules"
    """For every rule, that it passes, and that it alone refuses."""


@frozen
class PathStep:
    """A step and its expected result."""

    step: Step
    target: State | None = None
    """The target state; None if the step is refused."""
    event: EventName | None = None
    """The event; None if the step is refused."""
    codes: tuple[str, ...] = ()
    """The distinct codes of the refusal."""

    @classmethod
    def of(cls, step: Step, decision: Decision[Any]) -> PathStep:
        """Return *step* with the result in *decision*."""
        if decision:
            return cls(step, decision.target, decision.event_name)
        return cls(step, codes=tuple(dict.fromkeys(violation.code for violation in decision.violations)))

    def __str__(self) -> str:
        return f"{self.step.trigger} -> {self.target or 'refused: ' + ', '.join(self.codes)}"


@frozen
class Path:
    """The steps of one session with their expected results. A refused step leaves the session unchanged."""

    steps: tuple[PathStep, ...]
    own: Mapping[str, Any] = field(factory=dict[str, Any])
    """What the creation gives to the fields that a subclass adds."""

    @property
    def story(self) -> Story:
        """All steps as a story. `Story.play` raises at the first refused step; `Path.play` continues."""
        return Story(tuple(one.step for one in self.steps), own=self.own)

    def play(self, kind: type[CustomerSession]) -> CustomerSession | None:
        """Play the path, and return the session; None if its creation is refused.

        Raises:
            AssertionError: a step has another result than expected.
        """
        session: CustomerSession | None = None
        for number, (one, (step, now)) in enumerate(zip(self.steps, self.story.timed(), strict=True), 1):
            try:
                session, event = step.take(session, kind, now, **self.own)
                actual = PathStep(step, session.state, event.name)
            except TransitionRefused as refusal:
                actual = PathStep.of(step, refusal.decision)
            if actual != one:
                raise AssertionError(f"step {number} of {len(self.steps)}: expected {one}, but got {actual}")
        return session

    def code(self, kind: str = "CustomerSession") -> str:
        """Return the path as Python to paste into a test, with an assertion after each step."""
        timed = any(one.step.at for one in self.steps)
        lines: list[str] = []
        for one, (step, now) in zip(self.steps, self.story.timed(), strict=True):
            line = step.code(kind, self.own, now if timed else None)
            if one.target:
                lines += [line, f'assert session.state == "{one.target}"']
            else:
                codes = ", ".join(f'"{code}"' for code in one.codes)
                lines += [
                    "with pytest.raises(TransitionRefused) as refusal:",
                    f"    {line}",
                    f"assert {{violation.code for violation in refusal.value.violations}} == {{{codes}}}",
                ]
        return "\n".join(lines)

    def json_lines(self) -> str:
        """Return the path in the format of ``docs/replay-format.md``, including refused steps."""
        return self.story.json_lines()

    def __str__(self) -> str:
        return "; ".join(map(str, self.steps))


@frozen
class Paths:
    """The result of `paths`."""

    cover: Cover
    paths: tuple[Path, ...]
    covered: tuple[str, ...]
    """The goals that the paths reach: ``T-04``, ``T-04 T-06`` or ``too_many_units:violated``."""
    infeasible: Mapping[str, str]
    """The goals that no path can reach, with the reason as text."""
    missing: tuple[str, ...]
    """Feasible goals that no path reaches; empty unless there is a bug."""
    least: int
    """A lower bound for the number of paths. There may be more paths if rules depend on earlier steps than the last,
    or if their requirements cannot be met in one session."""

    @property
    def stories(self) -> tuple[Story, ...]:
        """The stories of the paths."""
        return tuple(path.story for path in self.paths)

    def __str__(self) -> str:
        total = len(self.covered) + len(self.missing)
        lines = [
            f"{self.cover}: {len(self.covered)} of {total} feasible in {len(self.paths)} paths; {self.least} at least"
        ]
        for number, path in enumerate(self.paths, 1):
            lines.append(f"path {number}, {counted(len(path.steps), 'step')}")
            lines += [f"  {place:>3}  {one}" for place, one in enumerate(path.steps, 1)]
        lines += [f"infeasible: {what}: {why}" for what, why in self.infeasible.items()]
        lines += [f"missing: {what}" for what in self.missing]
        return "\n".join(lines)


@unrecorded()
def paths(
    kind: type[CustomerSession],
    cover: Cover | str = Cover.TRANSITIONS,
    own: Mapping[str, Any] | None = None,
    *,
    budget: int = BUDGET,
) -> Paths:
    """Return the fewest paths that reach every feasible goal; deterministic.

    Each path was played with the real rules.

    Transitions and pairs: if the number of paths equals `Paths.least`, it is minimal, and the number of steps is
    minimal for that many paths. There are more only if a rule forbids a sequence although it allows every two
    successive steps of it; then the remaining goals have separate paths.

    Rules: a rule that only a creation can violate needs a separate path, because nothing follows a refused creation;
    the other goals are merged into as few paths as the search finds, which is minimal if it equals `Paths.least`. No
    step can be dropped without losing a goal.

    Args:
        kind: the session class.
        cover: the goals.
        own: what a creation gives to the fields that *kind* adds.
        budget: how many stories to judge at most in each search.

    Raises:
        InvalidValue: *cover* does not exist.
    """
    wanted = to_member(Cover, cover)
    if not isinstance(wanted, Cover):
        raise InvalidValue("/cover", f"{cover!r} is none of: {', '.join(Cover)}")
    if wanted is Cover.RULES:
        from session_fsm.testing.generation.rule_paths import rule_paths  # noqa: PLC0415 - imports this module

        return rule_paths(kind, own or {}, budget)
    return _Planner(kind, wanted, own or {}, budget).plan()


class _Planner:
    """Computes row sequences from the table, searches for arguments, and plans again where rules forbid a sequence."""

    def __init__(self, kind: type[CustomerSession], cover: Cover, own: Mapping[str, Any], budget: int) -> None:
        self.kind = kind
        self.cover = cover
        self.own = own
        self.budget = budget
        self.table: tuple[Row, ...] = kind.machine.table
        self.found = {row.id: find_witness(kind, row, own=own, budget=budget) for row in self.table}
        self.rows = [row for row in self.table if isinstance(self.found[row.id], Witness)]
        self.infeasible: dict[str, str] = {}
        self.player = Player(kind)
        self._known: dict[str, Story | str] = {}

    def plan(self) -> Paths:
        goals = self._goals()
        for name, rows in goals.items():
            if reasons := [str(self.found[row.id]) for row in dict.fromkeys(rows) if row not in self.rows]:
                self.infeasible[name] = "; ".join(reasons)
        while True:
            known = len(self.infeasible)
            sequences = fewest_walks(list(self._arcs()))
            stories = [self._story_along(sequence) for sequence in sequences]
            if len(self.infeasible) == known:
                break
        least = len(sequences)
        for name, rows in goals.items():
            if name not in self.infeasible and not any(name in self._goals_of(story) for story in stories):
                alone = self._story_ending_with(rows)
                if isinstance(alone, Story):
                    stories.append(alone)
                else:
                    self.infeasible[name] = alone
        stories = _without_redundant(stories, self._goals_of)
        reached = {name for story in stories for name in self._goals_of(story)}
        return Paths(
            cover=self.cover,
            paths=tuple(self._path(story) for story in stories),
            covered=tuple(name for name in goals if name in reached),
            infeasible=self.infeasible,
            missing=tuple(name for name in goals if name not in reached and name not in self.infeasible),
            least=least,
        )

    def _goals(self) -> dict[str, tuple[Row, ...]]:
        if self.cover is Cover.TRANSITIONS:
            return {row.id: (row,) for row in self.table}
        return {_pair(a, b): (a, b) for a in self.table for b in self.table if a.target is b.source}

    def _arcs(self) -> Iterator[Arc]:
        """Yield the arcs of the graph: a row each, or for pairs, a pair of rows each."""
        if self.cover is Cover.TRANSITIONS:
            yield from (Arc(row.source or START, row.target, row, required=True) for row in self.rows)
            return
        yield from (Arc(START, row.id, row) for row in self.rows if row.source is None)
        for a in self.rows:
            for b in self.rows:
                if a.target is b.source and _pair(a, b) not in self.infeasible:
                    yield Arc(a.id, b.id, b, required=True)

    def _story_along(self, sequence: tuple[Row, ...]) -> Story:
        """Return a story of *sequence*, or of the longest beginning that the rules allow.

        A pair of rows that the rules never allow is noted as infeasible, if pairs are the goals.
        """
        found, furthest = self._search([sequence], [self._seed(sequence)])
        if found is not None:
            return found.whole
        story = Story(()) if furthest is None else furthest.story
        place = len(story.steps)
        if self.cover is Cover.PAIRS and place:
            alone = self._story_ending_with(sequence[place - 1 : place + 1])
            if isinstance(alone, str):
                self.infeasible[_pair(*sequence[place - 1 : place + 1])] = alone
        return story

    def _story_ending_with(self, rows: tuple[Row, ...]) -> Story | str:
        """Return a story that ends with *rows*, or the reason why there is none."""
        last = self.found[rows[-1].id]
        if len(rows) == 1 and isinstance(last, Witness):
            return last.whole
        name = _pair(*rows)
        if name not in self._known:
            sequences = [sequence for sequence in row_sequences(self.table, rows[-1:], DEPTH) if sequence[-2:] == rows]
            known = [tuple(row for row in sequence if isinstance(row, Row)) for sequence in sequences]
            found, furthest = self._search(known, [self._seed(sequence) for sequence in known])
            if found is not None:
                self._known[name] = found.whole
            else:
                codes = dict.fromkeys(rule.code for rule in furthest.failing()) if furthest else ()
                self._known[name] = (
                    f"{rows[-1].trigger} after {rows[0].trigger}: no story of {self.budget}, "
                    f"the closest is refused at {furthest.step.trigger if furthest else 'no step'} by: {', '.join(codes)}"
                )
        return self._known[name]

    def _search(
        self, sequences: Sequence[tuple[Row, ...]], seeds: list[Story]
    ) -> tuple[Situation | None, Situation | None]:
        result = search(self.kind, _refusals, sequences, seeds=seeds, own=self.own, budget=self.budget)
        return result.found, result.closest

    def _seed(self, sequence: tuple[Row, ...]) -> Story:
        """Return a story of *sequence* with the arguments of its rows' witnesses, and enough units for every return."""
        changes: dict[str, Any] = {}
        own = dict(self.own)
        steps: list[Step] = []
        for row in sequence:
            witness = self.found[row.id]
            whole = witness.whole if isinstance(witness, Witness) else Story((Step(Trigger.CREATE), Step(row.trigger)))
            changes = {**whole.steps[0].argument.given(), **changes}
            own = {**whole.own, **own}
            argument = [ReturnedCartItem(position=0, quantity=1)] if row.trigger is Trigger.RETURN_ITEMS else None
            steps.append(evolve(whole.steps[-1], argument=argument or whole.steps[-1].argument))
        if returns := sum(row.trigger is Trigger.RETURN_ITEMS for row in sequence):
            cart = changes.get("cart_items") or (CartItem(sku="A", quantity=1, price=1),)
            changes["cart_items"] = tuple(evolve(item, quantity=max(item.quantity, returns)) for item in cart)
        changes.pop("state", None)
        if sequence[0].target is not State.OPEN:
            changes["state"] = sequence[0].target
        creation = evolve(steps[0], argument=evolve(steps[0].argument, **changes))
        return Story((creation, *steps[1:]), own=own)

    def _goals_of(self, story: Story) -> set[str]:
        """Return the names of the goals that *story* reaches."""
        rows: list[Row] = []
        state: State | None = None
        for step in story.steps:
            creation = step.trigger is Trigger.CREATE
            target = step.argument.given().get("state", State.OPEN) if creation else None
            rows_here = (r for r in self.table if r.source is state and r.trigger is step.trigger)
            rows.append(next(row for row in rows_here if target in (None, row.target)))
            state = rows[-1].target
        if self.cover is Cover.TRANSITIONS:
            return {row.id for row in rows}
        return {_pair(a, b) for a, b in pairwise(rows)}

    def _path(self, story: Story) -> Path:
        prefixes = [evolve(story, steps=story.steps[: place + 1]) for place in range(len(story.steps))]
        decisions = [self.player.play(prefix).decision for prefix in prefixes]
        return Path(tuple(map(PathStep.of, story.steps, decisions)), story.own)


def _pair(first: Row, second: Row) -> str:
    return f"{first.id} {second.id}"


def _refusals(situation: Situation) -> int:
    return 0 if situation.decision else 1 + len(situation.failing())


def _without_redundant(stories: list[Story], goals_of: Any) -> list[Story]:
    """Return the stories without those whose goals the others reach too; the shortest are removed first."""
    kept = list(stories)
    for story in sorted(stories, key=lambda story: len(story.steps)):
        others = [other for other in kept if other is not story]
        if goals_of(story) <= {name for other in others for name in goals_of(other)}:
            kept = others
    return kept
