"""The order in which services can start, and cycles that make an order impossible."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter


def cycles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Cycles of a graph (name to its dependencies), each as [a, b, a] for a -> b -> a.

    The last edge of each found cycle is removed, so that the next cycle can be found. A cycle begins with
    the name that is first in the graph.
    """
    rest = {name: list(needs) for name, needs in graph.items()}
    rank = {name: number for number, name in enumerate(rest)}
    found = []
    while True:
        try:
            TopologicalSorter(rest).prepare()
        except CycleError as error:
            ring = list(reversed(error.args[1]))[:-1]
            start = min(range(len(ring)), key=lambda i: rank.get(ring[i], len(rank)))
            ring = ring[start:] + ring[:start]
            found.append([*ring, ring[0]])
            rest[ring[-1]].remove(ring[0])
        else:
            return found


def depths(graph: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """How many levels of dependencies are below each name: 0 for a name without dependencies."""
    depth: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        depth[name] = 1 + max((depth[need] for need in graph.get(name, ())), default=-1)
    return depth
