"""Views by strides: sliding windows, and any sizes and strides over a tensor's memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...backends.batched import BatchedArray, BatchError
from ...backends.errors import ShapeError
from ..primitive import Primitive, apply
from .dims import canonical_dim, sizes_of
from .gather import IndexSelectAdjoint
from .layout import storage_offset, stride
from .shape import permute_rule, reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


class Unfold(Primitive):
    """All windows of ``size`` elements of ``dim``, ``step`` apart; the window becomes the last dimension."""

    view = True

    @staticmethod
    def forward(ctx: Any, x: Any, *, dim: int, size: int, step: int) -> Any:
        ctx.info = x.shape
        return ctx.k.windows(x, dim, size, step)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        shape, dim, size, step = ctx.info, *[ctx.params[name] for name in ("dim", "size", "step")]
        number = g.shape[dim]
        k = ctx.k
        # Put the window behind its dimension again, and add each of its elements where it came from.
        rest = range(dim + 1, len(shape))
        side_by_side = permute_rule(g, (*range(dim + 1), len(shape), *rest))
        flat = reshape_rule(side_by_side, (*shape[:dim], number * size, *shape[dim + 1 :]))
        positions = (k.arange(number).reshape(-1, 1) * step + k.arange(size)).reshape(-1)
        return apply(IndexSelectAdjoint, flat, positions, dim=dim, shape=shape)


class AsStrided(Primitive):
    """The memory of ``x`` read with other sizes, strides and offset: a view."""

    view = True

    @staticmethod
    def forward(ctx: Any, x: Any, *, to: Any, memory: Any) -> Any:
        ctx.info = memory
        source, count = memory
        if not _lies(ctx.k, x, source, count):  # a gradient, say: read it as if it lay as the tensor did
            laid = ctx.k.zeros((count,), dtype=x.dtype)
            laid[ctx.k.stride_positions(*source)] = x
            x = laid
        return ctx.k.strided(x, *to)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        source, count = ctx.info
        shared = source if _overlaps(*source[:2]) else None
        return apply(Restride, g, source=ctx.params["to"], target=source, count=count, shared=shared)


def _lies(k: Any, x: Any, layout: Any, count: int) -> bool:
    """Whether an array has the layout (sizes, strides, offset) in memory of ``count`` elements."""
    sizes, strides, offset = layout
    if isinstance(x, BatchedArray):  # offsets count from where the example begins
        same = [n <= 1 or s * x.itemsize == own for n, s, own in zip(sizes, strides, x.strides, strict=True)]
        return x.shape == sizes and all(same)
    owner = x if x.base is None or not hasattr(x.base, "nbytes") else x.base
    if x.shape != sizes or count * x.itemsize > _extent(owner):
        return False
    if any(n > 1 and s * x.itemsize != own for n, s, own in zip(sizes, strides, x.strides, strict=True)):
        return False
    return bool(k.address(x) - k.address(owner) == offset * x.itemsize)


def _extent(owner: Any) -> int:
    """How many bytes an array that owns its memory reaches over."""
    length = sum([(n - 1) * s for n, s in zip(owner.shape, owner.strides, strict=True)]) + owner.itemsize
    return max(length, owner.nbytes) if owner.size else 0


def _overlaps(sizes: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Whether several elements of a layout may share a place in memory, as those of an expanded tensor do."""
    reach = 0
    for s, n in sorted([(s, n) for s, n in zip(strides, sizes, strict=True) if n > 1]):
        if s <= reach:
            return True
        reach += (n - 1) * s
    return False


