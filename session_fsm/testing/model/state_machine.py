"""A Hypothesis state machine that drives a session class through everything, beside an independent reference.

A service proves its own class in two lines, which pytest collects as they are:

>>> from session_fsm import CustomerSession, SessionUpdate
>>> from session_fsm.testing import SessionMachine
>>> class ShopSession(CustomerSession):
...     pass
>>> class TestShopSession(SessionMachine):
...     kind = ShopSession

What may be added: ``own`` (what a creation gives to added fields), ``changes`` (a strategy of updates, for rules that
want something special), ``settings`` (of Hypothesis), and rules and invariants, as on any state machine of Hypothesis:

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

Where nothing but `unittest.TestCase` is collected, as by ``python -m unittest`` and Django's ``manage.py test``, it is
another base: ``class TestShopSession(SessionMachine, unittest.TestCase)``. ``ShopMachine.TestCase`` is that too, in the
way of Hypothesis.

A rule moves ``self.session`` by `SessionMachine.pull` and `SessionMachine.put` alone, so that the reference goes along.
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
from session_fsm.errors import ConcurrentChange, InvalidValue, TransitionRefused, WrongState
from session_fsm.events import SessionEvent
from session_fsm.lifecycle import WANTED
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger, TriggerLike
from session_fsm.testing.model.reference import Reference, Verdict
from session_fsm.testing.steps import BEGINNING, Step, code_of
from session_fsm.testing.strategies.invalid import Planted, invalid_operations, invalid_returns
from session_fsm.testing.strategies.sessions import operations
from session_fsm.testing.strategies.values import carts, returns, updates, updates_with
from session_fsm.testing.test_classes import AsTestCase, hold, patient
from session_fsm.values import NO_CHANGE, UNSET, SessionUpdate

__all__ = ["SessionMachine"]


def _of(what: Callable[[Any], st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Draw from a strategy that depends on the machine as it is when the rule runs."""
    return st.runner().flatmap(what)


_twins = carts(at_least=1).map(lambda items: [*items, items[0]])
_lively = updates() | updates_with(carts(at_least=2) | _twins)
"""Any changes, carts of several items often among them, of which two may have one SKU: little is to be seen in others."""
_changes = _of(lambda machine: _lively if machine.changes is None else machine.changes)
_creation = _of(
    lambda machine: operations(
        machine.kind, changes=_lively if machine.changes is None else machine.changes, own=machine.own
    )
)
_COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy,
    "deepcopy": deepcopy,
    "pickle": lambda one: unpickled(pickled(one)),  # noqa: S301 - what was pickled a moment ago
}
_wanted = st.sampled_from([None, *State, State.CLOSED, State.CLOSED])
"""A state that a request may want; an order is most often what is wanted."""
_WANTED = {trigger: state for state, trigger in WANTED.items()}
"""The state that a request wants which pulls a trigger."""
_MOST_AT_ONCE = 3
"""So many steps are taken at once at most, so that a life is more than asking."""
_MOST_PLANTED = 12
"""So many faults are planted in one step at most, each of its own kind; to call a copy is quick."""


@st.composite
def _accepted(
    draw: st.DrawFn, session: CustomerSession, changes: st.SearchStrategy[SessionUpdate] | None
) -> list[Step]:
    """Draw steps that the class accepts one after the other; none where its rules let the session do nothing."""
    steps: list[Step] = []
    session = deepcopy(session)
    for _ in range(draw(st.integers(1, _MOST_AT_ONCE))):
        try:
            step = draw(operations(session, changes=changes))
            if step.trigger is Trigger.CANCEL:  # the end comes soon enough
                step = draw(operations(session, changes=changes))
            steps.append(step)
            session, _event = step.take(session, type(session), session.updated)
        except (InvalidValue, TransitionRefused):  # it can do nothing, or its copies are not what they should be
            break
    return steps


