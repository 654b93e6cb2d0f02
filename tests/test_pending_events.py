"""Pending events: a session keeps them in a form that does not make triggers slower, and that nobody sees."""

import pickle
from copy import copy, deepcopy

import attrs
import pytest
from builders import fresh

from session_fsm import CustomerSession, InvalidValue, SessionEvent
from session_fsm.entities import contents
from session_fsm.events import with_event


@pytest.fixture(params=[0, 1, 63, 64, 65, 200])
def session(request: pytest.FixtureRequest) -> CustomerSession:
    session = CustomerSession.create("order-1")
    for _ in range(request.param):
        session.update()
    return session


def test_they_come_oldest_first(session: CustomerSession) -> None:
    assert [event.update_count for event in session.pending_events] == [*range(1, session.update_count + 1)]


def test_they_are_taken_once(session: CustomerSession) -> None:
    pending = session.pending_events
    assert session.take_events() == pending
    assert session.take_events() == []


@pytest.mark.parametrize("copied", [copy, deepcopy, lambda one: pickle.loads(pickle.dumps(one)), attrs.evolve])
def test_a_copy_has_its_own(session: CustomerSession, copied: object) -> None:
    other = copied(session)  # type: ignore[operator]  # one of the functions above
    assert contents(other) == contents(session)
    session.update()
    other.close()
    assert other.pending_events[-1].trigger == "close"
    assert session.pending_events[-1].trigger == "update"
    assert other.pending_events[:-1] == session.pending_events[:-1]


def test_what_is_pickled_is_a_plain_tuple_of_events(session: CustomerSession) -> None:
    """What an earlier version pickled is read, and the other way about."""
    state = session.__getstate__()
    assert state["_pending_events"] == tuple(session.pending_events)
    assert all(type(event) is SessionEvent for event in state["_pending_events"])


def test_the_constructor_takes_any_number(session: CustomerSession) -> None:
    pending = session.pending_events
    assert attrs.evolve(session, pending_events=pending).pending_events == pending


@pytest.mark.parametrize("wrong", [[1], [None] * 100, 5, ["a"] * 65])
def test_the_constructor_refuses_what_is_no_event(wrong: object) -> None:
    with pytest.raises(InvalidValue):
        attrs.evolve(CustomerSession.create("order-1"), pending_events=wrong)


def test_another_event_costs_the_same_however_many_there_are() -> None:
    """What is copied for another event is bounded."""
    session = CustomerSession.create("order-1")
    (event,) = session.pending_events
    pending = ()
    for _ in range(5000):
        pending = with_event(pending, event)
        assert len(pending) <= 64


def test_they_are_handed_on_by_a_class_of_ones_own() -> None:
    session = fresh().create("order-1")
    for _ in range(100):
        session.update()
    assert len(session.take_events()) == 101
