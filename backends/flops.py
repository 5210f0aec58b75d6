"""Counting the arithmetic of matrix products, convolutions and attention while they run, on every backend."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

from . import kernels_of

__all__ = ["counted_flops"]


def _all_labels(y: Any, a: Any, b: Any, left: Any, right: Any, out: Any) -> int:
    sizes = dict(zip(left, a.shape, strict=True)) | dict(zip(right, b.shape, strict=True))
    count: int = math.prod(sizes.values())
    return count


def _lstm(y: Any, drive: Any, h: Any, c: Any, weight: Any, project: Any, *rest: Any, **params: Any) -> int:
    numbers: int = weight.size + (0 if project is None else project.size)
    return len(drive) * numbers


# For each kernel that multiplies matrices: how many multiplications with additions, from its result and arguments.
PRODUCTS: dict[str, Callable[..., int]] = {
    "linear": lambda y, x, w, *_, **__: x.size * w.shape[0],
    "mm": lambda y, x, w, transposed=False: y.size * x.shape[-1],
    "bmm": lambda y, a, b, ta=False, tb=False: y.size * a.shape[-2 if ta else -1],
    "conv": lambda y, x, w, *_, **__: y.size * math.prod(w.shape[1:]),
    "conv_input": lambda y, g, w, *_, **__: g.size * math.prod(w.shape[1:]),
    "conv_weight": lambda y, x, g, *_, **__: g.size * math.prod(y.shape[1:]),
    "gram": lambda y, a, b: y.size * math.prod(a.shape[:-1]),
    "linear_backward": lambda y, g, x, w, bias: g.size * sum([v.shape[-1] for v in (x, w) if v is not None]),
    "contract": _all_labels,
    "attention": lambda y, q, k, v, *_, **__: math.prod(q.shape[:-1]) * k.shape[-2] * (q.shape[-1] + v.shape[-1]),
    "lstm_sequence": _lstm,
    "gru_sequence": lambda y, drive, h, w, *_, **__: len(drive) * w.size,
    "rnn_sequence": lambda y, drive, h, w, *_, **__: len(drive) * w.size,
}


@contextlib.contextmanager
def counted_flops(report: Callable[[int], None]) -> Iterator[None]:
    """Within this block, ``report(count)`` is called with the floating-point operations of every product.

    A multiplication and an addition are 2. Kernels are looked up by name when an op runs, so that a counting one in
    their place sees every product.
    """

    def counting(kernel: Callable[..., Any], cost: Callable[..., int]) -> Callable[..., Any]:
        def run(*args: Any, **params: Any) -> Any:
            y = kernel(*args, **params)
            report(2 * cost(y, *args, **params))
            return y

        return run

    tables = list({id(k): k for k in kernels_of.values()}.values())
    before = [(k, name, getattr(k, name)) for k in tables for name in PRODUCTS if k.has(name)]
    try:
        for k, name, kernel in before:
            setattr(k, name, counting(kernel, PRODUCTS[name]))
        yield
    finally:
        for k, name, kernel in before:
            setattr(k, name, kernel)
