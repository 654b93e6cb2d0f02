"""Hypothesis strategies for sessions that have lived: in every state, by real verbs, under the rules of their class.

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

from session_fsm.errors import InvalidValue, SessionFSMError
from session_fsm.lifecycle import Row
from session_fsm.session import CustomerSession
from session_fsm.states import State, StateLike, Trigger
from session_fsm.testing.steps import BEGINNING, Step, Story
from session_fsm.testing.strategies.values import integers, returns, updates
from session_fsm.validators import to_member
from session_fsm.values import UNSET, CartItem, ReturnedCartItem, SessionUpdate

__all__ = ["operations", "sessions", "stories"]

_LONGEST = 5
"""So many steps a life has at most."""
_MOST_WAYS = 40
_PATIENCE, _FOREVER = 50, 10**9
"""So many draws of a strategy of the caller's may come to nothing before the caller is told so."""

_usual: dict[str, Any] = {
    "coupon_codes": ["XMAS"],
    "referral_code": "FRIEND",
    "profile_id": "customer-7",
    "identifiers": ["ip-hash"],
}
_FILLING = SessionUpdate(**_usual)
"""What rules about a session often ask for."""
_CAREFUL = evolve(_FILLING, cart_items=[CartItem(sku="A", quantity=2, price="100")])
"""Changes at which few rules take offence: nothing that would have to be declared, and nothing that is missing."""


class _Refused(Exception):
    """No variant of a step was accepted."""

    def __init__(self, row: Row, error: SessionFSMError) -> None:
        super().__init__(f"{row.trigger} into {row.target} is refused: {error}")


@lru_cache
def _ways(table: Sequence[Row], state: State | None) -> list[tuple[Row, ...]]:
    """Return the shortest ways of *table* that lead into *state*, or anywhere, the shortest first."""
    sequences: list[tuple[Row, ...]] = [(row,) for row in table if row.source is None]
    found: list[tuple[Row, ...]] = []
    while sequences and len(sequences[0]) <= _LONGEST:
        found += [sequence for sequence in sequences if state in (None, sequence[-1].target)]
        sequences = [(*sequence, row) for sequence in sequences for row in table if row.source is sequence[-1].target]
    return found[:_MOST_WAYS]


class _Life:
    """A session that takes one step after the other, each one that its class accepts."""

    def __init__(
        self,
        draw: st.DrawFn,
        kind: type[CustomerSession],
        own: Mapping[str, Any],
        session: CustomerSession | None = None,
    ) -> None:
        self.draw, self.kind, self.own, self.session = draw, kind, own, session

    def step(self, row: Row, changes: st.SearchStrategy[SessionUpdate], now: datetime, *, fill: bool = False) -> Step:
        """Take a step along *row* and return it; with *fill* the cart is not empty afterwards."""
        refusal: SessionFSMError = InvalidValue("/cartItems", "no unit remains that could come back")
        for argument in self._arguments(row, changes, fill=fill):
            try:
                step = Step(row.trigger, argument)
                self.session, _ = step.take(self.session, self.kind, now, **self.own)
            except SessionFSMError as error:
                refusal = error
            else:
                return step
        raise _Refused(row, refusal)

    def _arguments(self, row: Row, changes: st.SearchStrategy[SessionUpdate], *, fill: bool) -> Iterator[Any]:
        """Yield what a step along *row* may be given: what is drawn, then what fewer rules refuse."""
        held = () if self.session is None else self.session.cart_items
        if row.trigger is Trigger.RETURN_ITEMS:
            remaining = [item.position for item in held if item.remaining_quantity]
            if remaining:
                yield self.draw(returns(self.session))
            for position in remaining:
                yield [ReturnedCartItem(position=position, quantity=1)]
        elif row.trigger in (Trigger.CREATE, Trigger.UPDATE, Trigger.CLOSE):
            state = row.target if row.source is None and row.target is not State.OPEN else UNSET
            drawn = evolve(self.draw(changes), state=state)
            if fill and not (held if drawn.cart_items is UNSET else drawn.cart_items):
                drawn = evolve(drawn, cart_items=[CartItem(sku="A", quantity=1)])
            yield drawn
            yield evolve(drawn, **{name: value for name, value in _FILLING.given().items() if not getattr(drawn, name)})
            yield evolve(_CAREFUL, state=state)
            yield SessionUpdate(state=state)
        else:
            yield None


