"""``backward`` and ``grad``: the two ways to ask for gradients."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..backends import kernels_of
from ..backends.errors import GraphError
from .base import TensorBase, wrap
from .engine import gradients_of, run_backward

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["backward", "grad"]


def _tuple(values: Any, what: str) -> tuple[Any, ...]:
    """One tensor or a sequence of them as a tuple."""
    if isinstance(values, TensorBase):
        return (values,)
    tensors = tuple(values)
    for i, value in enumerate(tensors):
        if not isinstance(value, TensorBase):
            raise TypeError(f"{what}[{i}] must be a Tensor, not {type(value).__name__}")
    return tensors


def _gradients(gradients: Any, outputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """One incoming gradient (or None) per output."""
    if gradients is None:
        return (None,) * len(outputs)
    found: tuple[Any, ...] = (gradients,) if isinstance(gradients, TensorBase) else tuple(gradients)
    if len(found) != len(outputs):
        raise GraphError(
            f"got {len(outputs)} tensors and {len(found)} gradients; give one gradient (or None) for each tensor"
        )
    return found


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Accumulate into ``.grad`` of every leaf the sum of the gradients of ``tensors``.

    Args:
        tensors: where the walk starts.
        grad_tensors: the gradient that arrives at each from outside, of its shape; None means 1, for a scalar.
        retain_graph: keep what was saved, so that backward can run again; ``create_graph`` unless told.
        create_graph: record the backward itself, for derivatives of higher order.
        inputs: accumulate into these only.

    Raises:
        RuntimeError: nothing was recorded, the graph was freed, or an output is no scalar and has no gradient.

    Example:
        >>> import wengert as wg
        >>> x = wg.tensor([1.0, 2.0], requires_grad=True)
        >>> wg.autograd.backward([x[0] * 3, x[1] * 5])
        >>> x.grad
        tensor([3., 5.])
    """
    outputs = _tuple(tensors, "tensors")
    if inputs is not None:
        inputs = _tuple(inputs, "inputs")
        if not inputs:
            raise GraphError("`inputs` argument to `backward()` cannot be empty; leave it away to reach every leaf")
    run_backward(outputs, _gradients(grad_tensors, outputs), retain_graph, create_graph, inputs)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]:
    """The gradients of the sum of ``outputs`` with respect to ``inputs``; no ``.grad`` is touched.

    Args:
        outputs: where the walk starts.
        inputs: leaves or results on the way; one gradient is returned for each, of its shape and dtype.
        grad_outputs: the gradient that arrives at each output, of its shape; None means 1, for a scalar.
        retain_graph: keep what was saved; ``create_graph`` unless told.
        create_graph: record the walk itself, for derivatives of higher order.
        only_inputs: ignored.
        allow_unused: return None for an input that the outputs do not depend on, instead of raising.
        is_grads_batched: ``grad_outputs`` have a leading dimension, and so have the results: one walk for each row.
        materialize_grads: zeros instead of None for unused inputs.

    Raises:
        RuntimeError: an input was not used, or does not require grad; and what `backward` raises.
        ValueError: ``materialize_grads=True`` with ``allow_unused=False``.

    Example:
        >>> import wengert as wg
        >>> x = wg.tensor(3.0, requires_grad=True)
        >>> (g,) = wg.autograd.grad(x * x * x, x, create_graph=True)
        >>> (h,) = wg.autograd.grad(g, x)
        >>> g.item(), h.item()
        (27.0, 18.0)
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    if not only_inputs:
        warnings.warn("only_inputs argument is ignored: gradients go to inputs only", FutureWarning, stacklevel=2)
    sources, wanted = _tuple(outputs, "outputs"), _tuple(inputs, "inputs")
    if not wanted:
        raise GraphError("`inputs` argument to `grad()` cannot be empty; name the tensors whose gradients are wanted")
    gs = _gradients(grad_outputs, sources)
    if is_grads_batched:
        found = _batched(sources, gs, wanted, retain_graph, create_graph)
    else:
        found = gradients_of(sources, gs, wanted, retain_graph, create_graph)
    if materialize_grads:
        return tuple(wrap(_zeros_like(t._data)) if g is None else g for t, g in zip(wanted, found, strict=True))
    if not allow_unused and any(g is None for g in found):
        i = next(i for i, g in enumerate(found) if g is None)
        raise GraphError(
            "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if "
            f"this is the desired behavior: inputs[{i}], of shape {list(wanted[i]._data.shape)}, does not reach outputs"
        )
    return tuple(found)


def _zeros_like(array: Any) -> Any:
    return kernels_of[type(array)].zeros_like(array)


def _batched(
    outputs: tuple[Any, ...], gs: tuple[Any, ...], inputs: tuple[Any, ...], retain: bool | None, create_graph: bool
) -> list[Any]:
    """One walk for each row of the incoming gradients; the results stacked."""
    from .ops import stack

    sizes = {g.shape[0] if g is not None and g.ndim else 0 for g in gs}
    size = sizes.pop()
    if sizes or not size:
        raise GraphError(
            "is_grads_batched=True needs a gradient with the same leading size, at least 1, for every output, got "
            f"shapes {[None if g is None else list(g.shape) for g in gs]}"
        )
    rows = []
    for i in range(size):
        last = i == size - 1
        row = [g[i] for g in gs]
        rows.append(gradients_of(outputs, row, inputs, retain if last else True, create_graph))
    return [None if column[0] is None else stack(column) for column in zip(*rows, strict=True)]
