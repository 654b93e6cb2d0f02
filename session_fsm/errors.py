"""Everything this library raises, and the facts that its refusals carry.

::

    SessionFSMError
    +-- TransitionRefused            the session may not do that now
    |   +-- WrongState               no transition leads there from its state
    |   +-- RuleViolated             a transition does, but rules forbid it
    +-- InvalidValue (ValueError)    a value breaks its own type, length or range
    +-- WireError (ValueError)       a JSON document cannot be read
    +-- ConcurrentChange             somebody else moved the session at the same time

Codes and JSON pointers are stable; messages are for people and may change.
Every error pickles with its fields, and none holds the session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from session_fsm.decisions import Decision
    from session_fsm.states import State, Trigger

__all__ = [
    "ConcurrentChange",
    "InvalidValue",
    "Problem",
    "RuleViolated",
    "SessionFSMError",
    "TransitionRefused",
    "Violation",
    "WireError",
    "WrongState",
    "http_status",
    "pointer_token",
    "to_error_response",
]


def pointer_token(name: str) -> str:
    """Return *name* as one step of a JSON pointer, its slash included (RFC 6901)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


@frozen(kw_only=True, weakref_slot=False)
class Violation:
    """One reason why a transition is refused.

    A rule that builds one may leave `code` out: it is always the rule's own.
    """

    code: str = ""
    """The stable name of the fault, such as ``returns_more_than_remaining``."""
    message: str
    """One sentence for people, with the values in it."""
    details: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)
    """The values by name, such as ``{"position": 3, "requested": 4, "remaining": 1}``."""
    pointer: str | None = None
    """Where in the trigger's argument the fault lies, as a JSON pointer, or None where there is no place."""

    def __str__(self) -> str:
        place = f" (at {self.pointer})" if self.pointer else ""
        return f"{self.code}: {self.message}{place}"


def _printable(text: str) -> str:
    """Escape what cannot be written as UTF-8, so that every problem can be printed and logged."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


@frozen
class Problem:
    """One thing wrong with a value or a document."""

    pointer: str = field(converter=_printable)
    """Where, as a JSON pointer; ``""`` is the whole."""
    text: str = field(converter=_printable)
    """What, in words."""

    def __str__(self) -> str:
        return f"{self.pointer}: {self.text}" if self.pointer else self.text

    def under(self, prefix: str) -> Problem:
        """Return the same problem, seen from a value that holds this one at *prefix*."""
        return Problem(prefix + self.pointer, self.text)


class SessionFSMError(Exception):
    """The base of every error of this library."""


class TransitionRefused(SessionFSMError):
    """The session may not do what was asked of it, and is exactly as it was before."""

    def __init__(self, decision: Decision[Any], session_id: str) -> None:
        super().__init__(decision, session_id)
        self.decision = decision
        """The judgement in full: every rule with its outcome."""
        self.session_id = session_id
        """The integration ID of the session."""

    @property
    def state(self) -> State | None:
        """The state in which the session was and still is; None where it was to be created."""
        return self.decision.source

    @property
    def trigger(self) -> Trigger:
        """What was asked of the session."""
        return self.decision.trigger

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Every reason, not the first alone."""
        return self.decision.violations

    def __str__(self) -> str:
        return f"session {self.session_id!r}: {self.decision}"


class WrongState(TransitionRefused):
    """No transition of the table leads from the session's state where the trigger wants it."""

    def __init__(
        self,
        decision: Decision[Any],
        session_id: str,
        allowed: tuple[Trigger, ...] = (),
        already: bool = False,  # noqa: FBT001, FBT002 - unpickling passes arguments by position
    ) -> None:
        super().__init__(decision, session_id)
        self.args = (decision, session_id, allowed, already)
        self.allowed = allowed
        """The triggers that the table opens from the session's state."""
        self.already = already
        """Whether the session already is where the caller wanted it (D-06)."""

    def __str__(self) -> str:
        if self.already:
            return f"{super().__str__()} It already is {self.state}."
        if self.state is None:
            return super().__str__()
        triggers = ", ".join(self.allowed) or "nothing"
        return f"{super().__str__()} From {self.state} the table allows: {triggers}."


class RuleViolated(TransitionRefused):
    """The table has the transition, but one or more rules forbid it; see `violations`."""


class InvalidValue(SessionFSMError, ValueError):
    """A value breaks its own type, length or range, and never became part of a session."""

    def __init__(self, pointer: str, problem: str, others: Iterable[Problem] = ()) -> None:
        first, others = Problem(pointer, problem), tuple(others)
        super().__init__(first.pointer, first.text, others)
        self.pointer = first.pointer
        """Where, as a JSON pointer into the value that was being built."""
        self.problem = first.text
        """What is wrong, in words."""
        self.problems = (first, *others)
        """This problem and all further ones that were found with it."""

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> InvalidValue:
        """Make one error of one or more *problems*."""
        first, *others = problems
        return cls(first.pointer, first.text, others)

    def __str__(self) -> str:
        return "; ".join(map(str, self.problems))


class WireError(SessionFSMError, ValueError):
    """A JSON document cannot be read as what it was meant to be."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        """All of them, each with its `Problem.pointer` and `Problem.text`."""
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "; ".join(map(str, self.problems))


class ConcurrentChange(SessionFSMError):
    """Somebody else moved the session while it was being judged or moved: a rule, a callback or another thread.

    What was asked did not take place. Whoever asked may ask again.
    """


def http_status(error: SessionFSMError) -> int:
    """Return the HTTP status with which a service answers *error*.

    400 where the request is at fault, 409 for a `ConcurrentChange`, and 500 where the service is: a rule failed, or
    the error is none of the named ones.
    """
    match error:
        case ConcurrentChange():
            return 409
        case TransitionRefused():
            return 500 if any(check.outcome == "errored" for check in error.decision.checks) else 400
        case InvalidValue() | WireError():
            return 400
        case _:
            return 500


# What Talon.One answers to a parallel write, to the letter (W-20).
_CONCURRENT = "Too many requests are updating this session at the same time"

# Two faults have a title of Talon.One's own; every other one is titled with its code.
_TITLES = {"attribute_not_declared": "Unknown", "attribute_wrong_type": "Invalid type"}


def _entry(title: str, details: str, pointer: str | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"title": title, "details": details}
    if pointer is not None:
        entry["source"] = {"pointer": pointer}
    return entry


def to_error_response(error: SessionFSMError) -> dict[str, Any]:
    """Write *error* in the envelope in which Talon.One reports errors, ready for an HTTP 400 answer.

    Returns ``{"message": ..., "errors": [{"title": ..., "details": ..., "source": {"pointer": ...}}]}``;
    ``source`` is there where a place is known. The title is the code of the violation, but for the
    two titles that Talon.One publishes (``Unknown`` and ``Invalid type``), and ``Invalid value`` for a
    value or document that cannot be read.
    """
    message = "The submitted data was invalid"
    match error:
        case ConcurrentChange():
            return {"message": _CONCURRENT, "StatusCode": http_status(error)}
        case WrongState():
            message = " ".join(violation.message for violation in error.violations)
            errors = [_entry(v.code, v.message, v.pointer) for v in error.violations]
        case TransitionRefused():
            errors = [_entry(_TITLES.get(v.code, v.code), v.message, v.pointer) for v in error.violations]
        case InvalidValue() | WireError():
            errors = [_entry("Invalid value", problem.text, problem.pointer) for problem in error.problems]
        case _:
            message, errors = str(error), []
    return {"message": message, "errors": errors}
