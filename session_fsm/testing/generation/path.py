"""The values that `paths` returns: paths with the expected result of each step."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from session_fsm.decisions import Decision
from session_fsm.errors import TransitionRefused, counted
from session_fsm.session import CustomerSession
from session_fsm.states import EventName, State
from session_fsm.testing.steps import Step, Story

__all__ = ["Cover", "Path", "PathStep", "Paths"]


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
