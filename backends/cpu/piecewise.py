"""Special functions on NumPy: the plain definitions over pieces, whose many intermediate results stay in the cache."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..definitions import bessel, gamma, special
from .compiled import compiled, spread
from .namespace import FASTER

PIECE = 8192  # elements, in float64


def in_pieces(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """An elementwise definition, run on one stretch of its arrays after the other."""

    @functools.wraps(kernel)
    def run(x: Any, *args: Any, **params: Any) -> Any:
        others = [a for a in args if isinstance(a, np.ndarray)]
        alike = all(a.shape == x.shape and a.flags.c_contiguous for a in others) and len(others) == len(args)
        if x.size <= PIECE or not x.flags.c_contiguous or not alike:
            return kernel(FASTER, x, *args, **params)
        flat = [a.reshape(-1) for a in (x, *args)]
        y = np.empty(x.shape, x.dtype)
        for start in range(0, x.size, PIECE):
            part = slice(start, start + PIECE)
            y.reshape(-1)[part] = kernel(FASTER, *[a[part] for a in flat], **params)
        return y

    return run


NAMES = {
    gamma: ("digamma", "gammainc", "gammaincc", "lgamma", "polygamma", "zeta"),
    special: ("erfc", "erfcx", "erfinv", "log_ndtr", "ndtr", "ndtri"),
    bessel: tuple(bessel.__all__),
}
FOUND = {name: in_pieces(getattr(module, name)) for module, names in NAMES.items() for name in names}


def compiled_above_half(name: str) -> Callable[..., Any]:
    """A function of the gamma family by the compiled loop of that name, where its float32 argument is 1/2 or more."""
    others = FOUND[name]

    @functools.wraps(others)
    def run(x: Any) -> Any:
        loops = compiled("gamma", 16 * x.size) if x.dtype.char == "f" and x.flags.c_contiguous else None
        if loops is None:
            return others(x)
        y = np.empty(x.shape, np.float32)
        loop, flat = getattr(loops, name), (x.reshape(-1), y.reshape(-1))
        spread(lambda start, stop: loop(*[a[start:stop] for a in flat]), x.size, 16)
        rest = ~((x >= 0.5) & (x < FAR))  # NaN, too
        if rest.any():
            y[rest] = others(x[rest])
        return y

    return run


def polygamma(x: Any, n: int) -> Any:
    """The n-th derivative of `digamma`."""
    return FOUND["digamma"](x) if n == 0 else in_pieces(gamma.polygamma)(x, n=n)


FAR = 1e30
FOUND.update({name: compiled_above_half(name) for name in ("digamma", "lgamma")})
FOUND["polygamma"] = polygamma
globals().update(FOUND)
__all__ = list(FOUND)
