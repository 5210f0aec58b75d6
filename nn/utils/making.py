"""Making modules without initialising them, and choosing how their weights lie in memory."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

from ...autograd.random import fork_rng
from ..conv import Convolution
from ..module import Module

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format", "skip_init"]

M = TypeVar("M", bound=Module)


def skip_init(module_cls: type[M], *args: Any, **kwargs: Any) -> M:
    """A module whose parameters have arbitrary values, for weights that are loaded next.

    The default generator stays as it was.

    Args:
        module_cls: its class, whose constructor takes ``device``.
        *args: for the constructor.
        **kwargs: for the constructor.

    Raises:
        RuntimeError: it is no `Module`, or takes no ``device``.

    Example:
        >>> import wengert as wg
        >>> wg.nn.utils.skip_init(wg.nn.Linear, 5, 1)
        Linear(in_features=5, out_features=1, bias=True)
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    with fork_rng():
        return module_cls(*args, **kwargs)


def _convert(module: M, memory_format: Any, dims: int) -> M:
    for part in module.modules():
        if isinstance(part, Convolution) and part.dims == dims:
            part.weight.data = part.weight.detach().contiguous(memory_format=memory_format)
    return module


def convert_conv2d_weight_memory_format(module: M, memory_format: Any) -> M:
    """Lay the weights of all 2-D convolutions of a module out in ``memory_format``; the module itself is returned."""
    return _convert(module, memory_format, 2)


def convert_conv3d_weight_memory_format(module: M, memory_format: Any) -> M:
    """Lay the weights of all 3-D convolutions of a module out in ``memory_format``; the module itself is returned."""
    return _convert(module, memory_format, 3)
