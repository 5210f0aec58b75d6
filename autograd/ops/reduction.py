"""Sums, means, products and truth over dimensions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ...backends import kernels_of, to_dtype
from ...backends.errors import DTypeError
from ...backends.sparse import SparseArray
from ..admission import need_tensors
from ..base import TensorBase, wrap
from ..out import write_out
from ..primitive import Primitive, apply, apply1
from ..promotion import get_default_dtype
from .cast import cast
from .dims import canonical_dims, numpy_names, packed, scalar_name
from .elementwise import conj, scaled
from .expansion import expand_rule
from .exponential import exp_rule
from .select import where_rule
from .shape import permute_rule, reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor

F = TypeVar("F", bound=Callable[..., Any])
Dim = int | tuple[int, ...] | list[int] | None


class SumTo(Primitive):
    """``x`` summed to a shape that broadcasts to its own: the adjoint of broadcasting."""

    layout = "contiguous"

    @staticmethod
    def forward(ctx: Any, x: Any, *, shape: tuple[int, ...]) -> Any:
        ctx.info = x.shape
        lead = x.ndim - len(shape)
        axes = tuple(range(lead)) + tuple(i + lead for i, n in enumerate(shape) if n == 1 and x.shape[i + lead] != 1)
        return ctx.k.sum(x, axis=axes, keepdims=True).reshape(shape)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return expand_rule(g, ctx.info)


class Reduction(Primitive):
    """A reduction over the dimensions ``dim``, all of them where it is None."""

    layout = "contiguous"

    @staticmethod
    def restored(ctx: Any, g: Any) -> Any:
        """``g`` with the reduced dimensions back, at size 1. The rule has put the input's shape into ``ctx.info``."""
        shape = ctx.info
        return g if ctx.params["keepdim"] or not shape else restore_dims(g, shape, ctx.params["dim"])

    @classmethod
    def spread(cls, ctx: Any, g: Any) -> Any:
        """``g``, the same for every element that was reduced into it, at the input's shape."""
        return expand_rule(g if ctx.params["dim"] is None else cls.restored(ctx, g), ctx.info)


def _by_dim(node: Any) -> int:
    """The number in PyTorch's name of the node: 0 for a sum of everything, 1 for one over some dimensions."""
    return 0 if node.params["dim"] is None else 1


class Sum(Reduction):
    """The sum over some dimensions."""

    variant = _by_dim

    @staticmethod
    def forward(ctx: Any, x: Any, *, dim: Any, keepdim: bool) -> Any:
        ctx.info = x.shape
        return ctx.k.sum(x, axis=dim, keepdims=keepdim)

    @classmethod
    def backward(cls, ctx: Any, g: Any) -> Any:
        return cls.spread(ctx, g)


class Mean(Reduction):
    """The mean over some dimensions."""

    variant = _by_dim

    @staticmethod
    def forward(ctx: Any, x: Any, *, dim: Any, keepdim: bool) -> Any:
        ctx.info = x.shape
        return ctx.k.mean(x, axis=dim, keepdims=keepdim)

    @classmethod
    def backward(cls, ctx: Any, g: Any) -> Any:
        shape = ctx.info
        n = count(shape, ctx.params["dim"]) or 1
        return cls.spread(ctx, scaled(g, 1 / n))


class Prod(Reduction):
    """The product over one dimension or all."""

    kernels = ("prod", "prod_backward")

    @staticmethod
    def formula(x: Any, *, dim: Any, keepdim: bool) -> Any:
        """Halve the row by multiplying its halves: exact with zeros, at any order."""
        shape = x.shape
        rows = reshape_rule(x, (-1,)) if dim is None else permute_rule(x, last(len(shape), dim[0])) if dim else x[None]
        n, rest = rows.shape[-1], None
        if n == 0:
            y = sum_rule(rows, (rows.ndim - 1,)) + 1  # the product of nothing
            return restore_dims(y, shape, dim) if keepdim else y
        while n > 1:
            if n % 2:
                end = rows[..., n - 1]
                rest = end if rest is None else rest * end
            n //= 2
            rows = rows[..., :n] * rows[..., n : 2 * n]
        y = rows[..., 0] if rest is None else rows[..., 0] * rest
        return restore_dims(y, shape, dim) if keepdim else y

    @staticmethod
    def forward(ctx: Any, x: Any, *, dim: Any, keepdim: bool) -> Any:
        ctx.info = x.shape
        ctx.save(x)
        return ctx.k.prod(x, axis=dim, keepdims=keepdim)

    @classmethod
    def backward(cls, ctx: Any, g: Any) -> Any:
        return ctx.k.prod_backward(cls.restored(ctx, g), *ctx.saved, axis=ctx.params["dim"])


