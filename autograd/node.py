"""The graph's nodes: what one recorded operation keeps until its backward has run.

A node is also the ``ctx`` that the op's rule sees. Edges join nodes to nodes, never to the tensors between them,
so a value that no rule asked to save is freed as soon as the program drops it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..backends.errors import GraphError, ModifiedError, WengertError
from .base import TensorBase, wrap
from .grad_mode import INFERENCE, mode

if TYPE_CHECKING:
    from .hooks import Hooks

NODE, OUTPUT, LEAF = 0, 1, 2  # what an edge points at


class Node:
    """One recorded operation.

    Attributes:
        k: the kernels of the backend that the op ran on.
        edges: per input, where its gradient goes: a Node, an Output, a leaf tensor, or None.
        needs: per input, whether a gradient is wanted; rules ask it before they save or compute.
        params: the op's keyword arguments.
        info: plain Python data that the rule keeps for itself (shapes, axes).
        shape, dtype: of the output, when there is one; `Output` objects hold them when there are several.
        seq: creation number; an input's node always has a smaller one.
    """

    __slots__ = (
        "__weakref__",
        "_cached",
        "_saved",
        "count",
        "dtype",
        "edges",
        "hooks",
        "info",
        "k",
        "needs",
        "params",
        "seq",
        "shape",
        "site",
    )
    edge_kind = NODE
    op: Any  # the Primitive; a class attribute of the op's own node type
    k: Any
    edges: tuple[Any, ...]
    needs: tuple[bool, ...]
    params: dict[str, Any]
    info: Any
    count: int
    shape: Any
    dtype: Any
    seq: int
    hooks: Hooks | None
    site: str | None
    _saved: Any  # what save() was given; then a list with `Saved` tuples in it; None when it has been given back
    _cached: Any

    def save(self, *values: Any) -> None:
        """Keep inputs or outputs for backward. Under ``create_graph`` they come back joined to the graph."""
        self._saved = values

    def cache(self, *values: Any) -> None:
        """Keep intermediates, as arrays only: masks, indices, statistics. Floats are refused under ``create_graph``."""
        self._cached = values

    @property
    def saved(self) -> tuple[Any, ...]:
        """What ``save`` kept: arrays, or Tensors joined to the graph while a rule runs under ``create_graph``.

        Raises:
            GraphError: backward has already run through this node and freed them.
            ModifiedError: one was overwritten in place since.
        """
        packed = self._saved
        if packed is None:
            raise self._freed()
        if mode.reattach:
            return tuple([self._attach(s) if type(s) is tuple else s for s in packed])
        values = []
        for s in packed:
            if type(s) is tuple:
                values.append(s[0] if s[2][0] == s[3] else unpack(self, s))
            else:
                values.append(s)
        return tuple(values)

    def _attach(self, saved: Saved) -> Any:
        """A Tensor of a saved array, joined to where the array came from."""
        array, source = unpack(self, saved), saved[1]
        edge = source
        if type(source) is int:
            edge = self.edges[source] if source >= 0 else self.output_edge(~source)
        if edge is not None and edge.edge_kind == LEAF and edge._data is array:
            return edge
        tensor = wrap(array)
        tensor._ver = saved[2]  # what is recorded with it now must see later writes too
        if edge is not None:
            tensor._edge, tensor._rg = edge, True
        return tensor

    def _freed(self) -> GraphError:
        return GraphError(
            f"Trying to backward through the graph a second time: {self.name()} has already given back the values "
            "it saved. Pass retain_graph=True to the first backward, or run the forward pass again"
        )

    @property
    def cached(self) -> tuple[Any, ...]:
        """What ``cache`` kept.

        Raises:
            GraphError: under ``create_graph``, for a float: a differentiable intermediate reused as a constant
                would make second derivatives silently wrong. Give the op a ``formula``.
        """
        if self._cached is None:
            raise self._freed()
        if mode.reattach and any(getattr(c, "dtype", None) is not None and c.dtype.kind in "fcV" for c in self._cached):
            raise GraphError(f"{self.name()} cached a float intermediate and has no formula to differentiate twice")
        return self._cached  # type: ignore[no-any-return]

    def output_edge(self, index: int) -> Any:
        """The edge that leads to output ``index`` of this node."""
        return self if self.count == 1 else Output(self, index, self.shape[index], self.dtype[index])

    def release(self) -> None:
        """Give back what was saved. Nodes that saved no array can run again, as in PyTorch."""
        if type(self._saved) is list or self._cached:
            self._saved = self._cached = None

    def name(self) -> str:
        """The name PyTorch would show, such as ``MulBackward0``."""
        return type(self).__name__

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The nodes that the gradient goes to next, with the index of their output."""
        return tuple(
            (None, 0)
            if e is None
            else (e.node, e.index)
            if e.edge_kind == OUTPUT
            else (AccumulateGrad(e), 0)
            if e.edge_kind == LEAF
            else (e, 0)
            for e in self.edges
        )

    def register_hook(self, hook: Any) -> Any:
        """Call ``hook(grad_inputs, grad_outputs)`` after this node's backward; it may return new grad_inputs."""
        from .hooks import hooks_of

        return hooks_of(self).add("post", hook)

    def register_prehook(self, hook: Any) -> Any:
        """Call ``hook(grad_outputs)`` before this node's backward; it may return new grad_outputs."""
        from .hooks import hooks_of

        return hooks_of(self).add("pre", hook)

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dictionary of the user's own, one per node."""
        from .hooks import hooks_of

        return hooks_of(self).metadata

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"


