"""What ops that move elements mean for sparse operands: transposes, slices, joins, casts, copies."""

from __future__ import annotations

from typing import Any

from ...backends import kernels_of
from ...backends.errors import ArgumentError, DimensionError
from ...backends.sparse import Compressed, Coordinates
from ...backends.sparse.coordinates import chosen_rows
from ..ops.cast import Cast
from ..ops.conversion import ToCopy, transfer
from ..ops.expansion import Expand
from ..ops.gather import IndexSelect
from ..ops.indexing import Alias, Select, Slice, Unsqueezed
from ..ops.join import Cat, Stack, cat_rule
from ..ops.keys import position_of
from ..ops.layout import Clone
from ..ops.shape import Permute, Squeeze, T, Transpose, Unsqueeze, View, permute_rule, reshape_rule
from ..ops.splitting import Split, Unbind
from ..primitive import Identity, apply
from .core import array_of, assemble, elements, is_sparse, pattern_of, take, total, values_of
from .dispatch import on_values, rule, unsupported

# ---------------------------------------------------------------------- the same places


@rule(Cast)
def cast(s: Any, *, dtype: Any) -> Any:
    """Another element type."""
    return on_values(Cast, s, {"dtype": dtype})


@rule(Clone)
def clone(s: Any, *, memory_format: Any) -> Any:
    """A copy with memory of its own."""
    return assemble(apply(Clone, values_of(s), memory_format=memory_format), pattern_of(s).copy())


@rule(Identity, Alias)
def same(s: Any, **params: Any) -> Any:
    """The tensor itself."""
    return assemble(values_of(s), pattern_of(s))


@rule(ToCopy)
def to_copy(s: Any, *, device: Any, non_blocking: bool = False) -> Any:
    """Another device."""
    pattern = pattern_of(s)
    moved = pattern.with_arrays(*[transfer(a, device) for a in pattern.arrays])
    return assemble(apply(ToCopy, values_of(s), device=device), moved)


# ---------------------------------------------------------------------- other orders of dimensions


@rule(Permute, Transpose, T)
def permute(s: Any, *, dims: tuple[int, ...]) -> Any:
    """Sparse dimensions among themselves, dense ones among themselves."""
    pattern = pattern_of(s)
    if isinstance(pattern, Compressed):
        return _permute_compressed(s, pattern, dims)
    n = pattern.sparse_dim
    if any((i < n) != (d < n) for i, d in enumerate(dims)):
        if len(dims) == 2:
            raise ArgumentError(
                f"t() expects a tensor with <= 2 sparse and 0 dense dimensions, but got {n} sparse and "
                f"{pattern.dense_dim} dense dimensions: sparse transpose: transposed dimensions must be sparse "
                f"Got sparse_dim: {n}, d0: 0, d1: 1"
            )
        raise ArgumentError(
            "transpositions between sparse and dense dimensions are not allowed: sparse transpose: transposed "
            "dimensions must be sparse "
            f"Got sparse_dim: {n}, d0: {next(i for i, d in enumerate(dims) if i != d)}, dims: {list(dims)}"
        )
    shape = tuple([pattern.shape[d] for d in dims])
    values = values_of(s)
    if list(dims[n:]) != list(range(n, len(dims))):
        values = permute_rule(values, (0, *[d - n + 1 for d in dims[n:]]))
    in_order = pattern.coalesced and list(dims[:n]) == list(range(n))
    k = kernels_of[type(pattern.indices)]
    indices = pattern.indices if in_order or not n else k.stack([pattern.indices[d] for d in dims[:n]], axis=0)
    return assemble(values, Coordinates(indices, shape, in_order))


def _permute_compressed(s: Any, pattern: Compressed, dims: tuple[int, ...]) -> Any:
    b, n = len(pattern.batch), len(dims)
    if list(dims) == list(range(n)):
        return same(s)
    if list(dims) != [*range(b), b + 1, b, *range(b + 2, n)]:
        raise ArgumentError(
            "transpose(): can only transpose the two sparse dimensions of a tensor with a compressed layout "
            f"(dimensions {b} and {b + 1}), not to the order {list(dims)}"
        )
    values = values_of(s)
    if pattern.blocked:
        order = list(range(array_of(values).ndim))
        order[b + 1], order[b + 2] = b + 2, b + 1
        values = permute_rule(values, tuple(order))
    return assemble(values, pattern.transposed())


@rule(Unsqueeze)
def unsqueeze(s: Any, *, shape: tuple[int, ...]) -> Any:
    """A new dimension of size 1; sparse unless it lies among the dense ones."""
    old = array_of(s).shape
    where = next((d for d, n in enumerate(shape[:-1]) if d >= len(old) or n != old[d]), len(shape) - 1)
    return new_dim(s, where)


