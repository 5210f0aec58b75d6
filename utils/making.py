"""Tensors of random numbers for tests."""

from __future__ import annotations

import math
from typing import Any

from ..autograd.ops import complex as complex_of
from ..autograd.ops import empty, rand, randint
from ..backends import to_dtype
from ..backends.errors import InvalidValueError

__all__ = ["make_tensor"]

LIMIT = 9  # numbers lie in [-9, 9) unless told


def make_tensor(
    *shape: Any,
    dtype: Any,
    device: Any,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Any:
    """Uniform random numbers in [low, high), of any element type.

    Args:
        shape: the sizes, one by one or as one sequence.
        dtype: the element type.
        device: where to put it.
        low: the least number: -9 unless told, 0 for uint8 and bool.
        high: the limit above: 9 for floats, 10 for integers and 2 for bool unless told.
        requires_grad: whether gradients are wanted.
        noncontiguous: leave gaps in memory between the elements, if there are two or more.
        exclude_zero: replace zeros by 1, or by the least positive float.
        memory_format: how it lies in memory; not together with ``noncontiguous``.

    Raises:
        ValueError: a bound is NaN, ``low`` is not below ``high``, or both layouts are asked for. RuntimeError: an
            integer tensor cannot require grad.

    Example:
        >>> import wengert as wg
        >>> wg.testing.make_tensor(2, 3, dtype=wg.int64, device="cpu", low=0, high=1)
        tensor([[0, 0, 0],
                [0, 0, 0]])
    """
    sizes = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
    kind = to_dtype(dtype)
    if noncontiguous and memory_format is not None:
        raise InvalidValueError(
            f"The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got {noncontiguous=} and "
            f"{memory_format=}"
        )
    if requires_grad and kind.category < 2:
        raise InvalidValueError(f"`requires_grad=True` is not supported for boolean and integral dtypes, got {kind}")
    bounds = _bounds(kind, low, high)
    t = _numbers(sizes, kind, device, *bounds)
    if exclude_zero:
        t[t == 0] = 1 if kind.category < 2 else _least(kind)
    if noncontiguous and t.numel() > 1:
        spread = empty((*sizes, 2), dtype=kind, device=device)
        spread[..., 0] = t
        t = spread[..., 0]
    elif memory_format is not None:
        t = t.clone(memory_format=memory_format)
    return t.requires_grad_() if requires_grad else t


def _bounds(kind: Any, low: float | None, high: float | None) -> tuple[Any, Any]:
    """The bounds, within what the type holds."""
    usual = {0: (0, 2), 1: (0 if kind.name == "uint8" else -LIMIT, LIMIT + 1)}.get(kind.category, (-LIMIT, LIMIT))
    low, high = (usual[0] if low is None else low), (usual[1] if high is None else high)
    if math.isnan(low) or math.isnan(high):
        raise InvalidValueError(f"`low` and `high` cannot be NaN, but got {low=} and {high=}")
    if low > high or (low == high and kind.category < 2):
        raise InvalidValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    if kind.category < 2:
        return math.ceil(low), math.ceil(high)
    return low, high


def _numbers(sizes: tuple[int, ...], kind: Any, device: Any, low: Any, high: Any) -> Any:
    if kind.category < 2:
        return randint(low, high, sizes, device=device).to(kind)
    if kind.is_complex:
        part = kind.to_real()
        return complex_of(_numbers(sizes, part, device, low, high), _numbers(sizes, part, device, low, high))
    wide = rand(sizes, device=device, dtype=to_dtype("float64"))
    return (wide * (high - low) + low).to(kind)


def _least(kind: Any) -> float:
    from ..backends.dtypes import finfo

    return finfo(kind).tiny
