"""Checkpointing: keep the inputs of a part of a model instead of its insides, and compute these again in backward.

The part runs once forward, recorded, so that every tensor that it read is known, parameters reached through a closure
included. That record is then dropped, and one node takes its place.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

from ..autograd.base import TensorBase, alias, edge_of, wrap
from ..autograd.engine import Pass, as_array
from ..autograd.function import Function
from ..autograd.grad_mode import enable_grad, is_grad_enabled
from ..autograd.node import LEAF, OUTPUT
from ..autograd.primitive import next_seq
from ..autograd.random import get_rng_state, set_rng_state
from ..backends.errors import GraphError, InvalidValueError

__all__ = ["CheckpointError", "checkpoint", "checkpoint_sequential", "noop_context_fn"]


class CheckpointError(GraphError):
    """The second run of a checkpointed function did not do what the first did."""


def noop_context_fn() -> tuple[Any, Any]:
    """Two contexts that do nothing: for the first run, and for the runs in backward."""
    return contextlib.nullcontext(), contextlib.nullcontext()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)``, whose intermediate values are computed again in backward instead of kept.

    Gradients, also those of gradients, and those of tensors that ``function`` reaches by itself, are as without it.

    Args:
        function: gives the same result when it is called again; it may not write to its arguments.
        args: its arguments; Tensors may be nested in tuples, lists and dictionaries.
        use_reentrant: accepted as in PyTorch; there is one way to do it.
        context_fn: gives a context for the first run and one for the runs in backward.
        determinism_check: ``"default"`` compares shapes and dtypes of the runs' results, ``"none"`` does not.
        debug: accepted as in PyTorch.
        early_stop: accepted as in PyTorch.
        preserve_rng_state: draw the same random numbers again.
        kwargs: passed to ``function``.

    Raises:
        ValueError: ``determinism_check`` is neither of the two.

    Example:
        >>> import wengert as wg
        >>> from wengert.utils.checkpoint import checkpoint
        >>> x = wg.tensor([2.0], requires_grad=True)
        >>> checkpoint(lambda x: x.exp().log() * 3, x, use_reentrant=False).backward()
        >>> x.grad
        tensor([3.])

    References:
        Chen et al., Training Deep Nets with Sublinear Memory Cost, 2016.
    """
    if determinism_check not in ("default", "none"):
        raise InvalidValueError(f"determinism_check must be 'default' or 'none', not {determinism_check!r}")
    first, again = context_fn()
    if not is_grad_enabled():
        with first:
            return function(*args, **kwargs)
    segment = _Segment(function, (args, kwargs), again, preserve_rng_state, determinism_check == "default")
    return segment.record(first)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Run modules one after the other, checkpointed in ``segments`` parts; the last part keeps its values.

    Args:
        functions: a ``Sequential``, or modules or functions in order.
        segments: how many parts.
        input: what the first of them takes.
        use_reentrant: see `checkpoint`.
        kwargs: ``preserve_rng_state``, see `checkpoint`.

    Raises:
        ValueError: there is another keyword.

    Example:
        >>> import wengert as wg
        >>> from wengert.utils.checkpoint import checkpoint_sequential
        >>> x = wg.tensor([1.0], requires_grad=True)
        >>> checkpoint_sequential([wg.exp, wg.log, wg.neg], 2, x, use_reentrant=False)
        tensor([-1.], grad_fn=<NegBackward0>)
    """
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise InvalidValueError("Unexpected keyword arguments: " + ", ".join(kwargs))
    steps = list(functions.children()) if hasattr(functions, "children") else list(functions)
    size = len(steps) // segments
    for i in range(segments - 1):
        part = _in_turn(steps[i * size : (i + 1) * size])
        input = checkpoint(part, input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return _in_turn(steps[size * (segments - 1) :])(input)


def _in_turn(steps: list[Any]) -> Callable[[Any], Any]:
    def run(x: Any) -> Any:
        for step in steps:
            x = step(x)
        return x

    return run


# ---------------------------------------------------------------------- nested structures


def _tensors(tree: Any) -> list[Any]:
    """The Tensors of a nesting, in order."""
    if isinstance(tree, TensorBase):
        return [tree]
    if isinstance(tree, dict):
        tree = tree.values()
    elif not isinstance(tree, tuple | list):
        return []
    return [t for part in tree for t in _tensors(part)]


def _replaced(tree: Any, tensors: Any) -> Any:
    """The nesting with its Tensors replaced, in order, by those of an iterator."""
    if isinstance(tree, TensorBase):
        return next(tensors)
    kind = type(tree)
    if isinstance(tree, dict):
        parts = {key: _replaced(part, tensors) for key, part in tree.items()}
        return parts if kind is dict else kind(parts)
    if isinstance(tree, tuple | list):
        items = [_replaced(part, tensors) for part in tree]
        return kind(*items) if hasattr(tree, "_fields") else kind(items)
    return tree


# ---------------------------------------------------------------------- the part that runs twice


class _Segment:
    """A function with what it takes to run it again."""

    def __init__(self, function: Any, call: Any, again: Any, preserve: bool, check: bool) -> None:
        self.function, self.again, self.check = function, again, check
        self.tensors = _tensors(call)
        self.call = _replaced(call, iter([None] * len(self.tensors)))  # the Tensors are the node's to keep and to free
        self.places = _replaced(call, iter([_Place() for _ in self.tensors]))
        self.state = get_rng_state() if preserve else None
        self.wanted: list[int] = []  # which Tensors of the result have a gradient
        self.kinds: list[Any] = []
