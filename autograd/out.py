"""Writing results to ``out=``: which types it takes, and its size."""

from __future__ import annotations

import warnings
from typing import Any

from ..backends import kernels_of
from ..backends.dtypes import FROM_NUMPY
from ..backends.errors import ArgumentError, DTypeError, GraphError
from ..backends.sparse import SparseArray
from .admission import c_name, scalar_type
from .base import TensorBase
from .grad_mode import mode
from .inplace import wrote
from .write_checks import check_cast, check_single

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
        check_cast(op, result._data.dtype, out._data.dtype)
        out._data = result._data.copy()
        wrote(out, op)
        return out
    source, target = result._data.dtype, out._data.dtype
    if source != target:
        if op in EXACT:
            raise DTypeError(
                f"{op}: Expected out tensor to have dtype {c_name(source)}, but got {c_name(target)} instead: expected "
                f"scalar_type {scalar_type(FROM_NUMPY[source])} but found {scalar_type(FROM_NUMPY[target])}"
            )
        check_cast(op, source, target)
    check_single(op, out._data)
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
