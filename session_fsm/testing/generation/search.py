"""A deterministic search for a story whose last step fulfils a goal, with the real rules.

The table gives the row sequences from a creation to the transition in question, shortest first. For each, the search
starts with minimal arguments and changes one place at a time, first in the fields that the refusing rules read. It is
a best-first search by the distance function of the goal. The budget is the number of stories that are judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from itertools import chain, count, islice
from typing import Any, TypeAlias

from attrs import evolve, frozen

from session_fsm.decisions import Decision, Outcome
from session_fsm.errors import InvalidValue
from session_fsm.guards import Rule
from session_fsm.lifecycle import Row
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.coverage.hooks import unrecorded
from session_fsm.testing.generation.candidates import Candidates, interleaved
from session_fsm.testing.generation.rule_references import RuleReferences, reads_context, references_of
from session_fsm.testing.generation.suggested_values import FIELDS
from session_fsm.testing.steps import Contexts, Step, Story, contexts_of
from session_fsm.values import CartItem, ReturnedCartItem, SessionUpdate

__all__ = ["BUDGET", "DEPTH", "Distance", "Player", "RowSequence", "Search", "Situation", "row_sequences", "search"]

BUDGET = 10_000
"""The default number of stories that a search judges."""
DEPTH = 6
"""The default for the most steps of a story."""
_LONGEST_SEQUENCE = 60
_LONG = 20
"""The most items of a cart that is not long."""
_BATCH = 16
"""How many variants of a story to judge before the next story of equal distance."""


@frozen
class Situation:
    """A story and the decision on the step after it."""

    story: Story
    """The steps before."""
    step: Step
    session: CustomerSession | None
    """The session after the story; None if the step is a creation."""
    decision: Decision[Any]
    left: int = 0
    """How many steps of the played story follow, which were not played because this one was refused."""

    @property
    def whole(self) -> Story:
        """The story with the step."""
        return self.story.then(self.step)

    def failing(self) -> tuple[Rule, ...]:
        """Return the rules that refuse the step or raise."""
        return tuple(check.rule for check in self.decision.checks if check.outcome is not Outcome.PASSED)


Distance: TypeAlias = Callable[[Situation], int]
"""Returns how far a situation is from the goal; 0 fulfils it."""

RowSequence: TypeAlias = "tuple[Row | State, ...]"
"""Successive rows from a creation on; a state stands for a creation in that state without a row."""


class Player:
    """Plays stories by dry runs, and caches the decisions on their first steps."""

    def __init__(self, kind: type[CustomerSession]) -> None:
        self.kind = kind
        # Keyed by the `id` of the steps, because comparing them is slow and 1 equals True. The value keeps them alive.
        self._cache: dict[tuple[int, ...], tuple[Decision[Any], Story]] = {}

    def play(self, story: Story) -> Situation:
        """Return the situation in which *story* ends: at its first step that is refused, or at its last.

        Raises:
            InvalidValue: a value of the story is invalid, or a step is earlier than the one before.
        """
        session, last, before = None, len(story.steps) - 1, None
        for place, (step, now) in enumerate(story.timed()):
            if before is not None and now < before:
                raise InvalidValue(f"/steps/{place}/at", f"{now.isoformat()} is before the step before")
            key = (id(story.own), *map(id, story.steps[: place + 1]))
            cached = self._cache.get(key) or (step.judge(session, self.kind, now, **story.own), story)
            decision = cached[0]
            if place == last or not decision:
                return Situation(evolve(story, steps=story.steps[:place]), step, session, decision, last - place)
            self._cache[key] = cached
            session, before = decision.after, now
        raise InvalidValue("/steps", "a story has one step at least")

    def session_before(self, story: Story, place: int) -> CustomerSession | None:
        """Return the session before the step of *story* at *place*; None before the first."""
        if place == 0:
            return None
        after: CustomerSession | None = self.play(evolve(story, steps=story.steps[:place])).decision.after
        return after


@frozen(kw_only=True)
class Search:
    """The result of a search."""

    found: Situation | None
    judged: int
    """How many stories were judged."""
    closest: Situation | None
    """The first situation with the smallest distance."""


def row_sequences(table: Sequence[Row], ends: Iterable[Row | State], depth: int) -> Iterator[RowSequence]:
    """Yield every row sequence from a creation to one of *ends* with at most *depth* rows, the shortest first.

    A `State` among the ends is a creation in that state, even without a row.
    """
    ends = tuple(ends)
    level: list[tuple[Row, ...]] = [(row,) for row in table if row.source is None]
    while level and len(level[0]) <= depth:
        yield from (sequence for sequence in level if sequence[-1] in ends)
        if len(level[0]) == 1:
            yield from ((end,) for end in ends if isinstance(end, State))
        level = [(*sequence, row) for sequence in level for row in table if row.source is sequence[-1].target]


def first_stories(sequence: RowSequence, own: Mapping[str, Any]) -> Iterator[Story]:
    """Yield the stories of *sequence* with which a search starts: without arguments, and for returns also with a cart."""
    creation = sequence[0] if isinstance(sequence[0], State) else sequence[0].target
    rows = [row for row in sequence[1:] if isinstance(row, Row)]
    wanted: dict[str, Any] = {} if creation is State.OPEN else {"state": creation}
    yield Story((Step(Trigger.CREATE, SessionUpdate(**wanted)), *(Step(row.trigger) for row in rows)), own=own)
    if returns := sum(row.trigger is Trigger.RETURN_ITEMS for row in rows):
        cart = [CartItem(sku="A", quantity=returns, price=1)]
        one_unit = (ReturnedCartItem(position=0, quantity=1),)
        steps = [Step(r.trigger, one_unit if r.trigger is Trigger.RETURN_ITEMS else None) for r in rows]
        yield Story((Step(Trigger.CREATE, SessionUpdate(**wanted, cart_items=cart)), *steps), own=own)


def _with_context(story: Story, context: Mapping[str, Any]) -> Story:
    """Return *story* with *context* at every step."""
    return evolve(story, steps=tuple(evolve(step, context=context) for step in story.steps)) if context else story


@unrecorded()
def search(
    kind: type[CustomerSession],
    distance: Distance,
    sequences: Iterable[RowSequence],
    *,
    focus: Iterable[Rule] = (),
    seeds: Iterable[Story] = (),
    steps: Iterable[Step] = (),
    own: Mapping[str, Any] | None = None,
    context: Contexts = None,
    budget: int = BUDGET,
) -> Search:
    """Search for a situation with distance 0.

    Args:
        kind: the session class.
        distance: returns how far a situation is from the goal.
        sequences: the row sequences to try, in this order.
        focus: rules whose fields are varied, besides those of the rules that refuse.
        seeds: further stories to start with.
        steps: steps to try in place of others with the same trigger.
        own: what a creation gives to the fields that *kind* adds.
        context: the ``context=`` of the steps, or several to try; the empty one is tried too.
        budget: how many stories to judge at most.

    Raises:
        InvalidValue: no story can be judged, because the class does not accept *own*.
    """
    searcher = _Searcher(kind, distance, tuple(focus), tuple(steps), contexts_of(context))
    return searcher.run(sequences, tuple(seeds), own or {}, budget)


_ROUNDS: tuple[tuple[bool, int | None], ...] = (
    *((False, 200), (True, 200), (False, 1000), (True, 1000)),
    *((False, None), (True, None)),
)
"""For each round: whether to vary the fields of all rules or only of the relevant ones, and the stories for each start."""


class _Searcher:
    def __init__(
        self,
        kind: type[CustomerSession],
        distance: Distance,
        focus: tuple[Rule, ...],
        steps: tuple[Step, ...],
        contexts: tuple[Mapping[str, Any], ...],
    ) -> None:
        self.kind = kind
        self.distance = distance
        self.focus = focus
        self.steps = steps
        self.contexts = contexts
        self.player = Player(kind)
        self.judged = 0
        self.problem: InvalidValue | None = None
        self.closest: tuple[tuple[int, int], Situation] | None = None
        self._candidates: dict[frozenset[str], Candidates] = {}
        self._references: dict[tuple[str, ...], RuleReferences] = {}
        self._step_keys: dict[int, tuple[Any, Step]] = {}
        self._item_keys: dict[int, tuple[int, CartItem]] = {}
        """For the `id` of each item of a long cart, the number of its `repr`, and the item, so that the `id` is not reused."""
        self._item_numbers: dict[str, int] = {}

    def run(
        self, sequences: Iterable[RowSequence], seeds: tuple[Story, ...], own: Mapping[str, Any], budget: int
    ) -> Search:
        first = (story for sequence in sequences for story in first_stories(sequence, own))
        starts = [*seeds, *(_with_context(story, self.contexts[0]) for story in first)]
        searches = {broad: [self._search_from(story, broad=broad) for story in starts] for broad in (False, True)}
        for broad, share in _ROUNDS:
            for search_from in searches[broad]:
                most = budget - self.judged if share is None else min(share, budget - self.judged)
                for found in islice(search_from, most):
                    if found is not None:
                        return self._result(found)
        if self.problem is not None and self.judged == 0:
            raise self.problem
        return self._result(None)

    def _result(self, found: Situation | None) -> Search:
        return Search(found=found, judged=self.judged, closest=self.closest[1] if self.closest else None)

    def _search_from(self, start_story: Story, *, broad: bool) -> Iterator[Situation | None]:
        """Judge one story after another, varying the closest ones; yield the situation that is found, or else None.

        Stories of equal distance are ordered by the number and the position of their changes.
        """
        seen: set[Any] = set()
        order = count()
        start = (_LONGEST_SEQUENCE, 0)
        heap: list[tuple[tuple[int, int], int, int, Iterator[Story]]] = [(start, 0, next(order), iter((start_story,)))]
        while heap:
            distance, cost, number, neighbours = heappop(heap)
            for place, story in enumerate(neighbours, 1):
                key = self._key(story)
                if key not in seen:
                    seen.add(key)
                    try:
                        situation = self.player.play(story)
                    except InvalidValue as problem:
                        self.problem = problem
                        continue
                    closer = self._distance_of(situation)
                    yield situation if closer == (0, 0) else None
                    varied = self._neighbours(story, situation, broad=broad)
                    heappush(heap, (closer, cost + 3 + _cart_cost(situation), next(order), varied))
                    if closer < distance:
                        heappush(heap, (distance, cost, number, neighbours))
                        break
                if place == _BATCH:
                    heappush(heap, (distance, cost + 1, number, neighbours))
                    break

    def _distance_of(self, situation: Situation) -> tuple[int, int]:
        self.judged += 1
        left = situation.left
        distance = (left, len(situation.failing()) if left else self.distance(situation))
        if self.closest is None or distance < self.closest[0]:
            self.closest = (distance, situation)
        return distance

    def _key(self, story: Story) -> Any:
        """Return the identity of *story* as a key, in which 1, 1.0 and True differ."""
        return repr(story.own), tuple(map(self._step_key, story.steps))

    def _step_key(self, step: Step) -> Any:
        if id(step) not in self._step_keys:
            self._step_keys[id(step)] = (self._new_step_key(step), step)
        return self._step_keys[id(step)][0]

    def _new_step_key(self, step: Step) -> Any:
        """Return the key of *step*; for a long cart, the `repr` of each item is computed only once."""
        cart = step.argument.given().get("cart_items", ()) if isinstance(step.argument, SessionUpdate) else ()
        if len(cart) <= _LONG:
            return repr(step)
        for item in cart:
            if id(item) not in self._item_keys:
                text = repr(item)
                self._item_keys[id(item)] = (self._item_numbers.setdefault(text, len(self._item_numbers)), item)
        numbers = tuple([self._item_keys[id(item)][0] for item in cart])
        return repr(evolve(step, argument=evolve(step.argument, cart_items=()))), numbers

    def _neighbours(self, story: Story, situation: Situation, *, broad: bool) -> Iterator[Story]:
        """Yield the variants of *story* with one difference."""
        rules = (*(self.focus if situation.left == 0 else ()), *situation.failing())
        candidates = self._candidates_for(frozenset(() if broad else (rule.code for rule in rules)))
        contexts = self.contexts if any(map(reads_context, rules)) else ()
        places = reversed(range(len(situation.story.steps) + 1))
        yield from interleaved(
            *(self._varied(story, place, candidates, contexts) for place in places),
            (evolve(story, own=own) for own in candidates.own_fields(story.own)),
        )

    def _varied(
        self, story: Story, place: int, candidates: Candidates, contexts: Iterable[Mapping[str, Any]]
    ) -> Iterator[Story]:
        """Yield the variants of *story* with another step at *place*."""
        step, steps = story.steps[place], story.steps
        given = (
            evolve(other, at=other.at or step.at, context=other.context or step.context)
            for other in self.steps
            if other.trigger is step.trigger
        )
        elsewhere = (evolve(step, context=context) for context in contexts if context != step.context)
        earliest = evolve(story, steps=steps[:place]).end
        candidates_here = candidates.of_step(step, self.player.session_before(story, place), earliest)
        for other in chain(given, elsewhere, candidates_here):
            yield evolve(story, steps=(*steps[:place], other, *steps[place + 1 :]))

    def _candidates_for(self, codes: frozenset[str]) -> Candidates:
        """Return the candidates for the rules with *codes*; without codes, for all rules.

        The fields that these rules read are varied, with their constants and then those of rules that read the same
        fields.
        """
        if codes not in self._candidates:
            rules = self.kind.machine.rules
            references = self._references_of(*(rule for rule in rules if rule.code in codes))
            if codes:
                fields = references.names.intersection(FIELDS)
                sharing = tuple(rule for rule in rules if not fields.isdisjoint(self._references_of(rule).names))
            else:
                references, sharing = evolve(references, everything=True), rules
            self._candidates[codes] = Candidates(self.kind, references.with_values_of(self._references_of(*sharing)))
        return self._candidates[codes]

    def _references_of(self, *rules: Rule) -> RuleReferences:
        """Return the references of *rules*, cached for the search."""
        codes = tuple(rule.code for rule in rules)
        if codes not in self._references:
            self._references[codes] = references_of(rules, self.kind)
        return self._references[codes]


def _cart_cost(situation: Situation) -> int:
    """Return the additional cost of varying a session with a long cart."""
    after = situation.decision.after if situation.decision else situation.session
    return 0 if after is None else len(after.cart_items) // 10
