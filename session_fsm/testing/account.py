"""What came of one verb, and the account of it that a failing test shows: every rule, what it saw, what it said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from attrs import evolve, frozen

from session_fsm.changes import argument_of, as_time
from session_fsm.decisions import Check, Outcome
from session_fsm.errors import InvalidValue, SessionFSMError, TransitionRefused, WireError
from session_fsm.events import SessionEvent
from session_fsm.json_values import as_context
from session_fsm.session import CustomerSession
from session_fsm.states import Trigger
from session_fsm.testing.attempts import Attempt, attempt_of, seen
from session_fsm.testing.steps import Step, code_of
from session_fsm.validators import timestamp
from session_fsm.values import FIELDS_OF_UPDATE

__all__ = ["Taken", "account", "shown"]

_WIDEST = 90
"""So many characters of a value are shown."""


@frozen(kw_only=True)
class Taken:
    """A verb that was called, and what came of it."""

    verb: str
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    kind: type[CustomerSession]
    before: CustomerSession | None
    """The session as it was; None where it was to be created."""
    event: SessionEvent | None = None
    """What the verb returned; for a creation, what it recorded."""
    error: TransitionRefused | InvalidValue | WireError | None = None

    @property
    def call(self) -> str:
        """The call as Python."""
        given = [code_of(argument) for argument in self.arguments]
        given += [f"{name}={_code(value)}" for name, value in self.keywords.items()]
        return f"{self.verb}({', '.join(given)})"


def _code(value: Any) -> str:
    return f'"{timestamp(value)}"' if isinstance(value, datetime) else code_of(value)


def shown(value: Any) -> str:
    """Return *value* as Python that fits on a line."""
    text = repr(value) if isinstance(value, CustomerSession) else _code(value)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."


def account(taken: Taken) -> list[str]:
    """Tell what was called and what came of it, a line each."""
    lines = ["", f"given    {taken.kind.__name__ if taken.before is None else taken.before}", f"when     {taken.call}"]
    if taken.event is not None:
        event = taken.event
        lines.append(f"outcome  allowed: {event.source or 'new'} -> {event.target} ({event.name})")
        guards = (rule for rule in taken.kind.machine.rules if rule.guards(event.trigger, event.target))
        return lines + list(
            _judged(taken, event.trigger, (Check(rule=rule, outcome=Outcome.PASSED) for rule in guards))
        )
    if isinstance(taken.error, TransitionRefused):
        decision = taken.error.decision
        lines.append(f"outcome  refused: {', '.join(dict.fromkeys(v.code for v in decision.violations))}")
        if not decision.checks:  # the table has no such transition, so that no rule was asked
            lines += [f"         {violation}" for violation in decision.violations]
        return lines + list(_judged(taken, decision.trigger, decision.checks))
    problems = () if taken.error is None else taken.error.problems
    lines.append(f"outcome  {type(taken.error).__name__}, before any rule was asked")
    return lines + [f"         {problem}" for problem in problems]


def _judged(taken: Taken, trigger: Trigger, checks: Iterable[Check]) -> Iterator[str]:
    """Tell how each rule was judged, on what, and why."""
    attempt = _attempt(taken, trigger)
    for place, check in enumerate(checks):
        rule = check.rule
        yield f"{'' if place else 'rules':8} {check.outcome:8}  {rule}"
        if attempt is not None:
            yield from (f"{'':19}  {name} = {shown(seen(attempt, name))}" for name in rule.parameters)
        for violation in check.violations:
            place_of = f" at {violation.pointer}" if violation.pointer else ""
            details = f" {dict(violation.details)}" if violation.details else ""
            yield f"{'':19}-> {violation.message}{place_of}{details}"
        if check.raised:
            yield f"{'':19}   raised {check.raised}"


def _attempt(taken: Taken, trigger: Trigger) -> Attempt | None:
    """Return what the rules saw; None where a verb of the class's own takes what cannot be told apart here."""
    given = [argument for argument in taken.arguments if not isinstance(argument, str)]
    keywords = {name: value for name, value in taken.keywords.items() if name in FIELDS_OF_UPDATE}
    own = {name: value for name, value in taken.keywords.items() if name not in (*FIELDS_OF_UPDATE, "now", "context")}
    try:
        if trigger is Trigger.CANCEL:  # by `put`, whatever else the request holds is not applied
            given, keywords = [], {}
        change = next(iter(given), None)
        if trigger is Trigger.CREATE and change is not None and "state" in keywords:
            change, keywords = evolve(change, **keywords), {}
        step = Step(trigger, argument_of(trigger, change, keywords))
        now, asked_by = as_time(taken.keywords.get("now")), as_context(taken.keywords.get("context"))
        return attempt_of(step, taken.before, taken.kind, now, own, asked_by)
    except (SessionFSMError, TypeError):
        return None
