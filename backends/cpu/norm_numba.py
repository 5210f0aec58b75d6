"""Normalisation compiled: statistics, scale and shift in one visit of a row, a group, a channel or a block of rows.

Sums run over pieces of fixed size in the array's own precision, and over the pieces in float64. Imported only when it
pays; see ``compiled.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .arithmetic_numba import total
from .compiled import spread
from .crew_numba import enter
from .jit_numba import loop, summing

__all__: list[str] = []  # found through cpu/norm.py


@summing
def squares(x: Any, mean: Any) -> Any:
    """The sum of ``(x - mean) ** 2``."""
    s = x.dtype.type(0)
    for i in range(x.size):
        d = x[i] - mean
        s += d * d
    return s


@summing
def moments(g: Any, x: Any, mean: Any) -> Any:
    """The sums of ``g`` and of ``g * (x - mean)``."""
    s, t = x.dtype.type(0), x.dtype.type(0)
    for i in range(x.size):
        s += g[i]
        t += g[i] * (x[i] - mean)
    return s, t


@summing
def weighted_moments(g: Any, w: Any, x: Any, mean: Any) -> Any:
    """The sums of ``g * w`` and of ``g * w * (x - mean)``."""
    s, t = x.dtype.type(0), x.dtype.type(0)
    for i in range(x.size):
        h = g[i] * w[i]
        s += h
        t += h * (x[i] - mean)
    return s, t


@loop
def rows(start: int, stop: int, x: Any, w: Any, b: Any, eps: float, centre: bool, y: Any, mean: Any, var: Any) -> None:
    """Rows of (R, D); ``w`` and ``b`` are (D), or (0) for none; ``mean`` and ``var`` (R) are written, too."""
    enter()
    kind = x.dtype.type
    for r in range(start, stop):
        xs, ys = x[r], y[r]
        m = kind(total(xs) / xs.size) if centre else kind(0)
        v = kind(squares(xs, m) / xs.size)
        scale = kind(1 / np.sqrt(v + eps))
        mean[r], var[r] = m, v
        if b.size:
            for i in range(xs.size):
                ys[i] = (xs[i] - m) * scale * w[i] + b[i]
        elif w.size:
            for i in range(xs.size):
                ys[i] = (xs[i] - m) * scale * w[i]
        else:
            for i in range(xs.size):
                ys[i] = (xs[i] - m) * scale


@loop
def rows_backward(start: int, stop: int, g: Any, x: Any, w: Any, mean: Any, var: Any, eps: float, centre: bool,
                  size: int, gx: Any, gw: Any, gb: Any) -> None:  # fmt: skip
    """Pieces of ``size`` rows; ``gw`` and ``gb`` (pieces, D) get each piece's sums, and are (0, 0) without ``w``."""
    enter()
    kind = x.dtype.type
    for c in range(start, stop):
        if w.size:
            gw[c] = 0
            gb[c] = 0
        for r in range(c * size, min((c + 1) * size, x.shape[0])):
            gs, xs, out = g[r], x[r], gx[r]
            m, scale = mean[r] if centre else kind(0), kind(1 / np.sqrt(var[r] + eps))
            first, second = weighted_moments(gs, w, xs, m) if w.size else moments(gs, xs, m)
            first = kind(first / xs.size) if centre else kind(0)
            second = kind(second * scale / xs.size)
            if w.size:
                sums, shifts = gw[c], gb[c]
                for i in range(xs.size):
                    n = (xs[i] - m) * scale
                    out[i] = (gs[i] * w[i] - first - n * second) * scale
                    sums[i] += gs[i] * n
                    shifts[i] += gs[i]
            else:
                for i in range(xs.size):
                    out[i] = (gs[i] - first - (xs[i] - m) * scale * second) * scale


