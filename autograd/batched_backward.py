"""Many backward passes through one graph at once: what Jacobians are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..backends import kernels_of
from ..backends.batched import BatchError, level_type
from .base import TensorBase
from .batching import enter, leave, outermost_array, together
from .entries import gradients_of
from .primitive import bind_levels

__all__ = ["gradients_of_rows", "jacobian_of"]


class Seen:
    """A recorded node as a rule sees it whose incoming gradients are a batch: with the kernels of that level."""

    __slots__ = ("_node", "k")

    def __init__(self, node: Any, k: Any) -> None:
        self._node, self.k = node, k

    def __getattr__(self, name: str) -> Any:
        return getattr(self._node, name)


def gradients_of_rows(
    outputs: Sequence[Any], grads: Sequence[Any], inputs: Sequence[Any], retain_graph: bool | None = None
) -> list[Any]:
    """The gradients for each row of ``grads``, unrecorded: one walk for all rows.

    Where a rule needs one row at a time (a user's Function that reads values) they are walked one by one.

    Args:
        outputs: tensors or edges.
        grads: a tensor for each, with a dimension of rows in front.
        inputs: what to differentiate by.
        retain_graph: as `wengert.autograd.grad` has it.

    Returns:
        For each input a tensor with the rows in front, or None where there is no path.
    """
    rows = int(grads[0]._data.shape[0])
    arrays = [o._data for o in outputs if isinstance(o, TensorBase)]
    kind = level_type(outermost_array([*arrays, *[g._data[0, ...] for g in grads]]), rows)
    k = kernels_of[kind]
    bind_levels(together)
    try:
        batches = [enter(g, kind, 0) for g in grads]
        found = gradients_of(outputs, batches, inputs, True, False, seen_as=lambda node: Seen(node, k))
    except BatchError:
        parts = [gradients_of(outputs, [g[i] for g in grads], inputs, True) for i in range(rows)]
        return [None if p[0] is None else _stacked(p) for p in zip(*parts, strict=True)]
    if not retain_graph:
        gradients_of(outputs, [g[0] for g in grads], inputs, False)
    return [None if g is None else leave(g, kind, 0) for g in found]


def jacobian_of(output: Any, basis: Any, inputs: Sequence[Any], chunk: int | None = None) -> list[Any]:
    """The Jacobian of one output by each input, unrecorded; zeros where there is no path.

    Args:
        output: a tensor of n elements.
        basis: (n, *output.shape), one unit gradient for each element.
        inputs: what to differentiate by.
        chunk: how many rows are walked at once; all unless told.
    """
    from . import ops

    chunks = [gradients_of_rows([output], [b], inputs, True) for b in basis.split(chunk or len(basis))]
    blocks = []
    for x, parts in zip(inputs, zip(*chunks, strict=True), strict=True):
        shape = (*output.shape, *x.shape)
        if parts[0] is None:
            blocks.append(ops.zeros(shape, dtype=x.dtype, device=x.device))
        else:
            blocks.append(ops.cat(parts).reshape(shape))
    return blocks


def _stacked(parts: Sequence[Any]) -> Any:
    from .ops.join import stack

    return stack(list(parts))
