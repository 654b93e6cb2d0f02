"""States and triggers as parts of a sentence."""

from collections.abc import Mapping
from types import MappingProxyType

from session_fsm.states import State, Trigger

__all__ = ["CAN_BE", "DOING", "SOMETHING_OF", "TRIGGERING"]

SOMETHING_OF: Mapping[State, str] = MappingProxyType(
    {
        State.OPEN: "an open session",
        State.CLOSED: "a closed session",
        State.PARTIALLY_RETURNED: "a partially returned session",
        State.CANCELLED: "a cancelled session",
    }
)
"""A session in a state."""

CAN_BE: Mapping[Trigger, str] = MappingProxyType(
    {
        Trigger.CREATE: "be created",
        Trigger.UPDATE: "be updated",
        Trigger.CLOSE: "be closed",
        Trigger.CANCEL: "be cancelled",
        Trigger.RETURN_ITEMS: "have items returned",
        Trigger.REOPEN: "be reopened",
    }
)
"""What a session can or cannot."""

DOING: Mapping[Trigger, str] = MappingProxyType(
    {
        Trigger.CREATE: "creating",
        Trigger.UPDATE: "updating",
        Trigger.CLOSE: "closing",
        Trigger.CANCEL: "cancelling",
        Trigger.RETURN_ITEMS: "returning items of",
        Trigger.REOPEN: "reopening",
    }
)
"""What is done to a session."""

TRIGGERING: Mapping[Trigger, str] = MappingProxyType(
    {
        Trigger.CREATE: "a creation",
        Trigger.UPDATE: "an update",
        Trigger.CLOSE: "a closing",
        Trigger.CANCEL: "a cancellation",
        Trigger.RETURN_ITEMS: "a return",
        Trigger.REOPEN: "a reopening",
    }
)
"""One use of a trigger."""