class LogSumExp(Reduction):
    """``log(sum(exp(x)))``, shifted so that it does not overflow."""

    torch_name = "Logsumexp"

    @staticmethod
    def forward(ctx: Any, x: Any, *, dim: Any, keepdim: bool) -> Any:
        ctx.info = x.shape
        y = ctx.k.asarray(ctx.k.logsumexp(x, axis=dim, keepdims=keepdim))
        ctx.save(x, y)
        return y

    @classmethod
    def backward(cls, ctx: Any, g: Any) -> Any:
        x, y = ctx.saved
        shift = x - cls.restored(ctx, y)
        return cls.restored(ctx, g) * exp_rule(conj(shift) if ctx.dtype.kind == "c" else shift)


def count(shape: tuple[int, ...], dim: Any) -> int:
    """How many elements each result is made of."""
    return math.prod(shape) if dim is None else math.prod([shape[d] for d in dim])


def last(ndim: int, dim: int) -> tuple[int, ...]:
    """The order of dimensions that puts ``dim`` last."""
    return (*(d for d in range(ndim) if d != dim), dim)


def restore_dims(g: Any, shape: tuple[int, ...], dim: Any) -> Any:
    """``g`` with the reduced dimensions back, at size 1."""
    gone = range(len(shape)) if dim is None else (dim,) if isinstance(dim, int) else dim
    return reshape_rule(g, tuple([1 if i in gone else n for i, n in enumerate(shape)]))


def sum_to(x: Any, shape: tuple[int, ...]) -> Any:
    """``x`` (Tensor or array) summed to ``shape``."""
    return apply(SumTo, x, shape=shape)


def sum_rule(x: Any, dim: tuple[int, ...] | None, keepdim: bool = False) -> Any:
    """The sum for gradient rules: dimensions counted from the front."""
    return apply(Sum, x, dim=dim, keepdim=keepdim)


def mean_rule(x: Any, dim: tuple[int, ...] | None, keepdim: bool = False) -> Any:
    """The mean for gradient rules: dimensions counted from the front."""
    return apply(Mean, x, dim=dim, keepdim=keepdim)


def reduced(name: str, input: Any, dim: Any) -> tuple[int, ...] | None:
    """The dimensions to reduce, counted from the front; None for all of them, which kernels do faster.

    Raises:
        TypeError: ``input`` is no Tensor. IndexError: a dimension is out of range.
    """
    if not isinstance(input, TensorBase):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    if dim is None:
        return None
    ndim = input._data.ndim
    if dim.__class__ is int and -ndim <= dim < ndim > 1:
        return (dim % ndim,)
    dims = canonical_dims(dim, ndim, name)
    return None if not dims or len(dims) == ndim or not ndim else dims


def summable(input: Tensor, dtype: Any, out: Any = None, name: str = "") -> Tensor:
    """``input`` as ``dtype``, or integers as int64, so that a sum does not overflow; or in the type of ``out``.

    Raises:
        RuntimeError: ``out`` is of another type than ``dtype``.
    """
    if out is not None:
        if dtype is not None and to_dtype(dtype).dtype != out._data.dtype:
            raise DTypeError(
                f"{name}: Expected out tensor to have dtype {to_dtype(dtype)}, but got {out.dtype} instead: provided "
                "dtype must match dtype of result"
            )
        dtype = out.dtype
    now = input._data.dtype
    if dtype is None and now.kind not in "iub":
        return input
    wanted = to_dtype("int64" if dtype is None else dtype).dtype
    return input if wanted == now else cast(input, wanted)


def _done(result: Any, out: Any, name: str) -> Any:
    return result if out is None else write_out(out, result, name)


def _count(input: Any) -> Any:
    """How many elements of a mask are true, which needs no integers made of them."""
    x = input._data
    if isinstance(x, SparseArray) or type(x) not in kernels_of or not kernels_of[type(x)].has("count_nonzero"):
        return apply1(Sum, summable(input, None), {"dim": None, "keepdim": False})
    k = kernels_of[type(x)]
    return wrap(k.asarray(k.count_nonzero(x), dtype="int64"))


@numpy_names
def sum(
    input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None, out: Tensor | None = None
) -> Tensor:
    """The sum over all dimensions, or over some.

    Args:
        input: any dtype; integers and bool are summed in int64, 16-bit floats in float32.
        dim: one dimension, several, or None for all.
        keepdim: keep the reduced dimensions at size 1.
        dtype: convert to this type first.
        out: a tensor to write the result to.

    Raises:
        IndexError: a dimension is out of range.

    Example:
        >>> import wengert as wg
        >>> wg.ones(2, 3).sum(dim=1)
        tensor([3., 3.])
    """
    dims = reduced("sum", input, dim)
    if dims is None and dtype is None is out and not keepdim and input._data.dtype.char == "?":
        return _count(input)
    y = apply1(Sum, summable(input, dtype, out, "sum"), {"dim": dims, "keepdim": keepdim})
    return y if out is None else write_out(out, y, "sum")


