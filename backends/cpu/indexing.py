"""Positions on the CPU: NumPy checks them itself, and sums at repeated positions are faster sorted or flat."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ..definitions import indexing as plain
from .compiled import compiled

__all__ = [
    "address",
    "broadcast_to",
    "check_positions",
    "diagonal",
    "gather_elements",
    "index_add_",
    "index_get",
    "index_put_",
    "index_select",
    "memory",
    "scatter_",
    "scatter_add_",
    "scatter_extreme_",
    "scatter_prod_",
    "strided",
    "windows",
    "with_strides",
]


def address(x: Any) -> int:
    """Where the first element of ``x`` is in memory."""
    return int(x.__array_interface__["data"][0])


def broadcast_to(x: Any, shape: tuple[int, ...]) -> Any:
    """``x`` expanded to ``shape``, which stays writable where ``x`` is: no elements need share memory."""
    own, lead = x.shape, len(shape) - x.ndim
    if lead >= 0 and all(n in (1, m) for n, m in zip(own, shape[lead:], strict=True)):
        strides = [s if n == m else 0 for n, m, s in zip(own, shape[lead:], x.strides, strict=True)]
        for d in reversed(range(lead)):  # a new dimension of size 1 has a stride all the same
            strides.insert(0, 0 if shape[d] != 1 else shape[d + 1] * strides[0] if strides else x.itemsize)
        if x.flags.c_contiguous:
            return np.ndarray(shape, x.dtype, x, 0, strides)  # 20 times faster than NumPy's function
        owner = _owner(x)
        if owner.flags.c_contiguous:
            return np.ndarray(shape, x.dtype, owner, address(x) - address(owner), strides)
    y = np.broadcast_to(x, shape)
    if x.flags.writeable:
        y.flags.writeable = True
    return y


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """A view of a diagonal, writable where ``x`` is."""
    y = x.diagonal(offset, axis1, axis2)
    if x.flags.writeable:
        y.flags.writeable = True
    return y


def index_get(x: Any, key: tuple[Any, ...]) -> Any:
    """``x[key]``; see the definition. NumPy finds positions that are out of range by itself."""
    try:
        last = key[-1]
        if len(key) > 1 and all(isinstance(k, slice) for k in key[:-1]):
            return x.take(last, len(key) - 1)
        y = x[key]
        return y if y.flags.c_contiguous else y.copy()  # several positions at once come out in another order
    except IndexError:
        plain.check_key(np, x, key)
        raise


def index_put_(x: Any, key: tuple[Any, ...], value: Any, accumulate: bool = False) -> None:
    """``x[key] = value`` or ``x[key] += value``; see the definition."""
    plain.check_key(np, x, key)
    if accumulate:
        dims = [d for d, k in enumerate(key) if not isinstance(k, slice)]
        index, dim = key[dims[0]], dims[0]
        if len(dims) == 1 and index.ndim == 1 and x.ndim > 1:
            index_add_(x, np.where(index < 0, index + x.shape[dim], index), value, dim)
        else:
            flat_add_at(x, key, value)
    else:
        x[key] = value


def check_positions(index: Any, size: int, dim: int, negative: bool = True) -> None:
    """Raise unless all are positions; see the definition."""
    # Where a negative position is wrong too, one pass is enough: read as unsigned numbers, those are large.
    if index.size and (
        (index.min() < -size or index.max() >= size)
        if negative
        else index.view(_UNSIGNED[index.itemsize]).max() >= size
    ):
        plain.check_positions(np, index, size, dim, negative)


_UNSIGNED = {1: np.uint8, 4: np.uint32, 8: np.uint64}


def gather_elements(x: Any, index: Any, dim: int) -> Any:
    """Elements at positions; see the definition."""
    check_positions(index, x.shape[dim], dim, negative=False)
    if not x.flags.c_contiguous:
        return x[plain.open_grid(np, index, dim)]
    return x.reshape(-1).take(_flat_places(index, x.shape, dim))


def _flat_places(index: Any, shape: tuple[int, ...], dim: int) -> Any:
    """Where the elements at positions along ``dim`` are in an array of that shape in C order, flattened."""
    inner = math.prod(shape[dim + 1 :])
    places = index * inner if inner != 1 else index
    steps = _steps_beside(index.shape, shape, dim)
    return places if steps is None else places + steps


@functools.lru_cache(maxsize=64)
def _steps_beside(sizes: tuple[int, ...], shape: tuple[int, ...], dim: int) -> Any:
    """How far along each dimension but ``dim`` leads in the flattened array, or None where that is nowhere."""
    steps: Any = None
    for d, n in enumerate(sizes):
        if d != dim and n > 1:
            along = np.arange(n).reshape([n if i == d else 1 for i in range(len(sizes))]) * math.prod(shape[d + 1 :])
            steps = along if steps is None else steps + along
    return steps


def scatter_(x: Any, index: Any, value: Any, dim: int) -> None:
    """Write elements at positions; see the definition."""
    check_positions(index, x.shape[dim], dim, negative=False)
    if not x.flags.c_contiguous:
        x[plain.open_grid(np, index, dim)] = value
        return
    value = value if value.__class__ is not np.ndarray else np.broadcast_to(value, index.shape).reshape(-1)
    x.reshape(-1)[_flat_places(index, x.shape, dim).reshape(-1)] = value


def index_select(x: Any, index: Any, dim: int) -> Any:
    """Slices of ``x`` at the positions ``index``; see the definition."""
    check_positions(index, x.shape[dim], dim, negative=False)
    return x.take(index, dim)


def index_add_(x: Any, index: Any, value: Any, dim: int) -> None:
    """Add slices at positions; see the definition."""
    check_positions(index, x.shape[dim], dim, negative=False)
    if not index.size or not x.size:
        return
    key = (slice(None),) * dim + (index,)
    if not _adds_flat(x):
        plain.add_at(np, x, key, value)
        return
    rows = np.broadcast_to(value, (*x.shape[:dim], index.size, *x.shape[dim + 1 :]))
    if dim == 0:
        add_rows(x.reshape(len(x), -1), index, rows.reshape(index.size, -1))
    else:
        places = index.reshape(-1, *[1] * (x.ndim - 1 - dim))
        flat_add(x, np.broadcast_to(places, rows.shape), rows, dim)


def add_rows(x: Any, index: Any, rows: Any) -> None:
    """``x[index] += rows`` of a matrix in C order, where positions may repeat.

    Wide rows are added whole, to each position its first, then its second, and so on, while there are few rounds;
    otherwise element by element.
    """
    width = x.shape[1]
    loops = compiled("indexing", rows.size) if x.dtype == rows.dtype and x.dtype.char in "fd" else None
    if loops is not None and index.size and index.min() >= 0 and index.max() < len(x):
        loops.add_rows(x, index, rows)
        return
    if width >= WHOLE and index.size > 1:
        order = index.argsort(kind="stable")
        ordered = index[order]
        starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        counts = np.diff(starts, append=index.size)
        if counts.max() <= ROUNDS:
            for done in range(int(counts.max())):
                left = counts > done
                starts, counts = starts[left], counts[left]
                x[ordered[starts + done]] += rows[order[starts + done]]
            return
    np.add.at(x.reshape(-1), ((index * width)[:, None] + np.arange(width)).reshape(-1), rows.reshape(-1))


WHOLE = 64  # elements from which adding a row at once saves more than sorting costs
ROUNDS = 16  # of adding rows, each with calls of its own


def _adds_flat(x: Any) -> bool:
    """Whether ``ufunc.at`` has its short path for a flat view of ``x``."""
    return bool(x.flags.c_contiguous) and x.dtype.kind in "fc" and x.itemsize != 2


def flat_add(x: Any, index: Any, value: Any, dim: int, combine: Any = np.add) -> None:
    """``x[..., index[i], ...] += value[i]`` along ``dim``, or another ufunc in place of the addition."""
    places = _flat_places(index, x.shape, dim).reshape(-1)
    combine.at(x.reshape(-1), places, np.broadcast_to(np.asarray(value, x.dtype), index.shape).reshape(-1))


def scatter_add_(x: Any, index: Any, value: Any, dim: int) -> None:
    """Add elements at positions; see the definition."""
    check_positions(index, x.shape[dim], dim, negative=False)
    if _adds_flat(x):
        flat_add(x, index, value, dim)
    else:
        plain.add_at(np, x, plain.open_grid(np, index, dim), value)


def scatter_extreme_(x: Any, index: Any, value: Any, dim: int, largest: bool) -> None:
    """As `scatter_`, keeping the largest (or least); see the definition."""
    if not _adds_flat(x) or x.dtype.kind != "f":
        plain.scatter_extreme_(np, x, index, value, dim, largest)
    else:
        check_positions(index, x.shape[dim], dim, negative=False)
        flat_add(x, index, value, dim, np.maximum if largest else np.minimum)


def scatter_prod_(x: Any, index: Any, value: Any, dim: int) -> None:
    """As `scatter_`, multiplying; see the definition."""
    if not _adds_flat(x):
        plain.scatter_prod_(np, x, index, value, dim)
    else:
        check_positions(index, x.shape[dim], dim, negative=False)
        flat_add(x, index, value, dim, np.multiply)


def flat_add_at(x: Any, key: Any, value: Any) -> None:
    """``x[key] += value`` through one flat index, for which ``ufunc.at`` has a short path."""
    if not _adds_flat(x) or any(isinstance(k, slice) for k in key) or len(key) != x.ndim:
        plain.add_at(np, x, key, value)
        return
    shape = np.broadcast_shapes(*(k.shape for k in key))
    flat: Any = 0
    for k, n in zip(key, x.shape, strict=True):
        flat = flat * n + np.where(k < 0, k + n, k)
    flat = np.broadcast_to(flat, shape).reshape(-1)
    values = np.broadcast_to(np.asarray(value, x.dtype), shape).reshape(-1)
    np.add.at(x.reshape(-1), flat, values)


def strided(x: Any, sizes: tuple[int, ...], strides: tuple[int, ...], offset: int) -> Any:
    """The memory that ``x`` is on with any layout: a view; see the definition."""
    return _view(x, sizes, tuple(s * x.itemsize for s in strides), offset * x.itemsize)


def with_strides(x: Any, strides: tuple[int, ...]) -> Any:
    """``x`` with other strides, in bytes, where dimensions have size 1: a view; see the definition."""
    return x if x.strides == strides else _view(x, x.shape, strides, address(x) - address(_owner(x)))


def windows(x: Any, dim: int, size: int, step: int) -> Any:
    """All windows along ``dim``: a view; see the definition."""
    number = (x.shape[dim] - size) // step + 1
    shape = (*x.shape[:dim], number, *x.shape[dim + 1 :], size)
    steps = (*x.strides[:dim], x.strides[dim] * step, *x.strides[dim + 1 :], x.strides[dim])
    return _view(x, shape, steps, address(x) - address(_owner(x)))


def _owner(x: Any) -> Any:
    return x.base if isinstance(x.base, np.ndarray) else x


def memory(x: Any) -> Any:
    """All bytes of the memory that ``x`` is on, 1-d: a view."""
    owner = _owner(x)
    return owner.transpose(sorted(range(owner.ndim), key=lambda i: -owner.strides[i])).reshape(-1).view(np.uint8)


def _view(x: Any, shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> Any:
    """An array on the memory that ``x`` is on, with that memory's owner as its base, as other views have it.

    ``as_strided`` would hide the owner, and then nobody could tell that the two share memory.
    """
    owner = _owner(x)
    ordered = owner.transpose(sorted(range(owner.ndim), key=lambda i: -owner.strides[i]))
    if ordered.flags.c_contiguous:
        flat = ordered.reshape(-1)
    else:  # memory that came from outside, with gaps: only its extent is known
        reach = 1 + sum((n - 1) * s for n, s in zip(owner.shape, owner.strides, strict=True)) // owner.itemsize
        flat = np.lib.stride_tricks.as_strided(owner, (max(reach, 0),), (owner.itemsize,))
    offset = 0 if 0 in shape else offset  # nothing is read then, wherever it would begin
    return np.ndarray(shape, x.dtype, buffer=flat.view(np.uint8), offset=offset, strides=strides)
