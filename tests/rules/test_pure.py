"""A rule is pure: one that moves the session that it judges, or assigns to it, fails and changes nothing (D-14, D-13)."""

import time
from collections.abc import Callable, Iterator
from itertools import product
from threading import Barrier, Thread
from typing import Any

import pytest
from attrs import define, field
from builders import LATER, cart, session_in, snapshot

from session_fsm import (
    ConcurrentChange,
    CustomerSession,
    Rule,
    RuleViolated,
    SessionEvent,
    SessionFSMError,
    State,
    Trigger,
    rule,
    transition,
)
from session_fsm.decisions import Outcome
from session_fsm.machine import LifecycleEventData
from session_fsm.reentrancy import BUSY, begin, held_by, moving
from session_fsm.values import NO_CHANGE
from session_fsm.wire import http_status

known: list[CustomerSession] = []
"""The session that is judged, for rules that know it from elsewhere."""


@pytest.fixture(autouse=True)
def _nothing_stays_busy() -> Iterator[None]:
    known.clear()
    yield
    assert not BUSY


def cancels(session: Any) -> None:
    session.cancel(now=LATER)


def puts(session: Any) -> None:
    session.put(state="cancelled")


def takes_events(session: Any) -> None:
    session.take_events()


def pulls_the_trigger_of_the_machine(session: Any) -> None:
    session.machine.events["cancel"].trigger(session)


def cancels_after_a_question(session: Any) -> None:
    assert session.evaluate("cancel").allowed
    session.cancel()


def cancels_in_another_thread(session: Any) -> None:
    refusals: list[SessionFSMError] = []

    def cancel() -> None:
        try:
            session.cancel()
        except SessionFSMError as error:
            refusals.append(error)

    thread = Thread(target=cancel)
    thread.start()
    thread.join()
    raise refusals[0]


def assigns(name: str, value: Any) -> Callable[[Any], None]:
    def assign(session: Any) -> None:
        object.__setattr__(session, name, value)

    return assign


MOVES = {
    "cancels": cancels,
    "puts": puts,
    "takes the events": takes_events,
    "pulls the trigger of the machine": pulls_the_trigger_of_the_machine,
    "cancels after a question": cancels_after_a_question,
    "cancels in another thread": cancels_in_another_thread,
}
ASSIGNMENTS = {
    f"assigns to {name}": assigns(name, value)
    for name, value in {
        "state": State.CANCELLED,
        "update_count": 99,
        "coupon_codes": ("STOLEN",),
        "_pending_events": (),
    }.items()
}


def moving_rule(move: Callable[[Any], None], way: str) -> Rule:
    """Make a rule for the closing that moves a session, of which it knows by the *way*."""

    def by_parameter(session: Any) -> None:
        """A session must be left alone."""
        move(session)

    def by_closure(total: object) -> None:
        """A session must be left alone."""
        assert total is not None
        move(known[0])

    def by_copy(after: Any) -> None:
        """A session must be left alone."""
        move(after)

    return rule("moving", on=[Trigger.CLOSE])({"parameter": by_parameter, "closure": by_closure, "copy": by_copy}[way])


def shop_with(*rules: Rule, callbacks: bool) -> type[CustomerSession]:
    cls = type("Shop", (CustomerSession,), {"rules": (*CustomerSession.rules, *rules)})
    if callbacks:
        cls.machine.before_state_change.append(lambda event_data: None)
    return cls


def verbs_of(session: CustomerSession) -> dict[str, Callable[[], Any]]:
    return {
        "close": lambda: session.close(now=LATER),
        "close with changes": lambda: session.close(profile_id="other"),
        "put": lambda: session.put(state="closed"),
        "evaluate": lambda: session.evaluate("close").raise_if_refused(),
        "evaluate put": lambda: session.evaluate("put", state="closed").raise_if_refused(),
        "board": lambda: session.board()[Trigger.CLOSE].raise_if_refused(),  # noqa: PLW0108 - judge when it is called
    }


