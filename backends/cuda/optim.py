"""Optimizer steps over whole flat buffers, and clipping by a norm, on the GPU; the source is ``optim.cu``.

A step is one launch for every 120 parameters: gradients are read where they lie.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import cupy
import numpy as np

from ..definitions import clip as plain_clip
from ..definitions import optim as plain
from .loader import by_items, launch, takes, wide_type

__all__ = ["scale_to_norm_", "total_norm", "unscale_", *plain.__all__]

MANY = 120  # pieces that a launch takes, as in optim.cu
PARTS = np.dtype([("count", "i8"), ("start", "i8", (MANY + 1,)), ("part", "u8", (MANY,))])


class Pieces(list[Any]):
    """Gradients that follow one another in a flat buffer, but lie where they are."""


def gather_gradients(parts: Any) -> Any:
    """The gradients, end to end where the step that takes them wants that; see the definition."""
    return parts[0] if len(parts) == 1 else Pieces(parts)


def _launches(pieces: Sequence[Any]) -> Iterator[tuple[int, int, Any]]:
    """For every launch: where its line begins, how long it is, and the struct of its pieces."""
    begin = 0
    for first in range(0, len(pieces), MANY):
        some = pieces[first : first + MANY]
        ends = np.cumsum([0, *[piece.size for piece in some]])
        table = np.zeros((), PARTS)
        table["count"] = len(some)
        table["start"] = ends[-1]
        table["start"][: len(some) + 1] = ends
        table["part"][: len(some)] = [piece.data.ptr for piece in some]
        yield begin, int(ends[-1]), table
        begin += int(ends[-1])


def _pieces(g: Any) -> list[Any]:
    return list(g) if isinstance(g, Pieces) else [g]


def _suits(p: Any, pieces: list[Any], state: tuple[Any, ...], numbers: Any) -> bool:
    arrays = [p, *pieces, *[s for s in state if s is not None]]
    plainly = all(type(number) in (int, float, bool) for number in numbers)
    return plainly and takes(*arrays) and all(a.flags.c_contiguous for a in arrays)


def _joined(g: Any) -> Any:
    return plain.gather_gradients(cupy, g) if isinstance(g, Pieces) else g


def adam_step_(p: Any, g: Any, exp_avg: Any, exp_avg_sq: Any, max_exp_avg_sq: Any, **options: Any) -> None:
    """See the definition."""
    pieces = _pieces(g)
    if not _suits(p, pieces, (exp_avg, exp_avg_sq, max_exp_avg_sq), options.values()):
        plain.adam_step_(cupy, p, _joined(g), exp_avg, exp_avg_sq, max_exp_avg_sq, **options)
        return
    names = "lr", "step", "beta1", "beta2", "eps", "weight_decay", "decoupled", "maximize"
    numbers = [options[name] for name in names]
    for begin, length, table in _launches(pieces):
        if length:
            given = p, exp_avg, exp_avg_sq, max_exp_avg_sq, table, begin, None
            launch("adam_step", p.dtype, by_items(length, 4), *given, *numbers)


def sgd_step_(p: Any, g: Any, momentum_buffer: Any, **options: Any) -> None:
    """See the definition."""
    pieces = _pieces(g)
    if not _suits(p, pieces, (momentum_buffer,), options.values()):
        plain.sgd_step_(cupy, p, _joined(g), momentum_buffer, **options)
        return
    names = "lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize", "first"
    numbers = [options[name] for name in names]
    buffer = momentum_buffer if options["momentum"] else None
    for begin, length, table in _launches(pieces):
        if length:
            launch("sgd_step", p.dtype, by_items(length, 4), p, buffer, table, begin, None, *numbers)


def _gathered(rule: Any) -> Any:
    """A rule of the definitions, with gradients put end to end first."""

    @functools.wraps(rule)
    def step(p: Any, g: Any, *state: Any, **options: Any) -> None:
        rule(cupy, p, _joined(g), *state, **options)

    return step


# The other rules are CuPy's; they are here since they, too, get what `gather_gradients` returns.
adadelta_step_ = _gathered(plain.adadelta_step_)
adagrad_step_ = _gathered(plain.adagrad_step_)
adamax_step_ = _gathered(plain.adamax_step_)
asgd_step_ = _gathered(plain.asgd_step_)
lion_step_ = _gathered(plain.lion_step_)
nadam_step_ = _gathered(plain.nadam_step_)
radam_step_ = _gathered(plain.radam_step_)
rmsprop_step_ = _gathered(plain.rmsprop_step_)
rprop_step_ = _gathered(plain.rprop_step_)
sophia_step_ = _gathered(plain.sophia_step_)


def total_norm(arrays: Sequence[Any], order: float) -> Any:
    """The norm of all elements of all arrays; see the definition. No array is copied."""
    whole = [a for a in arrays if a.size]
    if order <= 0 or not whole or not takes(*arrays) or not all(a.flags.c_contiguous for a in arrays):
        return plain_clip.total_norm(cupy, arrays, order)
    dtype, power = whole[0].dtype, 0.0 if order == math.inf else float(order)
    runs = [(table, by_items(length, 16)) for _, length, table in _launches(whole)]
    blocks = sum(grid[0] for _, (grid, _) in runs)
    partial, slot = cupy.empty(blocks, wide_type(dtype)), 0
    for table, shape in runs:
        launch("norm_parts", dtype, shape, partial, table, slot, power)
        slot += shape[0][0]
    out = cupy.empty((), dtype)
    launch("finish_norm", dtype, ((1,), (512,)), out, partial, blocks, power)
    return out


def scale_to_norm_(arrays: Sequence[Any], norm: Any, max_norm: float) -> None:
    """Multiply arrays by ``max_norm / norm`` where that is below 1; see the definition."""
    whole = [a for a in arrays if a.size]
    if not whole or not takes(norm, *whole) or not all(a.flags.c_contiguous for a in whole):
        plain_clip.scale_to_norm_(cupy, arrays, norm, max_norm)
        return
    for _, length, table in _launches(whole):
        launch("scale_parts", norm.dtype, by_items(length, 4), table, norm, float(max_norm))


def unscale_(arrays: Sequence[Any], found: Any, inverse: Any) -> None:
    """Multiply arrays by ``inverse``, and note whether one has an infinity or NaN; see the definition."""
    whole = [a for a in arrays if a.size]
    plainly = found.dtype.char == inverse.dtype.char == "f" and len({a.dtype.char for a in whole}) == 1
    if not plainly or not takes(*whole) or not all(a.flags.c_contiguous for a in whole):
        plain_clip.unscale_(cupy, arrays, found, inverse)
        return
    for _, length, table in _launches(whole):
        launch("unscale_parts", whole[0].dtype, by_items(length, 4), table, found, inverse)
