"""Tell Hypothesis how to draw the library's own types, so that `hypothesis.strategies.from_type` knows them.

Hypothesis calls `register` when it is imported (its entry point is in ``pyproject.toml``). The strategies are those of
`session_fsm.testing`, which is imported when the first of them is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from hypothesis import strategies as st

from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.values import (
    AdditionalCost,
    CartItem,
    ExperimentVariantAllocation,
    Product,
    ReturnedCartItem,
    SessionUpdate,
)

__all__ = ["register"]

VALUES: tuple[type[Any], ...] = (
    *(AdditionalCost, CartItem, ExperimentVariantAllocation, Product, ReturnedCartItem),
    SessionUpdate,
)


def register() -> None:
    """Register a strategy for every public type whose values applications make, hold or receive.

    A subclass of `CustomerSession` is not among them: Hypothesis looks for exactly the class that it was asked for.
    """
    for kind in VALUES:
        st.register_type_strategy(kind, _values_of)
    kinds: tuple[type[Any], ...] = (CustomerSession, SessionEvent)
    for kind in kinds:
        st.register_type_strategy(kind, _written_values)


def _values_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    strategy: st.SearchStrategy[Any] = import_module("session_fsm.testing.strategies.values").values_of(kind)
    return strategy


def _written_values(kind: type[Any]) -> st.SearchStrategy[Any]:
    strategy: st.SearchStrategy[Any] = import_module("session_fsm.testing.strategies.documents").written_values(kind)
    return strategy
