"""The session class of this shop: the built-in rules and one rule of the shop."""

from session_fsm import CartItem, CustomerSession, State, Trigger, Violation, rule

__all__ = ["HEAVIEST_PARCEL", "ShopSession", "parcel_can_be_carried"]

HEAVIEST_PARCEL = 30_000
"""In grams."""


@rule("parcel_too_heavy", on=[Trigger.CREATE, Trigger.CLOSE], target=State.CLOSED)
def parcel_can_be_carried(cart_items: tuple[CartItem, ...]) -> Violation | None:
    """The items of an order must not weigh more than 30 kg together."""
    weight = sum((item.weight or 0) * item.quantity for item in cart_items)
    if weight <= HEAVIEST_PARCEL:
        return None
    return Violation(
        message=f"The items weigh {weight} g; a parcel weighs at most {HEAVIEST_PARCEL} g.",
        details={"weight": weight, "limit": HEAVIEST_PARCEL},
        pointer="/cartItems",
    )


class ShopSession(CustomerSession):
    """A session of the shop."""

    rules = (*CustomerSession.rules, parcel_can_be_carried)