class Restride(Primitive):
    """``x`` added into ``count`` zeros with the layout ``source``, then read with the layout ``target``.

    A layout is (sizes, strides, offset). Exchanging the two layouts gives the adjoint. What a place in memory holds is
    divided by the number of elements of the layout ``shared`` that are there, so that they share a gradient.
    """

    @staticmethod
    def forward(ctx: Any, x: Any, *, source: Any, target: Any, count: int, shared: Any = None) -> Any:
        memory = ctx.k.zeros((count,), dtype=x.dtype)
        ctx.k.index_put_(memory, (ctx.k.stride_positions(*source),), x, accumulate=True)
        if shared is not None:
            positions = ctx.k.stride_positions(*shared).reshape(-1)
            memory = (memory / ctx.k.bincount(positions, None, count).clip(1)).astype(x.dtype)
        return memory[ctx.k.stride_positions(*target)]

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        p = ctx.params
        return apply(Restride, g, **{**p, "source": p["target"], "target": p["source"]})


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of ``size`` elements along ``dimension``, ``step`` apart: a view whose last dimension is the window.

    Raises:
        RuntimeError: the window is larger than the dimension, or the step is not positive.

    Example:
        >>> import wengert as wg
        >>> wg.arange(4).unfold(0, 2, 1)
        tensor([[0, 1],
                [1, 2],
                [2, 3]])
    """
    shape = input._data.shape
    dim = canonical_dim(dimension, len(shape), "unfold")
    n = shape[dim] if shape else 1
    if not 0 <= size <= n:
        raise ShapeError(f"unfold: maximum size for tensor at dimension {dim} is {n} but size is {size}")
    if step <= 0:
        raise ShapeError(f"unfold: step is {step} but must be > 0")
    if not shape:
        return reshape_rule(input, (1,))[:size]
    return apply(Unfold, input, dim=dim, size=int(size), step=int(step))


def as_strided(input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None) -> Tensor:
    """A view of the tensor's memory with any sizes and strides; both, and the offset, count elements.

    Args:
        input: any shape.
        size: the sizes.
        stride: the strides, not negative.
        storage_offset: where it begins in the memory; where ``input`` begins unless told.

    Raises:
        RuntimeError: it would reach outside the memory.
    """
    sizes, steps = sizes_of("as_strided", size), sizes_of("as_strided", stride)
    if len(sizes) != len(steps):
        raise ShapeError(
            f"mismatch in length of strides and shape: {list(steps)} for {list(sizes)}; as_strided: size and stride "
            "must have the same length"
        )
    if any(s < 0 for s in steps):
        raise ShapeError(f"as_strided: Negative strides are not supported at the moment, got strides: {list(steps)}")
    if isinstance(input._data, BatchedArray):
        return _of_example(input, sizes, steps, storage_offset)
    own = _offset(input)
    offset = own if storage_offset is None else storage_offset
    if offset < 0:
        raise ShapeError(f"as_strided: Tensor: invalid storage offset {offset}")
    x = input._data
    owner = x if x.base is None or not hasattr(x.base, "nbytes") else x.base
    count = _extent(owner) // x.itemsize
    reach = offset + sum([(n - 1) * s for n, s in zip(sizes, steps, strict=True)]) + 1
    if 0 not in sizes and reach > count:
        raise ShapeError(
            f"setStorage: sizes {list(sizes)}, strides {list(steps)}, storage offset {offset}, and itemsize "
            f"{x.itemsize} requiring a storage size of {reach * x.itemsize} are out of bounds for storage of size "
            f"{count * x.itemsize}"
        )
    return apply(AsStrided, input, to=(sizes, steps, offset), memory=((x.shape, _stride(input), own), count))


def _of_example(input: Any, sizes: tuple[int, ...], steps: tuple[int, ...], storage_offset: int | None) -> Any:
    """The same of one of a batch: strides are those in the memory of all examples, offsets are the first example's.

    Raises:
        RuntimeError: it would reach outside the example.
    """
    own, shape, places = _offset(input), input._data.shape, _stride(input)
    start = 0 if storage_offset is None else storage_offset - own
    last = sum([(n - 1) * s for n, s in zip(shape, places, strict=True)])
    reach = start + sum([(n - 1) * s for n, s in zip(sizes, steps, strict=True)])
    if 0 not in sizes and (start < 0 or reach > last or 0 in shape):
        raise BatchError(
            f"vmap: as_strided of sizes {list(sizes)}, strides {list(steps)} and storage offset {own + start} reads "
            f"memory outside of the example, which lies from {own} to {own + last}. This is not supported inside of "
            "vmap; take the strides from x.stride(), or use unfold(), expand() or slices"
        )
    return apply(AsStrided, input, to=(sizes, steps, start), memory=((shape, places, 0), last + 1))


_offset, _stride = storage_offset, stride