@loop
def groups(start: int, stop: int, x: Any, w: Any, b: Any, eps: float, y: Any, mean: Any, var: Any) -> None:
    """Groups of (R, E, A), normalised over E and A; ``w`` and ``b`` are (R', E), the same again for each R' groups."""
    enter()
    kind, count = x.dtype.type, x.shape[1] * x.shape[2]
    for r in range(start, stop):
        s = 0.0
        for e in range(x.shape[1]):
            s += total(x[r, e])
        m = kind(s / count)
        s = 0.0
        for e in range(x.shape[1]):
            s += squares(x[r, e], m)
        mean[r], var[r] = m, kind(s / count)
        scale = kind(1 / np.sqrt(var[r] + eps))
        for e in range(x.shape[1]):
            xs, ys = x[r, e], y[r, e]
            factor = scale * w[r % w.shape[0], e] if w.size else scale
            shift = b[r % b.shape[0], e] if b.size else kind(0)
            for i in range(xs.size):
                ys[i] = (xs[i] - m) * factor + shift


@loop
def groups_backward(start: int, stop: int, g: Any, x: Any, w: Any, mean: Any, var: Any, eps: float, gx: Any,
                    gw: Any, gb: Any) -> None:  # fmt: skip
    """``gw`` and ``gb`` (R, E) get each group's own sums."""
    enter()
    kind, count = x.dtype.type, x.shape[1] * x.shape[2]
    for r in range(start, stop):
        m, scale = mean[r], kind(1 / np.sqrt(var[r] + eps))
        first, second = 0.0, 0.0
        for e in range(x.shape[1]):
            s, t = moments(g[r, e], x[r, e], m)
            gb[r, e], gw[r, e] = s, t * scale
            factor = w[r % w.shape[0], e] if w.size else kind(1)
            first += s * factor
            second += t * factor
        first, second = kind(first / count), kind(second * scale / count)
        for e in range(x.shape[1]):
            gs, xs, out = g[r, e], x[r, e], gx[r, e]
            factor = w[r % w.shape[0], e] if w.size else kind(1)
            for i in range(xs.size):
                out[i] = (gs[i] * factor - first - (xs[i] - m) * scale * second) * scale


@loop
def planes(start: int, stop: int, x: Any, w: Any, b: Any, eps: float, y: Any, mean: Any, var: Any) -> None:
    """Channels of (N, C, A), normalised over N and A; ``w`` and ``b`` are (C), or (0) for none."""
    enter()
    kind, count = x.dtype.type, x.shape[0] * x.shape[2]
    for c in range(start, stop):
        s = 0.0
        for n in range(x.shape[0]):
            s += total(x[n, c])
        m = kind(s / count)
        s = 0.0
        for n in range(x.shape[0]):
            s += squares(x[n, c], m)
        mean[c], var[c] = m, kind(s / count)
        scale = kind(1 / np.sqrt(var[c] + eps))
        factor = scale * w[c] if w.size else scale
        shift = b[c] if b.size else kind(0)
        for n in range(x.shape[0]):
            xs, ys = x[n, c], y[n, c]
            for i in range(xs.size):
                ys[i] = (xs[i] - m) * factor + shift


@loop
def planes_backward(start: int, stop: int, g: Any, x: Any, w: Any, mean: Any, var: Any, eps: float, gx: Any,
                    gw: Any, gb: Any) -> None:  # fmt: skip
    """``gw`` and ``gb`` are (C)."""
    enter()
    kind, count = x.dtype.type, x.shape[0] * x.shape[2]
    for c in range(start, stop):
        m, scale = mean[c], kind(1 / np.sqrt(var[c] + eps))
        first, second = 0.0, 0.0
        for n in range(x.shape[0]):
            s, t = moments(g[n, c], x[n, c], m)
            first += s
            second += t
        gb[c], gw[c] = first, second * scale
        factor = scale * w[c] if w.size else scale
        gone, slope = kind(first / count), kind(second * scale * scale / count)
        for n in range(x.shape[0]):
            gs, xs, out = g[n, c], x[n, c], gx[n, c]
            for i in range(xs.size):
                out[i] = (gs[i] - gone - (xs[i] - m) * slope) * factor


