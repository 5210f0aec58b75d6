"""Views and in-place writes: who shares memory with whom, and what a write does to their places in the graph.

A view knows its base and the op that made it. Writing into a view moves the base to a new node (`WriteView`), and
every view of that base finds its new place by replaying its ops from the base, when it is next used.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

from ..backends import kernels_of
from ..backends.errors import ArgumentError, DTypeError, GraphError, InplaceError, ShapeError
from ..backends.sparse import SparseArray
from .base import TensorBase, edge_of, new, version_of, wrap
from .grad_mode import INFERENCE, enable_grad, mode
from .node import LEAF, OUTPUT, Output
from .primitive import Primitive, apply, bind_views, next_seq


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
                    f"{_CUSTOM}"
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
                    f"modified inplace. {_MANY}"
                )

    def joined(self, tensor: TensorBase) -> bool:
        """Whether the view has come to want a gradient because its base has, by a write to another view."""
        if self.recorded and self.base._rg and tensor._data.dtype.kind in "fcV":
            tensor._rg = True
            return True
        return False


Steps = tuple[tuple[Any, dict[str, Any], int | None], ...]
_MANY = (
    "This view is the output of a function that returns multiple views. Such functions do not allow the output views "
    "to be modified inplace. You should replace the inplace operation by an out-of-place one."
)
_CUSTOM = (
    "This view was created inside a custom Function (or because an input was returned as-is) and the autograd logic to "
    "handle view+inplace would override the custom backward associated with the custom Function, leading to incorrect "
    "gradients. This behavior is forbidden. You can fix this by cloning the output of the custom Function."
)


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
        view = t._view = new(View)
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


def check_writable(tensor: Any, op: str, joins: bool = False) -> None:
    """Raise unless ``tensor`` may be written in place now.

    Args:
        tensor: what is to be overwritten.
        op: the method's name, for messages.
        joins: whether the value to be written requires grad.

    Raises:
        InplaceError: it is a leaf that requires grad (or a view of one), one of several views that an op returned,
            an inference tensor, or an expanded tensor whose elements share memory.
    """
    version = tensor._ver
    if version is INFERENCE and mode.fresh is not INFERENCE:
        raise InplaceError(
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get a "
            f"normal tensor before doing inplace update. ({op}: clone() it)"
        )
    if mode.grad:
        view = tensor._view
        if view is None:
            if tensor._rg and tensor._edge is None:
                tense = "has been" if op == "mark_dirty" else "is being"
                what = "a view of a leaf" if op == "__setitem__" else "a leaf"
                raise InplaceError(
                    f"{what} Variable that requires grad {tense} used in an in-place operation. "
                    f"({op}: write under no_grad, or out of place: x = x + y)"
                )
        elif joins or tensor._rg or view.base._rg:
            _check_view(tensor, view, op)
    _check_single(op, tensor._data)


def _check_single(op: str, data: Any) -> None:
    """Raise if elements of an expanded array, about to be written, share memory."""
    if (
        data.size > 1
        and 0 in data.strides
        and any(s == 0 and n > 1 for s, n in zip(data.strides, data.shape, strict=True))
    ):
        raise InplaceError(
            f"{op}: unsupported operation: more than one element of the written-to tensor refers to a single memory "
            "location. Please clone() the tensor before performing the operation"
        )


def _check_view(tensor: Any, view: View, op: str) -> None:
    """Raise unless a view that has to do with gradients may be written."""
    base = view.base
    if (base._rg and base._edge is None) or edge_of(tensor) is tensor:
        raise InplaceError(
            "a view of a leaf Variable that requires grad is being used in an in-place operation. "
            f"({op}: write under no_grad, or to a clone() of the leaf)"
        )
    if view.steps is None:
        raise InplaceError(f"{view.place} is a view and is being modified inplace. {_CUSTOM}")
    for prim, _, index in view.steps:
        if prim.views_many:
            raise InplaceError(
                f"Output {index} of {prim.__name__} is a view and is being modified inplace. {_MANY} "
                f"({op}: or write to a clone(), or index the tensor instead)"
            )
    if not view.recorded:
        raise InplaceError(
            "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this "
            "use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view "
            "and the inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or "
            f"both outside (if you want the inplace to be tracked). ({op})"
        )


def wrote(tensor: TensorBase, op: str) -> None:
    """Count a write to ``tensor``, with the line of the program that made it."""
    version = version_of(tensor)
    version[0] += 1
    version[1] = f"{op} at {call_site()}"


def call_site() -> str:
    """``file:line`` of the innermost frame outside this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] == _PACKAGE:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


_PACKAGE = __name__.partition(".")[0]


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
        result = in_layout_of(tensor, result)
    elif type(tensor._data) is SparseArray:
        _check_coalesced(op, tensor._data.pattern)
    if result._rg and tensor._view is not None:
        check_writable(tensor, op, joins=True)
    data, value = tensor._data, result._data
    if value.shape != data.shape:
        raise ShapeError(
            f"{op}: output with shape {list(data.shape)} doesn't match the broadcast shape {list(value.shape)}; "
            "an in-place operation cannot make its tensor larger: write out of place"
        )
    _check_cast(op, value.dtype, data.dtype)
    if result._rg:
        _keep_old(result, before, start)
    if value is not data:
        data[...] = value
    finish_write(tensor, result, before, op)
    return tensor


