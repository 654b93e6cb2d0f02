"""Hypothesis strategies for sessions with a history: in every state, reached by verbs that the class allows.

>>> from session_fsm import CustomerSession, State
>>> from hypothesis import find
>>> story = find(stories(CustomerSession, State.PARTIALLY_RETURNED), lambda story: True)
>>> print(story.code())
session = CustomerSession.create("order-1", state="closed", cart_items=[CartItem(sku="A", quantity=1)])
session.return_items([ReturnedCartItem(position=0)])
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from functools import lru_cache
from typing import Any

from attrs import evolve
from hypothesis import reject
from hypothesis import strategies as st

from session_fsm.converters import to_member
from session_fsm.errors import InvalidValue, SessionFSMError
from session_fsm.lifecycle import Row
from session_fsm.session import CustomerSession
from session_fsm.states import State, StateLike, Trigger
from session_fsm.testing.steps import BEGINNING, Contexts, Step, Story, contexts_of
from session_fsm.testing.strategies.values import integers, returns, updates
from session_fsm.values import UNSET, CartItem, ReturnedCartItem, SessionUpdate

__all__ = ["operations", "sessions", "stories"]

_LONGEST = 5
"""The most steps of a story."""
_MOST_SEQUENCES = 40
_MOST_REFUSALS, _UNLIMITED = 50, 10**9
"""How many draws of the caller's strategy may be refused before an error reports it."""

_usual: dict[str, Any] = {
    "coupon_codes": ["XMAS"],
    "referral_code": "FRIEND",
    "profile_id": "customer-7",
    "identifiers": ["ip-hash"],
}
_USUAL_CHANGES = SessionUpdate(**_usual)
"""Fields that rules often require."""
_SAFE_CHANGES = evolve(_USUAL_CHANGES, cart_items=[CartItem(sku="A", quantity=2, price="100")])
"""Changes that few rules refuse: with the usual fields and a priced item, and without attributes."""


class _Refused(Exception):
    """No variant of a step was accepted."""

    def __init__(self, row: Row, error: SessionFSMError) -> None:
        super().__init__(f"{row.trigger} into {row.target} is refused: {error}")


@lru_cache
def _row_sequences(table: Sequence[Row], state: State | None) -> list[tuple[Row, ...]]:
    """Return the shortest row sequences of *table* that end in *state*, or in any state, in order of length."""
    sequences: list[tuple[Row, ...]] = [(row,) for row in table if row.source is None]
    found: list[tuple[Row, ...]] = []
    while sequences and len(sequences[0]) <= _LONGEST:
        found += [sequence for sequence in sequences if state in (None, sequence[-1].target)]
        sequences = [(*sequence, row) for sequence in sequences for row in table if row.source is sequence[-1].target]
    return found[:_MOST_SEQUENCES]


class _StoryBuilder:
    """Draws one step after the other that the class accepts, and applies it to the session."""

    def __init__(
        self,
        draw: st.DrawFn,
        kind: type[CustomerSession],
        own: Mapping[str, Any],
        context: Contexts,
        session: CustomerSession | None = None,
    ) -> None:
        self.draw, self.kind, self.own, self.session = draw, kind, own, session
        self.contexts = contexts_of(context)

    def step(self, row: Row, changes: st.SearchStrategy[SessionUpdate], now: datetime, *, fill: bool = False) -> Step:
        """Draw a step of *row*, apply it and return it; with *fill*, the cart is not empty afterwards."""
        refusal: SessionFSMError = InvalidValue("/cartItems", "no unit remains to be returned")
        arguments = self._arguments(row, changes, fill=fill)
        for argument, context in ((argument, context) for argument in arguments for context in self.contexts):
            try:
                step = Step(row.trigger, argument, context=context)
                self.session, _ = step.take(self.session, self.kind, now, **self.own)
            except SessionFSMError as error:
                refusal = error
            else:
                return step
        raise _Refused(row, refusal)

    def _arguments(self, row: Row, changes: st.SearchStrategy[SessionUpdate], *, fill: bool) -> Iterator[Any]:
        """Yield arguments for a step of *row*: a drawn one, then ones that fewer rules refuse."""
        cart = () if self.session is None else self.session.cart_items
        if row.trigger is Trigger.RETURN_ITEMS:
            remaining = [item.position for item in cart if item.remaining_quantity]
            if remaining:
                yield self.draw(returns(self.session))
            for position in remaining:
                yield [ReturnedCartItem(position=position, quantity=1)]
        elif row.trigger in (Trigger.CREATE, Trigger.UPDATE, Trigger.CLOSE):
            state = row.target if row.source is None and row.target is not State.OPEN else UNSET
            drawn = evolve(self.draw(changes), state=state)
            if fill and not (cart if drawn.cart_items is UNSET else drawn.cart_items):
                drawn = evolve(drawn, cart_items=[CartItem(sku="A", quantity=1)])
            yield drawn
            yield evolve(
                drawn, **{name: value for name, value in _USUAL_CHANGES.given().items() if not getattr(drawn, name)}
            )
            yield evolve(_SAFE_CHANGES, state=state)
            yield SessionUpdate(state=state)
        else:
            yield None


class _RefusalLimit:
    """Limits the refused draws of the caller's strategy; without one, the first refusal is an error."""

    def __init__(self, kind: type, subject: str, *, custom: bool) -> None:
        self._kind, self._subject, self._custom = kind, subject, custom
        self._left = _MOST_REFUSALS if custom else 0

    def error(self, refused: Exception | None) -> Exception:
        """Reject the example, or return the error after too many refusals."""
        if self._left:
            self._left -= 1
            reject()
        hint = "changes= draws nothing" if self._custom else "give changes= a strategy that draws what"
        text = (
            f"the rules of {self._kind.__name__} allow {self._subject}; {hint} they accept. The last refusal: {refused}"
        )
        return InvalidValue("/changes", text)

    def reset(self) -> None:
        """Remove the limit after a success: the strategy can draw accepted changes."""
        if self._custom:
            self._left = _UNLIMITED


