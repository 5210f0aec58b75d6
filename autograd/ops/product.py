"""Matrix products. Each family of primitives is closed: the backward of one is another one with transposes as flags.

So nothing is transposed in memory, a batch of rows is one product, and derivatives of any order come for free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.dtypes import FROM_NUMPY
from ...backends.errors import (
    DeviceError,
    DTypeError,
    ShapeError,
    SparseOperandError,
    UnsupportedDTypeError,
)
from ...backends.sparse import SparseArray
from ..admission import c_name, scalar_type
from ..base import TensorBase
from ..out import write_out
from ..primitive import Primitive, apply, apply2, apply_sparse
from .arithmetic import mul
from .calling import write_exactly
from .elementwise import conj as conjugate
from .expansion import expand_rule
from .shape import reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


class Mm(Primitive):
    """``x @ w`` or ``x @ w.T``: rows (..., n) times one matrix."""

    layout = "contiguous"

    @staticmethod
    def forward(ctx: Any, x: Any, w: Any, *, transposed: bool = False) -> Any:
        needs = ctx.needs
        ctx.save(x if needs[1] else None, w if needs[0] else None)
        return ctx.k.mm(x, w, transposed)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved
        transposed = ctx.params.get("transposed", False)
        gx = None if w is None else mm_rule(g, conj(ctx, w), not transposed)
        if x is None:
            return gx, None
        x = conj(ctx, x)
        return gx, gram_rule(g, x) if transposed else gram_rule(x, g)


class Gram(Primitive):
    """The sum over all rows of outer(x, y): what a matrix receives from the rows it multiplied."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        needs = ctx.needs
        ctx.save(x if needs[1] else None, y if needs[0] else None)
        return ctx.k.gram(x, y)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, y = ctx.saved
        return (
            None if y is None else mm_rule(conj(ctx, y), g, True),
            None if x is None else mm_rule(conj(ctx, x), g),
        )


class Bmm(Primitive):
    """Stacked matrices times stacked matrices; ``ta`` and ``tb`` say which are meant transposed."""

    layout = "contiguous"

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any, *, ta: bool = False, tb: bool = False) -> Any:
        needs = ctx.needs
        ctx.save(a if needs[1] else None, b if needs[0] else None)
        return ctx.k.bmm(a, b, ta, tb)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        a, b = ctx.saved
        ta, tb = ctx.params.get("ta", False), ctx.params.get("tb", False)
        ga = gb = None
        if b is not None:
            b = conj(ctx, b)
            ga = bmm_rule(b, g, tb, True) if ta else bmm_rule(g, b, False, not tb)
        if a is not None:
            a = conj(ctx, a)
            gb = bmm_rule(g, a, True, ta) if tb else bmm_rule(a, g, not ta, False)
        return ga, gb


