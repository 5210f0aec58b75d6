"""The graph's nodes: what one recorded operation keeps until its backward has run.

A node is also the ``ctx`` that the op's rule sees. Edges join nodes to nodes, never to the tensors between them,
so a value that no rule asked to save is freed as soon as the program drops it.
"""

from __future__ import annotations

import functools
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

from ..backends.call_site import named
from ..backends.dtypes import FROM_NUMPY
from ..backends.errors import GraphError
from .base import version_of, wrap
from .grad_mode import mode
from .saved import Packed, Saved, SavedTensor, unpack

if TYPE_CHECKING:
    from .hooks import Hooks

NODE, OUTPUT, LEAF = 0, 1, 2  # what an edge points at


class InputMetadata(NamedTuple):
    """What a node expects of the gradient of one of its outputs."""

    shape: Any
    dtype: Any
    is_nested_tensor: bool = False
    is_cpp_nested_tensor: bool = False


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
        "freed_at",
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
    freed_at: tuple[str, int] | None  # file and line of the backward() that took what was saved; not set before
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
            return tuple([self._attach(s) if type(s) is tuple or type(s) is Packed else s for s in packed])
        values = []
        for s in packed:
            if type(s) is tuple:
                array, _, version, count = s
                values.append(array if version[0] == count else unpack(self, s))
            elif type(s) is Packed:
                values.append(s.unpacked()._data)
            else:
                values.append(s)
        return tuple(values)

    @property
    def saved_arrays(self) -> tuple[Any, ...]:
        """What ``save`` kept as arrays, under ``create_graph`` too: integers, such as the indices that an op returned.

        Raises:
            GraphError, ModifiedError: as for `saved`.
        """
        if not mode.reattach:
            return self.saved
        if self._saved is None:
            raise self._freed()
        return tuple([_array_of(self, s) for s in self._saved])

    def _attach(self, saved: Saved | Packed) -> Any:
        """A Tensor of a saved array, joined to where the array came from."""
        if type(saved) is Packed:
            value = saved.unpacked()
            array, source, version = value._data, saved.source, version_of(value)
            tangents = value.__dict__.get("_tangents")
        else:
            kept: Saved = saved  # type: ignore[assignment]
            array, source, version = unpack(self, kept), kept[1], kept[2]
            tangents = None
        edge = source
        if type(source) is int:
            edge = self.edges[source] if source >= 0 else self.output_edge(~source)
        if edge is not None and edge.edge_kind == LEAF and edge._data is array:
            return edge
        tensor = wrap(array)
        tensor._ver = version  # what is recorded with it now must see later writes too
        if tangents:
            tensor.__dict__["_tangents"] = tangents
        if edge is not None:
            tensor._edge, tensor._rg = edge, True
        return tensor

    def _saved_tensor(self, sources: tuple[int, ...]) -> Any:
        """What was saved of the first input or output (its complement) of ``sources`` of which anything was."""
        if self._saved is None:
            raise self._freed()
        for source in sources:
            for s in self._saved:
                if (s[1] if type(s) is tuple else s.source if type(s) is Packed else None) == source:
                    return self._attach(s)
        return None

    def _saved_variable(self, sources: tuple[int, ...]) -> SavedTensor:
        """The place of `_saved_tensor`, to put hooks on."""
        if self._saved is None:
            raise self._freed()
        for source in sources:
            for i, s in enumerate(self._saved):
                if type(s) is tuple and s[1] == source:
                    return SavedTensor(self, i)
        raise AttributeError(f"{self.name()} saved no such tensor")

    def _freed(self) -> GraphError:
        made = "" if self.site is None else f", recorded at {self.site},"
        place = getattr(self, "freed_at", None)
        where = "" if place is None else f" in the pass that was started at {named(*place)}"
        return GraphError(
            "Trying to backward through the graph a second time (or directly access saved tensors after they have "
            "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
            "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if "
            f"you need to access saved tensors after calling backward: {self.name()}{made} has given back what it "
            f"saved{where}. Usually something from an earlier step is used again (a loss, a hidden state: detach() "
            "it), or a part was computed once, outside of the loop; two losses with a common part are best summed, and "
            "take one backward()"
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

    def release(self, place: tuple[str, int] | None = None) -> None:
        """Give back what was saved. Nodes that saved no array can run again, as in PyTorch.

        Args:
            place: file and line of the program that started the pass, for the message of a second one.
        """
        if type(self._saved) is list or self._cached:
            self._saved = self._cached = None
            self.freed_at = place

    def name(self) -> str:
        """The name PyTorch would show, such as ``MulBackward0``."""
        name, variant = type(self).__name__, self.op.variant
        return name if variant is None else f"{name[:-1]}{variant(self)}"

    @property
    def _input_metadata(self) -> list[InputMetadata]:
        """What the gradient of each output is like."""
        from .ops.size import Size

        several = self.count > 1
        outputs = zip(self.shape, self.dtype, strict=True) if several else [(self.shape, self.dtype)]
        return [InputMetadata(Size(shape or ()), FROM_NUMPY.get(dtype)) for shape, dtype in outputs]

    def _sequence_nr(self) -> int:
        """The creation number."""
        return self.seq

    def __call__(self, *grads: Any) -> Any:
        """The gradients of the inputs, for these of the outputs; nothing is freed."""
        op = self.op
        if len(grads) != self.count:
            raise TypeError(f"{self.name()} expected {self.count} arguments, got {len(grads)} instead: one per output")
        if mode.grad:
            before, mode.reattach = mode.reattach, True
            try:
                found = op.backward_graph(self, *grads)
            finally:
                mode.reattach = before
            return found
        found = op.backward(self, *[None if g is None else g._data for g in grads])
        many = isinstance(found, tuple)
        results = tuple([None if g is None else wrap(g) for g in (found if many else (found,))])
        return results if many else results[0]

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The nodes that the gradient goes to next, with the index of their output."""
        return tuple(
            (None, 0)
            if e is None
            else (e.node, e.index)
            if e.edge_kind == OUTPUT
            else (accumulator(e), 0)
            if e.edge_kind == LEAF
            else (e, 0)
            for e in self.edges
        )

    def _all_hooks(self) -> Any:
        from .hooks import hooks_of

        return hooks_of(self)

    def register_hook(self, hook: Any) -> Any:
        """Call ``hook(grad_inputs, grad_outputs)`` after this node's backward; it may return new grad_inputs."""
        return self._all_hooks().node_post.add(hook)

    def register_prehook(self, hook: Any) -> Any:
        """Call ``hook(grad_outputs)`` before this node's backward; it may return new grad_outputs."""
        return self._all_hooks().node_pre.add(hook)

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dictionary of the user's own, one per node."""
        return self._all_hooks().metadata  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"


def _array_of(node: Node, saved: Any) -> Any:
    if type(saved) is tuple:
        return unpack(node, saved)
    return saved.unpacked()._data if type(saved) is Packed else saved


class Output:
    """An edge to one output of a node that has several."""

    __slots__ = ("dtype", "index", "node", "shape")
    edge_kind = OUTPUT

    def __init__(self, node: Node, index: int, shape: Any, dtype: Any) -> None:
        self.node, self.index, self.shape, self.dtype = node, index, shape, dtype


class AccumulateGrad(Node):
    """What ``next_functions`` shows where the gradient reaches a leaf; ``variable`` is the leaf."""

    __slots__ = ("variable",)
    edges = ()
    needs = ()
    count = 1

    def __init__(self, variable: Any) -> None:
        self.variable = variable

    def name(self) -> str:
        """PyTorch's name for it."""
        return "torch::autograd::AccumulateGrad"

    def _all_hooks(self) -> Any:
        from .hooks import leaf_hooks_of

        return leaf_hooks_of(self.variable)

    def output_edge(self, index: int) -> Any:
        """The leaf."""
        return self.variable

    def _sequence_nr(self) -> int:
        """Larger than every other: a gradient that has arrived is accumulated at once."""
        return 2**64 - 1


def accumulator(leaf: Any) -> AccumulateGrad:
    """The one `AccumulateGrad` of a leaf, for as long as somebody holds it."""
    from .hooks import leaf_hooks_of

    hooks = leaf_hooks_of(leaf)
    node = None if hooks.node is None else hooks.node()
    if node is None:
        node = AccumulateGrad(leaf)
        hooks.node = weakref.ref(node)
    return node


# PyTorch's names of what its operations save, and the input (or the complement of the output) that each one is.
SAVED_NAMES = {
    "self": (0,),
    "input": (0,),
    "tensor1": (0, 1),
    "other": (1,),
    "mat2": (1,),
    "weight": (1,),
    "exponent": (1,),
    "tensor2": (1, 2),
    "target": (1,),
    "result": (~0,),
    "output": (~0,),
    "result0": (~0,),
    "result1": (~1,),
}
for _name, _sources in SAVED_NAMES.items():
    setattr(Node, f"_saved_{_name}", property(functools.partial(Node._saved_tensor, sources=_sources)))
    setattr(Node, f"_raw_saved_{_name}", property(functools.partial(Node._saved_variable, sources=_sources)))
