"""Sessions that were stored under an old definition, and that a new one lets go nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from attrs import fields

from session_fsm.entities import assign, contents
from session_fsm.errors import InvalidValue
from session_fsm.lifecycle import FINAL, Row
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.analysis.equivalence import changed_rules
from session_fsm.testing.generation.candidates import Candidates
from session_fsm.testing.generation.rule_source import mentioned
from session_fsm.testing.generation.search import Player, Situation, search, walks
from session_fsm.testing.generation.shrinking import simplest
from session_fsm.testing.steps import Step, Story

__all__ = ["stranded"]

_SESSIONS = 200
"""So many stories are played in search of sessions of each state."""
_ARGUMENTS = 80
"""So many arguments are tried for every step."""
_DEPTH = 5


def stranded(
    old: type[CustomerSession], new: type[CustomerSession], own: Mapping[str, Any] | None = None
) -> Iterator[tuple[State, str, str]]:
    """Yield the states with a session of *old* that had a way out, and that under *new* rules refuse to let out.

    Each comes with the reason in words, and with Python that makes the session.
    """
    changed = changed_rules(old, new)
    suspects = {rule.code for rule in changed}
    change = _Change(old, new, own or {})
    for state in State:
        rows = change.after.of(state)
        if state in FINAL or not any(rule.guards(row.trigger, row.target) for rule in changed for row in rows):
            continue  # what the table says is seen without playing
        for story in _stories_into(old, state, own):
            if codes := change.refusals(story, state):
                shortest = simplest(story, partial(change.refuses, state=state, codes=codes), kept=own or ())
                ways = " and ".join(row.trigger for row in rows)
                by = ", ".join(sorted(codes & suspects or codes))
                yield state, f"{ways} may be refused for ever, by {by}", shortest.code(old.__name__)
                break


class _Change:
    """A definition that takes the place of another."""

    def __init__(self, old: type[CustomerSession], new: type[CustomerSession], own: Mapping[str, Any]) -> None:
        self.new = new
        self.own = own
        self.player = Player(old)
        self.before, self.after = _Exits(old), _Exits(new)

    def refusals(self, story: Story, state: State) -> set[str]:
        """Return the codes that keep the session of *story* in *state* from now on; none where nothing does."""
        try:
            situation = self.player.play(story)
        except InvalidValue:
            return set()
        session = None if situation.left else situation.decision.after
        if session is None or session.state is not state:
            return set()
        codes = self.after.refusals(_moved(session, self.new, self.own), story.end)
        return codes if codes and not self.before.refusals(session, story.end) else set()

    def refuses(self, story: Story, *, state: State, codes: set[str]) -> bool:
        """Whether these *codes* are the ones."""
        return self.refusals(story, state) == codes


class _Exits:
    """The ways out of the states of a class."""

    def __init__(self, kind: type[CustomerSession]) -> None:
        self.table = kind.machine.table
        self.candidates = Candidates(kind, mentioned(kind.machine.rules, kind))

    def of(self, state: State) -> list[Row]:
        """Return the rows that leave *state* for another."""
        return [row for row in self.table if row.source is state and row.target is not state]

    def refusals(self, session: CustomerSession, now: datetime, *, at_once: bool = False) -> set[str]:
        """Return the codes for which every way out is refused, whatever it is given; none where one is open.

        Unless it must be *at once*, a session that can be changed where it is, is changed first if that helps.
        """
        codes: set[str] = set()
        triggers = [row.trigger for row in self.of(session.state)]
        # What takes no argument is quickly judged.
        for trigger in sorted(triggers, key=[Trigger.CANCEL, Trigger.REOPEN, Trigger.CLOSE, *Trigger].index):
            for step in self._steps(session, trigger, now):
                decision = session.evaluate(trigger, step.argument, now=step.at or now)
                if decision.allowed:
                    return set()
                codes |= {violation.code for violation in decision.violations}
        for after in () if at_once else self._changed(session, now):
            if not self.refusals(after, now, at_once=True):
                return set()
        return codes

    def _changed(self, session: CustomerSession, now: datetime) -> Iterator[CustomerSession]:
        """Yield what *session* may become without leaving its state."""
        for row in self.table:
            if row.source is session.state is row.target:
                for step in self._steps(session, row.trigger, now):
                    after: CustomerSession | None = session.evaluate(row.trigger, step.argument, now=now).after
                    if after is not None:
                        yield after

    def _steps(self, session: CustomerSession, trigger: Trigger, now: datetime) -> Iterator[Step]:
        step = Step(trigger)
        yield step
        yield from islice(self.candidates.of_step(step, session, now), _ARGUMENTS)


def _stories_into(kind: type[CustomerSession], state: State, own: Mapping[str, Any] | None) -> list[Story]:
    found: list[Story] = []

    def collect(situation: Situation) -> int:
        if situation.decision.allowed and situation.decision.target is state:
            found.append(situation.whole)
        return 1 + len(situation.failing())

    ends = [row for row in kind.machine.table if row.target is state]
    search(kind, collect, walks(kind.machine.table, ends, _DEPTH), own=own, budget=_SESSIONS)
    return found


def _moved(session: CustomerSession, kind: type[CustomerSession], own: Mapping[str, Any]) -> CustomerSession:
    """Return *session* as one of *kind* that is read from where the other was stored."""
    values: dict[str, Any] = {}
    for attribute in fields(kind):
        default: Any = attribute.default
        values[attribute.name] = default.factory() if hasattr(default, "factory") else default
    held = {name: value for name, value in contents(session).items() if name in values}
    twin = object.__new__(kind)
    assign(twin, {**values, **own, **held})
    return twin
