"""Users' Functions within ``vmap`` and forward mode: their own ``vmap`` and ``jvp``, where they wrote one."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..backends.errors import GraphError
from .base import TensorBase
from .batching import enter, leave
from .forward_mode import carry, state, tangent_of
from .grad_mode import mode

__all__ = ["VmapInfo", "apply_by_level"]


class VmapInfo(NamedTuple):
    """What a Function's ``vmap`` is told.

    Attributes:
        batch_size: how many examples there are.
        randomness: what the call of ``vmap`` says about random numbers.
    """

    batch_size: int
    randomness: str


def apply_by_level(function: Any, base: Any, args: tuple[Any, ...]) -> Any:
    """A call of a Function by the rule that it has for the innermost level; NotImplemented where it has none.

    Without one its ``forward`` runs as it is: tangents and batches go through the operations in it.
    """
    if function.vmap is not base.vmap and mode.levels:
        kind, randomness = mode.levels[-1]
        if any(isinstance(a, TensorBase) and type(a._data) is kind for a in args):
            return _mapped(function, args, kind, randomness)
    if function.jvp is not base.jvp and state.seen:
        level = state.levels[state.seen - 1]
        dots = [tangent_of(a, level) if isinstance(a, TensorBase) else None for a in args]
        if any(d is not None for d in dots):
            return _with_tangents(function, args, dots, level)
    return NotImplemented


def _mapped(function: Any, args: tuple[Any, ...], kind: Any, randomness: str) -> Any:
    """The batch, given to the Function's ``vmap`` at the level around."""
    batched = [isinstance(a, TensorBase) and type(a._data) is kind for a in args]
    in_dims = tuple([0 if b else None for b in batched])
    whole = [leave(a, kind, 0) if b else a for a, b in zip(args, batched, strict=True)]
    levels, mode.levels = mode.levels, mode.levels[:-1]
    try:
        result = function.vmap(VmapInfo(kind.batch, randomness), in_dims, *whole)
    finally:
        mode.levels = levels
    if not isinstance(result, tuple) or len(result) != 2:
        raise GraphError(
            f"{function.__name__}.vmap must return two things: the outputs, and the dimension of the batch in each"
        )
    outputs, dims = result
    if not isinstance(outputs, tuple):
        return outputs if dims is None else enter(outputs, kind, dims)
    dims = dims if isinstance(dims, tuple) else (dims,) * len(outputs)
    return tuple([o if d is None else enter(o, kind, d) for o, d in zip(outputs, dims, strict=True)])


def _with_tangents(function: Any, args: tuple[Any, ...], dots: list[Any], level: Any) -> Any:
    """The outputs with the tangents that the Function's ``jvp`` gives."""
    before, state.seen = state.seen, state.seen - 1
    try:
        result, ctx = function._apply(args)
        ctx._in_jvp = True
        try:
            found = function.jvp(ctx, *dots)
        finally:
            ctx._in_jvp = False
    finally:
        state.seen = before
    outputs = result if isinstance(result, tuple) else (result,)
    tangents = found if isinstance(found, tuple) else (found,)
    if len(tangents) != len(outputs):
        raise GraphError(
            f"{function.__name__}.jvp returned an incorrect number of tangents (expected {len(outputs)}, got "
            f"{len(tangents)}): return one for each output of forward"
        )
    for output, tangent in zip(outputs, tangents, strict=True):
        if tangent is not None and isinstance(output, TensorBase):
            carry(output, level, tangent)
    return result
