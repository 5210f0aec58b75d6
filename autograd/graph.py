"""``tensor.graph``: a read-only view of what was recorded, in plain data: nodes, edges, names, bytes.

The view is a snapshot. It is made without recursion, whatever the depth, and holds the recorded nodes (each as
``source``) for as long as it lives itself. Pictures of it are drawn in `wengert.viz`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .edges import GradientEdge as GradientEdge
from .edges import get_gradient_edge as get_gradient_edge
from .edges import increment_version as increment_version
from .edges import register_multi_grad_hook as register_multi_grad_hook
from .graph_building import GraphEdge as GraphEdge
from .graph_building import GraphNode as GraphNode
from .graph_building import build, kept_arrays, named_tensors, tensors_in
from .graph_formats import as_dot, as_json, as_text
from .node import Node as Node
from .saved_hooks import disable_saved_tensors_hooks as disable_saved_tensors_hooks
from .saved_hooks import save_on_cpu as save_on_cpu
from .saved_hooks import saved_tensors_hooks as saved_tensors_hooks

__all__ = [
    "GradientEdge",
    "Graph",
    "GraphEdge",
    "GraphNode",
    "Node",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]

# Format, or what is drawn -> the function of `wengert.viz` that draws it. The front door fills this in: layers below it
# may not import that.
renderers: dict[str, Callable[..., Any]] = {}


class Graph:
    """What was recorded on the way to one or several tensors.

    Inputs that want no gradient leave no edge behind. They are shown, as ``data``, where an operation saved them, or
    where it ran under `wengert.viz.record`.

    Args:
        outputs: a tensor, or a mapping, sequence or dataclass of them, nested or not; keys become their names. What
            is no tensor is passed over.
        names: a module, or a mapping of names to tensors (or pairs), to name leaves and data by.

    Attributes:
        nodes: in the order of computation: inputs stand before what uses them.
        edges: in the order of their targets.
        outputs: for each output, the id of the node that made it.

    Raises:
        TypeError: there is no tensor in ``outputs``.

    Example:
        >>> import wengert as wg
        >>> x, y = wg.tensor(2.0, requires_grad=True), wg.tensor(5.0, requires_grad=True)
        >>> graph = (x * y + x).graph
        >>> [node.op for node in graph]
        ['Tensor', 'Tensor', 'Mul', 'Add']
        >>> print(graph.named({"x": x, "y": y}).to_text())
        id  op    name  output      saved  from
         0  leaf  x     () float32
         1  leaf  y     () float32
         2  Mul         () float32         0 1
         3  Add         () float32         2 0
    """

    def __init__(self, outputs: Any, names: Any = None) -> None:
        self._outputs = outputs
        self._names = named_tensors(names)
        self.roots: tuple[Any, ...] = tuple(t for _, t in tensors_in(outputs))
        builder, self.outputs = build(outputs, self._names)
        self.nodes: tuple[GraphNode, ...] = tuple(builder.nodes)
        self.edges: tuple[GraphEdge, ...] = tuple(builder.edges)
        self._arriving: tuple[tuple[GraphEdge, ...], ...] | None = None
        self.picture: dict[str, Any] = {}  # options of `wengert.viz.to_svg` that a notebook shows it with

    def named(self, names: Any) -> Graph:
        """The same graph with leaves and data named after a module's parameters and buffers, or a mapping."""
        graph = Graph(self._outputs, {**self._names, **named_tensors(names)})
        graph.picture = self.picture
        return graph

    def __iter__(self) -> Iterator[GraphNode]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, index: int) -> GraphNode:
        return self.nodes[index]

    def __repr__(self) -> str:
        ops = sum(n.kind == "op" for n in self.nodes)
        return f"<Graph: {ops} operations, {len(self.nodes) - ops} inputs, {self.saved_bytes:,} bytes saved>"

    @property
    def leaves(self) -> tuple[GraphNode, ...]:
        """The tensors that backward would give a gradient to."""
        return tuple(n for n in self.nodes if n.kind == "leaf")

    @property
    def saved_bytes(self) -> int:
        """Bytes that the graph keeps for backward: every array once, those of leaves not counted."""
        arrays = {id(a): a for n in self.nodes if n.kind == "op" for a in kept_arrays(n.source)}
        return sum(a.nbytes for a in arrays.values())

    def inputs_of(self, node: GraphNode) -> tuple[GraphEdge, ...]:
        """The edges that lead to a node, in the order of its inputs."""
        if self._arriving is None:
            arriving: list[list[GraphEdge]] = [[] for _ in self.nodes]
            for e in self.edges:
                arriving[e.target].append(e)
            self._arriving = tuple(map(tuple, arriving))
        return self._arriving[node.id]

    # ------------------------------------------------------------------ formats

    def to_text(self) -> str:
        """A table, one line per node."""
        return as_text(self)

    def to_json(self, indent: int | None = None) -> str:
        """Nodes, edges and outputs as a JSON object, for other programs; ``version`` rises when the layout changes."""
        return as_json(self, indent)

    def to_dot(self) -> str:
        """The graph in Graphviz's language, one box per node."""
        return as_dot(self)

    def to_svg(self, **options: Any) -> str:
        """The graph as a self-contained SVG picture; options as for `wengert.viz.to_svg`."""
        return str(renderers["svg"](self, **options))

    def to_html(self, **options: Any) -> str:
        """The graph as one self-contained page, to explore and to play; options as for `wengert.viz.to_html`."""
        return str(renderers["html"](self, **options))

    def _repr_svg_(self) -> str:
        return self.to_svg(**self.picture)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the picture, and the line of ``repr`` where it cannot."""
        return {"image/svg+xml": self._repr_svg_(), "text/plain": repr(self)}