_VALUEWISE = """
    abs absolute arcsin arcsinh arctan arctanh asin asinh atan atanh ceil deg2rad erf erfinv expm1 floor frac log1p
    nan_to_num rad2deg relu round sgn sign sin sinh sqrt square tan tanh trunc
"""
VALUEWISE = frozenset(f"{name}_" for name in _VALUEWISE.split())  # wrong for values that are parts of a sum


def _check_coalesced(op: str, pattern: Any) -> None:
    """Raise unless a sparse tensor may be overwritten by a function of its values that does not add up."""
    if not pattern.coalesced and op in VALUEWISE:
        raise InplaceError(f"{op} requires coalesced input: out of place, or after x = x.coalesce()")


def in_layout_of(tensor: Any, result: Any) -> Any:
    """A result that is to be written to ``tensor``: all its elements, if only ``tensor`` stores all."""
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
    if not mode.grad or not (result._rg or before._rg):
        return
    if result._rg:
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
    t = wrap(tensor._data.copy() if mode.savers else tensor._data[...])
    t._ver = version_of(tensor)
    edge = edge_of(tensor)
    if edge is not None:
        t._edge, t._rg = edge, True
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


_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2, "c": 3}


def _check_cast(op: str, source: Any, target: Any) -> None:
    if _RANK[source.kind] > _RANK[target.kind]:
        raise DTypeError(
            f"{op}: result type {source.name} can't be cast to the desired output type {target.name}; "
            "convert the tensor first, or write out of place"
        )


# What computes straight into ``out`` in PyTorch does not cast to another element type.
EXACT = frozenset((
    "addmm", "addmv", "alias_copy", "aminmax", "argmax", "argmin", "as_strided_copy", "baddbmm", "bmm", "ceil",
    "clamp", "conj_physical", "cross", "cummax", "cummin", "diag", "diagonal_copy", "diff", "expand_copy",
    "float_power", "floor", "frac", "frexp", "gather", "heaviside", "histc", "histogram", "index_add", "index_copy",
    "index_reduce", "index_select", "inner", "isin", "isneginf", "isposinf", "kthvalue", "log_softmax",
    "logcumsumexp", "lu_unpack", "masked_select", "max.dim", "median", "min.dim", "mm", "mode", "msort", "nan_to_num",
    "nanmedian", "nanquantile", "narrow_copy", "neg", "nonzero", "permute_copy", "quantile", "renorm", "round",
    "scatter", "scatter_add", "scatter_reduce", "select_copy", "sgn", "sign", "signbit", "slice_copy",
    "slice_scatter", "softmax", "sort", "split_copy", "split_with_sizes_copy", "squeeze_copy", "t_copy", "take",
    "take_along_dim", "tensordot", "topk", "transpose_copy", "tril", "triu", "trunc", "unbind_copy", "unfold_copy",
    "unsqueeze_copy", "view_copy", "where",
))  # fmt: skip
_SPELLED = {
    "float32": "float", "float64": "double", "float16": "c10::Half", "bfloat16": "c10::BFloat16", "int64": "long int",
    "int16": "short int", "int8": "signed char", "uint8": "unsigned char", "int32": "int",
    "complex64": "c10::complex<float>", "complex128": "c10::complex<double>",
}  # fmt: skip


def write_out(out: Any, result: Any, op: str, *read: Any) -> Any:
    """Put ``result`` into ``out``, as the ``out=`` argument of an op does; ``out`` is resized if its shape is another.

    What the op has ``read`` may be ``out`` itself, but not overlap it in part.

    Raises:
        TypeError: ``out`` is no Tensor. GraphError: an argument requires grad, since ``out=`` is not recorded.
        DTypeError: it does not fit. InplaceError: elements of ``out`` share memory.
    """
    if not isinstance(out, TensorBase):
        raise TypeError(f"{op}(): argument 'out' must be Tensor, not {type(out).__name__}")
    if mode.grad and (result._rg or out._rg):
        raise GraphError(
            f"{op}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad. Leave out= away, or use no_grad"
        )
    if type(result._data) is not type(out._data):
        raise ArgumentError(
            f"{op}(): the result is {'sparse' if isinstance(result._data, SparseArray) else 'strided'} and out is not: "
            "they must have one layout"
        )
    if isinstance(out._data, SparseArray):
        _check_cast(op, result._data.dtype, out._data.dtype)
        out._data = result._data.copy()
        wrote(out, op)
        return out
    source, target = result._data.dtype, out._data.dtype
    if source != target:
        if op in EXACT:
            names = [_SPELLED.get(dtype.name, dtype.name) for dtype in (source, target)]
            raise DTypeError(f"{op}: Expected out tensor to have dtype {names[0]}, but got {names[1]} instead")
        _check_cast(op, source, target)
    _check_single(op, out._data)
    for value in read:
        if out._ver is not None and getattr(value, "_ver", None) is out._ver:
            from .ops.layout import refuse_overlap

            refuse_overlap(op, out, value, whole=False)
    if out._data.shape != result._data.shape:
        _resize_out(out, result._data.shape)
    out._data[...] = result._data
    wrote(out, op)
    return out


def _resize_out(out: Any, shape: tuple[int, ...]) -> None:
    if out._data.size:
        warnings.warn(
            f"An output with one or more elements was resized since it had shape {list(out._data.shape)}, which does "
            f"not match the required output shape {list(shape)}. This behavior is deprecated, and in a future release "
            "outputs will not be resized unless they have zero elements. You can explicitly reuse an out tensor t by "
            "resizing it, inplace, to zero elements with t.resize_(0).",
            stacklevel=4,
        )
    out._data = kernels_of[type(out._data)].empty(shape, dtype=out._data.dtype)
