"""Sessions that were stored under an old definition, and that a new one lets go nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from attrs import fields

from session_fsm.entities import assign, contents
from session_fsm.lifecycle import FINAL
from session_fsm.session import CustomerSession
from session_fsm.states import State
from session_fsm.testing.candidates import Candidates
from session_fsm.testing.comparison import changed_rules
from session_fsm.testing.mentions import mentioned
from session_fsm.testing.search import Situation, search, walks
from session_fsm.testing.steps import Step, Story

__all__ = ["stranded"]

_SESSIONS = 200
"""So many sessions of each state are looked at."""
_ARGUMENTS = 40
"""So many arguments are tried for every way out."""
_DEPTH = 5


def stranded(
    old: type[CustomerSession], new: type[CustomerSession], own: Mapping[str, Any] | None = None
) -> Iterator[tuple[State, str, str]]:
    """Yield the states with a session of *old* that had a way out, and that under *new* rules refuse to let out.

    Each comes with the reason in words, and with Python that makes the session.
    """
    changed = changed_rules(old, new)
    suspects = {rule.code for rule in changed if rule in new.machine.rules}
    for state in State:
        exits = [row.trigger for row in _exits(new, state)]
        if state in FINAL or not any(
            rule.guards(row.trigger, row.target) for rule in changed for row in _exits(new, state)
        ):
            continue  # what the table says is seen without playing
        for story, session in _sessions_in(old, state, own):
            if not any(_allows(session, row.trigger, story.end) for row in _exits(old, state)):
                continue
            twin = _moved(session, new, own or {})
            refusals = {trigger: _refusal(twin, trigger, story.end) for trigger in exits}
            if all(refusals.values()):
                codes = {code for refusal in refusals.values() for code in refusal}
                by = ", ".join(sorted(codes & suspects or codes))
                yield state, f"{' and '.join(exits)} may be refused for ever, by {by}", story.code(old.__name__)
                break


def _exits(kind: type[CustomerSession], state: State) -> list[Any]:
    return [row for row in kind.machine.table if row.source is state and row.target is not state]


def _sessions_in(
    kind: type[CustomerSession], state: State, own: Mapping[str, Any] | None
) -> list[tuple[Story, CustomerSession]]:
    found: list[tuple[Story, CustomerSession]] = []

    def collect(situation: Situation) -> int:
        if situation.decision.allowed and situation.decision.target is state:
            after: Any = situation.decision.after
            found.append((situation.whole, after))
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
    twin = object.__new__(kind)
    held = {name: value for name, value in contents(session).items() if name in values}
    assign(twin, {**values, **own, **held})
    return twin


def _refusal(session: CustomerSession, trigger: Any, now: datetime) -> set[str]:
    """Return the codes for which *trigger* is refused, whatever it is given; none where it is allowed."""
    codes: set[str] = set()
    for argument in _arguments(session, trigger, now):
        decision = session.evaluate(trigger, argument, now=now)
        if decision.allowed:
            return set()
        codes |= {violation.code for violation in decision.violations}
    return codes


def _allows(session: CustomerSession, trigger: Any, now: datetime) -> bool:
    return not _refusal(session, trigger, now)


def _arguments(session: CustomerSession, trigger: Any, now: datetime) -> Iterator[Any]:
    kind = type(session)
    step = Step(trigger)
    candidates = Candidates(kind, mentioned(kind.machine.rules, kind))
    yield step.argument
    for other in islice(candidates.of_step(step, session, now), _ARGUMENTS):
        yield other.argument
