"""The error function of float32 on NumPy, over pieces that stay in the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..definitions import special as plain
from .blockwise import narrow
from .compiled import LEAST, LIGHT, compiled, spread

__all__ = ["erf"]

FLOAT32 = np.dtype("float32")
PIECE = 16384  # elements: the few buffers of float32 that a function uses stay in the second cache
# erf(x) = tanh(x * p(x**2)) with a polynomial p, lowest power first: a minimax fit, good to 2e-7 everywhere. NumPy's
# tanh of float32 is vectorised and costs little more than a product.
ERF = (
    1.128379274022564, 0.10276905748007777, -0.00019183250088401755, -0.0006197851805372704, 8.763835908543579e-05,
    -5.668802568342542e-06, 1.4188190013198391e-07,
)  # fmt: skip


def pieces(out: Any, *arrays: Any) -> Iterator[tuple[Any, ...]]:
    """The same stretches of several contiguous arrays of one shape and layout, flat."""
    flat = [a.reshape(-1) if out.flags.c_contiguous else a.ravel("K") for a in (out, *arrays)]
    for start in range(0, out.size, PIECE):
        yield tuple([a[start : start + PIECE] for a in flat])


def erf_into(y: Any, x: Any, coefficients: tuple[float, ...] = ERF) -> None:
    """``y = erf(x)`` for float32 arrays; ``y`` may not be ``x``."""
    z = np.multiply(x, x)
    np.multiply(z, coefficients[-1], out=y)
    for c in coefficients[-2:0:-1]:
        np.add(y, c, out=y)
        np.multiply(y, z, out=y)
    np.add(y, coefficients[0], out=y)
    np.multiply(y, x, out=y)
    np.tanh(y, out=y)


def mapped(function: Callable[..., None], x: Any, *others: Any) -> Any:
    """``function(out, x, ...)`` over arrays of one shape and layout, piece by piece."""
    out = np.empty_like(x)
    for parts in pieces(out, x, *others):
        function(*parts)
    return out


def alike(x: Any, *others: Any) -> bool:
    """Whether arrays are of float32, and contiguous in one order, so that flat views of them correspond."""
    if x.dtype.char != "f" or not x.ndim or not x.size or not _solid(x):
        return False
    return all(a.dtype.char == "f" and a.shape == x.shape and a.strides == x.strides for a in others)


CHEAP = frozenset(
    f"{name}_backward" for name in ("beyond", "hardswish", "inside", "leaky_relu", "relu", "sigmoid", "tanh", "within")
) | {"relu"}


def looped(name: str, x: Any, *others: Any, numbers: tuple[float, ...] = (), least: int | None = None) -> Any:
    """The compiled loop ``name`` over float32 arrays of one shape; None where NumPy is to do it.

    Args:
        name: a function of ``activation_numba.py``.
        x: its first array, or its second, after a gradient that comes first in ``others``.
        others: a gradient, which is laid out as ``x`` is.
        numbers: what follows the arrays.
        least: as in `compiled`.
    """
    loops = compiled("activation", x.size, least=least)
    if loops is None:
        return None
    if x.size < LEAST and x.dtype.char == "f" and x.flags.c_contiguous:
        # Small arrays as they mostly are: a compiled loop costs as little to call as one of NumPy's functions.
        for g in others:
            if g.dtype.char != "f" or g.shape != x.shape or not g.flags.c_contiguous:
                break
        else:
            out = np.empty(x.shape, FLOAT32)
            flat = [a.ravel() for a in (*others, x, out)]
            getattr(loops, name)(*flat, *[np.float32(n) for n in numbers])
            return out
    if not alike(x):
        return None
    gradients = []
    for g in others:
        if g.dtype.char != "f" or g.shape != x.shape:
            return None
        if g.strides != x.strides:
            laid = np.empty_like(x)
            laid[...] = g
            g = laid
        gradients.append(g)
    out = np.empty_like(x)
    *flat, end = [a.reshape(-1) if x.flags.c_contiguous else a.ravel("K") for a in (*gradients, x, out)]
    loop, scalars = getattr(loops, name), [np.float32(n) for n in numbers]
    if x.size < LEAST:
        loop(*flat, end, *scalars)
        return out
    work = LIGHT if name in CHEAP else 1
    spread(lambda start, stop: loop(*[a[start:stop] for a in (*flat, end)], *scalars), x.size, work)
    return out


def _solid(x: Any) -> bool:
    """Whether the elements fill their memory, in whatever order of dimensions (channels last, say)."""
    if x.flags.forc:
        return True
    step = x.itemsize
    for stride, n in sorted(zip(x.strides, x.shape, strict=True)):
        if n > 1:
            if stride != step:
                return False
            step *= n
    return True


def erf(x: Any) -> Any:
    """The error function; see the definition."""
    if (y := looped("erf_", x)) is not None:
        return y
    if not alike(x):
        return narrow(erf, plain.erf, x)
    return mapped(erf_into, x)
