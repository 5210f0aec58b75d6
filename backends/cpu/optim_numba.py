"""SGD and Adam for large buffers, compiled: one pass over memory, on all threads. Imported only when it pays.

The loops do the arithmetic of ``definitions/optim.py`` in the same order and the same precision, so that a training
run does not depend on whether, or when, they take over.
"""

from __future__ import annotations

import functools
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core import cgutils

from .compiled import spread
from .crew_numba import enter
from .jit_numba import instructions, loop

__all__: list[str] = []  # found through cpu/optim.py

CHUNK = 1 << 14  # elements of a piece


@instructions
def _pointer(typingctx: Any, address: Any) -> Any:
    """An address as a pointer, for `numba.carray`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], cgutils.voidptr_t)

    return types.voidptr(types.uintp), codegen


@functools.lru_cache(maxsize=64)
def _chunks(sizes: tuple[int, ...]) -> Any:
    """Rows of ``(start, stop, part, offset)``: pieces of the flat buffer that lie in one part of the gradient."""
    rows, start = [], 0
    for part, size in enumerate(sizes):
        rows += [(start + i, start + min(i + CHUNK, size), part, i) for i in range(0, size, CHUNK)]
        start += size
    return np.array(rows, dtype=np.int64).reshape(-1, 4)


@loop
def _sgd(begin: int, end: int, p: Any, bases: Any, chunks: Any, b: Any, lr: Any, momentum: Any, rest: Any,
         decay: Any, sign: Any, moves: bool, nesterov: bool, first: bool) -> None:  # fmt: skip
    enter()
    for c in range(begin, end):
        start, stop, part, offset = chunks[c, 0], chunks[c, 1], chunks[c, 2], chunks[c, 3]
        g = numba.carray(_pointer(bases[part] + np.uintp(offset * p.itemsize)), (stop - start,), p.dtype)
        w, buffer = p[start:stop], b[start:stop]
        for i in range(stop - start):
            d = sign * g[i]
            if decay != 0:
                d = d + decay * w[i]
            if moves:
                kept = d if first else momentum * buffer[i] + rest * d
                buffer[i] = kept
                d = d + momentum * kept if nesterov else kept
            w[i] = w[i] - lr * d


@loop
def _adam(begin: int, end: int, p: Any, bases: Any, chunks: Any, m: Any, v: Any, rate: Any, left1: Any, beta2: Any,
          left2: Any, scale: Any, eps: Any, decay: Any, keep: Any, sign: Any) -> None:  # fmt: skip
    enter()
    for c in range(begin, end):
        start, stop, part, offset = chunks[c, 0], chunks[c, 1], chunks[c, 2], chunks[c, 3]
        g = numba.carray(_pointer(bases[part] + np.uintp(offset * p.itemsize)), (stop - start,), p.dtype)
        w, average, square = p[start:stop], m[start:stop], v[start:stop]
        for i in range(stop - start):
            d = sign * g[i]
            if decay != 0:
                d = d + decay * w[i]
            a = average[i] + left1 * (d - average[i])
            s = beta2 * square[i] + left2 * d * d
            average[i] = a
            square[i] = s
            w[i] = keep * w[i] - rate * a / (np.sqrt(s) * scale + eps)


def _run(
    rule: Any, p: Any, g: Any, state: tuple[Any, ...], numbers: tuple[float, ...], flags: tuple[bool, ...]
) -> None:
    parts = [
        part if part.flags.c_contiguous else np.ascontiguousarray(part) for part in (g if isinstance(g, list) else [g])
    ]
    bases = np.array([part.__array_interface__["data"][0] for part in parts], dtype=np.uintp)
    chunks = _chunks(tuple([part.size for part in parts]))
    numbers = tuple([p.dtype.type(number) for number in numbers])
    spread(rule, len(chunks), CHUNK, p, bases, chunks, *state, *numbers, *flags)


def sgd_step_(p: Any, g: Any, momentum_buffer: Any, *, lr: float, momentum: float, dampening: float,
              weight_decay: float, nesterov: bool, maximize: bool, first: bool) -> None:  # fmt: skip
    """See the definition."""
    numbers = (lr, momentum, 1 - dampening, weight_decay, -1.0 if maximize else 1.0)
    buffer = p if momentum_buffer is None else momentum_buffer
    _run(_sgd, p, g, (buffer,), numbers, (bool(momentum), bool(nesterov), bool(first)))


def adam_step_(p: Any, g: Any, exp_avg: Any, exp_avg_sq: Any, max_exp_avg_sq: None, *, lr: float, beta1: float,
               beta2: float, eps: float, weight_decay: float, decoupled: bool, maximize: bool,
               step: int) -> None:  # fmt: skip
    """See the definition."""
    keep = 1 - lr * weight_decay if decoupled else 1.0
    decay = 0.0 if decoupled else weight_decay
    rate, scale = lr / (1 - beta1**step), 1 / (1 - beta2**step) ** 0.5
    numbers = (rate, 1 - beta1, beta2, 1 - beta2, scale, eps, decay, keep, -1.0 if maximize else 1.0)
    _run(_adam, p, g, (exp_avg, exp_avg_sq), numbers, ())
