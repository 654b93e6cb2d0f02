"""A Hypothesis strategy for JSON documents in the forms that Talon.One's API and its clients may write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import NOTHING, fields
from hypothesis import strategies as st

from session_fsm.errors import InvalidValue
from session_fsm.events import SessionEvent
from session_fsm.session import CustomerSession
from session_fsm.states import StateLike
from session_fsm.testing.strategies.sessions import sessions
from session_fsm.testing.strategies.values import built, returns, values_of
from session_fsm.validators import wire_name
from session_fsm.values import CartItem, SessionUpdate
from session_fsm.wire import ReturnRequest, unstructure
from session_fsm.wire.encoding import encode_value

__all__ = ["json_documents", "written_values"]

_WRAPPERS = {CustomerSession: "customerSession", SessionUpdate: "customerSession", ReturnRequest: "return"}


def written_values(
    kind: type[Any],
    *,
    state: StateLike | None = None,
    own: Mapping[str, Any] | None = None,
    changes: st.SearchStrategy[SessionUpdate] | None = None,
) -> st.SearchStrategy[Any]:
    """Draw the value of a document of *kind*. Takes and raises what `json_documents` does."""
    if issubclass(kind, CustomerSession):
        return sessions(kind, state, own=own, changes=changes)
    if kind is SessionEvent:
        return built(lambda session: session.pending_events[-1], sessions())
    if kind is ReturnRequest:
        return built(lambda entries: ReturnRequest(returned_cart_items=entries), returns())
    if kind in (SessionUpdate, CartItem):
        return values_of(kind)
    raise InvalidValue("/kind", f"{kind!r:.60} is not a supported kind of document")


def json_documents(
    kind: type[Any] = CustomerSession,
    *,
    state: StateLike | None = None,
    own: Mapping[str, Any] | None = None,
    changes: st.SearchStrategy[SessionUpdate] | None = None,
) -> st.SearchStrategy[str]:
    """Draw JSON text that reads as *kind*.

    The text may have unknown members, null for absent members, any order, any indentation, and the API's wrapper.

    Args:
        kind: `CustomerSession` or a subclass, `SessionUpdate`, `session_fsm.wire.ReturnRequest`, `SessionEvent` or
            `CartItem`.
        state: the state of a session; any by default.
        own: what a creation gives to the fields that a subclass adds.
        changes: draws the changes of creations, updates and closings, for rules with special requirements.

    Raises:
        InvalidValue: *kind* is none of these.
    """
    values = written_values(kind, state=state, own=own, changes=changes)

    @st.composite
    def draw_text(draw: st.DrawFn) -> str:
        document = unstructure(draw(values))
        absent = [
            wire_name(a.name) for a in fields(kind) if a.default is not NOTHING and wire_name(a.name) not in document
        ]
        if draw(st.booleans()):
            document |= draw(
                st.dictionaries(st.sampled_from(["futureField", "x-internal"]), st.integers() | st.none(), max_size=2)
            )
            document |= dict.fromkeys(draw(st.lists(st.sampled_from(absent), max_size=2)) if absent else [])
            document = dict(draw(st.permutations(list(document.items()))))
        wrapper = next((name for base, name in _WRAPPERS.items() if issubclass(kind, base)), None)
        if wrapper and draw(st.booleans()):
            document = {wrapper: document}
        return encode_value(document, draw(st.none() | st.integers(0, 4))).decode()

    return draw_text()
