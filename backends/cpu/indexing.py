"""Positions on the CPU: NumPy checks them itself, and sums at repeated positions are faster sorted or flat."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ..definitions import indexing as plain
from . import threads
from .addresses import address
from .compiled import SHARED, compiled, over, pieces, together
from .moves import MANY, copied

__all__ = [
    "address",
    "bincount",
    "broadcast_to",
    "check_positions",
    "diagonal",
    "gather_elements",
    "index_add_",
    "index_get",
    "index_put_",
    "index_select",
    "memory",
    "nonzero",
    "scatter_",
    "scatter_add_",
    "scatter_extreme_",
    "scatter_prod_",
    "strided",
    "windows",
    "with_strides",
]


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
        if last.__class__ is np.ndarray and all(isinstance(k, slice) for k in key[:-1]):
            y = _taken(x, last, len(key) - 1, True)
            if y is not None or len(key) > 1:
                return x.take(last, len(key) - 1) if y is None else y
        if (places := _flat_key(x, key)) is not None:
            return _taken(x.reshape(-1, *x.shape[len(key) :]), places, 0, False)
        y = x[key]
        return y if y.flags.c_contiguous else y.copy()  # several positions at once come out in another order
    except IndexError:
        plain.check_key(np, x, key)
        raise


def _flat_key(x: Any, key: tuple[Any, ...]) -> Any:
    """The positions that several integer arrays mean in the first dimensions of ``x`` as one; None for NumPy to do it.

    Raises:
        OutOfRangeError: one is out of range.
    """
    first = key[0]
    if not x.flags.carray or first.__class__ is not np.ndarray or first.size < LEAST or not x.size:
        return None
    if any(k.__class__ is not np.ndarray or k.dtype != np.int64 or k.shape != first.shape for k in key):
        return None
    inner = math.prod(x.shape[len(key) :])
    fits = x.itemsize in BITS if inner == 1 else inner * x.itemsize >= RUN
    if x.dtype.hasobject or not fits or (loops := compiled("indexing", first.size)) is None:
        return None
    places, wrong = np.zeros(first.shape, np.int64), np.zeros(1, np.int8)
    for k, size in zip(key, x.shape, strict=False):
        over(loops.flatten, k.size, 2, copied(k).reshape(-1), size, places.reshape(-1), wrong)
    if wrong[0]:
        plain.check_key(np, x, key)
    return places


def nonzero(x: Any) -> tuple[Any, ...]:
    """``np.nonzero``, which is fast in one dimension; a compiled loop tells of more what it has found there."""
    loops = compiled("indexing", x.size, LEAST) if x.ndim > 1 and x.dtype.kind in "biuf" and x.size >= LEAST else None
    if loops is None:
        return np.nonzero(x)
    places = np.nonzero(copied(x if x.dtype.kind == "b" else x != 0).reshape(-1))[0]
    out = np.empty((x.ndim, places.size), np.int64)
    over(loops.unravel, places.size, x.ndim, places, np.array(x.shape), out)
    return tuple(out)


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
    if index.size >= MANY and index.flags.c_contiguous and (loops := compiled("indexing", index.size)) is not None:
        wrong = np.zeros(1, np.int8)
        over(loops.outside, index.size, 1, index.reshape(-1), -size if negative else 0, size, wrong)
        if wrong[0]:
            plain.check_positions(np, index, size, dim, negative)
        return
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
    if (y := _gathered(x, index, dim)) is not None:
        return y
    check_positions(index, x.shape[dim], dim, negative=False)
    if not x.flags.c_contiguous:
        return x[plain.open_grid(np, index, dim)]
    return x.reshape(-1).take(_flat_places(index, x.shape, dim))


def _gathered(x: Any, index: Any, dim: int) -> Any:
    """`gather_elements` compiled, or None."""
    loops = _loops(x, index, dim, index.size)
    if loops is None:
        return None
    y, wrong = np.empty(index.shape, x.dtype), np.zeros(1, np.int8)
    sizes = _blocks(x.shape, index.shape, dim)
    if sizes[2] == 1:
        over(loops.gather, index.size, 1, *_flat(2, sizes, x, index, y), wrong)
    else:
        over(loops.gather_across, sizes[0] * sizes[3], sizes[2], *_flat(3, sizes, x, index, y), wrong)
    if wrong[0]:
        check_positions(index, x.shape[dim], dim, negative=False)
    return y


def _loops(x: Any, index: Any, dim: int, work: int, kinds: str = "") -> Any:
    """The compiled loops, where ``x`` and ``index`` lie as they need it and have the same sizes outside ``dim``.

    Args:
        x: what is read or written.
        index: the positions.
        dim: of ``x``, which the positions are along.
        work: elements.
        kinds: the types of elements that are taken; all whose bits a number has by default.
    """
    kind = x.dtype
    if work < LEAST or index.dtype != np.int64 or not x.size or not (x.flags.carray and index.flags.c_contiguous):
        return None
    if kind.char not in kinds if kinds else kind.hasobject or kind.itemsize not in BITS:
        return None
    if (*x.shape[:dim], *x.shape[dim + 1 :]) != (*index.shape[:dim], *index.shape[dim + 1 :]):
        return None
    return compiled("indexing", work)


def _blocks(shape: tuple[int, ...], other: tuple[int, ...], dim: int) -> tuple[int, int, int, int]:
    """Sizes before, along and after a dimension, and the other's along it."""
    return math.prod(shape[:dim]), shape[dim], math.prod(shape[dim + 1 :]), other[dim]


