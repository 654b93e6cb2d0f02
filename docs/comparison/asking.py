"""What is asked of each library, and how an answer is found and written."""

# ruff: noqa: INP001, S301 - a part of the script peers.py; and what is unpickled has just been pickled

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["QUESTIONS", "TOOLS", "error_of", "fail", "option", "quiet", "survives", "yes"]

QUESTIONS = {
    "raises": "A failing guard raises an error",
    "every_reason": "The error lists every failed guard",
    "asks": "A dry run of a trigger is possible",
    "asks_why": "The dry run returns the reasons",
    "shut": "The state cannot be assigned directly",
    "pickles": "The error of a refusal can be pickled",
    "lost_state": "An unreachable state is refused in the definition",
    "whole": "A failing callback, even after the transition, leaves the object unchanged",
    "nested": "Nested states",
    "coroutines": "Async callbacks",
}
"""The questions about the machine by the name of the method that answers them, as sentences."""

TOOLS = {
    "store": "Objects are kept in a database",
    "outbox": "Events are stored in an outbox, for a relay",
    "picture": "A diagram marks the state of an object",
    "history": "A diagram shows the history of an object",
    "coverage": "Coverage of states and transitions by tests",
    "paths": "Paths through the machine are generated, for tests",
    "properties": "A Hypothesis test is made from the machine",
    "mutants": "Mutation score of the tests for states and rules",
    "backtest": "Recorded traffic is replayed against a changed machine",
    "sandbox": "A local server stands in for the API of Talon.One",
}
"""The questions about the tools around the machine."""


def error_of(call: Callable[[], object]) -> Exception | None:
    """Return what *call* raises."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        return error
    return None


def survives(error: Exception | None) -> bool:
    """Whether *error* reads the same after pickling."""
    try:
        return error is not None and str(pickle.loads(pickle.dumps(error))) == str(error)
    except (TypeError, AttributeError, pickle.PicklingError):
        return False


def yes(answer: object) -> str:
    """Write an answer into the table."""
    return "yes" if answer else "no"


def option(plain: object, chosen: object) -> str:
    """Write the answer of a library that has to be told."""
    return "yes" if plain else "option" if chosen else "no"


@contextmanager
def quiet() -> Iterator[None]:
    """Keep a library from logging what is provoked here."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def fail(*_: object, **__: object) -> None:
    """Fail, as a callback."""
    raise LookupError("no stock")