class Output:
    """An edge to one output of a node that has several."""

    __slots__ = ("dtype", "index", "node", "shape")
    edge_kind = OUTPUT

    def __init__(self, node: Node, index: int, shape: Any, dtype: Any) -> None:
        self.node, self.index, self.shape, self.dtype = node, index, shape, dtype


class AccumulateGrad:
    """What ``next_functions`` shows where the gradient reaches a leaf; ``variable`` is the leaf."""

    __slots__ = ("variable",)
    next_functions: tuple[Any, ...] = ()

    def __init__(self, variable: Any) -> None:
        self.variable = variable

    def name(self) -> str:
        """PyTorch's name for it."""
        return "torch::autograd::AccumulateGrad"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and self.variable is other.variable

    def __hash__(self) -> int:
        return hash(id(self.variable))

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self.variable):#x}>"


# A saved array is kept as ``(array, source, version, count)``: ``source`` is an input's position, or the complement
# (``~i``) of an output's, or, in a user's Function, the edge of a value that is neither (None if it has none);
# ``count`` is what the version said then. A plain tuple, because one is made per saved value.
Saved = tuple[Any, Any, list[Any], int]


def unpack(node: Node, saved: Saved) -> Any:
    """The saved array, if nobody has overwritten it."""
    array, source, version, count = saved
    if version[0] != count:
        raise ModifiedError(_modified(node, array, source, version, count))
    return array


def _modified(node: Node, array: Any, source: Any, version: list[Any], count: int) -> str:
    which = "intermediate" if type(source) is not int else f"input {source}" if source >= 0 else f"output {~source}"
    writer = "" if version[1] is None else f" The last write was {version[1]}."
    made = "" if node.site is None else f", recorded at {node.site},"
    return (
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"{node.name()}{made} saved its {which}, a {array.dtype.name} tensor of shape {list(array.shape)}, at version "
        f"{count}, and it is at version {version[0]} now.{writer} "
        "Write out of place (x = x + y), or clone() the value before it is overwritten"
    )


def pack(node: Any, values: tuple[Any, ...], arrays: Any, outputs: tuple[Any, ...]) -> None:
    """Replace what the rule saved by `Saved` tuples that know the input or output each one is.

    ``values`` are the op's inputs as Tensors (or plain), ``arrays`` the same as arrays, ``outputs`` its Tensors.
    """
    packed: list[Any] = []
    holds = False
    for value in node._saved:
        for i, array in enumerate(arrays):
            if array is value:
                source = values[i]
                if isinstance(source, TensorBase):
                    version = source._ver
                    if version is None:
                        version = source._ver = [0, None]
                    elif version is INFERENCE:
                        raise inference_error(node, f"input {i}")
                    value = (value, i, version, version[0])
                    holds = True
                break
        else:
            if value is not None:
                value = _saved_output(node, value, outputs)
                holds = holds or type(value) is tuple
        packed.append(value)
    # A list says that there is something to release; a tuple of plain numbers survives any number of backwards.
    node._saved = packed if holds else tuple(packed)


def _saved_output(node: Node, value: Any, outputs: tuple[Any, ...]) -> Any:
    for i, output in enumerate(outputs):
        if output._data is value:
            version = output._ver
            if version is None:
                version = output._ver = [0, None]
            return (value, ~i, version, version[0])
    if not hasattr(value, "dtype"):
        return value
    raise WengertError(f"{node.op.__name__} saved a value that is neither an input nor an output; use ctx.cache for it")


def inference_error(node: Node, what: str) -> GraphError:
    """The error for saving a tensor that nobody counts the writes to."""
    return GraphError(
        f"Inference tensors cannot be saved for backward: {what} of {node.op.__name__} was made under "
        "inference_mode. clone() it outside of inference_mode first"
    )
