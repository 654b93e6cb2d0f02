"""What states and triggers mean to Talon.One, in words for people.

A library cannot redeem a coupon. Those who act on its events need to know what Talon.One does meanwhile, and
these are the words for it wherever they are shown: by the command, by diagrams, in documentation.
"""

from collections.abc import Mapping
from types import MappingProxyType

from session_fsm.states import State, Trigger

__all__ = ["MEANING_OF_STATE", "MEANING_OF_TRIGGER"]

MEANING_OF_STATE: Mapping[State, str] = MappingProxyType(
    {
        State.OPEN: "A cart. It may be modified as often as needed, and nothing is final yet.",
        State.CLOSED: (
            "An order. Its data enters campaign analytics, its codes are redeemed, and its loyalty points persist. "
            "It may not be modified until it is reopened."
        ),
        State.PARTIALLY_RETURNED: (
            "An order of which some or all units came back. The effects on the returned items are rolled back. "
            "More may come back, but it cannot be reopened."
        ),
        State.CANCELLED: (
            "The end. The data leaves campaign analytics, redeemed coupons become usable again, and budgets are "
            "reverted, except for coupon creation. Coupons that the session created are not deleted, and updates "
            "of attributes stay."
        ),
    }
)
"""What it means to Talon.One that a session is in a state."""

MEANING_OF_TRIGGER: Mapping[Trigger, str] = MappingProxyType(
    {
        Trigger.CREATE: "Brings a session into being, as a cart or, with the state closed, as an order at once.",
        Trigger.UPDATE: (
            "Modifies an open session. What the request omits is kept, what it sends empty is discarded, and a "
            "value replaces; only the session's attributes are merged name by name."
        ),
        Trigger.CLOSE: (
            "Turns the cart into an order, after the same changes as an update may make. "
            "Without any, the cart closes as it stands."
        ),
        Trigger.CANCEL: "Calls the cart or the order off. Nothing leads back.",
        Trigger.RETURN_ITEMS: (
            "Takes units of an order back, item by item. Totals stay as they are, and even an order of which "
            "everything came back is partially_returned."
        ),
        Trigger.REOPEN: (
            "Turns a closed order, of which nothing came back, into a cart again. It rolls back what a cancellation "
            "rolls back, except free items, giveaways, coupon and referral creation, coupon reservations, custom "
            "effects and updates of attributes."
        ),
    }
)
"""What a trigger does to a session."""
