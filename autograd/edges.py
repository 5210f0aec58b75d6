"""Places in the graph: ``GradientEdge``, hooks that wait for several gradients, callbacks at the end of a backward."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..backends.errors import GraphError
from .base import TensorBase, edge_of, version_of
from .grad_mode import mode
from .hooks import HookTable, RemovableHandle, register_tensor_hook
from .node import LEAF, OUTPUT, accumulator

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["GradientEdge", "get_gradient_edge", "increment_version", "register_multi_grad_hook"]


class GradientEdge(NamedTuple):
    """Where the gradient of a tensor goes: output ``output_nr`` of ``node``.

    ``backward`` and ``grad`` take it in the place of the tensor, which need not live any more.
    """

    node: Any
    output_nr: int
    ownership_token: Any = None


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The edge that a gradient of ``tensor`` takes.

    Args:
        tensor: any that requires grad.

    Raises:
        RuntimeError: it does not.

    Example:
        >>> import wengert as wg
        >>> x = wg.tensor([1.0, 2.0], requires_grad=True)
        >>> edge = wg.autograd.graph.get_gradient_edge(x * 3)
        >>> wg.autograd.grad(edge, x, wg.ones(2))
        (tensor([3., 3.]),)
    """
    edge = edge_of(tensor)
    if edge is None:
        raise GraphError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    if edge.edge_kind == LEAF:
        return GradientEdge(accumulator(edge), 0)
    return GradientEdge(edge.node, edge.index) if edge.edge_kind == OUTPUT else GradientEdge(edge, 0)


def place_of(value: Any) -> Any:
    """The engine's edge of a tensor or of a `GradientEdge`; None for a tensor that wants no gradient."""
    return value.node.output_edge(value.output_nr) if isinstance(value, GradientEdge) else edge_of(value)


def increment_version(tensor: Tensor | Sequence[Tensor]) -> None:
    """Count a write that the library could not see, so that backward refuses to use what was overwritten.

    Args:
        tensor: the one whose memory was written to, or several.

    Example:
        >>> import wengert as wg
        >>> x = wg.ones(2)
        >>> wg.autograd.graph.increment_version(x)
        >>> x._version
        1
    """
    for t in [tensor] if isinstance(tensor, TensorBase) else tensor:
        version = version_of(t)
        version[0] += 1
        version[1] = "increment_version"


class _Waiting:
    """What `register_multi_grad_hook` knows of one backward pass."""

    def __init__(self, expected: int, count: int) -> None:
        self.expected = expected
        self.grads: list[Any] = [None] * count
        self.called = False


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[..., Any], *, mode: str = "all"
) -> RemovableHandle:
    """Call a function when the gradients of several tensors have been computed.

    Args:
        tensors: those to wait for; each must require grad.
        fn: with ``"all"`` it gets the list of gradients, None where this backward does not reach a tensor; with
            ``"any"`` it gets the first gradient.
        mode: ``"all"`` to call it when the last gradient of a backward is there, ``"any"`` for the first.

    Returns:
        A handle whose ``remove()`` takes the hook away.

    Raises:
        ValueError: another ``mode``. RuntimeError: a tensor does not require grad.

    Example:
        >>> import wengert as wg
        >>> a, b = wg.ones(2, requires_grad=True), wg.ones(2, requires_grad=True)
        >>> handle = wg.autograd.graph.register_multi_grad_hook([a, b], lambda gs: print([g is None for g in gs]))
        >>> (a * b).sum().backward()
        [False, False]
        >>> (a * 2).sum().backward()
        [False, True]
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    lock = threading.Lock()
    passes: weakref.WeakKeyDictionary[Any, _Waiting] = weakref.WeakKeyDictionary()
    edges = [_required(t) for t in tensors]

    def observer(index: int) -> Callable[[Any], None]:
        def seen(grad: Any) -> None:
            run = _running()
            with lock:
                if run not in passes:
                    passes[run] = _Waiting(sum(map(run.will_reach, edges)), len(edges))
                waiting = passes[run]
                waiting.grads[index] = grad
                waiting.expected -= 1
                if waiting.called or (mode == "all" and waiting.expected > 0):
                    return
                waiting.called = True
            fn(waiting.grads if mode == "all" else grad)

        return seen

    handles = [register_tensor_hook(t, e, observer(i)) for i, (t, e) in enumerate(zip(tensors, edges, strict=True))]
    return _Handles(handles)


def _required(tensor: Any) -> Any:
    edge = edge_of(tensor)
    if edge is None:
        raise GraphError("cannot register a hook on a tensor that doesn't require gradient")
    return edge


class _Handles(RemovableHandle):
    """Several handles as one."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        super().__init__(HookTable())
        self.handles = tuple(handles)

    def remove(self) -> None:
        """Take all the hooks away."""
        for handle in self.handles:
            handle.remove()


def _running() -> Any:
    return mode.running


def queue_callback(function: Callable[[], Any]) -> None:
    """Call a function when the backward pass that is running has finished.

    Raises:
        RuntimeError: none is running.
    """
    if mode.running is None:
        raise GraphError("Final callbacks can only be installed during backward pass.")
    mode.running.callbacks.append(function)
