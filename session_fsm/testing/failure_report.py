"""The result of one verb, and the report of it in a failing `Scenario`: each rule with its inputs and its outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from attrs import evolve, frozen

from session_fsm.changes import argument_of, as_time
from session_fsm.converters import timestamp
from session_fsm.decisions import Check, Outcome
from session_fsm.errors import InvalidValue, SessionFSMError, TransitionRefused, WireError
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.states import Trigger
from session_fsm.testing.rule_inputs import RuleInputs, input_value, inputs_of
from session_fsm.testing.steps import Step, code_of
from session_fsm.values import FIELDS_OF_UPDATE

__all__ = ["Taken", "failure_report", "short_code"]

_WIDEST = 90
"""The most characters of a value in a report."""


@frozen(kw_only=True)
class Taken:
    """A call of a verb and its result."""

    verb: str
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    kind: type[CustomerSession]
    before: CustomerSession | None
    """The session before the call; None for a creation."""
    event: SessionEvent | None = None
    """The event that the verb recorded."""
    error: TransitionRefused | InvalidValue | WireError | None = None

    @property
    def call(self) -> str:
        """The call as Python."""
        given = [code_of(argument) for argument in self.arguments]
        given += [f"{name}={_code(value)}" for name, value in self.keywords.items()]
        return f"{self.verb}({', '.join(given)})"


def _code(value: Any) -> str:
    return f'"{timestamp(value)}"' if isinstance(value, datetime) else code_of(value)


def short_code(value: Any) -> str:
    """Return *value* as Python, cut to `_WIDEST` characters."""
    text = repr(value) if isinstance(value, CustomerSession) else _code(value)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."


def failure_report(taken: Taken) -> list[str]:
    """Return the lines of the report: the session, the call, the outcome and the rules."""
    lines = ["", f"given    {taken.kind.__name__ if taken.before is None else taken.before}", f"when     {taken.call}"]
    if taken.event is not None:
        event = taken.event
        lines.append(f"outcome  allowed: {event.source or 'new'} -> {event.target} ({event.name})")
        guards = (rule for rule in taken.kind.machine.rules if rule.guards(event.trigger, event.target))
        return lines + list(
            _rule_lines(taken, event.trigger, (Check(rule=rule, outcome=Outcome.PASSED) for rule in guards))
        )
    if isinstance(taken.error, TransitionRefused):
        decision = taken.error.decision
        lines.append(f"outcome  refused: {', '.join(dict.fromkeys(v.code for v in decision.violations))}")
        if not decision.checks:  # the table has no such transition, so no rule was called
            lines += [f"         {violation}" for violation in decision.violations]
        return lines + list(_rule_lines(taken, decision.trigger, decision.checks))
    problems = () if taken.error is None else taken.error.problems
    lines.append(f"outcome  {type(taken.error).__name__}, before any rule was called")
    return lines + [f"         {problem}" for problem in problems]


def _rule_lines(taken: Taken, trigger: Trigger, checks: Iterable[Check]) -> Iterator[str]:
    """Yield the lines about each rule: its outcome, its inputs and its violations."""
    inputs = _inputs(taken, trigger)
    for place, check in enumerate(checks):
        rule = check.rule
        yield f"{'' if place else 'rules':8} {check.outcome:8}  {rule}"
        if inputs is not None:
            yield from (f"{'':19}  {name} = {short_code(input_value(inputs, name))}" for name in rule.parameters)
        for violation in check.violations:
            place_of = f" at {violation.pointer}" if violation.pointer else ""
            details = f" {dict(violation.details)}" if violation.details else ""
            yield f"{'':19}-> {violation.message}{place_of}{details}"
        if check.raised:
            yield f"{'':19}   raised {check.raised}"


def _inputs(taken: Taken, trigger: Trigger) -> RuleInputs | None:
    """Return the inputs of the rules; None if the arguments of an overridden verb cannot be interpreted."""
    given = [argument for argument in taken.arguments if not isinstance(argument, str)]
    keywords = {name: value for name, value in taken.keywords.items() if name in FIELDS_OF_UPDATE}
    own = {name: value for name, value in taken.keywords.items() if name not in (*FIELDS_OF_UPDATE, "now", "context")}
    try:
        if trigger is Trigger.CANCEL:  # by `put`, which then ignores the other fields
            given, keywords = [], {}
        change = next(iter(given), None)
        if trigger is Trigger.CREATE and change is not None and "state" in keywords:
            change, keywords = evolve(change, **keywords), {}
        step = Step(trigger, argument_of(trigger, change, keywords), context=taken.keywords.get("context"))
        return inputs_of(step, taken.before, taken.kind, as_time(taken.keywords.get("now")), own)
    except (SessionFSMError, TypeError):
        return None
