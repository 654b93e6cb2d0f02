"""Search for a session and a step, with the real rules, the same in every run.

A search walks the table from a creation to the transition in question, breadth first, and gives every walk data:
it begins with the least that the triggers take, judges what the rules make of it, and changes one place at a time,
first where the refusing rules look, keeping what leads closer. The budget is counted in stories that were judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from itertools import chain, count, islice
from typing import Any, TypeAlias

from attrs import evolve, frozen

from session_fsm.decisions import Decision, Outcome, Rule
from session_fsm.errors import InvalidValue
from session_fsm.lifecycle import Row
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.coverage.hooks import unrecorded
from session_fsm.testing.generation.candidates import FIELDS, Candidates, in_turn
from session_fsm.testing.generation.rule_source import Mentions, mentioned
from session_fsm.testing.steps import Step, Story
from session_fsm.values import CartItem, ReturnedCartItem, SessionUpdate

__all__ = ["BUDGET", "DEPTH", "Distance", "Player", "Search", "Situation", "Walk", "search", "walks"]

BUDGET = 10_000
"""How many stories a search judges before it gives up, unless it is told otherwise."""
DEPTH = 6
"""How many steps a story has at most, unless a search is told otherwise."""
_LONGEST_WALK = 60
_LONG = 20
"""A cart of more items is long."""
_AT_A_TIME = 16
"""So many neighbours of a story are judged before others that came as close get their turn."""


@frozen
class Situation:
    """A session that has lived a story, and a step that is judged then."""

    story: Story
    """What led here."""
    step: Step
    session: CustomerSession | None
    """The session that has lived the story; None where the step creates it."""
    decision: Decision[Any]
    left: int = 0
    """How many further steps were meant to follow, had this one been allowed."""

    @property
    def whole(self) -> Story:
        """The story with the step."""
        return self.story.then(self.step)

    def failing(self) -> tuple[Rule, ...]:
        """Return the rules that refuse the step, or fail."""
        return tuple(check.rule for check in self.decision.checks if check.outcome is not Outcome.PASSED)


Distance: TypeAlias = Callable[[Situation], int]
"""Says how far a situation is from what is sought; 0 is there."""

Walk: TypeAlias = "tuple[Row | State, ...]"
"""Transitions that follow one another from a creation; a state stands for the creation in it, where the table has none."""


class Player:
    """Plays stories without moving anything, and remembers the sessions that their beginnings led to."""

    def __init__(self, kind: type[CustomerSession]) -> None:
        self.kind = kind
        # Steps are told apart by identity: to compare them takes long, and 1 equals True. They are kept alive here.
        self._begun: dict[tuple[int, ...], tuple[Decision[Any], Story]] = {}

    def play(self, story: Story) -> Situation:
        """Return the situation in which *story* ends: at its first step that is refused, or at its last.

        Raises:
            InvalidValue: a value of the story breaks its own type, length or range, or it runs back in time.
        """
        session, last, before = None, len(story.steps) - 1, None
        for place, (step, now) in enumerate(story.timed()):
            if before is not None and now < before:
                raise InvalidValue(f"/steps/{place}/at", f"{now.isoformat()} is before the step before")
            key = (id(story.own), *map(id, story.steps[: place + 1]))
            held = self._begun.get(key) or (step.judge(session, self.kind, now, **story.own), story)
            decision = held[0]
            if place == last or not decision:
                return Situation(evolve(story, steps=story.steps[:place]), step, session, decision, last - place)
            self._begun[key] = held
            session, before = decision.after, now
        raise InvalidValue("/steps", "a story has one step at least")

    def session_before(self, story: Story, place: int) -> CustomerSession | None:
        """Return the session as it is before the step of *story* at *place*; None before the first."""
        if place == 0:
            return None
        after: CustomerSession | None = self.play(evolve(story, steps=story.steps[:place])).decision.after
        return after


@frozen(kw_only=True)
class Search:
    """What a search came to."""

    found: Situation | None
    judged: int
    """How many stories were judged."""
    closest: Situation | None
    """The situation that came closest to what was sought, the first of its kind."""


def walks(table: Sequence[Row], ends: Iterable[Row | State], depth: int) -> Iterator[Walk]:
    """Yield every way from a creation to one of *ends* that has at most *depth* steps, the shortest first.

    A `State` among the ends is a creation in that state, whatever the table says of it.
    """
    ends = tuple(ends)
    level: list[tuple[Row, ...]] = [(row,) for row in table if row.source is None]
    while level and len(level[0]) <= depth:
        yield from (walk for walk in level if walk[-1] in ends)
        if len(level[0]) == 1:
            yield from ((end,) for end in ends if isinstance(end, State))
        level = [(*walk, row) for walk in level for row in table if row.source is walk[-1].target]


def stories_of(walk: Walk, own: Mapping[str, Any]) -> Iterator[Story]:
    """Yield the stories of *walk* with which a search begins: with nothing, and where items come back, with items."""
    creation = walk[0] if isinstance(walk[0], State) else walk[0].target
    rows = [row for row in walk[1:] if isinstance(row, Row)]
    wanted: dict[str, Any] = {} if creation is State.OPEN else {"state": creation}
    yield Story((Step(Trigger.CREATE, SessionUpdate(**wanted)), *(Step(row.trigger) for row in rows)), own=own)
    if returns := sum(row.trigger is Trigger.RETURN_ITEMS for row in rows):
        cart = [CartItem(sku="A", quantity=returns, price=1)]
        one_unit = (ReturnedCartItem(position=0, quantity=1),)
        steps = [Step(r.trigger, one_unit if r.trigger is Trigger.RETURN_ITEMS else None) for r in rows]
        yield Story((Step(Trigger.CREATE, SessionUpdate(**wanted, cart_items=cart)), *steps), own=own)


@unrecorded()
def search(
    kind: type[CustomerSession],
    distance: Distance,
    ways: Iterable[Walk],
    *,
    focus: Iterable[Rule] = (),
    seeds: Iterable[Story] = (),
    steps: Iterable[Step] = (),
    own: Mapping[str, Any] | None = None,
    budget: int = BUDGET,
) -> Search:
    """Look for a situation that is no distance away.

    Args:
        kind: the session class.
        distance: how far a situation is from what is sought.
        ways: the walks through the table that may lead there, in the order in which they are tried.
        focus: the rules whose fields are varied besides those of the rules that refuse.
        seeds: stories to begin with, besides those that every walk begins with.
        steps: steps to try in every place that has their trigger.
        own: what a creation gives to the fields that *kind* adds.
        budget: how many stories are judged at most.

    Raises:
        InvalidValue: no story can be judged at all, because the class does not accept *own*.
    """
    return _Searcher(kind, distance, tuple(focus), tuple(steps)).run(ways, tuple(seeds), own or {}, budget)


_ROUNDS: tuple[tuple[bool, int | None], ...] = (
    *((False, 200), (True, 200), (False, 1000), (True, 1000)),
    *((False, None), (True, None)),
)
"""Whether the fields of all rules are varied or of those alone that matter, and how many stories a walk is given."""


class _Searcher:
    def __init__(
        self, kind: type[CustomerSession], distance: Distance, focus: tuple[Rule, ...], steps: tuple[Step, ...]
    ) -> None:
        self.kind = kind
        self.distance = distance
        self.focus = focus
        self.steps = steps
        self.player = Player(kind)
        self.judged = 0
        self.problem: InvalidValue | None = None
        self.closest: tuple[tuple[int, int], Situation] | None = None
        self._candidates: dict[frozenset[str], Candidates] = {}
        self._mentions: dict[tuple[str, ...], Mentions] = {}
        self._texts: dict[int, tuple[Any, Step]] = {}
        self._items: dict[int, tuple[int, CartItem]] = {}
        """The number of the text of each item of a long cart, and the item, kept alive so that its identity stays its own."""
        self._numbers: dict[str, int] = {}

    def run(self, ways: Iterable[Walk], seeds: tuple[Story, ...], own: Mapping[str, Any], budget: int) -> Search:
        starts = [*seeds, *(story for walk in ways for story in stories_of(walk, own))]
        climbs = {broad: [self._climb(story, broad=broad) for story in starts] for broad in (False, True)}
        for broad, share in _ROUNDS:
            for climb in climbs[broad]:
                most = budget - self.judged if share is None else min(share, budget - self.judged)
                for found in islice(climb, most):
                    if found is not None:
                        return self._result(found)
        if self.problem is not None and self.judged == 0:
            raise self.problem
        return self._result(None)

    def _result(self, found: Situation | None) -> Search:
        return Search(found=found, judged=self.judged, closest=self.closest[1] if self.closest else None)

    def _climb(self, beginning: Story, *, broad: bool) -> Iterator[Situation | None]:
        """Judge one story after another, varying those that came closest; yield what is found, or None.

        Among those that came equally close, the ones go first that differ little from the beginning, and by changes
        that stand early in their order.
        """
        seen: set[Any] = set()
        order = count()
        start = (_LONGEST_WALK, 0)
        heap: list[tuple[tuple[int, int], int, int, Iterator[Story]]] = [(start, 0, next(order), iter((beginning,)))]
        while heap:
            away, cost, number, neighbours = heappop(heap)
            for place, story in enumerate(neighbours, 1):
                key = self._key(story)
                if key not in seen:
                    seen.add(key)
                    try:
                        situation = self.player.play(story)
                    except InvalidValue as problem:
                        self.problem = problem
                        continue
                    closer = self._away(situation)
                    yield situation if closer == (0, 0) else None
                    varied = self._neighbours(story, situation, broad=broad)
                    heappush(heap, (closer, cost + 3 + _bulk(situation), next(order), varied))
                    if closer < away:
                        heappush(heap, (away, cost, number, neighbours))
                        break
                if place == _AT_A_TIME:
                    heappush(heap, (away, cost + 1, number, neighbours))
                    break

    def _away(self, situation: Situation) -> tuple[int, int]:
        self.judged += 1
        left = situation.left
        away = (left, len(situation.failing()) if left else self.distance(situation))
        if self.closest is None or away < self.closest[0]:
            self.closest = (away, situation)
        return away

    def _key(self, story: Story) -> Any:
        """Return what tells a story from another; unlike by comparison, 1 is not True, and 1.0 not 1."""
        return repr(story.own), tuple(map(self._text, story.steps))

    def _text(self, step: Step) -> Any:
        if id(step) not in self._texts:
            self._texts[id(step)] = (self._written(step), step)
        return self._texts[id(step)][0]

    def _written(self, step: Step) -> Any:
        """Return what tells *step* from others. Of a long cart every item is written once, however often it is met."""
        cart = step.argument.given().get("cart_items", ()) if isinstance(step.argument, SessionUpdate) else ()
        if len(cart) <= _LONG:
            return repr(step)
        for item in cart:
            if id(item) not in self._items:
                text = repr(item)
                self._items[id(item)] = (self._numbers.setdefault(text, len(self._numbers)), item)
        numbers = tuple([self._items[id(item)][0] for item in cart])
        return repr(evolve(step, argument=evolve(step.argument, cart_items=()))), numbers

    def _neighbours(self, story: Story, situation: Situation, *, broad: bool) -> Iterator[Story]:
        """Yield the stories that differ from *story* in one place."""
        meant = () if broad else (*(self.focus if situation.left == 0 else ()), *situation.failing())
        candidates = self._candidates_for(frozenset(rule.code for rule in meant))
        places = reversed(range(len(situation.story.steps) + 1))
        yield from in_turn(
            *(self._varied(story, place, candidates) for place in places),
            (evolve(story, own=own) for own in candidates.own_fields(story.own)),
        )

    def _varied(self, story: Story, place: int, candidates: Candidates) -> Iterator[Story]:
        """Yield the stories that differ from *story* in the step at *place*."""
        step, steps = story.steps[place], story.steps
        given = (evolve(other, at=other.at or step.at) for other in self.steps if other.trigger is step.trigger)
        earliest = evolve(story, steps=steps[:place]).end
        for other in chain(given, candidates.of_step(step, self.player.session_before(story, place), earliest)):
            yield evolve(story, steps=(*steps[:place], other, *steps[place + 1 :]))

    def _candidates_for(self, codes: frozenset[str]) -> Candidates:
        """Return what is tried for the sake of the rules of these *codes*; of none means for the sake of all.

        What is varied is what they look at. The values are theirs, and then those of the rules that look at the same.
        """
        if codes not in self._candidates:
            rules = self.kind.machine.rules
            mentions = self._mentioned(*(rule for rule in rules if rule.code in codes))
            if codes:
                fields = mentions.names.intersection(FIELDS)
                sharing = tuple(rule for rule in rules if not fields.isdisjoint(self._mentioned(rule).names))
            else:
                mentions, sharing = evolve(mentions, everything=True), rules
            self._candidates[codes] = Candidates(self.kind, mentions.with_values_of(self._mentioned(*sharing)))
        return self._candidates[codes]

    def _mentioned(self, *rules: Rule) -> Mentions:
        """Return what *rules* mention; they are read once in a search."""
        codes = tuple(rule.code for rule in rules)
        if codes not in self._mentions:
            self._mentions[codes] = mentioned(rules, self.kind)
        return self._mentions[codes]


def _bulk(situation: Situation) -> int:
    """Return how much dearer it is to vary a session with a long cart."""
    after = situation.decision.after if situation.decision else situation.session
    return 0 if after is None else len(after.cart_items) // 10
