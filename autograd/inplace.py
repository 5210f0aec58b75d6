"""Views and in-place writes: who shares memory with whom, and what a write does to their places in the graph.

A view knows its base and the op that made it. Writing into a view moves the base to a new node (`WriteView`), and
every view of that base finds its new place by replaying its ops from the base, when it is next used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..backends import assign, worth_a_kernel
from ..backends.batched import BatchedArray, BatchError
from ..backends.call_site import call_site as call_site
from ..backends.errors import InplaceError, ShapeError
from ..backends.sparse import SparseArray
from .base import TensorBase, edge_of, new, version_of, wrap
from .grad_mode import enable_grad, mode
from .node import LEAF, OUTPUT, Output
from .primitive import Primitive, apply, bind_views, next_seq
from .transforms import check_capture
from .write_checks import CUSTOM_VIEW, MANY_VIEWS, check_cast, check_coalesced, check_writable


class View:
    """How a tensor was made from its base.

    Attributes:
        base: the tensor that owns the memory.
        steps: the ops that lead from the base to the view, as ``(primitive, params, index)``; ``index`` is which of
            the op's outputs it is, or None when there is one. None for a view made by a user's Function, which
            nobody can take again.
        made: the base's version when the tensor's edge was last right.
        recorded: whether recording was on when it was made.
        place: which output of which Function it is, if it is one.
    """

    __slots__ = ("base", "made", "place", "recorded", "steps")

    def __init__(self, base: Any, steps: Steps | None, place: str) -> None:
        self.base, self.steps, self.place = base, steps, place
        self.made = base._ver[0]
        self.recorded = mode.grad and steps is not None

    def live_edge(self, tensor: TensorBase) -> Any:
        """The view's edge, found anew if its base was written to since."""
        count = self.base._ver[0]
        if count != self.made:
            if self.steps is None and tensor._rg:
                raise InplaceError(
                    f"{self.place} is a view and its base or another view of its base has been modified inplace. "
                    f"{CUSTOM_VIEW}"
                )
            if self.base._rg and tensor._rg:
                self._check_live()
            if self.base._rg and self.recorded:
                with enable_grad():
                    again = retake(self.base, self.steps or ())
                self.made = count
                _settle(tensor, again)
            self.made = count
        return tensor if tensor._edge is None else tensor._edge

    def _check_live(self) -> None:
        """Raise if the view, which requires grad, may not be used after its base was written to."""
        for prim, _, index in self.steps or ():
            if prim.views_many:
                raise InplaceError(
                    f"Output {index} of {prim.__name__} is a view and its base or another view of its base has been "
                    f"modified inplace. {MANY_VIEWS}"
                )

    def joined(self, tensor: TensorBase) -> bool:
        """Whether the view has come to want a gradient because its base has, by a write to another view."""
        if self.recorded and self.base._rg and tensor._data.dtype.kind in "fcV":
            tensor._rg = True
            return True
        return False


Steps = tuple[tuple[Any, dict[str, Any], int | None], ...]


def retake(root: Any, steps: Steps) -> Any:
    """The view that ``steps`` lead to, of another tensor or array of the base's shape."""
    for prim, params, index in steps:
        root = apply(prim, root, **params)
        if index is not None:
            root = root[index]
    return root


def make_view(prim: Any, array: Any, source: TensorBase, params: Any, node: Any, index: int | None) -> Any:
    """A Tensor for ``array``, an output of a view op on ``source``."""
    data = source._data
    if array is data:
        array = array[...]  # two Tensors never share one array object: saved values are told apart by it
    t = wrap(array)
    if node is not None and array.dtype.kind in "fcV":
        t._edge = node if node.count == 1 else Output(node, index or 0, array.shape, array.dtype)
        t._rg = True
    owner = array.base
    if owner is data or (owner is data.base and owner is not None):  # reshape may have copied
        version = source._ver
        if version is None:
            version = source._ver = [0, None]
        t._ver = version
        parent = source._view
        view = t._view = new(View)  # not by its __init__, which takes twice as long
        recorded = mode.grad
        if parent is None:
            view.base, view.steps = source, ((prim, params, index),)
        else:
            view.base = parent.base
            if parent.steps is None:
                view.steps, view.place = None, parent.place
            else:
                view.steps = (*parent.steps, (prim, params, index))
            recorded = recorded and parent.recorded
        view.made = version[0]
        view.recorded = recorded
    return t