class _Patience:
    """Tells a strategy that sometimes draws what is refused from one that always does."""

    def __init__(self, kind: type, subject: str, *, special: bool) -> None:
        self._kind, self._subject, self._special = kind, subject, special
        self._left = _PATIENCE if special else 0

    def ended(self, refused: Exception | None) -> Exception:
        """Let Hypothesis try something else, or return the error that says what is the matter."""
        if self._left:
            self._left -= 1
            reject()
        hint = "changes= draws nothing" if self._special else "give changes= a strategy that draws what"
        text = (
            f"the rules of {self._kind.__name__} let {self._subject}; {hint} they accept. The last refusal: {refused}"
        )
        return InvalidValue("/changes", text)

    def succeeded(self) -> None:
        """Note that it can be done, so that whoever draws something else is never told otherwise."""
        if self._special:
            self._left = _FOREVER


def stories(
    kind: type[CustomerSession] = CustomerSession,
    state: StateLike | None = None,
    *,
    own: Mapping[str, Any] | None = None,
    changes: st.SearchStrategy[SessionUpdate] | None = None,
) -> st.SearchStrategy[Story]:
    """Draw the life of a session of *kind* that ends in *state*, or in any.

    Every step is one that the class accepts. Where its rules refuse what was drawn, the step is given a coupon
    code, a priced item and the like instead; where they refuse that too, the life takes another way.

    Args:
        kind: the class of the session.
        state: the state at the end.
        own: what a creation gives to the fields that the class adds, each a value or a strategy; ``id``,
            ``application_id`` and ``first_session`` may be among them.
        changes: draws what creations, updates and closings are given, for rules that want something special.

    Raises:
        InvalidValue: no session of the class gets into the state with what was drawn; the text says why.
    """
    ways = _ways(kind.machine.table, to_member(State, state))
    if not ways:
        raise InvalidValue("/state", f"{state!r} is none of: {', '.join(State)}")
    drawn, again = (updates(), _careful) if changes is None else (changes, changes)
    subject = f"no session become {state}" if state else "no session be made"
    patience = _Patience(kind, subject, special=changes is not None)

    @st.composite
    def live(draw: st.DrawFn) -> Story:
        likely = ways if state else _ways(kind.machine.table, draw(st.sampled_from(State))) or ways
        way, possessions = draw(st.sampled_from(likely)), draw(_own(own))
        refused: Exception | None = None
        for attempt in (way, *likely, *ways):
            try:
                story = _lived(_Life(draw, kind, possessions), attempt, drawn if refused is None else again)
            except _Refused as found:
                refused = found
            else:
                patience.succeeded()
                return story
        raise patience.ended(refused)

    return live()


_careful = st.just(_CAREFUL)


def _lived(life: _Life, way: Sequence[Row], changes: st.SearchStrategy[SessionUpdate]) -> Story:
    story = Story.of(own=life.own)
    for place, row in enumerate(way):
        fill = any(later.trigger is Trigger.RETURN_ITEMS for later in way[place:])
        story = story.then(life.step(row, changes, story.end, fill=fill))
    return story


def _own(own: Mapping[str, Any] | None) -> st.SearchStrategy[dict[str, Any]]:
    """Draw what a creation gives to the fields that no update sets."""
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
    changes: st.SearchStrategy[SessionUpdate] | None = None,
) -> st.SearchStrategy[Any]:
    """Draw a session of *kind* in *state*, or in any, that got there by its verbs. Its events are pending.

    Takes what `stories` takes.
    """
    return stories(kind, state, own=own, changes=changes).map(lambda story: story.play(kind))


def operations(
    subject: CustomerSession | type[CustomerSession],
    *,
    own: Mapping[str, Any] | None = None,
    changes: st.SearchStrategy[SessionUpdate] | None = None,
) -> st.SearchStrategy[Step]:
    """Draw a step that *subject* accepts as it is now: a session one of its verbs, a class a creation.

    Args:
        subject: the session, which is not moved, or the class.
        own: what a creation gives to the fields that the class adds.
        changes: draws what creations, updates and closings are given, for rules that want something special.

    Raises:
        InvalidValue: there is none, as for a session that is cancelled; the text says why.
    """
    kind, session = (subject, None) if isinstance(subject, type) else (type(subject), subject)
    source, now = (None, BEGINNING) if session is None else (session.state, session.updated)
    rows = [row for row in kind.machine.table if row.source is source]
    if not rows:
        raise InvalidValue("/state", f"the table allows nothing to a session that is {source}")
    drawn, again = (updates(), _careful) if changes is None else (changes, changes)
    patience = _Patience(kind, f"a session that is {source} do nothing", special=changes is not None)

    @st.composite
    def operate(draw: st.DrawFn) -> Step:
        row, possessions = draw(st.sampled_from(rows)), draw(_own(own)) if session is None else {}
        refused: Exception | None = None
        for attempt in (row, *rows):
            try:
                step = _Life(draw, kind, possessions, deepcopy(session)).step(
                    attempt, drawn if refused is None else again, now
                )
            except _Refused as found:
                refused = found
            else:
                patience.succeeded()
                return step
        raise patience.ended(refused)

    return operate()
