"""What surrounds the machine of each library: its database, its pictures, and its tools for tests.

A library without a tool has no module that is named after it. The classes below run the tools of those that have some;
each is the base of the class that answers the other questions.
"""

# ruff: noqa: INP001, PLC0415
# - a part of the script peers.py; a library is imported only when it is asked.

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from asking import error_of, yes

__all__ = [
    "Tools",
    "ToolsOfDjangoFSM2",
    "ToolsOfPythonStateMachine",
    "ToolsOfSessionFSM",
    "ToolsOfSismic",
    "ToolsOfTransitions",
    "ToolsOfXStateStateMachine",
    "set_up_django",
]


def set_up_django() -> None:
    """Set up Django with a database in memory, unless it is."""
    import django
    from django.conf import settings

    if not settings.configured:
        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
        apps = ["contenttypes", "auth", "admin"]
        settings.configure(
            INSTALLED_APPS=[*(f"django.contrib.{app}" for app in apps), "xstate_statemachine.contrib.django"],
            DATABASES={"default": database},
        )
        django.setup()


class Tools:
    """The answers of a library without tools."""

    package: str

    def named(self, *words: str) -> str:
        """Say whether a module of the library is named after a tool."""
        spec = find_spec(self.package)
        folders = spec.submodule_search_locations if spec else None
        assert folders, self.package  # noqa: S101 - otherwise every answer would be no
        found = [path.relative_to(folder) for folder in folders for path in Path(folder).rglob("*.py")]
        return yes([path for path in found if any(word in str(path) for word in words)])

    def store(self) -> str:
        return self.named("store", "storage", "persist")

    def outbox(self) -> str:
        return self.named("outbox")

    def picture(self) -> str:
        return self.named("diagram", "draw")

    def history(self) -> str:
        return self.named("history")

    def coverage(self) -> str:
        return self.named("coverage")

    def paths(self) -> str:
        return self.named("paths", "generat")

    def properties(self) -> str:
        return self.named("hypothesis", "strategies")

    def mutants(self) -> str:
        return self.named("mutant", "mutation")

    def backtest(self) -> str:
        return self.named("backtest", "replay")

    def sandbox(self) -> str:
        return self.named("sandbox")


class ToolsOfSessionFSM(Tools):
    """Those of session-fsm."""

    package = "session_fsm"

    def store(self) -> str:
        from session_fsm import CustomerSession
        from session_fsm.store import SessionStore

        with SessionStore("sqlite://") as store:
            store.create_schema()
            store.add(CustomerSession.create("order-1"))
            store.change("order-1", lambda session: session.close())
            return yes(store.get("order-1").state == "closed")

    def outbox(self) -> str:
        from session_fsm import CustomerSession
        from session_fsm.store import SessionStore

        published: list[Any] = []
        with SessionStore("sqlite://") as store:
            store.create_schema()
            store.add(CustomerSession.create("order-1"))
            store.relay(published.append)
        return yes(published)

    def picture(self) -> str:
        from session_fsm import CustomerSession
        from session_fsm.diagrams import render

        order = CustomerSession.create("order-1")
        return yes(render(session=order) != render())

    def history(self) -> str:
        from session_fsm import CustomerSession
        from session_fsm.diagrams import render

        order = CustomerSession.create("order-1")
        order.close()
        order.reopen()
        order.cancel()
        of_the_last = render(session=order, events=order.pending_events[-1:])
        return yes(render(session=order, events=order.pending_events) != of_the_last)

    def coverage(self) -> str:
        from session_fsm import CustomerSession
        from session_fsm.testing import recording

        with recording(CustomerSession) as recorder:
            CustomerSession.create("order-1").close()
        coverage = recorder.of(CustomerSession)
        return yes(coverage.missing and coverage.reached)

    def paths(self) -> str:
        from session_fsm import CustomerSession
        from session_fsm.testing import paths

        return yes(paths(CustomerSession).paths)

    def properties(self) -> str:
        from hypothesis.stateful import RuleBasedStateMachine

        from session_fsm.testing import SessionMachine

        return yes(issubclass(SessionMachine.machine(), RuleBasedStateMachine))

    def mutants(self) -> str:
        from session_fsm import CustomerSession
        from session_fsm.testing import mutants

        return yes(mutants(CustomerSession))

    def backtest(self) -> str:
        from session_fsm import CustomerSession
        from session_fsm.backtest import backtest
        from session_fsm.rules import coupon_code_required

        class Stricter(CustomerSession):
            rules = (*CustomerSession.rules, coupon_code_required)

        with tempfile.TemporaryDirectory() as folder:
            recording = Path(folder, "requests.jsonl")
            recording.write_text('{"operation": "update", "sessionId": "1", "body": {"state": "closed"}}\n', "utf-8")
            report = backtest(recording, kind=Stricter, against=CustomerSession)
        return yes(report.summary["refused"])

    def sandbox(self) -> str:
        import json
        from urllib.request import Request, urlopen

        from session_fsm.sandbox import Sandbox

        with Sandbox() as server:
            request = Request(  # noqa: S310 - the server above
                f"{server.url}/v2/customer_sessions/order-1",
                b'{"customerSession": {"state": "closed"}, "responseContent": ["customerSession"]}',
                {"Authorization": "ApiKey-v1 any", "Content-Type": "application/json"},
                method="PUT",
            )
            with urlopen(request) as response:  # noqa: S310 - the server above
                return yes(json.load(response)["customerSession"]["state"] == "closed")


