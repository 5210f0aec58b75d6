"""Reading and writing at integer positions: gather, scatter and their kin.

Array libraries disagree about positions that are out of range (CuPy wraps around in silence), so every kernel here
checks its positions before it reads or writes anything. Sums of 16-bit floats are made in float32.
"""

from __future__ import annotations

from typing import Any

from ..errors import OutOfRangeError

__all__ = [
    "address",
    "check_positions",
    "compact",
    "diagonal",
    "gather_elements",
    "index_add_",
    "index_copy_",
    "index_get",
    "index_put_",
    "index_select",
    "memory",
    "scatter_",
    "scatter_add_",
    "scatter_extreme_",
    "scatter_prod_",
    "scatter_rounds",
    "stride_positions",
    "strided",
    "triangle",
    "windows",
    "with_strides",
]


def address(xp: Any, x: Any) -> int:
    """Where the first element of ``x`` is in memory."""
    return int(x.data.ptr)


def check_positions(xp: Any, index: Any, size: int, dim: int, negative: bool = True) -> None:
    """Raise `OutOfRangeError` unless all of ``index`` are positions of a dimension with ``size`` elements.

    Args:
        xp: the array namespace.
        index: integer array.
        size: elements in dimension ``dim``.
        dim: for the message.
        negative: whether positions may count from the end.
    """
    if not index.size:
        return
    wrong = (index < (-size if negative else 0)) | (index >= size)
    if bool(wrong.any()):
        first = int(index.reshape(-1)[xp.argmax(wrong.reshape(-1))])
        where = "" if negative else "index out of range in self: "
        raise OutOfRangeError(f"{where}index {first} is out of bounds for dimension {dim} with size {size}")


def check_key(xp: Any, x: Any, key: tuple[Any, ...]) -> None:
    for dim, index in enumerate(key):
        if not isinstance(index, slice):
            check_positions(xp, index, x.shape[dim], dim)


def compact(xp: Any, x: Any) -> Any:
    """A copy in C order."""
    return x.copy("C")


def index_get(xp: Any, x: Any, key: tuple[Any, ...]) -> Any:
    """``x[key]``, where ``key`` has one integer array or ``slice(None)`` for each of the first dimensions."""
    check_key(xp, x, key)
    return x[key]


def index_put_(xp: Any, x: Any, key: tuple[Any, ...], value: Any, accumulate: bool = False) -> None:
    """``x[key] = value``, or ``x[key] += value`` with every occurrence of a position counted; see `index_get`."""
    check_key(xp, x, key)
    if accumulate:
        add_at(xp, x, key, value)
    else:
        x[key] = value


def add_at(xp: Any, x: Any, key: Any, value: Any) -> None:
    """``x[key] += value`` with repeated positions added up. Atomic adds exist for wide types only."""
    if x.dtype.kind == "c":
        parts = xp.asarray(value, dtype=x.dtype)
        xp.add.at(x.real, key, parts.real)
        xp.add.at(x.imag, key, parts.imag)
        return
    if x.dtype.kind == "f" and x.dtype.itemsize > 2:
        xp.add.at(x, key, value)
        return
    wide = x.astype("int64" if x.dtype.kind in "biu" else "float32")
    xp.add.at(wide, key, xp.asarray(value).astype(wide.dtype))
    x[...] = wide.astype(x.dtype)


def index_select(xp: Any, x: Any, index: Any, dim: int) -> Any:
    """The slices of ``x`` at the positions ``index``, shape (n,), of dimension ``dim``."""
    check_positions(xp, index, x.shape[dim], dim, negative=False)
    return xp.take(x, index, axis=dim)


def index_add_(xp: Any, x: Any, index: Any, value: Any, dim: int) -> None:
    """Add slice ``i`` of ``value`` to slice ``index[i]`` of ``x``, along ``dim``."""
    check_positions(xp, index, x.shape[dim], dim, negative=False)
    add_at(xp, x, (slice(None),) * dim + (index,), value)


def index_copy_(xp: Any, x: Any, index: Any, value: Any, dim: int) -> None:
    """Write slice ``i`` of ``value`` (or one number) to slice ``index[i]`` of ``x``, along ``dim``."""
    check_positions(xp, index, x.shape[dim], dim, negative=False)
    x[(slice(None),) * dim + (index,)] = value


def along(xp: Any, x: Any, index: Any, dim: int) -> tuple[Any, ...]:
    """The key that reads, for each position of ``index``, the element of ``x`` there but at ``index`` in ``dim``."""
    check_positions(xp, index, x.shape[dim], dim, negative=False)
    return open_grid(xp, index, dim)


def open_grid(xp: Any, index: Any, dim: int) -> tuple[Any, ...]:
    """``index`` for dimension ``dim``, and for every other one the numbers of its positions, to broadcast with it."""
    ndim = index.ndim
    return tuple(
        index if d == dim else xp.arange(n).reshape((1,) * d + (n,) + (1,) * (ndim - d - 1))
        for d, n in enumerate(index.shape)
    )


