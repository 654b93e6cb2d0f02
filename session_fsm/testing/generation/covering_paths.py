"""Compute the fewest paths from the start of a small graph that cover every required arc, with the fewest steps.

A path is a sequence of connected arcs, which may repeat. This is a minimum-cost flow with lower bounds: each path is one
unit of flow, and starting a path costs more than all steps. The first flow covers each required arc by a separate path;
negative-cost cycles are cancelled until there is none, so that the flow is minimal. An Euler tour of it gives the paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from attrs import frozen

from session_fsm.lifecycle import Row

__all__ = ["START", "Arc", "fewest_paths"]

START = "start"
"""The node where every path begins; a path may end anywhere."""
_END = "end"


@frozen
class Arc:
    """A directed edge of the graph."""

    tail: str
    head: str
    row: Row | None
    """The row of the table; None at the end of a path."""
    required: bool = False


def fewest_paths(arcs: Sequence[Arc]) -> list[tuple[Row, ...]]:
    """Return the paths as tuples of rows; deterministic.

    Args:
        arcs: the graph. Arcs that cannot be reached from the start are ignored.
    """
    reached = [START]
    for node in reached:
        reached += dict.fromkeys(arc.head for arc in arcs if arc.tail == node and arc.head not in reached)
    inner = [arc for arc in arcs if arc.tail in reached]
    ends = [Arc(node, _END, None) for node in reached]
    network = _Network([*inner, *ends, Arc(_END, START, None)])
    return network.paths()


class _Network:
    def __init__(self, arcs: list[Arc]) -> None:
        self.arcs = arcs
        self.nodes = list(dict.fromkeys(arc.tail for arc in arcs))
        self.lower = [int(arc.required) for arc in arcs]
        self.flow = [0] * len(arcs)
        # A minimal flow has at most len(arcs) ** 2 steps, so starting a path costs more than all of them.
        self.costs = [int(arc.row is not None) for arc in arcs[:-1]] + [(len(arcs) + 1) ** 2]

    def paths(self) -> list[tuple[Row, ...]]:
        self._cover_each_arc_separately()
        while cycle := self._negative_cycle():
            spare = min(self.flow[number] - self.lower[number] for number, sign in cycle if sign < 0)
            for number, sign in cycle:
                self.flow[number] += sign * spare
        return self._tour()

    def _cover_each_arc_separately(self) -> None:
        shortest: dict[str, list[int]] = {START: []}
        queue = [START]
        for node in queue:
            for number, arc in enumerate(self.arcs):
                if arc.tail == node and arc.head not in shortest:
                    shortest[arc.head] = [*shortest[node], number]
                    queue.append(arc.head)
        ends = {arc.tail: number for number, arc in enumerate(self.arcs) if arc.head == _END}
        for number, arc in enumerate(self.arcs):
            if arc.required:
                for taken in (*shortest[arc.tail], number, ends[arc.head], len(self.arcs) - 1):
                    self.flow[taken] += 1

    def _negative_cycle(self) -> list[tuple[int, int]]:
        """Return a negative-cost cycle (Bellman-Ford) as arc numbers with directions; empty if there is none."""
        edges = [(arc.tail, arc.head, self.costs[number], number, 1) for number, arc in enumerate(self.arcs)]
        edges += [
            (arc.head, arc.tail, -self.costs[number], number, -1)
            for number, arc in enumerate(self.arcs)
            if self.flow[number] > self.lower[number]
        ]
        distance = dict.fromkeys(self.nodes, 0)
        previous: dict[str, tuple[str, int, int]] = {}
        last = ""
        for _ in self.nodes:
            last = ""
            for tail, head, cost, number, sign in edges:
                if distance[tail] + cost < distance[head]:
                    distance[head], previous[head], last = distance[tail] + cost, (tail, number, sign), head
        if not last:
            return []
        # After len(nodes) steps back, the node is on the cycle.
        for _ in self.nodes:
            last = previous[last][0]
        cycle, node = [previous[last][1:]], previous[last][0]
        while node != last:
            cycle.append(previous[node][1:])
            node = previous[node][0]
        return cycle

    def _tour(self) -> list[tuple[Row, ...]]:
        left = list(self.flow)
        tour: list[Arc] = []
        stack: list[tuple[str, Arc | None]] = [(START, None)]
        while stack:
            node, previous = stack[-1]
            onward = next((n for n, arc in enumerate(self.arcs) if arc.tail == node and left[n]), None)
            if onward is not None:
                left[onward] -= 1
                stack.append((self.arcs[onward].head, self.arcs[onward]))
            else:
                stack.pop()
                tour[:0] = () if previous is None else (previous,)
        borders = [-1, *(place for place, arc in enumerate(tour) if arc.tail == _END)]
        return [tuple(arc.row for arc in tour[a + 1 : b] if arc.row) for a, b in pairwise(borders)]
