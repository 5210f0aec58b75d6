"""Normalisation on the GPU, with a residual and a relu in the same pass if asked for; the source is ``norm.cu``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import cupy

from ..definitions import norm as plain
from .loader import by_items, by_rows, launch, takes, wide_type
from .order import contiguous

if TYPE_CHECKING:
    from ..definitions.norm import Axes

__all__ = ["normalise", "normalise_backward", "update_running_"]

CHUNK = 128  # rows that a block sums up


class Rows(NamedTuple):
    """Statistics over the last dimensions: ``rows`` of ``columns``, whose affine part repeats after ``period`` rows."""

    rows: int
    columns: int
    period: int
    inner: int  # elements of the affine part in a row, each for as many columns


class Channels(NamedTuple):
    """Statistics over all dimensions but the second: ``rows`` of one channel each, or, if ``last``, of all of them."""

    rows: int
    columns: int
    channels: int
    last: bool


def _rows(shape: tuple[int, ...], axes: Axes, affine: tuple[int, ...] | None) -> Rows | None:
    first = len(shape) - len(axes)
    if axes != tuple(range(first, len(shape))) or not axes:
        return None
    rows, columns = math.prod(shape[:first]), math.prod(shape[first:])
    if affine is None:
        return Rows(rows, columns, 1, 1)
    period, inner = math.prod(affine[:first]), math.prod(affine[first:])
    lead = [n for n in affine[:first] if n != 1]
    tail = list(affine[first:])
    while tail and tail[-1] == 1:
        tail.pop()
    repeats = lead == list(shape[first - len(lead) : first]) and affine[first - len(lead) : first] == tuple(lead)
    if not repeats or tuple(tail) != shape[first : first + len(tail)]:
        return None
    return Rows(rows, columns, period, inner)


def _channels(x: Any, axes: Axes, affine: tuple[int, ...] | None) -> Channels | None:
    shape = x.shape
    if len(shape) < 2 or axes != (0, *range(2, len(shape))):
        return None
    if affine is not None and affine != (1, shape[1], *[1] * (len(shape) - 2)):
        return None
    n, c, area = shape[0], shape[1], math.prod(shape[2:])
    if area == 1 or (not x.flags.c_contiguous and _last_contiguous(x)):
        return Channels(n * area, c, c, True)
    return Channels(n * c, area, c, False)


def _last_contiguous(x: Any) -> bool:
    return bool(cupy.moveaxis(x, 1, -1).flags.c_contiguous)


def _layout(x: Any, axes: Axes, *affine: Any) -> Rows | Channels | None:
    """How the kernels see ``x``; None if they do not."""
    given = [v for v in affine if v is not None]
    shapes, types = {v.shape for v in given}, {v.dtype for v in given}
    if not takes(x) or not x.size or len(shapes) > 1 or len(types) > 1 or types - {x.dtype, wide_type(x.dtype)}:
        return None
    shape = next(iter(shapes), None)
    found = _rows(x.shape, axes, shape) or _channels(x, axes, shape)
    return found if found is None or max(found.columns, getattr(found, "channels", 0)) < 2**31 else None


def _wider(x: Any, *affine: Any) -> bool:
    """Whether the affine part is of another type than ``x``: of that which it is computed in."""
    return any(v is not None and v.dtype != x.dtype for v in affine)


def _as(x: Any, seen: Rows | Channels) -> Any:
    """``x``, copied if its elements are not in the order of the layout; None stays."""
    if x is None or not (isinstance(seen, Channels) and seen.last) or x.ndim == 2:
        return contiguous(x)
    moved = cupy.moveaxis(x, 1, -1)
    return x if moved.flags.c_contiguous else cupy.moveaxis(contiguous(moved), -1, 1)


def _new(x: Any, seen: Rows | Channels) -> Any:
    """Memory for a result of that shape and layout."""
    if not (isinstance(seen, Channels) and seen.last) or x.ndim == 2:
        return cupy.empty(x.shape, x.dtype)
    return cupy.moveaxis(cupy.empty((x.shape[0], *x.shape[2:], x.shape[1]), x.dtype), -1, 1)


def _statistics(x: Any, axes: Axes) -> Any:
    return cupy.empty(tuple(1 if i in axes else n for i, n in enumerate(x.shape)), wide_type(x.dtype))


def normalise(x: Any, w: Any, b: Any, axes: Axes, eps: float, centre: bool = True) -> tuple[Any, Any, Any]:
    """Normalise and scale; see the definition."""
    seen = _layout(x, axes, w, b)
    if seen is None or (isinstance(seen, Channels) and not centre):
        return plain.normalise(cupy, x, w, b, axes, eps, centre)
    if isinstance(seen, Rows):
        return normalise_rows(x, w, b, axes, eps, centre)[:3]
    mean, var = moments(x, seen, axes)
    return apply_channels(x, mean, var, w, b, eps), mean, var


def normalise_rows(
    x: Any,
    w: Any,
    b: Any,
    axes: Axes,
    eps: float,
    centre: bool = True,
    added: Any = None,
    rectify: bool = False,
) -> tuple[Any, Any, Any, Any]:
    """Statistics over the last dimensions, of ``x`` or of ``x + added``; with ``rectify``, then a relu.

    Returns:
        The result, the mean (None without ``centre``), the variance, and the sum (None without ``added``).
    """
    seen: Any = _layout(x, axes, w, b)
    x, w, b, added = (contiguous(v) for v in (x, w, b, added))
    y = cupy.empty(x.shape, x.dtype)
    mean, var = (_statistics(x, axes) if wanted else None for wanted in (centre, True))
    total = None if added is None else cupy.empty(x.shape, x.dtype)
    shape = by_rows(seen.rows, seen.columns if added is None else 2 * seen.columns)
    given = y, mean, var, total, x, added, w, b, _wider(x, w, b)
    launch("normalise_rows", x.dtype, shape, *given, *seen, eps, centre, rectify)
    return y, mean, var, total


def moments(x: Any, seen: Channels, axes: Axes) -> tuple[Any, Any]:
    """The mean and the variance of each channel."""
    x = _as(x, seen)
    wide = wide_type(x.dtype)
    if seen.last:
        parts, each = -(-seen.rows // CHUNK), CHUNK
        each, shape = _tiles(seen)
        parts = -(-seen.rows // each)
        means, squares = (cupy.empty((parts, seen.channels), wide) for _ in range(2))
        launch("moments_columns", x.dtype, shape, means, squares, x, seen.rows, seen.columns, each)
        last = seen.rows - (parts - 1) * each
    else:
        parts, each, last = seen.rows // seen.channels, seen.columns, seen.columns
        means, squares = (cupy.empty((parts, seen.channels), wide) for _ in range(2))
        shape = by_rows(seen.rows, seen.columns)
        launch("moments_rows", x.dtype, shape, means, squares, x, seen.rows, seen.columns)
    mean, var = _statistics(x, axes), _statistics(x, axes)
    shape = by_rows(seen.channels, parts)
    launch("merge_moments", x.dtype, shape, mean, var, means, squares, parts, seen.channels, each, last)
    return mean, var


def _tiles(seen: Rows | Channels) -> tuple[int, Any]:
    """How many rows a block of 32 columns sums up, and the grid and block for that; at most 65535 parts."""
    chunk = max(CHUNK, -(-seen.rows // 65535))
    return chunk, ((-(-seen.columns // 32), -(-seen.rows // chunk)), (32, 8))


def apply_channels(
    x: Any, mean: Any, var: Any, w: Any, b: Any, eps: float, residual: Any = None, rectify: bool = False
) -> Any:
    """``(x - mean) / sqrt(var + eps) * w + b + residual``: batch norm with given statistics.

    Args:
        x: (N, C, ...).
        mean: C elements, of the type that ``x`` is computed in.
        var: likewise.
        w: C elements of the type of ``x`` or of ``mean``, or None.
        b: likewise.
        eps: added to the variance.
        residual: like ``x``, or None.
        rectify: whether a relu follows.
    """
    seen: Any = _channels(x, (0, *range(2, x.ndim)), None)
    x, residual = _as(x, seen), _as(residual, seen)
    y = _new(x, seen)
    shape = by_rows(seen.rows, seen.columns if residual is None else 2 * seen.columns)
    given = y, x, residual, *(contiguous(v) for v in (mean, var, w, b)), _wider(x, w, b)
    launch("apply_channels", x.dtype, shape, *given, *seen, eps, rectify)
    return y


def normalise_backward(
    g: Any, x: Any, w: Any, mean: Any, var: Any, axes: Axes, eps: float, needs: tuple[bool, ...]
) -> tuple[Any, Any, Any]:
    """The gradients; see the definition. Those of ``w`` and ``b`` are summed here, where ``w`` is given."""
    seen = _layout(x, axes, w)
    unknown = w is None and (needs[1] or (len(needs) > 2 and needs[2]))
    if seen is None or unknown or g.dtype != x.dtype or (isinstance(seen, Channels) and mean is None):
        return plain.normalise_backward(cupy, g, x, w, mean, var, axes, eps, needs)
    g, x, w, mean, var = _as(g, seen), _as(x, seen), contiguous(w), contiguous(mean), contiguous(var)
    if isinstance(seen, Channels):
        gx, gw, gb, _ = channels_backward(g, x, w, mean, var, seen, eps, needs[0])
    else:
        gx, gw, gb = rows_backward(g, x, w, mean, var, seen, eps, needs)
    return gx, gw if needs[1] else None, gb if needs[2] else None


def rows_backward(
    g: Any, x: Any, w: Any, mean: Any, var: Any, seen: Rows, eps: float, needs: tuple[bool, ...], y: Any = None
) -> tuple[Any, Any, Any]:
    """The gradients of `normalise_rows`; ``y`` is its output where the activation was a relu."""
    gx = gw = gb = None
    if needs[0]:
        gx = cupy.empty(x.shape, x.dtype)
        shape = by_rows(seen.rows, 2 * seen.columns)
        launch("normalise_rows_backward", x.dtype, shape, gx, g, x, y, w, _wider(x, w), mean, var, *seen, eps)
    if w is not None and (needs[1] or needs[2]):
        gb, gw = _affine_sums(g, x, y, mean, var, seen, eps, w.shape)
    return gx, gw, gb


def _affine_sums(
    g: Any, x: Any, y: Any, mean: Any, var: Any, seen: Rows, eps: float, shape: tuple[int, ...]
) -> tuple[Any, Any]:
    """The sums of ``g`` and of ``g`` times the normalised ``x`` that the shift and the scale receive."""
    count = seen.period * seen.inner
    if seen.inner == seen.columns and seen.period == 1:
        chunk, tiles = _tiles(seen)
        parts = -(-seen.rows // chunk)
        sums = [cupy.empty((parts, count), wide_type(x.dtype)) for _ in range(2)]
        launch("sums_columns", x.dtype, tiles, *sums, g, x, y, mean, var, seen.rows, seen.columns, chunk, 0, eps)
    else:
        parts, columns = seen.rows // seen.period, seen.columns // seen.inner
        rows = seen.rows * seen.inner
        sums = [cupy.empty((parts, count), wide_type(x.dtype)) for _ in range(2)]
        grid = by_rows(rows, 2 * columns)
        launch("sums_rows", x.dtype, grid, *sums, g, x, y, mean, var, rows, columns, 0, seen.inner, eps)
    return _merged(x, sums, parts, count, shape)


def _merged(x: Any, sums: list[Any], parts: int, count: int, shape: tuple[int, ...]) -> tuple[Any, Any]:
    if parts == 1:
        return sums[0].reshape(shape), sums[1].reshape(shape)
    total = [cupy.empty(shape, wide_type(x.dtype)) for _ in range(2)]
    launch("merge_sums", x.dtype, by_rows(count, parts), *total, *sums, parts, count)
    return total[0], total[1]


def channels_backward(
    g: Any,
    x: Any,
    w: Any,
    mean: Any,
    var: Any,
    seen: Channels,
    eps: float,
    wanted: bool = True,
    y: Any = None,
    residual: bool = False,
) -> tuple[Any, Any, Any, Any]:
    """The gradients of `apply_channels` with a batch's own statistics; ``y`` is its output if that is of a relu.

    Returns:
        The gradients of ``x`` (if ``wanted``), ``w``, ``b``, and of the residual (if ``residual``).
    """
    if seen.last:
        chunk, shape = _tiles(seen)
        parts = -(-seen.rows // chunk)
        sums = [cupy.empty((parts, seen.channels), wide_type(x.dtype)) for _ in range(2)]
        launch("sums_columns", x.dtype, shape, *sums, g, x, y, mean, var, seen.rows, seen.columns, chunk, 1, eps)
    else:
        parts = seen.rows // seen.channels
        sums = [cupy.empty((parts, seen.channels), wide_type(x.dtype)) for _ in range(2)]
        shape = by_rows(seen.rows, 2 * seen.columns)
        given = *sums, g, x, y, mean, var, seen.rows, seen.columns
        launch("sums_rows", x.dtype, shape, *given, seen.channels, 1, eps)
    gb, gw = _merged(x, sums, parts, seen.channels, var.shape)
    if not wanted:
        return None, gw, gb, None
    gx, gr = _new(x, seen), _new(x, seen) if residual else None
    shape = by_rows(seen.rows, 2 * seen.columns)
    given = gx, gr, g, x, y, mean, var, w, _wider(x, w), gb, gw
    launch("apply_channels_backward", x.dtype, shape, *given, *seen, x.size // seen.channels, eps)
    return gx, gw, gb, gr


def update_running_(running_mean: Any, running_var: Any, mean: Any, var: Any, momentum: float, count: int) -> None:
    """Move the running statistics; see the definition."""
    dtype = running_mean.dtype
    alike = takes(running_mean, running_var) and mean.dtype == var.dtype == wide_type(dtype)
    whole = all(v.flags.c_contiguous for v in (running_mean, running_var, mean, var))
    if not alike or not whole or not mean.size == var.size == running_mean.size == running_var.size:
        plain.update_running_(cupy, running_mean, running_var, mean, var, momentum, count)
        return
    ends = running_mean.size, momentum, count / max(count - 1, 1)
    launch("move_running", dtype, by_items(running_mean.size), running_mean, running_var, mean, var, *ends)
