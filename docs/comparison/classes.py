"""session-fsm, and the libraries in which a machine belongs to an object or is one."""

# ruff: noqa: INP001, PLC0415, D101
# - a script beside the page that it proves; a library is imported only when it is asked; the questions say what the
#   methods do.

from __future__ import annotations

import asyncio
from typing import Any

from asking import error_of, fail, survives, yes
from tooling import ToolsOfPythonStateMachine, ToolsOfSessionFSM, ToolsOfTransitions

__all__ = ["PythonStateMachine", "SessionFSM", "Transitions"]


class SessionFSM(ToolsOfSessionFSM):
    distribution = "session-fsm"

    def __init__(self) -> None:
        from session_fsm import CustomerSession
        from session_fsm.rules import coupon_code_required, identifier_required

        class Order(CustomerSession):
            rules = (*CustomerSession.rules, coupon_code_required, identifier_required)

        self.kind, self.order = Order, Order.create("order-1")

    def raises(self) -> str:
        return yes(error_of(self.order.close))

    def every_reason(self) -> str:
        error: Any = error_of(self.order.close)
        return yes([v.code for v in error.violations] == ["coupon_code_required", "identifier_required"])

    def asks(self) -> str:
        return yes(not self.order.evaluate("close"))

    def asks_why(self) -> str:
        return yes(len(self.order.evaluate("close").violations) == 2)

    def shut(self) -> str:
        return yes(error_of(lambda: setattr(self.order, "state", "closed")))

    def pickles(self) -> str:
        return yes(survives(error_of(self.order.close)))

    def lost_state(self) -> str:
        from session_fsm.lifecycle import TABLE, check_definition

        return yes(error_of(lambda: check_definition([row for row in TABLE if row.target != "cancelled"], ())))

    def whole(self) -> str:
        self.kind.machine.after_state_change.append(fail)
        return yes(isinstance(error_of(self.order.cancel), LookupError) and self.order.state == "open")

    def nested(self) -> str:
        return yes([state for state in self.kind.machine.states.values() if hasattr(state, "children")])

    def coroutines(self) -> str:
        async def call(_: object) -> None: ...

        return yes(not error_of(lambda: self.kind.machine.after_state_change.append(call)))


class Transitions(ToolsOfTransitions):
    distribution = "transitions"

    def __init__(self) -> None:
        self.order = self.made(conditions=["has_coupon", "has_identifier"])

    @staticmethod
    def made(**how: Any) -> Any:
        from transitions import Machine

        class Order:
            def has_coupon(self) -> bool:
                return False

            def has_identifier(self) -> bool:
                return False

        close = {"trigger": "close", "source": "open", "dest": "closed", **how}
        Machine(order := Order(), states=["open", "closed"], initial="open", transitions=[close])
        return order

    def raises(self) -> str:
        return yes(self.order.close() is not False)

    def every_reason(self) -> str:
        return yes(self.order.close() is not False)  # there is no error to name any

    def asks(self) -> str:
        return yes(self.order.may_close() is False)

    def asks_why(self) -> str:
        return yes(not isinstance(self.order.may_close(), bool))

    def shut(self) -> str:
        return yes(error_of(lambda: setattr(self.order, "state", "closed")))

    def pickles(self) -> str:
        self.order.to_closed()
        return yes(survives(error_of(self.order.close)))

    def lost_state(self) -> str:
        from transitions import Machine

        return yes(error_of(lambda: Machine(states=["a", "b", "lost"], initial="a", transitions=[["go", "a", "b"]])))

    def whole(self) -> str:
        order = self.made(after=fail)
        return yes(isinstance(error_of(order.close), LookupError) and order.state == "open")

    def nested(self) -> str:
        from transitions.extensions import HierarchicalMachine

        machine = HierarchicalMachine(states=["open", {"name": "closed", "children": ["paid"]}], initial="closed_paid")
        return yes(machine.is_closed(allow_substates=True))

    def coroutines(self) -> str:
        from transitions.extensions.asyncio import AsyncMachine

        called: list[bool] = []

        async def call() -> None:
            called.append(True)

        close = {"trigger": "close", "source": "open", "dest": "closed", "after": call}
        machine = AsyncMachine(states=["open", "closed"], initial="open", transitions=[close])
        asyncio.run(machine.close())
        return yes(called)


class PythonStateMachine(ToolsOfPythonStateMachine):
    distribution = "python-statemachine"

    def __init__(self) -> None:
        from statemachine import State, StateMachine

        class Order(StateMachine):
            opened = State(initial=True, value="open")
            closed = State(final=True)
            close = opened.to(closed, cond=["has_coupon", "has_identifier"])

            def has_coupon(self) -> bool:
                return False

            def has_identifier(self) -> bool:
                return False

        self.order = Order()

    def raises(self) -> str:
        return yes(error_of(self.order.close))

    def every_reason(self) -> str:
        error = error_of(self.order.close)
        return yes("has_coupon" in f"{error} {vars(error)}" and "has_identifier" in f"{error} {vars(error)}")

    def asks(self) -> str:
        return yes(self.order.enabled_events() == [] and self.order.allowed_events)

    def asks_why(self) -> str:
        return yes(self.order.enabled_events())  # a list of those that are allowed, and nothing about the others

    def shut(self) -> str:
        return yes(error_of(lambda: setattr(self.order, "current_state_value", "closed")))

    def pickles(self) -> str:
        return yes(survives(error_of(self.order.close)))

    def lost_state(self) -> str:
        from statemachine import State, StateMachine

        def define() -> None:
            class Order(StateMachine):
                opened = State(initial=True, value="open")
                closed = State()
                lost = State()
                close = opened.to(closed)

        return yes(error_of(define))

    def whole(self) -> str:
        from statemachine import State, StateMachine

        class Order(StateMachine):
            opened = State(initial=True, value="open")
            closed = State(final=True)
            close = opened.to(closed, after=fail)

        order = Order()
        return yes(isinstance(error_of(order.close), LookupError) and order.current_state_value == "open")

    def nested(self) -> str:
        from statemachine import State, StateChart

        class Order(StateChart):
            class closed(State.Compound):  # noqa: N801 - the name of the state
                paid = State(initial=True)
                packed = State(final=True)
                pack = paid.to(packed)

        return yes({"closed", "paid"} <= set(Order().configuration_values))

    def coroutines(self) -> str:
        from statemachine import State, StateMachine

        called: list[bool] = []

        class Order(StateMachine):
            opened = State(initial=True, value="open")
            closed = State(final=True)
            close = opened.to(closed)

            async def after_close(self) -> None:
                called.append(True)

        async def run() -> None:
            order = Order()
            await order.activate_initial_state()
            await order.close()

        asyncio.run(run())
        return yes(called)
