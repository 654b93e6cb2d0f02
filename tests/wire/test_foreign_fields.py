"""Fields of a subclass that hold somebody else's classes: they are read by their types, and problems have their place all the same."""

import attrs
import pytest
from wire_documents import session_with

from session_fsm import CustomerSession, WireError, wire


@attrs.frozen
class Address:
    street: str
    floor: int


@attrs.define(kw_only=True)
class DeliveredSession(CustomerSession):
    address: Address


def test_a_class_of_somebody_elses_is_read() -> None:
    session = wire.structure(session_with(address={"street": "Quay 4", "floor": 2}), DeliveredSession)
    assert session.address == Address("Quay 4", 2)


def test_all_problems_within_it_are_reported_at_their_places() -> None:
    with pytest.raises(WireError) as caught:
        wire.structure(session_with(address={"street": 5, "floor": True}, total="x"), DeliveredSession)
    assert sorted(problem.pointer for problem in caught.value.problems) == [
        "/address/floor",
        "/address/street",
        "/total",
    ]