@rule(Unsqueezed)
def unsqueezed(s: Any, *, key: tuple[Any, ...]) -> Any:
    """``s[None]``."""
    return sliced(s, key=key)


def new_dim(s: Any, dim: int) -> Any:
    """``s`` with a dimension of size 1 at ``dim``."""
    pattern = _coordinates(s, "unsqueeze")
    shape = (*pattern.shape[:dim], 1, *pattern.shape[dim:])
    n, indices = pattern.sparse_dim, pattern.indices
    if dim > n:
        values = values_of(s)
        old = array_of(values).shape
        return assemble(
            reshape_rule(values, (*old[: dim - n + 1], 1, *old[dim - n + 1 :])), _like(pattern, indices, shape)
        )
    k = kernels_of[type(indices)]
    zero = k.zeros((1, indices.shape[1]), dtype=indices.dtype)
    return assemble(values_of(s), _like(pattern, k.concatenate([indices[:dim], zero, indices[dim:]], axis=0), shape))


def _like(pattern: Coordinates, indices: Any, shape: tuple[int, ...]) -> Coordinates:
    return Coordinates(indices, shape, pattern.coalesced)


@rule(Squeeze)
def squeeze(s: Any, *, shape: tuple[int, ...]) -> Any:
    """Without dimensions of size 1."""
    if shape == array_of(s).shape:
        return same(s)
    pattern = _coordinates(s, "squeeze")
    kept, wanted = [], list(shape)
    for d, n in enumerate(pattern.shape):
        if wanted and n == wanted[0]:
            kept.append(d)
            wanted.pop(0)
    sparse = [d for d in kept if d < pattern.sparse_dim]
    values = reshape_rule(values_of(s), (pattern.nnz, *[pattern.shape[d] for d in kept if d >= pattern.sparse_dim]))
    return assemble(values, _like(pattern, chosen_rows(pattern.indices, sparse), shape))


@rule(View)
def reshape(s: Any, *, shape: tuple[int, ...]) -> Any:
    """Other sizes of the sparse dimensions."""
    if shape == array_of(s).shape:
        return same(s)
    raise ArgumentError("reshape is not implemented for sparse tensors; reshape the values and indices, or to_dense()")


@rule(Expand)
def expand(s: Any, *, shape: tuple[int, ...]) -> Any:
    """Repeated dimensions."""
    if shape == array_of(s).shape:
        return same(s)
    raise ArgumentError("expand is unsupported for Sparse tensors; to_dense() first")


def _coordinates(s: Any, op: str) -> Coordinates:
    pattern = pattern_of(s)
    if not isinstance(pattern, Coordinates):
        raise ArgumentError(f"{op} of a tensor of layout {pattern.layout}: Sparse CSR tensors do not have strides")
    return pattern


# ---------------------------------------------------------------------- some of the elements


@rule(Slice, Select)
def sliced(s: Any, *, key: tuple[Any, ...]) -> Any:
    """Integers, slices, None and Ellipsis, one dimension after the other."""
    ndim = array_of(s).ndim
    taken = sum([k is not None and k is not ... for k in key])
    if taken > ndim:
        raise DimensionError(f"too many indices for tensor of dimension {ndim}")
    dim = 0
    for k in key:
        if k is ...:
            dim = dim + ndim - taken
        elif k is None:
            s = new_dim(s, dim)
            dim += 1
        elif isinstance(k, slice):
            s = cut(s, dim, k)
            dim += 1
        else:
            s = select(s, dim, position_of(k, array_of(s).shape, dim))
    return s


def cut(s: Any, dim: int, part: slice) -> Any:
    """A slice of one dimension."""
    n = array_of(s).shape[dim]
    start, stop, step = part.indices(n)
    size = len(range(start, stop, step))
    if size == n and step == 1:
        return s
    values, where = elements(s)
    shape = (*where.shape[:dim], size, *where.shape[dim + 1 :])
    if dim >= where.sparse_dim:
        inner = (slice(None),) * (dim - where.sparse_dim + 1)
        return assemble(values[(*inner, slice(start, stop, step))], _like(where, where.indices, shape))
    k, row = kernels_of[type(where.indices)], where.indices[dim]
    keep = k.nonzero((row >= start) & (row < stop) & ((row - start) % step == 0))[0]
    indices = k.take(where.indices, keep, axis=1)
    indices[dim] = (indices[dim] - start) // step
    return assemble(take(values, keep), _like(where, indices, shape))


