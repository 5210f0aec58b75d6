"""The backward pass of a graph for looking at: every step, and no ``.grad`` touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..autograd.base import edge_of, wrap
from ..autograd.stepping import SteppedPass, steps_of
from ..backends import kernels_of
from ..backends.errors import GraphError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..autograd.graph import Graph
    from ..autograd.stepping import BackwardStep

__all__ = ["Adjoints"]


class Adjoints:
    """One backward pass through a graph, which is kept, with ones arriving at its outputs.

    Iterating gives pairs of a graph node's id and its `BackwardStep`; afterwards ``leaves`` has the gradient of each
    leaf by its node's id.

    Raises:
        RuntimeError: nothing was recorded, or the graph has given back what it saved.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.leaves: dict[int, Any] = {}
        roots = {id(t): t for t in graph.roots if edge_of(t) is not None and t._data.dtype.kind in "fcV"}
        if not roots:
            raise GraphError("nothing was recorded")
        self.ids = {id(n.source): n.id for n in graph}
        self.wanted = {n.source for n in graph if n.kind == "leaf" and edge_of(n.source) is n.source}
        self.run = SteppedPass(False, True, self.wanted, False)
        tensors = list(roots.values())
        ones = [wrap(kernels_of[type(t._data)].ones_like(t._data)) for t in tensors]
        self.steps = steps_of(self.run, tensors, ones)

    def __iter__(self) -> Iterator[tuple[int, BackwardStep]]:
        for step in self.steps:
            yield self.ids[id(step.node)], step
        for leaf in self.wanted:
            found = self.run.found.get(leaf)
            if found is not None:
                self.leaves[self.ids[id(leaf)]] = found
