"""S-3 and S-4: whole lives of orders, and what sessions take in memory.

The peers carry an order written by hand, which makes the checks of a session: limits of items and units, exact
totals, a count, times and events. What differs is who guards the states. Items exist beforehand on every side.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from benchmarks.plan import Comparison, Measured, Ratio, Timed

__all__ = ["COMPARISONS"]


class _Item:
    __slots__ = ("price", "quantity", "returned", "sku")

    def __init__(self, sku: str, quantity: int, price: str) -> None:
        self.sku, self.quantity, self.price, self.returned = sku, quantity, Decimal(price), 0


class _Order:
    """The data and the checks, without any guard of states."""

    state = "open"

    def __init__(self, items: tuple[_Item, ...]) -> None:
        self.coupons: tuple[str, ...] = ()
        self.count, self.events = 0, []  # type: tuple[int, list[tuple[str, datetime]]]
        self.hold(items)
        self.note("created")

    def note(self, name: str) -> None:
        self.updated = datetime.now(UTC)
        self.count += 1
        self.events.append((name, self.updated))

    def hold(self, items: tuple[_Item, ...]) -> None:
        self.check(items)
        self.items, self.total = items, sum(item.price * item.quantity for item in items)

    def check(self, items: tuple[_Item, ...]) -> None:
        if len(items) > 1000:
            raise ValueError("too_many_cart_items")
        if sum(item.quantity for item in items) > 10_000:
            raise ValueError("too_many_units")

    def do_update(self, items: Any = None, coupons: Any = None) -> None:
        if items is not None:
            self.hold(items)
        self.check(self.items)
        if coupons is not None:
            self.coupons = coupons
        self.note("updated")

    def do_close(self) -> None:
        self.check(self.items)
        self.note("closed")

    def do_return(self, position: int, units: int) -> None:
        if not 0 <= position < len(self.items):
            raise ValueError("unknown_cart_item")
        item = self.items[position]
        if units > item.quantity - item.returned:
            raise ValueError("returns_more_than_remaining")
        back = _Item(item.sku, item.quantity, "0")
        back.price, back.returned = item.price, item.returned + units
        self.items = (*self.items[:position], back, *self.items[position + 1 :])
        self.note("returned")

    def do_cancel(self) -> None:
        self.note("cancelled")


class _ByHand(_Order):
    """The limit: the states are guarded by hand, too."""

    def must_be(self, *states: str) -> None:
        if self.state not in states:
            raise ValueError("wrong_state")

    def change(self, items: Any = None, coupons: Any = None) -> None:
        self.must_be("open")
        self.do_update(items, coupons)

    def close(self) -> None:
        self.must_be("open")
        self.do_close()
        self.state = "closed"

    def give_back(self, position: int, units: int) -> None:
        self.must_be("closed", "partially_returned")
        self.do_return(position, units)
        self.state = "partially_returned"

    def cancel(self) -> None:
        self.must_be("open", "closed", "partially_returned")
        self.do_cancel()
        self.state = "cancelled"


_ITEMS = tuple((f"SKU-{quantity}", quantity, "19.99") for quantity in (1, 2, 3, 4, 5))
LIFE = Comparison(
    "S-3",
    "the whole life of an order of five items; peers with the same checks",
    unit="us per life",
    ratios=[
        Ratio("transitions", "session-fsm", at_least=1),
        Ratio("transitions, add_model", "session-fsm", at_least=1),
        Ratio("python-statemachine", "session-fsm", at_least=1),
        Ratio("Automat", "session-fsm", at_least=1),
        Ratio("session-fsm", "by hand", at_most=3),
    ],
)


def _lives(make: Callable[[tuple[_Item, ...]], tuple[Any, Any]], refused: type[Exception]) -> Timed:
    """Live with what *make* returns: who is asked, and the order with the data."""
    items = tuple(_Item(*one) for one in _ITEMS)

    def live() -> Any:
        asked, order = make(items)
        asked.change(items=items[:4])
        asked.change(coupons=("XMAS",))
        asked.close()
        try:
            asked.close()
        except refused:
            asked.give_back(position=0, units=1)
        asked.cancel()
        return order

    def result() -> list[Any]:
        order = live()
        returned = sum(item.returned for item in order.items)
        return [str(order.state), str(order.total), order.count, len(order.events), returned]

    return Timed(lambda repeats: [None for _ in repeats if not live()], result=result)


@LIFE.contender("by hand")
def by_hand() -> Timed:
    """Live without any library."""
    return _lives(lambda items: (order := _ByHand(items), order), ValueError)


def _rows() -> list[dict[str, Any]]:
    return [
        {"trigger": "change", "source": "open", "dest": None, "after": "do_update"},
        {"trigger": "close", "source": "open", "dest": "closed", "before": "do_close"},
        {
            "trigger": "give_back",
            "source": ["closed", "partially_returned"],
            "dest": "partially_returned",
            "before": "do_return",
        },
        {
            "trigger": "cancel",
            "source": ["open", "closed", "partially_returned"],
            "dest": "cancelled",
            "before": "do_cancel",
        },
    ]


def _of_transitions(*, shared: bool) -> Timed:
    from transitions import Machine, MachineError

    states = ["open", "closed", "partially_returned", "cancelled"]
    new = partial(Machine, states=states, transitions=_rows(), initial="open", auto_transitions=False)
    machine = new(model=None)

    class Model(_Order):
        pass

    def make(items: tuple[_Item, ...]) -> tuple[Any, Any]:
        order = Model(items)
        if shared:
            machine.add_model(order)
        else:
            new(model=order)
        return order, order

    timed = _lives(make, MachineError)

    def work(repeats: range) -> None:
        timed.work(repeats)
        machine.models.clear()  # a machine keeps its models; without this each life would find more of them

    return Timed(work, result=timed.result)


LIFE.contender("transitions")(partial(_of_transitions, shared=False))
LIFE.contender("transitions, add_model")(partial(_of_transitions, shared=True))


@LIFE.contender("python-statemachine")
def of_python_statemachine() -> Timed:
    """Live with a machine for each order, as its documentation shows."""
    from statemachine import State, StateMachine
    from statemachine.exceptions import TransitionNotAllowed

    class Machine(StateMachine):
        opened = State(value="open", initial=True)
        closed = State()
        partially_returned = State()
        cancelled = State(final=True)
        change = opened.to.itself(internal=True, on="do_update")
        close = opened.to(closed, on="do_close")
        give_back = closed.to(partially_returned, on="do_return") | partially_returned.to.itself(on="do_return")
        cancel = cancelled.from_(opened, closed, partially_returned, on="do_cancel")

    class Model(_Order):
        state = None  # type: ignore[assignment]  # the machine sets it

    def make(items: tuple[_Item, ...]) -> tuple[Any, Any]:
        order = Model(items)
        return Machine(order), order

    return _lives(make, TransitionNotAllowed)


@LIFE.contender("Automat")
def of_automat() -> Timed:
    """Live with the builder of typed machines."""
    from automat import NoTransition, TypeMachineBuilder

    class Asked(Protocol):
        def change(self, items: Any = None, coupons: Any = None) -> None: ...
        def close(self) -> None: ...
        def give_back(self, position: int, units: int) -> None: ...
        def cancel(self) -> None: ...

    builder: Any = TypeMachineBuilder(Asked, _Order)
    opened, closed, partly, cancelled = map(builder.state, ("open", "closed", "partially_returned", "cancelled"))

    @opened.upon(Asked.change).loop()
    def change(_: Any, order: _Order, items: Any = None, coupons: Any = None) -> None:
        order.do_update(items, coupons)

    @opened.upon(Asked.close).to(closed)
    def close(_: Any, order: _Order) -> None:
        order.do_close()
        order.state = "closed"

    def give_back(_: Any, order: _Order, position: int, units: int) -> None:
        order.do_return(position, units)
        order.state = "partially_returned"

    def cancel(_: Any, order: _Order) -> None:
        order.do_cancel()
        order.state = "cancelled"

    for state in (closed, partly):
        state.upon(Asked.give_back).to(partly)(give_back)
    for state in (opened, closed, partly):
        state.upon(Asked.cancel).to(cancelled)(cancel)
    factory = builder.build()

    def make(items: tuple[_Item, ...]) -> tuple[Any, Any]:
        order = _Order(items)
        return factory(order), order

    return _lives(make, NoTransition)


@LIFE.contender("session-fsm")
def of_session_fsm() -> Timed:
    """Live as a session."""
    from session_fsm import CartItem, CustomerSession, ReturnedCartItem, WrongState

    items = [CartItem(sku=sku, quantity=quantity, price=price) for sku, quantity, price in _ITEMS]

    def live() -> CustomerSession:
        session = CustomerSession.create("order-1042", cart_items=items)
        session.update(cart_items=items[:4])
        session.update(coupon_codes=["XMAS"])
        session.close()
        try:
            session.close()
        except WrongState:
            session.return_items([ReturnedCartItem(position=0, quantity=1)])
        session.cancel()
        return session

    def result() -> list[Any]:
        session = live()
        returned = sum(item.returned_quantity for item in session.cart_items)
        return [session.state, str(session.total), session.update_count, len(session.pending_events), returned]

    return Timed(lambda repeats: [None for _ in repeats if not live()], result=result)


MEMORY = Comparison(
    "S-4a",
    "a million open sessions of three items each, scaled from 100,000",
    unit="GB",
    rounds=1,
    ratios=[Ratio("session-fsm", at_most=1.5)],
)
_HELD = 100_000


@MEMORY.contender("session-fsm")
def memory() -> Measured:
    """Hold sessions that share nothing but their SKUs, and tell by how much the process grew."""
    from session_fsm import CartItem, CustomerSession

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096

    def measure() -> float:
        before, held = resident(), []
        for number in range(_HELD):
            items = [CartItem(sku=sku, quantity=quantity, price=price) for sku, quantity, price in _ITEMS[:3]]
            session = CustomerSession.create(f"order-{number}", cart_items=items)
            session.take_events()
            held.append(session)
        return (resident() - before) * (1_000_000 / len(held))

    return Measured(measure)


ADDED = Comparison(
    "S-4b",
    "what the machine adds to a slotted object with the session's fields",
    unit="bytes",
    rounds=1,
    ratios=[Ratio("session-fsm", at_most=0)],
)


@ADDED.contender("session-fsm")
def added() -> Measured:
    """Compare the sizes of the two objects."""
    import sys

    from attrs import fields, make_class

    from session_fsm import CustomerSession

    plain: Any = make_class("Plain", [attribute.name for attribute in fields(CustomerSession)], slots=True, init=False)
    return Measured(lambda: float(sys.getsizeof(CustomerSession.create("order-1042")) - sys.getsizeof(plain())))


COMPARISONS = [LIFE, MEMORY, ADDED]
