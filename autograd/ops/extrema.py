"""Largest and smallest elements, and where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.errors import ArgumentError, DimensionError, DTypeError, OutOfRangeError, UnsupportedDTypeError
from ..base import TensorBase, wrap
from ..formulas import kernel_or_formula
from ..out import write_out
from ..primitive import apply, apply1
from .calling import raw
from .dims import canonical_dim, canonical_dims, numpy_names, scalar_name
from .reduction import Dim, Reduction, reduced
from .return_types import named_result
from .select import maximum, minimum, where_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


class Amax(Reduction):
    """The largest element; equal ones share the gradient."""

    kernel = "max"

    @classmethod
    def forward(cls, ctx: Any, x: Any, *, dim: Any, keepdim: bool) -> Any:
        ctx.info = x.shape
        y = ctx.k.asarray(getattr(ctx.k, cls.kernel)(x, axis=dim, keepdims=keepdim))
        ctx.save(x, y)
        return y

    @classmethod
    def backward(cls, ctx: Any, g: Any) -> Any:
        x, y = ctx.saved
        top = cls.restored(ctx, y)
        ties = (x == top) | (x != x) & (top != top)
        shares = ctx.k.tally(raw(ties), ctx.params["dim"], ctx.dtype)
        return where_rule(ties, cls.restored(ctx, g) / shares, 0.0)


class Amin(Amax):
    """The smallest element; equal ones share the gradient."""

    kernel = "min"


class MaxDim(Reduction):
    """The largest element along one dimension, and its index; the first of equal ones gets the gradient."""

    torch_name = "Max"

    kernel = "max"

    @classmethod
    def forward(cls, ctx: Any, x: Any, *, dim: Any, keepdim: bool) -> Any:
        ctx.info = x.shape
        k = ctx.k
        axis = dim[0] if dim else None
        values = getattr(k, cls.kernel)(x, axis=axis, keepdims=keepdim)
        indices = k.asarray(getattr(k, "arg" + cls.kernel)(x, axis=axis, keepdims=keepdim))
        ctx.save(indices)
        return values, indices

    @classmethod
    def backward(cls, ctx: Any, g: Any, _: Any) -> Any:
        (indices,) = ctx.saved_arrays
        return place(ctx, g, indices)


class MinDim(MaxDim):
    """The smallest element along one dimension, and its index; the first of equal ones gets the gradient."""

    torch_name = "Min"

    kernel = "min"


@kernel_or_formula
def place_along(g: Any, index: Any, n: int, axis: int) -> Any:
    """``g`` at the positions ``index`` of ``axis``, of size ``n``, and 0 elsewhere."""
    k = kernels_of[type(index)]
    return where_rule(k.along_mask(index, n, axis), g, 0.0)


def place(ctx: Any, g: Any, indices: Any) -> Any:
    """The gradient of an op that picks one element along a dimension: ``g`` where ``indices`` says, else 0."""
    shape, dim = ctx.info, ctx.params["dim"]
    if not shape:
        return g
    d = dim[0]
    at = indices if ctx.params["keepdim"] else indices.reshape(*shape[:d], 1, *shape[d + 1 :])
    return place_along(Reduction.restored(ctx, g), at, n=shape[d], axis=d)


Max, Min = named_result("max", "values indices"), named_result("min", "values indices")
AMinMax = named_result("aminmax", "min max")


def nonempty(name: str, input: Any, dims: tuple[int, ...] | None) -> None:
    """Raise unless there is something to choose from.

    Raises:
        IndexError: a reduced dimension is of size 0.
    """
    shape = input._data.shape
    for d in range(len(shape)) if dims is None else dims:
        if shape[d] == 0 and dims is not None:
            raise DimensionError(f"{name}(): Expected reduction dim {d} to have non-zero size, got {list(shape)}")
    if dims is None and input._data.size == 0:
        raise OutOfRangeError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with "
            f"the 'dim' argument; the shape is {list(shape)}"
        )


def _check_tensor(name: str, input: Any) -> None:
    if not isinstance(input, TensorBase):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")


def _ordered(name: str, input: Any) -> None:
    if input._data.dtype.kind == "c":
        raise UnsupportedDTypeError(
            f'"{name}" not implemented for {scalar_name(input)!r}: complex numbers have no order; take abs() or '
            ".real first"
        )


@numpy_names
def amax(input: Tensor, dim: Dim = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The largest element over some dimensions or all; NaN if there is one. Equal ones share the gradient.

    Raises:
        IndexError: a dimension is out of range, or empty.
    """
    return _extreme("amax", Amax, input, dim, keepdim, out)