WAYS = [
    *product({**MOVES, **ASSIGNMENTS}.items(), ["parameter", "closure"], [False, True]),
    *product(MOVES.items(), ["copy"], [False, True]),
]


@pytest.mark.parametrize(("move", "way", "callbacks"), WAYS, ids=[f"{m[0]}-{w}-{c}" for m, w, c in WAYS])
def test_a_rule_that_changes_the_session_has_failed_and_changed_nothing(
    move: tuple[str, Any], way: str, callbacks: bool
) -> None:
    """D-14: on every path, and in every question."""
    session = session_in("open", shop_with(moving_rule(move[1], way), callbacks=callbacks))
    known[:] = [session]
    held = snapshot(session)
    for name, verb in verbs_of(session).items():
        with pytest.raises(RuleViolated) as refusal:
            verb()
        assert snapshot(session) == held, name
        check = refusal.value.decision.checks[-1]
        assert check.outcome is Outcome.ERRORED, name
        assert isinstance(check.error, ConcurrentChange), name
        assert http_status(refusal.value) == 500, name


@pytest.mark.parametrize("move", {**MOVES, **ASSIGNMENTS}.values(), ids={**MOVES, **ASSIGNMENTS}.keys())
def test_a_judgement_of_the_payload_alone_leaves_the_session_alone_too(move: Any) -> None:
    """D-14, U-11: rules are shown a copy there, and may know the session all the same."""
    session = session_in("open", shop_with(moving_rule(move, "closure"), callbacks=False))
    known[:] = [session]
    held = snapshot(session)
    with pytest.raises((RuleViolated, ConcurrentChange)):
        session.evaluate("close", payload_only=True).raise_if_refused()
    assert snapshot(session) == held


def test_a_question_about_the_payload_within_a_rule_is_answered() -> None:
    @rule("asking", on=[Trigger.CLOSE])
    def update_is_possible(session: Any) -> bool:
        """An update of the payload must be possible."""
        return bool(session.evaluate("update", payload_only=True)) and bool(session.board()[Trigger.CANCEL])

    @rule("looking_ahead", on=[Trigger.UPDATE])
    def closing_is_possible(session: Any) -> bool:
        """A closing must be possible."""
        return bool(session.evaluate("close", coupon_codes=["XMAS"], payload_only=True))

    @rule("unrelated", on=[Trigger.CLOSE])
    def order_is_complete(total: Any) -> bool:
        """An order must be complete."""
        return total is not None

    session = session_in("open", shop_with(update_is_possible, order_is_complete, callbacks=False))
    assert session.close().target is State.CLOSED
    session = session_in("open", shop_with(closing_is_possible, order_is_complete, callbacks=False))
    assert session.update().target is State.OPEN


def test_all_rules_are_judged_beside_one_that_assigns() -> None:
    """The others have the outcome that they have without it."""

    @rule("refusing", on=[Trigger.CLOSE])
    def nothing_is_right(coupon_codes: Any) -> bool:
        """Nothing must be right."""
        return "STOLEN" in coupon_codes

    spoiling = moving_rule(assigns("coupon_codes", ("STOLEN",)), "parameter")
    session = session_in("open", shop_with(spoiling, nothing_is_right, callbacks=False), coupon_codes=["XMAS"])
    outcomes = {check.rule.code: check.outcome for check in session.evaluate("close").checks[-2:]}
    assert outcomes == {"moving": Outcome.ERRORED, "refusing": Outcome.VIOLATED}


def test_an_assignment_that_no_rule_repeats_ends_the_verb_all_the_same() -> None:
    times: list[int] = []

    @rule("moody", on=[Trigger.CLOSE])
    def session_is_left_alone(session: Any) -> None:
        """A session must be left alone."""
        times.append(1)
        if len(times) == 1:
            object.__setattr__(session, "referral_code", "SEEN")

    session = session_in("open", shop_with(session_is_left_alone, callbacks=False))
    held = snapshot(session)
    with pytest.raises(ConcurrentChange):
        session.close()
    assert snapshot(session) == held


