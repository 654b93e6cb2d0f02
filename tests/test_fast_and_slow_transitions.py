"""A trigger takes a short way where nobody listens, and the way of `transitions` where somebody does: both agree."""

from decimal import Decimal
from typing import Any

import pytest
from builders import MACHINE_WIDE, MOVING, add_callback, at_minute, snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

from session_fsm import (
    CustomerSession,
    EventName,
    Rule,
    RuleViolated,
    SessionEvent,
    SessionFSMError,
    State,
    TransitionRefused,
    Trigger,
    Violation,
    rule,
)
from session_fsm.json_values import as_context
from session_fsm.lifecycle import FINAL, TABLE, Row
from session_fsm.machine import LifecycleMachine
from session_fsm.reentrancy import BUSY
from session_fsm.rules import coupon_code_required
from session_fsm.states import Operation
from session_fsm.testing import carts, returns, updates


@rule("no_third_update", on=["update"])
def session_is_updated_twice_at_most(update_count: int) -> bool:
    """A session is updated twice at most."""
    return update_count <= 3


@rule("broken", on=["cancel"])
def cart_is_divided_evenly(cart_items: Any) -> bool:
    """A cart of one item is never cancelled."""
    return 1 / (len(cart_items) - 1) != 0


RULES = (*CustomerSession.rules, coupon_code_required, session_is_updated_twice_at_most, cart_is_divided_evenly)


class Quiet(CustomerSession):
    rules = RULES


def class_with(moment: str) -> type[CustomerSession]:
    """Make a session class with a callback that does nothing."""
    cls = type("Watched", (CustomerSession,), {"rules": RULES})
    if moment == "before_each":
        for event in cls.machine.events.values():
            event.add_callback("before", lambda event_data: None)
    elif moment == "on_enter":
        for state in cls.machine.states.values():
            state.add_callback("enter", lambda event_data: None)
    else:
        setattr(cls.machine, moment, [lambda event_data: None])
    return cls


WATCHED = {moment: class_with(moment) for moment in ("finalize_event", "on_exception", "before_each", "on_enter")}

contexts = st.sampled_from(
    [None, {}, {"actor": "ann"}, {"actor": "bob", "tags": ["late", None], "score": Decimal("0.5")}]
)
"""What a caller may say of itself; each operation begins with one."""
operations = st.one_of(
    st.tuples(st.sampled_from(["update", "close", "put"]), updates()),
    st.tuples(st.just("return_items"), returns()),
    st.tuples(st.sampled_from(["cancel", "reopen"])),
    st.tuples(st.sampled_from(["close", "reopen"])),
).flatmap(lambda operation: contexts.map(lambda context: (context, *operation)))

judged: list[CustomerSession] = []
"""The session whose verb is called, for rules that know it from elsewhere."""


def outcome(session: CustomerSession, operation: tuple[Any, ...], minute: int) -> Any:
    context, verb, *arguments = operation
    judged[:] = [session]
    before = [item.returned_quantity for item in session.cart_items]
    try:
        event = getattr(session, verb)(*arguments, now=at_minute(minute), context=context)
    except TransitionRefused as error:
        return type(error), str(error), error.decision, getattr(error, "allowed", None), type(error.__cause__)
    finally:
        assert not BUSY
    assert event.context == as_context(context)
    back = {item.position: item.quantity for item in event.returned_items}
    if event.trigger == "return_items":
        assert back == {
            i.position: i.returned_quantity - n
            for i, n in zip(session.cart_items, before, strict=True)
            if i.returned_quantity > n
        }
    else:
        assert back == {}
    return event


@pytest.mark.parametrize("cls", WATCHED.values(), ids=WATCHED.keys())
@given(cart=carts(), steps=st.lists(operations, max_size=12))
def test_both_ways_lead_to_the_same(cls: type[CustomerSession], cart: Any, steps: list[tuple[Any, ...]]) -> None:
    short = Quiet.create("order-1042", cart_items=cart, now=at_minute(0))
    long = cls.create("order-1042", cart_items=cart, now=at_minute(0))
    for minute, operation in enumerate(steps, 1):
        assert outcome(short, operation, minute) == outcome(long, operation, minute)
        assert snapshot(short) == snapshot(long)


