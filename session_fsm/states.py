"""The enumerations of a customer session: states, triggers, operations and built-in events, with what they mean.

All four are string enumerations whose values are Talon.One's own spelling, so that
``State.OPEN == "open"`` holds and either may be given wherever the library asks for one.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, TypeAlias

__all__ = [
    "MEANING_OF_STATE",
    "MEANING_OF_TRIGGER",
    "EventName",
    "EventNameLike",
    "Operation",
    "State",
    "StateLike",
    "Trigger",
    "TriggerLike",
]


class State(StrEnum):
    """The state of a customer session (F-11)."""

    OPEN = "open"
    """A cart: it may be modified as often as needed."""
    CLOSED = "closed"
    """An order: codes are redeemed, and nothing may be modified until it is reopened."""
    PARTIALLY_RETURNED = "partially_returned"
    """An order of which some or all units came back; it cannot be reopened."""
    CANCELLED = "cancelled"
    """The final state: the session no longer counts."""


class Trigger(StrEnum):
    """What can happen to a session; the value is also the name of the verb."""

    CREATE = "create"
    """Create a session, as open or closed."""
    UPDATE = "update"
    """Modify an open session."""
    CLOSE = "close"
    """Turn the cart into an order."""
    CANCEL = "cancel"
    """Cancel the cart or the order."""
    RETURN_ITEMS = "return_items"
    """Take units of a closed order back."""
    REOPEN = "reopen"
    """Turn a closed order back into a cart."""


# Type checkers find a misspelt literal. `State(text)` makes a member of any text.
StateLike: TypeAlias = State | Literal["open", "closed", "partially_returned", "cancelled"]
"""A state, as a member or as the word."""
TriggerLike: TypeAlias = Trigger | Literal["create", "update", "close", "cancel", "return_items", "reopen"]
"""A trigger, as a member or as the word."""


class Operation(StrEnum):
    """The API operation that performs a trigger."""

    UPDATE = "Update customer session"
    """PUT; the ``state`` of the request picks the trigger (D-07)."""
    RETURN = "Return cart items"
    """POST."""
    REOPEN = "Reopen customer session"
    """PUT, without a body."""


class EventName(StrEnum):
    """Talon.One's built-in events, one of which every successful trigger records."""

    CREATED = "talon_session_created"
    """A session was created, open or closed."""
    UPDATED = "talon_session_updated"
    """An open session was modified."""
    CLOSED = "talon_session_closed"
    """An open session became an order."""
    CANCELLED = "talon_session_cancelled"
    """An open session was cancelled."""
    REVOKED = "talon_session_revoked"
    """An order, closed or partially returned, was cancelled."""
    PARTIALLY_RETURNED = "talon_session_partially_returned"
    """Units of an order came back."""
    REOPENED = "talon_session_reopened"
    """A closed order became a cart again."""


EventNameLike: TypeAlias = (
    EventName
    | Literal[
        "talon_session_created",
        "talon_session_updated",
        "talon_session_closed",
        "talon_session_cancelled",
        "talon_session_revoked",
        "talon_session_partially_returned",
        "talon_session_reopened",
    ]
)
"""The name of an event, as a member or as the word."""

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