def test_a_rule_may_write_what_is_no_field() -> None:
    """What a property caches, for example."""

    @rule("noting", on=[Trigger.CLOSE])
    def session_is_noted(session: Any) -> None:
        """A session must be noted."""
        session.note = "seen"

    session = session_in("open", shop_with(session_is_noted, callbacks=False))
    assert session.close().target is State.CLOSED
    assert session.note == "seen"


def test_a_field_without_a_value_is_no_hindrance() -> None:
    """A field that the constructor does not take may have none yet; to give it one is an assignment too."""

    @rule("loose", on=[Trigger.CLOSE, Trigger.REOPEN])
    def memo_is_left_alone(session: Any, trigger: Any) -> None:
        """A memo must be left alone."""
        if trigger is Trigger.REOPEN:
            session.memo = "seen"

    @define(kw_only=True, eq=False, repr=False)
    class Shop(CustomerSession):
        rules = (*CustomerSession.rules, memo_is_left_alone)
        memo: str = field(init=False)

    session = Shop.create("order-1")
    after = session.evaluate("close").after
    assert after is not None
    assert (after.state, hasattr(after, "memo")) == (State.CLOSED, False)
    session.close()
    with pytest.raises(RuleViolated):
        session.reopen()
    assert not hasattr(session, "memo")
    session.memo = "mine"
    with pytest.raises(RuleViolated):
        session.reopen()
    assert session.memo == "mine"


def test_a_rule_that_moves_a_session_of_its_own_is_let_be() -> None:
    @rule("trying", on=[Trigger.CLOSE])
    def another_can_be_cancelled(session: Any) -> bool:
        """Another session must be cancelled easily."""
        return CustomerSession.create("other").cancel(now=session.updated).target is State.CANCELLED

    assert session_in("open", shop_with(another_can_be_cancelled, callbacks=False)).close()


