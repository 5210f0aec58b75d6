"""Optimizer steps in pieces that fit the cache: the plain rules, run on one piece after the other.

A rule makes a dozen passes over its arrays. On a piece they all stay in the cache, and so do its intermediates. SGD and
Adam on large buffers are taken over by ``optim_numba.py``, with the same result to the last bit.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..definitions import optim as plain
from .compiled import compiled

__all__ = ["gather_gradients", *(name for name in plain.__all__ if name.endswith("_step_"))]

# Bytes: the ten or so arrays of a rule stay in a 1 MiB second-level cache, and intermediates of this size come from
# memory that was used before; from 128 KiB on the C library maps fresh pages for each.
PIECE = 1 << 16


def gather_gradients(parts: list[Any]) -> Any:
    """Gradients end to end, or, when there is more than one piece of them, as they are: `pieces` takes a list."""
    if len(parts) == 1:
        return parts[0]
    return parts if sum([part.nbytes for part in parts]) > PIECE else np.concatenate(parts)


def pieces(p: Any, g: Any, state: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """``(p, g, *state)``, piece by piece. ``g`` may be a list of arrays that make up the gradient end to end."""
    parts = g if isinstance(g, list) else [g]
    longest = PIECE // p.itemsize
    start = 0  # in the flat arrays, of the gradients collected so far
    few: list[Any] = []
    stop = 0
    for part in parts:
        if few and stop - start + part.size > longest:
            yield _cut(p, _joined(few), state, start, stop)
            start, few = stop, []
        if part.size <= longest:
            few.append(part)
            stop += part.size
            continue
        for i in range(0, part.size, longest):
            piece = part[i : i + longest]
            yield _cut(p, piece, state, start, start + piece.size)
            start += piece.size
        stop = start
    if few:
        yield _cut(p, _joined(few), state, start, stop)


def _joined(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _cut(p: Any, g: Any, state: tuple[Any, ...], start: int, stop: int) -> tuple[Any, ...]:
    return (p[start:stop], g, *[None if s is None else s[start:stop] for s in state])


def in_pieces(rule: Callable[..., None]) -> Callable[..., None]:
    """The plain rule, on pieces of its arrays; arrays of more than one dimension as they are."""

    @functools.wraps(rule)
    def step(p: Any, g: Any, *state: Any, **options: Any) -> None:
        if p.nbytes <= PIECE or p.ndim != 1:
            rule(np, p, g, *state, **options)
            return
        for piece in pieces(p, g, state):
            rule(np, *piece, **options)

    return step


adadelta_step_ = in_pieces(plain.adadelta_step_)
adagrad_step_ = in_pieces(plain.adagrad_step_)
adamax_step_ = in_pieces(plain.adamax_step_)
asgd_step_ = in_pieces(plain.asgd_step_)
lion_step_ = in_pieces(plain.lion_step_)
nadam_step_ = in_pieces(plain.nadam_step_)
radam_step_ = in_pieces(plain.radam_step_)
rmsprop_step_ = in_pieces(plain.rmsprop_step_)
rprop_step_ = in_pieces(plain.rprop_step_)
sophia_step_ = in_pieces(plain.sophia_step_)


def _compiled(p: Any, least: int) -> Any:
    """The compiled rules, if they are worth it for this buffer, which should have ``least`` elements; else None."""
    return compiled("optim", p.size, least) if p.ndim == 1 and p.dtype.char in "fd" else None


_adam, _sgd = in_pieces(plain.adam_step_), in_pieces(plain.sgd_step_)


def adam_step_(p: Any, g: Any, exp_avg: Any, exp_avg_sq: Any, max_exp_avg_sq: Any, **options: Any) -> None:
    """See the definition."""
    loops = _compiled(p, 1 << 13) if max_exp_avg_sq is None else None
    rule = _adam if loops is None else loops.adam_step_
    rule(p, g, exp_avg, exp_avg_sq, max_exp_avg_sq, **options)


def sgd_step_(p: Any, g: Any, momentum_buffer: Any, **options: Any) -> None:
    """See the definition."""
    loops = _compiled(p, 1 << 15)
    (_sgd if loops is None else loops.sgd_step_)(p, g, momentum_buffer, **options)
