"""A move: one row of the table together with the rules that guard it, and what it makes of a session.

The trigger, the dry run and the creation all make the same move: they work out the values that the fields would
have, let every rule judge them, and write down what came of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from attrs import fields

from session_fsm.changes import returned, updated
from session_fsm.decisions import Decision, Failures, Rule, checks_of, decision, judging
from session_fsm.entities import Snapshot, assign, assigning, compiled, maker, making
from session_fsm.errors import TransitionRefused
from session_fsm.events import SessionEvent
from session_fsm.lifecycle import Row
from session_fsm.states import State, Trigger
from session_fsm.values import NO_CHANGE

__all__ = ["Move"]

_CHANGED: Mapping[Trigger, Callable[[Any, Any], dict[str, Any]]] = {
    Trigger.UPDATE: updated,
    Trigger.CLOSE: updated,
    Trigger.RETURN_ITEMS: returned,
}
"""What computes the fields that a trigger changes, beyond those that every trigger does."""

_make_event = maker(SessionEvent)


_ALWAYS = {"updated": "now", "update_count": "count", "state": "target"}
"""The fields that every move changes, with what they become."""

_LOOK = """\
    if change is not NO_CHANGE:
        return make_with_changes(session, change, now)
"""
# What `Move.passed` and `Move.record` do in steps, in straight code: where nothing else changes, and where something may.
_MAKE = """\
def make(session, change, now):
{looking}
    origin = session
    count = session.update_count + 1
{judging}
    if failures:
        raise refusal(session, failures)
{making}
    {assigning}
    return made
"""
_MAKE_WITH_CHANGES = """\
def make_with_changes(session, change, now):
    origin = session
    values = changed(session, change)
    count = values["update_count"] = session.update_count + 1
    values["updated"] = now
    values["state"] = target
{judging}
    if failures:
        raise refusal(session, failures)
{making}
    values["_pending_events"] = session._pending_events + (made,)
    assign(session, values)
    return made
"""


class Move:
    """What a trigger does from one state."""

    __slots__ = ("_changed", "_passed", "event_name", "judge", "make", "rules", "source", "target", "trigger")

    judge: Callable[[Any, Any, Any, datetime, dict[str, Any]], Failures | None]
    """Judges the rules by the session (None at creation), the entity whose fields change, the trigger's argument, the
    time, and the fields that would change with their new values. Returns what the rules that did not pass came to, or None."""
    make: Callable[[Any, Any, datetime], SessionEvent]
    """Moves a session, given the trigger's argument and the time, wholly or not at all, and returns the event.
    Raises `RuleViolated` where a rule forbids it, or failed."""

    def __init__(
        self, trigger: Trigger, source: State | None, into: State, rules: Iterable[Rule], row: Row | None
    ) -> None:
        """Make the move by *trigger* out of *source* *into* a state; without a *row* it is one that cannot be."""
        self.trigger, self.source = trigger, source
        self.target: Any = row.target if row else None
        self.event_name: Any = row.event_name if row else None
        self.rules = tuple(rule for rule in rules if rule.guards(trigger, into))
        self._changed = _CHANGED.get(trigger)
        self._passed = checks_of(self.rules, {})

    def __getattr__(self, name: str) -> Any:
        """Generate what is used for the first time; most programs do not use half of it."""
        match name:
            case "judge":
                self.judge = self._generated_judge()
            case "make":
                self.make = self._generated_make()
            case _:
                raise AttributeError(f"a move has no {name}")
        return getattr(self, name)

    def _generated_judge(self) -> Any:
        lines, known = judging(self.rules, self.trigger)
        head = "def judge(session, origin, change, now, values):"
        return compiled("judge", [head, *lines, "    return failures"], known)

    def _generated_make(self) -> Any:
        known: dict[str, Any] = {"event_name": self.event_name, "source": self.source, "target": self.target}
        known |= {"NO_CHANGE": NO_CHANGE, "refusal": self.refusal, "changed": self._changed, "assign": assign}
        parts = {a.name: a.name for a in fields(SessionEvent)}
        parts |= {"name": "event_name", "session_id": "session.integration_id", "at": "now", "update_count": "count"}
        make, needed_to_make = making(SessionEvent, parts)
        pending = {"_pending_events": "session._pending_events + (made,)"}
        assign_all, needed_to_assign = assigning("session", _ALWAYS | pending)
        known |= needed_to_make | needed_to_assign
        making_lines = "\n".join(make)
        if self._changed:
            judge, needed_to_judge = judging(self.rules, self.trigger)
            text = _MAKE_WITH_CHANGES.format(judging="\n".join(judge), making=making_lines)
            known["make_with_changes"] = compiled("make_with_changes", [text], known | needed_to_judge)
        judge, needed_to_judge = judging(self.rules, self.trigger, _ALWAYS)
        text = _MAKE.format(
            looking=_LOOK if self._changed else "",
            judging="\n".join(judge),
            making=making_lines,
            assigning=assign_all,
        )
        return compiled("make", [text], known | needed_to_judge)

    def values(self, session: Any, change: Any, now: datetime) -> dict[str, Any]:
        """Return the fields of *session* that would change, with their new values; it is not touched."""
        values = {} if self._changed is None or change is NO_CHANGE else self._changed(session, change)
        values["updated"] = now
        values["update_count"] = session.update_count + 1
        values["state"] = self.target
        return values

    def record(self, session: Any, change: Any, now: datetime, values: dict[str, Any]) -> SessionEvent:
        """Make the event of a move that the rules allow, and let it be pending among *values*."""
        event = _make_event(
            self.event_name,
            session.integration_id,
            self.trigger,
            self.source,
            self.target,
            now,
            values["update_count"],
            change,
        )
        values["_pending_events"] = (*session._pending_events, event)  # noqa: SLF001 - the machine's own field
        return event

    def passed(self, session: Any, change: Any, now: datetime) -> dict[str, Any]:
        """Return what `values` does.

        Raises:
            RuleViolated: a rule forbids it, or failed.
        """
        values = self.values(session, change, now)
        failures = self.judge(session, session, change, now, values)
        if failures:
            raise self.refusal(session, failures)
        return values

    def decide(self, session: Any, change: Any, now: datetime) -> Decision[Any]:
        """Say what would come of it."""
        values = self.values(session, change, now)
        failures = self.judge(session, session, change, now, values)
        if failures:
            return self._decision(session, failures)
        return self._decision(session, None, Snapshot(session, values, partial(self._pending, change, now)))

    def _pending(self, change: Any, now: datetime, after: Any) -> dict[str, Any]:
        values = {"update_count": after.update_count}
        self.record(after, change, now, values)
        return values

    def _decision(self, session: Any, failures: Failures | None, after: Any = None) -> Decision[Any]:
        checks = checks_of(self.rules, failures) if failures else self._passed
        violations = tuple([violation for check in checks for violation in check.violations]) if failures else ()
        judged = (self.trigger, self.source, self.target, self.event_name, checks, violations, after)
        return decision(*judged, session.integration_id, (), False)  # noqa: FBT003 - the last field

    def refusal(self, session: Any, failures: Failures) -> TransitionRefused:
        """Return the error that refuses to move *session*."""
        return self._decision(session, failures).refusal()
