"""What one transition does to a session: the new values of its fields, the judgement, the event, the refusal.

The trigger (`Transition.run`), the dry run (`Transition.decide`) and the creation take the same steps: they compute the
values that the fields would have, let every rule judge them, and record what came of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from operator import call
from typing import Any, TypeAlias

from attrs import AttrsInstance, fields

from session_fsm.changes import returned, returned_between, updated
from session_fsm.decisions import Decision, Failures, checks_of, decision
from session_fsm.entities import Snapshot, assign, cached_names, drop_cached, setters_of
from session_fsm.errors import ConcurrentChange, TransitionRefused
from session_fsm.events import LONGEST_PENDING, SessionEvent, with_event
from session_fsm.generated import maker
from session_fsm.guards import Rule
from session_fsm.json_values import AttributeValue
from session_fsm.judging import Judge
from session_fsm.lifecycle import Row
from session_fsm.reentrancy import begin, end, held_by, put_back, under_judgement
from session_fsm.rules import BUILT_IN
from session_fsm.states import State, Trigger
from session_fsm.values import NO_CHANGE, CartItem, ReturnedCartItem

__all__ = ["Transition"]

_CHANGED: Mapping[Trigger, Callable[[Any, Any], dict[str, Any]]] = {
    Trigger.UPDATE: updated,
    Trigger.CLOSE: updated,
    Trigger.RETURN_ITEMS: returned,
}
"""What computes the fields that a trigger changes, beyond those that every trigger does."""

_MOVED = ("updated", "update_count", "state", "_pending_events")
"""The fields that every trigger changes, in the order in which `Transition.run` computes them."""

_make_event = maker(SessionEvent)
_call: Any = call  # its type holds of one argument

Context: TypeAlias = "Mapping[str, AttributeValue]"
"""What the caller gave as ``context=``, frozen."""


class Transition:
    """A row of the table with the rules that guard it; or, without a row, a creation that the table does not have."""

    __slots__ = (
        *("_cached", "_changed", "_fields", "_guarded", "_judge", "_passed", "_setters"),
        *("event_name", "rules", "source", "target", "trigger"),
    )

    def __init__(
        self,
        trigger: Trigger,
        source: State | None,
        into: State,
        rules: Iterable[Rule],
        row: Row | None,
        *,
        kind: type[AttrsInstance] | None,
    ) -> None:
        """Prepare the transition by *trigger* out of *source* *into* a state, of sessions of the class *kind*."""
        self.trigger, self.source = trigger, source
        self.target: Any = row.target if row else None
        self.event_name: Any = row.event_name if row else None
        self.rules = tuple(rule for rule in rules if rule.guards(trigger, into))
        self._changed = _CHANGED.get(trigger)
        self._passed = checks_of(self.rules, {})
        self._cached = cached_names(kind)
        self._fields = [attribute.name for attribute in fields(kind)] if kind else []
        self._setters: Any = setters_of(kind, _MOVED) if kind else ()
        self._judge = Judge(self.rules, trigger, self._fields).judge
        # The library knows its own rules to be pure. Others are watched while they judge.
        self._guarded = not kind or any(all(rule is not known for known in BUILT_IN) for rule in self.rules)

    def run(self, session: Any, change: Any, now: datetime, context: Context) -> SessionEvent:
        """Move *session* and return the event. The transition is atomic: if anything raises, the session is unchanged.

        Raises:
            RuleViolated: a rule forbids it, or failed.
            ConcurrentChange: something else has moved the session in the meantime.
        """
        if self._guarded:
            return self._run_guarded(session, change, now, context)
        # What `values`, `record` and `commit` do, without their calls, which would be a fifth of the time of a trigger.
        changed, count, target = self._changed, session.update_count, self.target
        changes = values = None
        if changed is not None and change is not NO_CHANGE:
            changes = changed(session, change)
        if self.rules or changes:
            values = {"updated": now, "update_count": count + 1, "state": target}
            if changes:
                values = {**changes, **values}
            if failures := self._judge(session, session, change, now, values, context):
                raise self.refusal(session, failures)
        event = _make_event(
            self.event_name,
            session.integration_id,
            self.trigger,
            self.source,
            target,
            now,
            count + 1,
            change,
            returned_between(session.cart_items, changes["cart_items"]) if changes and changed is returned else (),
            context,
        )
        pending = session._pending_events  # noqa: SLF001 - as in `record`
        pending = pending + (event,) if len(pending) < LONGEST_PENDING else with_event(pending, event)  # noqa: RUF005 - as there
        if session.update_count != count:
            raise _concurrent(session)
        if changes and values:
            values["_pending_events"] = pending
            assign(session, values)
        else:  # in one loop in C too
            any(map(_call, self._setters, (session,) * len(_MOVED), (now, count + 1, target, pending)))
        if self._cached:
            drop_cached(session, self._cached)
        return event

    def _run_guarded(self, session: Any, change: Any, now: datetime, context: Context) -> SessionEvent:
        """Do what `run` does, and let nothing else move *session* from the first look at it to the last assignment."""
        count = session.update_count
        held = held_by(session)
        before = begin(session, held)
        try:
            if session.state is not self.source or session.update_count != count:
                raise _concurrent(session)
            values = self.values(session, change, now)
            failures = self._judge(session, session, change, now, values, context)
            if held_by(session) != held:
                failures = self._judged_apart(session, session, change, now, context, held)
            if failures:
                raise self.refusal(session, failures)
            event = self.record(session, change, now, values, context)
            self.commit(session, values)
        finally:
            end(session, before)
        return event

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
        """Make the event of a transition that the rules allow, and add it to the pending events among *values*.

        *cart* is what the cart was before, where the session has the new one already.
        """
        returned_items: tuple[ReturnedCartItem, ...] = ()
        if self._changed is returned:
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
        values["_pending_events"] = with_event(session._pending_events, event)  # noqa: SLF001 - the machine's own field
        return event

    def commit(self, session: Any, values: dict[str, Any]) -> None:
        """Set the fields of *session* that change, and drop what it has cached.

        Raises:
            ConcurrentChange: something has moved the session since *values* were computed.
        """
        if session.update_count != values["update_count"] - 1:
            raise _concurrent(session)
        assign(session, values)
        if self._cached:
            drop_cached(session, self._cached)

    def judged(
        self, session: Any, origin: Any, change: Any, now: datetime, values: dict[str, Any], context: Context
    ) -> Failures | None:
        """Return what `Judge.judge` does, and let nothing change *origin* meanwhile.

        Raises:
            ConcurrentChange: see `_judged_apart`.
        """
        if not self._guarded:
            return self._judge(session, origin, change, now, values, context)
        with under_judgement(origin) as guarding:
            held = held_by(origin)
            failures = self._judge(session, origin, change, now, values, context)
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
            judge = Judge([one], self.trigger, self._fields).judge
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


def _concurrent(session: Any) -> ConcurrentChange:
    """Return the error that something else has moved *session* in the middle of a trigger."""
    return ConcurrentChange(f"session {session.integration_id!r} was changed by something else in the meantime")
