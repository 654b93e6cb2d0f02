"""The decision that judging a transition results in, with one check for each rule.

A `Decision` is the answer of the dry run, the content of a refusal, the record for an audit, and the source of a
diagram's overlay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeAlias, TypeVar

from attrs import field, frozen

from session_fsm import errors
from session_fsm.entities import Snapshot
from session_fsm.errors import RULE_FAILED, InvalidValue, RuleViolated, Violation, WrongState, joined, shortened
from session_fsm.generated import maker
from session_fsm.guards import Rule
from session_fsm.states import EventName, State, Trigger

if TYPE_CHECKING:
    from session_fsm.errors import TransitionRefused

__all__ = ["Check", "Decision", "Failures", "Outcome", "OutcomeLike", "checks_of", "decision"]

S = TypeVar("S")


class Outcome(StrEnum):
    """The result of judging a rule."""

    PASSED = "passed"
    """The rule allows the transition."""
    VIOLATED = "violated"
    """The rule forbids the transition."""
    ERRORED = "errored"
    """The rule raised an exception or gave no valid answer; the transition is refused."""


OutcomeLike: TypeAlias = Outcome | Literal["passed", "violated", "errored"]
"""An outcome, as a member or as the word."""


@frozen(kw_only=True, weakref_slot=False)
class Check:
    """The result of judging one rule."""

    rule: Rule
    """The rule that was judged."""
    outcome: Outcome
    """The result."""
    violations: tuple[Violation, ...] = ()
    """The violations that the rule found; empty where it passed."""
    error: Exception | None = field(default=None, eq=False, repr=False)
    """The exception that the rule raised, for developers. It is not pickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle_check, (self.rule, self.outcome, self.violations)

    @property
    def violation(self) -> Violation | None:
        """The first violation, or None where the rule passed."""
        return self.violations[0] if self.violations else None

    @property
    def raised(self) -> str:
        """The name and the text of `error`, for developers and logs alone; empty where there is none."""
        return "" if self.error is None else shortened(f"{type(self.error).__name__}: {self.error}")


def _unpickle_check(rule: Rule, outcome: Outcome, violations: tuple[Violation, ...]) -> Check:
    return Check(rule=rule, outcome=outcome, violations=violations)


@frozen(kw_only=True, weakref_slot=False)
class Decision(Generic[S]):
    """Whether a trigger is allowed now, and every reason why not. True when it is allowed."""

    trigger: Trigger
    """The trigger that was judged."""
    source: State | None
    """The state that the session is in; None where it is being created."""
    target: State | None
    """The state that it would be in; None where the table has no such transition."""
    event_name: EventName | None
    """The event that would be recorded; None where the table has no such transition."""
    checks: tuple[Check, ...] = ()
    """Every rule that guards the transition, with its outcome."""
    violations: tuple[Violation, ...] = ()
    """Every reason for a refusal; empty when allowed."""
    _after: Snapshot[S] | S | None = field(default=None, repr=False, alias="after")
    session_id: str = ""
    """The integration ID of the session."""
    allowed_triggers: tuple[Trigger, ...] = field(default=(), repr=False)
    """Where the table has no such transition: the triggers that the table allows from the session's state."""
    already: bool = field(default=False, repr=False)
    """Where the table has no such transition: whether the session is already where the caller wanted it."""

    @property
    def after(self) -> S | None:
        """A copy of the session as it would be, its event pending; None when refused."""
        held: Any = self._after
        after: S | None = held.entity if held.__class__ is Snapshot else held
        return after

    @property
    def allowed(self) -> bool:
        """Whether the trigger is allowed."""
        return not self.violations

    def __bool__(self) -> bool:
        return self.allowed

    def raise_if_refused(self) -> Self:
        """Return the decision if it allows the trigger; otherwise raise what the verb would raise.

        Raises:
            WrongState: the table has no such transition from the session's state.
            RuleViolated: a rule forbids it, or failed.
        """
        if self.violations:
            raise self.refusal()
        return self

    def refusal(self) -> TransitionRefused:
        """Return the error of this refusal. Its cause is what the first failed rule raised.

        Raises:
            InvalidValue: the decision allows the trigger.
        """
        if not self.violations:
            raise InvalidValue("", f"{self.trigger} is allowed, so there is no refusal")
        if not self.checks:  # the table refuses it, not a rule
            return WrongState(self, self.session_id, self.allowed_triggers, self.already)
        refusal = RuleViolated(self, self.session_id)
        refusal.__cause__ = next((check.error for check in self.checks if check.error is not None), None)
        return refusal

    def __str__(self) -> str:
        if self.allowed:
            source = f"{self.source} -> " if self.source else ""
            return f"{self.trigger} is allowed: {source}{self.target} ({self.event_name})."
        reasons = joined((f"{violation.message} [{violation.code}]" for violation in self.violations), " ")
        return f"{self.trigger} is refused: {reasons}"


decision: Callable[..., Decision[Any]] = maker(Decision)
"""Makes a `Decision` of the values of all its fields, in order, without converters and validators."""

Failures: TypeAlias = "dict[str, tuple[Violation, ...] | Exception]"
"""The violations of the rules that did not pass, or the exceptions that they raised, by the codes of the rules."""


def checks_of(rules: Iterable[Rule], failures: Failures) -> tuple[Check, ...]:
    """Return a check for each of *rules*."""
    return tuple([_check(one, failures.get(one.code, ())) for one in rules])


def _check(one: Rule, result: tuple[Violation, ...] | Exception) -> Check:
    if isinstance(result, Exception):
        # The exception may contain what no client should read, such as a database URL with a password.
        message = f"The rule {one.code} could not be judged."
        violation = Violation(code=RULE_FAILED, message=message, details={"rule": one.code})
        return _make_check(one, Outcome.ERRORED, (violation,), result)
    return _make_check(one, _VIOLATED if result else _PASSED, result, None)


_make_check = maker(Check)
_PASSED, _VIOLATED = Outcome.PASSED, Outcome.VIOLATED

# `typing.get_type_hints` of the errors, which are defined before `Decision`, looks it up in their module.
setattr(errors, "Decision", Decision)  # noqa: B010 - type checkers see an import there
