"""Which values of a graph are known: those of leaves and outputs, what operations saved, what `record` measured."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..autograd.base import TensorBase, edge_of
from ..autograd.node import OUTPUT
from ..autograd.stepping import saved_values
from .values import Values, measure

if TYPE_CHECKING:
    from ..autograd.graph import Graph, GraphNode

__all__ = ["Known"]

SMALL = 64  # elements: so large may a value be that is computed once more


class Known:
    """The values of a graph's nodes, measured when they are asked for."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.arrays: dict[tuple[int, int], Any] = {}
        self.measured: dict[tuple[int, int], Values] = {}
        for n in graph:
            for i, values in enumerate(n.values):
                self.measured[n.id, i] = values
            if n.kind != "op":
                self.arrays[n.id, 0] = n.source
                continue
            inputs, outputs = saved_values(n.source)
            self.arrays.update({(n.id, i): array for i, array in outputs.items()})
            for e in graph.inputs_of(n):
                if e.input in inputs:
                    self.arrays.setdefault((e.source, e.output), inputs[e.input])
        for tensor, node in zip(graph.roots, graph.outputs, strict=True):
            edge = edge_of(tensor)
            index = edge.index if edge is not None and edge.edge_kind == OUTPUT else 0
            self.arrays.setdefault((node, index), tensor)
        for n in graph:
            self._computed(n)

    def _computed(self, n: GraphNode) -> None:
        """A small value that nobody kept, computed once more: elementwise, of inputs that are all known."""
        key = n.id, 0
        if n.kind != "op" or key in self.arrays or key in self.measured or not hasattr(n.source.op, "expression"):
            return
        node, given = n.source, {e.input: self.array(e.source, e.output) for e in self.graph.inputs_of(n)}
        if len(node._saved or ()) == len(node.edges):
            given |= {i: s for i, s in enumerate(node._saved) if isinstance(s, int | float) and i not in given}
        values = [given.get(i) for i in range(len(node.edges))]
        if any(v is None for v in values) or math.prod(n.shapes[0]) > SMALL:
            return
        made = node.op.forward(node.k.nocontext, *values, **node.params)
        if made.shape == n.shapes[0]:
            self.arrays[key] = node.k.asarray(made).astype(n.dtypes[0])

    def values(self, node: int, output: int = 0) -> Values | None:
        """What an output is like, if its value is known."""
        key = node, output
        if key not in self.measured and key in self.arrays:
            self.measured[key] = measure(self.arrays[key])
        return self.measured.get(key)

    def array(self, node: int, output: int = 0) -> Any:
        """The value itself, if it is still there."""
        found = self.arrays.get((node, output))
        return found._data if isinstance(found, TensorBase) else found

    def number(self, node: int, output: int = 0) -> str | None:
        """A scalar as text, if it is known."""
        if self.graph.nodes[node].shapes[output] != ():
            return None
        values = self.values(node, output)
        return None if values is None else str(values)
