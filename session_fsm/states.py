"""The enumerations of a customer session: states, triggers, operations and built-in events, with what they mean.

All four are string enumerations whose values are Talon.One's own spelling, so that
``State.OPEN == "open"`` holds and either may be given wherever the library asks for one.
"""

from enum import StrEnum
from typing import Literal, TypeAlias

__all__ = ["EventName", "EventNameLike", "Operation", "State", "StateLike", "Trigger", "TriggerLike"]


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
