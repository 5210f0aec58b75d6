"""Elements in other places: reversed, rotated, repeated.

Padding is in ``padding.py``; views of the same elements in another shape are in ``shape.py``.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.batched import any_in
from ...backends.errors import DimensionError, DTypeError, ShapeError, UnsupportedDTypeError
from ..base import TensorBase, wrap
from ..primitive import Primitive, apply
from .complex import conj
from .data import as_tensor
from .dims import canonical_dim, canonical_dims, numpy_names, packed, sizes_of, spread
from .expansion import expand_rule
from .layout import clone, contiguous_format
from .reduction import sum_rule
from .shape import matrix_transpose, permute_rule, reshape_rule
from .slices import index_select

if TYPE_CHECKING:
    from ..tensor import Tensor

_FULL = slice(None)


class Flip(Primitive):
    """``x`` reversed along ``dims``."""

    layout = "operands"

    @staticmethod
    def forward(ctx: Any, x: Any, *, dims: tuple[int, ...]) -> Any:
        return ctx.k.compact(x[tuple([slice(None, None, -1) if d in dims else _FULL for d in range(x.ndim)])])

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(Flip, g, dims=ctx.params["dims"])


class Roll(Primitive):
    """``x`` moved by ``shifts`` along ``dims``; what leaves at one end comes in at the other."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, shifts: tuple[int, ...], dims: tuple[int, ...]) -> Any:
        return ctx.k.roll(x, shifts, dims)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(Roll, g, shifts=tuple([-s for s in ctx.params["shifts"]]), dims=ctx.params["dims"])