class SessionMachine:
    """The test of a session class: subclass it, and say which class as `kind`.

    The subclass is an ordinary test class with one test, which runs the state machine that `machine` makes of it.
    """

    kind: ClassVar[type[CustomerSession]] = CustomerSession
    """The class under test."""
    own: ClassVar[Mapping[str, Any]] = {}
    """What a creation gives to the fields that the class adds."""
    changes: ClassVar[st.SearchStrategy[SessionUpdate] | None] = None
    """Draws what creations, updates and closings are given; None for any changes."""
    settings: ClassVar[settings] = patient(stateful_step_count=20)
    """How Hypothesis runs the machine: as the loaded profile says; by 20 steps each where it does not."""
    TestCase: ClassVar[Any] = AsTestCase()
    """The class as a `unittest.TestCase`."""

    session: CustomerSession
    """The session under test, as it now stands."""
    reference: Reference
    """What must hold of it."""

    @classmethod
    def machine(cls) -> type[RuleBasedStateMachine]:
        """Return the class as a state machine of Hypothesis."""
        names: dict[str, Any] = {"__module__": cls.__module__, "__doc__": cls.__doc__}
        if issubclass(cls, TestCase):
            names["__init__"] = _begin_as_both
        return type(cls.__name__, (cls, RuleBasedStateMachine), names)

    def test_it_lives_as_the_reference_does(self) -> None:
        """Drive sessions of the class through whatever may be asked of them."""
        __tracebackhide__ = True
        run_state_machine_as_test(self.machine(), settings=self.settings)

    def _now(self) -> datetime:
        """Return the time of the next step; a minute later each."""
        self._minute += 1
        return BEGINNING + timedelta(minutes=self._minute)

    # --- What may be asked --------------------------------------------------------------------------------------------

    @initialize(step=_creation)
    def create(self, step: Step) -> None:
        """Begin with a creation that the class accepts."""
        self._minute = 0
        self._formers: list[tuple[CustomerSession, dict[str, Any]]] = []
        self._begin(step)

    def _begin(self, step: Step) -> None:
        self.session, event = step.take(None, self.kind, BEGINNING, **self.own)
        self.reference = Reference.create("order-1", step.argument, BEGINNING, self.own)
        hold(self.session.pending_events == [event], "a creation records one event")

    @rule(change=_changes, state=_wanted)
    def create_another(self, change: SessionUpdate, state: State | None) -> None:
        """Create a further session, which goes its own way, or is refused as the reference says."""
        change = evolve(change, state=UNSET if state is None else state)
        verdict = Reference.judge_creation(change)
        try:
            other = self.kind.create("order-1", change, now=BEGINNING, **self.own)
        except TransitionRefused as refusal:
            self._check_refusal(verdict, refusal)
        else:
            hold(verdict.allowed, f"the creation must be refused: {verdict}")
            _agree(Reference.create("order-1", change, BEGINNING, self.own).differences(other))

    @rule(step=_of(lambda machine: _any_step(machine.session)))
    def try_anything(self, step: Step) -> None:
        """Pull any trigger, with what it takes, whether or not the session allows it."""
        self.pull(step.trigger, step.argument)

    @rule(change=_changes, state=_wanted)
    def put_whatever(self, change: SessionUpdate, state: State | None) -> None:
        """Send an update that wants any state, or none."""
        self.put(evolve(change, state=UNSET if state is None else state))

    @precondition(lambda self: self.session.state != State.CANCELLED)
    @rule(
        steps=_of(lambda machine: _accepted(machine.session, machine.changes)),
        put=st.booleans(),
    )
    def do_what_is_allowed(self, steps: list[Step], *, put: bool) -> None:
        """Go on by steps that the class accepts, so that lives get somewhere under strict rules too.

        With *put* the Update operation takes those that it can.
        """
        for step in steps:
            if put and step.trigger in _WANTED:
                event = self.put(evolve(step.argument or NO_CHANGE, state=_WANTED[step.trigger]))
            else:
                event = self.pull(step.trigger, step.argument)
            hold(event is not None, f"{step} was accepted by a copy")

    @precondition(lambda self: "return_items" in self.reference.allowed() and _anything_remains(self.session))
    @rule(entries=_of(lambda machine: returns(machine.session)))
    def return_something(self, entries: Any) -> None:
        """Take back some of what remains."""
        self.pull("return_items", entries)

    @precondition(lambda self: self.session.state == State.CANCELLED)
    @rule(step=_creation)
    def begin_again(self, step: Step) -> None:
        """Leave a session to which nothing may happen any more for a new one."""
        self._begin(step)

    @rule(planted=_of(lambda machine: _several(invalid_operations(machine.session))))
    def ask_for_what_is_refused(self, planted: list[Planted]) -> None:
        """Call what has a fault planted, each on a copy: it is refused for that and nothing else."""
        for one in planted:
            one.prove()

    @precondition(lambda self: bool(self.session.cart_items) and "return_items" in self.reference.allowed())
    @rule(planted=_of(lambda machine: _several(invalid_returns(machine.session))))
    def return_what_is_refused(self, planted: list[Planted]) -> None:
        """Return what breaks a rule, each on a copy; so many rules guard a return that it has a step of its own."""
        for one in planted:
            one.prove()

    @rule(change=_changes)
    def judge_the_payload_alone(self, change: SessionUpdate) -> None:
        """Judge a closing as Talon.One's dry run does: by what is given, whatever the session holds (U-11)."""
        before = contents(self.session)
        decision = self.session.evaluate("close", change, payload_only=True, now=BEGINNING)
        _stays(before, self.session, "a dry run of the payload changed")
        bare = Reference.create("order-1", SessionUpdate(state=self.session.state), BEGINNING, self.own)
        _same_codes(bare.judge("close", change), decision)

    @rule()
    def take_events(self) -> None:
        """Take the pending events, after which there are none."""
        pending = self.session.pending_events
        hold(self.session.take_events() == pending, "take_events hands over what is pending")
        self.reference.facts = []

    @rule(way=_of(lambda machine: st.sampled_from([*_COPIES][: None if _importable(machine.kind) else -1])))
    def go_on_with_a_copy(self, way: str) -> None:
        """Replace the session by a copy; the one that it was made of must not change any more."""
        former = self.session
        self.session = _COPIES[way](former)
        hold(type(self.session) is type(former), f"{way} makes a session of another class")
        self._formers.append((former, contents(former)))

    @rule()
    def go_on_with_what_was_written(self) -> None:
        """Replace the session by one that is read from its document; events are no part of it."""
        former = self.session
        text = wire.dumps(former)
        self.session = wire.loads(text, self.kind, strict=True)
        hold(wire.dumps(self.session) == text, "what was read is written otherwise")
        self.reference.facts = []
        self._formers.append((former, contents(former)))

    # --- How it is asked ----------------------------------------------------------------------------------------------

    def pull(self, trigger: TriggerLike, argument: Any = None) -> SessionEvent | None:
        """Pull a trigger that moves a session, and check that it was foretold, and takes place wholly or not at all.

        Returns the event, or None where it was refused, as the table, a rule of the API or one of the class's own may.
        """
        step = Step(trigger, argument)
        note(step.code())
        given = () if argument is None else (argument,)
        verb = getattr(self.session, step.trigger)
        return self._ask(self.reference.judge(step.trigger, step.argument), step.argument, verb, given)

    def put(self, change: SessionUpdate) -> SessionEvent | None:
        """Do what the Update operation does, and check what comes of it as `pull` does."""
        note(f"session.put({code_of(change)})")
        verdict = self.reference.judge_put(change)
        if change.state == State.PARTIALLY_RETURNED:  # no trigger that could be evaluated
            return self._ask(verdict, NO_CHANGE, self.session.put, (change,), foretold=False)
        applied = None if verdict.trigger == Trigger.CANCEL else change
        return self._ask(verdict, applied, self.session.put, (change,))

    def _ask(
        self, verdict: Verdict, change: Any, verb: Callable[..., Any], given: tuple[Any, ...], *, foretold: bool = True
    ) -> SessionEvent | None:
        session, now = self.session, self._now()
        before = contents(session)
        decision = session.evaluate(Trigger(verdict.trigger), change, now=now)
        _stays(before, session, "evaluate changed")
        try:
            event: SessionEvent = verb(*given, now=now)
        except TransitionRefused as refusal:
            _stays(before, session, f"{verdict.trigger} was refused and yet changed")
            self._check_refusal(verdict, refusal)
            if foretold:
                hold(not decision.allowed, f"evaluate allowed what the verb refused: {refusal}")
                hold(_reasons(decision) == _reasons(refusal.decision), "evaluate foretold another refusal")
                hold(decision.after is None, "evaluate shows what cannot be")
            return None
        hold(verdict.allowed, f"{verdict.trigger} must be refused: {verdict}")
        hold(decision, f"evaluate refused what the verb did: {decision}")
        self.reference.apply(verdict, change, now)
        foretold_move = (decision.source, decision.target, decision.event_name)
        hold(
            foretold_move == (event.source, event.target, event.name), f"evaluate foretold {foretold_move}, but {event}"
        )
        hold(session.pending_events[-1:] == [event], "the verb returned another event than it recorded")
        _stays(contents(decision.after), session, "evaluate foretold otherwise")
        return event

    def _check_refusal(self, verdict: Verdict, refusal: TransitionRefused) -> None:
        _same_codes(verdict, refusal.decision)
        for check in refusal.decision.checks:
            moving = isinstance(check.error, ConcurrentChange)
            hold(not moving, f"the rule {check.rule.code} changes the session that it judges (D-14)")
        hold(refusal.violations, "a refusal has reasons")
        hold(
            isinstance(refusal, WrongState) == (verdict.target is None),
            f"{type(refusal).__name__} is another kind of refusal",
        )
        if isinstance(refusal, WrongState):
            hold(refusal.already is verdict.already, "already says whether the session is where it was wanted (D-06)")
            hold(set(refusal.allowed) == self.reference.allowed(), "the refusal names other ways than the table has")

    # --- What holds at all times --------------------------------------------------------------------------------------

    @invariant()
    def it_holds_what_the_reference_does(self) -> None:
        """Every field is as the reference has it."""
        _agree(self.reference.differences(self.session))

    @invariant()
    def sessions_that_were_copied_stay_as_they_were(self) -> None:
        """A session and its copy go their own ways."""
        for former, held in self._formers:
            _stays(held, former, "a session changed together with its copy:")

    @invariant()
    def units_come_back_of_orders_alone(self) -> None:
        """What came back is never more than was bought, and nothing comes back of a cart."""
        for item in self.session.cart_items:
            units = item.returned_quantity + item.remaining_quantity
            hold(item.quantity == units, f"{units} units came back or remain of {item.quantity}")
            returned = self.session.state in (State.PARTIALLY_RETURNED, State.CANCELLED)
            hold(returned or not item.returned_quantity, f"units came back of a session that is {self.session.state}")

    @invariant()
    def the_board_allows_nothing_that_the_table_does_not(self) -> None:
        """The board, which changes nothing, knows the table."""
        before = contents(self.session)
        board = self.session.board(now=self.session.updated)
        allowed = {trigger for trigger, decision in board.items() if decision}
        hold(allowed <= self.reference.allowed(), f"the board allows {allowed - self.reference.allowed()}")
        known = {trigger for trigger, decision in board.items() if decision.target}
        hold(known == self.reference.allowed(), f"the board has transitions by {known}")
        _stays(before, self.session, "the board changed")