@loop
def column_sums(start: int, stop: int, x: Any, size: int, mean: Any, distances: Any) -> None:
    """Pieces of ``size`` rows of (R, C): each one's means, and its squared distances from them, (pieces, C)."""
    enter()
    for c in range(start, stop):
        block = x[c * size : min((c + 1) * size, x.shape[0])]
        m, s = mean[c], distances[c]
        m[:] = 0
        s[:] = 0
        for r in range(block.shape[0]):
            xs = block[r]
            for i in range(xs.size):
                m[i] += xs[i]
        for i in range(m.size):
            m[i] /= x.dtype.type(block.shape[0])
        for r in range(block.shape[0]):
            xs = block[r]
            for i in range(xs.size):
                d = xs[i] - m[i]
                s[i] += d * d


@loop
def columns(start: int, stop: int, x: Any, mean: Any, scale: Any, shift: Any, y: Any) -> None:
    """``(x - mean) * scale + shift`` of rows; ``mean``, ``scale`` and ``shift`` are (C)."""
    enter()
    for r in range(start, stop):
        xs, ys = x[r], y[r]
        for i in range(xs.size):
            ys[i] = (xs[i] - mean[i]) * scale[i] + shift[i]


@loop
def scaled_planes(start: int, stop: int, x: Any, scale: Any, shift: Any, y: Any) -> None:
    """``x * scale + shift`` of (N, C, A), a plane after another."""
    enter()
    for p in range(start, stop):
        n, c = p // x.shape[1], p % x.shape[1]
        xs, ys, a, b = x[n, c], y[n, c], scale[c], shift[c]
        for i in range(xs.size):
            ys[i] = xs[i] * a + b


@loop
def scaled_columns(start: int, stop: int, x: Any, scale: Any, shift: Any, y: Any) -> None:
    """``x * scale + shift`` of rows of channels."""
    enter()
    for r in range(start, stop):
        xs, ys = x[r], y[r]
        for i in range(xs.size):
            ys[i] = xs[i] * scale[i] + shift[i]


@loop
def column_moments(start: int, stop: int, g: Any, x: Any, mean: Any, size: int, gw: Any, gb: Any) -> None:
    """Pieces of ``size`` rows: the sums of ``g * (x - mean)`` and of ``g``, (pieces, C)."""
    enter()
    for c in range(start, stop):
        s, t = gw[c], gb[c]
        s[:] = 0
        t[:] = 0
        for r in range(c * size, min((c + 1) * size, x.shape[0])):
            gs, xs = g[r], x[r]
            for i in range(xs.size):
                s[i] += gs[i] * (xs[i] - mean[i])
                t[i] += gs[i]


@loop
def columns_backward(start: int, stop: int, g: Any, x: Any, mean: Any, gone: Any, slope: Any, factor: Any,
                     gx: Any) -> None:  # fmt: skip
    """``(g - gone - (x - mean) * slope) * factor`` of rows; all but ``g`` and ``x`` are (C)."""
    enter()
    for r in range(start, stop):
        gs, xs, out = g[r], x[r], gx[r]
        for i in range(xs.size):
            out[i] = (gs[i] - gone[i] - (xs[i] - mean[i]) * slope[i]) * factor[i]


# ---------------------------------------------------------------------- which loop, and its arrays

Axes = tuple[int, ...]
PIECES = 64  # at most so many partial sums of a weight's gradient