# Whatever the table, the rules and the callbacks: both ways lead to the same.


@st.composite
def tables(draw: st.DrawFn) -> tuple[Row, ...]:
    """Draw a table in which every trigger may lead anywhere from anywhere, as far as a table may."""
    creations = tuple(row for row in TABLE if row.source is None)
    ways: dict[tuple[State, Trigger], State | None] = {
        (source, trigger): draw(st.none() | st.sampled_from(State))
        for source in State
        if source not in FINAL
        for trigger in MOVING
    }
    # Every state has to be reached, and every trigger to be there.
    ways[State.OPEN, Trigger.CANCEL] = State.CANCELLED
    ways[State.OPEN, Trigger.UPDATE] = State.OPEN
    ways[State.OPEN, Trigger.CLOSE] = draw(st.sampled_from(State))
    ways[State.CLOSED, Trigger.REOPEN] = draw(st.sampled_from(State))
    ways[State.CLOSED, Trigger.RETURN_ITEMS] = State.PARTIALLY_RETURNED
    rows = [
        Row(f"X-{place}", source, trigger, target, Operation.UPDATE, draw(st.sampled_from(EventName)))
        for place, ((source, trigger), target) in enumerate(ways.items())
        if target is not None
    ]
    return (*creations, *draw(st.permutations(rows)))


def _counts(update_count: int, updated: Any, state: Any) -> bool:
    """Ask for what every trigger changes."""
    return (update_count + len(state) + updated.minute) % 3 != 0


def _compares(session: Any, after: Any, now: Any) -> Any:
    """Ask for the session as it is and as it would be, and answer with one violation."""
    assert session is not after
    assert after.updated is now
    fault = Violation(message=f"{session and session.state} to {after.state}", details={"total": after.total})
    return None if after.update_count % 4 else fault


def _lists(cart_items: Any, change: Any, trigger: Any) -> Any:
    """Answer with a violation for each item of an even quantity."""
    for item in cart_items:
        if item.quantity % 2 == 0 and trigger != "create":
            yield Violation(message=f"{item.sku} because of {trigger}", pointer=f"/{item.position}")


def _fails(total: Any, coupon_codes: Any) -> Any:
    """Fail where there is nothing to divide."""
    return [] if total / len(coupon_codes) else False


def _answers_nonsense(referral_code: str) -> Any:
    """Answer with something else, once there is a referral code."""
    return ["nonsense"] if referral_code else None


def _knows_who_asks(context: Any, session: Any, least: int = 0, *, total: Any = None) -> Any:
    """Ask who it is, and have defaults, one of which is the name of a field."""
    assert total is not None
    return None if context.get("actor") != "bob" or total > least else Violation(message=f"not bob {session}")


def _moves_it(session: Any, change: Any) -> bool:
    """Call a verb of the session that is judged."""
    if session is not None and change:
        session.cancel()
    return True


def _moves_what_it_would_be(after: Any) -> bool:
    """Call a verb of the copy that every rule looks at."""
    return after.update_count % 2 == 1 or bool(after.cancel())


def _assigns_to_it(update_count: int) -> bool:
    """Assign to the session that is judged, which it knows from elsewhere."""
    if judged and update_count % 3 == 0:
        object.__setattr__(judged[0], "referral_code", "SEEN")
    return update_count % 2 == 0


RULES_OF_ALL_KINDS = [
    *(_counts, _compares, _lists, _fails, _answers_nonsense),
    *(_knows_who_asks, _moves_it, _moves_what_it_would_be, _assigns_to_it),
]