@numpy_names
def mean(
    input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None, out: Tensor | None = None
) -> Tensor:
    """The mean over all dimensions, or over some; NaN of nothing.

    Args:
        input: floating point or complex, unless ``dtype`` says otherwise.
        dim: one dimension, several, or None for all.
        keepdim: keep the reduced dimensions at size 1.
        dtype: convert to this type first.
        out: a tensor to write the result to.

    Raises:
        RuntimeError: ``input`` is of integers.
    """
    dims = reduced("mean", input, dim)
    x = input if dtype is None else cast(input, to_dtype(dtype).dtype)
    if x._data.dtype.kind in "iub":
        what = "Input" if dtype is None else "Optional"
        raise DTypeError(
            f"mean(): could not infer output dtype. {what} dtype must be either a floating point or complex dtype. "
            f"Got: {scalar_name(x)}; convert it with .float(), or pass dtype="
        )
    return _done(apply1(Mean, x, {"dim": dims, "keepdim": keepdim}), out, "mean")


@numpy_names
def nansum(
    input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None, out: Tensor | None = None
) -> Tensor:
    """The sum of what is not NaN; see `sum`."""
    need_tensors("nansum", input=input)
    if input.dtype.category == 3:
        raise DTypeError("nansum on CPU does not support complex inputs: take .real and .imag apart")
    return sum(_without_nan(input), dim, keepdim, dtype=dtype, out=out)


@numpy_names
def nanmean(
    input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None, out: Tensor | None = None
) -> Tensor:
    """The mean of what is not NaN; NaN of nothing.

    Raises:
        RuntimeError: ``input`` is of integers.
    """
    need_tensors("nanmean", input=input)
    if input.dtype.category == 3:
        raise DTypeError("nanmean does not support complex inputs: take .real and .imag apart")
    if input.dtype.category < 2:
        raise DTypeError(f"nanmean(): expected input to have floating point or complex dtype but got {input.dtype}")
    total = sum(_without_nan(input), dim, keepdim, dtype=dtype)
    return _done(total / sum(input == input, dim, keepdim), out, "nanmean")


def _without_nan(input: Tensor) -> Tensor:
    return where_rule(input == input, input, 0.0) if input.dtype.category > 1 else input


@numpy_names
def prod(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None, out: Tensor | None = None
) -> Tensor:
    """The product over all dimensions, or over one; 1 of nothing.

    Args:
        input: any dtype; integers and bool are multiplied in int64.
        dim: one dimension, or None for all.
        keepdim: keep the reduced dimension at size 1.
        dtype: convert to this type first.
        out: a tensor to write the result to.
    """
    if isinstance(dim, list | tuple):
        raise TypeError(f"prod(): argument 'dim' must be int, not {type(dim).__name__}: it takes one dimension")
    dims = reduced("prod", input, dim)
    return _done(apply(Prod, summable(input, dtype, out, "prod"), dim=dims, keepdim=keepdim), out, "prod")


@numpy_names
def logsumexp(input: Tensor, dim: Dim = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """``log(sum(exp(input)))`` over ``dim``, without overflow; integers give floats.

    Example:
        >>> import wengert as wg
        >>> wg.logsumexp(wg.tensor([1000.0, 1000.0]), 0)
        tensor(1000.6932)
    """
    dims = reduced("logsumexp", input, dim)
    x = cast(input, get_default_dtype().dtype) if input._data.dtype.kind in "iub" else input
    return _done(apply(LogSumExp, x, dim=dims, keepdim=keepdim), out, "logsumexp")


def _truth(kernel: str, input: Tensor, dim: Any, keepdim: bool, out: Any) -> Any:
    x = input._data if isinstance(input, TensorBase) else None
    dims = reduced(kernel, input, dim)
    if dim is not None and dims is None and not packed(dim) and not isinstance(x, SparseArray):
        dims = ()  # no dimension at all, unlike sums: each element by itself
    if out is not None and out._data.dtype.char not in "?B":
        raise DTypeError(f"{kernel} only supports bool tensor for result, got: {scalar_name(out)}")
    if isinstance(x, SparseArray) and kernel == "any" and dims is None:
        x = x.values  # what is not stored is false
    k = kernels_of[type(x)]
    y = k.asarray(getattr(k, kernel)(x, axis=dims, keepdims=keepdim))
    if x is not None and x.dtype.char == "B":  # PyTorch's masks were uint8 once
        y = k.astype(y, x.dtype)
    if out is not None:
        y = k.astype(y, out._data.dtype)
    return _done(wrap(y), out, kernel)


@numpy_names
def all(input: Tensor, dim: Dim = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """Whether all elements are true (not zero): a bool tensor, uint8 for uint8."""
    return _truth("all", input, dim, keepdim, out)


@numpy_names
def any(input: Tensor, dim: Dim = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """Whether one element is true (not zero): a bool tensor, uint8 for uint8."""
    return _truth("any", input, dim, keepdim, out)