bind_views(make_view)


class WriteView(Primitive):
    """The base after one of its views was overwritten: ``base`` outside the view, ``value`` inside it."""

    @staticmethod
    def forward(ctx: Any, base: Any, value: Any, *, steps: Steps) -> Any:
        ctx.info = sorted(range(base.ndim), key=lambda axis: -abs(base.strides[axis]))
        return base[...]  # the write has been done: the memory is shared

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        steps = ctx.params["steps"]
        outside = None
        if ctx.needs[0]:
            # A mask in the base's memory order, so that every step is a view of it as it was of the base.
            order = ctx.info
            mask = ctx.k.zeros(tuple(ctx.shape[axis] for axis in order), dtype=bool)
            mask = mask.transpose(tuple(order.index(axis) for axis in range(len(order))))
            retake(mask, steps)[...] = True
            outside = _where(mask, 0.0, g)
        return outside, retake(g, steps) if ctx.needs[1] else None


WriteView.node_type.__name__ = "CopySlices"
WriteView.node_type.name = lambda self: "torch::autograd::CopySlices"  # type: ignore[method-assign]


class Erased(Primitive):
    """A tensor whose every element was replaced by a constant: what was there before gets a gradient of zero."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x[...]  # the write has been done

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * 0.0


def _where(condition: Any, a: Any, b: Any) -> Any:
    from .ops.select import where_rule

    return where_rule(condition, a, b)


def wrote(tensor: TensorBase, op: str) -> None:
    """Count a write to ``tensor``, with the line of the program that made it."""
    version = version_of(tensor)
    version[0] += 1
    version[1] = f"{op} at {call_site()}"


def inplace(tensor: Any, op: str, compute: Callable[[Any], Any]) -> Any:
    """Do ``tensor = compute(tensor)`` in the memory of ``tensor``, gradient included, and return it.

    Args:
        tensor: what is overwritten.
        op: the method's name, for messages.
        compute: maps a stand-in for the tensor, on the same memory and in the same place of the graph, to its new
            value; it may broadcast to the tensor's shape, but not change it.

    Raises:
        InplaceError: see `check_writable`. ShapeError, DTypeError: the value does not fit. Nothing is written then.
    """
    check_writable(tensor, op)
    before = stand_in(tensor)
    start = next_seq()
    result = compute(before)
    if type(result._data) is not type(tensor._data):
        result = in_layout_of(tensor, result, op)
    elif type(tensor._data) is SparseArray:
        check_coalesced(op, tensor._data.pattern)
    if result._rg and tensor._view is not None:
        check_writable(tensor, op, joins=True)
    data, value = tensor._data, result._data
    if value.shape != data.shape:
        raise ShapeError(
            f"{op}: output with shape {list(data.shape)} doesn't match the broadcast shape {list(value.shape)}; "
            "an in-place operation cannot make its tensor larger: write out of place"
        )
    check_cast(op, value.dtype, data.dtype)
    if result._rg:
        _keep_old(result, before, start)
    if value is not data:
        if type(value) is type(data) and worth_a_kernel(value):
            assign(data, value)
        else:
            data[...] = value
    finish_write(tensor, result, before, op)
    return tensor


def in_layout_of(tensor: Any, result: Any, op: str) -> Any:
    """A result that is to be written to ``tensor``: all its elements, if only ``tensor`` stores all.

    Raises:
        RuntimeError: under ``vmap`` the result differs from example to example, and ``tensor`` is one for all.
    """
    if isinstance(result._data, BatchedArray):
        if not isinstance(tensor._data, BatchedArray) or tensor._data.depth < result._data.depth:
            raise BatchError(
                f"vmap: inplace arithmetic({op}) is not possible because there exists a Tensor in its arguments that "
                "has more elements than `self`: it differs from example to example, and `self` is one for all. Write "
                "out of place, or to a tensor made of a mapped one (x.new_zeros(...), x.clone())"
            )
        return result
    if not isinstance(result._data, SparseArray):
        return result
    from .sparse.core import dense_of

    return dense_of(result)


def _keep_old(result: Any, before: Any, start: int) -> None:
    """Give nodes made since ``start`` that saved the memory about to be overwritten a copy of it."""
    stack, copies = [result._edge], dict[int, Any]()
    while stack:
        edge = stack.pop()
        if edge is None or edge.edge_kind == LEAF:
            continue
        node = edge.node if edge.edge_kind == OUTPUT else edge
        if node.seq < start:
            continue
        stack += node.edges
        for i, s in enumerate(node._saved if type(node._saved) is list else ()):
            if type(s) is tuple and s[2] is before._ver:
                copy = copies.setdefault(id(s[0]), s[0].copy())
                node._saved[i] = (copy, s[1], [0, None], 0)


def finish_write(tensor: Any, result: Any, before: Any, op: str) -> None:
    """Count the write, and move ``tensor`` (and its base) to where ``result`` is in the graph."""
    wrote(tensor, op)
    if "_tangents" in result.__dict__ or "_tangents" in tensor.__dict__:
        from .forward_mode import move_tangents

        move_tangents(tensor, result)
    if not mode.grad or not (result._rg or before._rg):
        return
    if result._rg:
        if mode.transforms and (tensor._view.base if tensor._view is not None else tensor)._edge is None:
            check_capture(tensor, op)
        _saved_output_is(result, tensor)
    elif tensor._view is None:
        result = apply(Erased, before)
    move(tensor, result)


def move(tensor: Any, result: Any) -> None:
    """Put ``tensor``, just overwritten, in the place of ``result`` in the graph; so with the base of a view."""
    view = tensor._view
    if view is None:
        _settle(tensor, result)
        return
    _settle(view.base, apply(WriteView, view.base, result, steps=view.steps))
    tensor._rg = view.base._rg
    view.made = -1  # its place follows from the base's new one
    if tensor._edge is not None and _retains(tensor, tensor._edge):
        view.live_edge(tensor)


def _settle(tensor: Any, result: Any) -> None:
    """Give ``tensor`` the place of ``result``; if it retains its gradient, it goes on doing so there."""
    old = tensor._edge
    tensor._edge, tensor._rg = result._edge, result._rg
    if old is not None and _retains(tensor, old):
        node, index = (old.node, old.index) if old.edge_kind == OUTPUT else (old, 0)
        del node.hooks.retain[index]
        tensor.retain_grad()


def _retains(tensor: Any, edge: Any) -> bool:
    if edge.edge_kind == LEAF:
        return False
    node, index = (edge.node, edge.index) if edge.edge_kind == OUTPUT else (edge, 0)
    owner = None if node.hooks is None else node.hooks.retain.get(index)
    return owner is not None and owner() is tensor


def stand_in(tensor: Any) -> Any:
    """A Tensor in the place of ``tensor`` before the write: nodes may keep it without forming a cycle."""
    # Hooks on saved tensors may keep the tensor that they are shown, so its memory must not be overwritten then.
    version = version_of(tensor)
    if mode.savers:
        t = wrap(tensor._data.copy())
        t._ver = [*version]
    else:
        t = wrap(tensor._data[...])
        t._ver = version
    edge = edge_of(tensor)
    if edge is not None:
        t._edge, t._rg = edge, True
    if "_tangents" in tensor.__dict__:
        t.__dict__["_tangents"] = dict(tensor.__dict__["_tangents"])
    return t


def _saved_output_is(result: Any, tensor: Any) -> None:
    """If the op saved its output, the output is now the tensor's own memory, with its version."""
    edge = result._edge
    node = edge.node if isinstance(edge, Output) else edge
    if type(node._saved) is list:
        now = version_of(tensor)
        node._saved = [
            (tensor._data, s[1], now, now[0]) if type(s) is tuple and s[0] is result._data and s[1] < 0 else s
            for s in node._saved
        ]
