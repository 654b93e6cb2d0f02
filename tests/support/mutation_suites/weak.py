"""A weak suite: full line coverage, every rule passes and refuses, yet most mutants survive."""

import pytest
from mutation_suites.bakery import BakerySession

from session_fsm import CartItem, RuleViolated


def test_a_small_order_without_a_coupon_is_refused():
    session = BakerySession.create("order-1", cart_items=[CartItem(sku="BUN", quantity=1, price=1)])
    with pytest.raises(RuleViolated):
        session.close()


def test_a_large_order_with_a_coupon_is_accepted():
    session = BakerySession.create("order-1", cart_items=[CartItem(sku="CAKE", quantity=1, price=50)])
    session.close(coupon_codes=["SWEET"])
    assert session.state == "closed"
