"""Special functions on NumPy: the plain definitions over pieces, whose many intermediate results stay in the cache."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..definitions import bessel, gamma, special
from .blockwise import blockwise
from .compiled import compiled, spread
from .namespace import FASTER


def in_pieces(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """An elementwise definition, run on one stretch of its arrays after the other."""
    formula = functools.partial(kernel, FASTER)

    @functools.wraps(kernel)
    def run(x: Any, *args: Any, **params: Any) -> Any:
        return blockwise(formula, x, *args, **params)

    return run


NAMES = {
    gamma: ("digamma", "gammainc", "gammaincc", "lgamma", "polygamma", "zeta"),
    special: ("entr", "erfc", "erfcx", "erfinv", "log_ndtr", "ndtr", "ndtri"),
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
