"""The libraries in which a machine is built first and given objects, or a column, afterwards."""

# ruff: noqa: INP001, PLC0415, D101, S301
# - a script beside the page that it proves; a library is imported only when it is asked; the questions say what the
#   methods do; and what is unpickled has just been pickled.

from __future__ import annotations

import asyncio
import inspect
import pickle
import warnings
from typing import Any, Protocol

from asking import error_of, fail, option, quiet, survives, yes
from tooling import Tools, ToolsOfDjangoFSM2, ToolsOfSismic, ToolsOfXStateStateMachine, set_up_django

__all__ = ["Automat", "DjangoFSM2", "Sismic", "XStateStateMachine"]


class Automat(Tools):
    distribution = "Automat"
    package = "automat"

    def __init__(self) -> None:
        from automat import TypeMachineBuilder

        class Order(Protocol):
            def close(self) -> Any: ...

        class Core: ...

        self.verb, self.core, self.builder = Order.close, Core, TypeMachineBuilder(Order, Core)
        self.open, self.closed = self.builder.state("open"), self.builder.state("closed")
        self.transition = self.open.upon(Order.close).to(self.closed)

    def order(self, does: Any = None) -> Any:
        if does is None:
            self.transition.returns(None)
        else:
            self.transition(does)
        return self.builder.build()(self.core())

    def raises(self) -> str:
        return yes({"guard", "when", "cond"} & {*dir(self.transition)})  # a transition takes no guard

    def every_reason(self) -> str:
        return self.raises()

    def asks(self) -> str:
        return yes([name for name in dir(self.order()) if not name.startswith("_") and name != "close"])

    def asks_why(self) -> str:
        return self.asks()

    def shut(self) -> str:
        return yes(not [name for name in vars(self.order()) if not name.startswith("__")])

    def pickles(self) -> str:
        order = self.order()
        order.close()
        return yes(survives(error_of(order.close)))

    def lost_state(self) -> str:
        self.builder.state("lost")
        return yes(error_of(self.order))

    def whole(self) -> str:
        self.closed.upon(self.verb).loop().returns(None)
        order = self.order(does=fail)
        # Where the first failed and moved nothing, the second fails too.
        return yes(isinstance(error_of(order.close), LookupError) and error_of(order.close))

    def nested(self) -> str:
        return yes({"parent", "children", "states"} & {*inspect.signature(self.builder.state).parameters})

    def coroutines(self) -> str:
        called: list[bool] = []

        async def call(*_: object) -> None:
            called.append(True)

        asyncio.run(self.order(does=call).close())
        return yes(called)


class XStateStateMachine(ToolsOfXStateStateMachine):
    distribution = "xstate-statemachine"

    @staticmethod
    def made(target: Any = "closed", closed: Any = None, actions: Any = None, **options: Any) -> Any:
        from xstate_statemachine import MachineLogic, SyncInterpreter, create_machine

        states = {"open": {"on": {"CLOSE": target}}, "closed": closed or {}}
        logic = MachineLogic(guards={"has_coupon": lambda *_: False}, actions=actions or {})
        return SyncInterpreter(
            create_machine({"id": "order", "initial": "open", "states": states, **options}, logic=logic)
        ).start()

    def __init__(self) -> None:
        self.guarded = {"target": "closed", "guard": "has_coupon"}
        self.order = self.made(self.guarded)
        self.strict = self.made(self.guarded, onUnhandled="error")

    def raises(self) -> str:
        return option(error_of(lambda: self.order.send("CLOSE")), error_of(lambda: self.strict.send("CLOSE")))

    def every_reason(self) -> str:
        return yes("has_coupon" in str(error_of(lambda: self.strict.send("CLOSE"))))

    def asks(self) -> str:
        return yes(self.order.can("CLOSE") is False)

    def asks_why(self) -> str:
        return yes(not isinstance(self.order.can("CLOSE"), bool))

    def shut(self) -> str:
        return yes(error_of(lambda: setattr(self.order, "current_state_ids", {"order.closed"})))

    def pickles(self) -> str:
        receipt = self.order.send("CLOSE", wait=True)
        return yes(receipt.denied and pickle.loads(pickle.dumps(receipt)) == receipt)

    def lost_state(self) -> str:
        from xstate_statemachine import create_machine

        return yes(error_of(lambda: create_machine({"id": "o", "initial": "a", "states": {"a": {}, "lost": {}}})))

    def whole(self) -> str:
        def after_failing(**options: Any) -> bool:
            order = self.made(closed={"entry": ["fail"]}, actions={"fail": fail}, **options)
            order.send("CLOSE")
            return "order.open" in order.current_state_ids

        with quiet():
            return option(after_failing(actionErrorPolicy="continue"), after_failing(actionErrorPolicy="rollback"))

    def nested(self) -> str:
        order = self.made(closed={"initial": "paid", "states": {"paid": {}}})
        order.send("CLOSE")
        return yes("order.closed.paid" in order.current_state_ids)

    def coroutines(self) -> str:
        from xstate_statemachine import Interpreter, MachineLogic, create_machine

        called: list[bool] = []

        async def call(*_: object) -> None:
            called.append(True)

        async def run() -> None:
            config = {"id": "order", "initial": "open", "states": {"open": {"entry": ["call"]}}}
            interpreter = await Interpreter(create_machine(config, logic=MachineLogic(actions={"call": call}))).start()
            await interpreter.stop()

        asyncio.run(run())
        return yes(called)