class SumRows(Primitive):
    """The sum over all dimensions but the last."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.info = x.shape
        return ctx.k.sum_rows(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return expand_rule(g, ctx.info)


def conj(ctx: Any, x: Any) -> Any:
    """``x`` conjugated where it is complex: gradients multiply with conjugates, as in PyTorch."""
    return conjugate(x) if ctx.dtype.kind == "c" else x


def mm_rule(x: Any, w: Any, transposed: bool = False) -> Any:
    """``x @ w`` or ``x @ w.T``, Tensors or arrays."""
    if type(x) in kernels_of and type(w) is type(x):  # what `apply` would do: these products are most of training
        try:
            return kernels_of[type(x)].mm(x, w, transposed)
        except SparseOperandError:
            return apply_sparse(Mm, (x, w), {"transposed": transposed})
    return apply(Mm, x, w, transposed=transposed)


def gram_rule(x: Any, y: Any) -> Any:
    """Sum over rows of outer(x, y), Tensors or arrays."""
    if type(x) in kernels_of and type(y) is type(x):
        return kernels_of[type(x)].gram(x, y)
    return apply(Gram, x, y)


def bmm_rule(a: Any, b: Any, ta: bool = False, tb: bool = False) -> Any:
    """Stacked products, Tensors or arrays, with transposes as flags."""
    return apply(Bmm, a, b, ta=ta, tb=tb)


def sum_rows(x: Any) -> Any:
    """The sum over all dimensions but the last, Tensor or array."""
    return apply(SumRows, x)


# ---------------------------------------------------------------------- the public functions


def check_pair(op: str, a: Any, b: Any, names: str = "m1 and m2") -> tuple[Any, Any]:
    """The arrays of two Tensors that a product takes.

    Raises:
        TypeError: one is no Tensor. DTypeError, DeviceError: they differ, or the type has no product.
    """
    for i, value in enumerate((a, b)):
        if not isinstance(value, TensorBase):
            place = f" '{('input', 'weight')[i]}' (position {i + 1})" if op == "linear" else ""
            raise TypeError(f"{op}(): argument{place} must be Tensor, not {type(value).__name__}")
    x, y = a._data, b._data
    if x.dtype is not y.dtype and x.dtype != y.dtype:
        got = f"got: {c_name(x.dtype)} != {c_name(y.dtype)}"
        if op == "linear":
            kinds = [scalar_type(FROM_NUMPY[z.dtype]) for z in (x, y)]
            got += f": {names} must have the same dtype, but got {kinds[0]} and {kinds[1]}"
        raise DTypeError(
            f"{op}: expected {names} to have the same dtype, but {got}; the shapes are {list(x.shape)} and "
            f"{list(y.shape)}. Convert one of them, for example with .to(other.dtype)"
        )
    if type(x) is not type(y) and a.device != b.device:  # sparse and dense ones may meet
        raise DeviceError(
            f"{op}: Expected all tensors to be on the same device, but found {a.device} and {b.device}; "
            f"move one with .to({str(a.device)!r})"
        )
    if x.dtype.kind == "b":
        raise UnsupportedDTypeError(f"\"{op}\" not implemented for 'Bool'; convert first, for example with .float()")
    return x, y


def mismatch(op: str, x: Any, y: Any, name1: str = "mat1", name2: str = "mat2", fix: str = "") -> ShapeError:
    """The error for factors whose shapes do not go together; ``fix`` is the way out, if it is not to transpose one."""
    a, b = ("x".join(map(str, s.shape)) for s in (x, y))
    fix = fix or (
        "the last dimension of the first must equal the second to last of the second; transpose one of them if its "
        "dimensions are the other way round"
    )
    return ShapeError(f"{op}: {name1} and {name2} shapes cannot be multiplied ({a} and {b}): {fix}")


def matmul(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """The matrix product, for operands of any number of dimensions.

    Two vectors give a scalar; matrices multiply; further dimensions are a batch and broadcast. A vector counts as a
    row on the left and as a column on the right, and its dimension is taken away again.

    Args:
        input: (..., n, k), (n, k) or (k).
        other: (..., k, m), (k, m) or (k), of the same dtype.
        out: a tensor to write the result to.

    Raises:
        RuntimeError: shapes, dtypes or devices do not fit.

    Example:
        >>> import wengert as wg
        >>> wg.matmul(wg.ones(2, 3), wg.ones(4, 3, 5)).shape
        wengert.Size([4, 2, 5])
    """
    x, y = check_pair("matmul", input, other)
    n, m = x.ndim, y.ndim
    if n == 2 and m == 2:
        if x.shape[1] != y.shape[0]:
            raise mismatch("matmul", x, y)
        result = apply2(Mm, input, other)
    elif n == 0 or m == 0:
        raise ShapeError(f"matmul: both arguments need to be at least 1D, but they are {n}D and {m}D; use * instead")
    elif m <= 2:
        result = _rows_times(input, other, x, y)
    else:
        result = _stacked(input, other, x, y)
    return result if out is None else write_exactly(out, result, "matmul")


def _rows_times(input: Any, other: Any, x: Any, y: Any) -> Any:
    """A vector or a stack on the left of a vector or a matrix: the stack is one tall matrix."""
    if x.shape[-1] != y.shape[0]:
        if isinstance(x, SparseArray) and y.ndim == 1:
            raise ShapeError(f"mv: expected self.size(-1) == vec.size(-1), but they are {x.shape[-1]} and {y.shape[0]}")
        if x.ndim == 1 and y.ndim == 1:
            raise ShapeError(
                f"dot: inconsistent tensor size, expected tensor [{x.size}] and src [{y.size}] to have the same number "
                f"of elements, but got {x.size} and {y.size} elements respectively"
            )
        raise mismatch("matmul", x, y)
    if y.ndim == 2:
        return apply(Mm, input, other)
    return reshape_rule(apply(Mm, input, reshape_rule(other, (y.size, 1))), x.shape[:-1])


def _stacked(input: Any, other: Any, x: Any, y: Any) -> Any:
    if x.ndim == 1:
        input = reshape_rule(input, (1, x.size))
    if x.shape[-1] != y.shape[-2]:
        raise mismatch("matmul", x, y, "batch1", "batch2")
    try:
        result = apply(Bmm, input, other)
    except ValueError as error:
        raise ShapeError(
            f"matmul: the batch dimensions of shapes {list(x.shape)} and {list(y.shape)} do not broadcast: "
            f"{list(x.shape[:-2])} and {list(y.shape[:-2])} must match where neither is 1"
        ) from error
    if x.ndim == 1:
        shape = result._data.shape
        result = reshape_rule(result, (*shape[:-2], shape[-1]))
    return result


def matmul_operator(input: Any, other: Any) -> Any:
    """``input @ other``."""
    known: bool = isinstance(other, TensorBase)
    return matmul(input, other) if known else NotImplemented


def rmatmul_operator(input: Any, other: Any) -> Any:
    """``other @ input``, for a left operand that does not know tensors."""
    known: bool = isinstance(other, TensorBase)
    return matmul(other, input) if known else NotImplemented


def ranks(op: str, *tensors: tuple[str, Any, int]) -> None:
    """Raise unless each (name, tensor, dimensions) has that many dimensions."""
    for name, value, ndim in tensors:
        if not isinstance(value, TensorBase):
            raise TypeError(f"{op}(): argument '{name}' must be Tensor, not {type(value).__name__}")
        if value._data.ndim != ndim:
            kind = {1: "a vector", 2: "a matrix", 3: "a 3D tensor"}[ndim]
            raise ShapeError(
                f"{op}: {name} must be {kind}, got {value._data.ndim}D with shape {list(value._data.shape)}; "
                "matmul takes any number of dimensions"
            )


def mm(input: Tensor, mat2: Tensor, *, out: Any = None) -> Tensor:
    """The product of two matrices: (n, k) and (k, m) give (n, m)."""
    ranks("mm", ("self", input, 2), ("mat2", mat2, 2))
    return matmul(input, mat2, out=out)


def bmm(input: Tensor, mat2: Tensor, *, out: Any = None) -> Tensor:
    """Products of two stacks of matrices: (b, n, k) and (b, k, m) give (b, n, m); nothing broadcasts.

    Raises:
        RuntimeError: an operand is not 3D, or the shapes differ.
    """
    ranks("bmm", ("batch1", input, 3), ("batch2", mat2, 3))
    x, y = check_pair("bmm", input, mat2)
    if x.shape[0] != y.shape[0] or x.shape[2] != y.shape[1]:
        raise ShapeError(
            f"bmm: Expected size for first two dimensions of batch2 tensor to be: [{x.shape[0]}, {x.shape[2]}] but "
            f"got: [{y.shape[0]}, {y.shape[1]}] (batch1 is {list(x.shape)}, batch2 {list(y.shape)}); "
            "matmul broadcasts the batch"
        )
    result = apply2(Bmm, input, mat2)
    return result if out is None else write_exactly(out, result, "bmm")


def mv(input: Tensor, vec: Tensor, *, out: Any = None) -> Tensor:
    """The product of a matrix (n, k) and a vector (k)."""
    ranks("mv", ("input", input, 2), ("vec", vec, 1))
    return matmul(input, vec, out=out)


def dot(input: Tensor, tensor: Tensor, *, out: Any = None) -> Tensor:
    """The sum of the products of two vectors' elements.

    Raises:
        RuntimeError: an operand is not 1D, or their sizes differ.
    """
    check_vectors("dot", input, tensor)
    return matmul(input, tensor, out=out)


def check_vectors(op: str, a: Any, b: Any) -> None:
    """Raise unless both are Tensors of one dimension."""
    if isinstance(a, TensorBase) and isinstance(b, TensorBase) and a._data.dtype != b._data.dtype:
        raise DTypeError(
            f"{op} : expected both vectors to have same dtype, but found {a._data.dtype.name} and {b._data.dtype.name}"
        )
    x, y = check_pair(op, a, b)
    if x.ndim != 1 or y.ndim != 1:
        raise ShapeError(
            f"{op}: 1D tensors expected, but got {x.ndim}D and {y.ndim}D tensors; matmul takes any number of dimensions"
        )


def outer(input: Tensor, vec2: Tensor, *, out: Any = None) -> Tensor:
    """All products of an element of a vector (n) and one of another (m): (n, m)."""
    ranks("outer", ("self", input, 1), ("vec2", vec2, 1))
    result = mul(reshape_rule(input, (input._data.size, 1)), vec2)
    return result if out is None else write_out(out, result, "outer")
