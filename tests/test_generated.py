"""Generated functions do what their plain definitions do."""

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_fsm import CartItem, CustomerSession, Decision, ReturnedCartItem, SessionEvent, SessionUpdate, Violation
from session_fsm.generated import evolver, filled_reader, maker, reader
from session_fsm.testing import cart_items, sessions, updates
from session_fsm.values import FIELDS_OF_UPDATE, UNSET

_events = sessions().map(lambda session: session.pending_events[-1])
_decisions = sessions().map(lambda session: session.evaluate("close"))
_violations = st.builds(Violation, code=st.text(max_size=3), message=st.text(max_size=3))
_returned = st.builds(ReturnedCartItem, position=st.integers(0, 9))
KINDS: dict[type[Any], st.SearchStrategy[Any]] = {
    CartItem: cart_items(),
    SessionUpdate: updates(),
    SessionEvent: _events,
    Decision: _decisions,
    Violation: _violations,
    ReturnedCartItem: _returned,
}


def held_by(value: Any) -> tuple[Any, ...]:
    return tuple(getattr(value, attribute.name) for attribute in attrs.fields(type(value)))


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_reader_returns_what_the_fields_hold(kind: type[Any], data: st.DataObject) -> None:
    value = data.draw(KINDS[kind])
    assert reader(kind)(value) == held_by(value)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_what_is_made_is_what_the_class_makes(kind: type[Any], data: st.DataObject) -> None:
    value = data.draw(KINDS[kind])
    made = maker(kind)(*held_by(value))
    assert type(made) is kind
    assert made == value
    assert held_by(made) == held_by(value)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(made, attrs.fields(kind)[0].name, None)


@given(cart_items(), st.integers(0, 99))
def test_a_copy_differs_in_one_field(item: CartItem, position: int) -> None:
    copied = evolver(CartItem, "position")(item, position)
    assert type(copied) is CartItem
    assert copied == attrs.evolve(item, position=position)


def test_a_copy_of_a_subclass_keeps_its_class() -> None:
    @attrs.frozen(kw_only=True)
    class Parcel(CartItem):
        colour: str = "red"

    parcel = evolver(CartItem, "position")(Parcel(sku="A", quantity=1, colour="blue"), 3)
    assert parcel == Parcel(sku="A", quantity=1, colour="blue", position=3)


@given(updates())
def test_the_fields_that_are_filled_are_returned_by_name(update: SessionUpdate) -> None:
    plainly = {name: value for name in FIELDS_OF_UPDATE if (value := getattr(update, name)) is not UNSET}
    assert filled_reader(FIELDS_OF_UPDATE, UNSET)(update) == plainly
    assert list(plainly) == [name for name in FIELDS_OF_UPDATE if name in plainly]


def test_a_session_is_read_as_it_is() -> None:
    session = CustomerSession.create("order-1")
    assert reader(CustomerSession)(session) == held_by(session)
