"""The matrix: every state against every trigger, what is forbidden too, each with a real session and arguments.

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
from session_fsm.testing.steps import Step, Story
from session_fsm.values import ReturnedCartItem, SessionUpdate

__all__ = ["Cell", "CellOutcome", "matrix", "matrix_table"]


@frozen
class CellOutcome:
    """What came of pulling the trigger of a cell."""

    target: State | None = None
    """The state that the session came into; None where it was refused."""
    event: EventName | None = None
    """The event that was recorded; None where it was refused."""
    codes: tuple[str, ...] = ()
    """The codes of the refusal, each once; none where it was allowed."""
    raised: tuple[str, ...] = field(default=(), eq=False)
    """What the rules that failed raised, each with the code of its rule."""

    @property
    def allowed(self) -> bool:
        """Whether the session moved."""
        return self.target is not None

    def __str__(self) -> str:
        if self.allowed:
            return f"{self.target} ({self.event})"
        return f"refused: {', '.join(self.codes)}" + (f" ({'; '.join(self.raised)})" if self.raised else "")


@frozen(eq=False)
class Cell:
    """A state, a trigger, and what it takes to pull the one in the other."""

    kind: type[CustomerSession]
    state: State | None
    """The state of the session; None where it is created."""
    trigger: Trigger
    wanted: State | None
    """The state that a creation asks for; None for the triggers that move a session."""
    row: Row | None
    """The transition; None where the table has none, so that it is forbidden."""
    story: Story | None = field(repr=False)
    """What gets a session into the state: without steps where it is created, None where nothing does."""
    step: Step = field(repr=False)
    """The trigger with arguments with which the row fires; where none does, with plausible ones."""
    infeasible: str = ""
    """Why no session gets into the state, or why no arguments fire the row; empty where it is feasible."""

    def session(self) -> CustomerSession | None:
        """Return a new session in the state; None where the trigger creates it.

        Raises:
            SessionFSMError: no session gets into the state.
        """
        if self.story is None:
            raise SessionFSMError(f"{self}: {self.infeasible}")
        return self.story.play(self.kind) if self.story.steps else None

    def run(self) -> CellOutcome:
        """Pull the trigger of a new session in the state, and return what came of it.

        Raises:
            SessionFSMError: no session gets into the state.
        """
        session = self.session()
        story = self.story or Story(())
        try:
            moved, event = self.step.take(session, self.kind, story.end, **story.own)
        except TransitionRefused as refusal:
            codes = dict.fromkeys(violation.code for violation in refusal.violations)
            return CellOutcome(codes=tuple(codes), raised=raised_in(refusal.decision))
        return CellOutcome(target=moved.state, event=event.name)

    def __str__(self) -> str:
        return _name(self.state, self.trigger, self.wanted)


@unrecorded()
def matrix(kind: type[CustomerSession], own: Mapping[str, Any] | None = None, *, budget: int = BUDGET) -> list[Cell]:
    """Return every cell of the matrix of states and triggers, what is forbidden too, the same in every run.

    A new session can only be created, in each of the four states, so there are four such cells, called
    ``new-create-open`` and so on. A session in one of the four states has a cell for each of the other five triggers,
    called ``closed-reopen`` and so on. Made for ``@pytest.mark.parametrize("cell", matrix(ShopSession), ids=str)``.

    The session and the arguments of an allowed cell are those of the witness of its row. A forbidden one is given
    what would fire elsewhere, and to return from, a cart, so that the table alone is in the way.

    Args:
        kind: the session class.
        own: what a creation gives to the fields that *kind* adds.
        budget: how many stories are judged at most to find the witness of one row.
    """
    found = {row.id: find_witness(kind, row, own=own, budget=budget) for row in kind.machine.table}
    return [_cell(kind, found, place, own or {}) for place in _places()]


_Place: TypeAlias = tuple[State | None, Trigger, State | None]
_Found: TypeAlias = Mapping[str, "Witness | NoWitness"]
_MOVING = tuple(trigger for trigger in Trigger if trigger is not Trigger.CREATE)


def _places() -> Iterator[_Place]:
    yield from ((None, Trigger.CREATE, wanted) for wanted in State)
    yield from ((state, trigger, None) for state in State for trigger in _MOVING)


def _name(state: State | None, trigger: Trigger, wanted: State | None) -> str:
    return "-".join(filter(None, (state or "new", trigger, wanted)))


def _cell(kind: type[CustomerSession], found: _Found, place: _Place, own: Mapping[str, Any]) -> Cell:
    state, trigger, wanted = place
    ways = (row for row in kind.machine.table if row.source is state and row.trigger is trigger)
    row = next((row for row in ways if wanted in (None, row.target)), None)
    known = None if row is None else found[row.id]
    if isinstance(known, Witness):
        return Cell(kind, state, trigger, wanted, row, evolve(known.story, own={**known.story.own, **own}), known.step)
    infeasible = "" if known is None else str(known)
    step = _plausible(found, trigger, wanted)
    if state is None:
        return Cell(kind, state, trigger, wanted, row, Story((), own=own), step, infeasible)
    inward = [found[way.id] for way in kind.machine.table if way.target is state]
    stories = [way.whole for way in inward if isinstance(way, Witness)]
    if not stories:
        infeasible = f"no session gets into {state}: {'; '.join(map(str, inward))}"
        return Cell(kind, state, trigger, wanted, row, None, step, infeasible)
    story = min(stories, key=lambda story: len(story.steps))
    story = evolve(story, own={**story.own, **own})
    if trigger is Trigger.RETURN_ITEMS:
        story = _with_cart(kind, found, story)
    return Cell(kind, state, trigger, wanted, row, story, step, infeasible)


def _firing(found: _Found, trigger: Trigger) -> Iterator[Witness]:
    return (one for one in found.values() if isinstance(one, Witness) and one.step.trigger is trigger)


def _plausible(found: _Found, trigger: Trigger, wanted: State | None) -> Step:
    """Return the trigger with what fires it somewhere, if anything does."""
    if wanted is not None:
        return Step(trigger, SessionUpdate(state=wanted))
    least = Step(trigger, [ReturnedCartItem(position=0)] if trigger is Trigger.RETURN_ITEMS else None)
    return next((witness.step for witness in _firing(found, trigger)), least)


def _with_cart(kind: type[CustomerSession], found: _Found, story: Story) -> Story:
    """Return *story* with a cart of which items could come back, if the rules let it be."""
    creation, *rest = story.steps
    for witness in _firing(found, Trigger.RETURN_ITEMS):
        held = witness.session()
        filled = evolve(
            creation, argument=evolve(creation.argument, cart_items=() if held is None else held.cart_items)
        )
        fuller = evolve(story, steps=(filled, *rest))
        try:
            fuller.play(kind)
        except (TransitionRefused, InvalidValue):
            continue
        return fuller
    return story


@unrecorded()
def matrix_table(
    kind: type[CustomerSession],
    outcomes: Mapping[Any, Any] | Iterable[tuple[Any, Any]] | None = None,
    own: Mapping[str, Any] | None = None,
    *,
    budget: int = BUDGET,
) -> str:
    """Return a Markdown table of the states and the triggers, with what came of each cell.

    Args:
        kind: the session class.
        outcomes: what came of each `Cell`, which may also be given by its name; anything that prints itself is an
            outcome, and a cell that is missing stays empty. None means that the cells are run.
        own: what a creation gives to the fields that *kind* adds.
        budget: how many stories are judged at most to find the witness of one row.
    """
    if outcomes is None:
        outcomes = [
            (cell, "infeasible" if cell.story is None else cell.run()) for cell in matrix(kind, own, budget=budget)
        ]
    held: dict[Any, Any] = dict(outcomes)
    texts = {str(cell): str(outcome) for cell, outcome in held.items()}
    if unknown := [name for name in texts if name not in {_name(*place) for place in _places()}]:
        raise InvalidValue("/outcomes", f"{kind.__name__} has no cell {unknown[0]}")
    created = [f"{wanted}: {texts[name]}" for wanted in State if (name := _name(None, Trigger.CREATE, wanted)) in texts]
    lines = [
        ["state", *Trigger],
        ["---"] * (1 + len(Trigger)),
        ["new", "<br>".join(created), *[""] * len(_MOVING)],
        *([state, "", *(texts.get(_name(state, trigger, None), "") for trigger in _MOVING)] for state in State),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
