"""``tensor.graph``: a read-only view of what was recorded, in plain data: nodes, edges, names, bytes.

The view is a snapshot. It is made without recursion, whatever the depth, and holds the recorded nodes (each as
``source``) for as long as it lives itself. Pictures of it are drawn in `wengert.viz`.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .base import TensorBase, edge_of
from .edges import GradientEdge as GradientEdge
from .edges import get_gradient_edge as get_gradient_edge
from .edges import increment_version as increment_version
from .edges import register_multi_grad_hook as register_multi_grad_hook
from .node import LEAF, OUTPUT
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

Shape = tuple[int, ...]

# Recorded node -> path of the module that was running; filled while `wengert.viz.module_paths` is in force.
recorded_modules: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
# Format -> the function of `wengert.viz` that draws it. The front door fills this in: this layer may not import that.
renderers: dict[str, Callable[..., str]] = {}


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One box of the graph.

    Attributes:
        id: its position in ``graph.nodes``.
        kind: ``"op"``; ``"leaf"``, a tensor that wants a gradient; or ``"data"``, one that wants none.
        op: the operation's name, such as ``Mul``; the class of the tensor for a leaf or data.
        name: the name it was given through ``graph.named`` or as an output, else empty.
        module: path of the module that ran the operation, where `wengert.viz.module_paths` was in force, else empty.
        shapes, dtypes: of each output.
        saved: bytes of the arrays that it keeps for backward, those of leaves not counted: they live anyway.
        params: its plain settings (axes, strides, ...).
        site: ``file:line`` of the call, where that was recorded.
        source: the recorded node, or the tensor; for data the array.
    """

    id: int
    kind: str
    op: str
    name: str
    module: str
    shapes: tuple[Shape, ...]
    dtypes: tuple[str, ...]
    saved: int
    params: Mapping[str, Any]
    site: str | None
    source: Any = field(repr=False, compare=False)

    def label(self) -> str:
        """Its name where it has one, else the operation's."""
        return self.name or self.op


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """A value that goes from output ``output`` of node ``source`` to input ``input`` of node ``target``."""

    source: int
    target: int
    output: int
    input: int
    shape: Shape
    dtype: str