@st.composite
def rule_lists(draw: st.DrawFn) -> tuple[Rule, ...]:
    functions = draw(st.lists(st.sampled_from(RULES_OF_ALL_KINDS), max_size=4))
    return tuple(
        Rule(
            code=f"{function.__name__}_{place}",
            on=tuple(draw(st.lists(st.sampled_from(MOVING), min_size=1, max_size=3, unique=True))),
            text=f"Rule {place}.",
            function=function,
        )
        for place, function in enumerate(functions)
    )


MOMENTS = [*MACHINE_WIDE, "prepare", "before", "after", "on_enter", "on_exit"]


def class_of(table: tuple[Row, ...], rules: tuple[Rule, ...]) -> Any:
    cls: Any = type("DrawnSession", (CustomerSession,), {"rules": rules})
    type.__setattr__(cls, "machine", LifecycleMachine(rules, table, "DrawnSession", kind=cls))  # the class refuses it
    return cls


class Stop(Exception):
    """What a callback raises."""


@given(
    table=tables(),
    rules=rule_lists(),
    moments=st.lists(st.sampled_from(MOMENTS), min_size=1, unique=True),
    cart=carts(),
    steps=st.lists(st.tuples(operations, st.booleans()), max_size=8),
)
@settings(max_examples=200)
def test_both_ways_agree_on_any_table_with_any_rules_and_callbacks(
    table: Any, rules: Any, moments: list[str], cart: Any, steps: Any
) -> None:
    """A callback that raises leaves the session as it was; without it, the way past callbacks is the short way."""
    quiet, watched = class_of(table, rules), class_of(table, rules)
    calls: list[str] = []
    trouble: list[bool] = [False]

    def listener(moment: str) -> Any:
        def call(event_data: Any) -> None:
            calls.append(moment)
            if trouble[0] and moment not in ("finalize_event", "on_exception"):
                raise Stop(moment)

        return call

    for moment in moments:
        add_callback(watched, moment, listener(moment))
    short = quiet.create("order-1042", cart_items=cart, now=at_minute(0))
    long = watched.create("order-1042", cart_items=cart, now=at_minute(0))
    for minute, (operation, stops) in enumerate(steps, 1):
        trouble[0], held = stops, snapshot(long)
        calls.clear()
        try:
            reached = outcome(long, operation, minute)
        except Stop:
            assert snapshot(long) == held
            trouble[0] = False
            reached = outcome(long, operation, minute)
        assert reached == outcome(short, operation, minute)
        assert snapshot(short) == snapshot(long)
        if isinstance(reached, SessionEvent):
            expected = {"prepare_event", "prepare", "before_state_change", "before", "after", "after_state_change"}
            assert expected & set(moments) <= set(calls)


@given(table=tables(), rules=rule_lists(), cart=carts(), steps=st.lists(operations, max_size=8))
@settings(max_examples=100)
def test_a_dry_run_says_what_the_trigger_does_on_any_table_with_any_rules(
    table: Any, rules: Any, cart: Any, steps: Any
) -> None:
    session = class_of(table, rules).create("order-1042", cart_items=cart, now=at_minute(0))
    for minute, operation in enumerate(steps, 1):
        context, verb, *arguments = operation
        held = snapshot(session)
        judged[:] = [session]
        decision = session.evaluate(verb, *arguments, now=at_minute(minute), context=context)
        assert snapshot(session) == held
        reached = outcome(session, operation, minute)
        if decision:
            assert isinstance(reached, SessionEvent)
            assert snapshot(decision.after) == snapshot(session)
        else:
            assert reached[2] == decision


def test_the_operations_meet_every_kind_of_refusal() -> None:
    """The rules above can fail in both ways, so that the comparison covers refusals too."""
    session = Quiet.create("order-1042", cart_items=[])
    session.update()
    session.update()
    with pytest.raises(RuleViolated):
        session.update()
    session.cancel()
    with pytest.raises(SessionFSMError):
        session.cancel()
