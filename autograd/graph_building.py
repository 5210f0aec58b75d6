"""How the view of a graph is made: from the recorded nodes, and from what was noted while they were recorded."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from .base import TensorBase, edge_of
from .node import LEAF, OUTPUT

__all__ = ["Call", "GraphEdge", "GraphNode", "Noted", "build", "kept_arrays", "named_tensors", "noted", "tensors_in"]

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a module: its path, its class, and how many calls of anything began before."""

    path: str
    kind: str
    number: int


@dataclass(slots=True)
class Noted:
    """What `wengert.viz.record` notes of an operation.

    Attributes:
        calls: the calls of modules that it ran in, the outermost first.
        seconds: from the end of the operation before to the end of this one.
        values: of each output, what was measured.
        data: the arrays and numbers among its inputs that want no gradient, by position.
        names: names of leaves, by ``id``, each with a reference that tells whether that still is the tensor.
    """

    calls: tuple[Call, ...] = ()
    seconds: float | None = None
    values: tuple[Any, ...] = ()
    data: Mapping[int, Any] = field(default_factory=dict)
    names: Mapping[int, tuple[Any, str]] = field(default_factory=dict)


# Recorded node -> what was noted of it; filled while `wengert.viz.record` or `module_paths` is in force.
noted: weakref.WeakKeyDictionary[Any, Noted] = weakref.WeakKeyDictionary()
NOTHING = Noted()


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One box of the graph.

    Attributes:
        id: its position in ``graph.nodes``.
        kind: ``"op"``; ``"leaf"``, a tensor that wants a gradient; or ``"data"``, one that wants none.
        op: the operation's name, such as ``Mul``; the class of the tensor for a leaf or data.
        name: the name it was given through ``graph.named`` or as an output, else empty.
        module: path of the module that ran the operation, where `wengert.viz.record` was in force, else empty.
        shapes, dtypes: of each output.
        saved: bytes of the arrays that it keeps for backward, those of leaves not counted: they live anyway.
        params: its plain settings (axes, strides, ...).
        site: ``file:line`` of the call, where that was recorded.
        calls: the calls of modules that the operation ran in, the outermost first, as far as they were recorded.
        seconds: how long it took, where that was recorded.
        values: for each output what was measured of it (`wengert.viz.Values`), where that was recorded.
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
    calls: tuple[Call, ...] = field(default=(), repr=False)
    seconds: float | None = field(default=None, repr=False)
    values: tuple[Any, ...] = field(default=(), repr=False)

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


def build(outputs: Any, names: dict[str, Any]) -> tuple[Builder, tuple[int, ...]]:
    """The nodes and edges on the way to ``outputs``, and which nodes those are."""
    roots = list(tensors_in(outputs))
    if not roots:
        raise TypeError(f"a graph is made of tensors, and this {type(outputs).__name__} holds none")
    builder = Builder(names)
    for node in recorded([edge_of(t) for _, t in roots]):
        builder.add_op(node)
    return builder, tuple(builder.root(name, t) for name, t in roots)


def tensors_in(value: Any) -> Iterator[tuple[str, Any]]:
    """The tensors in a nest of mappings, sequences and dataclasses, with the keys that lead to them."""
    stack = [("", value)]
    while stack:
        path, item = stack.pop()
        if isinstance(item, TensorBase):
            yield path, item
        elif isinstance(item, list | tuple) and not hasattr(item, "_fields"):
            stack += [(path, v) for v in reversed(item)]
        else:
            stack += [(f"{path}.{key}" if path else key, v) for key, v in reversed(_parts(item))]


def _parts(item: Any) -> list[tuple[str, Any]]:
    """The named parts of a value that has some."""
    if isinstance(item, Mapping):
        return [(str(key), v) for key, v in item.items()]
    if hasattr(item, "_fields"):
        return list(zip(item._fields, item, strict=True))
    if is_dataclass(item) and not isinstance(item, type):
        return [(f.name, getattr(item, f.name)) for f in fields(item)]
    return []


def named_tensors(names: Any) -> dict[str, Any]:
    """Names and tensors of a module, a mapping, or pairs."""
    if names is None:
        return {}
    if hasattr(names, "named_parameters"):
        return {**dict(names.named_parameters()), **dict(names.named_buffers())}
    pairs: Iterable[Any] = names.items() if isinstance(names, Mapping) else names
    return dict(pairs)


def recorded(roots: list[Any]) -> list[Any]:
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


def kept_arrays(node: Any) -> list[Any]:
    """The arrays that a recorded node keeps, without those of its leaves."""
    leaves = {id(e._data) for e in node.edges if e is not None and e.edge_kind == LEAF}
    arrays = [s[0] for s in node._saved or () if type(s) is tuple] + [
        c for c in node._cached or () if hasattr(c, "nbytes")
    ]
    return [a for a in arrays if id(a) not in leaves]


class Builder:
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
        notes = noted.get(node, NOTHING)
        for key, (reference, name) in notes.names.items() if notes.names else ():
            if reference() is not None:
                self.names.setdefault(key, name)
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
        inputs += self.data_of(node, notes)
        several = node.count > 1
        number = self.add(
            node,
            "op",
            node.op.__name__,
            node.shape if several else [node.shape],
            [d.name if d is not None else "" for d in (node.dtype if several else [node.dtype])],
            module=notes.calls[-1].path if notes.calls else "",
            saved=sum(a.nbytes for a in {id(a): a for a in kept_arrays(node)}.values()),
            params={key: value for key, value in node.params.items() if _is_plain(value)},
            site=node.site,
            calls=notes.calls,
            seconds=notes.seconds,
            values=notes.values,
        )
        for source, output, i in sorted(inputs, key=lambda item: item[2]):
            made = self.nodes[source]
            self.edges.append(GraphEdge(source, number, output, i, made.shapes[output], made.dtypes[output]))

    def data_of(self, node: Any, notes: Noted) -> list[tuple[int, int, int]]:
        """Inputs without an edge that the node saved, or that were noted: data."""
        found = {}
        for saved in node._saved or ():
            if type(saved) is tuple and type(saved[1]) is int and saved[1] >= 0 and node.edges[saved[1]] is None:
                found[saved[1]] = saved[0]
        found.update({i: v for i, v in notes.data.items() if i not in found and hasattr(v, "dtype")})
        data = []
        for i, array in found.items():
            number = self.ids.get(id(array))
            if number is None:
                number = self.add(array, "data", "Tensor", [array.shape], [array.dtype.name])
            data.append((number, 0, i))
        return data

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
