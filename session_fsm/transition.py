"""A move: one row of the table together with the rules that guard it, and what it makes of a session.

The trigger, the dry run and the creation all make the same move: they work out the values that the fields would
have, let every rule judge them, and write down what came of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import partial
from textwrap import indent
from typing import Any, TypeAlias

from attrs import fields

from session_fsm.changes import returned, returned_between, updated
from session_fsm.decisions import Decision, Failures, Rule, checks_of, decision, judging
from session_fsm.entities import Snapshot, assign, assigning, compiled, drop_cached, maker, making
from session_fsm.errors import ConcurrentChange, TransitionRefused
from session_fsm.events import SessionEvent
from session_fsm.json_values import AttributeValue
from session_fsm.lifecycle import Row
from session_fsm.reentrancy import begin, end, held_by, put_back, under_judgement
from session_fsm.rules import BUILT_IN
from session_fsm.states import State, Trigger
from session_fsm.values import NO_CHANGE, CartItem, ReturnedCartItem

__all__ = ["Move"]

_CHANGED: Mapping[Trigger, Callable[[Any, Any], dict[str, Any]]] = {
    Trigger.UPDATE: updated,
    Trigger.CLOSE: updated,
    Trigger.RETURN_ITEMS: returned,
}
"""What computes the fields that a trigger changes, beyond those that every trigger does."""

_make_event = maker(SessionEvent)

Context: TypeAlias = "Mapping[str, AttributeValue]"
"""What the caller gave as ``context=``, frozen."""


def _concurrent(session: Any) -> ConcurrentChange:
    """Return the error that something else has moved *session* in the middle of a trigger."""
    return ConcurrentChange(f"session {session.integration_id!r} was changed by something else in the meantime")


_ALWAYS = {"updated": "now", "update_count": "count", "state": "target"}
"""The fields that every move changes, with what they become."""

_LOOK = """\
    if change is not NO_CHANGE:
        return make_with_changes(session, change, now, context)
"""
# What `Move.passed` and `Move.record` do in steps, in straight code: where nothing else changes, and where something may.
_MAKE = """\
def make(session, change, now, context):
{looking}
    origin = session
    count = session.update_count + 1
{around}
"""
_JUDGE = """\
{judging}
{restoring}
    if failures:
        raise refusal(session, failures)
    returned_items = ()
{making}
{comparing}
    {assigning}
{dropping}
    return made
"""
_MAKE_WITH_CHANGES = """\
def make_with_changes(session, change, now, context):
    origin = session
    values = changed(session, change)
    count = values["update_count"] = session.update_count + 1
    values["updated"] = now
    values["state"] = target
{around}
"""
_JUDGE_WITH_CHANGES = """\
{judging}
{restoring}
    if failures:
        raise refusal(session, failures)
    returned_items = {returned}
{making}
{comparing}
    values["_pending_events"] = session._pending_events + (made,)
    assign(session, values)
{dropping}
    return made
