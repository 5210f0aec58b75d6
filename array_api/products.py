"""Products of arrays that the main namespace and `linalg` share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..autograd import ops
from ..autograd.ops import linalg_functions
from .promotion import together

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = ["matmul", "matrix_transpose", "tensordot", "vecdot"]


def matmul(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The matrix product of ``(*, M, K)`` and ``(*, K, N)``, in their common type; one dimension makes a vector.

    Raises:
        ValueError: one of them has no dimensions.
    """
    if x1.ndim == 0 or x2.ndim == 0:
        raise ValueError(f"matmul: arrays without dimensions have no product: {tuple(x1.shape)} and {tuple(x2.shape)}")
    return ops.matmul(*together(x1, x2))


def matrix_transpose(x: Tensor, /) -> Tensor:
    """A view with the last two axes exchanged: ``(*, M, N)`` to ``(*, N, M)``.

    Raises:
        ValueError: ``x`` has less than two dimensions.
    """
    if x.ndim < 2:
        raise ValueError(f"matrix_transpose: a matrix has two dimensions at least, and the shape is {tuple(x.shape)}")
    return ops.transpose(x, -2, -1)


def tensordot(x1: Tensor, x2: Tensor, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> Tensor:
    """The sum of products over axes: the last ones of ``x1`` and first ones of ``x2``, or those named for each."""
    x1, x2 = together(x1, x2)
    return ops.tensordot(x1, x2, dims=axes)


def vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The inner product along ``axis``, of the conjugate of ``x1`` with ``x2``; the other axes broadcast."""
    return linalg_functions.vecdot(*together(x1, x2), dim=axis)
