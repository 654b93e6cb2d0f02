"""Paths that reach both outcomes of every rule; called by `session_fsm.testing.generation.paths.paths`.

The witnesses of all outcomes are merged into few stories. A refusal leaves the session unchanged, so one story can
hold many refusals. To merge a witness with another cart, its creation becomes an update or a close.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import evolve, field, frozen

from session_fsm.decisions import Decision, Outcome
from session_fsm.guards import Rule
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.generation.path import Cover, Path, Paths, PathStep
from session_fsm.testing.generation.witnesses import NoWitness, Witness, find_witness
from session_fsm.testing.steps import Contexts, Step, Story
from session_fsm.values import UNSET

__all__ = ["rule_paths"]


@frozen
class _PlayedStory:
    """A story with the decision on each of its steps, refusals included."""

    story: Story
    decisions: tuple[Decision[Any], ...] = field(eq=False)

    @property
    def outcomes(self) -> frozenset[str]:
        """The rule outcomes: passed in an allowed step, or the only failing rule of a refused one."""
        names: set[str] = set()
        for decision in self.decisions:
            failing = [check for check in decision.checks if check.outcome is not Outcome.PASSED]
            if decision:
                names |= {_name(check.rule, Outcome.PASSED) for check in decision.checks}
            elif len(failing) == 1:
                names.add(_name(failing[0].rule, failing[0].outcome))
        return frozenset(names)

    @property
    def state(self) -> State | None:
        """The state at the end; None if the creation was refused."""
        return next((decision.target for decision in reversed(self.decisions) if decision), None)


def _name(rule: Rule, outcome: Outcome) -> str:
    return f"{rule.code}:{outcome}"


def _played(kind: type[CustomerSession], story: Story) -> _PlayedStory | None:
    """Play *story*, refusals included; return None if it is not a valid story."""
    session: CustomerSession | None = None
    before = None
    decisions: list[Decision[Any]] = []
    for step, now in story.timed():
        if (step.trigger is Trigger.CREATE) is not (not decisions) or (decisions and session is None):
            return None
        if before is not None and now < before:
            return None
        decision = step.judge(session, kind, now, **story.own)
        decisions.append(decision)
        before = now
        if decision:
            session = decision.after
    return _PlayedStory(story, tuple(decisions))


def rule_paths(kind: type[CustomerSession], own: Mapping[str, Any], context: Contexts, budget: int) -> Paths:
    """Return the result of `paths` for ``cover="rules"``."""
    rules: tuple[Rule, ...] = kind.machine.rules
    goals: dict[str, Witness] = {}
    infeasible: dict[str, str] = {}
    alone: set[str] = set()
    for rule in rules:
        for outcome in (Outcome.PASSED, Outcome.VIOLATED):
            found = _witness(kind, rule, outcome, own, context, budget)
            if isinstance(found, Witness):
                goals[_name(rule, outcome)] = found
                if not found.decision and found.step.trigger is Trigger.CREATE:
                    alone.add(_name(rule, outcome))
            else:
                infeasible[_name(rule, outcome)] = str(found)
    merged = _merged(kind, goals, alone)
    reached = {name for played in merged for name in played.outcomes}
    return Paths(
        cover=Cover.RULES,
        paths=tuple(
            Path(tuple(map(PathStep.of, played.story.steps, played.decisions)), played.story.own) for played in merged
        ),
        covered=tuple(name for name in goals if name in reached),
        infeasible=infeasible,
        missing=tuple(name for name in goals if name not in reached),
        least=len(alone) + any(name not in alone for name in goals),
    )


def _witness(
    kind: type[CustomerSession], rule: Rule, outcome: Outcome, own: Mapping[str, Any], context: Contexts, budget: int
) -> Witness | NoWitness:
    """Return a witness of the outcome, if possible one that is not a refused creation."""
    found = find_witness(kind, rule, outcome, own=own, context=context, budget=budget)
    if isinstance(found, NoWitness) or found.decision or found.step.trigger is not Trigger.CREATE:
        return found
    others = [trigger for trigger in (Trigger.UPDATE, Trigger.CLOSE) if trigger in rule.on]
    opened = find_witness(kind, "T-01", own=own, context=context, budget=budget) if _opens(kind) and others else None
    if isinstance(opened, Witness):
        for trigger in others:
            story = opened.whole.then(
                Step(trigger, evolve(found.step.argument, state=UNSET), context=found.step.context)
            )
            played = _played(kind, story)
            if played and _name(rule, outcome) in played.outcomes:
                return evolve(found, story=opened.whole, step=story.steps[-1], decision=played.decisions[-1])
    later = (
        find_witness(kind, rule, outcome, on=t, own=own, context=context, budget=budget)
        for t in rule.on
        if t is not Trigger.CREATE
    )
    return next((one for one in later if isinstance(one, Witness)), found)


def _opens(kind: type[CustomerSession]) -> bool:
    return any(row.id == "T-01" for row in kind.machine.table)


_STATE_ORDER = {State.OPEN: 0, State.CLOSED: 1, State.PARTIALLY_RETURNED: 2, State.CANCELLED: 3}
"""The order in which witnesses are merged, by their last state: final states come last."""


def _merged(kind: type[CustomerSession], goals: Mapping[str, Witness], alone: Iterable[str]) -> list[_PlayedStory]:
    merged: list[_PlayedStory] = []
    separate: list[_PlayedStory] = []
    for name, witness in sorted(goals.items(), key=lambda item: _end(kind, item[1])):
        played = _played(kind, witness.whole)
        if played is None or any(name in other.outcomes for other in (*merged, *separate)):
            continue
        if name in alone:
            separate.append(played)
            continue
        for place, other in enumerate(merged):
            longer = next(_merge_candidates(kind, other, witness, name), None)
            if longer is not None:
                merged[place] = longer
                break
        else:
            merged.append(played)
    return _without_redundant(kind, [*merged, *separate])


def _end(kind: type[CustomerSession], witness: Witness) -> int:
    played = _played(kind, witness.whole)
    return -1 if played is None or played.state is None else _STATE_ORDER[played.state]


def _merge_candidates(
    kind: type[CustomerSession], played: _PlayedStory, witness: Witness, name: str
) -> Iterator[_PlayedStory]:
    """Yield the stories with the outcomes of *played* and *name*, the shortest first."""
    steps = played.story.steps
    if witness.step.trigger is not Trigger.CREATE:
        for place in range(1, len(steps) + 1):
            yield from _if_it_adds(kind, played, name, (*steps[:place], witness.step, *steps[place:]))
    creation, *rest = witness.whole.steps
    content = evolve(creation.argument, state=UNSET)
    filling = Trigger.CLOSE if creation.argument.state is State.CLOSED else Trigger.UPDATE
    updating, filled = (Step(trigger, content, context=creation.context) for trigger in (Trigger.UPDATE, filling))
    for between in ((), (Step(Trigger.REOPEN, context=creation.context),)):
        for first in ((filled,), (updating, filled)):
            yield from _if_it_adds(kind, played, name, (*steps, *between, *first, *rest))


def _if_it_adds(
    kind: type[CustomerSession], played: _PlayedStory, name: str, steps: tuple[Step, ...]
) -> Iterator[_PlayedStory]:
    other = _played(kind, evolve(played.story, steps=steps))
    if other is not None and other.outcomes >= played.outcomes | {name}:
        yield other


def _without_redundant(kind: type[CustomerSession], merged: list[_PlayedStory]) -> list[_PlayedStory]:
    """Remove every story, then every step, without which no outcome is lost."""
    kept = list(merged)
    for played in merged:
        others = [other for other in kept if other is not played]
        if played.outcomes <= {name for other in others for name in other.outcomes}:
            kept = others
    for number, played in enumerate(kept):
        needed = played.outcomes - {name for other in kept if other is not played for name in other.outcomes}
        kept[number] = _shortest(kind, played, needed)
    return kept


def _shortest(kind: type[CustomerSession], played: _PlayedStory, needed: frozenset[str]) -> _PlayedStory:
    place = 0
    while place < len(played.story.steps):
        steps = played.story.steps
        shorter = evolve(played.story, steps=(*steps[:place], *steps[place + 1 :]))
        other = _played(kind, shorter)
        if other is not None and other.outcomes >= needed:
            played, place = other, 0
        else:
            place += 1
    return played
