"""Find stored sessions that a new definition never lets leave their state; used by `diff`."""

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
from session_fsm.testing.generation.goals import needs_context
from session_fsm.testing.generation.rule_references import references_of
from session_fsm.testing.generation.search import Player, Situation, row_sequences, search
from session_fsm.testing.generation.shrinking import shrink
from session_fsm.testing.steps import Contexts, Step, Story, contexts_of

__all__ = ["dead_ends"]

_SESSIONS = 200
"""How many stories to play in search of sessions in each state."""
_ARGUMENTS = 80
"""How many arguments to try for each step."""
_DEPTH = 5


def dead_ends(
    old: type[CustomerSession],
    new: type[CustomerSession],
    own: Mapping[str, Any] | None = None,
    context: Contexts = None,
) -> Iterator[tuple[State, str, str]]:
    """Yield each state with a session that could leave it under *old* and never can under *new*.

    Each comes with the reason as text, and with Python that creates the session.
    """
    changed = changed_rules(old, new)
    changed_codes = {rule.code for rule in changed}
    change = _Change(old, new, own or {}, context)
    for state in State:
        rows = change.after.of(state)
        if state in FINAL or not any(rule.guards(row.trigger, row.target) for rule in changed for row in rows):
            continue  # dead ends in the table itself are found without playing
        for story in _stories_into(old, state, own, context):
            if codes := change.refusals(story, state):
                shortest = shrink(story, partial(change.refuses, state=state, codes=codes), kept=own or ())
                triggers = " and ".join(row.trigger for row in rows)
                by = ", ".join(sorted(codes & changed_codes or codes))
                hint = "" if context else needs_context(rule for rule in new.machine.rules if rule.code in codes)
                yield (
                    state,
                    f"{triggers} may be refused for ever, by {by}{hint and f'; {hint}'}",
                    shortest.code(old.__name__),
                )
                break


class _Change:
    """Two definitions of which the second replaces the first."""

    def __init__(
        self, old: type[CustomerSession], new: type[CustomerSession], own: Mapping[str, Any], context: Contexts
    ) -> None:
        self.new = new
        self.own = own
        self.player = Player(old)
        self.before, self.after = _Exits(old, context), _Exits(new, context)

    def refusals(self, story: Story, state: State) -> set[str]:
        """Return the codes that keep the session of *story* in *state*; empty if it can leave, or never could."""
        try:
            situation = self.player.play(story)
        except InvalidValue:
            return set()
        session = None if situation.left else situation.decision.after
        if session is None or session.state is not state:
            return set()
        codes = self.after.refusals(_loaded(session, self.new, self.own), story.end)
        return codes if codes and not self.before.refusals(session, story.end) else set()

    def refuses(self, story: Story, *, state: State, codes: set[str]) -> bool:
        """Whether exactly *codes* keep the session of *story* in *state*."""
        return self.refusals(story, state) == codes


class _Exits:
    """Tries the transitions that leave a state."""

    def __init__(self, kind: type[CustomerSession], context: Contexts) -> None:
        self.contexts = contexts_of(context)
        self.table = kind.machine.table
        self.candidates = Candidates(kind, references_of(kind.machine.rules, kind))

    def of(self, state: State) -> list[Row]:
        """Return the rows that leave *state* for another."""
        return [row for row in self.table if row.source is state and row.target is not state]

    def refusals(self, session: CustomerSession, now: datetime, *, at_once: bool = False) -> set[str]:
        """Return the codes for which every exit is refused, whatever its argument; empty if one is allowed.

        Unless *at_once*, updates within the state are tried before the exits too.
        """
        codes: set[str] = set()
        triggers = [row.trigger for row in self.of(session.state)]
        # Triggers without an argument first: each needs one evaluation only.
        for trigger in sorted(triggers, key=[Trigger.CANCEL, Trigger.REOPEN, Trigger.CLOSE, *Trigger].index):
            for step in self._steps(session, trigger, now):
                decision = step.judge(session, type(session), step.at or now)
                if decision.allowed:
                    return set()
                codes |= {violation.code for violation in decision.violations}
        for after in () if at_once else self._changed(session, now):
            if not self.refusals(after, now, at_once=True):
                return set()
        return codes

    def _changed(self, session: CustomerSession, now: datetime) -> Iterator[CustomerSession]:
        """Yield *session* after each step that stays in its state."""
        for row in self.table:
            if row.source is session.state is row.target:
                for step in self._steps(session, row.trigger, now):
                    after: CustomerSession | None = step.judge(session, type(session), now).after
                    if after is not None:
                        yield after

    def _steps(self, session: CustomerSession, trigger: Trigger, now: datetime) -> Iterator[Step]:
        for context in self.contexts:
            step = Step(trigger, context=context)
            yield step
            yield from islice(self.candidates.of_step(step, session, now), _ARGUMENTS)


def _stories_into(
    kind: type[CustomerSession], state: State, own: Mapping[str, Any] | None, context: Contexts
) -> list[Story]:
    found: list[Story] = []

    def collect(situation: Situation) -> int:
        if situation.decision.allowed and situation.decision.target is state:
            found.append(situation.whole)
        return 1 + len(situation.failing())

    ends = [row for row in kind.machine.table if row.target is state]
    sequences = row_sequences(kind.machine.table, ends, _DEPTH)
    search(kind, collect, sequences, own=own, context=context, budget=_SESSIONS)
    return found


def _loaded(session: CustomerSession, kind: type[CustomerSession], own: Mapping[str, Any]) -> CustomerSession:
    """Return *session* as a session of *kind*, as if loaded from storage: new fields have their defaults."""
    values: dict[str, Any] = {}
    for attribute in fields(kind):
        default: Any = attribute.default
        values[attribute.name] = default.factory() if hasattr(default, "factory") else default
    held = {name: value for name, value in contents(session).items() if name in values}
    loaded = object.__new__(kind)
    assign(loaded, {**values, **own, **held})
    return loaded
