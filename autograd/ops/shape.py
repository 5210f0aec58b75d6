"""Other shapes and orders of dimensions over the same elements: views wherever strides allow it.

What moves or repeats elements is in ``rearrange.py``, what repeats them without a copy in ``expansion.py``; joining is
in ``join.py``, and splitting in ``splitting.py``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...backends import DType, kernels_of
from ...backends.errors import ShapeError
from ...backends.settings import warn_once
from ...backends.strictness import doubt_silently
from ..base import version_of, wrap
from ..primitive import Primitive, apply
from .dims import canonical_dim, canonical_dims, infer_shape, numpy_names, packed, sizes_of, spread
from .layout import contiguous, storage_offset, stride

if TYPE_CHECKING:
    from ..tensor import Tensor


class View(Primitive):
    """``x`` in another shape; a view where the strides allow it."""

    view = True

    @staticmethod
    def forward(ctx: Any, x: Any, *, shape: tuple[int, ...]) -> Any:
        ctx.info = x.shape
        return x.reshape(shape)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return reshape_rule(g, ctx.info)


class Squeeze(View):
    """``x`` without dimensions of size 1."""


class Unsqueeze(View):
    """``x`` with new dimensions of size 1."""


class Permute(Primitive):
    """``x`` with its dimensions in another order."""

    view = True

    @staticmethod
    def forward(ctx: Any, x: Any, *, dims: tuple[int, ...]) -> Any:
        return x.transpose(dims)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        dims = ctx.params["dims"]
        return permute_rule(g, tuple([dims.index(i) for i in range(len(dims))]))


class Transpose(Permute):
    """``x`` with two dimensions swapped."""


class T(Permute):
    """The transpose of a matrix."""


def reshape_rule(x: Any, shape: tuple[int, ...]) -> Any:
    """``x`` (Tensor or array) in ``shape``."""
    return apply(View, x, shape=shape)


def permute_rule(x: Any, dims: tuple[int, ...]) -> Any:
    """``x`` (Tensor or array) with its dimensions in the order ``dims``."""
    return apply(Permute, x, dims=dims)


# ---------------------------------------------------------------------- other sizes


def reshape(input: Tensor, shape: Sequence[int]) -> Tensor:
    """The same elements in another shape: a view if the strides allow it, else a copy.

    Args:
        input: any shape.
        shape: the new sizes; one may be -1 and is worked out from the others.

    Raises:
        RuntimeError: the number of elements differs.

    Example:
        >>> import wengert as wg
        >>> wg.arange(6).reshape(2, -1)
        tensor([[0, 1, 2],
                [3, 4, 5]])
    """
    return apply(View, input, shape=infer_shape("reshape", sizes_of("reshape", shape), input._data.size))


reshape_method = spread(reshape, "shape")


def view(input: Tensor, *shape: Any, dtype: Any = None, size: Any = None) -> Tensor:
    """The same memory in another shape, or read as another element type.

    Args:
        input: any shape.
        shape: the new sizes, one of which may be -1; or one element type.
        dtype: the element type, by keyword.
        size: the sizes, by keyword.

    Raises:
        RuntimeError: the number of elements differs, or the strides do not allow it (`reshape` copies then).
    """
    if dtype is not None or (len(shape) == 1 and isinstance(shape[0], DType | type)):
        return _view_dtype(input, shape[0] if dtype is None else dtype)
    if not shape and size is None:
        raise TypeError("view() received an invalid combination of arguments: it takes a shape or a dtype")
    target = infer_shape("view", sizes_of("view", shape if size is None else size), input._data.size)
    result = apply(View, input, shape=target)
    if result._view is None and input._data.size:
        raise ShapeError(
            f"view: view size is not compatible with input tensor's size and stride (shape {list(input._data.shape)}, "
            f"wanted {list(target)}: at least one dimension spans across two contiguous subspaces). "
            "Use .reshape(...) instead."
        )
    return result


def _view_dtype(input: Tensor, dtype: Any) -> Tensor:
    from ...backends import to_dtype

    kind = to_dtype(dtype)
    x = input._data
    if kind.itemsize != x.itemsize:
        if x.ndim == 0:
            raise ShapeError(
                f"view: self.dim() cannot be 0 to view {input.dtype} as {kind}: the element sizes are different"
            )
        what = f"to view {input.dtype} as {kind} (different element sizes)"
        steps = stride(input)
        if steps[-1] != 1:
            raise ShapeError(f"view: self.stride(-1) must be 1 {what}, but got {steps[-1]}")
        if kind.itemsize > x.itemsize:
            _check_multiples(input, steps, kind.itemsize // x.itemsize, what)
    y = x.view(kind.dtype)
    t: Tensor = wrap(y if y.size else kernels_of[type(y)].empty(y.shape, dtype=y.dtype))
    t._ver = version_of(input)
    return t


def _check_multiples(input: Tensor, steps: tuple[int, ...], ratio: int, what: str) -> None:
    """Raise unless the elements of a tensor can be read ``ratio`` at a time, from where its memory begins."""
    numbers = [("size(-1)", input._data.shape[-1]), ("storage_offset()", storage_offset(input))]
    numbers += [(f"stride({d})", s) for d, s in enumerate(steps[:-1])]
    for name, n in numbers:
        if n % ratio:
            raise ShapeError(f"view: self.{name} must be divisible by {ratio} {what}, but got {n}")


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """``input.view(other.shape)``."""
    return view(input, other._data.shape)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """``input.reshape(other.shape)``."""
    return reshape(input, other._data.shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions ``start_dim`` to ``end_dim`` made one.

    Raises:
        RuntimeError: ``start_dim`` is after ``end_dim``.

    Example:
        >>> import wengert as wg
        >>> wg.zeros(2, 3, 4).flatten(1).shape
        wengert.Size([2, 12])
    """
    shape = input._data.shape
    first, last = canonical_dim(start_dim, len(shape), "flatten"), canonical_dim(end_dim, len(shape), "flatten")
    if first > last:
        raise ShapeError(
            "flatten() has invalid args: start_dim cannot come after end_dim, "
            f"but start_dim is {start_dim} and end_dim is {end_dim} of {len(shape)} dimensions"
        )
    if not shape:
        return apply(View, input, shape=(1,))
    if first == last:
        return input
    return apply(View, input, shape=(*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


@numpy_names
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Dimension ``dim`` made into several of the given sizes, one of which may be -1.

    Raises:
        RuntimeError: the sizes do not multiply to that of ``dim``.
    """
    shape = input._data.shape
    dim = canonical_dim(dim, len(shape), "unflatten")
    if not sizes:
        raise ShapeError("unflatten: sizes must be non-empty")
    given = sizes_of("unflatten", sizes)
    try:
        inner = infer_shape("unflatten", given, shape[dim])
    except ShapeError as error:
        if min(given) < -1 or given.count(-1) > 1:
            raise
        raise ShapeError(
            f"unflatten: Provided sizes {list(given)} don't multiply up to the size of dim {dim} ({shape[dim]}) in the "
            f"input tensor: {error}"
        ) from None
    return apply(View, input, shape=(*shape[:dim], *inner, *shape[dim + 1 :]))


def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension, one after another: a view of a contiguous tensor."""
    return apply(View, contiguous(input), shape=(input._data.size,))


def squeeze_method(input: Tensor, *dims: Any, dim: Any = None) -> Tensor:
    """`squeeze` with the dimensions one by one, too."""
    return squeeze(input, dim if not dims else dims[0] if len(dims) == 1 else dims)


@numpy_names
def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Without its dimensions of size 1, or without those among ``dim``."""
    shape = input._data.shape
    dims = canonical_dims(dim, len(shape), "squeeze")
    return apply(Squeeze, input, shape=tuple([n for i, n in enumerate(shape) if n != 1 or i not in dims]))


@numpy_names
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new dimension of size 1 at ``dim``, which may be from ``-ndim - 1`` to ``ndim``."""
    shape = input._data.shape
    dim = canonical_dim(dim, len(shape) + 1, "unsqueeze")
    t: Tensor = apply(Unsqueeze, input, shape=(*shape[:dim], 1, *shape[dim:]))
    x = input._data
    if not x.flags.c_contiguous:  # a new dimension has a stride all the same
        step = shape[dim] * x.strides[dim] if dim < len(shape) else x.itemsize
        t._data = kernels_of[type(x)].with_strides(t._data, (*x.strides[:dim], step, *x.strides[dim:]))
    return t


# ---------------------------------------------------------------------- other orders


def permute(input: Tensor, dims: Sequence[int]) -> Tensor:
    """The dimensions in the order ``dims``.

    Raises:
        RuntimeError: ``dims`` does not name every dimension once.
    """
    wanted = packed(dims)
    ndim = input._data.ndim
    if len(wanted) != ndim:
        raise ShapeError(
            f"permute: number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(wanted)}"
        )
    dims = tuple([canonical_dim(d, ndim, "permute") for d in wanted])
    if len(set(dims)) != ndim:
        raise ShapeError(f"permute(): duplicate dims are not allowed. Got {list(wanted)}")
    return apply(Permute, input, dims=dims)


permute_method = spread(permute, "dims")


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Dimensions ``dim0`` and ``dim1`` swapped."""
    ndim = input._data.ndim
    i, j = canonical_dim(dim0, ndim, "transpose"), canonical_dim(dim1, ndim, "transpose")
    order = list(range(ndim))
    if ndim:
        order[i], order[j] = j, i
    return apply(Transpose, input, dims=tuple(order))


swapdims = transpose


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """`transpose` by NumPy's name."""
    return transpose(input, axis0, axis1)


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; tensors of fewer dimensions stay as they are.

    Raises:
        RuntimeError: there are more than two dimensions.
    """
    ndim = input._data.ndim
    if ndim > 2:
        kind = "dimensions" if not input.is_sparse else "sparse and 0 dense dimensions"
        raise ShapeError(
            f"t() expects a tensor with <= 2 {kind}, but self is {ndim}D; use transpose(dim0, dim1) or .mT"
        )
    return apply(T, input, dims=tuple(reversed(range(ndim))))


def reversed_dims(input: Tensor) -> Tensor:
    """``x.T``: the dimensions in reverse order."""
    if input._data.ndim not in (0, 2):
        text = (
            "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated. Consider "
            "`x.mT` to transpose batches of matrices or `x.permute(*torch.arange(x.ndim - 1, -1, -1))` to reverse the "
            "dimensions of a tensor."
        )
        doubt_silently(text)
        warn_once(text)
    return apply(Permute, input, dims=tuple(reversed(range(input._data.ndim))))


def matrix_transpose(input: Tensor) -> Tensor:
    """``x.mT``: the last two dimensions swapped; a 0-d tensor stays as it is.

    Raises:
        RuntimeError: there is one dimension only.
    """
    if input._data.ndim == 0:
        return input
    if input._data.ndim < 2:
        raise ShapeError(f"tensor.mT is only supported on matrices or batches of matrices. Got {input._data.ndim}-D.")
    return transpose(input, -2, -1)


def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Dimensions ``source`` moved to the positions ``destination``; the others keep their order.

    Raises:
        RuntimeError: the two name different numbers of dimensions, or one twice.
    """
    ndim = input._data.ndim
    named = packed(source), packed(destination)
    if len(named[0]) != len(named[1]):
        raise ShapeError(
            f"movedim: Invalid source or destination dims: source ({list(named[0])} dims) should contain the same "
            f"number of dims as destination ({list(named[1])} dims)"
        )
    froms, tos = [tuple([canonical_dim(d, ndim, "movedim") for d in dims]) for dims in named]
    for role, dims, found in zip(("source", "destination"), named, (froms, tos), strict=True):
        if len(set(found)) != len(found):
            raise ShapeError(f"movedim: repeated dim in `{role}` ({list(dims)})")
    if not ndim:
        return apply(Permute, input, dims=())
    rest = iter([i for i in range(ndim) if i not in froms])
    at = dict(zip(tos, froms, strict=True))
    return apply(Permute, input, dims=tuple([at[i] if i in at else next(rest) for i in range(ndim)]))


moveaxis = movedim
