"""What a machine for each session would cost, in memory and time, beside one machine for all of a class.

``python docs/comparison/cost_of_machines.py`` prints the figures that ``docs/explanation/machine.md`` rounds.
"""

# ruff: noqa: INP001, T201 - a script that prints, beside the page that quotes it

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from time import perf_counter
from typing import Any

from transitions import Machine

from session_fsm import CustomerSession
from session_fsm.lifecycle import TABLE
from session_fsm.states import State

STATES = [str(state) for state in State]
MOVES = [[str(row.trigger), str(row.source), str(row.target)] for row in TABLE if row.source]


class Order:
    """An object without anything, for a machine to move."""


def a_machine_each() -> Any:
    """Make an object, and a machine of its own."""
    order = Order()
    return order, Machine(order, states=STATES, transitions=MOVES, initial="open", auto_transitions=False)


def shared() -> Callable[[], Any]:
    """Return what makes an object and registers it with a machine that all share."""
    machine = Machine(None, states=STATES, transitions=MOVES, initial="open", auto_transitions=False)

    def register() -> Any:
        order = Order()
        machine.add_model(order)
        return order

    return register


def a_session() -> Any:
    """Make a session, which its class's machine moves."""
    return CustomerSession.create("order-1")


def measure(make: Callable[[], Any], count: int) -> tuple[float, float]:
    """Return the bytes and the microseconds that each of *count* things takes."""
    make()
    gc.collect()
    tracemalloc.start()
    kept = [make() for _ in range(count)]
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del kept
    gc.collect()
    start = perf_counter()
    kept = [make() for _ in range(count)]
    took = perf_counter() - start
    del kept
    return held / count, took / count * 1e6


def main(count: int = 1000) -> None:
    """Print the figures."""
    for name, make in {
        "a machine each": a_machine_each,
        "a shared machine, add_model": shared(),
        "a session, all of it": a_session,
    }.items():
        size, time = measure(make, count)
        print(f"{name:<28} {size / 1000:6.1f} kB {time:8.1f} us")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
