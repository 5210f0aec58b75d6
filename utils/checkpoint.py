"""Checkpointing: keep the inputs of a part of a model instead of its insides, and compute these again in backward.

The part runs once forward, recorded, so that every tensor that it read is known, parameters reached through a closure
included. That record is then dropped, and one node takes its place.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..autograd.base import TensorBase, alias, edge_of, wrap
from ..autograd.engine import Pass, as_array
from ..autograd.function import Function
from ..autograd.grad_mode import enable_grad, is_grad_enabled, mode
from ..autograd.node import LEAF, OUTPUT
from ..autograd.primitive import next_seq
from ..autograd.random import get_rng_state, set_rng_state
from ..backends.errors import GraphError, InvalidValueError

__all__ = [
    "CheckpointError",
    "checkpoint",
    "checkpoint_sequential",
    "get_device_states",
    "noop_context_fn",
    "set_device_states",
]


def get_device_states(*args: Any) -> tuple[list[Any], list[Any]]:
    """The GPUs that tensors are on, and their random states; the CPU's is not among them.

    Args:
        *args: tensors and other things.
    """
    found = {a.device.index: a.device for a in args if isinstance(a, TensorBase) and a.device.type != "cpu"}  # type: ignore[attr-defined]
    return list(found), [get_rng_state() for _ in found]


def set_device_states(devices: Sequence[Any], states: Sequence[Any], *, device_type: str | None = None) -> None:
    """Give GPUs the random states that `get_device_states` gave."""
    for _, state in zip(devices, states, strict=True):
        set_rng_state(state)


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
    segment = _Segment(function, again, preserve_rng_state, determinism_check == "default")
    return segment.record((args, kwargs), first)


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
        >>> checkpoint_sequential([wg.neg, wg.abs, wg.neg], 3, x, use_reentrant=False)
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


def _flatten(tree: Any, tensors: list[Any]) -> Callable[[Sequence[Any]], Any]:
    """Append the Tensors of a nesting to ``tensors``, and return what builds the nesting again of others."""
    if isinstance(tree, TensorBase):
        place = len(tensors)
        tensors.append(tree)
        return lambda new: new[place]
    kind: Any = type(tree)
    if isinstance(tree, dict):
        named = {key: _flatten(part, tensors) for key, part in tree.items()}
        return lambda new: kind({key: build(new) for key, build in named.items()})
    if isinstance(tree, tuple | list):
        parts = [_flatten(part, tensors) for part in tree]
        if hasattr(tree, "_fields"):
            return lambda new: kind(*[build(new) for build in parts])
        return lambda new: kind([build(new) for build in parts])
    return lambda new: tree


class _Segment:
    """A function with what it takes to run it again, except for the Tensors: those are the node's to keep."""

    def __init__(self, function: Any, again: Any, preserve: bool, check: bool) -> None:
        self.function, self.again, self.check = function, again, check
        self.state = get_rng_state() if preserve else None
        self.build: Any = None  # from Tensors to the arguments
        self.wanted: list[int] = []  # which Tensors of the result have a gradient
        self.kinds: list[Any] = []  # shape and dtype of each Tensor of the result

    def run(self, tensors: Sequence[Any]) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
        """The Tensors of the result, and what builds the result of them."""
        args, kwargs = self.build(tensors)
        outputs: list[Any] = []
        return outputs, _flatten(self.function(*args, **kwargs), outputs)

    def record(self, call: Any, first: Any) -> Any:
        """The result of the first run, as one node of the graph."""
        tensors: list[Any] = []
        self.build = _flatten(call, tensors)
        start, leaves = next_seq(), [_leaf(t) for t in tensors]
        with first:
            outputs, build = self.run(leaves)
        self.wanted = [i for i, t in enumerate(outputs) if edge_of(t) is not None]
        if not self.wanted:
            return build(outputs)
        self.kinds = [(t._data.shape, t._data.dtype) for t in outputs]
        reached = _reached([edge_of(outputs[i]) for i in self.wanted], start, leaves)
        inputs = [t for t in tensors if edge_of(t) is not None] + reached
        joined = _Checkpoint.apply(self, [alias(outputs[i]) for i in self.wanted], tensors, reached, *inputs)
        for i, t in zip(self.wanted, joined, strict=True):
            outputs[i] = t
        return build(outputs)

    def gradients(self, reached: Sequence[Any], tensors: Sequence[Any], gs: Sequence[Any], graph: bool) -> list[Any]:
        """Run again, and go back from the result: the gradients of ``tensors`` that want one, and of ``reached``."""
        start, state = next_seq(), get_rng_state()
        if self.state is not None:
            set_rng_state(self.state)
        try:
            with enable_grad(), self.again:
                outputs, _ = self.run(tensors)
        finally:
            if self.state is not None:
                set_rng_state(state)
        self.compare(outputs)
        wanted = [outputs[i] for i in self.wanted]
        inputs = [t for t in tensors if edge_of(t) is not None] + list(reached)
        return _Back(start, inputs, graph).gradients(wanted, gs)

    def compare(self, outputs: list[Any]) -> None:
        """Refuse a second result that has no place for the gradients of the first."""
        kinds = [(t._data.shape, t._data.dtype) for t in outputs]
        joined = len(outputs) == len(self.kinds) and all(edge_of(outputs[i]) is not None for i in self.wanted)
        if not joined or (self.check and kinds != self.kinds):
            raise CheckpointError(
                "checkpoint: the recomputed values have different metadata than those of the forward pass. Forward: "
                f"{_described(self.kinds)}; in backward: {_described(kinds)}. The function must do the same each time"
            )