def _flat(ndim: int, sizes: tuple[int, int, int, int], x: Any, *others: Any) -> list[Any]:
    """Views of ``ndim`` dimensions, see ``indexing_numba.py``; elements that no arithmetic is done with as bits."""
    a, n, b, m = sizes
    views = [x.reshape((a, n, b)[:ndim]), *[y.reshape((a, m, b)[:ndim]) for y in others]]
    return [v.view(BITS[v.itemsize]) if v.dtype != np.int64 else v for v in views]


BITS: dict[int, Any] = {1: np.int8, 2: np.int16, 4: np.int32, 8: np.int64}
LEAST = 4096  # positions from which a compiled loop is worth what leads to it


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
    if _combined(x, index, value, dim, "WRITE"):
        return
    if not x.flags.c_contiguous:
        x[plain.open_grid(np, index, dim)] = value
        return
    value = value if value.__class__ is not np.ndarray else np.broadcast_to(value, index.shape).reshape(-1)
    x.reshape(-1)[_flat_places(index, x.shape, dim).reshape(-1)] = value


def _combined(x: Any, index: Any, value: Any, dim: int, how: str) -> bool:
    """Whether elements at positions, which are known to be there, have been combined with others."""
    loops = _loops(x, index, dim, index.size, "" if how == "WRITE" else KINDS)
    if loops is None:
        return False
    values = value if value.__class__ is np.ndarray and value.dtype == x.dtype else np.asarray(value, x.dtype)
    values = copied(np.broadcast_to(values, index.shape))
    a, n, b, m = sizes = _blocks(x.shape, index.shape, dim)
    flat = [v.reshape((a, size, b)[: 2 + (b > 1)]) for v, size in ((x, n), (index, m), (values, m))]
    if how == "WRITE":
        flat = [v.view(BITS[v.itemsize]) for v in flat]
    if sizes[2] == 1:
        over(loops.scatter, a, m, *flat, getattr(loops, how))
    else:
        over(loops.scatter_across, b, a * m, *flat, getattr(loops, how))
    return True


KINDS = "fdil"  # of elements that compiled loops combine


def index_select(x: Any, index: Any, dim: int) -> Any:
    """Slices of ``x`` at the positions ``index``; see the definition."""
    y = _taken(x, index, dim, False)
    if y is None:
        check_positions(index, x.shape[dim], dim, negative=False)
        y = x.take(index, dim)
    return y


