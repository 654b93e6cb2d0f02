"""The errors of this library, violations, and the error envelope of the API.

::

    SessionFSMError
    +-- TransitionRefused            the session may not do that now
    |   +-- WrongState               no transition leads there from its state
    |   +-- RuleViolated             a transition does, but rules forbid it
    +-- ConcurrentChange             something else changed the session in the middle of a trigger
    +-- InvalidValue (ValueError)    a value breaks its own type, length or range
    +-- WireError (ValueError)       a JSON document cannot be read

Codes and JSON pointers are stable; messages are for people and may change.
Every error pickles with its fields, and none holds the session.

`to_error_response` writes an error in the envelope in which Talon.One reports errors, `http_status` gives the status
of the HTTP answer, and `from_error_response` reads an envelope.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import field, frozen

from session_fsm.states import State, Trigger

if TYPE_CHECKING:
    from session_fsm.decisions import Decision

__all__ = [
    "RULE_FAILED",
    "ConcurrentChange",
    "ErrorEntry",
    "ErrorResponse",
    "InvalidValue",
    "Problem",
    "RuleViolated",
    "SessionFSMError",
    "TransitionRefused",
    "Violation",
    "WireError",
    "WrongState",
    "counted",
    "from_error_response",
    "http_status",
    "joined",
    "pointer_token",
    "shortened",
    "to_error_response",
]

RULE_FAILED = "rule_failed"
"""The code of the violation of a rule that raised an exception."""
_UNTITLED = "Invalid value"
_MOST_PRINTED = 20
"""The number of problems or violations that are printed; the error's fields hold all."""
_MOST_ENTRIES = 100
"""The largest number of entries in an envelope."""
_LONGEST = 500
"""The largest number of characters of one text that is printed or put into an envelope."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return *number* and *noun*, in the plural if the number is not 1: ``1 unit``, ``2 units``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def joined(texts: Iterable[str], separator: str = "; ") -> str:
    """Return the first texts, each shortened, and how many more there are."""
    held = list(texts)
    shown = [shortened(text) for text in held[:_MOST_PRINTED]]
    more = len(held) - len(shown)
    return separator.join([*shown, f"and {more} more"] if more else shown)


def shortened(text: str, longest: int = _LONGEST) -> str:
    """Return *text*, or its beginning and three dots if it is long."""
    return text if len(text) <= longest else f"{text[:longest]}..."


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
    """A JSON pointer to the fault in the trigger's argument, or None."""

    def __str__(self) -> str:
        place = f" (at {self.pointer})" if self.pointer else ""
        return f"{self.code}: {self.message}{place}"


def _printable(text: str) -> str:
    """Escape lone surrogates, so that every problem can be printed and logged."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


@frozen
class Problem:
    """One fault of a value or a document."""

    pointer: str = field(converter=_printable)
    """A JSON pointer to the fault; ``""`` is the whole."""
    text: str = field(converter=_printable)
    """The fault in words."""
    title: str = field(default=_UNTITLED, eq=False)
    """What kind of problem it is, in the words of the API's envelope."""

    def __str__(self) -> str:
        return f"{self.pointer}: {self.text}" if self.pointer else self.text

    def under(self, prefix: str) -> Problem:
        """Return the same problem with *prefix* in front of its pointer."""
        return Problem(prefix + self.pointer, self.text, self.title)


class SessionFSMError(Exception):
    """The base of every error of this library."""

    _status: ClassVar[int] = 500
    """The HTTP status of the error; see `http_status`."""


