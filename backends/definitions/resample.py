"""Resizing one dimension by a matrix of interpolation weights, and the adjoint."""

from __future__ import annotations

import math
from typing import Any

from .reduction import wide

__all__ = ["nearest_places", "resample"]

CUBIC, SMOOTH_CUBIC = -0.75, -0.5  # the free constant of the cubic kernel: of plain and of antialiased resizing


def cubic(xp: Any, t: Any, a: float) -> Any:
    """Keys' cubic convolution kernel at distance ``t``."""
    t = abs(t)
    near = ((a + 2) * t - (a + 3)) * t * t + 1
    far = a * (((t - 5) * t + 8) * t - 4)
    return xp.where(t <= 1, near, xp.where(t < 2, far, 0.0))


def weights(xp: Any, size: int, out: int, mode: str, step: float, align: bool, antialias: bool) -> Any:
    """The matrix (out, size), float64, that takes a row of ``size`` samples to ``out`` of them.

    Args:
        xp: the array namespace.
        size: how many samples there are.
        out: how many to make.
        mode: ``"linear"`` or ``"cubic"``.
        step: distance of two outputs, in inputs.
        align: whether the first and last samples of both rows lie on each other.
        antialias: widen the kernel when shrinking, so that every input counts.

    References:
        R. Keys, "Cubic convolution interpolation for digital image processing", 1981.
    """
    to = xp.arange(out, dtype="float64")
    place = xp.arange(size, dtype="float64")[None, :]
    if antialias:
        width = max(step, 1.0)
        distance = (place + 0.5 - ((to + 0.5) * step)[:, None]) / width
        w = xp.maximum(1 - abs(distance), 0.0) if mode == "linear" else cubic(xp, distance, SMOOTH_CUBIC)
        return w / xp.sum(w, axis=1, keepdims=True)
    at = to * step if align else (to + 0.5) * step - 0.5
    if mode == "linear":
        at = xp.clip(at, 0, size - 1)
        return xp.maximum(1 - abs(at[:, None] - place), 0.0)
    first = xp.floor(at)
    w = xp.zeros((out, size), dtype="float64")
    for tap in (-1, 0, 1, 2):  # what lies outside is the edge's value
        near = xp.clip(first + tap, 0, size - 1)[:, None] == place
        w = w + near * cubic(xp, at - first - tap, CUBIC)[:, None]
    return w


def resample(
    xp: Any, x: Any, axis: int, size: int, out: int, mode: str, step: float, align: bool, antialias: bool, back: bool
) -> Any:
    """``x`` with a dimension of ``size`` made ``out``; with ``back`` the adjoint, from ``out`` to ``size``.

    Bytes are rounded after each dimension, and their weights to whole multiples of a power of two, as in Pillow.
    """
    whole = x.dtype.kind == "u"
    y = x.astype("float64") if whole else wide(x)
    w = weights(xp, size, out, mode, step, align, antialias).astype(y.dtype)
    unit = fixed_point(float(w.max())) if whole else 1.0
    if whole:
        w = xp.trunc(w * unit + xp.where(w < 0, -0.5, 0.5))
    w = w.T if back else w
    lead, tail = x.shape[:axis], x.shape[axis + 1 :]
    rows = y.reshape(math.prod(lead), x.shape[axis], math.prod(tail))
    y = xp.matmul(w, rows) if tail else xp.matmul(rows[:, :, 0], w.T)
    if whole:
        y = xp.clip(xp.floor((y + unit / 2) / unit), 0, 255)
    return y.reshape(*lead, w.shape[0], *tail).astype(x.dtype)


def fixed_point(largest: float) -> float:
    """The power of two that makes whole numbers of weights, so that the largest of them still fits 16 bits."""
    bits = 0
    while bits < 22 and int(0.5 + largest * (1 << (bits + 1))) < 1 << 15:
        bits += 1
    return float(1 << bits)


def nearest_places(xp: Any, size: int, out: int, step: float, exact: bool) -> Any:
    """Which input each output takes, int64. In float32 as PyTorch does, so that ties fall as there."""
    to = xp.arange(out, dtype="float32") + xp.asarray(0.5 if exact else 0.0, dtype="float32")
    place = xp.floor(to * xp.asarray(step, dtype="float32")).astype("int64")
    return xp.minimum(place, size - 1)
