"""The arguments that rules receive for a step, without judging it; used by failure reports and to call one rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from inspect import Parameter, Signature
from typing import Any

from attrs import define, fields

from session_fsm.changes import returned, updated
from session_fsm.entities import copy_with
from session_fsm.guards import SEEN_BY_RULES, Answer, Rule
from session_fsm.json_values import EMPTY
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.steps import Step

__all__ = ["RuleInputs", "as_creation_rule", "call_rule", "input_value", "inputs_of"]


@define(eq=False)
class RuleInputs:
    """A trigger and everything that rules can see of it."""

    session: CustomerSession | None
    """The session before the step; None for a creation."""
    trigger: Trigger
    """The trigger of the step."""
    change: Any
    """The argument of the trigger: a `SessionUpdate`, a tuple of `ReturnedCartItem`, or None."""
    now: datetime
    """When, with a time zone."""
    values: dict[str, Any]
    """The fields that would change, with their new values."""
    origin: CustomerSession
    """The session that the values would change: the existing one, or the one being created."""
    context: Mapping[str, Any] = EMPTY
    """The ``context=`` of the call."""
    _after: CustomerSession | None = None

    @property
    def after(self) -> CustomerSession:
        """The session after the step; created on first access."""
        if self._after is None:
            self._after = copy_with(self.origin, self.values)
        return self._after

    def field(self, name: str) -> Any:
        """Return the value of the field *name* after the step."""
        values = self.values
        return values[name] if name in values else getattr(self.origin, name)


def inputs_of(
    step: Step,
    session: CustomerSession | None,
    kind: type[CustomerSession],
    now: datetime,
    own: Mapping[str, Any],
) -> RuleInputs | None:
    """Return the inputs of the rules for *step* of *session*; None if the table has no such transition.

    Args:
        step: the step.
        session: the session; None for a creation.
        kind: the class to create.
        now: when, with a time zone.
        own: what a creation gives to the fields that *kind* adds.
    """
    if session is None:
        given = step.argument.given()
        aliases = kind.machine.own_fields.by_name
        own = {**own, **{aliases[name].alias: value for name, value in step.argument.own.items()}}
        created = kind(integration_id="order-1", created=now, updated=now, **given, **own)
        return RuleInputs(None, step.trigger, step.argument, now, {}, created, step.context)
    rows = (row for row in session.machine.table if (row.source, row.trigger) == (session.state, step.trigger))
    if (row := next(rows, None)) is None:
        return None
    values: dict[str, Any] = {}
    if step.trigger in (Trigger.UPDATE, Trigger.CLOSE):
        values = updated(session, step.argument)
    elif step.trigger is Trigger.RETURN_ITEMS:
        values = returned(session, step.argument)
    values |= {"updated": now, "update_count": session.update_count + 1, "state": row.target}
    return RuleInputs(session, step.trigger, step.argument, now, values, session, step.context)


def input_value(inputs: RuleInputs, name: str) -> Any:
    """Return the value of a rule's parameter *name*."""
    return getattr(inputs, name) if name in SEEN_BY_RULES else inputs.field(name)


def call_rule(rule: Rule, inputs: RuleInputs) -> Answer:
    """Call *rule* as the machine does, and return its answer."""
    return rule.asked(_names(type(inputs.origin)), lambda name: input_value(inputs, name))


def _names(kind: type[CustomerSession]) -> set[str]:
    """Return the parameter names that a rule of *kind* may have."""
    return {*SEEN_BY_RULES, *(attribute.name for attribute in fields(kind))}


def as_creation_rule(rule: Rule, kind: type[CustomerSession]) -> Callable[..., Answer]:
    """Return a function that applies *rule*, a rule for closing, to the creation of a closed session of *kind*.

    A rule with the parameter ``session``, which is None for a creation, gets the new session in the state open.
    """
    names = rule.arguments(_names(kind))

    @wraps(rule.function)
    def judge(*, after: CustomerSession, **given: Any) -> Answer:
        values = {**given, "after": after, "trigger": Trigger.CLOSE}
        if "session" in names:
            values["session"] = copy_with(after, {"state": State.OPEN})
        return rule.asked(_names(kind), values.__getitem__)

    wanted = {*names, "after"} - {"session", "trigger"}
    parameters = [Parameter(name, Parameter.KEYWORD_ONLY) for name in sorted(wanted)]
    # Rules get their arguments by the names in their signature.
    setattr(judge, "__signature__", Signature(parameters))  # noqa: B010 - functions do not declare it
    return judge