def gather_elements(xp: Any, x: Any, index: Any, dim: int) -> Any:
    """``out[i][j][k] = x[index[i][j][k]][j][k]`` for ``dim`` 0, and so on; ``index`` may be smaller than ``x``."""
    return x[along(xp, x, index, dim)]


def scatter_(xp: Any, x: Any, index: Any, value: Any, dim: int) -> None:
    """``x[index[i][j][k]][j][k] = value[i][j][k]`` for ``dim`` 0: the writing form of `gather_elements`."""
    x[along(xp, x, index, dim)] = value


def scatter_add_(xp: Any, x: Any, index: Any, value: Any, dim: int) -> None:
    """As `scatter_`, adding to what is there; repeated positions add up."""
    add_at(xp, x, along(xp, x, index, dim), value)


def scatter_extreme_(xp: Any, x: Any, index: Any, value: Any, dim: int, largest: bool) -> None:
    """As `scatter_`, keeping the largest (or least) of what is there and what comes."""
    choose = xp.maximum if largest else xp.minimum
    combine_at(xp, x, along(xp, x, index, dim), value, choose)


def scatter_prod_(xp: Any, x: Any, index: Any, value: Any, dim: int) -> None:
    """As `scatter_`, multiplying what is there by what comes."""
    combine_at(xp, x, along(xp, x, index, dim), value, xp.multiply)


def combine_at(xp: Any, x: Any, key: tuple[Any, ...], value: Any, combine: Any) -> None:
    """``x[key] = combine(x[key], value)`` for repeated positions too."""
    positions, rounds = _rounds(xp, key, x.shape)
    values = xp.broadcast_to(value, xp.broadcast_shapes(*[k.shape for k in key])).reshape(-1)
    memory = x.reshape(-1).copy()
    for now in rounds:
        at = positions[now]
        memory[at] = combine(memory[at], values[now])
    x[...] = memory.reshape(x.shape)


def scatter_rounds(xp: Any, index: Any, shape: tuple[int, ...], dim: int) -> Any:
    """The flat positions that ``index`` names in a tensor of ``shape``, and rounds that name each of them once.

    Returns:
        ``(positions, rounds)``: shape (n,), int64, and a list of arrays of indices into it.
    """
    return _rounds(xp, along(xp, xp.empty(shape, dtype=bool), index, dim), shape)


def _rounds(xp: Any, key: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    flat = xp.zeros(xp.broadcast_shapes(*[k.shape for k in key]), dtype="int64")
    for k, n in zip(key, shape, strict=True):
        flat = flat * n + k
    flat = flat.reshape(-1)
    order = xp.argsort(flat, kind="stable")
    ordered = flat[order]
    number = xp.arange(flat.size) - xp.searchsorted(ordered, ordered, side="left")  # how often it was named before
    count = int(number.max()) + 1 if flat.size else 0
    return flat, [order[xp.nonzero(number == r)[0]] for r in range(count)]


def triangle(xp: Any, x: Any, offset: int, upper: bool) -> Any:
    """The matrices of ``x``, with zeros above (or, if ``upper``, below) the diagonal ``offset``."""
    rows, columns = x.shape[-2:]
    distance = xp.arange(columns) - xp.arange(rows).reshape(rows, 1)
    keep = distance >= offset if upper else distance <= offset
    return xp.where(keep, x, xp.zeros((), dtype=x.dtype))


def diagonal(xp: Any, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """A view of the elements ``[i, i + offset]`` of two dimensions, as a last dimension."""
    return x.diagonal(offset, axis1, axis2)


def memory(xp: Any, x: Any) -> Any:
    """All bytes of the memory that ``x`` is on, 1-d."""
    owner = x if x.base is None else x.base
    return owner.reshape(-1).view("uint8")


def with_strides(xp: Any, x: Any, strides: tuple[int, ...]) -> Any:
    """``x`` with other strides, in bytes, where dimensions have size 1; here as it is, since no element moves."""
    return x


def windows(xp: Any, x: Any, dim: int, size: int, step: int) -> Any:
    """All windows of ``size`` elements along ``dim``, ``step`` apart, as a last dimension; here as a copy."""
    number = (x.shape[dim] - size) // step + 1
    positions = xp.arange(number).reshape(number, 1) * step + xp.arange(size)
    return xp.moveaxis(x[(slice(None),) * dim + (positions,)], dim + 1, -1)


def stride_positions(xp: Any, sizes: tuple[int, ...], strides: tuple[int, ...], offset: int) -> Any:
    """Where in memory each element of a layout is, counted in elements."""
    positions = xp.full((), offset, dtype="int64")
    for d, (n, s) in enumerate(zip(sizes, strides, strict=True)):
        positions = positions + (xp.arange(n) * s).reshape((n,) + (1,) * (len(sizes) - d - 1))
    return positions


def strided(xp: Any, x: Any, sizes: tuple[int, ...], strides: tuple[int, ...], offset: int) -> Any:
    """The memory that ``x`` is on, read with any layout; here as a copy."""
    owner = x if x.base is None else x.base
    flat = owner.reshape(-1).view(x.dtype)
    return flat[stride_positions(xp, sizes, strides, offset)]
