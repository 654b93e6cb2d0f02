"""Compute the fewest paths that cover all transitions, or all pairs of transitions. `paths` calls it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from attrs import evolve

from session_fsm.lifecycle import Row
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.generation.covering_paths import START, Arc, fewest_paths
from session_fsm.testing.generation.path import Cover, Path, Paths, PathStep
from session_fsm.testing.generation.search import DEPTH, Player, Situation, row_sequences, search
from session_fsm.testing.generation.witnesses import Witness, find_witness
from session_fsm.testing.steps import Contexts, Step, Story
from session_fsm.values import CartItem, ReturnedCartItem

__all__ = ["transition_paths"]


def transition_paths(
    kind: type[CustomerSession], cover: Cover, own: Mapping[str, Any], context: Contexts, budget: int
) -> Paths:
    """Return the fewest paths for *cover*, which is not `Cover.RULES`."""
    return _Planner(kind, cover, own, context, budget).plan()


class _Planner:
    """Computes row sequences from the table, searches for arguments, and plans again where rules forbid a sequence."""

    def __init__(
        self, kind: type[CustomerSession], cover: Cover, own: Mapping[str, Any], context: Contexts, budget: int
    ) -> None:
        self.kind = kind
        self.cover = cover
        self.own = own
        self.context = context
        self.budget = budget
        self.table: tuple[Row, ...] = kind.machine.table
        self.found = {row.id: find_witness(kind, row, own=own, context=context, budget=budget) for row in self.table}
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
            sequences = fewest_paths(list(self._arcs()))
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
        result = search(
            self.kind, _refusals, sequences, seeds=seeds, own=self.own, context=self.context, budget=self.budget
        )
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
