"""The two entries of the backward pass: into the ``.grad`` of leaves, and gradients that are returned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..backends import kernels_of
from ..backends.errors import DeviceError, DTypeError, GraphError, ShapeError
from . import forward_mode
from .base import TensorBase, wrap
from .edges import place_of
from .engine import Pass
from .grad_mode import in_thread, mode
from .node import LEAF, OUTPUT
from .ops.size import Size


def run_backward(
    outputs: Sequence[Any],
    grads: Sequence[Any],
    retain_graph: bool | None,
    create_graph: bool,
    inputs: Sequence[Any] | None = None,
) -> None:
    """Accumulate gradients into the ``.grad`` of leaves (all, or those in ``inputs``)."""
    retain = create_graph if retain_graph is None else retain_graph
    keys = None if inputs is None else [key_of(i, "backward") for i in inputs]
    for tensor in inputs or ():
        if isinstance(tensor, TensorBase):
            tensor.retain_grad()  # type: ignore[attr-defined]  # a non-leaf gets its gradient as any that asked for it
    run = Pass(create_graph or forward_mode.running(), retain, None if keys is None else set(keys), True)
    _start(run, outputs, grads)


def gradients_of(
    outputs: Sequence[Any],
    grads: Sequence[Any],
    inputs: Sequence[Any],
    retain_graph: bool | None = None,
    create_graph: bool = False,
    seen_as: Any = None,
) -> list[Any]:
    """The gradients of ``outputs`` with respect to ``inputs`` as Tensors; None where there is no path."""
    retain = create_graph if retain_graph is None else retain_graph
    keys = [key_of(i, "grad") for i in inputs]
    dual = forward_mode.running()  # rules pass tangents on where they run on Tensors
    run = Pass(create_graph or dual, retain, set(keys), False)
    run.seen_as = seen_as
    _start(run, outputs, grads)
    found = [run.found.get(key) for key in keys]
    if dual and not create_graph:
        return [g if g is None else forward_mode.keep_tangents(wrap(g._data), g) for g in found]
    return [g if g is None or isinstance(g, TensorBase) else wrap(g) for g in found]


def key_of(value: Any, who: str) -> Any:
    """What a pass knows a wanted input by: a leaf, or a node and the index of its output."""
    edge = place_of(value)
    if edge is None:
        raise GraphError(
            f"One of the differentiated Tensors does not require grad: {who} was asked for the gradient of a tensor of "
            f"shape {list(value._data.shape)} with requires_grad=False; call requires_grad_() on it before it is used"
        )
    if edge.edge_kind == LEAF:
        return edge
    return (edge.node, edge.index) if edge.edge_kind == OUTPUT else (edge, 0)


def begin(run: Pass, outputs: Sequence[Any], grads: Sequence[Any]) -> list[Any]:
    """Plan a pass. Returns its starting points, pairs of an edge and the gradient that arrives there from outside."""
    roots = []
    for i, (output, g) in enumerate(zip(outputs, grads, strict=True)):
        edge = place_of(output)
        if edge is None:
            raise GraphError(
                f"element {i} of tensors does not require grad and does not have a grad_fn: nothing was recorded for "
                "it. Call requires_grad_() on an input before computing, and not under no_grad"
            )
        roots.append((edge, _root_gradient(output, edge, g, i)))
    run.plan([edge for edge, _ in roots])
    return roots


def _start(run: Pass, outputs: Sequence[Any], grads: Sequence[Any]) -> None:
    roots = begin(run, outputs, grads)
    outer = mode.running
    if outer is not None:
        run.depth = outer.depth + 1
        if run.depth % FRESH_STACK == 0:
            in_thread(lambda: _walk(run, roots))
            return
    _walk(run, roots)


# A rule may call backward, whose rules may call backward: so many passes inside each other share a thread's stack.
FRESH_STACK = 40


def _walk(run: Pass, roots: list[Any]) -> None:
    before = mode.grad, mode.reattach, mode.running, mode.savers
    mode.grad = mode.reattach = run.create_graph
    mode.running = run
    try:
        deliver_roots(run, roots)
        run.run(run.order)
        for callback in run.callbacks:
            callback()
    finally:
        mode.grad, mode.reattach, mode.running, mode.savers = before


def deliver_roots(run: Pass, roots: list[Any]) -> None:
    """Hand the gradients from outside to where the pass starts."""
    gs = [g if run.create_graph else g._data for _, g in roots]
    for leaf in run._deliver([edge for edge, _ in roots], gs) or ():
        run._finish(leaf)
    del gs
    roots.clear()


def _root_gradient(output: Any, edge: Any, g: Any, i: int) -> Any:
    """The gradient that arrives at an output from outside, checked; ones for a scalar if none was given."""
    data = output._data if isinstance(output, TensorBase) else edge._data if edge.edge_kind == LEAF else None
    shape, dtype = (edge.shape, edge.dtype) if data is None else (data.shape, data.dtype)
    if g is None:
        if math.prod(shape) != 1:
            raise GraphError(
                f"grad can be implicitly created only for scalar outputs: output {i} has shape {list(shape)}. "
                "Reduce it first (sum() or mean()), or pass the gradient that arrives from outside"
            )
        if dtype.kind not in "fV":
            raise GraphError(
                f"grad can be implicitly created only for real scalar outputs but got {dtype}; pass the gradient"
            )
        if data is not None:
            return wrap(kernels_of[type(data)].ones_like(data))
        return wrap((edge.node if edge.edge_kind == OUTPUT else edge).k.ones(shape, dtype))
    if not isinstance(g, TensorBase):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
    if g._data.shape != shape:
        raise ShapeError(
            f"Mismatch in shape: grad_output[{i}] has a shape of {Size(g._data.shape)} and output[{i}] has a shape of "
            f"{Size(shape)}."
        )
    if (g._data.dtype.kind == "c") != (dtype.kind == "c"):
        raise DTypeError(
            "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: "
            f"grad_output[{i}] has a dtype of {g._data.dtype.name} and output[{i}] has a dtype of {dtype.name}"
        )
    if data is not None:
        where, there = (kernels_of[type(a)].backend.device_of(a) for a in (data, g._data))
        if where != there:
            raise DeviceError(
                f"grad_output[{i}] is on {there}, output[{i}] on {where}; move it with .to({str(where)!r})"
            )
    return g
