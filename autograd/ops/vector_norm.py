"""Norms of vectors, and tensors scaled down to a norm; matrix norms are in ``linalg``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import to_dtype
from ...backends.errors import ArgumentError, DTypeError, ShapeError
from ..out import write_out
from .calling import in_place, write_exactly
from .cast import cast
from .dims import canonical_dim
from .distance import p_norm
from .select import where_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


def norm(
    input: Tensor,
    p: float | str | None = "fro",
    dim: Any = None,
    keepdim: bool = False,
    out: Tensor | None = None,
    dtype: Any = None,
) -> Tensor:
    """The p-norm ``sum(abs(input) ** p) ** (1 / p)`` over all elements, or over dimensions.

    Args:
        input: floating point or complex.
        p: a number; infinities give the largest or smallest size, 0 counts what is not zero; ``"fro"`` is 2, and
            ``"nuc"`` the sum of the singular values of matrices.
        dim: one dimension, several, or None for all.
        keepdim: keep the reduced dimensions at size 1.
        out: a tensor to write the result to.
        dtype: convert to this type first.

    Raises:
        RuntimeError: ``input`` is of integers, or ``p`` is no norm.

    Example:
        >>> import wengert as wg
        >>> wg.norm(wg.tensor([3.0, 4.0]))
        tensor(5.)
    """
    x = input if dtype is None else cast(input, to_dtype(dtype).dtype)
    if x.dtype.category < 2:
        raise DTypeError(f"norm: Expected a floating point or complex tensor as input. Got {x.dtype}; use .float()")
    if p == "nuc":
        from .linalg_norms import matrix_norm

        result = matrix_norm(x, "nuc", (-2, -1) if dim is None else dim, keepdim)
    else:
        if isinstance(p, str) and p != "fro":
            raise ArgumentError(f"norm: only valid string values are 'fro' and 'nuc', found: {p}")
        order = 2.0 if p is None or p == "fro" else float(p)
        from .linalg_norms import vector_norm

        return vector_norm(x, order, dim, keepdim, out=out)
    return result if out is None else write_out(out, result, "norm")


def renorm(input: Tensor, p: float, dim: int, maxnorm: float, *, out: Tensor | None = None) -> Tensor:
    """``input`` with each slice along ``dim`` whose p-norm is above ``maxnorm`` scaled down to it.

    Raises:
        RuntimeError: ``p`` or ``maxnorm`` is negative.
    """
    if p <= 0:
        raise ArgumentError(f"renorm: non-positive-norm not supported: p is {p}")
    if maxnorm < 0:
        raise ArgumentError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if input._data.ndim < 2:
        raise ShapeError(f"renorm: input needs at least 2 dimensions, got {input._data.ndim} dimensions")
    d = canonical_dim(dim, input._data.ndim, "renorm")
    sizes = p_norm(input, float(p), tuple([i for i in range(input._data.ndim) if i != d]), True)
    factor = where_rule(sizes > maxnorm, maxnorm / (sizes + 1e-7), 1.0)
    result = input * factor
    return result if out is None else write_exactly(out, result, "renorm")


renorm_ = in_place(renorm)


def norm_except_dim(v: Tensor, pow: float = 2, dim: int = 0) -> Tensor:
    """The norms of the slices along ``dim``, the other dimensions at size 1; of all elements if ``dim`` is -1.

    Args:
        v: any shape.
        pow: which norm.
        dim: what is not reduced.

    Example:
        >>> import wengert as wg
        >>> wg.norm_except_dim(wg.tensor([[3.0, 4.0], [0.0, 1.0]]))
        tensor([[5.],
                [1.]])
    """
    if dim == -1:
        return norm(v, pow)
    axis = canonical_dim(dim, v._data.ndim, "norm_except_dim")
    if v._data.ndim == 1:  # no dimensions would mean all of them
        return norm(v[:, None], pow, 1)
    return norm(v, pow, tuple([d for d in range(v._data.ndim) if d != axis]), True)