"""
_JUDGE_HEAD = "def judge(session, origin, change, now, values, context):"
_COMPARE = """\
    if session.update_count != count - 1:
        raise concurrent(session)"""
# The same where there are rules that the library does not know to be pure.
_RESTORE = """\
    if held_by(session) != held:
        failures = judged_apart(session, session, change, now, context, held)"""
_GUARD = """\
    held = held_by(session)
    before = begin(session, held)
    try:
        if session.state is not source or session.update_count != count - 1:
            raise concurrent(session)
{body}
    finally:
        end(session, before)"""


class Move:
    """What a trigger does from one state."""

    __slots__ = (
        *("_cached", "_changed", "_fields", "_guarded", "_passed"),
        *("event_name", "judge", "make", "rules", "source", "target", "trigger"),
    )

    judge: Callable[[Any, Any, Any, datetime, dict[str, Any], Context], Failures | None]
    """Judges the rules by the session (None at creation), the entity whose fields change, the trigger's argument, the
    time, the fields that would change with their new values, and the context. Returns what the rules that did not pass
    came to, or None."""
    make: Callable[[Any, Any, datetime, Context], SessionEvent]
    """Moves a session, given the trigger's argument, the time and the context, wholly or not at all, and returns the
    event. Raises `RuleViolated` where a rule forbids it, or failed."""

    def __init__(
        self,
        trigger: Trigger,
        source: State | None,
        into: State,
        rules: Iterable[Rule],
        row: Row | None,
        *,
        fields_seen: Collection[str] = (),
        cached: tuple[str, ...] = (),
    ) -> None:
        """Make the move by *trigger* out of *source* *into* a state; without a *row* it is one that cannot be.

        *fields_seen* are the names of the fields that rules may ask for, *cached* those of what sessions cache.
        """
        self.trigger, self.source = trigger, source
        self.target: Any = row.target if row else None
        self.event_name: Any = row.event_name if row else None
        self.rules = tuple(rule for rule in rules if rule.guards(trigger, into))
        self._changed = _CHANGED.get(trigger)
        self._passed = checks_of(self.rules, {})
        self._fields, self._cached = fields_seen, cached
        self._guarded = any(all(rule is not known for known in BUILT_IN) for rule in self.rules)

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
        lines, known = judging(self.rules, self.trigger, self._fields)
        return compiled("judge", [_JUDGE_HEAD, *lines, "    return failures"], known)

    def _generated_make(self) -> Any:
        known: dict[str, Any] = {"event_name": self.event_name, "source": self.source, "target": self.target}
        known |= {"NO_CHANGE": NO_CHANGE, "refusal": self.refusal, "changed": self._changed, "assign": assign}
        known |= {"concurrent": _concurrent, "held_by": held_by, "begin": begin, "end": end}
        known |= {"judged_apart": self._judged_apart, "drop_cached": drop_cached, "cached": self._cached}
        known["returned_between"] = returned_between
        parts = {a.name: a.name for a in fields(SessionEvent)}
        parts |= {"name": "event_name", "session_id": "session.integration_id", "at": "now", "update_count": "count"}
        make, needed_to_make = making(SessionEvent, parts)
        pending = {"_pending_events": "session._pending_events + (made,)"}
        assign_all, needed_to_assign = assigning("session", _ALWAYS | pending)
        known |= needed_to_make | needed_to_assign
        shared = {
            "restoring": _RESTORE if self._guarded else "",
            "comparing": "" if self._guarded else _COMPARE,
            "making": "\n".join(make),
            "dropping": "    drop_cached(session, cached)" if self._cached else "",
        }
        if self._changed:
            lines, needed_to_judge = judging(self.rules, self.trigger, self._fields)
            returning = self.trigger is Trigger.RETURN_ITEMS
            body = _JUDGE_WITH_CHANGES.format(
                judging="\n".join(lines),
                returned='returned_between(session.cart_items, values["cart_items"])' if returning else "()",
                **shared,
            )
            text = _MAKE_WITH_CHANGES.format(around=self._around(body))
            known["make_with_changes"] = compiled("make_with_changes", [text], known | needed_to_judge)
        lines, needed_to_judge = judging(self.rules, self.trigger, self._fields, _ALWAYS)
        body = _JUDGE.format(judging="\n".join(lines), assigning=assign_all, **shared)
        text = _MAKE.format(looking=_LOOK if self._changed else "", around=self._around(body))
        return compiled("make", [text], known | needed_to_judge)

    def _around(self, body: str) -> str:
        """Return the lines of *body* within those that note that the session is being judged, if there is need."""
        return _GUARD.format(body=indent(body, "    ")) if self._guarded else body

    def commit(self, session: Any, values: dict[str, Any]) -> None:
        """Set the fields of *session* that change, and drop what it has cached.

        Raises:
            ConcurrentChange: something has moved the session since *values* were computed.
        """
        if session.update_count != values["update_count"] - 1:
            raise _concurrent(session)
        assign(session, values)
        drop_cached(session, self._cached)

    def values(self, session: Any, change: Any, now: datetime) -> dict[str, Any]:
        """Return the fields of *session* that would change, with their new values; it is not touched."""
        values = {} if self._changed is None or change is NO_CHANGE else self._changed(session, change)
        values["updated"] = now
        values["update_count"] = session.update_count + 1
        values["state"] = self.target
        return values

    def record(
        self,
        session: Any,
        change: Any,
        now: datetime,
        values: dict[str, Any],
        context: Context,
        cart: tuple[CartItem, ...] | None = None,
    ) -> SessionEvent:
        """Make the event of a move that the rules allow, and let it be pending among *values*.

        *cart* is what the cart was before, where the session has the new one already.
        """
        returned_items: tuple[ReturnedCartItem, ...] = ()
        if self.trigger is Trigger.RETURN_ITEMS:
            before = session.cart_items if cart is None else cart
            returned_items = returned_between(before, values.get("cart_items", session.cart_items))
        event = _make_event(
            self.event_name,
            session.integration_id,
            self.trigger,
            self.source,
            self.target,
            now,
            values["update_count"],
            change,
            returned_items,
            context,
        )
        values["_pending_events"] = (*session._pending_events, event)  # noqa: SLF001 - the machine's own field
        return event

    def judged(
        self, session: Any, origin: Any, change: Any, now: datetime, values: dict[str, Any], context: Context
    ) -> Failures | None:
        """Return what `judge` does, and let nothing change *origin* meanwhile.

        Raises:
            ConcurrentChange: see `_judged_apart`.
        """
        if not self._guarded:
            return self.judge(session, origin, change, now, values, context)
        with under_judgement(origin) as guarding:
            held = held_by(origin)
            failures = self.judge(session, origin, change, now, values, context)
            if guarding and held_by(origin) != held:
                failures = self._judged_apart(session, origin, change, now, context, held)
        return failures

    def _judged_apart(
        self, session: Any, origin: Any, change: Any, now: datetime, context: Context, held: Any
    ) -> Failures:
        """Undo what a rule has assigned to the fields of *origin*, which *held* something else, and find out which did.

        Each rule is judged again, alone. One that assigns has failed, whatever it answers.

        Raises:
            ConcurrentChange: none does it again.
        """
        put_back(origin, held)
        values = {} if session is None else self.values(session, change, now)
        failures: Failures = {}
        culprits = False
        for one in self.rules:
            lines, known = judging([one], self.trigger, self._fields)
            judge = compiled("judge", [_JUDGE_HEAD, *lines, "    return failures"], known)
            failures |= judge(session, origin, change, now, values, context) or {}
            if held_by(origin) != held:
                put_back(origin, held)
                culprits = True
                failures[one.code] = ConcurrentChange("the rule assigned to a field of the session that it judges")
        if not culprits:
            raise _concurrent(origin)
        return failures

    def passed(self, session: Any, change: Any, now: datetime, context: Context) -> dict[str, Any]:
        """Return what `values` does.

        Raises:
            RuleViolated: a rule forbids it, or failed.
        """
        values = self.values(session, change, now)
        failures = self.judged(session, session, change, now, values, context)
        if failures:
            raise self.refusal(session, failures)
        return values

    def decide(self, session: Any, change: Any, now: datetime, context: Context) -> Decision[Any]:
        """Say what would come of it."""
        values = self.values(session, change, now)
        failures = self.judged(session, session, change, now, values, context)
        if failures:
            return self._decision(session, failures)
        pending = partial(self._pending, change, now, context, session.cart_items)
        return self._decision(session, None, Snapshot(session, values, pending))

    def _pending(
        self, change: Any, now: datetime, context: Context, cart: tuple[CartItem, ...], after: Any
    ) -> dict[str, Any]:
        values = {"update_count": after.update_count}
        self.record(after, change, now, values, context, cart)
        return values

    def _decision(self, session: Any, failures: Failures | None, after: Any = None) -> Decision[Any]:
        checks = checks_of(self.rules, failures) if failures else self._passed
        violations = tuple([violation for check in checks for violation in check.violations]) if failures else ()
        judged = (self.trigger, self.source, self.target, self.event_name, checks, violations, after)
        return decision(*judged, session.integration_id, (), False)  # noqa: FBT003 - the last field

    def refusal(self, session: Any, failures: Failures) -> TransitionRefused:
        """Return the error that refuses to move *session*."""
        return self._decision(session, failures).refusal()