def _described(kinds: list[Any]) -> str:
    return ", ".join(f"{dtype.name}{list(shape)}" for shape, dtype in kinds) or "no tensor"


def _leaf(tensor: Any) -> Any:
    """A tensor to run on whose gradient is found at itself, and not at what it was computed from."""
    return tensor if edge_of(tensor) is None else alias(tensor).requires_grad_()


def _reached(roots: list[Any], start: int, own: list[Any]) -> list[Any]:
    """Tensors at the edges that lead out of what was recorded since ``start``, those to ``own`` leaves left out."""
    known, found, stack = set(own), [], list(roots)
    while stack:
        edge = stack.pop()
        if edge is None or edge in known:
            continue
        known.add(edge)
        if edge.edge_kind == LEAF:
            found.append(edge)
            continue
        node = edge.node if edge.edge_kind == OUTPUT else edge
        if node.seq > start:
            stack.extend(node.edges)
        elif _key(edge) not in known:
            known.add(_key(edge))
            found.append(_stand_in(edge, node))
    return found


def _stand_in(edge: Any, node: Any) -> Any:
    """A Tensor with the given place in the graph, whose values nobody reads."""
    tensor = wrap(node.k.broadcast_to(node.k.zeros((), dtype=edge.dtype), edge.shape))
    tensor._edge, tensor._rg = edge, True
    return tensor


class _Checkpoint(Function):
    """The node that stands for a segment."""

    @staticmethod
    def forward(ctx: Any, segment: _Segment, outputs: Any, tensors: Any, reached: Any, *inputs: Any) -> Any:
        ctx.segment, ctx.count = segment, len(tensors)
        ctx.save_for_backward(*tensors, *reached)
        return tuple(outputs)

    @staticmethod
    def backward(ctx: Any, *gs: Any) -> Any:
        saved, segment = ctx.saved_tensors, ctx.segment
        tensors, reached = saved[: ctx.count], saved[ctx.count :]
        if is_grad_enabled():  # a gradient that may be differentiated: a segment itself
            again = functools.partial(segment.gradients, reached)
            grads = checkpoint(again, list(tensors), list(gs), True)
        else:
            grads = segment.gradients(reached, [_leaf(t) for t in tensors], gs, False)
        return (None, None, None, None, *grads)


class _Back(Pass):
    """A backward pass that stays within what was recorded since ``start``, and calls no hooks at its ends.

    The pass that it is a part of goes on from there, and calls them with the whole gradient.
    """

    def __init__(self, start: int, inputs: list[Any], graph: bool) -> None:
        self.keys = [_key(edge_of(t)) for t in inputs]
        super().__init__(graph, graph, set(self.keys), False)
        self.start = start

    def gradients(self, outputs: Sequence[Any], gs: Sequence[Any]) -> list[Any]:
        edges = [edge_of(t) for t in outputs]
        self.plan(edges)
        before = mode.grad, mode.reattach
        mode.grad = mode.reattach = self.create_graph
        try:
            self._deliver(edges, [g if self.create_graph else g._data for g in gs])
            self.run(self.order)
            for key in self.keys:  # only now: a leaf may also wait for nodes before the segment, which do not run
                self.found.setdefault(key, self.pending.pop(key, None))
        finally:
            mode.grad, mode.reattach = before
        found = [self.found.get(key) for key in self.keys]
        return [g if g is None or isinstance(g, TensorBase) else wrap(as_array(g)) for g in found]

    def _leading_to_wanted(self, order: list[Any]) -> list[Any]:
        inside = super()._leading_to_wanted([node for node in order if node.seq > self.start])
        return [node for node in order if node.seq <= self.start and node in self.needed] + inside

    def _inspect(self, node: Any, g: Any) -> list[Any]:
        if node in self.leading:
            return super()._inspect(node, g)
        gs: list[Any] = [g] if node.count == 1 else g
        self.found.update({(node, i): gi for i, gi in enumerate(gs) if gi is not None})
        return gs

    def _finish(self, leaf: Any) -> None:
        """Leave the gradient where it is: ``gradients`` collects it."""


def _key(edge: Any) -> Any:
    """How a pass names the end of an edge."""
    if edge.edge_kind == LEAF:
        return edge
    return (edge.node, edge.index) if edge.edge_kind == OUTPUT else (edge, 0)
