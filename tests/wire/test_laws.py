"""Laws of reading and writing, for sessions, updates, returns and events alike."""

import json
from decimal import Decimal
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from session_fsm import AdditionalCost, CartItem, CustomerSession, SessionEvent, SessionUpdate, wire
from session_fsm.testing import returns, sessions, updates
from session_fsm.testing.strategies.values import amounts


def held(session: CustomerSession) -> dict[str, Any]:
    """Return what a session holds, but its events, which are no part of its document."""
    return {a.name: getattr(session, a.name) for a in attrs.fields(type(session)) if not a.name.startswith("_")}


class TestSessions:
    @given(sessions())
    def test_what_was_written_reads_as_it_was(self, session: CustomerSession) -> None:
        assert held(wire.loads(wire.dumps(session))) == held(session)
        assert held(wire.structure(wire.unstructure(session), strict=True)) == held(session)

    @given(sessions())
    def test_writing_is_stable(self, session: CustomerSession) -> None:
        text = wire.dumps(session)
        assert wire.dumps(wire.loads(text)) == text

    @given(sessions(), st.integers(0, 4))
    def test_the_layout_is_no_part_of_the_document(self, session: CustomerSession, indent: int) -> None:
        assert json.loads(wire.dumps(session, indent=indent)) == json.loads(wire.dumps(session))

    @given(sessions())
    def test_one_that_was_read_lives_on_as_the_other_does(self, session: CustomerSession) -> None:
        read = wire.loads(wire.dumps(session))
        now = session.updated
        for trigger, decision in session.board(now=now).items():
            other = read.board(now=now)[trigger]
            assert (decision.allowed, decision.target, decision.violations) == (
                other.allowed,
                other.target,
                other.violations,
            )


class TestRequests:
    @given(updates())
    def test_an_update_comes_back_field_by_field(self, update: SessionUpdate) -> None:
        assert wire.loads(wire.dumps(update), SessionUpdate, strict=True) == update
        assert wire.loads(b'{"customerSession":' + wire.dumps(update) + b"}", SessionUpdate) == update

    @given(returns())
    def test_a_return_comes_back_entry_by_entry(self, entries: list[Any]) -> None:
        request = wire.ReturnRequest(returned_cart_items=entries)
        assert wire.loads(wire.dumps(request), wire.ReturnRequest, strict=True) == request

    @given(sessions())
    def test_an_event_comes_back_as_it_was(self, session: CustomerSession) -> None:
        for event in session.take_events():
            assert wire.loads(wire.dumps(event), SessionEvent, strict=True) == event


class TestNumbers:
    """M-05: the digits that went in come out."""

    @given(amounts())
    def test_an_amount_survives_digit_for_digit(self, amount: Decimal) -> None:
        item = CartItem(sku="A", quantity=1, price=amount, additional_costs={"wrap": AdditionalCost(amount)})
        (read,) = wire.loads(wire.dumps(SessionUpdate(cart_items=[item])), SessionUpdate).cart_items
        for price in (read.price, read.additional_costs["wrap"].price):
            assert price.as_tuple() == amount.as_tuple() or (price == amount and amount.as_tuple().exponent > 0)

    @given(amounts())
    def test_so_does_a_number_in_an_attribute(self, amount: Decimal) -> None:
        (read,) = wire.loads(wire.dumps(SessionUpdate(attributes={"a": amount})), SessionUpdate).attributes.values()
        assert read == amount

    def test_even_a_whole_one_beyond_64_bits(self) -> None:
        """What is written of it looks like an integer that no field could hold."""
        for amount in (Decimal("5.5E+31"), Decimal(2**63), Decimal(-(2**63) - 1)):
            (read,) = wire.loads(wire.dumps(SessionUpdate(attributes={"a": amount})), SessionUpdate).attributes.values()
            assert (read, type(read)) == (amount, Decimal)