class Graph:
    """What was recorded on the way to one or several tensors.

    Inputs that want no gradient leave no edge behind. They are shown where an operation saved them, as ``data``.

    Args:
        outputs: a tensor, or a mapping or sequence of them, nested or not; the keys of a mapping become their names.
        names: a module, or a mapping of names to tensors (or pairs), to name leaves and data by.

    Attributes:
        nodes: in the order of computation: inputs stand before what uses them.
        edges: in the order of their targets.
        outputs: for each output, the id of the node that made it.

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
        self._names = _named_tensors(names)
        roots = list(_tensors(outputs))
        if not roots:
            raise TypeError(f"a graph is made of tensors, and this {type(outputs).__name__} holds none")
        builder = _Builder(self._names)
        for node in _recorded([edge_of(t) for _, t in roots]):
            builder.add_op(node)
        self.outputs: tuple[int, ...] = tuple(builder.root(name, t) for name, t in roots)
        self.nodes: tuple[GraphNode, ...] = tuple(builder.nodes)
        self.edges: tuple[GraphEdge, ...] = tuple(builder.edges)

    def named(self, names: Any) -> Graph:
        """The same graph with leaves and data named after a module's parameters and buffers, or a mapping."""
        return Graph(self._outputs, {**self._names, **_named_tensors(names)})

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
        arrays = {id(a): a for n in self.nodes if n.kind == "op" for a in _kept(n.source)}
        return sum(a.nbytes for a in arrays.values())

    # ------------------------------------------------------------------ formats

    def to_text(self) -> str:
        """A table, one line per node."""
        head = ("id", "op", "name", "output", "saved", "from")
        sources: list[list[int]] = [[] for _ in self.nodes]
        for e in self.edges:
            sources[e.target].append(e.source)
        rows = [head] + [
            (
                str(n.id),
                n.op if n.kind == "op" else n.kind,
                n.name or n.module,
                ", ".join(f"{_tuple(s)} {d}" for s, d in zip(n.shapes, n.dtypes, strict=True)),
                f"{n.saved:,}" if n.saved else "",
                " ".join(map(str, sources[n.id])),
            )
            for n in self.nodes
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        sides = [str.rjust, str.ljust, str.ljust, str.ljust, str.rjust, str.ljust]
        lines = [[side(cell, width) for side, cell, width in zip(sides, row, widths, strict=True)] for row in rows]
        return "\n".join("  ".join(line).rstrip() for line in lines)

    def to_json(self, indent: int | None = None) -> str:
        """Nodes, edges and outputs as a JSON object, for other programs; ``version`` rises when the layout changes."""
        nodes = [
            {
                "id": n.id,
                "kind": n.kind,
                "op": n.op,
                "name": n.name,
                "module": n.module,
                "shapes": n.shapes,
                "dtypes": n.dtypes,
                "saved": n.saved,
                "params": {key: _plain(value) for key, value in n.params.items()},
                "site": n.site,
            }
            for n in self.nodes
        ]
        edges = [
            {"source": e.source, "target": e.target, "output": e.output, "input": e.input, "shape": e.shape}
            for e in self.edges
        ]
        return json.dumps({"version": 1, "nodes": nodes, "edges": edges, "outputs": self.outputs}, indent=indent)

    def to_dot(self) -> str:
        """The graph in Graphviz's language, one box per node."""
        style = {"op": 'shape=box, style="rounded"', "leaf": "shape=box", "data": 'shape=box, style="dashed"'}
        lines = ["digraph {", "  rankdir=TB", '  node [fontname="Helvetica"]', '  edge [fontname="Helvetica"]']
        lines += [f"  n{n.id} [label={_quote(n.label())}, {style[n.kind]}]" for n in self.nodes]
        lines += [f"  n{e.source} -> n{e.target} [label={_quote(times(e.shape))}]" for e in self.edges]
        return "\n".join([*lines, "}"])

    def to_svg(self, **options: Any) -> str:
        """The graph as a self-contained SVG picture; options as for `wengert.viz.draw`."""
        return renderers["svg"](self, **options)

    def _repr_svg_(self) -> str:
        return self.to_svg()


def times(shape: Shape) -> str:
    """A shape as people write it: ``32×10``, or ``scalar``."""
    return "×".join(map(str, shape)) or "scalar"


# ---------------------------------------------------------------------- how the view is made


def _tensors(value: Any) -> Iterator[tuple[str, Any]]:
    """The tensors in a nest of mappings and sequences, with the keys that lead to them."""
    stack = [("", value)]
    while stack:
        path, item = stack.pop()
        if isinstance(item, TensorBase):
            yield path, item
        elif isinstance(item, Mapping):
            stack += [(f"{path}.{key}" if path else str(key), v) for key, v in reversed(list(item.items()))]
        elif isinstance(item, list | tuple):
            stack += [(path, v) for v in reversed(item)]
        elif item is not None:
            raise TypeError(f"a graph is made of tensors, not of {type(item).__name__}")


def _named_tensors(names: Any) -> dict[str, Any]:
    if names is None:
        return {}
    if hasattr(names, "named_parameters"):
        return {**dict(names.named_parameters()), **dict(names.named_buffers())}
    pairs: Iterable[Any] = names.items() if isinstance(names, Mapping) else names
    return dict(pairs)


def _recorded(roots: list[Any]) -> list[Any]:
    """The recorded nodes below ``roots``, oldest first."""
    seen: set[Any] = set()
    stack = [e for e in roots if e is not None and e.edge_kind != LEAF]
    while stack:
        edge = stack.pop()
        node = edge.node if edge.edge_kind == OUTPUT else edge
        if node not in seen:
            seen.add(node)
            stack += [e for e in node.edges if e is not None and e.edge_kind != LEAF]
    return sorted(seen, key=lambda node: node.seq)


def _kept(node: Any) -> list[Any]:
    """The arrays that a recorded node keeps, without those of its leaves."""
    leaves = {id(e._data) for e in node.edges if e is not None and e.edge_kind == LEAF}
    arrays = [s[0] for s in node._saved or () if type(s) is tuple] + [
        c for c in node._cached or () if hasattr(c, "nbytes")
    ]
    return [a for a in arrays if id(a) not in leaves]


class _Builder:
    """Turns recorded nodes into `GraphNode` and `GraphEdge`, inputs before their first use."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.nodes: list[GraphNode] = []
        self.edges: list[GraphEdge] = []
        self.ids: dict[int, int] = {}  # id() of a recorded node, of a leaf, or of a data array -> GraphNode.id
        self.names = {id(t): name for name, t in names.items()} | {id(t._data): name for name, t in names.items()}

    def add(self, key: Any, kind: str, op: str, shapes: Any, dtypes: Any, **more: Any) -> int:
        number = self.ids[id(key)] = len(self.nodes)
        rest = {"module": "", "saved": 0, "params": {}, "site": None, **more}
        name = self.names.get(id(key)) or self.names.get(id(getattr(key, "_data", None)), "")
        self.nodes.append(
            GraphNode(number, kind, op, name, shapes=tuple(shapes), dtypes=tuple(dtypes), source=key, **rest)
        )
        return number

    def add_tensor(self, tensor: Any) -> int:
        """A leaf, or an output that was not recorded."""
        kind = "leaf" if edge_of(tensor) is not None else "data"
        array = tensor._data
        return self.add(tensor, kind, type(tensor).__name__, [array.shape], [array.dtype.name])

    def add_op(self, node: Any) -> None:
        inputs: list[tuple[int, int, int]] = []  # (graph node, its output, the input that it is)
        for i, edge in enumerate(node.edges):
            if edge is None:
                continue
            if edge.edge_kind == LEAF:
                number = self.ids[id(edge)] if id(edge) in self.ids else self.add_tensor(edge)
                inputs.append((number, 0, i))
            elif edge.edge_kind == OUTPUT:
                inputs.append((self.ids[id(edge.node)], edge.index, i))
            else:
                inputs.append((self.ids[id(edge)], 0, i))
        inputs += self.data_of(node)
        several = node.count > 1
        number = self.add(
            node,
            "op",
            node.op.__name__,
            node.shape if several else [node.shape],
            [d.name for d in (node.dtype if several else [node.dtype])],
            module=recorded_modules.get(node, ""),
            saved=sum(a.nbytes for a in {id(a): a for a in _kept(node)}.values()),
            params={key: value for key, value in node.params.items() if _is_plain(value)},
            site=node.site,
        )
        for source, output, i in sorted(inputs, key=lambda item: item[2]):
            made = self.nodes[source]
            self.edges.append(GraphEdge(source, number, output, i, made.shapes[output], made.dtypes[output]))

    def data_of(self, node: Any) -> list[tuple[int, int, int]]:
        """Inputs without an edge that the node saved: data."""
        found = []
        for saved in node._saved or ():
            if type(saved) is tuple and saved[1] >= 0 and node.edges[saved[1]] is None:
                array = saved[0]
                number = self.ids.get(id(array))
                if number is None:
                    number = self.add(array, "data", "Tensor", [array.shape], [array.dtype.name])
                found.append((number, 0, saved[1]))
        return found

    def root(self, name: str, tensor: Any) -> int:
        """The node that made an output; it takes the output's name, where it has one."""
        edge = edge_of(tensor)
        key = tensor if edge is None else edge.node if edge.edge_kind == OUTPUT else edge
        number = self.ids[id(key)] if id(key) in self.ids else self.add_tensor(key)
        if name and not self.nodes[number].name:
            self.nodes[number] = replace(self.nodes[number], name=name)
        return number


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)


def _plain(value: Any) -> Any:
    return [_plain(v) for v in value] if isinstance(value, tuple | list) else value


def _tuple(shape: Shape) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
