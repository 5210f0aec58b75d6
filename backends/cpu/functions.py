"""NumPy's functions of one array, on all threads where the array is large.

Each thread calls the same function on a stretch of memory, so results are those of one call.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from . import threads
from .compiled import compiled

NAMES = (
    "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctanh", "cbrt", "cos", "cosh", "exp", "exp2", "expm1",
    "log", "log10", "log1p", "log2", "sin", "sinh", "sqrt", "tan", "tanh",
)  # fmt: skip
__all__ = list(NAMES)
PIECE = 1 << 17  # elements that are worth asking for help; these functions take a nanosecond for two or three


def _on_threads(name: str) -> Callable[..., Any]:
    function = getattr(np, name)

    def kernel(x: Any, *args: Any, **options: Any) -> Any:
        if x.__class__ is not np.ndarray or x.size < 2 * PIECE or args or options or x.dtype.char not in "fd":
            return function(x, *args, **options)
        crew = compiled("crew", x.size)
        number = min(threads.get_num_threads(), x.size // PIECE)
        if crew is None or number < 2 or not x.flags.forc:
            return function(x)
        y = np.empty_like(x)
        flat, out = x.ravel("K"), y.ravel("K")

        def part(start: int, stop: int) -> None:
            function(flat[start:stop], out=out[start:stop])

        ends = [x.size * i // number for i in range(number + 1)]
        crew.call(part, [*itertools.pairwise(ends)], python=True)
        return y

    kernel.__name__ = name
    kernel.__doc__ = f"``np.{name}``; a large array of float32 or float64 is shared out among threads."
    return kernel


for _name in NAMES:
    globals()[_name] = _on_threads(_name)
