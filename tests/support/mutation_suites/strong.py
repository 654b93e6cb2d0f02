"""A strong suite: each rule alone, on every transition that it guards, and at its limit."""

import pytest
from mutation_suites.bakery import BakerySession

from session_fsm import CartItem, RuleViolated


def cart(price):
    return [CartItem(sku="CAKE", quantity=1, price=price)]


def codes_of(refusal):
    return {violation.code for violation in refusal.value.violations}


def test_an_order_of_ten_is_accepted():
    BakerySession.create("order-1", cart_items=cart(10)).close(coupon_codes=["SWEET"])


def test_an_order_of_less_is_refused():
    with pytest.raises(RuleViolated) as refusal:
        BakerySession.create("order-1", cart_items=cart("9.99")).close(coupon_codes=["SWEET"])
    assert codes_of(refusal) == {"order_too_small"}


def test_an_order_without_a_coupon_is_refused():
    with pytest.raises(RuleViolated) as refusal:
        BakerySession.create("order-1", cart_items=cart(10)).close()
    assert codes_of(refusal) == {"coupon_code_required"}


def test_an_order_that_is_created_closed_needs_a_coupon_too():
    with pytest.raises(RuleViolated) as refusal:
        BakerySession.create("order-1", state="closed")
    assert codes_of(refusal) == {"coupon_code_required"}
    BakerySession.create("order-1", state="closed", coupon_codes=["SWEET"])
