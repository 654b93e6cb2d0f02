"""S-3: the lifecycle of an order, compared with every peer on the same data and validation.

The order is created with five items, updated twice (a coupon code, other items), closed, closed again, which is
refused, gets a unit returned, and is cancelled. Its items are created before the timed part.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.order import ITEMS, OTHER_ITEMS, Line, Order, PlainOrder, Refused, snapshot
from benchmarks.plan import Comparison, Ratio, Timed

__all__ = ["COMPARISONS"]

_PEERS = ("transitions, add_model", "python-statemachine", "Automat", "xstate-statemachine")
LIFECYCLE = Comparison(
    "S-3",
    "the whole lifecycle of an order: create, two updates, close, a refused close, return, cancel",
    area="triggers",
    unit="us per order",
    ratios=[
        Ratio("transitions", "session-fsm", at_least=1.8),
        *(Ratio(peer, "session-fsm", at_least=1) for peer in _PEERS),
        Ratio("session-fsm", "by hand", at_most=3),
    ],
)


def _lifecycle_of(make: Callable[..., Any], refused: type[Exception], state_of: Callable[[Any], str]) -> Timed:
    """Return the timed lifecycle of an order that *make* creates, in which *refused* is raised once."""
    items, others = [Line(*item) for item in ITEMS], [Line(*item) for item in OTHER_ITEMS]

    def run_lifecycle() -> Any:
        order = make("order-1042", "customer-7", items)
        order.update(coupon_codes=["XMAS"])
        order.update(lines=others)
        order.close()
        try:
            order.close()
        except refused:
            order.return_items(0, 1)
        order.cancel()
        return order

    def work(repeats: range) -> None:
        for _ in repeats:
            run_lifecycle()

    def result() -> Any:
        order = run_lifecycle()
        return snapshot(getattr(order, "order", order), state_of(order))

    return Timed(work, result=result)


@LIFECYCLE.contender("session-fsm")
def with_session_fsm() -> Timed:
    from session_fsm import CartItem, CustomerSession, ReturnedCartItem, WrongState

    items, others = (
        [CartItem(sku=sku, quantity=quantity, price=price) for sku, quantity, price in given]
        for given in (ITEMS, OTHER_ITEMS)
    )

    def run_lifecycle() -> Any:
        session = CustomerSession.create("order-1042", profile_id="customer-7", cart_items=items)
        session.update(coupon_codes=["XMAS"])
        session.update(cart_items=others)
        session.close()
        try:
            session.close()
        except WrongState:
            session.return_items([ReturnedCartItem(position=0, quantity=1)])
        session.cancel()
        return session

    def work(repeats: range) -> None:
        for _ in repeats:
            run_lifecycle()

    def result() -> Any:
        session = run_lifecycle()
        return {
            "state": session.state,
            "events": [
                (event.name.removeprefix("talon_session_"), event.source, event.target, event.update_count)
                for event in session.pending_events
            ],
            "total": str(session.total),
            "coupon_codes": list(session.coupon_codes),
            "update_count": session.update_count,
            "returned": [item.returned_quantity for item in session.cart_items],
        }

    return Timed(work, result=result)


@LIFECYCLE.contender("by hand")
def by_hand() -> Timed:
    return _lifecycle_of(PlainOrder, Refused, lambda order: order.state)


def _transitions_rows() -> list[dict[str, Any]]:
    return [
        {"trigger": "update", "source": "open", "dest": None, "before": "on_update"},
        {"trigger": "close", "source": "open", "dest": "closed", "before": "on_close"},
        {
            "trigger": "cancel",
            "source": ["open", "closed", "partially_returned"],
            "dest": "cancelled",
            "before": "on_cancel",
        },
        {
            "trigger": "return_items",
            "source": ["closed", "partially_returned"],
            "dest": "partially_returned",
            "before": "on_return",
        },
        {"trigger": "reopen", "source": "closed", "dest": "open"},
    ]


class _Model(Order):
    """An order with the callbacks that `transitions` calls before it changes the state."""

    state: str

    def on_update(self, coupon_codes: list[str] | None = None, lines: list[Line] | None = None) -> None:
        self.change(coupon_codes, lines)
        self.record("updated", "update", "open", "open", (coupon_codes, lines))

    def on_close(self) -> None:
        self.check()
        self.record("closed", "close", "open", "closed", None)

    def on_return(self, position: int, quantity: int) -> None:
        self.take_back(position, quantity)
        self.record("partially_returned", "return_items", self.state, "partially_returned", (position, quantity))

    def on_cancel(self) -> None:
        name = "cancelled" if self.state == "open" else "revoked"
        self.record(name, "cancel", self.state, "cancelled", None)


_STATES = ["open", "closed", "partially_returned", "cancelled"]


@LIFECYCLE.contender("transitions")
def with_transitions() -> Timed:
    from transitions import Machine, MachineError

    def make(*given: Any) -> Any:
        model = _Model(*given)
        Machine(model, states=_STATES, transitions=_transitions_rows(), initial="open", auto_transitions=False)
        return model

    return _lifecycle_of(make, MachineError, lambda model: model.state)


@LIFECYCLE.contender("transitions, add_model")
def with_models_added() -> Timed:
    from transitions import Machine, MachineError

    machine = Machine(None, states=_STATES, transitions=_transitions_rows(), initial="open", auto_transitions=False)

    def make(*given: Any) -> Any:
        model = _Model(*given)
        machine.add_model(model)
        return model

    timed = _lifecycle_of(make, MachineError, lambda model: model.state)

    def work(repeats: range) -> None:
        for repeat in repeats:
            timed.work(range(repeat, repeat + 1))
            machine.remove_model(machine.models[0])  # the machine would keep it alive and slow down the next one

    return Timed(work, result=timed.result)


@LIFECYCLE.contender("python-statemachine")
def with_statemachine() -> Timed:
    from statemachine import State, StateMachine
    from statemachine.exceptions import TransitionNotAllowed

    class Machine(StateMachine):
        opened = State(initial=True, value="open")
        closed = State()
        partially_returned = State()
        cancelled = State(final=True)

        update = opened.to.itself(internal=True)
        close = opened.to(closed)
        cancel = opened.to(cancelled) | closed.to(cancelled) | partially_returned.to(cancelled)
        return_items = closed.to(partially_returned) | partially_returned.to.itself(internal=True)
        reopen = closed.to(opened)

        def __init__(self, *given: Any) -> None:
            self.order = Order(*given)
            super().__init__()

        def before_update(self, coupon_codes: Any = None, lines: Any = None) -> None:
            self.order.change(coupon_codes, lines)
            self.order.record("updated", "update", "open", "open", (coupon_codes, lines))

        def before_close(self) -> None:
            self.order.check()
            self.order.record("closed", "close", "open", "closed", None)

        def before_return_items(self, position: int, quantity: int, source: Any) -> None:
            self.order.take_back(position, quantity)
            change = (position, quantity)
            self.order.record("partially_returned", "return_items", source.value, "partially_returned", change)

        def before_cancel(self, source: Any) -> None:
            name = "cancelled" if source.value == "open" else "revoked"
            self.order.record(name, "cancel", source.value, "cancelled", None)

    return _lifecycle_of(Machine, TransitionNotAllowed, lambda machine: next(iter(machine.configuration)).value)


@LIFECYCLE.contender("Automat")
def with_automat() -> Timed:
    from typing import Protocol

    from automat import NoTransition, TypeMachineBuilder

    class Lifecycle(Protocol):
        def update(self, coupon_codes: Any = None, lines: Any = None) -> None: ...
        def close(self) -> None: ...
        def return_items(self, position: int, quantity: int) -> None: ...
        def cancel(self) -> None: ...
        def reopen(self) -> None: ...

    builder = TypeMachineBuilder(Lifecycle, Order)
    opened, closed, returned, cancelled = map(builder.state, _STATES)

    @opened.upon(Lifecycle.update).loop()
    def update(lifecycle: Any, order: Order, coupon_codes: Any = None, lines: Any = None) -> None:
        order.change(coupon_codes, lines)
        order.record("updated", "update", "open", "open", (coupon_codes, lines))

    @opened.upon(Lifecycle.close).to(closed)
    def close(lifecycle: Any, order: Order) -> None:
        order.check()
        order.record("closed", "close", "open", "closed", None)

    def returning(source: str) -> Callable[..., None]:
        def return_items(lifecycle: Any, order: Order, position: int, quantity: int) -> None:
            order.take_back(position, quantity)
            order.record("partially_returned", "return_items", source, "partially_returned", (position, quantity))

        return return_items

    closed.upon(Lifecycle.return_items).to(returned)(returning("closed"))
    returned.upon(Lifecycle.return_items).loop()(returning("partially_returned"))

    def cancelling(source: str) -> Callable[..., None]:
        def cancel(lifecycle: Any, order: Order) -> None:
            order.record("cancelled" if source == "open" else "revoked", "cancel", source, "cancelled", None)

        return cancel

    opened.upon(Lifecycle.cancel).to(cancelled)(cancelling("open"))
    closed.upon(Lifecycle.cancel).to(cancelled)(cancelling("closed"))
    returned.upon(Lifecycle.cancel).to(cancelled)(cancelling("partially_returned"))
    closed.upon(Lifecycle.reopen).to(opened).returns(None)
    build = builder.build()
    orders: list[Order] = []

    def make(*given: Any) -> Any:
        orders[:] = [Order(*given)]
        return build(orders[0])

    timed = _lifecycle_of(make, NoTransition, lambda _: "")

    def result() -> Any:
        timed.work(range(1))
        return snapshot(orders[0], orders[0].events[-1].target)  # Automat's machine does not expose its state and data

    return Timed(timed.work, result=result)


@LIFECYCLE.contender("xstate-statemachine")
def with_xstate() -> Timed:
    import logging

    from xstate_statemachine import MachineLogic, SyncInterpreter, create_machine

    logging.disable()

    def target(state: str, *actions: str) -> dict[str, Any]:
        return {"target": state, "actions": list(actions)}

    config = {
        "id": "session",
        "initial": "open",
        "context": {},
        "states": {
            "open": {
                "on": {
                    "UPDATE": {"actions": ["update"]},
                    "CLOSE": target("closed", "close"),
                    "CANCEL": target("cancelled", "cancel"),
                }
            },
            "closed": {
                "on": {
                    "CANCEL": target("cancelled", "cancel"),
                    "RETURN": target("partially_returned", "return_items"),
                    "REOPEN": "open",
                }
            },
            "partially_returned": {
                "on": {"CANCEL": target("cancelled", "cancel"), "RETURN": {"actions": ["return_items"]}}
            },
            "cancelled": {},
        },
    }

    def update(_: Any, context: Any, event: Any, __: Any) -> None:
        change = event.payload["coupon_codes"], event.payload["lines"]
        context["order"].change(*change)
        context["order"].record("updated", "update", "open", "open", change)

    def close(_: Any, context: Any, event: Any, __: Any) -> None:
        context["order"].check()
        context["order"].record("closed", "close", "open", "closed", None)

    def return_items(interpreter: Any, context: Any, event: Any, _: Any) -> None:
        change = event.payload["position"], event.payload["quantity"]
        context["order"].take_back(*change)
        source = context["order"].events[-1].target
        context["order"].record("partially_returned", "return_items", source, "partially_returned", change)

    def cancel(_: Any, context: Any, event: Any, __: Any) -> None:
        source = context["order"].events[-1].target
        context["order"].record("cancelled" if source == "open" else "revoked", "cancel", source, "cancelled", None)

    actions = {"update": update, "close": close, "return_items": return_items, "cancel": cancel}
    machine = create_machine(config, logic=MachineLogic(actions=actions))

    class Wrapped:
        """The triggers as methods. The interpreter ignores an event without a transition, so `close` asks first."""

        def __init__(self, *given: Any) -> None:
            self.order = Order(*given)
            self.interpreter = SyncInterpreter(machine)
            self.interpreter.start()
            self.interpreter.context["order"] = self.order

        def update(self, coupon_codes: Any = None, lines: Any = None) -> None:
            self.interpreter.send("UPDATE", coupon_codes=coupon_codes, lines=lines)

        def close(self) -> None:
            if not self.interpreter.can("CLOSE"):
                raise Refused("wrong_state")
            self.interpreter.send("CLOSE")

        def return_items(self, position: int, quantity: int) -> None:
            self.interpreter.send("RETURN", position=position, quantity=quantity)

        def cancel(self) -> None:
            self.interpreter.send("CANCEL")

    return _lifecycle_of(Wrapped, Refused, lambda wrapped: wrapped.interpreter.value)


COMPARISONS = [LIFECYCLE]
