"""Tensors of one example of a batch: how they come out of a batch and go back into one, gradients included.

Inside of ``vmap`` a tensor's array is a `wengert.backends.batched.BatchedArray`, and every op runs on it as on any
other. Three operations join it to the tensors around: `Enter`, `Leave`, and `Lift`, for a tensor that all examples
share.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from ..backends import kernels_of
from ..backends.batched import BatchedArray, BatchError, lifted
from ..backends.batched.array import KINDS, deeper, deepest
from ..backends.sparse import SparseArray
from .base import TensorBase
from .grad_mode import mode
from .primitive import Primitive, apply, bind_levels

__all__ = ["Enter", "Leave", "Lift", "enter", "leave", "lift"]


class Enter(Primitive):
    """A batch as one example of it."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, kind: Any, dim: int) -> Any:
        ctx.info = kind, dim
        if type(x) is not kind.outer:
            raise BatchError("vmap: a batch of gradients meets a graph that was recorded under vmap")
        return kind.of(kernels_of[type(x)].xp.moveaxis(x, dim, 0))

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        kind, dim = ctx.info
        return apply(Leave, lift(g, kind), kind=kind, dim=dim)


class Leave(Primitive):
    """One example as the batch."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, kind: Any, dim: int) -> Any:
        ctx.info = kind, dim
        return kernels_of[type(x._all)].xp.moveaxis(x._all, 0, dim)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        kind, dim = ctx.info
        return enter(g, kind, dim)


class Lift(Primitive):
    """A tensor that all examples share as one of a batch."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, kind: Any) -> Any:
        ctx.info = kind
        return lifted(x, kind)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        # Within the mapped function the gradient is that of an example; seen from outside, all examples add to it.
        kind = ctx.info
        return g if any(kind is k for k, _ in mode.levels) else apply(Total, lift(g, kind), kind=kind)


class Total(Primitive):
    """The sum over the examples."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, kind: Any) -> Any:
        ctx.info = kind
        return kernels_of[type(x._all)].sum(x._all, 0) if x._all.ndim > 1 else x._all.sum(0)[...]

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return lift(g, ctx.info)


def enter(tensor: Any, kind: type[BatchedArray], dim: int) -> Any:
    """A tensor as one example along ``dim``."""
    if issubclass(kind.outer, BatchedArray) and getattr(type(array_of(tensor)), "depth", 0) < kind.outer.depth:
        tensor = lift(tensor, kind.outer)
    return apply(Enter, tensor, kind=kind, dim=dim)


def array_of(value: Any) -> Any:
    """The array of a Tensor; an array as it is."""
    return value._data if isinstance(value, TensorBase) else value


def leave(tensor: Any, kind: type[BatchedArray], dim: int) -> Any:
    """An example's tensor (or one that does not depend on the example) as the batch along ``dim``."""
    return apply(Leave, lift(tensor, kind), kind=kind, dim=dim)


def lift(value: Any, kind: type[BatchedArray]) -> Any:
    """A Tensor or array that all examples share as one of a batch; one of a batch as it is."""
    array = array_of(value)
    if type(array) is kind:
        return value
    if isinstance(array, SparseArray):
        raise BatchError("vmap: a sparse tensor meets one of a batch, which is not supported; use its to_dense()")
    return apply(Lift, value, kind=kind) if isinstance(value, TensorBase) else lifted(array, kind)


def together(prim: Any, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The operands of an op, all of one level.

    Raises:
        RuntimeError: an operand comes from a call of ``vmap`` that has ended.
    """
    kind: Any = None
    alike = True  # whether all operands that have arrays are of that level
    for v in values:
        found = type(v._data if isinstance(v, TensorBase) else v)
        if found in KINDS:
            if kind is None:
                kind = found
            elif found is not kind:
                kind, alike = deeper(kind, found), False
        elif alike and found in kernels_of:
            alike = False
    if kind is None or alike or prim in OWN:
        return values
    return tuple([lift(v, kind) if isinstance(v, TensorBase) or type(v) in kernels_of else v for v in values])


def outermost_array(arrays: list[Any]) -> Any:
    """The array on whose type a new level is built: one of the innermost level that runs, if there is one."""
    kind: Any = deepest(arrays)
    inner = mode.levels[-1][0] if mode.levels else None
    if inner is not None and (kind is None or inner.depth > kind.depth):
        return lifted(arrays[0], inner)
    return next(a for a in arrays if kind is None or type(a) is kind)


@contextlib.contextmanager
def level(kind: type[BatchedArray], randomness: str) -> Iterator[None]:
    """While the mapped function runs."""
    bind_levels(together)
    before, mode.levels = mode.levels, (*mode.levels, (kind, randomness))
    try:
        yield
    finally:
        mode.levels = before


def drawn(numbers: Callable[..., Any], shape: tuple[int, ...], args: tuple[Any, ...]) -> Any:
    """An array of random numbers in the levels that run, each of which wants the same for all examples, or others.

    Args:
        numbers: ``numbers(shape, *args)`` draws outside of any level.
        shape: of an example.
        args: what else it takes, such as probabilities, which may be of a level.

    Raises:
        RuntimeError: the innermost level refuses random numbers.
    """
    if mode.levels[-1][1] == "error":
        raise BatchError(
            "vmap: called random operation while in randomness error mode. Please either use the 'same' or "
            "'different' randomness flags on vmap or perform the randomness operation out of vmap"
        )
    return _drawn(mode.levels, numbers, tuple(shape), args)


def _drawn(levels: Any, numbers: Callable[..., Any], shape: tuple[int, ...], args: tuple[Any, ...]) -> Any:
    if not levels:
        return numbers(shape, *args)
    *outer, (kind, randomness) = levels
    if randomness == "same":
        return _drawn(outer, numbers, shape, args)
    whole = tuple([lift(a, kind)._all if type(a) in kernels_of else a for a in args])
    made = _drawn(outer, numbers, (kind.batch, *shape), whole)
    if issubclass(kind.outer, BatchedArray) and type(made) is not kind.outer:
        made = lifted(made, kind.outer)
    return kind.of(made)


OWN = (Enter, Leave, Lift, Total)
