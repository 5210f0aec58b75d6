"""What the functions of ``wengert.linalg`` share: checks of their arguments, and the pieces of their gradient rules.

In the rules, ``mH`` is the conjugate transpose of each matrix, ``g`` what arrives, and products are `bmm_rule`.
Gradients of complex matrices follow PyTorch's convention, so that adjoints stand where real rules have transposes.
"""

from __future__ import annotations

from typing import Any

from ...backends.errors import DTypeError, ShapeError
from ..base import TensorBase
from ..inplace import write_out
from ..primitive import apply
from .diagonals import DiagEmbed, Diagonal, Tril, Triu
from .elementwise import conj
from .product import bmm_rule as bmm_rule
from .product import check_pair
from .shape import broadcast_shapes, expand_rule, permute_rule


def mT(x: Any) -> Any:
    """The transpose of each matrix, Tensor or array."""
    n = x.ndim
    return permute_rule(x, (*range(n - 2), n - 1, n - 2))


def mH(x: Any) -> Any:
    """The conjugate transpose of each matrix, Tensor or array."""
    return conj(mT(x))


def lower(x: Any, diagonal: int = 0) -> Any:
    """The triangle on and below a diagonal, Tensor or array."""
    return apply(Tril, x, diagonal=diagonal)


def upper(x: Any, diagonal: int = 0) -> Any:
    """The triangle on and above a diagonal, Tensor or array."""
    return apply(Triu, x, diagonal=diagonal)


def diagonal_of(x: Any) -> Any:
    """The main diagonal of each matrix, Tensor or array."""
    return apply(Diagonal, x, offset=0, dim1=x.ndim - 2, dim2=x.ndim - 1)


def diagonal_matrix(x: Any) -> Any:
    """Matrices with these diagonals, Tensor or array."""
    return apply(DiagEmbed, x, shape=(*x.shape, x.shape[-1]), offset=0, dim1=x.ndim - 1, dim2=x.ndim)


def check_matrix(op: str, x: Any, square: bool = False) -> Any:
    """The array of a Tensor of matrices of a type that has linear algebra.

    Raises:
        TypeError: it is no Tensor. RuntimeError: its type or shape does not do.
    """
    if not isinstance(x, TensorBase):
        raise TypeError(f"{op}(): argument 'A' (position 1) must be Tensor, not {type(x).__name__}")
    a = x._data
    if a.dtype.char not in "fdFD":
        short = a.dtype.itemsize == 2 and a.dtype.kind in "fV"
        why = "Low precision dtypes not supported." if short else "Expected a floating point or complex tensor."
        raise DTypeError(
            f"{op}: {why} Got {a.dtype.name}; supported are float32, float64, complex64 and complex128: "
            "convert with .float()"
        )
    if a.ndim < 2:
        raise ShapeError(
            f"{op}: The input tensor A must have at least 2 dimensions, but its shape is {list(a.shape)}; "
            "make a vector a matrix with unsqueeze"
        )
    if square and a.shape[-1] != a.shape[-2]:
        sizes = f"{a.shape[-2]} by {a.shape[-1]}"
        raise ShapeError(f"{op}: A must be batches of square matrices, but they are {sizes} matrices")
    return a


def same_batch(op: str, a: Any, b: Any) -> tuple[Any, Any]:
    """Two Tensors of matrices with their leading dimensions broadcast.

    Raises:
        RuntimeError: types, devices or leading dimensions do not fit.
    """
    x, y = check_pair(op, a, b, "A and B")
    if x.shape[:-2] == y.shape[:-2]:
        return a, b
    batch = tuple(broadcast_shapes(x.shape[:-2], y.shape[:-2]))
    return expand_rule(a, (*batch, *x.shape[-2:])), expand_rule(b, (*batch, *y.shape[-2:]))


def done(op: str, result: Any, out: Any) -> Any:
    """``result``, in ``out`` if there is one."""
    return result if out is None else write_out(out, result, op)