def select(s: Any, dim: int, index: int) -> Any:
    """One position of one dimension; a dense result if no sparse dimension is left."""
    values, where = elements(s)
    index += where.shape[dim] if index < 0 else 0
    shape = where.shape[:dim] + where.shape[dim + 1 :]
    if dim >= where.sparse_dim:
        inner = (slice(None),) * (dim - where.sparse_dim + 1)
        return assemble(values[(*inner, index)], _like(where, where.indices, shape))
    k = kernels_of[type(where.indices)]
    keep = k.nonzero(where.indices[dim] == index)[0]
    rest = [d for d in range(where.sparse_dim) if d != dim]
    found = take(values, keep)
    if not rest:
        return reshape_rule(total(found, k.zeros(keep.shape, dtype="int64"), 1), shape)
    indices = k.take(chosen_rows(where.indices, rest), keep, axis=1)
    return assemble(found, _like(where, indices, shape))


@rule(IndexSelect)
def index_select(s: Any, index: Any, *, dim: int) -> Any:
    """Positions of one dimension, in the order of ``index`` and as often as they occur there."""
    values, where = elements(s)
    at = array_of(index)
    k = kernels_of[type(at)]
    n = where.shape[dim]
    shape = (*where.shape[:dim], at.shape[0], *where.shape[dim + 1 :])
    if at.size and (bool((at < -n).any()) or bool((at >= n).any())):
        raise DimensionError(f"index_select(): index contains a position that is out of range for tensor of size {n}")
    at = k.where(at < 0, at + n, at)
    if dim >= where.sparse_dim:
        return assemble(take(values, at, dim - where.sparse_dim + 1), _like(where, where.indices, shape))
    row = where.indices[dim]
    order = k.argsort(row, kind="stable")
    ordered = k.take(row, order)
    begin = k.searchsorted(ordered, at, side="left")
    counts = k.searchsorted(ordered, at, side="right") - begin
    number = k.numbered(counts)
    before = k.cumsum(counts, axis=0) - counts
    inside = k.arange(number.shape[0], dtype="int64") - k.take(before, number)
    chosen = k.take(order, k.take(begin, number) + inside)
    indices = k.take(where.indices, chosen, axis=1)
    indices[dim] = number
    in_order = where.coalesced and dim == 0
    return assemble(take(values, chosen), Coordinates(indices, shape, in_order))


@rule(Unbind)
def unbind(s: Any, *, dim: int) -> Any:
    """The slices of one dimension."""
    return tuple([select(s, dim, i) for i in range(array_of(s).shape[dim])])


@rule(Split)
def split(s: Any, *, sizes: tuple[int, ...], dim: int) -> Any:
    """Consecutive parts of one dimension."""
    parts, start = [], 0
    for n in sizes:
        parts.append(cut(s, dim, slice(start, start + n)))
        start += n
    return tuple(parts)


# ---------------------------------------------------------------------- joining


@rule(Cat)
def cat(*xs: Any, dim: int) -> Any:
    """Sparse tensors one after another."""
    for i, x in enumerate(xs):
        if not is_sparse(x):
            raise ArgumentError(f"Concatenating sparse tensors, but a dense tensor was found at position {i}.")
    if any(not isinstance(pattern_of(x), Coordinates) for x in xs):
        unsupported("Cat", *[x for x in xs if not isinstance(pattern_of(x), Coordinates)])
    first = pattern_of(xs[0])
    for i, x in enumerate(xs):
        p = pattern_of(x)
        if p.sparse_dim != first.sparse_dim or p.dense_dim != first.dense_dim:
            raise ArgumentError(
                f"All tensors must have the same sparse_dim and dense_dim: {first.sparse_dim}, "
                f"{first.dense_dim}, but tensor at position {i} has {p.sparse_dim}, {p.dense_dim}."
            )
    shape = list(first.shape)
    shape[dim] = sum([array_of(x).shape[dim] for x in xs])
    k = kernels_of[type(first.indices)]
    parts, values, start = [], [], 0
    for x in xs:
        p, n = pattern_of(x), array_of(x).shape[dim]
        indices = p.indices
        if dim < first.sparse_dim:
            indices = indices.copy()
            indices[dim] += start
            values.append(values_of(x))
        else:
            values.append(_padded(values_of(x), dim - first.sparse_dim + 1, start, shape[dim] - start - n))
        parts.append(indices)
        start += n
    return assemble(cat_rule(values, 0), Coordinates(k.concatenate(parts, axis=1), tuple(shape)))


def _padded(values: Any, dim: int, before: int, after: int) -> Any:
    """Values with zeros around them along a dense dimension."""
    from ..ops.indexing import put_rule

    shape = list(array_of(values).shape)
    n = shape[dim]
    shape[dim] = before + n + after
    return put_rule(values, (slice(None),) * dim + (slice(before, before + n),), tuple(shape))


@rule(Stack)
def stack(*xs: Any, dim: int) -> Any:
    """Sparse tensors along a new dimension."""
    for i, x in enumerate(xs):
        if not is_sparse(x):
            raise ArgumentError(f"Concatenating sparse tensors, but a dense tensor was found at position {i}.")
    return cat(*[new_dim(x, dim) for x in xs], dim=dim)
