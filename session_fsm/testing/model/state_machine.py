"""A Hypothesis state machine that compares a session class with an independent reference model.

A service tests its own class in two lines, which pytest collects:

>>> from session_fsm import CustomerSession, SessionUpdate
>>> from session_fsm.testing import SessionMachine
>>> class ShopSession(CustomerSession):
...     pass
>>> class TestShopSession(SessionMachine):
...     kind = ShopSession

Optional: ``own`` (values of added fields at creation), ``context`` (of the calls), ``changes`` (a strategy of updates, for rules with special
requirements), ``settings`` (of Hypothesis), and rules and invariants, as in any state machine of Hypothesis:

>>> from hypothesis import strategies as st
>>> from hypothesis.stateful import invariant, rule
>>> class TestCoupons(TestShopSession):
...     @rule(code=st.sampled_from(["XMAS", "NEW"]))
...     def redeem(self, code: str) -> None:
...         self.pull("update", SessionUpdate(coupon_codes=[code]))
...
...     @invariant()
...     def every_update_is_counted(self) -> None:
...         assert self.session.update_count >= 1

For ``python -m unittest`` and Django's ``manage.py test``, add the base class `unittest.TestCase`:
``class TestShopSession(SessionMachine, unittest.TestCase)``. ``ShopMachine.TestCase`` is such a class too.

Rules call verbs only by `SessionMachine.pull` and `SessionMachine.put`, so that the reference follows.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from copy import copy, deepcopy
from datetime import datetime, timedelta
from pickle import dumps as pickled
from pickle import loads as unpickled
from typing import Any, ClassVar
from unittest import TestCase

from attrs import evolve
from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from session_fsm import wire
from session_fsm.entities import contents
from session_fsm.errors import ConcurrentChange, TransitionRefused, WrongState
from session_fsm.events import SessionEvent
from session_fsm.lifecycle import WANTED
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger, TriggerLike
from session_fsm.testing.model.checks import check_codes, check_no_differences, check_unchanged, reasons_of
from session_fsm.testing.model.drawn_steps import (
    CHANGES,
    CREATION,
    WANTED_STATE,
    accepted_steps,
    any_step,
    anything_remains,
    depending_on_machine,
    several,
)
from session_fsm.testing.model.reference import Reference, Verdict
from session_fsm.testing.steps import BEGINNING, Contexts, Step, code_of, contexts_of
from session_fsm.testing.strategies.invalid import Planted, invalid_operations, invalid_returns
from session_fsm.testing.strategies.values import returns
from session_fsm.testing.test_classes import AsTestCase, check, relaxed_settings
from session_fsm.values import NO_CHANGE, UNSET, SessionUpdate

__all__ = ["SessionMachine"]


_COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy,
    "deepcopy": deepcopy,
    "pickle": lambda one: unpickled(pickled(one)),  # noqa: S301 - unpickles its own data
}
_WANTED = {trigger: state for state, trigger in WANTED.items()}
"""The wanted state of a request for each trigger."""


class SessionMachine:
    """The test of a session class: subclass it and set `kind`.

    The subclass is an ordinary test class with one test, which runs the state machine that `machine` returns.
    """

    kind: ClassVar[type[CustomerSession]] = CustomerSession
    """The class under test. A subclass must name one, even if it is `CustomerSession`."""
    own: ClassVar[Mapping[str, Any]] = {}
    """What a creation gives to the fields that the class adds."""
    context: ClassVar[Contexts] = None
    """The ``context=`` of the calls, for rules that read it, or a list of several; verbs are called without one too."""
    changes: ClassVar[st.SearchStrategy[SessionUpdate] | None] = None
    """Draws the changes of creations, updates and closings; None for any changes."""
    settings: ClassVar[settings] = relaxed_settings(stateful_step_count=20)
    """The Hypothesis settings: those of the loaded profile, by default with 20 steps for each run."""
    TestCase: ClassVar[Any] = AsTestCase()
    """The class as a `unittest.TestCase`."""

    session: CustomerSession
    """The session under test."""
    reference: Reference
    """The reference model of the session."""

    @classmethod
    def machine(cls) -> type[RuleBasedStateMachine]:
        """Return the class as a state machine of Hypothesis."""
        names: dict[str, Any] = {"__module__": cls.__module__, "__doc__": cls.__doc__}
        if issubclass(cls, TestCase):
            names["__init__"] = _init_both
        return type(cls.__name__, (cls, RuleBasedStateMachine), names)

    def test_it_lives_as_the_reference_does(self) -> None:
        """Run the state machine: call verbs on sessions of the class, and compare each result with the reference."""
        __tracebackhide__ = True
        chosen = any("kind" in vars(base) for base in type(self).__mro__ if base is not SessionMachine)
        check(chosen, f"{type(self).__name__} needs kind = YourSession")
        run_state_machine_as_test(self.machine(), settings=self.settings)

    def _now(self) -> datetime:
        """Return the time of the next step, a minute after the last."""
        self._minute += 1
        return BEGINNING + timedelta(minutes=self._minute)

    # --- Rules --------------------------------------------------------------------------------------------

    @initialize(step=CREATION)
    def create(self, step: Step) -> None:
        """Create the session by a creation that the class accepts."""
        self._minute = 0
        self._originals: list[tuple[CustomerSession, dict[str, Any]]] = []
        self._begin(step)

    @precondition(lambda self: self.context)
    @rule(context=depending_on_machine(lambda machine: st.sampled_from(contexts_of(machine.context))))
    def call_with_context(self, context: Mapping[str, Any]) -> None:
        """Call the following verbs with another context, or without one."""
        self._context = context

    @property
    def _keywords(self) -> dict[str, Any]:
        """The argument ``context`` of the next call; none without a context, because an overridden verb may lack it."""
        return {"context": self._context} if self._context else {}

    def _begin(self, step: Step) -> None:
        self._context = step.context
        self.session, event = step.take(None, self.kind, BEGINNING, **self.own)
        self.reference = Reference.create("order-1", step.argument, BEGINNING, self.own)
        check(self.session.pending_events == [event], "a creation records one event")

    @rule(change=CHANGES, state=WANTED_STATE)
    def create_another(self, change: SessionUpdate, state: State | None) -> None:
        """Create another session, and compare it or its refusal with the reference."""
        change = evolve(change, state=UNSET if state is None else state)
        verdict = Reference.judge_creation(change)
        try:
            other = self.kind.create("order-1", change, now=BEGINNING, **self._keywords, **self.own)
        except TransitionRefused as refusal:
            self._check_refusal(verdict, refusal)
        else:
            check(verdict.allowed, f"the creation must be refused: {verdict}")
            check_no_differences(Reference.create("order-1", change, BEGINNING, self.own).differences(other))

    @rule(step=depending_on_machine(lambda machine: any_step(machine.session)))
    def fire_any_trigger(self, step: Step) -> None:
        """Fire any trigger with any argument, allowed or not."""
        self.pull(step.trigger, step.argument)

    @rule(change=CHANGES, state=WANTED_STATE)
    def put_any_state(self, change: SessionUpdate, state: State | None) -> None:
        """Call `put` with any wanted state, or none."""
        self.put(evolve(change, state=UNSET if state is None else state))

    @precondition(lambda self: self.session.state != State.CANCELLED)
    @rule(
        steps=depending_on_machine(lambda machine: accepted_steps(machine.session, machine.changes, machine.context)),
        put=st.booleans(),
    )
    def take_allowed_steps(self, steps: list[Step], *, put: bool) -> None:
        """Take steps that the class accepts, so that sessions reach every state also under strict rules.

        With *put*, `put` takes those that it can.
        """
        for step in steps:
            self._context = step.context
            if put and step.trigger in _WANTED:
                event = self.put(evolve(step.argument or NO_CHANGE, state=_WANTED[step.trigger]))
            else:
                event = self.pull(step.trigger, step.argument)
            check(event is not None, f"{step} was accepted by a copy")

    @precondition(lambda self: "return_items" in self.reference.allowed() and anything_remains(self.session))
    @rule(entries=depending_on_machine(lambda machine: returns(machine.session)))
    def return_remaining_units(self, entries: Any) -> None:
        """Return some of the remaining units."""
        self.pull("return_items", entries)

    @precondition(lambda self: self.session.state == State.CANCELLED)
    @rule(step=CREATION)
    def replace_cancelled_session(self, step: Step) -> None:
        """Replace a cancelled session by a new one."""
        self._begin(step)

    @rule(planted=depending_on_machine(lambda machine: several(invalid_operations(machine.session))))
    def call_invalid_operations(self, planted: list[Planted]) -> None:
        """Call verbs with one fault each on copies: each is refused for that fault only."""
        for one in planted:
            one.prove()

    @precondition(lambda self: bool(self.session.cart_items) and "return_items" in self.reference.allowed())
    @rule(planted=depending_on_machine(lambda machine: several(invalid_returns(machine.session))))
    def call_invalid_returns(self, planted: list[Planted]) -> None:
        """Call `return_items` with one fault each on copies. A separate rule, because many rules guard a return."""
        for one in planted:
            one.prove()

    @rule(change=CHANGES)
    def evaluate_payload_only(self, change: SessionUpdate) -> None:
        """Evaluate a closing as Talon.One's dry run does: by the payload only, without the session's values (U-11)."""
        before = contents(self.session)
        decision = self.session.evaluate("close", change, payload_only=True, now=BEGINNING)
        check_unchanged(before, self.session, "a dry run of the payload changed")
        bare = Reference.create("order-1", SessionUpdate(state=self.session.state), BEGINNING, self.own)
        check_codes(bare.judge("close", change), decision)

    @rule()
    def take_events(self) -> None:
        """Take the pending events; none remain."""
        pending = self.session.pending_events
        check(self.session.take_events() == pending, "take_events returns the pending events")
        self.reference.events = []

    @rule(
        method=depending_on_machine(
            lambda machine: st.sampled_from([*_COPIES][: None if _importable(machine.kind) else -1])
        )
    )
    def continue_with_copy(self, method: str) -> None:
        """Replace the session by a copy; the original must not change any more."""
        original = self.session
        self.session = _COPIES[method](original)
        check(type(self.session) is type(original), f"{method} makes a session of another class")
        self._originals.append((original, contents(original)))

    @rule()
    def continue_with_json(self) -> None:
        """Replace the session by one that is read from its JSON document, which has no events."""
        original = self.session
        text = wire.dumps(original)
        self.session = wire.loads(text, self.kind, strict=True)
        check(wire.dumps(self.session) == text, "a session that was read is written differently")
        self.reference.events = []
        self._originals.append((original, contents(original)))

    # --- Verbs ----------------------------------------------------------------------------------------------

    def pull(self, trigger: TriggerLike, argument: Any = None) -> SessionEvent | None:
        """Fire a trigger, and check that `evaluate` predicts the result and that the transition is atomic.

        Return the event, or None if the table or a rule refuses.
        """
        step = Step(trigger, argument)
        note(evolve(step, context=self._context).code())
        given = () if argument is None else (argument,)
        verb = getattr(self.session, step.trigger)
        return self._call(self.reference.judge(step.trigger, step.argument), step.argument, verb, given)

    def put(self, change: SessionUpdate) -> SessionEvent | None:
        """Call `put`, and check the result as `pull` does."""
        given = [code_of(change), *(f"{name}={code_of(value)}" for name, value in self._keywords.items())]
        note(f"session.put({', '.join(given)})")
        verdict = self.reference.judge_put(change)
        if change.state == State.PARTIALLY_RETURNED:  # no trigger corresponds to it
            return self._call(verdict, NO_CHANGE, self.session.put, (change,), predictable=False)
        applied = None if verdict.trigger == Trigger.CANCEL else change
        return self._call(verdict, applied, self.session.put, (change,))

    def _call(
        self,
        verdict: Verdict,
        change: Any,
        verb: Callable[..., Any],
        given: tuple[Any, ...],
        *,
        predictable: bool = True,
    ) -> SessionEvent | None:
        session, now = self.session, self._now()
        before = contents(session)
        decision = session.evaluate(Trigger(verdict.trigger), change, now=now, **self._keywords)
        check_unchanged(before, session, "evaluate changed")
        try:
            event: SessionEvent = verb(*given, now=now, **self._keywords)
        except TransitionRefused as refusal:
            check_unchanged(before, session, f"{verdict.trigger} was refused and yet changed")
            self._check_refusal(verdict, refusal)
            if predictable:
                check(not decision.allowed, f"evaluate allowed what the verb refused: {refusal}")
                check(reasons_of(decision) == reasons_of(refusal.decision), "evaluate predicted another refusal")
                check(decision.after is None, "a refused decision has an after")
            return None
        check(verdict.allowed, f"{verdict.trigger} must be refused: {verdict}")
        check(decision, f"evaluate refused what the verb did: {decision}")
        self.reference.apply(verdict, change, now)
        predicted = (decision.source, decision.target, decision.event_name)
        check(predicted == (event.source, event.target, event.name), f"evaluate predicted {predicted}, but {event}")
        check(session.pending_events[-1:] == [event], "the verb returned another event than it recorded")
        check_unchanged(contents(decision.after), session, "evaluate predicted otherwise")
        return event

    def _check_refusal(self, verdict: Verdict, refusal: TransitionRefused) -> None:
        check_codes(verdict, refusal.decision)
        for judged in refusal.decision.checks:
            modifies = isinstance(judged.error, ConcurrentChange)
            check(not modifies, f"the rule {judged.rule.code} changes the session that it judges (D-14)")
        check(refusal.violations, "a refusal has reasons")
        check(
            isinstance(refusal, WrongState) == (verdict.target is None),
            f"{type(refusal).__name__} is another kind of refusal",
        )
        if isinstance(refusal, WrongState):
            check(refusal.already is verdict.already, "already says whether the session is where it was wanted (D-06)")
            check(
                set(refusal.allowed) == self.reference.allowed(), "the refusal names other triggers than the table has"
            )

    # --- Invariants --------------------------------------------------------------------------------------

    @invariant()
    def session_equals_reference(self) -> None:
        """Every field equals that of the reference."""
        check_no_differences(self.reference.differences(self.session))

    @invariant()
    def originals_of_copies_are_unchanged(self) -> None:
        """A session does not change when its copy changes."""
        for original, held in self._originals:
            check_unchanged(held, original, "a session changed together with its copy:")

    @invariant()
    def returned_units_are_consistent(self) -> None:
        """Returned and remaining units add up, and only orders have returned units."""
        for item in self.session.cart_items:
            units = item.returned_quantity + item.remaining_quantity
            check(item.quantity == units, f"{units} units are returned or remain of {item.quantity}")
            returned = self.session.state in (State.PARTIALLY_RETURNED, State.CANCELLED)
            check(
                returned or not item.returned_quantity, f"units are returned in a session that is {self.session.state}"
            )

    @invariant()
    def board_matches_table(self) -> None:
        """The board changes nothing, and has the transitions of the table."""
        before = contents(self.session)
        board = self.session.board(now=self.session.updated)
        allowed = {trigger for trigger, decision in board.items() if decision}
        check(allowed <= self.reference.allowed(), f"the board allows {allowed - self.reference.allowed()}")
        known = {trigger for trigger, decision in board.items() if decision.target}
        check(known == self.reference.allowed(), f"the board has transitions by {known}")
        check_unchanged(before, self.session, "the board changed")


def _init_both(self: Any) -> None:
    """Initialise a class that is both a state machine and a `unittest.TestCase`, neither of which calls ``super().__init__``."""
    TestCase.__init__(self)
    RuleBasedStateMachine.__init__(self)


def _importable(kind: type) -> bool:
    """Whether sessions of *kind* can be pickled, which requires that the class is importable."""
    return getattr(sys.modules.get(kind.__module__), kind.__qualname__, None) is kind
