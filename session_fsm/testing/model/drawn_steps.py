"""What the rules of `SessionMachine` draw: changes, creations, and steps for the session of the running state machine."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from session_fsm.errors import InvalidValue, TransitionRefused
from session_fsm.session import CustomerSession
from session_fsm.states import State, Trigger
from session_fsm.testing.steps import Contexts, Step
from session_fsm.testing.strategies.invalid import Planted
from session_fsm.testing.strategies.sessions import operations
from session_fsm.testing.strategies.values import carts, returns, updates, updates_with
from session_fsm.values import SessionUpdate

__all__ = [
    "CHANGES",
    "CREATION",
    "WANTED_STATE",
    "accepted_steps",
    "any_step",
    "anything_remains",
    "depending_on_machine",
    "several",
]


def depending_on_machine(what: Callable[[Any], st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Draw from the strategy that *what* returns for the state machine when the rule runs."""
    return st.runner().flatmap(what)


_repeated_sku = carts(at_least=1).map(lambda items: [*items, items[0]])
ANY_CHANGES = updates() | updates_with(carts(at_least=2) | _repeated_sku)
"""Any changes, often with a cart of several items, two of which may have the same SKU."""
CHANGES = depending_on_machine(lambda machine: ANY_CHANGES if machine.changes is None else machine.changes)
CREATION = depending_on_machine(
    lambda machine: operations(
        machine.kind,
        changes=ANY_CHANGES if machine.changes is None else machine.changes,
        own=machine.own,
        context=machine.context,
    )
)
WANTED_STATE = st.sampled_from([None, *State, State.CLOSED, State.CLOSED])
"""The wanted state of a request, most often closed."""
_MOST_STEPS = 3
"""The most accepted steps in one rule call."""
_MOST_FAULTS = 12
"""The most different faults to try in one rule call."""


@st.composite
def accepted_steps(
    draw: st.DrawFn, session: CustomerSession, changes: st.SearchStrategy[SessionUpdate] | None, context: Contexts
) -> list[Step]:
    """Draw successive steps that the class accepts; none if its rules refuse everything."""
    steps: list[Step] = []
    session = deepcopy(session)
    for _ in range(draw(st.integers(1, _MOST_STEPS))):
        try:
            step = draw(operations(session, context=context, changes=changes))
            if step.trigger is Trigger.CANCEL:  # draw again, because nothing follows a cancellation
                step = draw(operations(session, context=context, changes=changes))
            steps.append(step)
            session, _event = step.take(session, type(session), session.updated)
        except (InvalidValue, TransitionRefused):  # nothing is allowed, or the copy differs from the session
            break
    return steps


def several(planted: st.SearchStrategy[Planted]) -> st.SearchStrategy[list[Planted]]:
    """Draw several different faults."""
    return st.lists(planted, min_size=1, max_size=_MOST_FAULTS, unique_by=lambda one: (one.code, one.problem))


def anything_remains(session: CustomerSession) -> bool:
    """Whether units remain that can be returned."""
    return any(item.remaining_quantity for item in session.cart_items)


def _some_returns(session: CustomerSession) -> st.SearchStrategy[Any]:
    return returns(session) | returns() if anything_remains(session) else returns()


def any_step(session: CustomerSession) -> st.SearchStrategy[Step]:
    """Draw any trigger except create, with any argument of its type."""
    changes = st.none() | ANY_CHANGES
    arguments = {Trigger.UPDATE: changes, Trigger.CLOSE: changes, Trigger.RETURN_ITEMS: _some_returns(session)}
    triggers = st.sampled_from([trigger for trigger in Trigger if trigger is not Trigger.CREATE])
    return triggers.flatmap(lambda trigger: arguments.get(trigger, st.none()).map(lambda given: Step(trigger, given)))
