"""S-1 and S-2: the cost of a trigger, compared with `transitions`, on which the library is built.

The peer is used as its documentation shows: one machine for each model, and one machine to which models are added.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.plan import Comparison, Ratio, Timed

__all__ = ["COMPARISONS"]

_QUANTITIES = (1, 2, 3, 4, 5)
_STATES = ["open", "closed", "partially_returned", "cancelled"]


class _Item:
    """An item for the guards of the peer."""

    __slots__ = ("quantity",)

    def __init__(self, quantity: int) -> None:
        self.quantity = quantity


class _Cart:
    """A model for `transitions` with the two guards of a cart."""

    state: str
    close: Callable[[], bool]
    reopen: Callable[[], bool]

    def __init__(self) -> None:
        self.cart_items = tuple(map(_Item, _QUANTITIES))

    def holds_at_most_1000_items(self) -> bool:
        return len(self.cart_items) <= 1000

    def holds_at_most_10000_units(self) -> bool:
        return sum(item.quantity for item in self.cart_items) <= 10_000


def _rows(*, guarded: bool) -> list[dict[str, Any]]:
    guards = ["holds_at_most_1000_items", "holds_at_most_10000_units"] if guarded else []
    return [
        {"trigger": "close", "source": "open", "dest": "closed", "conditions": guards},
        {"trigger": "cancel", "source": ["open", "closed", "partially_returned"], "dest": "cancelled"},
        {"trigger": "return_items", "source": ["closed", "partially_returned"], "dest": "partially_returned"},
        {"trigger": "reopen", "source": "closed", "dest": "open"},
    ]


def _with_transitions(*, guarded: bool, shared: bool) -> Timed:
    from transitions import Machine

    make = partial(Machine, states=_STATES, transitions=_rows(guarded=guarded), initial="open", auto_transitions=False)
    cart = _Cart()
    if shared:
        make(model=None).add_model(cart)
    else:
        make(model=cart)

    def work(repeats: range) -> None:
        for _ in repeats:
            cart.close()
            cart.reopen()

    def result() -> list[str]:
        states = [cart.state]
        cart.close()
        states.append(cart.state)
        cart.reopen()
        return [*states, cart.state]

    return Timed(work, result=result, pieces=2)


def _session() -> Any:
    from session_fsm import CartItem, CustomerSession

    items = [CartItem(sku=f"SKU-{quantity}", quantity=quantity, price="19.99") for quantity in _QUANTITIES]
    session = CustomerSession.create("order-1042", cart_items=items)
    session.take_events()
    return session


DISPATCH = Comparison(
    "S-1",
    "bare dispatch: find the row and set the state, without rules",
    area="triggers",
    unit="ns per trigger",
    drawn=False,
    ratios=[Ratio("transitions", "session-fsm", at_least=30), Ratio("transitions, add_model", "session-fsm")],
)
DISPATCH.contender("transitions")(partial(_with_transitions, guarded=False, shared=False))
DISPATCH.contender("transitions, add_model")(partial(_with_transitions, guarded=False, shared=True))


@DISPATCH.contender("session-fsm")
def dispatch() -> Timed:
    """Find the transition of a row without rules and set the state, as the machine does, but record no event."""
    from session_fsm import CustomerSession, Trigger

    cart = _session()
    close, reopen = (CustomerSession.machine.events[name] for name in (Trigger.CLOSE, Trigger.REOPEN))

    set_field = object.__setattr__

    def fire(event: Any) -> None:
        transition = event.without_callbacks.get(cart.state)  # empty if the machine has a callback
        if transition is not None:
            set_field(cart, "state", transition.target)

    def work(repeats: range) -> None:
        for _ in repeats:
            fire(close)
            fire(reopen)

    def result() -> list[str]:
        states = [cart.state]
        fire(close)
        states.append(cart.state)
        fire(reopen)
        return [*states, cart.state]

    return Timed(work, result=result, pieces=2)


CLOSE_AND_REOPEN = Comparison(
    "S-2",
    "close and reopen a cart of five items; the peer only checks two guards",
    area="triggers",
    unit="us per trigger",
    ratios=[
        Ratio("transitions", "session-fsm", at_least=3.5, aim=5),
        Ratio("transitions, add_model", "session-fsm", at_least=3.5, aim=5),
    ],
)
CLOSE_AND_REOPEN.contender("transitions")(partial(_with_transitions, guarded=True, shared=False))
CLOSE_AND_REOPEN.contender("transitions, add_model")(partial(_with_transitions, guarded=True, shared=True))


@CLOSE_AND_REOPEN.contender("session-fsm")
def close_and_reopen() -> Timed:
    """Close and reopen sessions, each of which then has two more events pending."""

    def prepare(repeats: int) -> list[Any]:
        return [_session() for _ in range(repeats)]

    def work(sessions: list[Any]) -> None:
        for session in sessions:
            session.close()
            session.reopen()

    def result() -> list[str]:
        session = _session()
        return [session.state, session.close().target, session.reopen().target]

    return Timed(work, prepare, result, pieces=2)


COMPARISONS = [DISPATCH, CLOSE_AND_REOPEN]
