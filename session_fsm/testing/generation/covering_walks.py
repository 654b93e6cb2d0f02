"""The fewest walks from the start that take every required arc of a small graph, and among those the shortest.

That is a flow of least cost with lower bounds: one unit enters for every walk, and a walk costs more than all of its
steps. A first flow takes every required arc by a walk of its own; as long as there is a cycle that makes it cheaper,
flow is moved along it. Without such a cycle no flow is cheaper. The walks are read off along an Euler tour.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from attrs import frozen

from session_fsm.lifecycle import Row

__all__ = ["START", "Arc", "fewest_walks"]

START = "start"
"""The node where every walk begins; it may end anywhere."""
_END = "end"


@frozen
class Arc:
    """A step from one node to another."""

    tail: str
    head: str
    row: Row | None
    """The transition that is made by the step; None where a walk ends."""
    required: bool = False


def fewest_walks(arcs: Sequence[Arc]) -> list[tuple[Row, ...]]:
    """Return the walks, each as the transitions that it makes; the same in every run.

    Args:
        arcs: the graph. Arcs that nothing leads to from the start are left aside, and the required ones among the
            others connect all that they touch with the start.
    """
    reached = [START]
    for node in reached:
        reached += dict.fromkeys(arc.head for arc in arcs if arc.tail == node and arc.head not in reached)
    inner = [arc for arc in arcs if arc.tail in reached]
    ends = [Arc(node, _END, None) for node in reached]
    network = _Network([*inner, *ends, Arc(_END, START, None)])
    return network.walks()


class _Network:
    def __init__(self, arcs: list[Arc]) -> None:
        self.arcs = arcs
        self.nodes = list(dict.fromkeys(arc.tail for arc in arcs))
        self.lower = [int(arc.required) for arc in arcs]
        self.flow = [0] * len(arcs)
        # No cheapest flow has more steps than there are arcs, taken once for every arc; to begin a walk costs more.
        self.costs = [int(arc.row is not None) for arc in arcs[:-1]] + [(len(arcs) + 1) ** 2]

    def walks(self) -> list[tuple[Row, ...]]:
        self._take_each_by_itself()
        while cycle := self._cheaper_cycle():
            spare = min(self.flow[number] - self.lower[number] for number, sign in cycle if sign < 0)
            for number, sign in cycle:
                self.flow[number] += sign * spare
        return self._tour()

    def _take_each_by_itself(self) -> None:
        ways: dict[str, list[int]] = {START: []}
        queue = [START]
        for node in queue:
            for number, arc in enumerate(self.arcs):
                if arc.tail == node and arc.head not in ways:
                    ways[arc.head] = [*ways[node], number]
                    queue.append(arc.head)
        ends = {arc.tail: number for number, arc in enumerate(self.arcs) if arc.head == _END}
        for number, arc in enumerate(self.arcs):
            if arc.required:
                for taken in (*ways[arc.tail], number, ends[arc.head], len(self.arcs) - 1):
                    self.flow[taken] += 1

    def _cheaper_cycle(self) -> list[tuple[int, int]]:
        """Return arcs, each with the direction in which flow is moved, that make a cycle which saves something."""
        edges = [(arc.tail, arc.head, self.costs[number], number, 1) for number, arc in enumerate(self.arcs)]
        edges += [
            (arc.head, arc.tail, -self.costs[number], number, -1)
            for number, arc in enumerate(self.arcs)
            if self.flow[number] > self.lower[number]
        ]
        away = dict.fromkeys(self.nodes, 0)
        came: dict[str, tuple[str, int, int]] = {}
        last = ""
        for _ in self.nodes:
            last = ""
            for tail, head, cost, number, sign in edges:
                if away[tail] + cost < away[head]:
                    away[head], came[head], last = away[tail] + cost, (tail, number, sign), head
        if not last:
            return []
        # So many steps back lies a node of the cycle itself.
        for _ in self.nodes:
            last = came[last][0]
        cycle, node = [came[last][1:]], came[last][0]
        while node != last:
            cycle.append(came[node][1:])
            node = came[node][0]
        return cycle

    def _tour(self) -> list[tuple[Row, ...]]:
        left = list(self.flow)
        tour: list[Arc] = []
        stack: list[tuple[str, Arc | None]] = [(START, None)]
        while stack:
            node, came = stack[-1]
            onward = next((n for n, arc in enumerate(self.arcs) if arc.tail == node and left[n]), None)
            if onward is not None:
                left[onward] -= 1
                stack.append((self.arcs[onward].head, self.arcs[onward]))
            else:
                stack.pop()
                tour[:0] = () if came is None else (came,)
        borders = [-1, *(place for place, arc in enumerate(tour) if arc.tail == _END)]
        return [tuple(arc.row for arc in tour[a + 1 : b] if arc.row) for a, b in pairwise(borders)]
