"""What the functions of ``wengert.linalg`` share: checks of their arguments, and the pieces of their gradient rules.

In the rules, ``mH`` is the conjugate transpose of each matrix, ``g`` what arrives, and products are `bmm_rule`.
Gradients of complex matrices follow PyTorch's convention, so that adjoints stand where real rules have transposes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from ...backends import kernels_of
from ...backends.batched import any_in
from ...backends.errors import DTypeError, GraphError, LinAlgError, ShapeError
from ..base import TensorBase, wrap
from ..grad_mode import mode
from ..out import write_out
from ..primitive import Primitive, apply
from .calling import write_exactly
from .conversion import type_
from .diagonals import DiagEmbed, Diagonal, Tril, Triu
from .elementwise import conj
from .expansion import broadcast_shapes, expand_rule
from .product import bmm_rule as bmm_rule
from .product import check_pair
from .select import where_rule
from .shape import permute_rule

F = TypeVar("F", bound=Callable[..., Any])


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


def check_matrix(op: str, x: Any, square: bool = False, short: bool = False, name: str = "A") -> Any:
    """The array of a Tensor of matrices of a type that has linear algebra.

    Args:
        op: the function's name, for messages.
        x: what was given.
        square: whether the matrices must be square.
        short: whether 16-bit floats will do.
        name: the argument's name, for messages.

    Raises:
        TypeError: it is no Tensor. RuntimeError: its type or shape does not do.
    """
    if not isinstance(x, TensorBase):
        raise TypeError(f"{op}(): argument '{name}' (position 1) must be Tensor, not {type(x).__name__}")
    a = x._data
    if a.dtype.char not in "fdFD":
        is_short = a.dtype.itemsize == 2 and a.dtype.kind in "fV"
        if not (is_short and short):
            why = "Low precision dtypes not supported." if is_short else WANTED
            raise DTypeError(
                f"{op}: {why} Got {type_name(x)}; supported are float32, float64, complex64 and complex128: "
                "convert with .float()"
            )
    if a.ndim < 2:
        raise ShapeError(
            f"{op}: The input tensor {name} must have at least 2 dimensions. Its shape is {list(a.shape)}; "
            "make a vector a matrix with unsqueeze"
        )
    if square and a.shape[-1] != a.shape[-2]:
        sizes = f"{a.shape[-2]} by {a.shape[-1]}"
        raise ShapeError(f"{op}: {name} must be batches of square matrices, but they are {sizes} matrices")
    return a


WANTED = "Expected a floating point or complex tensor as input."


def type_name(x: Any) -> str:
    """The element type by the name that messages have: ``Float``, ``Long``."""
    return type_(x).rpartition(".")[2].removesuffix("Tensor")


def check_types(op: str, a: Any, b: Any, names: tuple[str, str] = ("A", "B")) -> tuple[Any, Any]:
    """The arrays of two Tensors of one type on one device.

    Raises:
        TypeError: one is no Tensor. RuntimeError: they differ.
    """
    if isinstance(a, TensorBase) and isinstance(b, TensorBase) and a._data.dtype != b._data.dtype:
        raise DTypeError(
            f"{op}: Expected {names[0]} and {names[1]} to have the same dtype, but found {names[0]} of type "
            f"{type_name(a)} and {names[1]} of type {type_name(b)} instead"
        )
    return check_pair(op, a, b, f"{names[0]} and {names[1]}")


def same_batch(op: str, a: Any, b: Any) -> tuple[Any, Any]:
    """Two Tensors of matrices with their leading dimensions broadcast.

    Raises:
        RuntimeError: types, devices or leading dimensions do not fit.
    """
    x, y = check_types(op, a, b)
    if x.shape[:-2] == y.shape[:-2]:
        return a, b
    batch = tuple(broadcast_shapes(x.shape[:-2], y.shape[:-2]))
    return expand_rule(a, (*batch, *x.shape[-2:])), expand_rule(b, (*batch, *y.shape[-2:]))


def also_named(**names: str) -> Callable[[F], F]:
    """Let a function take further names for its arguments, those that PyTorch's have: ``also_named(input="A")``."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            for name in [name for name in kwargs if name in names] if kwargs else ():
                kwargs[names[name]] = kwargs.pop(name)
            return function(*args, **kwargs)

        return call  # type: ignore[return-value]

    return decorate


class ColumnMajor(Primitive):
    """The same matrices in memory column after column, as LAPACK leaves its results."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return ctx.k.column_major(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g


def column_major(x: Any) -> Any:
    """`ColumnMajor` of a Tensor."""
    return apply(ColumnMajor, x)


def done(op: str, result: Any, out: Any, casts: bool = False) -> Any:
    """``result``, in ``out`` if there is one, which must be of its type unless the op ``casts``."""
    if out is None:
        return result
    return write_out(out, result, op) if casts else write_exactly(out, result, op)


def done_all(op: str, kind: Any, results: Any, out: Any, casts: bool = False) -> Any:
    """Several results under their names, in the tensors of ``out`` if there are any."""
    if out is None:
        return kind(*results)
    return kind(*[done(op, y, o, casts) for o, y in zip(out, results, strict=True)])


def wants_grad(*tensors: Any) -> bool:
    """Whether what is computed from the Tensors will be recorded."""
    return mode.grad and any(t.requires_grad for t in tensors)


def check_phases(op: str, kind: str, products: Any) -> None:
    """Raise if a loss depends on the phases of complex vectors, which are not determined.

    Args:
        op: the function's name, for messages.
        kind: of which vectors, ``"eigen"`` or ``"singular"``.
        products: the conjugates of the vectors times their gradients, Tensor or array: then they are not real.

    Raises:
        RuntimeError: they are not.
    """
    a = array_of(products)
    if a.dtype.kind == "c" and a.size and any_in(abs(a.imag) > 1e-2 * (1 + abs(a))):
        vectors = "singular vectors" if kind == "singular" else f"{kind}vectors"
        raise GraphError(
            f"{op}_backward: The {vectors} in the complex case are specified up to multiplication by e^{{i phi}}. "
            "The specified loss function depends on this quantity, so it is ill-defined."
        )


def array_of(x: Any) -> Any:
    """The array of a Tensor; an array as it is."""
    return x._data if isinstance(x, TensorBase) else x


def unit_like(A: Any) -> Any:
    """Unit matrices of the shape and type of ``A``."""
    a = A._data
    return expand_rule(wrap(kernels_of[type(a)].eye(a.shape[-1], dtype=a.dtype)), a.shape)


def with_info(
    A: Any, kernel: str, check_errors: bool, compute: Callable[[Any], Any], read_as: Callable[[Any], Any] | None = None
) -> tuple[Any, Any]:
    """``compute(A)`` and, for each matrix, 0 or the place where it failed.

    Matrices that failed are replaced by the identity, unless errors are to be raised.

    Args:
        A: the matrices.
        kernel: which finds the places.
        check_errors: raise `LinAlgError` where one failed.
        compute: the function.
        read_as: what to do to the matrices for ``kernel``.
    """
    a = A._data
    k = kernels_of[type(a)]
    try:
        return compute(A), wrap(k.zeros(a.shape[:-2], dtype="int32"))
    except LinAlgError:
        if check_errors:
            raise
    info = wrap(k.asarray(getattr(k, kernel)(a if read_as is None else read_as(a))))
    return compute(where_rule((info == 0)[..., None, None], A, unit_like(A))), info
