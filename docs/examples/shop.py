# ruff: noqa: INP001 - imported as docs.examples.shop
"""The session class of a web shop, with its own rules and optional rules."""

from decimal import Decimal

from session_fsm import CustomerSession, State, Trigger, rule
from session_fsm.rules import (
    additional_costs_are_declared,
    attributes_are_declared,
    coupon_code_required,
    identifier_required,
)

__all__ = ["ShopSession", "order_is_worth_ten"]


@rule("minimum_order_missed", on=[Trigger.CREATE, Trigger.CLOSE], target=State.CLOSED)
def order_is_worth_ten(cart_item_total: Decimal) -> bool:
    """The items of an order must be worth at least 10."""
    return cart_item_total >= 10


class ShopSession(CustomerSession):
    """A session of the shop."""

    rules = (
        *CustomerSession.rules,
        order_is_worth_ten,
        coupon_code_required,
        identifier_required,
        attributes_are_declared(session=["ShippingCity"], cart_item=["colour"]),
        additional_costs_are_declared(session=["shipping"], cart_item=["gift_wrap"]),
    )
