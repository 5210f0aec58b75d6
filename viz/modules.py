"""Which module ran an operation: asked for where a picture is to say so, since nobody else should pay for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from ..autograd.grad_mode import mode
from ..autograd.graph import recorded_modules

if TYPE_CHECKING:
    from ..nn import Module

__all__ = ["module_paths"]


@contextmanager
def module_paths(model: Module) -> Iterator[None]:
    """Within this block, what ``model`` records knows the path of the module that ran it.

    Args:
        model: paths are seen from here: ``"features.0"`` is ``model.features[0]``.

    Example:
        >>> import wengert as wg
        >>> model = wg.nn.Sequential(wg.nn.Linear(3, 2), wg.nn.ReLU())
        >>> with module_paths(model):
        ...     y = model(wg.ones(1, 3))
        >>> [node.module for node in y.graph if node.kind == "op"]
        ['0', '1']
    """
    running: list[str] = []
    before = mode.trace

    def trace(node: Any) -> None:
        if running:
            recorded_modules[node] = running[-1]
        if before is not None:
            before(node)

    def enter(path: str) -> Any:
        return lambda module, args: running.append(path)

    def leave(module: Any, args: Any, output: Any) -> None:
        running.pop()

    with ExitStack() as undo:
        for path, module in model.named_modules():
            undo.callback(module.register_forward_pre_hook(enter(path)).remove)
            undo.callback(module.register_forward_hook(leave, always_call=True).remove)
        undo.callback(setattr, mode, "trace", before)
        mode.trace = trace
        yield