class Sismic(ToolsOfSismic):
    distribution = "sismic"

    @staticmethod
    def made(context: Any = None, others: Any = (), **closed: Any) -> Any:
        from sismic.interpreter import Interpreter
        from sismic.io.datadict import import_from_dict

        close = {"event": "close", "target": "closed", "guard": "False"}
        cancel = {"event": "cancel", "target": "closed"}
        states = [{"name": "open", "transitions": [close, cancel]}, {"name": "closed", **closed}, *others]
        root = {"name": "order", "initial": "open", "states": states}
        chart = import_from_dict({"statechart": {"name": "order", "root state": root}})
        order = Interpreter(chart, initial_context=context or {})
        order.execute()
        return order

    def __init__(self) -> None:
        self.order = self.made()

    def raises(self) -> str:
        return yes(error_of(lambda: self.order.queue("close").execute()))

    def every_reason(self) -> str:
        return self.raises()  # there is no error to name any

    def asks(self) -> str:
        return yes({"can", "allowed", "enabled", "events"} & {*dir(self.order)})

    def asks_why(self) -> str:
        return self.asks()

    def shut(self) -> str:
        return yes(error_of(lambda: setattr(self.order, "configuration", ["order", "closed"])))

    def pickles(self) -> str:
        return ""  # there is no error

    def lost_state(self) -> str:
        return yes(error_of(lambda: self.made(others=[{"name": "lost"}])))

    def whole(self) -> str:
        order = self.made({"fail": fail}, **{"on entry": "fail()"})
        return yes(error_of(lambda: order.queue("cancel").execute()) and "open" in order.configuration)

    def nested(self) -> str:
        order = self.made(initial="paid", states=[{"name": "paid"}])
        order.queue("cancel").execute()
        return yes({"closed", "paid"} <= {*order.configuration})

    def coroutines(self) -> str:
        called: list[bool] = []

        async def call() -> None:
            called.append(True)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a coroutine that was never awaited
            self.made({"call": call}, **{"on entry": "call()"}).queue("cancel").execute()
        return yes(called)


class DjangoFSM2(ToolsOfDjangoFSM2):
    distribution = "django-fsm-2"

    def __init__(self) -> None:
        set_up_django()
        self.order = _django_order(protected=False)

    def raises(self) -> str:
        return yes(error_of(self.order.close))

    def every_reason(self) -> str:
        error = str(error_of(self.order.close))
        return yes("has_coupon" in error and "has_identifier" in error)

    def asks(self) -> str:
        from django_fsm import can_proceed

        return yes(can_proceed(self.order.close) is False)

    def asks_why(self) -> str:
        from django_fsm import can_proceed

        return yes(not isinstance(can_proceed(self.order.close), bool))

    def shut(self) -> str:
        shut, left = (_django_order(protected=protected) for protected in (True, False))
        return option(*(error_of(lambda o=order: setattr(o, "state", "closed")) for order in (left, shut)))

    def pickles(self) -> str:
        return yes(survives(error_of(self.order.close)))

    def lost_state(self) -> str:
        return yes(error_of(lambda: _django_order(protected=False, choices=[("open", ""), ("lost", "")])))

    def whole(self) -> str:
        from django_fsm.signals import post_transition

        post_transition.connect(fail)
        try:
            return yes(isinstance(error_of(self.order.cancel), LookupError) and self.order.state == "open")
        finally:
            post_transition.disconnect(fail)

    def nested(self) -> str:
        return yes(isinstance(self.order.state, dict))  # the state is the value of one column

    def coroutines(self) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a coroutine that was never awaited
            self.order.reopen()
        return yes(self.order.called)


def _django_order(**how: Any) -> Any:
    from django.db import models
    from django_fsm import FSMField, transition

    def has_coupon(_: object) -> bool:
        return False

    def has_identifier(_: object) -> bool:
        return False

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a model that is defined anew

        class Order(models.Model):
            state: Any = FSMField(default="open", **how)
            called = False

            class Meta:
                app_label = "shop"

            def __str__(self) -> str:
                return "order"

            @transition(state, source="open", target="closed", conditions=[has_coupon, has_identifier])
            def close(self) -> None: ...

            @transition(state, source="open", target="cancelled")
            def cancel(self) -> None: ...

            @transition(state, source="open", target="open")
            async def reopen(self) -> None:
                self.called = True

    return Order()
