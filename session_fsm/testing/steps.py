"""`Step` and `Story`: one call of a trigger, and the sequence of calls that make up the history of a session.

The searches, strategies and reports of the kit use them. A story is played with the real verbs and rules; it can be
written as Python to paste into a test, or as the JSON Lines of ``docs/replay-format.md`` for ``session-fsm replay``.

>>> from session_fsm import CustomerSession
>>> story = Story.of(Step("create"), Step("close"), Step("reopen"))
>>> story.play(CustomerSession).state
<State.OPEN: 'open'>
>>> print(story.code())
session = CustomerSession.create("order-1")
session.close()
session.reopen()
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias

from attrs import Attribute, evolve, field, fields, frozen, has

from session_fsm.changes import argument_of
from session_fsm.converters import timestamp, to_member
from session_fsm.decisions import Check, Decision, Outcome
from session_fsm.errors import InvalidValue, SessionFSMError, TransitionRefused
from session_fsm.events import SessionEvent
from session_fsm.json_values import EMPTY, as_context
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.validators import is_list, is_object
from session_fsm.values import SessionUpdate
from session_fsm.wire import ReturnRequest, dumps

__all__ = ["BEGINNING", "Contexts", "Step", "Story", "code_of", "contexts_of"]

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
"""The default time of the first step of a story; each further step is a minute later."""
_MINUTE = timedelta(minutes=1)
_SESSION_ID = "order-1"

Contexts: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
"""The ``context=`` of calls: a mapping, or several to choose from."""


def contexts_of(context: Contexts) -> tuple[Mapping[str, Any], ...]:
    """Return the contexts to call verbs with: those that are given, then the empty one.

    Raises:
        InvalidValue: one is not a mapping from names to JSON values.
    """
    given: Sequence[Any] = context if is_list(context) else (context,)
    return tuple(dict.fromkeys(map(as_context, (*given, None))))


def _to_trigger(value: object) -> Trigger:
    trigger = to_member(Trigger, value)
    if not isinstance(trigger, Trigger):
        raise InvalidValue("/trigger", f"{value!r} is none of: {', '.join(Trigger)}")
    return trigger


@frozen
class Step:
    """A trigger and its argument."""

    trigger: Trigger = field(converter=_to_trigger)
    argument: Any = None
    """The argument of the trigger: a `SessionUpdate` for create, update and close (None is one without changes), a list
    of `ReturnedCartItem` for a return, None for the others. The state of a creation is that of its update."""
    at: datetime | None = field(default=None, kw_only=True)
    """The time, with a time zone; None means a minute after the step before."""
    context: Mapping[str, Any] = field(default=EMPTY, converter=as_context, kw_only=True)
    """The ``context=`` of the call."""

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "argument", argument_of(self.trigger, self.argument))

    def _repr_pretty_(self, printer: Any, _: bool) -> None:  # noqa: FBT001 - the signature is that of IPython
        printer.text(code_of(self))

    @property
    def _context(self) -> dict[str, Any]:
        """The argument ``context`` of the verb; without one if it is empty, because an overridden verb may lack it."""
        return {"context": self.context} if self.context else {}

    def take(
        self, session: CustomerSession | None, kind: type[CustomerSession], now: datetime, **own: Any
    ) -> tuple[CustomerSession, SessionEvent]:
        """Fire the trigger, and return the session and the recorded event.

        Args:
            session: the session; None for a creation.
            kind: the class to create.
            now: when, with a time zone.
            own: what a creation gives to the fields that *kind* adds.

        Raises:
            TransitionRefused: the table or a rule forbids it.
            InvalidValue: the class does not accept *own*, or there is no session.
        """
        if self.trigger is Trigger.CREATE:
            try:
                created = kind.create(_SESSION_ID, self.argument, now=now, **self._context, **own)
            except SessionFSMError:
                raise
            except Exception as error:  # a field that the class adds may raise anything
                raise InvalidValue("/own", f"{kind.__name__} cannot be created: {error}") from error
            return created, created.pending_events[-1]
        if session is None:
            raise InvalidValue("/trigger", f"{self.trigger} needs a session; a story begins with create")
        given = () if self.argument is None else (self.argument,)
        return session, getattr(session, self.trigger)(*given, now=now, **self._context)

    def judge(
        self, session: CustomerSession | None, kind: type[CustomerSession], now: datetime, **own: Any
    ) -> Decision[Any]:
        """Return the decision on the step without changing the session. Takes what `take` takes."""
        if self.trigger is not Trigger.CREATE and session is not None:
            return session.evaluate(self.trigger, self.argument, now=now, **self._context)
        try:
            created, event = self.take(None, kind, now, **own)
        except TransitionRefused as refusal:
            return refusal.decision
        guards = (rule for rule in kind.machine.rules if rule.guards(self.trigger, created.state))
        return Decision(
            trigger=self.trigger,
            source=None,
            target=created.state,
            event_name=event.name,
            checks=tuple(Check(rule=rule, outcome=Outcome.PASSED) for rule in guards),
            after=created,
        )

    def code(
        self, kind: str = "CustomerSession", own: Mapping[str, Any] | None = None, now: datetime | None = None
    ) -> str:
        """Return the step as a line of Python for a variable ``session``, at the time *now* if given."""
        arguments: list[str] = []
        if isinstance(self.argument, SessionUpdate):
            arguments = [f"{name}={code_of(value)}" for name, value in self.argument.given().items()]
        elif self.argument is not None:
            arguments = [code_of(list(self.argument))]
        last = [] if now is None else [f"now={code_of(now)}"]
        last += [f"context={code_of(context)}" for context in self._context.values()]
        if self.trigger is not Trigger.CREATE:
            return f"session.{self.trigger}({', '.join(arguments + last)})"
        arguments = [
            f'"{_SESSION_ID}"',
            *arguments,
            *(f"{name}={code_of(value)}" for name, value in (own or {}).items()),
            *last,
        ]
        return f"session = {kind}.create({', '.join(arguments)})"

    def line(self, now: datetime) -> str:
        """Return the step as a line in the format of ``docs/replay-format.md``, which has no context."""
        members: dict[str, Any] = {"operation": "update", "sessionId": _SESSION_ID}
        match self.trigger:
            case Trigger.RETURN_ITEMS:
                members["operation"] = "return"
                body: Any = ReturnRequest(returned_cart_items=self.argument)
            case Trigger.REOPEN:
                members["operation"], body = "reopen", None
            case Trigger.CLOSE:
                body = evolve(self.argument, state=State.CLOSED)
            case Trigger.CANCEL:
                body = SessionUpdate(state=State.CANCELLED)
            case _:
                body = self.argument
        text = json.dumps(members, ensure_ascii=False)[:-1]
        if body is not None:
            text += f', "body": {dumps(body).decode()}'
        return f'{text}, "time": "{timestamp(now)}"}}'


@frozen
class Story:
    """The steps of one session, starting with its creation."""

    steps: tuple[Step, ...]
    own: Mapping[str, Any] = field(factory=dict[str, Any], kw_only=True)
    """What the creation gives to the fields that a subclass adds."""

    def _repr_pretty_(self, printer: Any, _: bool) -> None:  # noqa: FBT001 - the signature is that of IPython
        printer.text(code_of(self))

    @classmethod
    def of(cls, *steps: Step, own: Mapping[str, Any] | None = None) -> Story:
        """Return the story of these steps."""
        return cls(steps, own=own or {})

    def then(self, *steps: Step) -> Story:
        """Return the story continued by *steps*."""
        return evolve(self, steps=(*self.steps, *steps))

    def play(self, kind: type[CustomerSession]) -> CustomerSession:
        """Return a new session of *kind* after the steps of this story. Its events are pending.

        Raises:
            TransitionRefused: a step is refused.
            InvalidValue: the story does not begin with a creation.
        """
        session = None
        for step, now in self.timed():
            session, _ = step.take(session, kind, now, **self.own)
        if session is None:
            raise InvalidValue("/steps", "a story has one step at least")
        return session

    def timed(self) -> Iterator[tuple[Step, datetime]]:
        """Yield every step with its time."""
        following = BEGINNING
        for step in self.steps:
            now = step.at or following
            yield step, now
            following = now + _MINUTE

    @property
    def end(self) -> datetime:
        """The default time of a further step."""
        times = [now for _, now in self.timed()]
        return times[-1] + _MINUTE if times else BEGINNING

    def code(self, kind: str = "CustomerSession", *, times: bool | None = None) -> str:
        """Return the story as Python to paste into a test.

        Args:
            kind: the name of the class.
            times: whether to give the time of each step; None means only if a step has a time.
        """
        if times is None:
            times = any(step.at for step in self.steps)
        return "\n".join(step.code(kind, self.own, now if times else None) for step, now in self.timed())

    def json_lines(self) -> str:
        """Return the story in the format of ``docs/replay-format.md``, one line for each step."""
        return "".join(f"{step.line(now)}\n" for step, now in self.timed())


def code_of(value: Any) -> str:
    """Return short Python that creates *value*, without arguments that equal their defaults."""
    kind = value.__class__
    match value:
        case bool() | None:
            return repr(value)
        case str() if isinstance(value, Enum):
            return json.dumps(str(value))
        case str():
            return json.dumps(value, ensure_ascii=False) if value.isprintable() else repr(value)
        case Decimal():
            return f'Decimal("{value}")'
        case datetime() if value.tzinfo is UTC:
            return repr(value).removeprefix("datetime.").replace("datetime.timezone.utc", "UTC")
        case _ if has(kind):
            return f"{kind.__name__}({', '.join(_arguments(value, kind))})"
        case _ if is_object(value):
            return f"{{{', '.join(f'{code_of(name)}: {code_of(member)}' for name, member in value.items())}}}"
        case _ if is_list(value):
            codes = {key: code_of(element) for key, element in {id(element): element for element in value}.items()}
            return _list([codes[id(element)] for element in value])
        case _:
            return repr(value)


def _list(elements: list[str]) -> str:
    """Return the code of a list; equal elements are written as a product."""
    if len(elements) > 3 and len(set(elements)) == 1:
        return f"[{elements[0]}] * {len(elements)}"
    return f"[{', '.join(elements)}]"


def _arguments(value: Any, kind: type[Any]) -> Iterable[str]:
    if isinstance(value, SessionUpdate):
        given: Mapping[str, Any] = value.given()
        return [f"{name}={code_of(member)}" for name, member in given.items()]
    attributes: tuple[Attribute[Any], ...] = fields(kind)
    shown = [a for a in attributes if getattr(value, a.name) != a.default and not a.metadata.get("read_only")]
    return [f"{a.name}=" * a.kw_only + _field(getattr(value, a.name)) for a in shown]


def _field(value: Any) -> str:
    """Return the code of a field's value; an amount is written as text."""
    return f'"{value}"' if isinstance(value, Decimal) else code_of(value)
