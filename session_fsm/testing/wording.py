"""English words for states and triggers, from which mutants, lint and diff build sentences."""

from collections.abc import Mapping
from types import MappingProxyType

from session_fsm.states import State, Trigger

__all__ = ["GERUND", "INFINITIVE", "NOUN", "SESSION_IN"]

SESSION_IN: Mapping[State, str] = MappingProxyType(
    {
        State.OPEN: "an open session",
        State.CLOSED: "a closed session",
        State.PARTIALLY_RETURNED: "a partially returned session",
        State.CANCELLED: "a cancelled session",
    }
)
"""A session in the state, as a noun phrase."""

INFINITIVE: Mapping[Trigger, str] = MappingProxyType(
    {
        Trigger.CREATE: "be created",
        Trigger.UPDATE: "be updated",
        Trigger.CLOSE: "be closed",
        Trigger.CANCEL: "be cancelled",
        Trigger.RETURN_ITEMS: "have items returned",
        Trigger.REOPEN: "be reopened",
    }
)
"""The trigger as an infinitive, to follow "can" or "cannot"."""

GERUND: Mapping[Trigger, str] = MappingProxyType(
    {
        Trigger.CREATE: "creating",
        Trigger.UPDATE: "updating",
        Trigger.CLOSE: "closing",
        Trigger.CANCEL: "cancelling",
        Trigger.RETURN_ITEMS: "returning items of",
        Trigger.REOPEN: "reopening",
    }
)
"""The trigger as a gerund."""

NOUN: Mapping[Trigger, str] = MappingProxyType(
    {
        Trigger.CREATE: "a creation",
        Trigger.UPDATE: "an update",
        Trigger.CLOSE: "a closing",
        Trigger.CANCEL: "a cancellation",
        Trigger.RETURN_ITEMS: "a return",
        Trigger.REOPEN: "a reopening",
    }
)
"""The trigger as a noun."""
