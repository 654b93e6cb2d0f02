"""S-4: the memory that sessions use.

A process creates sessions, takes their events, and returns the growth of its memory for each. The
model of the peers is an order written by hand, without events.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.order import Line, Order, PlainOrder
from benchmarks.plan import Comparison, Measured, Ratio

__all__ = ["COMPARISONS"]

_PEERS = ("transitions", "transitions, add_model", "python-statemachine", "Automat")
HELD = Comparison(
    "S-4a",
    "the memory of an open session of three items",
    area="memory",
    unit="bytes per session",
    rounds=1,
    ratios=[
        Ratio("session-fsm", at_most=1500),
        *(Ratio(peer, "session-fsm", at_least=1) for peer in _PEERS),
        Ratio("session-fsm", "by hand"),
    ],
)


def _resident() -> int:
    """Return the resident memory of the process, in bytes."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


def _growth(make: Callable[[int], Any], count: int) -> Measured:
    """Return a contender that measures the memory of each of *count* results of *make*."""

    def measure() -> float:
        make(0)  # creates what all sessions share, before the measurement
        before = _resident()
        sessions = [make(number) for number in range(count)]
        return (_resident() - before) / len(sessions)

    return Measured(measure)


@HELD.contender("session-fsm")
def sessions() -> Measured:
    from session_fsm import CartItem, CustomerSession

    def make(number: int) -> Any:
        items = [CartItem(sku=f"SKU-{place}", quantity=place, price="19.99") for place in (1, 2, 3)]
        session = CustomerSession.create(f"order-{number}", cart_items=items)
        session.take_events()
        return session

    return _growth(make, 100_000)


def _order(kind: Callable[..., Any], number: int) -> Any:
    lines = [Line(f"SKU-{place}", place, Decimal("19.99")) for place in (1, 2, 3)]
    order = kind(f"order-{number}", "", lines)
    order.events = []
    return order


@HELD.contender("by hand")
def orders() -> Measured:
    return _growth(partial(_order, PlainOrder), 100_000)


_STATES = ["open", "closed", "partially_returned", "cancelled"]


def _rows() -> list[dict[str, Any]]:
    return [
        {"trigger": "update", "source": "open", "dest": None},
        {"trigger": "close", "source": "open", "dest": "closed"},
        {"trigger": "cancel", "source": ["open", "closed", "partially_returned"], "dest": "cancelled"},
        {"trigger": "return_items", "source": ["closed", "partially_returned"], "dest": "partially_returned"},
        {"trigger": "reopen", "source": "closed", "dest": "open"},
    ]


class _Model(Order):
    """An order as a model of `transitions`."""


def _of_transitions(*, shared: bool) -> Measured:
    from transitions import Machine

    new = partial(Machine, states=_STATES, transitions=_rows(), initial="open", auto_transitions=False)
    machine = new(model=None)

    def make(number: int) -> Any:
        order = _order(_Model, number)
        if shared:
            machine.add_model(order)
        else:
            new(model=order)
        return order

    return _growth(make, 5_000)


HELD.contender("transitions")(partial(_of_transitions, shared=False))
HELD.contender("transitions, add_model")(partial(_of_transitions, shared=True))


@HELD.contender("python-statemachine")
def of_statemachine() -> Measured:
    from statemachine import State, StateMachine

    class Machine(StateMachine):
        opened = State(initial=True)
        closed = State()
        partially_returned = State()
        cancelled = State(final=True)
        update = opened.to.itself(internal=True)
        close = opened.to(closed)
        cancel = opened.to(cancelled) | closed.to(cancelled) | partially_returned.to(cancelled)
        return_items = closed.to(partially_returned) | partially_returned.to.itself(internal=True)
        reopen = closed.to(opened)

    class Model(Order):
        state: Any = None

    return _growth(lambda number: Machine(_order(Model, number)), 5_000)


@HELD.contender("Automat")
def of_automat() -> Measured:
    from typing import Protocol

    from automat import TypeMachineBuilder

    class Lifecycle(Protocol):
        def close(self) -> None: ...
        def reopen(self) -> None: ...

    builder: Any = TypeMachineBuilder(Lifecycle, Order)
    opened, closed = builder.state("open"), builder.state("closed")
    opened.upon(Lifecycle.close).to(closed).returns(None)
    closed.upon(Lifecycle.reopen).to(opened).returns(None)
    build = builder.build()
    return _growth(lambda number: build(_order(Order, number)), 100_000)


ADDED = Comparison(
    "S-4b",
    "what the machine adds to a slotted object with the session's fields",
    area="memory",
    unit="bytes per session",
    rounds=1,
    ratios=[Ratio("session-fsm", at_most=0)],
)


@ADDED.contender("session-fsm")
def added() -> Measured:
    import sys

    from attrs import fields, make_class

    from session_fsm import CustomerSession

    plain: Any = make_class("Plain", [attribute.name for attribute in fields(CustomerSession)], slots=True, init=False)
    return Measured(lambda: float(sys.getsizeof(CustomerSession.create("order-1042")) - sys.getsizeof(plain())))


COMPARISONS = [HELD, ADDED]
