"""The matrix of every state and every trigger, allowed or not, each with a session and arguments.

>>> from session_fsm import CustomerSession
>>> cells = {str(cell): cell for cell in matrix(CustomerSession)}
>>> print(cells["closed-reopen"].run())
open (talon_session_reopened)
>>> print(cells["partially_returned-reopen"].run())
refused: wrong_state
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from attrs import evolve, field, frozen

from session_fsm.errors import InvalidValue, SessionFSMError, TransitionRefused
from session_fsm.lifecycle import Row
from session_fsm.session import CustomerSession
from session_fsm.states import EventName, State, Trigger
from session_fsm.testing.coverage.hooks import unrecorded
from session_fsm.testing.generation.search import BUDGET
from session_fsm.testing.generation.witnesses import NoWitness, Witness, find_witness, raised_in
from session_fsm.testing.steps import Contexts, Step, Story
from session_fsm.values import ReturnedCartItem, SessionUpdate

__all__ = ["Cell", "CellOutcome", "matrix", "matrix_table"]


@frozen
class CellOutcome:
    """The result of firing the trigger of a cell."""

    target: State | None = None
    """The target state; None if it was refused."""
    event: EventName | None = None
    """The recorded event; None if it was refused."""
    codes: tuple[str, ...] = ()
    """The distinct codes of the refusal; empty if it was allowed."""
    raised: tuple[str, ...] = field(default=(), eq=False)
    """The exceptions of rules, each with the code of its rule."""

    @property
    def allowed(self) -> bool:
        """Whether the transition took place."""
        return self.target is not None

    def __str__(self) -> str:
        if self.allowed:
            return f"{self.target} ({self.event})"
        return f"refused: {', '.join(self.codes)}" + (f" ({'; '.join(self.raised)})" if self.raised else "")


@frozen(eq=False)
class Cell:
    """A state and a trigger, with a story that reaches the state and a step that fires the trigger."""

    kind: type[CustomerSession]
    state: State | None
    """The state of the session; None for a creation."""
    trigger: Trigger
    wanted: State | None
    """The wanted state of a creation; None for other triggers."""
    row: Row | None
    """The row; None if the table has none, so that the cell is forbidden."""
    story: Story | None = field(repr=False)
    """A story into the state; without steps for a creation, None if there is none."""
    step: Step = field(repr=False)
    """The trigger with arguments that fire the row; for a forbidden cell, with plausible ones."""
    infeasible: str = ""
    """Why no session reaches the state or no arguments fire the row; empty if the cell is feasible."""

    def session(self) -> CustomerSession | None:
        """Return a new session in the state; None for a creation.

        Raises:
            SessionFSMError: no session reaches the state.
        """
        if self.story is None:
            raise SessionFSMError(f"{self}: {self.infeasible}")
        return self.story.play(self.kind) if self.story.steps else None

    def run(self) -> CellOutcome:
        """Fire the trigger on a new session in the state, and return the result.

        Raises:
            SessionFSMError: no session reaches the state.
        """
        session = self.session()
        story = self.story or Story(())
        try:
            after, event = self.step.take(session, self.kind, story.end, **story.own)
        except TransitionRefused as refusal:
            codes = dict.fromkeys(violation.code for violation in refusal.violations)
            return CellOutcome(codes=tuple(codes), raised=raised_in(refusal.decision))
        return CellOutcome(target=after.state, event=event.name)

    def __str__(self) -> str:
        return _name(self.state, self.trigger, self.wanted)


@unrecorded()
def matrix(
    kind: type[CustomerSession],
    own: Mapping[str, Any] | None = None,
    *,
    context: Contexts = None,
    budget: int = BUDGET,
) -> list[Cell]:
    """Return every cell of the matrix of states and triggers, forbidden ones included; deterministic.

    There are four cells for creations, one for each wanted state, named ``new-create-open`` and so on. Each of the four
    states has a cell for each of the other five triggers, named ``closed-reopen`` and so on. Use it with
    ``@pytest.mark.parametrize("cell", matrix(ShopSession), ids=str)``.

    The story and the step of an allowed cell are those of the witness of its row. A forbidden cell gets arguments that
    fire the trigger in another state, and a cart for returns, so that only the table refuses it.

    Args:
        kind: the session class.
        own: what a creation gives to the fields that *kind* adds.
        context: the ``context=`` of the calls, for rules that read it, or a list of several to try; calls without one
            are tried too.
        budget: how many stories to judge at most to find the witness of one row.
    """
    found = {row.id: find_witness(kind, row, own=own, context=context, budget=budget) for row in kind.machine.table}
    return [_cell(kind, found, place, own or {}) for place in _places()]


_Place: TypeAlias = tuple[State | None, Trigger, State | None]
_Found: TypeAlias = Mapping[str, "Witness | NoWitness"]
_OTHER_TRIGGERS = tuple(trigger for trigger in Trigger if trigger is not Trigger.CREATE)


def _places() -> Iterator[_Place]:
    yield from ((None, Trigger.CREATE, wanted) for wanted in State)
    yield from ((state, trigger, None) for state in State for trigger in _OTHER_TRIGGERS)


def _name(state: State | None, trigger: Trigger, wanted: State | None) -> str:
    return "-".join(filter(None, (state or "new", trigger, wanted)))


def _cell(kind: type[CustomerSession], found: _Found, place: _Place, own: Mapping[str, Any]) -> Cell:
    state, trigger, wanted = place
    rows = (row for row in kind.machine.table if row.source is state and row.trigger is trigger)
    row = next((row for row in rows if wanted in (None, row.target)), None)
    witness = None if row is None else found[row.id]
    if isinstance(witness, Witness):
        return Cell(
            kind, state, trigger, wanted, row, evolve(witness.story, own={**witness.story.own, **own}), witness.step
        )
    infeasible = "" if witness is None else str(witness)
    step = _plausible(found, trigger, wanted)
    if state is None:
        return Cell(kind, state, trigger, wanted, row, Story((), own=own), step, infeasible)
    incoming = [found[row.id] for row in kind.machine.table if row.target is state]
    stories = [one.whole for one in incoming if isinstance(one, Witness)]
    if not stories:
        infeasible = f"no session reaches {state}: {'; '.join(map(str, incoming))}"
        return Cell(kind, state, trigger, wanted, row, None, step, infeasible)
    story = min(stories, key=lambda story: len(story.steps))
    story = evolve(story, own={**story.own, **own})
    if trigger is Trigger.RETURN_ITEMS:
        story = _with_cart(kind, found, story)
    return Cell(kind, state, trigger, wanted, row, story, step, infeasible)


def _firing(found: _Found, trigger: Trigger) -> Iterator[Witness]:
    return (one for one in found.values() if isinstance(one, Witness) and one.step.trigger is trigger)


def _plausible(found: _Found, trigger: Trigger, wanted: State | None) -> Step:
    """Return the trigger with arguments that fire it in some state, if there are any."""
    if wanted is not None:
        return Step(trigger, SessionUpdate(state=wanted))
    minimal = Step(trigger, [ReturnedCartItem(position=0)] if trigger is Trigger.RETURN_ITEMS else None)
    return next((witness.step for witness in _firing(found, trigger)), minimal)


def _with_cart(kind: type[CustomerSession], found: _Found, story: Story) -> Story:
    """Return *story* with a cart whose items can be returned, if the rules allow it."""
    creation, *rest = story.steps
    for witness in _firing(found, Trigger.RETURN_ITEMS):
        session = witness.session()
        filled = evolve(
            creation, argument=evolve(creation.argument, cart_items=() if session is None else session.cart_items)
        )
        with_cart = evolve(story, steps=(filled, *rest))
        try:
            with_cart.play(kind)
        except (TransitionRefused, InvalidValue):
            continue
        return with_cart
    return story


@unrecorded()
def matrix_table(
    kind: type[CustomerSession],
    outcomes: Mapping[Any, Any] | Iterable[tuple[Any, Any]] | None = None,
    own: Mapping[str, Any] | None = None,
    *,
    context: Contexts = None,
    budget: int = BUDGET,
) -> str:
    """Return a Markdown table of the states and the triggers, with the outcome of each cell.

    Args:
        kind: the session class.
        outcomes: an outcome for each `Cell` or cell name, shown with `str`; missing cells stay empty. None runs all
            cells.
        own: what a creation gives to the fields that *kind* adds.
        context: the ``context=`` of the calls, for rules that read it, or a list of several to try; calls without one
            are tried too.
        budget: how many stories to judge at most to find the witness of one row.
    """
    if outcomes is None:
        cells = matrix(kind, own, context=context, budget=budget)
        outcomes = [(cell, "infeasible" if cell.story is None else cell.run()) for cell in cells]
    by_cell: dict[Any, Any] = dict(outcomes)
    texts = {str(cell): str(outcome) for cell, outcome in by_cell.items()}
    if unknown := [name for name in texts if name not in {_name(*place) for place in _places()}]:
        raise InvalidValue("/outcomes", f"{kind.__name__} has no cell {unknown[0]}")
    created = [f"{wanted}: {texts[name]}" for wanted in State if (name := _name(None, Trigger.CREATE, wanted)) in texts]
    lines = [
        ["state", *Trigger],
        ["---"] * (1 + len(Trigger)),
        ["new", "<br>".join(created), *[""] * len(_OTHER_TRIGGERS)],
        *([state, "", *(texts.get(_name(state, trigger, None), "") for trigger in _OTHER_TRIGGERS)] for state in State),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
