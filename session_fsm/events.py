"""Session events: one for every successful trigger. And the form in which a session holds its pending events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import reduce
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import field, frozen

from session_fsm.converters import to_tuple
from session_fsm.entities import pickled_with_defaults
from session_fsm.errors import Problem
from session_fsm.json_values import EMPTY, freeze_map, json_map
from session_fsm.pydantic_hook import PydanticType
from session_fsm.states import EventName, State, Trigger
from session_fsm.validators import instance_of, integer, list_of, member_of, text, time, validate
from session_fsm.values import ReturnedCartItem, SessionUpdate

__all__ = ["LONGEST_PENDING", "Pending", "SessionEvent", "as_pending", "events_in", "with_event"]

_returned = list_of(instance_of(ReturnedCartItem))


def _change(value: object) -> str | list[Problem] | None:
    if isinstance(value, tuple):
        return _returned(value)
    return instance_of(SessionUpdate)(value)


if TYPE_CHECKING:  # as in `session_fsm.values`

    def _to_entries(value: Iterable[ReturnedCartItem]) -> tuple[ReturnedCartItem, ...]: ...
    def _to_context(value: Mapping[str, Any]) -> Mapping[str, Any]: ...
else:
    _to_entries, _to_context = to_tuple, freeze_map


@pickled_with_defaults
@frozen(kw_only=True, weakref_slot=False)
class SessionEvent(PydanticType):
    """A successful trigger: the transition, its time and its argument."""

    name: EventName = field(validator=validate(member_of(EventName)))
    """Talon.One's name of the event."""
    session_id: str = field(validator=validate(text(at_least=1, at_most=1000)))
    """The integration ID of the session."""
    trigger: Trigger = field(validator=validate(member_of(Trigger)))
    """The trigger."""
    source: State | None = field(default=None, validator=validate(member_of(State), optional=True))
    """The state before; None at creation."""
    target: State = field(validator=validate(member_of(State)))
    """The state after."""
    at: datetime = field(validator=validate(time))
    """When, with its time zone."""
    update_count: int = field(validator=validate(integer(at_least=1)))
    """The session's `update_count` after the event."""
    change: SessionUpdate | tuple[ReturnedCartItem, ...] | None = field(
        default=None, validator=validate(_change, optional=True)
    )
    """The trigger's argument: the changes, the returned items, or None."""
    returned_items: tuple[ReturnedCartItem, ...] = field(
        default=(), converter=_to_entries, validator=validate(_returned)
    )
    """What a return took back: for each item its position, its SKU and the units, in the order of the cart.

    `change` is what was asked: it may name an item by its SKU alone, and leave the quantity open.
    """
    context: Mapping[str, Any] = field(default=EMPTY, converter=_to_context, validator=validate(json_map))
    """What the caller gave as ``context=``: who asked, and why. The service decides what it holds."""


LONGEST_PENDING = 64
"""The length at which a new tuple of pending events begins.

A session holds its pending events as a tuple, so that copies share it and a trigger replaces it in the one step that
sets all fields. A tuple of thousands would take longer to extend than a trigger takes.
"""


@frozen
class _Earlier:
    """The first entry of a tuple of pending events that begins where another one has reached its length."""

    pending: Pending


Pending: TypeAlias = "tuple[SessionEvent | _Earlier, ...]"
"""Pending events, oldest first, as a session holds them."""


def with_event(pending: Pending, event: SessionEvent) -> Pending:
    """Return *pending* and *event*, in a time that does not grow with the number of events."""
    if len(pending) < LONGEST_PENDING:
        return pending + (event,)  # noqa: RUF005 - faster than unpacking, and every trigger calls this
    return (_Earlier(pending), event)


def events_in(pending: Pending) -> list[SessionEvent]:
    """Return the events of *pending*, oldest first."""
    if not pending or type(pending[0]) is not _Earlier:
        return list(pending)  # type: ignore[arg-type]  # they are events
    parts = [pending]
    while parts[-1] and isinstance(first := parts[-1][0], _Earlier):
        parts.append(first.pending)
    return [one for part in reversed(parts) for one in part if not isinstance(one, _Earlier)]


def as_pending(events: Iterable[SessionEvent]) -> Pending:
    """Return *events*, or what `with_event` returned, as `with_event` would make them one by one."""
    given: Pending = to_tuple(events)
    if type(given) is not tuple or len(given) <= LONGEST_PENDING:
        return given  # if its type is wrong, the validator says so
    none: Pending = ()
    return reduce(with_event, events_in(given), none)