class TestThreads:
    """D-13: a session belongs to one thread at a time; a second one is told so, and nothing is counted twice."""

    @staticmethod
    def outcomes(session: CustomerSession, verb: str, threads: int = 4) -> list[SessionEvent | SessionFSMError]:
        gate, reached = Barrier(threads), []

        def call() -> None:
            gate.wait()
            try:
                reached.append(getattr(session, verb)())
            except SessionFSMError as error:
                reached.append(error)

        running = [Thread(target=call) for _ in range(threads)]
        for one in running:
            one.start()
        for one in running:
            one.join()
        return reached

    @pytest.mark.parametrize("parameter", ["total", "session", "after"])
    @pytest.mark.parametrize("callbacks", [False, True])
    @pytest.mark.parametrize("verb", ["close", "update"])
    def test_of_several_threads_one_moves_the_session(self, verb: str, callbacks: bool, parameter: str) -> None:
        def wait(**_: Any) -> None:
            time.sleep(0.02)

        namespace: dict[str, Any] = {"wait": wait}
        exec(f"def stock_is_enough({parameter}):\n    wait(seen={parameter})", namespace)
        slow = rule("slow", on=["close", "update"], text="Stock must be enough.")(namespace["stock_is_enough"])
        session = shop_with(slow, callbacks=callbacks).create("order-1", cart_items=cart(1))
        reached = self.outcomes(session, verb)
        assert len([one for one in reached if isinstance(one, SessionEvent)]) == 1
        assert len(session.pending_events) == session.update_count == 2
        assert all(http_status(one) in (400, 409) for one in reached if isinstance(one, SessionFSMError))

    def test_callbacks_that_take_a_moment_keep_other_threads_out(self) -> None:
        cls = shop_with(callbacks=False)
        cls.machine.on_enter_closed(lambda event_data: time.sleep(0.02))
        session = cls.create("order-1")
        reached = self.outcomes(session, "close")
        assert len([one for one in reached if isinstance(one, SessionEvent)]) == 1
        assert len(session.pending_events) == session.update_count == 2

    def test_a_callback_may_move_the_session_on_and_ask(self) -> None:
        """It runs in the thread that moves the session."""

        @rule("quick", on=[Trigger.CANCEL, Trigger.REOPEN])
        def stock_is_enough(session: Any) -> bool:
            """Stock must be enough."""
            return session.update_count < 10

        def go_on(event_data: Any) -> None:
            session = event_data.model
            assert session.evaluate("reopen")
            assert session.take_events()
            session.cancel()

        cls = shop_with(stock_is_enough, callbacks=False)
        cls.machine.after_close(go_on)
        session = cls.create("order-1")
        session.close()
        assert session.state is State.CANCELLED
        assert session.update_count == 3

    def test_a_question_of_another_thread_is_answered_meanwhile(self) -> None:
        answers: list[Any] = []

        @rule("slow", on=[Trigger.CLOSE])
        def stock_is_enough(session: Any) -> None:
            """Stock must be enough."""
            if not answers:
                answers.append(None)
                asking = Thread(target=lambda: answers.append(session.evaluate("close").allowed))
                asking.start()
                asking.join()

        session = session_in("open", shop_with(stock_is_enough, callbacks=False))
        assert session.close().target is State.CLOSED
        assert answers == [None, True]

    def test_a_thread_that_comes_in_between_is_kept_out(self) -> None:
        """Whatever is checked first: to claim a session is one step, and the second one fails."""
        session = CustomerSession.create("order-1")
        for claimed in (0, held_by(session)):  # by another thread, and by a judgement
            BUSY[id(session)] = claimed
            try:
                with pytest.raises(ConcurrentChange), moving(session):
                    pytest.fail("it was let in")  # pragma: no cover - it is not
                with pytest.raises(ConcurrentChange):
                    begin(session, held_by(session))
                with pytest.raises(ConcurrentChange):
                    session.close()
            finally:
                del BUSY[id(session)]
        assert session.close().target is State.CLOSED

    def test_a_state_that_another_thread_has_left_is_not_left_again(self) -> None:
        """What the trigger saw when it was called may be over when its turn comes."""
        cls = shop_with(callbacks=True)
        session = session_in("closed", cls)
        event = cls.machine.events["cancel"]
        event_data = LifecycleEventData(None, event, cls.machine, session, (), {"change": None, "now": LATER})
        event_data.state = cls.machine.get_state("open")
        held = snapshot(session)
        with pytest.raises(ConcurrentChange):
            event._process(event_data)
        assert snapshot(session) == held
        ways = [*map(shop_with(moving_rule(puts, "copy"), callbacks=False).machine.events["close"].transition, State)]
        assert ways[0] is not None
        with pytest.raises(ConcurrentChange):
            ways[0].logic.run(session, NO_CHANGE, LATER, {})
        assert snapshot(session) == held

    def test_what_another_thread_did_during_a_trigger_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The fast path compares the update count too, also of a class with the built-in rules alone."""
        session = CustomerSession.create("order-1")
        make_event = transition._make_event

        def make_event_in_between(*values: Any) -> Any:
            monkeypatch.setattr(transition, "_make_event", make_event)
            session.update()  # as another thread might
            return make_event(*values)

        monkeypatch.setattr(transition, "_make_event", make_event_in_between)
        with pytest.raises(ConcurrentChange):
            session.close()
        assert (session.state, session.update_count) == (State.OPEN, 2)

    def test_what_another_thread_did_is_noticed_before_fields_are_set(self) -> None:
        session = CustomerSession.create("order-1")
        transition = CustomerSession.machine.events["close"].transition(State.OPEN)
        assert transition is not None
        values = transition.logic.values(session, NO_CHANGE, LATER)
        session.update()  # as another thread might, in between
        with pytest.raises(ConcurrentChange):
            transition.logic.commit(session, values)
        assert session.state is State.OPEN
