"""Given-when-then tests of a session: `given` a session, `when` a verb is called, `then` fields, or `refused`.

>>> from session_fsm import CartItem, CustomerSession
>>> cart = CustomerSession.create("order-1", cart_items=[CartItem(sku="A", quantity=2, price="19.99")])
>>> order = given(cart).when("close", coupon_codes=["XMAS"]).then(state="closed", total="39.98", coupon_codes=["XMAS"])
>>> refused = order.when("close").refused(code="wrong_state", already=True).unchanged()
>>> cart.state  # the given session is never changed
<State.OPEN: 'open'>

A scenario is immutable: each `when` returns a new one, so that several can continue from the same. A failure raises an
`AssertionError` that shows every rule with its inputs and its outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from copy import deepcopy
from typing import Any, Literal, Never
from warnings import warn

from attrs import evolve, field, fields, frozen

from session_fsm.decisions import Decision
from session_fsm.entities import contents
from session_fsm.errors import InvalidValue, Problem, TransitionRefused, Violation, WireError, WrongState
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.signatures import takes
from session_fsm.states import EventNameLike, State, StateLike, Trigger, TriggerLike
from session_fsm.testing.failure_report import Taken, failure_report, short_code
from session_fsm.testing.steps import Story
from session_fsm.validators import is_list, kind_of
from session_fsm.values import UNSET, CartItem, Unset

__all__ = ["Scenario", "given"]

_VERBS = (*Trigger, "put")
_SESSION_ID = "order-1"


def given(
    start: CustomerSession | type[CustomerSession] | Story | Iterable[SessionEvent],
    *,
    kind: type[CustomerSession] = CustomerSession,
    own: Mapping[str, Any] | None = None,
) -> Scenario:
    """Start a scenario.

    Args:
        start: a session, which is copied; a session class, for ``when("create", ...)``; a `Story`, which is played;
            or all events of a session, which are replayed and must record the same events again.
        kind: the class of the session for a story or events.
        own: what a creation gives to the fields that the class adds.

    Raises:
        InvalidValue: *start* is none of these.
        AssertionError: a step of the story, or an event, is refused.
    """
    __tracebackhide__ = True
    match start:
        case CustomerSession():
            return Scenario(type(start), deepcopy(start), own or {})
        case type() if issubclass(start, CustomerSession):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
            return Scenario(start, None, own or {})
        case Story():
            scenario = Scenario(kind, None, dict(start.own) | dict(own or {}))
            for step, now in start.timed():
                scenario = scenario.when(step.trigger, *_positional(step.argument), now=now)
            return scenario.then()
        case _ if is_list(start) and start and all(isinstance(event, SessionEvent) for event in start):
            return _replayed(Scenario(kind, None, own or {}), start)
        case _:
            raise InvalidValue("", f"{kind_of(start)} is no session, session class, story or list of events")


def _positional(argument: Any) -> tuple[Any, ...]:
    return () if argument is None else (argument,)


def _replayed(scenario: Scenario, events: Iterable[SessionEvent]) -> Scenario:
    __tracebackhide__ = True
    for place, event in enumerate(events):
        identifier = (event.session_id,) if event.trigger is Trigger.CREATE else ()
        given = {"context": event.context} if event.context else {}
        scenario = scenario.when(event.trigger, *identifier, *_positional(event.change), now=event.at, **given).then()
        if scenario.event != event:
            raise AssertionError(f"event {place} led to another when it was replayed\n  {event}\n  {scenario.event}")
    return scenario


def _expected(
    *,
    state: StateLike | Unset = UNSET,
    event: EventNameLike | SessionEvent | Unset = UNSET,
    **fields: Any,
) -> None: ...  # the signature of `Scenario.then`, of which editors show the docstring


@frozen
class Scenario:
    """A session in a test, and the result of its last verb."""

    kind: type[CustomerSession]
    _session: CustomerSession | None
    _own: Mapping[str, Any] = field(factory=dict[str, Any])
    _taken: Taken | None = None
    _looked_at: list[bool] = field(factory=list[bool], init=False, eq=False, repr=False)
    """Not empty after the first look at the result of the verb."""

    def __del__(self) -> None:
        """Warn about a verb whose result nobody looked at: a test without an assertion passes whatever happens."""
        taken = getattr(self, "_taken", None)
        if taken is not None and not self._looked_at:
            text = f"nothing was asserted after {taken.verb}; end the scenario with .then() or .refused()"
            warn(text, UserWarning, stacklevel=2)

    @property
    def session(self) -> CustomerSession | None:
        """A copy of the session that belongs to the scenario; None before it is created."""
        self._looked_at.append(True)
        return self._session

    @property
    def event(self) -> SessionEvent | None:
        """The event of the last verb; None if none was called or it was refused."""
        self._looked_at.append(True)
        return None if self._taken is None else self._taken.event

    @property
    def error(self) -> TransitionRefused | InvalidValue | WireError | None:
        """The error of the last verb; None if none was called or it was allowed."""
        self._looked_at.append(True)
        return None if self._taken is None else self._taken.error

    @property
    def decision(self) -> Decision[Any] | None:
        """The decision of the refusal; None if there is none."""
        return self.error.decision if isinstance(self.error, TransitionRefused) else None

    def when(self, verb: TriggerLike | Literal["put"], *arguments: Any, **keywords: Any) -> Scenario:
        """Call *verb*, a trigger or ``put``, with its arguments; a creation needs no integration ID.

        Raises:
            InvalidValue: the verb does not exist, or needs a session and there is none.
            AssertionError: the previous verb was refused.
        """
        __tracebackhide__ = True
        self._allowed("so that nothing can come after it")
        if verb not in _VERBS:
            raise InvalidValue("/verb", f"{verb!r} is none of: {', '.join(_VERBS)}")
        creating = verb == Trigger.CREATE
        if creating != (self.session is None):
            problem = "there is a session already" if creating else f"there is no session; {Trigger.CREATE} one first"
            raise InvalidValue("/verb", f"{verb}: {problem}")
        if creating:
            keywords = {**self._own, **keywords}
            arguments = arguments if arguments and isinstance(arguments[0], str) else (_SESSION_ID, *arguments)
        session = deepcopy(self.session)
        call: Callable[..., Any] = getattr(self.kind if session is None else session, verb)
        taken = Taken(verb=str(verb), arguments=arguments, keywords=keywords, kind=self.kind, before=self.session)
        try:
            result = call(*arguments, **keywords)
        except (TransitionRefused, InvalidValue, WireError) as error:
            return Scenario(self.kind, session, self._own, evolve(taken, error=error))
        event = result.pending_events[-1] if creating else result
        return Scenario(self.kind, result if creating else session, self._own, evolve(taken, event=event))

    @takes(_expected)
    def then(self, **expected: Any) -> Scenario:
        """Assert that the verb was allowed, and that fields have the expected values.

        Takes any field of the session by its name, and ``event``, the name of the event that was recorded or the
        whole `SessionEvent`. Values may be given as the fields accept them: ``total="39.98"``, ``state="closed"``.

        Raises:
            AssertionError: it was refused, or a field has another value.
            InvalidValue: a field or the state does not exist.
        """
        __tracebackhide__ = True
        self._allowed("though it should have been allowed")
        known = {a.name: a for a in fields(self.kind) if not a.name.startswith("_")}
        if unknown := [name for name in expected if name not in known and name != "event"]:
            names = ", ".join(["event", *known])
            raise InvalidValue(f"/{unknown[0]}", f"{self.kind.__name__} has no such field; the fields are: {names}")
        if "state" in expected and expected["state"] not in tuple(State):
            raise InvalidValue("/state", f"{expected['state']!r:.80} is no state; the states are: {', '.join(State)}")
        differing: list[tuple[str, Any, Any]] = []
        for name, value in expected.items():
            if name == "event":
                wanted, actual = (
                    value,
                    self.event if isinstance(value, SessionEvent) else getattr(self.event, "name", None),
                )
            else:
                wanted, actual = _converted(known[name], value), getattr(self.session, name, None)
            if wanted != actual:
                differing.append((name, wanted, actual))
        if differing:
            self._fail("fields differ:", _differences(differing))
        return self

    def refused(
        self,
        code: str | None = None,
        *,
        codes: Collection[str] | None = None,
        pointer: str | None = None,
        details: Mapping[str, Any] | None = None,
        already: bool | None = None,
    ) -> Scenario:
        """Assert that the verb was refused by the table, by rules or because of an invalid value.

        Args:
            code: the code of a violation.
            codes: exactly the codes of all violations.
            pointer: the pointer of the violation, or of the problem with a value.
            details: names and values in the details of the violation.
            already: the value of `WrongState.already`.

        Raises:
            AssertionError: it was allowed, or refused differently.
        """
        __tracebackhide__ = True
        if self._taken is None:
            raise InvalidValue("/verb", "nothing was called that could have been refused")
        error = self.error
        if isinstance(codes, str):
            raise InvalidValue("/codes", f'codes is a list of all codes; for one, write code="{codes:.80}"')
        if error is None:
            self._fail("was allowed, though it should have been refused")
        reasons: Iterable[Violation | Problem] = (
            error.violations if isinstance(error, TransitionRefused) else error.problems
        )
        codes_found = sorted({reason.code for reason in reasons if isinstance(reason, Violation)})
        is_already = isinstance(error, WrongState) and error.already
        differing: list[tuple[str, Any, Any]] = []
        if codes is not None and sorted(set(codes)) != codes_found:
            differing.append(("codes", sorted(set(codes)), codes_found))
        if already is not None and is_already is not already:
            differing.append(("already", already, is_already))
        given = {"code": code, "pointer": pointer, "details": details}
        wanted = {name: value for name, value in given.items() if value is not None}
        if not any(_matches(reason, wanted) for reason in reasons):
            differing += [(n, value, [getattr(reason, n, None) for reason in reasons]) for n, value in wanted.items()]
        if differing:
            self._fail("was refused, but not as expected:", _differences(differing))
        return self

    def unchanged(self) -> Scenario:
        """Assert that the last verb changed nothing in the session, including its pending events.

        Raises:
            AssertionError: something changed.
        """
        __tracebackhide__ = True
        if self._taken is None:
            raise InvalidValue("/verb", "nothing was called that could have changed something")
        before, after = ({} if one is None else contents(one) for one in (self._taken.before, self.session))
        names = [name for name in before | after if before.get(name) != after.get(name)]
        if names:
            differing = [(name.lstrip("_"), before.get(name), after.get(name)) for name in names]
            self._fail("changed what should be unchanged:", _differences(differing))
        return self

    def _allowed(self, otherwise: str) -> None:
        __tracebackhide__ = True
        if self.error is not None:
            self._fail(f"was refused, {otherwise}")

    def _fail(self, text: str, more: Iterable[str] = ()) -> Never:
        __tracebackhide__ = True
        if self._taken is None:
            raise AssertionError("\n".join([text, *more]))
        raise AssertionError(
            "\n".join([f"{self._taken.verb}: {text}", *more, *failure_report(self._taken)])
        ) from self.error


def _converted(attribute: Any, value: Any) -> Any:
    """Return *value* as the field stores it; cart items get their positions."""
    converted = value if attribute.converter is None else attribute.converter(value)
    if attribute.name == "cart_items" and is_list(converted):
        return tuple(_with_position(item, position) for position, item in enumerate(converted))
    return converted


def _with_position(item: Any, position: int) -> Any:
    return evolve(item, position=position) if isinstance(item, CartItem) and item.position is None else item


def _matches(reason: Violation | Problem, wanted: Mapping[str, Any]) -> bool:
    """Whether *reason* has all *wanted* values; of details, the named ones."""
    details: Mapping[str, Any] = getattr(reason, "details", {})
    named = wanted.get("details", {})
    return {**details, **named} == details and all(
        getattr(reason, name, None) == value for name, value in wanted.items() if name != "details"
    )


def _differences(differing: Iterable[tuple[str, Any, Any]]) -> Iterable[str]:
    for name, wanted, actual in differing:
        yield f"  {name}"
        yield f"    expected {short_code(wanted)}"
        yield f"    actual   {short_code(actual)}"
