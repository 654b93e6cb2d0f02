"""What rules look at when a step is judged, made without judging it: for reports and for trying one rule alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from inspect import Parameter, Signature
from typing import Any

from attrs import define, fields

from session_fsm.changes import returned, updated
from session_fsm.decisions import SEEN_BY_RULES, Answer, Rule
from session_fsm.entities import copy_with
from session_fsm.json_values import EMPTY
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.steps import Step

__all__ = ["Attempt", "answer_of", "asked", "attempt_of", "of_newborn", "seen"]


@define(eq=False)
class Attempt:
    """A trigger that has been pulled but not yet judged."""

    session: CustomerSession | None
    """The session as it is; None where it is being created."""
    trigger: Trigger
    """What was asked."""
    change: Any
    """The argument of the trigger: a `SessionUpdate`, a tuple of `ReturnedCartItem`, or None."""
    now: datetime
    """When, with a time zone."""
    values: dict[str, Any]
    """The fields that would change, with their new values."""
    origin: CustomerSession
    """The session that the values are to change: the one that exists, or the one that is being created."""
    context: Mapping[str, Any] = EMPTY
    """What the caller gave as ``context=``."""
    _after: CustomerSession | None = None

    @property
    def after(self) -> CustomerSession:
        """The session as it would be; made when it is first asked for."""
        if self._after is None:
            self._after = copy_with(self.origin, self.values)
        return self._after

    def field(self, name: str) -> Any:
        """Return the value that the field *name* of the session would have."""
        values = self.values
        return values[name] if name in values else getattr(self.origin, name)


def attempt_of(
    step: Step,
    session: CustomerSession | None,
    kind: type[CustomerSession],
    now: datetime,
    own: Mapping[str, Any],
    context: Mapping[str, Any] = EMPTY,
) -> Attempt | None:
    """Return what the rules would look at if *session* took *step*; None where the table has no such transition.

    Args:
        step: what is asked.
        session: the session that is asked; None for a creation.
        kind: the class of what a creation makes.
        now: when, with a time zone.
        own: what a creation gives to the fields that *kind* adds.
        context: who asks and why.
    """
    if session is None:
        given = step.argument.given()
        aliases = kind.machine.own_fields.by_name
        own = {**own, **{aliases[name].alias: value for name, value in step.argument.own.items()}}
        newborn = kind(integration_id="order-1", created=now, updated=now, **given, **own)
        return Attempt(None, step.trigger, step.argument, now, {}, newborn, context)
    rows = (row for row in session.machine.table if (row.source, row.trigger) == (session.state, step.trigger))
    if (row := next(rows, None)) is None:
        return None
    values: dict[str, Any] = {}
    if step.trigger in (Trigger.UPDATE, Trigger.CLOSE):
        values = updated(session, step.argument)
    elif step.trigger is Trigger.RETURN_ITEMS:
        values = returned(session, step.argument)
    values |= {"updated": now, "update_count": session.update_count + 1, "state": row.target}
    return Attempt(session, step.trigger, step.argument, now, values, session, context)


def seen(attempt: Attempt, name: str) -> Any:
    """Return what a rule sees that has a parameter called *name*."""
    return getattr(attempt, name) if name in SEEN_BY_RULES else attempt.field(name)


def answer_of(rule: Rule, attempt: Attempt) -> Answer:
    """Ask *rule* alone, as the machine would ask it, and return what it answers."""
    return asked(rule, type(attempt.origin), lambda name: seen(attempt, name))


def asked(rule: Rule, kind: type[CustomerSession], value: Callable[[str], Any]) -> Answer:
    """Call the function of *rule* with the *value* of each thing that it asks for about a session of *kind*."""
    return rule.asked(_names(kind), value)


def _names(kind: type[CustomerSession]) -> set[str]:
    """Return the names of what a rule may ask for about a session of *kind*."""
    return {*SEEN_BY_RULES, *(attribute.name for attribute in fields(kind))}


def of_newborn(rule: Rule, kind: type[CustomerSession]) -> Callable[..., Answer]:
    """Return the function of *rule* for the creation of a session of *kind* as closed, as if it were opened and closed.

    Where the rule asks for ``session``, which there is none, it sees the new one as it would be while still open.
    """
    names = rule.arguments(_names(kind))

    @wraps(rule.function)
    def judge(*, after: CustomerSession, **given: Any) -> Answer:
        known = {**given, "after": after, "trigger": Trigger.CLOSE}
        if "session" in names:
            known["session"] = copy_with(after, {"state": State.OPEN})
        return asked(rule, kind, known.__getitem__)

    wanted = {*names, "after"} - {"session", "trigger"}
    parameters = [Parameter(name, Parameter.KEYWORD_ONLY) for name in sorted(wanted)]
    setattr(judge, "__signature__", Signature(parameters))  # noqa: B010 - functions do not declare it
    return judge
