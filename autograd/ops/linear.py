"""The product of a layer: rows times a weight, plus a bias, as one node."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...backends.errors import ShapeError
from ..base import TensorBase
from ..formulas import kernel_or_formula
from ..out import write_out
from ..primitive import Primitive, apply, apply2
from .arithmetic import add
from .elementwise import conj as conjugate
from .expansion import expand_rule
from .product import check_pair, gram_rule, matmul, mismatch, mm_rule, sum_rows

if TYPE_CHECKING:
    from ..tensor import Tensor


class Linear(Primitive):
    """``x @ w.T + b``: rows (..., in), weight (out, in), bias (out) or None."""

    torch_name = "Addmm"

    @staticmethod
    def forward(ctx: Any, x: Any, w: Any, b: Any = None) -> Any:
        needs = ctx.needs
        ctx.save(x if needs[1] else None, w if needs[0] else None)
        return ctx.k.linear(x, w, b)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved
        needs = ctx.needs
        if ctx.dtype.kind == "c":
            x, w = (None if v is None else conjugate(v) for v in (x, w))
        return linear_backward(g, x, w, len(needs) > 2 and needs[2])


@kernel_or_formula
def linear_backward(g: Any, x: Any, w: Any, bias: bool) -> Any:
    """The gradients of rows, weight and bias; None for rows without ``w``, for the weight without ``x``."""
    return (
        None if w is None else mm_rule(g, w),
        None if x is None else gram_rule(g, x),
        sum_rows(g) if bias else None,
    )


def _fix(input: Tensor, w: Any) -> str:
    """What to do about rows of the wrong length."""
    shape = list(input._data.shape)
    if w.ndim == 2 and len(shape) > 2 and math.prod(shape[1:]) == w.shape[1]:
        return f"flatten the input {shape} first, with flatten(1)"
    if w.ndim != 2:
        return f"the weight must have two dimensions, (out_features, in_features), and has {w.ndim}"
    if not shape:
        return f"the input is a number, and must have {w.shape[1]} features in its last dimension"
    return (
        f"the input {shape} has {shape[-1]} features in its last dimension, and the weight is for {w.shape[1]}; "
        f"make the layer with in_features={shape[-1]}, or transpose the input"
    )


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None, *, out: Any = None) -> Tensor:
    """``input @ weight.T + bias``, as one node.

    Args:
        input: (..., in_features).
        weight: (out_features, in_features), or (in_features) for one output without a dimension.
        bias: (out_features) or None.
        out: where to put the result.

    Raises:
        RuntimeError: shapes, dtypes or devices do not fit.

    Example:
        >>> import wengert as wg
        >>> wg.nn.functional.linear(wg.ones(2, 3), wg.ones(4, 3), wg.zeros(4)).shape
        wengert.Size([2, 4])
    """
    if out is not None:
        return write_out(out, linear(input, weight, bias), "linear")
    x, w = check_pair("linear", input, weight, "mat1 and mat2")
    if (
        isinstance(bias, TensorBase)
        and w.ndim == 2
        and x.ndim
        and x.shape[-1] == w.shape[1]
        and bias._data.shape == w.shape[:1]
        and bias._data.dtype is x.dtype
        and type(bias._data) is type(x)
    ):
        return apply(Linear, input, weight, bias)
    if x.ndim == 0 or w.ndim == 0:
        raise ShapeError(f"both arguments to linear need to be at least 1D, but they are {x.ndim}D and {w.ndim}D")
    if w.ndim == 1:
        y = matmul(input, weight)
        return y if bias is None else add(y, bias)
    if w.ndim != 2 or x.ndim == 0 or x.shape[-1] != w.shape[1]:
        shown = x if x.ndim == 2 else x.reshape(-1, x.shape[-1]) if x.size else x
        raise mismatch("linear", shown, w.T, fix=_fix(input, w))
    if bias is None:
        return apply2(Linear, input, weight)
    _, b = check_pair("linear", input, bias, "input and bias")
    if b.ndim > 1 and b.ndim <= x.ndim:  # PyTorch adds whatever broadcasts to the product
        return add(apply2(Linear, input, weight), bias)
    if b.shape not in ((w.shape[0],), (1,), ()):
        raise ShapeError(
            f"linear: The expanded size of the tensor ({w.shape[0]}) must match the existing size ({b.shape[-1]}) at "
            f"non-singleton dimension {x.ndim - 1}: the bias has shape {list(b.shape)}, but weight {list(w.shape)} "
            f"asks for [{w.shape[0]}]"
        )
    if b.shape != (w.shape[0],):
        bias = expand_rule(bias, (w.shape[0],))
    return apply(Linear, input, weight, bias)
