"""Hypothesis finds a strategy for the library's types by itself."""

import subprocess
import sys
from importlib.metadata import entry_points
from typing import Any

import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from session_fsm import (
    AdditionalCost,
    CartItem,
    CustomerSession,
    ExperimentVariantAllocation,
    Product,
    ReturnedCartItem,
    SessionEvent,
    SessionUpdate,
    hypothesis_types,
)

VALUES = [AdditionalCost, CartItem, ExperimentVariantAllocation, Product, ReturnedCartItem, SessionUpdate]


@pytest.mark.parametrize("kind", [*VALUES, CustomerSession, SessionEvent])
def test_a_type_of_the_library_is_drawn_by_its_name(kind: type[Any]) -> None:
    hypothesis_types.register()
    assert type(find(st.from_type(kind), lambda _: True)) is kind


@given(st.data())
def test_a_function_is_called_with_what_its_parameters_are_annotated_with(data: st.DataObject) -> None:
    def handle(item: CartItem, session: CustomerSession) -> tuple[str, str]:
        return item.sku, session.integration_id

    sku, session_id = data.draw(st.builds(handle))
    assert sku
    assert session_id


def test_hypothesis_registers_them_when_it_is_imported() -> None:
    (entry,) = entry_points(group="hypothesis", name="session-fsm")
    assert entry.load() is hypothesis_types.register
    program = (
        "from hypothesis import strategies; from session_fsm import CartItem; strategies.from_type(CartItem).example()"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True)