@numpy_names
def amin(input: Tensor, dim: Dim = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The smallest element over some dimensions or all; NaN if there is one. Equal ones share the gradient."""
    return _extreme("amin", Amin, input, dim, keepdim, out)


def _extreme(name: str, prim: Any, input: Any, dim: Any, keepdim: bool, out: Any) -> Any:
    dims = reduced(name, input, dim)
    _ordered(name, input)
    if not input._data.size:
        nonempty(name, input, dims if dim is None or not input._data.ndim else canonical_dims(dim, input._data.ndim))
    y = apply1(prim, input, {"dim": dims, "keepdim": keepdim})
    if out is not None and name in ("amax", "amin") and out.dtype is not input.dtype:
        raise DTypeError(
            f"{name}: Expected the dtype for input and out to match, but got {scalar_name(input)} for input's dtype "
            f"and {scalar_name(out)} for out's dtype."
        )
    return y if out is None else write_out(out, y, name)


@numpy_names
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False, out: Any = None) -> Any:
    """The smallest and the largest element, as ``(min, max)``.

    Raises:
        IndexError: ``dim`` is out of range, or empty. RuntimeError: there are no elements.
    """
    if dim is None and not input._data.size:
        raise ArgumentError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    if dim is not None and input._data.ndim:
        nonempty("aminmax", input, (canonical_dim(dim, input._data.ndim, "aminmax"),))
    pair = amin(input, dim, keepdim), amax(input, dim, keepdim)
    if out is not None:
        pair = tuple([write_out(target, value, "aminmax") for target, value in zip(out, pair, strict=True)])
    return AMinMax(*pair)


def _picked(name: str, prim: Any, kind: Any, input: Any, dim: int, keepdim: bool, out: Any) -> Any:
    d = canonical_dim(dim, input._data.ndim, name)
    _ordered(name, input)
    dims = (d,) if input._data.ndim else ()
    nonempty(name, input, dims)
    pair = apply(prim, input, dim=dims, keepdim=keepdim)
    if out is not None:
        return kind(*(write_out(target, value, f"{name}.dim") for target, value in zip(out, pair, strict=True)))
    return kind(*pair)


@numpy_names
def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None, out: Any = None) -> Any:
    """The largest element of all; or along a dimension, with its index; or the larger one of two tensors.

    Args:
        input: any real dtype.
        dim: None for all elements, a dimension, or another tensor (then this is `maximum`).
        keepdim: keep the reduced dimension at size 1.
        other: another tensor, by keyword.
        out: a tensor, or a pair of them, to write the result to.

    Returns:
        A tensor; with ``dim`` a named tuple ``(values, indices)``. NaN counts as the largest. Without ``dim``, equal
        elements share the gradient; with it, the first gets all.

    Raises:
        IndexError: ``dim`` is out of range, or empty. RuntimeError: there are no elements.

    Example:
        >>> import wengert as wg
        >>> values, indices = wg.tensor([[1.0, 5.0], [7.0, 2.0]]).max(dim=1)
        >>> values, indices
        (tensor([5., 7.]), tensor([1, 0]))
    """
    _check_tensor("max", input)
    if isinstance(dim, TensorBase) or other is not None:
        return maximum(input, dim if other is None else other, out=out)
    if dim is None:
        return _whole("max", Amax, input, out)
    return _picked("max", MaxDim, Max, input, dim, keepdim, out)


@numpy_names
def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None, out: Any = None) -> Any:
    """The smallest element of all; or along a dimension, with its index; or the smaller of two tensors; as `max`."""
    _check_tensor("min", input)
    if isinstance(dim, TensorBase) or other is not None:
        return minimum(input, dim if other is None else other, out=out)
    if dim is None:
        return _whole("min", Amin, input, out)
    return _picked("min", MinDim, Min, input, dim, keepdim, out)


def _whole(name: str, prim: Any, input: Any, out: Any) -> Any:
    if input._data.size == 0:
        raise ArgumentError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with "
            "the 'dim' argument."
        )
    return _extreme(name, prim, input, None, False, out)


def _argument(kernel: str, input: Any, dim: Any, keepdim: bool, out: Any) -> Any:
    _check_tensor(kernel, input)
    if input.dtype.category in (0, 3):
        raise DTypeError(f"{kernel}(): does not support {input.dtype} input")
    ndim = input._data.ndim
    dims = None if dim is None else ((canonical_dim(dim, ndim, kernel),) if ndim else ())
    nonempty(kernel, input, dims)
    k = kernels_of[type(input._data)]
    y = k.asarray(getattr(k, kernel)(input._data, axis=dims[0] if dims else None, keepdims=keepdim))
    return wrap(y) if out is None else write_out(out, wrap(y), kernel)


@numpy_names
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The index of the largest element, among all or along ``dim``; the first of equal ones; NaN is the largest.

    Returns:
        int64; without ``dim``, an index into the flattened tensor.
    """
    return _argument("argmax", input, dim, keepdim, out)


@numpy_names
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The index of the smallest element, among all or along ``dim``; the first of equal ones; NaN is the smallest."""
    return _argument("argmin", input, dim, keepdim, out)
