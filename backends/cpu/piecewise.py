"""Special functions on NumPy: the plain definitions over pieces, whose many intermediate results stay in the cache."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..definitions import bessel, gamma, special
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
globals().update(FOUND)
__all__ = list(FOUND)