class ToolsOfTransitions(Tools):
    """Those of transitions."""

    package = "transitions"

    @staticmethod
    def drawn(*triggers: str) -> str:
        """Return the diagram of an object that has taken *triggers*."""
        from transitions.extensions import GraphMachine

        rows = [["close", "open", "closed"], ["reopen", "closed", "open"]]
        machine = GraphMachine(states=["open", "closed"], initial="open", transitions=rows, graph_engine="mermaid")
        for trigger in triggers:
            machine.trigger(trigger)
        return str(machine.get_graph().source)

    def picture(self) -> str:
        return yes(self.drawn() != self.drawn("close"))

    def history(self) -> str:
        # It marks the last transition, and none before.
        return yes(self.drawn("close") != self.drawn("close", "reopen", "close"))


class ToolsOfPythonStateMachine(Tools):
    """Those of python-statemachine."""

    package = "statemachine"

    def picture(self) -> str:
        from statemachine import State, StateMachine
        from statemachine.contrib.diagram import MermaidGraphMachine

        class Order(StateMachine):
            opened = State(initial=True)
            closed = State(final=True)
            close = opened.to(closed)

        order = Order()
        before = MermaidGraphMachine(order).get_mermaid()
        order.close()
        return yes(MermaidGraphMachine(order).get_mermaid() != before)


class ToolsOfXStateStateMachine(Tools):
    """Those of xstate-statemachine."""

    package = "xstate_statemachine"

    @staticmethod
    def machine(*, guard: bool = True) -> Any:
        """Return a machine whose guard says *guard*."""
        from xstate_statemachine import MachineLogic, create_machine

        close = {"target": "closed", "guard": "fits"}
        states = {"open": {"on": {"CLOSE": close}}, "closed": {"tags": ["publish"]}}
        logic = MachineLogic(guards={"fits": lambda *_: guard})
        return create_machine({"id": "order", "initial": "open", "states": states}, logic=logic)

    def store(self) -> str:
        from xstate_statemachine.persistence import SQLiteStore, load_interpreter, persisted

        with tempfile.TemporaryDirectory() as folder:
            store = SQLiteStore(Path(folder, "orders.db"))
            with persisted(store, "order-1", self.machine()) as order:
                order.send("CLOSE")
            found, *_ = load_interpreter(store, "order-1", self.machine())
            store.close()
        return yes("order.closed" in found.current_state_ids)

    def outbox(self) -> str:
        from xstate_statemachine.eda import outbox
        from xstate_statemachine.persistence import SQLiteStore, persisted

        with tempfile.TemporaryDirectory() as folder:
            store = SQLiteStore(Path(folder, "orders.db"))
            messages = outbox.SQLiteOutboxStore(store)
            with persisted(store, "order-1", self.machine(), plugins=[outbox.OutboxPlugin(messages)]) as order:
                order.send("CLOSE")
            stored = messages.count(pending_only=True)
            store.close()
        return yes(stored == 1)

    def picture(self) -> str:
        set_up_django()  # the function belongs to the admin, which imports its models
        from xstate_statemachine.contrib.django.admin import highlighted_mermaid

        machine = self.machine()
        return yes(highlighted_mermaid(machine, ["order.closed"]) != highlighted_mermaid(machine, ["order.open"]))

    def coverage(self) -> str:
        from xstate_statemachine import SyncInterpreter
        from xstate_statemachine.coverage import CoverageCollector

        machine, collector = self.machine(), CoverageCollector()
        SyncInterpreter(machine).use(collector).start().send("CLOSE")
        return yes(collector.report(machine).transitions_hit == 1)

    def paths(self) -> str:
        from xstate_statemachine.graph import shortest_paths

        return yes(shortest_paths(self.machine()))

    def properties(self) -> str:
        from hypothesis.stateful import RuleBasedStateMachine
        from xstate_statemachine.contrib.testing import model_test

        return yes(issubclass(model_test(self.machine()), RuleBasedStateMachine))

    def backtest(self) -> str:
        from xstate_statemachine import SyncInterpreter
        from xstate_statemachine.persistence import log

        recording = log.MemoryLog()
        SyncInterpreter(self.machine()).use(log.TransitionLogPlugin(recording, machine_id=lambda _: "1")).start().send(
            "CLOSE"
        )
        error = error_of(lambda: log.replay(self.machine(guard=False), recording.read("1")))
        return yes(isinstance(error, log.ReplayDivergenceError))


class ToolsOfDjangoFSM2(Tools):
    """Those of django-fsm-2."""

    package = "django_fsm"
    order: Any

    def store(self) -> str:
        from django.db import connection

        kind = type(self.order)
        with connection.schema_editor() as editor:
            editor.create_model(kind)
        self.order.cancel()
        self.order.save()
        return yes(kind.objects.get().state == "cancelled")


class ToolsOfSismic(Tools):
    """Those of sismic."""

    package = "sismic"
    order: Any

    def coverage(self) -> str:
        from sismic.helpers import coverage_from_trace

        self.order.queue("cancel")
        return yes(len(coverage_from_trace(self.order.execute())["processed transitions"]) == 1)
