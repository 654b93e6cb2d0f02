"""Paths that show both outcomes of every rule: the witnesses of all of them, put into as few lives as can be.

A refusal leaves the session as it was, so many refusals fit into one life. Where the cart of a witness is another one,
its creation becomes an update, or a close, of the session that there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import evolve, field, frozen

from session_fsm.decisions import Decision, Outcome, Rule
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.generation.paths import Cover, Path, Paths, PathStep
from session_fsm.testing.generation.witnesses import NoWitness, Witness, find_witness
from session_fsm.testing.steps import Step, Story
from session_fsm.values import UNSET

__all__ = ["rule_paths"]


@frozen
class _Life:
    """A story that was lived to its end, refusals included."""

    story: Story
    decisions: tuple[Decision[Any], ...] = field(eq=False)

    @property
    def shown(self) -> frozenset[str]:
        """What it shows: rules that pass where all do, and rules that refuse where no other does."""
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
        """The state at the end; None where the creation was refused."""
        return next((decision.target for decision in reversed(self.decisions) if decision), None)


def _name(rule: Rule, outcome: Outcome) -> str:
    return f"{rule.code}:{outcome}"


def _lived(kind: type[CustomerSession], story: Story) -> _Life | None:
    """Live *story*, refusals included; None where it cannot be told at all."""
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
    return _Life(story, tuple(decisions))


def rule_paths(kind: type[CustomerSession], own: Mapping[str, Any], budget: int) -> Paths:
    """Return the paths that `session_fsm.testing.generation.paths.paths` returns for ``cover="rules"``."""
    rules: tuple[Rule, ...] = kind.machine.rules
    goals: dict[str, Witness] = {}
    infeasible: dict[str, str] = {}
    alone: set[str] = set()
    for rule in rules:
        for outcome in (Outcome.PASSED, Outcome.VIOLATED):
            found = _witness(kind, rule, outcome, own, budget)
            if isinstance(found, Witness):
                goals[_name(rule, outcome)] = found
                if not found.decision and found.step.trigger is Trigger.CREATE:
                    alone.add(_name(rule, outcome))
            else:
                infeasible[_name(rule, outcome)] = str(found)
    lives = _merged(kind, goals, alone)
    shown = {name for life in lives for name in life.shown}
    return Paths(
        cover=Cover.RULES,
        paths=tuple(Path(tuple(map(PathStep.of, life.story.steps, life.decisions)), life.story.own) for life in lives),
        covered=tuple(name for name in goals if name in shown),
        infeasible=infeasible,
        missing=tuple(name for name in goals if name not in shown),
        least=len(alone) + any(name not in alone for name in goals),
    )


def _witness(
    kind: type[CustomerSession], rule: Rule, outcome: Outcome, own: Mapping[str, Any], budget: int
) -> Witness | NoWitness:
    """Return a witness of what is asked for, one that is no refused creation if there is such a one."""
    found = find_witness(kind, rule, outcome, own=own, budget=budget)
    if isinstance(found, NoWitness) or found.decision or found.step.trigger is not Trigger.CREATE:
        return found
    others = [trigger for trigger in (Trigger.UPDATE, Trigger.CLOSE) if trigger in rule.on]
    opened = find_witness(kind, "T-01", own=own, budget=budget) if _opens(kind) and others else None
    if isinstance(opened, Witness):
        for trigger in others:
            story = opened.whole.then(Step(trigger, evolve(found.step.argument, state=UNSET)))
            life = _lived(kind, story)
            if life and _name(rule, outcome) in life.shown:
                return evolve(found, story=opened.whole, step=story.steps[-1], decision=life.decisions[-1])
    later = (
        find_witness(kind, rule, outcome, on=t, own=own, budget=budget) for t in rule.on if t is not Trigger.CREATE
    )
    return next((one for one in later if isinstance(one, Witness)), found)


def _opens(kind: type[CustomerSession]) -> bool:
    return any(row.id == "T-01" for row in kind.machine.table)


_LATE = {State.OPEN: 0, State.CLOSED: 1, State.PARTIALLY_RETURNED: 2, State.CANCELLED: 3}
"""In this order the witnesses are put one after the other: from where no sequence leads on comes last."""


def _merged(kind: type[CustomerSession], goals: Mapping[str, Witness], alone: Iterable[str]) -> list[_Life]:
    lives: list[_Life] = []
    apart: list[_Life] = []
    for name, witness in sorted(goals.items(), key=lambda item: _end(kind, item[1])):
        life = _lived(kind, witness.whole)
        if life is None or any(name in other.shown for other in (*lives, *apart)):
            continue
        if name in alone:
            apart.append(life)
            continue
        for place, other in enumerate(lives):
            wider = next(_joined(kind, other, witness, name), None)
            if wider is not None:
                lives[place] = wider
                break
        else:
            lives.append(life)
    return _reduced(kind, [*lives, *apart])


def _end(kind: type[CustomerSession], witness: Witness) -> int:
    life = _lived(kind, witness.whole)
    return -1 if life is None or life.state is None else _LATE[life.state]


def _joined(kind: type[CustomerSession], life: _Life, witness: Witness, name: str) -> Iterator[_Life]:
    """Yield the lives that show what *life* does and *name* besides, the shortest first."""
    steps = life.story.steps
    if witness.step.trigger is not Trigger.CREATE:
        for place in range(1, len(steps) + 1):
            yield from _wider(kind, life, name, (*steps[:place], witness.step, *steps[place:]))
    creation, *rest = witness.whole.steps
    content = evolve(creation.argument, state=UNSET)
    filling = Trigger.CLOSE if creation.argument.state is State.CLOSED else Trigger.UPDATE
    for between in ((), (Step(Trigger.REOPEN),)):
        for first in ((Step(filling, content),), (Step(Trigger.UPDATE, content), Step(filling, content))):
            yield from _wider(kind, life, name, (*steps, *between, *first, *rest))


def _wider(kind: type[CustomerSession], life: _Life, name: str, steps: tuple[Step, ...]) -> Iterator[_Life]:
    other = _lived(kind, evolve(life.story, steps=steps))
    if other is not None and other.shown >= life.shown | {name}:
        yield other


def _reduced(kind: type[CustomerSession], lives: list[_Life]) -> list[_Life]:
    """Leave out every life, and then every step, without which all is shown that was."""
    kept = list(lives)
    for life in lives:
        others = [other for other in kept if other is not life]
        if life.shown <= {name for other in others for name in other.shown}:
            kept = others
    for number, life in enumerate(kept):
        needed = life.shown - {name for other in kept if other is not life for name in other.shown}
        kept[number] = _shortest(kind, life, needed)
    return kept


def _shortest(kind: type[CustomerSession], life: _Life, needed: frozenset[str]) -> _Life:
    place = 0
    while place < len(life.story.steps):
        steps = life.story.steps
        shorter = evolve(life.story, steps=(*steps[:place], *steps[place + 1 :]))
        other = _lived(kind, shorter)
        if other is not None and other.shown >= needed:
            life, place = other, 0
        else:
            place += 1
    return life