class TransitionRefused(SessionFSMError):
    """The trigger is refused, and the session is unchanged."""

    _status = 400

    def __init__(self, decision: Decision[Any], session_id: str) -> None:
        super().__init__(decision, session_id)
        self.decision = decision
        """The decision: every rule with its outcome."""
        self.session_id = session_id
        """The integration ID of the session."""

    @property
    def state(self) -> State | None:
        """The state of the session; None if it was to be created."""
        return self.decision.source

    @property
    def trigger(self) -> Trigger:
        """The trigger."""
        return self.decision.trigger

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Every reason."""
        return self.decision.violations

    def __str__(self) -> str:
        return f"session {self.session_id!r}: {self.decision}"


class WrongState(TransitionRefused):
    """The table has no such transition from the session's state."""

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
        """The triggers that the table allows from the session's state. Rules may still refuse them."""
        self.already = already
        """Whether the session already is where the caller wanted it (D-06)."""

    def __str__(self) -> str:
        if self.already:
            return f"{super().__str__()}; the session is {self.state} already"
        if self.state is None:
            return super().__str__()
        if not self.allowed:
            return f"{super().__str__()}; from {self.state} the table allows nothing"
        return (
            f"{super().__str__()}; from {self.state} the table allows {', '.join(self.allowed)}, if no rule forbids it"
        )


class RuleViolated(TransitionRefused):
    """The table has the transition, but one or more rules forbid it; see `violations`.

    Where a rule raised an exception instead of answering, the violation has the code ``rule_failed`` and says nothing
    of the exception. The exception is the ``__cause__`` of this error, and `Check.error` of the rule's check.
    """


class ConcurrentChange(SessionFSMError):
    """Something else changed the session, or tried to, during a trigger.

    That is a rule or a callback that changes its own session (D-14), or another thread (D-13). The trigger that raises
    this has changed nothing.
    """

    _status = 409


class InvalidValue(SessionFSMError, ValueError):
    """A value breaks its own type, length or range; nothing was changed."""

    _status = 400

    def __init__(self, pointer: str, problem: str, others: Iterable[Problem] = (), title: str = _UNTITLED) -> None:
        first, others = Problem(pointer, problem, title), tuple(others)
        super().__init__(first.pointer, first.text, others, *([] if title == _UNTITLED else [title]))
        self.pointer = first.pointer
        """A JSON pointer into the value."""
        self.problem = first.text
        """The fault in words."""
        self.problems = (first, *others)
        """This problem and all others that were found with it."""

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> InvalidValue:
        """Make one error of one or more *problems*."""
        first, *others = problems
        return cls(first.pointer, first.text, others, first.title)

    def __str__(self) -> str:
        return joined(map(str, self.problems))


class WireError(SessionFSMError, ValueError):
    """A JSON document cannot be read."""

    _status = 400

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        """All of them, each with its `Problem.pointer` and `Problem.text`."""
        super().__init__(self.problems)

    def __str__(self) -> str:
        return joined(map(str, self.problems))


# --- The envelope of the API -----------------------------------------------------------------------------------------

# Two faults have a title of Talon.One's; the title of every other one is its code.
_TITLES = {"attribute_not_declared": "Unknown", "attribute_wrong_type": "Invalid type"}
_ALREADY = "already_in_state"
_GENERAL = {500: "Internal Server Error", 503: "Service Unavailable"}
"""The messages of faults of the service, by their status."""
_TOO_MANY_REQUESTS = "Too many requests are updating this session at the same time"


def http_status(error: SessionFSMError) -> int:
    """Return the HTTP status for *error*.

    400 for what the caller asked or sent, 404 and 409 for a session that is not stored or that changed meanwhile, 503
    for a database that cannot be reached, and 500 if the service is at fault, such as for a rule that raised.
    """
    if isinstance(error, RuleViolated) and any(violation.code == RULE_FAILED for violation in error.violations):
        return 500
    return error._status  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # a class attribute of this tree


def to_error_response(error: SessionFSMError) -> dict[str, Any]:
    """Return *error* as Talon.One's error envelope, for an answer with its `http_status`.

    Returns ``{"message": ..., "errors": [{"title": ..., "details": ..., "source": {"pointer": ...}}]}``, at most 100
    entries and one that says how many more there are; ``source`` is empty where there is no place (W-18). The title is
    the code of the violation, but for the titles that Talon.One publishes (``Unknown``, ``Invalid type``, ``enum``),
    ``already_in_state`` where the session is already where the caller wanted it, and ``Invalid value`` for a value or
    document that cannot be read. A pointer begins at the session, or the return, that the request holds.

    With status 409 there are no entries but a ``StatusCode`` (W-18), and a `ConcurrentChange` has the text of W-20. From
    status 500 on the message is a general one, because the text of the error may name a file or a server.
    """
    if http_status(error) == 409:
        message = _TOO_MANY_REQUESTS if isinstance(error, ConcurrentChange) else shortened(str(error))
        return {"message": message, "StatusCode": 409}
    faults = _faults(error)
    entries = [_entry(*fault) for fault in faults[:_MOST_ENTRIES]]
    if more := len(faults) - len(entries):
        entries.append(_entry("more", f"{counted(more, 'further problem')} not listed", None))
    return {"message": _message(error), "errors": entries}