def _begin_as_both(self: Any) -> None:
    """Prepare a state machine that also is a `unittest.TestCase`, of which neither knows the other."""
    TestCase.__init__(self)
    RuleBasedStateMachine.__init__(self)


def _importable(kind: type) -> bool:
    """Whether sessions of *kind* can be pickled: those of a class that is made inside a function cannot."""
    return getattr(sys.modules.get(kind.__module__), kind.__qualname__, None) is kind


def _several(planted: st.SearchStrategy[Planted]) -> st.SearchStrategy[list[Planted]]:
    return st.lists(planted, min_size=1, max_size=_MOST_PLANTED, unique_by=lambda one: (one.code, one.problem))


def _anything_remains(session: CustomerSession) -> bool:
    return any(item.remaining_quantity for item in session.cart_items)


def _some_returns(session: CustomerSession) -> st.SearchStrategy[Any]:
    return returns(session) | returns() if _anything_remains(session) else returns()


def _any_step(session: CustomerSession) -> st.SearchStrategy[Step]:
    """Draw any trigger that moves a session, with any argument that it takes."""
    changes = st.none() | _lively
    arguments = {Trigger.UPDATE: changes, Trigger.CLOSE: changes, Trigger.RETURN_ITEMS: _some_returns(session)}
    triggers = st.sampled_from([trigger for trigger in Trigger if trigger is not Trigger.CREATE])
    return triggers.flatmap(lambda trigger: arguments.get(trigger, st.none()).map(lambda given: Step(trigger, given)))


def _stays(before: Mapping[str, Any], session: CustomerSession, otherwise: str) -> None:
    """Hold what *session* holds against what it held before."""
    names = [name.lstrip("_") for name, value in contents(session).items() if before.get(name) != value]
    hold(not names, f"{otherwise} {', '.join(names)}")


def _agree(differences: list[str]) -> None:
    hold(not differences, "the session differs from the reference: " + "; ".join(differences))


def _reasons(decision: Any) -> Any:
    """Return all that two judgements of one thing must agree in; `put` words what the table lacks in its own way."""
    violations = [(v.code, v.pointer, v.details) for v in decision.violations]
    return decision.trigger, decision.source, decision.target, decision.event_name, decision.checks, violations


def _same_codes(verdict: Verdict, decision: Any) -> None:
    """Hold the violations of the API's own rules against those that the reference finds."""
    found = frozenset((v.code, v.pointer) for v in decision.violations if Verdict.knows(v.code))
    hold(
        found == verdict.faults,
        f"{verdict.trigger} is refused for {sorted(map(str, found))}; expected {sorted(map(str, verdict.faults))}",
    )