def stories(
    kind: type[CustomerSession] = CustomerSession,
    state: StateLike | None = None,
    *,
    own: Mapping[str, Any] | None = None,
    context: Contexts = None,
    changes: st.SearchStrategy[SessionUpdate] | None = None,
) -> st.SearchStrategy[Story]:
    """Draw the story of a session of *kind* that ends in *state*, or in any state.

    The class accepts every step. If its rules refuse the drawn argument, the step gets a coupon code, a priced item and
    the like; if they refuse that too, another sequence of transitions is drawn.

    Args:
        kind: the class of the session.
        state: the state at the end.
        own: what a creation gives to the fields that the class adds, each a value or a strategy; ``id``,
            ``application_id`` and ``first_session`` may be among them.
        context: the ``context=`` of the calls, for rules that read it, or a list of several to try; calls without one
            are tried too.
        changes: draws the changes of creations, updates and closings, for rules with special requirements.

    Raises:
        InvalidValue: no session of the class reaches the state with the drawn changes; the text has the reason.
    """
    sequences = _row_sequences(kind.machine.table, to_member(State, state))
    if not sequences:
        raise InvalidValue("/state", f"{state!r} is none of: {', '.join(State)}")
    drawn, fallback = (updates(), _safe_changes) if changes is None else (changes, changes)
    subject = f"no session that is {state}" if state else "no session"
    limit = _RefusalLimit(kind, subject, custom=changes is not None)

    @st.composite
    def draw_story(draw: st.DrawFn) -> Story:
        likely = sequences if state else _row_sequences(kind.machine.table, draw(st.sampled_from(State))) or sequences
        first, values = draw(st.sampled_from(likely)), draw(_own(own))
        refused: Exception | None = None
        for attempt in (first, *likely, *sequences):
            try:
                story = _draw_story(
                    _StoryBuilder(draw, kind, values, context), attempt, drawn if refused is None else fallback
                )
            except _Refused as found:
                refused = found
            else:
                limit.reset()
                return story
        raise limit.error(refused)

    return draw_story()


_safe_changes = st.just(_SAFE_CHANGES)


def _draw_story(builder: _StoryBuilder, sequence: Sequence[Row], changes: st.SearchStrategy[SessionUpdate]) -> Story:
    story = Story.of(own=builder.own)
    for place, row in enumerate(sequence):
        fill = any(later.trigger is Trigger.RETURN_ITEMS for later in sequence[place:])
        story = story.then(builder.step(row, changes, story.end, fill=fill))
    return story


def _own(own: Mapping[str, Any] | None) -> st.SearchStrategy[dict[str, Any]]:
    """Draw the values of the fields that only a creation sets."""
    given: dict[str, st.SearchStrategy[Any]] = {
        name: value if isinstance(value, st.SearchStrategy) else st.just(value) for name, value in (own or {}).items()
    }
    general = {"id": integers(), "application_id": integers(), "first_session": st.booleans()}
    return st.fixed_dictionaries(given, optional={name: general[name] for name in general if name not in given})


def sessions(
    kind: type[CustomerSession] = CustomerSession,
    state: StateLike | None = None,
    *,
    own: Mapping[str, Any] | None = None,
    context: Contexts = None,
    changes: st.SearchStrategy[SessionUpdate] | None = None,
) -> st.SearchStrategy[Any]:
    """Draw a session of *kind* in *state*, or in any, with the events of its story pending.

    Takes what `stories` takes.
    """
    return stories(kind, state, own=own, context=context, changes=changes).map(lambda story: story.play(kind))


def operations(
    subject: CustomerSession | type[CustomerSession],
    *,
    own: Mapping[str, Any] | None = None,
    context: Contexts = None,
    changes: st.SearchStrategy[SessionUpdate] | None = None,
) -> st.SearchStrategy[Step]:
    """Draw a step that *subject* accepts: for a session one of its verbs, for a class a creation.

    Args:
        subject: the session, which stays unchanged, or the class.
        own: what a creation gives to the fields that the class adds.
        context: the ``context=`` of the calls, for rules that read it, or a list of several to try; calls without one
            are tried too.
        changes: draws the changes of creations, updates and closings, for rules with special requirements.

    Raises:
        InvalidValue: there is none, for example for a cancelled session; the text has the reason.
    """
    kind, session = (subject, None) if isinstance(subject, type) else (type(subject), subject)
    source, now = (None, BEGINNING) if session is None else (session.state, session.updated)
    rows = [row for row in kind.machine.table if row.source is source]
    if not rows:
        raise InvalidValue("/state", f"the table allows nothing to a session that is {source}")
    drawn, fallback = (updates(), _safe_changes) if changes is None else (changes, changes)
    limit = _RefusalLimit(kind, f"no operation of a session that is {source}", custom=changes is not None)

    @st.composite
    def draw_step(draw: st.DrawFn) -> Step:
        row, values = draw(st.sampled_from(rows)), draw(_own(own)) if session is None else {}
        refused: Exception | None = None
        for attempt in (row, *rows):
            try:
                step = _StoryBuilder(draw, kind, values, context, deepcopy(session)).step(
                    attempt, drawn if refused is None else fallback, now
                )
            except _Refused as found:
                refused = found
            else:
                limit.reset()
                return step
        raise limit.error(refused)

    return draw_step()
