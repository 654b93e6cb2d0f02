"""Play recorded requests: `Recording.play` applies one to the session that it names.

``session-fsm replay``, ``session-fsm demo`` and `session_fsm.backtest` call it with the requests that
`session_fsm.recorded_lines` reads.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Never

from attrs import NOTHING, define, evolve, field, frozen

from session_fsm.decisions import Decision
from session_fsm.errors import (
    InvalidValue,
    Problem,
    RuleViolated,
    TransitionRefused,
    Violation,
    WireError,
    WrongState,
)
from session_fsm.events import SessionEvent
from session_fsm.generated import maker
from session_fsm.lifecycle import WANTED
from session_fsm.recorded_lines import Request, Snapshot, lines_of, read_line, read_request
from session_fsm.session import CustomerSession
from session_fsm.states import Operation, State, Trigger
from session_fsm.values import UNSET, SessionUpdate
from session_fsm.wire import ReturnRequest, structure

__all__ = ["Recording", "Request", "Result", "Snapshot", "lines_of", "read_line", "read_request", "trigger_of"]


@frozen(kw_only=True, weakref_slot=False)
class Result:
    """The result of a request."""

    request: Request
    trigger: Trigger
    """The trigger that the request fires."""
    source: State | None
    """The state before; None if there was no session."""
    state: State | None
    """The state after the request, or the one a dry run would lead to; None if there is no session."""
    total: Decimal | None
    """The total in the same state."""
    event: SessionEvent | None = None
    """The recorded event; None for a dry run or a refused request."""
    violations: tuple[Violation, ...] = ()
    """Why the request was refused; empty if it was not."""
    already: bool = False
    """Whether it was refused because the session is already in the wanted state."""
    decision: Decision[Any] | None = None
    """The decision of a refusal; None if the request was not refused, or if the class raised another error."""


_make_result = maker(Result)


@define
class Recording:
    """The sessions of a recording. Requests are not stored."""

    kind: type[CustomerSession]
    sessions: dict[str, CustomerSession] = field(factory=dict[str, CustomerSession])
    """Every session that was created, by its integration ID."""

    def restore(self, snapshot: Snapshot, *, strict: bool = False) -> None:
        """Start the session of *snapshot*, or replace it: its next request finds it as the snapshot has it.

        Raises:
            WireError: the document is no session of the recording's class, or a session with another integration ID.
        """
        try:
            session = structure(snapshot.body, self.kind, strict=strict)
        except WireError as error:
            raise WireError(problem.under("/body") for problem in error.problems) from None
        if session.integration_id != snapshot.session_id:
            text = f'"{session.integration_id:.40}" is not the sessionId of the line'
            raise WireError([Problem("/body/integrationId", text)])
        self.sessions[snapshot.session_id] = session

    def play(self, request: Request) -> Result:
        """Apply *request* to its session and return the result, which may be a refusal.

        Raises:
            WireError: a value of the request is invalid.
        """
        session = self.sessions.get(request.session_id)
        trigger = trigger_of(request, session)
        source = None if session is None else session.state
        event: SessionEvent | None = None
        violations: tuple[Violation, ...] = ()
        already = False
        decision: Decision[Any] | None = None
        try:
            session, event = self._apply(session, trigger, request)
        except TransitionRefused as refusal:
            decision = refusal.decision
            violations, already = _reasons(decision), isinstance(refusal, WrongState) and refusal.already
        except InvalidValue as error:
            raise WireError(problem.under("/body") for problem in error.problems) from None
        except Exception as error:  # noqa: BLE001  # a user's class may raise anything; the replay continues
            violations = (self._failure(session, error),)
        state, total = (None, None) if session is None else (session.state, session.total)
        return _make_result(request, trigger, source, state, total, event, violations, already, decision)

    def _apply(
        self, session: CustomerSession | None, trigger: Trigger, request: Request
    ) -> tuple[CustomerSession | None, SessionEvent | None]:
        """Return the session after the request and its event; for a dry run, a copy of the session and None."""
        body: Any = request.body
        if session is None:
            if trigger is not Trigger.CREATE:
                return self._without_session(trigger, request)
            created = self.kind.create(request.session_id, body, now=request.time)
            if request.dry:
                return created, None
            self.sessions[request.session_id] = created
            return created, created.take_events()[-1]
        if request.dry:
            return _dry_run(session, trigger, request), None
        match request.operation:
            case Operation.UPDATE:
                event = session.put(body, now=request.time)
            case Operation.RETURN:
                event = session.return_items(body, now=request.time)
            case _:
                event = session.reopen(now=request.time)
        session.take_events()
        return session, event

    def _failure(self, session: CustomerSession | None, error: Exception) -> Violation:
        """Return the violation for an error that the class raised and that is not a refusal."""
        own_fields = self.kind.machine.own_fields.by_name.values()
        required = [field.alias for field in own_fields if field.attribute.default is NOTHING]
        if session is None and required and isinstance(error, TypeError):
            names = ", ".join(required)
            message = f"A new {self.kind.__name__} needs {names}, and a recording does not hold fields of your own."
            return Violation(code="own_fields_missing", message=message)
        return Violation(code="failed", message=f"{type(error).__name__}: {error}")

    def _without_session(self, trigger: Trigger, request: Request) -> Never:
        message = f'There is no session "{request.session_id}"; an update creates one.'
        violation = Violation(code="unknown_session", message=message)
        decision: Decision[CustomerSession] = Decision(
            trigger=trigger, source=None, target=None, event_name=None, violations=(violation,)
        )
        raise WrongState(decision, request.session_id, self.kind.machine.allowed_from(None))


def _reasons(decision: Decision[Any]) -> tuple[Violation, ...]:
    """Return the violations of *decision*; for a rule that raised, with the type of the error but not its text."""
    if not decision.checks:
        return decision.violations
    return tuple(
        evolve(violation, message=f"{violation.message} It raised {type(check.error).__name__}.")
        if check.error is not None
        else violation
        for check in decision.checks
        for violation in check.violations
    )


def trigger_of(request: Request, session: CustomerSession | None) -> Trigger:
    """Return the trigger that the request fires, chosen as `CustomerSession.put` does."""
    match request.body:
        case SessionUpdate(state=state):
            if session is None:
                return Trigger.CREATE
            return Trigger.UPDATE if state is UNSET else WANTED.get(state, Trigger.UPDATE)
        case ReturnRequest():
            return Trigger.RETURN_ITEMS
        case _:
            return Trigger.REOPEN


def _dry_run(session: CustomerSession, trigger: Trigger, request: Request) -> CustomerSession | None:
    """Return the session as it would be after the request, evaluated as Talon.One evaluates a dry run (U-11)."""
    body = request.body
    if isinstance(body, SessionUpdate) and body.state is not UNSET and body.state not in WANTED:
        raise session.machine.wrong_state(trigger, session, body)
    argument: Any = None if trigger is Trigger.CANCEL else body
    decision = session.evaluate(trigger, argument, now=request.time, payload_only=True)
    if decision.target is None:
        raise session.machine.wrong_state(trigger, session, body)
    if not decision:
        raise RuleViolated(decision, request.session_id)
    return decision.after
