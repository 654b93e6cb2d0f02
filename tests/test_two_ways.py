"""A trigger takes a short way where nobody listens, and the way of `transitions` where somebody does: both agree."""

from typing import Any

import pytest
from builders import at_minute, picture
from hypothesis import given
from hypothesis import strategies as st

from session_fsm import CustomerSession, RuleViolated, SessionFSMError, TransitionRefused, rule
from session_fsm.rules import coupon_code_required
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

operations = st.one_of(
    st.tuples(st.sampled_from(["update", "close", "put"]), updates()),
    st.tuples(st.just("return_items"), returns()),
    st.tuples(st.sampled_from(["cancel", "reopen"])),
    st.tuples(st.sampled_from(["close", "reopen"])),
)


def outcome(session: CustomerSession, operation: tuple[Any, ...], minute: int) -> Any:
    verb, *arguments = operation
    try:
        return getattr(session, verb)(*arguments, now=at_minute(minute))
    except TransitionRefused as error:
        return type(error), str(error), error.decision, getattr(error, "allowed", None), type(error.__cause__)


@pytest.mark.parametrize("cls", WATCHED.values(), ids=WATCHED.keys())
@given(cart=carts(), steps=st.lists(operations, max_size=12))
def test_both_ways_lead_to_the_same(cls: type[CustomerSession], cart: Any, steps: list[tuple[Any, ...]]) -> None:
    short = Quiet.create("order-1042", cart_items=cart, now=at_minute(0))
    long = cls.create("order-1042", cart_items=cart, now=at_minute(0))
    for minute, operation in enumerate(steps, 1):
        assert outcome(short, operation, minute) == outcome(long, operation, minute)
        assert picture(short) == picture(long)


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