def _message(error: SessionFSMError) -> str:
    match error:
        case WrongState():
            return joined((violation.message for violation in error.violations), " ")
        case TransitionRefused() if http_status(error) == 500:
            return "A rule could not be judged"
        case TransitionRefused() | InvalidValue() | WireError():
            return "The submitted data was invalid"
        case _:
            return _GENERAL.get(http_status(error)) or shortened(str(error))


def _faults(error: SessionFSMError) -> Sequence[tuple[str, str, str | None]]:
    """Return the title, the details and the pointer of every fault of *error*."""
    match error:
        case WrongState(already=True):
            return [(_ALREADY, v.message, v.pointer) for v in error.violations]
        case TransitionRefused():
            return [(_TITLES.get(v.code, v.code), v.message, v.pointer) for v in error.violations]
        case InvalidValue() | WireError():
            return [(problem.title, _details(problem), problem.pointer) for problem in error.problems]
        case _:
            return ()


def _entry(title: str, details: str, pointer: str | None) -> dict[str, Any]:
    # A message of a rule may be long. A shortened pointer would point elsewhere.
    source = {"pointer": pointer} if pointer and len(pointer) <= _LONGEST else {}
    return {"title": title, "details": shortened(str(details)), "source": source}


def _details(problem: Problem) -> str:
    """Return the fault in words, with the name of the member where the API's text has it (W-19)."""
    name = problem.pointer.rpartition("/")[2]
    return f"{name} {problem.text}" if problem.title == "enum" else problem.text


@frozen(kw_only=True)
class ErrorEntry:
    """One entry of an envelope."""

    title: str = ""
    """The kind of fault; the code, if this library wrote the envelope."""
    details: str = ""
    """The fault in words."""
    pointer: str | None = None
    """A JSON pointer into the request, or None."""


@frozen(kw_only=True)
class ErrorResponse:
    """An envelope that was read."""

    message: str = ""
    """The message of the whole envelope."""
    errors: tuple[ErrorEntry, ...] = ()
    """Each fault."""
    status_code: int | None = None
    """The HTTP status in the envelope; Talon.One writes it for 401 and 409."""

    @property
    def already(self) -> bool:
        """Whether the session already was in the wanted state, if `to_error_response` wrote the envelope."""
        return any(entry.title == _ALREADY for entry in self.errors)


def from_error_response(response: Mapping[str, Any]) -> ErrorResponse:
    """Read an error envelope, of Talon.One or of `to_error_response`, that is parsed already.

    Members that are missing, or of another type than the API gives them, are left out.

    Raises:
        InvalidValue: *response* is not a mapping.
    """
    if not isinstance(response, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  # an answer may hold anything
        raise InvalidValue("", "an envelope of errors is an object; give the parsed JSON, not its text")
    entries: list[Any] = _member(response, "errors", list) or []
    return ErrorResponse(
        message=_member(response, "message", str) or "",
        errors=tuple(map(_read_entry, filter(_is_object, entries))),
        status_code=_member(response, "StatusCode", int),
    )


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping)


def _read_entry(entry: Mapping[str, Any]) -> ErrorEntry:
    source: Any = entry.get("source")
    return ErrorEntry(
        title=_member(entry, "title", str) or "",
        details=_member(entry, "details", str) or "",
        pointer=_member(source, "pointer", str) if _is_object(source) else None,
    )


def _member(mapping: Mapping[str, Any], name: str, kind: type) -> Any:
    value = mapping.get(name)
    return value if isinstance(value, kind) and not isinstance(value, bool) else None
