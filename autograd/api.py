"""``backward`` and ``grad``: the two ways to ask for gradients."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..backends import kernels_of
from ..backends.errors import GraphError, ShapeError
from ..backends.settings import warn_once
from .base import TensorBase, wrap
from .batched_backward import gradients_of_rows
from .edges import GradientEdge
from .entries import gradients_of, run_backward
from .grad_mode import mode
from .ops.size import Size

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["backward", "grad"]


def _tuple(values: Any, what: str) -> tuple[Any, ...]:
    """One tensor (or edge) or a sequence of them as a tuple."""
    if isinstance(values, TensorBase | GradientEdge):
        return (values,)
    tensors = tuple(values)
    for i, value in enumerate(tensors):
        if not isinstance(value, TensorBase | GradientEdge):
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
    tensors: Tensor | GradientEdge | Sequence[Tensor | GradientEdge],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Tensor | Sequence[Tensor | None] | None = None,
    inputs: Tensor | GradientEdge | Sequence[Tensor | GradientEdge] | None = None,
) -> None:
    """Accumulate into ``.grad`` of every leaf the sum of the gradients of ``tensors``.

    Args:
        tensors: where the walk starts.
        grad_tensors: the gradient that arrives at each from outside, of its shape; None means 1, for a scalar.
        retain_graph: keep what was saved, so that backward can run again; ``create_graph`` unless told.
        create_graph: record the backward itself, for derivatives of higher order.
        grad_variables: the old name of ``grad_tensors``.
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
    if grad_variables is not None:
        warnings.warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=2)
        if grad_tensors is not None:
            raise GraphError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. Please only "
                "use `grad_tensors`."
            )
        grad_tensors = grad_variables
    if mode.transforms:
        raise GraphError(
            "backward() called inside a functorch transform. This is not supported: the function that "
            f"{mode.transforms[-1].name} runs would write to .grad of tensors. Use wengert.func.grad or "
            "wengert.func.vjp instead, or call backward() outside of transforms."
        )
    outputs = _tuple(tensors, "tensors")
    if inputs is not None:
        inputs = _tuple(inputs, "inputs")
        if not inputs:
            raise GraphError("`inputs` argument to `backward()` cannot be empty. Leave it away to reach every leaf")
    if create_graph:
        warn_once(
            "Using backward() with create_graph=True will create a reference cycle between the parameter and its "
            "gradient which can cause a memory leak. We recommend using autograd.grad when creating the graph to avoid "
            "this. If you have to use this function, make sure to reset the .grad fields of your parameters to None "
            "after use to break the cycle and avoid the leak."
        )
    run_backward(outputs, _gradients(grad_tensors, outputs), retain_graph, create_graph, inputs)


def grad(
    outputs: Tensor | GradientEdge | Sequence[Tensor | GradientEdge],
    inputs: Tensor | GradientEdge | Sequence[Tensor | GradientEdge],
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
        outputs: where the walk starts: tensors, or edges of `wengert.autograd.graph.get_gradient_edge`.
        inputs: leaves or results on the way, or edges to them; one gradient comes back for each.
        grad_outputs: the gradient that arrives at each output, of its shape; None means 1, for a scalar.
        retain_graph: keep what was saved; ``create_graph`` unless told.
        create_graph: record the walk itself, for derivatives of higher order.
        only_inputs: ignored.
        allow_unused: return None for an input that the outputs do not depend on, instead of raising.
        is_grads_batched: ``grad_outputs`` have a leading dimension, and so have the results: one walk for all rows.
        materialize_grads: zeros instead of None for unused inputs.

    Raises:
        RuntimeError: an input was not used, or does not require grad; and what `backward` raises.
        ValueError: no inputs; or ``materialize_grads=True`` with ``allow_unused=False``.

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
        raise ValueError("grad requires non-empty inputs. Name the tensors whose gradients are wanted")
    gs = _gradients(grad_outputs, sources)
    if is_grads_batched:
        found = _batched(sources, gs, wanted, retain_graph, create_graph)
    else:
        found = gradients_of(sources, gs, wanted, retain_graph, create_graph)
    if materialize_grads:
        return tuple(_zeros(t, create_graph) if g is None else g for t, g in zip(wanted, found, strict=True))
    if not allow_unused and any(g is None for g in found):
        i = next(i for i, g in enumerate(found) if g is None)
        raise GraphError(
            f"The differentiated Tensor at index {i} appears to not have been used in the graph. Set allow_unused=True "
            "if this is the desired behavior."
        )
    return tuple(found)


def _zeros(tensor: Any, create_graph: bool) -> Any:
    """The gradient of an input that was not used, which can be asked for its own under ``create_graph``."""
    if not isinstance(tensor, TensorBase):
        raise GraphError("materialize_grads cannot be used when the given input is a GradientEdge; give the Tensor")
    zeros = wrap(kernels_of[type(tensor._data)].zeros_like(tensor._data))
    return zeros.requires_grad_() if create_graph else zeros


def _batched(
    outputs: tuple[Any, ...], gs: tuple[Any, ...], inputs: tuple[Any, ...], retain: bool | None, create_graph: bool
) -> list[Any]:
    """The gradients for each row of the incoming ones: one walk for all, or one for each where they are recorded."""
    from .ops import stack

    for i, (output, g) in enumerate(zip(outputs, gs, strict=True)):
        if g is not None and isinstance(output, TensorBase) and g._data.shape[1:] != output._data.shape:
            raise ShapeError(
                "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch "
                "dimension. The sizes of the remaining dimensions are expected to match the shape of corresponding "
                f"output, but a mismatch was detected: grad_output[{i}] has a shape of {Size(g._data.shape)} and "
                f"output[{i}] has a shape of {Size(output._data.shape)}."
            )
    sizes = {g.shape[0] if g is not None and g.ndim else 0 for g in gs}
    size = sizes.pop()
    if sizes or not size:
        raise GraphError(
            "is_grads_batched=True needs a gradient with the same leading size, at least 1, for every output, got "
            f"shapes {[None if g is None else list(g.shape) for g in gs]}"
        )
    if not create_graph and None not in gs:
        return gradients_of_rows(outputs, gs, inputs, retain)
    rows = []
    for i in range(size):
        last = i == size - 1
        row = [g[i] for g in gs]
        rows.append(gradients_of(outputs, row, inputs, retain if last else True, create_graph))
    return [None if column[0] is None else stack(column) for column in zip(*rows, strict=True)]