def normalise(x: Any, w: Any, b: Any, axes: Axes, eps: float, centre: bool) -> Any:
    """See the definition; None where no loop fits the layout."""
    form = _form(x, w, b, axes)
    if form is None or not (centre or form == "rows") or (form == "rows" and w is None and b is not None):
        return None
    kept = tuple([1 if i in axes else n for i, n in enumerate(x.shape)])
    mean, var = np.empty((2, *kept), x.dtype)
    w, b = _flat(w, x.dtype), _flat(b, x.dtype)
    if form == "columns":
        y = _columns(x, w, b, eps, mean, var)
        return y, mean, var
    y = np.empty(x.shape, x.dtype)
    statistics = mean.reshape(-1), var.reshape(-1)
    if form == "rows":
        spread(rows, len(x), x.shape[1], x, w, b, eps, centre, y, *statistics)
        return y, mean if centre else None, var
    if form == "groups":
        seen, each = _grouped(x), x.shape[2]
        w, b = w.reshape(-1, each), b.reshape(-1, each)
        spread(groups, len(seen), seen[0].size, seen, w, b, eps, y.reshape(seen.shape), *statistics)
    else:
        spread(planes, x.shape[1], x.size // x.shape[1], x, w, b, eps, y, *statistics)
    return y, mean, var


def normalise_backward(
    g: Any, x: Any, w: Any, mean: Any, var: Any, axes: Axes, eps: float, needs: tuple[bool, ...]
) -> Any:
    """See the definition; all three gradients, the weight's and the bias's summed; None where no loop fits."""
    form = _form(x, w, None, axes)
    if form is None or g.dtype != x.dtype or (mean is None and form != "rows"):
        return None
    if form in ("rows", "groups") and w is None and needs[2]:
        return None
    shape = var.shape if w is None else w.shape
    w = _flat(w, x.dtype)
    if form == "columns":
        return _columns_backward(g, x, w, mean, var, eps, shape)
    g = np.ascontiguousarray(g)
    gx = np.empty(x.shape, x.dtype)
    statistics = (var if mean is None else mean).reshape(-1), var.reshape(-1)
    if form == "rows":
        size = max(16, -(-len(x) // PIECES))
        count = -(-len(x) // size)
        gw, gb = np.empty((2, count, x.shape[1]) if w.size else (2, 0, 0), x.dtype)
        options = eps, mean is not None, size
        spread(rows_backward, count, size * x.shape[1], g, x, w, *statistics, *options, gx, gw, gb)
        if not w.size:
            return gx, None, None
        return gx, gw.sum(0).reshape(shape), gb.sum(0).reshape(shape)
    if form == "groups":
        seen, each = _grouped(x), x.shape[2]
        gw, gb = np.empty((2, len(seen), each), x.dtype)
        w = w.reshape(-1, each)
        arrays = g.reshape(seen.shape), seen, w, *statistics, eps, gx.reshape(seen.shape), gw, gb
        spread(groups_backward, len(seen), seen[0].size, *arrays)
        gw, gb = (v.reshape(x.shape[0], x.shape[1], each, 1).sum(0, keepdims=True) for v in (gw, gb))
        return (gx, gw, gb) if w.size else (gx, None, None)
    gw, gb = np.empty((2, x.shape[1]), x.dtype)
    spread(planes_backward, x.shape[1], x.size // x.shape[1], g, x, w, *statistics, eps, gx, gw, gb)
    return gx, gw.reshape(shape), gb.reshape(shape)


def scaled(x: Any, scale: Any, shift: Any) -> Any:
    """``x * scale + shift`` per channel of (N, C, ...), in the layout of ``x``; None where no loop fits."""
    n, c = x.shape[:2]
    if x.ndim > 2 and x.flags.c_contiguous:
        seen, y = x.reshape(n, c, -1), np.empty(x.shape, x.dtype)
        spread(scaled_planes, n * c, seen.shape[2], seen, scale, shift, y.reshape(seen.shape))
        return y
    last = x if x.ndim == 2 else np.moveaxis(x, 1, -1)
    if not last.flags.c_contiguous:
        return None
    y = np.empty(last.shape, x.dtype)
    spread(scaled_columns, x.size // c, c, last.reshape(-1, c), scale, shift, y.reshape(-1, c))
    return y if x.ndim == 2 else np.moveaxis(y, -1, 1)


def _form(x: Any, w: Any, b: Any, axes: Axes) -> str | None:
    """Which loop handles a layout: ``rows``, ``groups``, ``planes`` or ``columns``."""
    if axes == (1,) and x.ndim == 2 and x.flags.c_contiguous:  # layers of all sizes, so this is to be quick
        dtype, row = x.dtype, (1, x.shape[1])
        if all(v is None or (v.dtype is dtype and v.shape == row) for v in (w, b)):
            return "rows"
    if any(v is not None and v.dtype != x.dtype for v in (w, b)):
        return None
    affine = next((v.shape for v in (w, b) if v is not None), None)
    plain = x.flags.c_contiguous
    if x.ndim == 2 and axes == (1,) and plain and affine in (None, (1, x.shape[1])):
        return "rows"
    if x.ndim == 4 and axes == (2, 3) and plain and affine in (None, (1, *x.shape[1:3], 1)):
        return "groups"
    if axes[0] == 0 and affine in (None, tuple([1 if i in axes else n for i, n in enumerate(x.shape)])):
        if x.ndim == 3 and axes == (0, 2) and plain and x.shape[2] >= 8:
            return "planes"
        if (x.ndim == 3 and axes == (0, 2) and x.transpose(0, 2, 1).flags.c_contiguous) or (
            x.ndim == 2 and axes == (0,) and plain
        ):
            return "columns"
    return None


def _flat(v: Any, dtype: Any) -> Any:
    return np.empty(0, dtype) if v is None else v.ravel()


def _grouped(x: Any) -> Any:
    """(N, G, E, A) as (N * G, E, A)."""
    return x.reshape(-1, *x.shape[2:])


def _matrix(x: Any) -> Any:
    """(N, C, A) with the channels innermost in memory, or (N, C), as rows of channels."""
    return np.ascontiguousarray(x.transpose(0, 2, 1)).reshape(-1, x.shape[1]) if x.ndim == 3 else x


def _shaped(matrix: Any, x: Any) -> Any:
    """Undo `_matrix`."""
    return matrix if x.ndim == 2 else matrix.reshape(x.shape[0], x.shape[2], x.shape[1]).transpose(0, 2, 1)


def _pieces(seen: Any) -> tuple[int, int]:
    """Rows in one piece, which has room in the second cache, and the number of pieces."""
    size = max(16, (1 << 16) // seen.shape[1])
    return size, -(-len(seen) // size)


def _columns(x: Any, w: Any, b: Any, eps: float, mean: Any, var: Any) -> Any:
    """Statistics of columns by those of pieces (Chan, Golub and LeVeque's update), and what follows."""
    seen = _matrix(x)
    size, count = _pieces(seen)
    width = seen.shape[1]
    means, spreads = np.empty((2, count, width), x.dtype)
    spread(column_sums, count, size * width, seen, size, means, spreads)
    each = np.full((count, 1), size, np.float64)
    each[-1] = len(seen) - size * (count - 1)
    m = (means * each).sum(0) / len(seen)
    v = (spreads.sum(0, dtype=np.float64) + ((means - m) ** 2 * each).sum(0)) / len(seen)
    mean.reshape(-1)[...], var.reshape(-1)[...] = m, v
    scale = (var.reshape(-1) + x.dtype.type(eps)) ** -0.5
    scale = scale * w if w.size else scale
    shift = b if b.size else np.zeros(width, x.dtype)
    y = np.empty(seen.shape, x.dtype)
    spread(columns, len(seen), width, seen, mean.reshape(-1), scale, shift, y)
    return _shaped(y, x)


def _columns_backward(g: Any, x: Any, w: Any, mean: Any, var: Any, eps: float, shape: Any) -> tuple[Any, Any, Any]:
    seen, gs, m = _matrix(x), np.ascontiguousarray(_matrix(g)), mean.reshape(-1)
    size, count = _pieces(seen)
    width = seen.shape[1]
    products, sums = np.empty((2, count, width), x.dtype)
    spread(column_moments, count, size * width, gs, seen, m, size, products, sums)
    products, sums = products.sum(0, dtype=np.float64), sums.sum(0, dtype=np.float64)
    scale = (var.reshape(-1).astype(np.float64) + eps) ** -0.5
    gone, slope = sums / len(seen), products * scale * scale / len(seen)
    factor = scale * w if w.size else scale
    gx = np.empty(seen.shape, x.dtype)
    numbers = [v.astype(x.dtype) for v in (gone, slope, factor)]
    spread(columns_backward, len(seen), width, gs, seen, m, *numbers, gx)
    gw, gb = (v.astype(x.dtype).reshape(shape) for v in (products * scale, sums))
    return _shaped(gx, x), gw, gb
