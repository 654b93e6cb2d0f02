"""The words of the life of a customer session: states, triggers, operations and built-in events.

All four are string enumerations whose values are Talon.One's own spelling, so that
``State.OPEN == "open"`` holds and either may be given wherever the library asks for one.
"""

from enum import StrEnum
from typing import Literal, TypeAlias

__all__ = ["EventName", "EventNameLike", "Operation", "State", "StateLike", "Trigger", "TriggerLike"]


class State(StrEnum):
    """Where a customer session stands (F-11)."""

    OPEN = "open"
    """A cart: it may be modified as often as needed."""
    CLOSED = "closed"
    """An order: codes are redeemed, and nothing may be modified until it is reopened."""
    PARTIALLY_RETURNED = "partially_returned"
    """An order of which some or all units came back; it cannot be reopened."""
    CANCELLED = "cancelled"
    """The end: the session no longer counts, and nothing leads out of here."""


class Trigger(StrEnum):
    """What may be asked of a session; the value is also the name of the method that asks for it."""

    CREATE = "create"
    """Bring a session into being, as open or closed. The other five move one that exists."""
    UPDATE = "update"
    """Modify an open session."""
    CLOSE = "close"
    """Turn the cart into an order."""
    CANCEL = "cancel"
    """Call the cart, or the order, off."""
    RETURN_ITEMS = "return_items"
    """Take units of a closed order back."""
    REOPEN = "reopen"
    """Turn a closed order back into a cart."""


# A type checker finds a misspelt word among these. Who holds any text makes a member of it: `State(text)`.
StateLike: TypeAlias = State | Literal["open", "closed", "partially_returned", "cancelled"]
"""A state, as a member or as the word."""
TriggerLike: TypeAlias = Trigger | Literal["create", "update", "close", "cancel", "return_items", "reopen"]
"""A trigger, as a member or as the word."""


class Operation(StrEnum):
    """The API call that carries a trigger."""

    UPDATE = "Update customer session"
    """PUT; its wanted ``state`` says which trigger is meant."""
    RETURN = "Return cart items"
    """POST."""
    REOPEN = "Reopen customer session"
    """PUT, without a body."""


class EventName(StrEnum):
    """Talon.One's built-in events, one of which every successful trigger records."""

    CREATED = "talon_session_created"
    """A session came into being, open or closed."""
    UPDATED = "talon_session_updated"
    """An open session was modified."""
    CLOSED = "talon_session_closed"
    """An open session became an order."""
    CANCELLED = "talon_session_cancelled"
    """An open session was called off."""
    REVOKED = "talon_session_revoked"
    """An order, closed or partially returned, was called off."""
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
