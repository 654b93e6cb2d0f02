"""The history of a session as the page tells it, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from session_fsm.diagrams.model import Diagram, Moment, Overlay

__all__ = ["labels", "moments"]


def moments(diagram: Diagram, overlay: Overlay) -> tuple[Moment, ...]:
    """Return the history; where only the steps are known, what they say."""
    if overlay.history:
        return overlay.history
    edges = {edge.id: edge for edge in diagram.edges}
    told: list[Moment] = []
    state = None
    for ids in overlay.steps:
        found = [edges[one] for one in ids if one in edges]
        words = " or ".join(f"{edge.trigger}: {edge.source or 'new'} -> {edge.target}" for edge in found)
        state = found[0].target if found else state
        told.append(Moment(text=words or "no row of this table", edges=ids, state=state))
    refused = (Moment(text=refusal, state=state, refused=True) for refusal in overlay.refusals)
    return (*told, *refused)


def labels(told: Sequence[Moment]) -> list[str]:
    """Return what each moment is called: the step, by the number that the picture shows, or after which it was refused."""
    steps = accumulate(int(not moment.refused) for moment in told)
    return [f"After {step}" if moment.refused else f"Step {step}" for step, moment in zip(steps, told, strict=True)]
