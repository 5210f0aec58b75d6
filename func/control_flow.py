"""Branches, loops and scans as functions, which PyTorch's compiler can look into. Here they are Python's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd import ops
from .tree import flatten, unflatten

__all__ = ["associative_scan", "cond", "scan", "while_loop"]


def cond(pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], operands: Any = ()) -> Any:
    """``true_fn(*operands)`` if ``pred``, else ``false_fn(*operands)``.

    Example:
        >>> import wengert as wg
        >>> wg.cond(wg.tensor(False), lambda x: x + 1, lambda x: x - 1, (wg.ones(2),))
        tensor([0., 0.])
    """
    return true_fn(*operands) if bool(pred) else false_fn(*operands)


def while_loop(cond_fn: Callable[..., Any], body_fn: Callable[..., Any], carried_inputs: Any) -> Any:
    """What ``body_fn`` makes of the inputs, again and again, until ``cond_fn`` of them is false."""
    carried = tuple(carried_inputs)
    while bool(cond_fn(*carried)):
        carried = tuple(body_fn(*carried))
    return carried


def _slices(xs: Any, dim: int, reverse: bool) -> tuple[list[Any], Any]:
    """For each place along a dimension, the slices of all tensors of a nesting; and its shape."""
    leaves, spec = flatten(xs)
    steps = list(zip(*[leaf.unbind(dim) for leaf in leaves], strict=True))
    return steps[::-1] if reverse else steps, spec


def _stacked(steps: list[Any], dim: int, reverse: bool) -> list[Any]:
    steps = steps[::-1] if reverse else steps
    return [ops.stack(parts, dim) for parts in zip(*steps, strict=True)]


def associative_scan(
    combine_fn: Callable[..., Any], xs: Any, dim: int, reverse: bool = False, combine_mode: str = "pointwise"
) -> Any:
    """Running results of an associative function of two: of the first slices, of the first two, and so on.

    Args:
        combine_fn: a function of two slices, or of two nestings of slices.
        xs: a tensor, or a nesting of tensors.
        dim: along which dimension.
        reverse: whether to begin at the end.
        combine_mode: for PyTorch's sake.

    Example:
        >>> import wengert as wg
        >>> from wengert.func.control_flow import associative_scan
        >>> associative_scan(lambda a, b: a * b, wg.tensor([1.0, 2.0, 3.0]), 0)
        tensor([1., 2., 6.])
    """
    steps, spec = _slices(xs, dim, reverse)
    done = list(steps[:1])
    for step in steps[1:]:
        combined = combine_fn(unflatten(spec, list(done[-1])), unflatten(spec, list(step)))
        done.append(tuple(flatten(combined)[0]))
    return unflatten(spec, _stacked(done, dim, reverse))


def scan(combine_fn: Callable[..., Any], init: Any, xs: Any, *, dim: int = 0, reverse: bool = False) -> tuple[Any, Any]:
    """A loop over slices: ``carry, y = combine_fn(carry, slice)``.

    Args:
        combine_fn: the body.
        init: the first carry.
        xs: a tensor, or a nesting of tensors.
        dim: along which dimension.
        reverse: whether to begin at the end.

    Returns:
        The last carry, and all ``y``, stacked along a first dimension.
    """
    steps, spec = _slices(xs, dim, reverse)
    outputs: list[Any] = []
    shape: Any = None
    for step in steps:
        init, y = combine_fn(init, unflatten(spec, list(step)))
        leaves, shape = flatten(y)
        outputs.append(tuple(leaves))
    return init, unflatten(shape, _stacked(outputs, 0, reverse))
