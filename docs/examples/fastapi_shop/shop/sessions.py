"""The session class of this shop: the built-in rules and two rules of the shop."""

from collections.abc import Iterator
from decimal import Decimal

from session_fsm import CustomerSession, ReturnedCartItem, State, Trigger, Violation, rule

__all__ = ["ShopSession", "gift_cards_stay_sold", "order_is_worth_ten"]


@rule("minimum_order_missed", on=[Trigger.CREATE, Trigger.CLOSE], target=State.CLOSED)
def order_is_worth_ten(cart_item_total: Decimal) -> Iterator[Violation]:
    """The items of an order must be worth at least 10."""
    if cart_item_total < 10:
        yield Violation(
            message=f"The items are worth {cart_item_total}; an order must be worth at least 10.",
            details={"total": cart_item_total, "minimum": 10},
            pointer="/cartItems",
        )


@rule("gift_card_returned", on=[Trigger.RETURN_ITEMS])
def gift_cards_stay_sold(session: CustomerSession, change: tuple[ReturnedCartItem, ...]) -> Iterator[Violation]:
    """A gift card must not be returned."""
    positions = {item.position for item in session.cart_items if item.category == "gift card"}
    skus = {item.sku for item in session.cart_items if item.category == "gift card"}
    for index, entry in enumerate(change):
        if entry.position in positions or entry.sku in skus:
            yield Violation(message="A gift card must not be returned.", pointer=f"/returnedCartItems/{index}")


class ShopSession(CustomerSession):
    """A session of the shop."""

    rules = (*CustomerSession.rules, order_is_worth_ten, gift_cards_stay_sold)
