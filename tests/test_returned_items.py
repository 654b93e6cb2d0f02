"""What came back is in the event, resolved, and the session adds up what a refund needs (M-08)."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import attrs
import pytest
from builders import add_callback, at_minute, cart, cart_session, fresh
from hypothesis import given
from hypothesis import strategies as st

from session_fsm import (
    CartItem,
    CustomerSession,
    InvalidValue,
    ReturnedCartItem,
    RuleViolated,
    SessionEvent,
    WireError,
    wire,
)
from session_fsm.testing import carts, returns


def watched() -> type[CustomerSession]:
    cls = fresh()
    add_callback(cls, "after", lambda event_data: None)
    return cls


def item(position: int | None = None, quantity: int | None = None, sku: str | None = None) -> ReturnedCartItem:
    return ReturnedCartItem(position=position, quantity=quantity, sku=sku)


@pytest.mark.parametrize("cls", [CustomerSession, watched()], ids=["fast path", "slow path"])
class TestEvents:
    """An event of a return has one entry for each item of which units came back, in the order of the cart."""

    def test_an_item_of_which_nothing_came_back_is_not_named(self, cls: type[CustomerSession]) -> None:
        """Without the built-in rules a class may let an item come back that is back already."""
        session = cart_session(1, 2, cls=type("Lenient", (cls,), {"rules": ()}))
        session.return_items([item(0)])
        assert session.return_items([item(0), item(1, 1)]).returned_items == (item(1, 1, "B"),)

    @pytest.mark.parametrize(
        ("asked", "came_back"),
        [
            ([item(sku="A")], [item(0, 3, "A")]),
            ([item(position=1)], [item(1, 2, "B")]),
            ([item(0, 1), item(sku="B", quantity=2)], [item(0, 1, "A"), item(1, 2, "B")]),
            ([item(1, 1), item(sku="A"), item(1, 1)], [item(0, 3, "A"), item(1, 2, "B")]),
            ([item(0, 1), item(0, 1, "A"), item(sku="A", quantity=1)], [item(0, 3, "A")]),
        ],
    )
    def test_they_are_resolved(self, cls: type[CustomerSession], asked: Any, came_back: Any) -> None:
        session = cart_session(3, 2, cls=cls)
        expected = tuple(came_back)
        after = session.evaluate("return_items", asked).after
        assert after is not None
        assert after.pending_events[-1].returned_items == expected
        event = session.return_items(asked)
        assert event.returned_items == expected
        assert event.change == tuple(asked)
        assert session.pending_events[-1] is event

    def test_a_later_return_has_its_own_units_alone(self, cls: type[CustomerSession]) -> None:
        session = cart_session(3, 2, cls=cls)
        session.return_items([item(0, 1)])
        event = session.return_items([item(sku="A"), item(1, 1)])
        assert event.returned_items == (item(0, 2, "A"), item(1, 1, "B"))
        assert session.return_items(session.remaining_items()).returned_items == (item(1, 1, "B"),)
        assert session.remaining_items() == ()

    def test_other_events_have_none(self, cls: type[CustomerSession]) -> None:
        session = cls.create("order-1", cart_items=cart(2))
        session.close()
        session.return_items([item(0, 1)])
        session.cancel()
        assert [bool(event.returned_items) for event in session.pending_events] == [False, False, True, False]

    def test_they_are_written_and_read(self, cls: type[CustomerSession]) -> None:
        event = cart_session(3, 2, cls=cls).return_items([item(sku="B", quantity=1), item(position=0)])
        document = wire.unstructure(event)
        assert document["returnedItems"] == [
            {"position": 0, "quantity": 3, "sku": "A"},
            {"position": 1, "quantity": 1, "sku": "B"},
        ]
        assert document["change"] == {"returnedCartItems": [{"sku": "B", "quantity": 1}, {"position": 0}]}
        assert wire.structure(document, SessionEvent) == wire.loads(wire.dumps(event), SessionEvent) == event


class TestDocuments:
    def test_an_event_without_returned_items_does_not_mention_them(self) -> None:
        event = CustomerSession.create("order-1").close()
        assert b"returnedItems" not in wire.dumps(event)
        assert "returnedItems" not in wire.unstructure(event)

    def test_wrong_ones_are_refused_with_their_place(self) -> None:
        document = wire.unstructure(CustomerSession.create("order-1").close())
        for value, pointer in (
            ([{"position": -1}], "/returnedItems/0/position"),
            ([{"quantity": 0}], "/returnedItems/0/quantity"),
            ({"position": 1}, "/returnedItems"),
        ):
            with pytest.raises(WireError) as refusal:
                wire.structure(document | {"returnedItems": value}, SessionEvent)
            assert refusal.value.problems[0].pointer == pointer
        with pytest.raises(InvalidValue):
            attrs.evolve(CustomerSession.create("order-1").close(), returned_items=[1])

    def test_an_event_that_was_pickled_before_there_were_any_is_read(self) -> None:
        event = cart_session(1).return_items([item(0)])
        state = {name: value for name, value in event.__getstate__().items() if name != "returned_items"}
        old = SessionEvent.__new__(SessionEvent)
        old.__setstate__(state)
        assert old.returned_items == ()
        assert old.change == event.change


class TestAmounts:
    """M-08: exact, before any discount, and not on the wire."""

    def test_they_add_up_to_the_cart(self) -> None:
        session = cart_session(3, 2)  # at 1.50 and 2.50
        assert (session.returned_item_total, session.remaining_item_total) == (0, Decimal("9.50"))
        session.return_items([item(0, 1), item(1, 2)])
        assert (session.returned_item_total, session.remaining_item_total) == (Decimal("6.50"), Decimal("3.00"))
        assert session.cart_item_total == session.total == Decimal("9.50")
        session.cancel()
        assert session.returned_item_total == Decimal("6.50")
        assert b"eturnedItemTotal" not in wire.dumps(session)
        assert b"emainingItemTotal" not in wire.dumps(session)

    def test_they_are_exact_and_items_without_a_price_count_nothing(self) -> None:
        session = CustomerSession.create(
            "order-1",
            cart_items=[
                CartItem(sku="A", quantity=3, price="0.1"),
                CartItem(sku="B", quantity=2),
                CartItem(sku="C", quantity=2, price="-9999999999999999999999999999.9999999999"),
            ],
            state="closed",
        )
        session.return_items(session.remaining_items())
        assert str(session.returned_item_total) == "-19999999999999999999999999999.6999999998"
        assert session.remaining_item_total == 0

    @given(items=carts(at_least=1), data=st.data())
    def test_what_each_event_says_adds_up_to_what_came_back(self, items: Any, data: st.DataObject) -> None:
        """A refund can be computed of one event and the prices in the cart."""
        session = CustomerSession.create("order-1", cart_items=items, state="closed", now=at_minute(0))
        refunded = Fraction(0)
        for minute in (1, 2):
            if not session.remaining_items():
                break
            event = session.return_items(data.draw(returns(session)), now=at_minute(minute))
            read = wire.loads(wire.dumps(event), SessionEvent)
            for entry in read.returned_items:
                price = session.cart_items[entry.position or 0].price or Decimal(0)
                refunded += Fraction(price) * (entry.quantity or 0)
        assert sum(entry.quantity or 0 for entry in session.remaining_items()) == sum(
            one.remaining_quantity for one in session.cart_items
        )
        assert refunded == Fraction(session.returned_item_total)


class TestEverythingThatRemains:
    def test_it_is_taken_back_in_one_line(self) -> None:
        session = cart_session(3, 2)
        session.return_items([item(0, 3)])
        assert session.remaining_items() == (item(1, 2, "B"),)
        assert session.return_items(session.remaining_items()).returned_items == (item(1, 2, "B"),)

    def test_it_works_where_skus_are_ambiguous(self) -> None:
        session = CustomerSession.create(
            "order-1", cart_items=[CartItem(sku="A", quantity=1), CartItem(sku="A", quantity=2)], state="closed"
        )
        event = session.return_items(session.remaining_items())
        assert event.returned_items == (item(0, 1, "A"), item(1, 2, "A"))

    def test_where_nothing_remains_there_is_nothing_to_return(self) -> None:
        session = cart_session(1)
        session.return_items(session.remaining_items())
        with pytest.raises(RuleViolated) as refusal:
            session.return_items(session.remaining_items())
        assert [violation.code for violation in refusal.value.violations] == ["nothing_to_return"]

    def test_a_return_of_nothing_in_particular_is_refused(self) -> None:
        """Too easily done by accident."""
        with pytest.raises(TypeError):
            cart_session(1).return_items()  # type: ignore[call-arg]  # that is the point
