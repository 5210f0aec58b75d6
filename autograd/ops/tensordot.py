"""Products that are special cases of Einstein summation: ``tensordot``, ``inner``, ``kron``, ``bilinear``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...backends.errors import ArgumentError, DimensionError, DTypeError, ShapeError
from ..admission import c_name
from ..base import TensorBase
from ..out import write_out
from ..primitive import apply
from .arithmetic import mul
from .calling import write_exactly
from .dims import canonical_dim
from .einsum import Contract, einsum
from .product import check_pair, mm_rule
from .reduction import sum_rule
from .shape import reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


def tensordot(a: Tensor, b: Tensor, dims: Any = 2, out: Any = None) -> Tensor:
    """The sum of products over some dimensions of ``a`` and as many of ``b``.

    Args:
        a: Tensors of one dtype.
        b: likewise.
        dims: how many of the last dimensions of ``a`` meet the first ones of ``b``; or two lists of dimensions.
        out: a tensor to write the result to.

    Returns:
        The other dimensions of ``a``, then those of ``b``.

    Raises:
        RuntimeError: the dimensions' sizes differ.
    """
    x, y = check_pair("tensordot", a, b)
    if isinstance(dims, TensorBase):
        dims = dims._data.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise ShapeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(x.ndim, y.ndim):
            raise ShapeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        dims = list(range(x.ndim - dims, x.ndim)), list(range(dims))
    if not isinstance(dims, tuple | list) or len(dims) != 2:
        raise ArgumentError(
            "tensordot expects dims to be int or tuple[list[int], list[int]] or list[list[int]] containing two lists, "
            f"but got dims={dims}"
        )
    over_a, over_b = ([d] if isinstance(d, int) else list(d) for d in dims)
    over_a = [canonical_dim(d, x.ndim, "tensordot") for d in over_a]
    over_b = [canonical_dim(d, y.ndim, "tensordot") for d in over_b]
    for over in (over_a, over_b):
        if len(set(over)) < len(over):
            raise ShapeError(f"tensordot: dim {over[0]} appears multiple times in the list of dims {over}")
    left, right = list(range(1, x.ndim + 1)), list(range(x.ndim + 1, x.ndim + y.ndim + 1))
    if len(over_a) != len(over_b):
        raise ShapeError(f"tensordot: both dimension lists should have same length, got {over_a} and {over_b}")
    for i, j in zip(over_a, over_b, strict=True):
        n, m = a._data.shape[i], b._data.shape[j]
        if n == 1 != m:  # broadcasts, which is to say that the other one is summed
            b = sum_rule(b, (j,), True)
        elif m == 1 != n:
            a = sum_rule(a, (i,), True)
        elif n != m:
            raise ShapeError(
                f"tensordot: contracted dimensions need to match, but first has size {x.shape[i]} in dim {i} and "
                f"second has size {y.shape[j]} in dim {j}; the shapes are {list(x.shape)} and {list(y.shape)}"
            )
        right[j] = left[i]
    out_labels = [i for i in left if i not in right] + [i for i in right if i not in left]
    result = apply(Contract, a, b, left=tuple(left), right=tuple(right), out=tuple(out_labels))
    return result if out is None else write_exactly(out, result, "tensordot")


def inner(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """The sum of products over the last dimension of both; a plain product if one has no dimensions.

    Raises:
        RuntimeError: the last dimensions differ.
    """
    x, y = check_pair("inner", input, other)
    if not x.ndim or not y.ndim:
        result = mul(input, other)
    else:
        if x.shape[-1] != y.shape[-1]:
            raise ShapeError(
                f"inner() the last dimension must match on both input tensors but got shapes {list(x.shape)} and "
                f"{list(y.shape)}"
            )
        rows = reshape_rule(other, (math.prod(y.shape[:-1]), y.shape[-1]))
        result = reshape_rule(mm_rule(input, rows, True), (*x.shape[:-1], *y.shape[:-1]))
    return result if out is None else write_exactly(out, result, "inner")


def kron(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """The Kronecker product: every element of ``input`` times the whole of ``other``, in blocks.

    Example:
        >>> import wengert as wg
        >>> wg.kron(wg.eye(2), wg.tensor([[1.0, 2.0]]))
        tensor([[1., 2., 0., 0.],
                [0., 0., 1., 2.]])
    """
    for value in (input, other):
        if not isinstance(value, TensorBase):
            raise TypeError(f"kron(): argument must be Tensor, not {type(value).__name__}")
    n = max(input._data.ndim, other._data.ndim)
    a, b = ((1,) * (n - t._data.ndim) + t._data.shape for t in (input, other))
    blocks = mul(
        reshape_rule(input, tuple(s for m in a for s in (m, 1))),
        reshape_rule(other, tuple(s for m in b for s in (1, m))),
    )
    result = reshape_rule(blocks, tuple(p * q for p, q in zip(a, b, strict=True)))
    return result if out is None else write_out(out, result, "kron")


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``y[..., k] = sum over i, j of input1[..., i] weight[k, i, j] input2[..., j] + bias[k]``.

    Args:
        input1: (..., I).
        input2: (..., J), with the same leading dimensions.
        weight: (K, I, J).
        bias: (K) or None.

    Raises:
        RuntimeError: the shapes do not fit.
    """
    a, b, w = input1._data, input2._data, weight._data
    if not a.dtype == b.dtype == w.dtype:
        kinds = [f"{name}: {c_name(x.dtype)}" for name, x in (("input1", a), ("input2", b), ("weight", w))]
        raise DTypeError(f"bilinear(): All tensors must have the same dtype, got {', '.join(kinds)}")
    if a.ndim != b.ndim:
        raise ShapeError(f"bilinear(): input dimensions do not match: got {a.ndim} and {b.ndim}")
    if not a.ndim:
        raise DimensionError("bilinear(): Dimension specified as -1 but tensor has no dimensions")
    if a.shape[:-1] != b.shape[:-1]:
        dim = next((i for i, (n, m) in enumerate(zip(a.shape[:-1], b.shape[:-1], strict=False)) if n != m), 0)
        raise ShapeError(
            f"bilinear(): input batch dimensions do not match at dim {dim}: got {a.shape[dim]} and {b.shape[dim]} of "
            f"{list(a.shape)} and {list(b.shape)}"
        )
    if w.ndim != 3:
        raise ShapeError(f"bilinear(): weight {list(w.shape)} must be (out, {a.shape[-1]}, {b.shape[-1]})")
    for i, x in ((1, a), (2, b)):
        if x.shape[-1] != w.shape[i]:
            raise ShapeError(
                f"bilinear(): input{i} size does not match weight size: got {x.shape[-1]} but expected {w.shape[i]}"
            )
    if bias is not None and bias._data.shape != w.shape[:1]:
        raise ShapeError(
            f"bilinear(): bias size does not match weight size: got {bias._data.size} but expected {w.shape[0]} for a "
            f"bias of shape {list(bias._data.shape)}"
        )
    y = einsum("...i,kij,...j->...k", input1, weight, input2)
    return y if bias is None else y + bias
