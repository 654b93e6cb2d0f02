"""The history section's entries and their labels, for `page` and `sections`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from session_fsm.diagrams.model import Diagram, HistoryEntry, Overlay

__all__ = ["history_entries", "labels"]


def history_entries(diagram: Diagram, overlay: Overlay) -> tuple[HistoryEntry, ...]:
    """Return the history; of an overlay without one, entries built from its steps and refusals."""
    if overlay.history:
        return overlay.history
    edges = {edge.id: edge for edge in diagram.edges}
    entries: list[HistoryEntry] = []
    state = None
    for ids in overlay.steps:
        found = [edges[edge_id] for edge_id in ids if edge_id in edges]
        text = " or ".join(f"{edge.trigger}: {edge.source or 'new'} -> {edge.target}" for edge in found)
        state = found[0].target if found else state
        entries.append(HistoryEntry(text=text or "no row of this table", edges=ids, state=state))
    refused = (HistoryEntry(text=refusal, state=state, refused=True) for refusal in overlay.refusals)
    return (*entries, *refused)


def labels(entries: Sequence[HistoryEntry]) -> list[str]:
    """Return the label of each entry: the number of the step, or of the step after which it was refused."""
    steps = accumulate(int(not entry.refused) for entry in entries)
    return [f"After {step}" if entry.refused else f"Step {step}" for step, entry in zip(steps, entries, strict=True)]