def _taken(x: Any, index: Any, dim: int, negative: bool) -> Any:
    """``x.take(index, dim)`` compiled, or None."""
    kind, shape = x.dtype, x.shape
    inner, lead = math.prod(shape[dim + 1 :]), math.prod(shape[:dim])
    work = lead * index.size * inner
    if work < LEAST or index.dtype != np.int64 or kind.hasobject or not (x.flags.carray and index.flags.c_contiguous):
        return None
    y = None
    if inner == 1 and kind.itemsize in BITS and (loops := compiled("indexing", work)) is not None:
        y, wrong = np.empty((*shape[:dim], *index.shape, *shape[dim + 1 :]), kind), np.zeros(1, np.int8)
        bits = BITS[kind.itemsize]
        matrices = x.reshape(lead, -1).view(bits), index.reshape(-1), y.reshape(lead, -1).view(bits)
        over(loops.take, work, 1, *matrices, wrong, negative)
        if wrong[0]:
            check_positions(index, shape[dim], dim, negative)
    elif inner * kind.itemsize >= RUN and (loops := compiled("moves", work)) is not None:
        check_positions(index, shape[dim], dim, negative)
        y = np.empty((*shape[:dim], *index.shape, *shape[dim + 1 :]), kind)
        if negative and index.size and index.min() < 0:
            index = np.where(index < 0, index + shape[dim], index)
        size = inner * kind.itemsize
        over(loops.rows_at, lead * index.size, inner, address(y), address(x), index.reshape(-1), shape[dim], size)
    return y


RUN = 64  # bytes of a row, from which copying it is worth a call


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
    elif dim == x.ndim - 1 and x.dtype == rows.dtype and (loops := compiled("indexing", rows.size)) is not None:
        n = len(index)
        over(loops.add_columns, rows.size // n, n, x.reshape(-1, x.shape[-1]), index, copied(rows).reshape(-1, n))
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
        over(loops.add_rows, width, index.size, x, index, rows)
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
    if _combined(x, index, value, dim, "ADD"):
        return
    if _adds_flat(x):
        flat_add(x, index, value, dim)
    else:
        plain.add_at(np, x, plain.open_grid(np, index, dim), value)


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """``np.bincount``; large arrays are counted on all threads."""
    loops = compiled("indexing", x.size) if weights is None and x.dtype == np.int64 and x.ndim == 1 else None
    if loops is None or x.min() < 0 or (size := max(int(x.max()) + 1, minlength)) * SHARED > x.size * LEAST:
        return np.bincount(x, weights, minlength)
    shares = max(1, min(threads.get_num_threads(), x.size // SHARED))
    counts = np.zeros((shares, size), np.int64)
    together(loops.count, [(x, part, *ends) for part, ends in zip(counts, pieces(x.size, shares), strict=True)])
    return counts.sum(0)


def scatter_extreme_(x: Any, index: Any, value: Any, dim: int, largest: bool) -> None:
    """As `scatter_`, keeping the largest (or least); see the definition."""
    check_positions(index, x.shape[dim], dim, negative=False)
    if _combined(x, index, value, dim, "MOST" if largest else "LEAST"):
        return
    if not _adds_flat(x) or x.dtype.kind != "f":
        plain.scatter_extreme_(np, x, index, value, dim, largest)
    else:
        flat_add(x, index, value, dim, np.maximum if largest else np.minimum)


def scatter_prod_(x: Any, index: Any, value: Any, dim: int) -> None:
    """As `scatter_`, multiplying; see the definition."""
    check_positions(index, x.shape[dim], dim, negative=False)
    if _combined(x, index, value, dim, "MULTIPLY"):
        return
    if not _adds_flat(x):
        plain.scatter_prod_(np, x, index, value, dim)
    else:
        flat_add(x, index, value, dim, np.multiply)


def flat_add_at(x: Any, key: Any, value: Any) -> None:
    """``x[key] += value`` through one flat index, for which ``ufunc.at`` has a short path."""
    if len(key) == x.ndim and x.dtype.char in KINDS and (places := _flat_key(x, key)) is not None:
        value = np.broadcast_to(value, places.shape)
        if _combined(x.reshape(-1), places.reshape(-1), value.reshape(-1), 0, "ADD"):
            return
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