class Repeat(Primitive):
    """``x`` laid side by side with itself, ``sizes`` times along each dimension."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, sizes: tuple[int, ...]) -> Any:
        ctx.info = (1,) * (len(sizes) - x.ndim) + x.shape
        return ctx.k.tile(x, sizes)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        pairs = zip(ctx.params["sizes"], ctx.info, strict=True)
        apart = reshape_rule(g, tuple(itertools.chain.from_iterable(pairs)))
        return sum_rule(apart, tuple(range(0, 2 * len(ctx.info), 2)))


# ---------------------------------------------------------------------- reversed and rotated


def flip(input: Tensor, dims: Any) -> Tensor:
    """A copy with the order of elements reversed along ``dims``."""
    return apply(Flip, input, dims=canonical_dims(dims if dims is not None else (), input._data.ndim, "flip"))


flip_method = spread(flip, "dims")


def fliplr(input: Tensor) -> Tensor:
    """`flip` of dimension 1.

    Raises:
        RuntimeError: there are fewer than two dimensions.
    """
    if input._data.ndim < 2:
        raise ShapeError(f"fliplr: Input must be >= 2-d, got shape {list(input._data.shape)}")
    return flip(input, (1,))


def flipud(input: Tensor) -> Tensor:
    """`flip` of dimension 0.

    Raises:
        RuntimeError: the tensor is 0-d.
    """
    if input._data.ndim < 1:
        raise ShapeError("flipud: Input must be >= 1-d, got a 0-d tensor")
    return flip(input, (0,))


def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Moved by ``shifts`` along ``dims``, with what leaves at one end coming in at the other.

    Args:
        input: any shape.
        shifts: an integer, or one for each of ``dims``.
        dims: the dimensions; without them, the flattened tensor is rolled.

    Raises:
        RuntimeError: there are not as many shifts as dimensions.

    Example:
        >>> import wengert as wg
        >>> wg.roll(wg.arange(4), 1)
        tensor([3, 0, 1, 2])
    """
    steps = sizes_of("roll", shifts)
    if not steps:
        raise ShapeError("roll: `shifts` required")
    shape = input._data.shape
    if dims is None or dims == ():
        if len(steps) != 1:
            raise ShapeError(f"roll: shifts and dimensions must align. shifts: {len(steps)}, dims:0")
        flat = reshape_rule(input, (input._data.size,))
        return reshape_rule(apply(Roll, flat, shifts=steps, dims=(0,)), shape)
    if not shape:
        raise DimensionError(f"roll: Dimension specified as {packed(dims)[0]} but tensor has no dimensions")
    axes = tuple([canonical_dim(d, len(shape), "roll") for d in packed(dims)])
    if len(axes) != len(steps):
        raise ShapeError(f"roll: shifts and dimensions must align. shifts: {len(steps)}, dims:{len(axes)}")
    return apply(Roll, input, shifts=steps, dims=axes)


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Turned by ``k`` quarters in the plane of two dimensions, from the first towards the second.

    Raises:
        RuntimeError: the dimensions are not two, or are the same.
    """
    ndim = input._data.ndim
    if len(dims) != 2:
        raise ShapeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if ndim < 2:
        raise ShapeError(f"expected total dims >= 2, but got total dims = {ndim}")
    a, b = [canonical_dim(d, ndim, "rot90") for d in dims]
    if a == b:
        raise ShapeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    if k % 4 == 0:
        return clone(input)
    if k % 4 == 2:
        return flip(input, (a, b))
    order = list(range(ndim))
    order[a], order[b] = b, a
    if k % 4 == 1:
        return permute_rule(flip(input, (b,)), tuple(order))
    return permute_rule(flip(input, (a,)), tuple(order))


def adjoint(input: Tensor) -> Tensor:
    """The last two dimensions swapped, and the conjugate taken of complex numbers.

    Raises:
        RuntimeError: there are fewer than two dimensions.
    """
    y = matrix_transpose(input)
    return conj(y) if input._data.dtype.kind == "c" else y


def hermitian_transpose(input: Tensor) -> Tensor:
    """``x.H``: `adjoint` of a matrix.

    Raises:
        RuntimeError: it has not two dimensions.
    """
    if not input._data.ndim:
        return conj(input) if input._data.dtype.kind == "c" else input
    if input._data.ndim != 2:
        raise ShapeError(
            f"tensor.H is only supported on matrices (2-D tensors). Got {input._data.ndim}-D tensor. For batches of "
            "matrices, consider using tensor.mH"
        )
    return adjoint(input)


# ---------------------------------------------------------------------- repeated


def repeat(input: Tensor, repeats: Any) -> Tensor:
    """Laid side by side with itself, ``repeats`` times along each dimension; new ones come first.

    Raises:
        RuntimeError: there are fewer numbers than dimensions, or one is negative.

    Example:
        >>> import wengert as wg
        >>> wg.tensor([1, 2]).repeat(2, 2)
        tensor([[1, 2, 1, 2],
                [1, 2, 1, 2]])
    """
    sizes = sizes_of("repeat", repeats)
    if len(sizes) < input._data.ndim:
        raise ShapeError(
            f"Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: "
            f"{list(sizes)} for shape {list(input._data.shape)}"
        )
    if any(n < 0 for n in sizes):
        raise ShapeError(f"repeat: Trying to create tensor with negative dimension: {list(sizes)}")
    return apply(Repeat, input, sizes=sizes)


repeat_method = spread(repeat, "repeats")


def tile(input: Tensor, dims: Any) -> Tensor:
    """`repeat`, where missing numbers in front are 1."""
    sizes = sizes_of("tile", dims)
    return repeat(input, (1,) * (input._data.ndim - len(sizes)) + sizes)


tile_method = spread(tile, "dims")


@numpy_names
def repeat_interleave(input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: Any = None) -> Tensor:
    """Each element (or slice of ``dim``) repeated, one after another.

    Args:
        input: any shape; with no ``repeats``, the counts, and the result is positions.
        repeats: an integer, or one for each element along ``dim`` as an integer tensor.
        dim: the dimension; the flattened tensor without it.
        output_size: how many there are in the result, which is checked.

    Raises:
        RuntimeError: a count is negative, or there are not as many as elements.

    Example:
        >>> import wengert as wg
        >>> wg.repeat_interleave(wg.tensor([1, 2]), wg.tensor([1, 2]))
        tensor([1, 2, 2])
    """
    if repeats is None:
        if input._data.ndim != 1:
            raise ShapeError(f"repeat_interleave only accept 1D vector as repeat, got shape {list(input._data.shape)}")
        y: Any = wrap(_repeated_positions(input._data, None).astype(input._data.dtype))
        _check_total(output_size, y._data.size)
        return y
    if dim is None:
        input, dim = reshape_rule(input, (input._data.size,)), 0
    dim = canonical_dim(dim, input._data.ndim, "repeat_interleave")
    if not input._data.ndim:
        input = reshape_rule(input, (1,))
    if isinstance(repeats, TensorBase | list | tuple):
        counts: Any = as_tensor(repeats, device=input.device)
        positions = _repeated_positions(counts._data, input._data.shape[dim])
        _check_total(output_size, positions.size)
        return index_select(input, dim, wrap(positions))
    if repeats < 0:
        raise ShapeError(f"repeat_interleave: Repeats must be non-negative, got {repeats}")
    shape = input._data.shape
    apart = reshape_rule(input, (*shape[: dim + 1], 1, *shape[dim + 1 :]))
    wide = expand_rule(apart, (*shape[: dim + 1], repeats, *shape[dim + 1 :]))
    solid = clone(wide, memory_format=contiguous_format)
    return reshape_rule(solid, (*shape[:dim], shape[dim] * repeats, *shape[dim + 1 :]))


def _check_total(wanted: Any, found: int) -> None:
    if wanted is not None and wanted != found:
        raise ShapeError(f"repeat_interleave: allocated size does not match required size: {wanted} is not {found}")


def _repeated_positions(counts: Any, size: int | None) -> Any:
    """Position ``i`` as often as ``counts[i]`` says."""
    k = kernels_of[type(counts)]
    if counts.dtype.kind not in "iu":
        raise UnsupportedDTypeError(
            f'"repeat_interleave_cpu" not implemented: repeats has to be Long or Int tensor, got {counts.dtype.name}'
        )
    if counts.ndim > 1:
        raise ShapeError("repeat_interleave: repeats must be 0-dim or 1-dim tensor")
    if counts.size and any_in(counts < 0):
        raise ShapeError("repeat_interleave: repeats can not be negative")
    if size is not None:
        if counts.size == 1:
            counts = k.broadcast_to(counts.reshape(1), (size,))
        if counts.size != size:
            raise ShapeError(
                f"repeat_interleave: repeats must have the same size as input along dim, but got repeats.size(0) = "
                f"{counts.size} and input.size(dim) = {size}"
            )
    ends = k.cumsum(counts.astype("int64"), axis=0)
    total = int(ends[-1]) if ends.size else 0
    return k.searchsorted(ends, k.arange(total), side="right").astype("int64")


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Coordinates of a grid: each 1-d tensor expanded over the dimensions of the others.

    Args:
        tensors: 0-d or 1-d, one by one or as a sequence.
        indexing: ``"ij"`` (with a warning if it is not said): the first tensor runs along dimension 0;
            ``"xy"``: along dimension 1.

    Raises:
        RuntimeError: a tensor has more dimensions, or ``indexing`` is something else.
    """
    several = list(tensors[0] if len(tensors) == 1 and not isinstance(tensors[0], TensorBase) else tensors)
    if not several:
        raise ShapeError("meshgrid expects a non-empty TensorList")
    if indexing is None:
        warnings.warn(
            "meshgrid: in an upcoming release, it will be required to pass the indexing argument.", stacklevel=2
        )
        indexing = "ij"
    if indexing not in ("ij", "xy"):
        raise ShapeError(f'meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    if any(x._data.ndim > 1 for x in several):
        raise ShapeError("meshgrid: Expected 0D or 1D tensor in the tensor list")
    if len({x._data.dtype for x in several}) > 1:
        raise DTypeError("meshgrid expects all tensors to have the same dtype")
    swap = indexing == "xy" and len(several) > 1
    if swap:
        several[0], several[1] = several[1], several[0]
    shape = tuple([x._data.size for x in several])
    grids = []
    for i, x in enumerate(several):
        grid = expand_rule(reshape_rule(x, (1,) * i + (x._data.size,) + (1,) * (len(shape) - i - 1)), shape)
        grids.append(grid)
    if swap:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All combinations of one element of each 1-d tensor, as rows."""
    from .join import stack

    for x in tensors:
        if x._data.ndim != 1:
            raise ShapeError(f"cartesian_prod: Expect a 1D vector, but got shape {list(x._data.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    return stack([reshape_rule(g, (g._data.size,)) for g in meshgrid(*tensors, indexing="ij")], 1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All ways to take ``r`` elements of a 1-d tensor, in order, as rows."""
    if input._data.ndim != 1:
        raise ShapeError(f"combinations: Expect a 1D vector, but got shape {list(input._data.shape)}")
    if r < 0:
        raise ShapeError(f"combinations: Expect a non-negative number, but got {r}")
    if not r:
        return input[:0]
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = list(choose(range(input._data.size), r))
    if not rows:
        return input[0:0].reshape(0, r)
    return input[as_tensor(rows, device=input.device)]
