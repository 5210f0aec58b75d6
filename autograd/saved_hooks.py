"""Functions of the user's that tensors go through when an operation saves them for backward, and when it reads them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..backends.errors import GraphError
from .grad_mode import mode
from .saved import use_savers

__all__ = ["disable_saved_tensors_hooks", "save_on_cpu", "saved_tensors_hooks"]


class saved_tensors_hooks:
    """A block whose operations keep ``pack_hook(tensor)`` for backward, and read ``unpack_hook`` of that.

    Blocks can be nested; the innermost one acts. The values that a rule computes for itself (masks, statistics) are
    kept as they are.

    Args:
        pack_hook: takes a tensor that is being saved, and returns anything.
        unpack_hook: takes what ``pack_hook`` returned, and returns a tensor of the same values.

    Raises:
        TypeError: in backward, where ``unpack_hook`` returned no tensor. RuntimeError: ``pack_hook`` wrote to its
            argument, or the hooks are disabled.

    Example:
        >>> import wengert as wg
        >>> x = wg.tensor([2.0], requires_grad=True)
        >>> with wg.autograd.graph.saved_tensors_hooks(lambda t: t.item(), lambda v: wg.tensor([v])):
        ...     y = x * x
        >>> y.backward()
        >>> x.grad
        tensor([4.])
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self) -> None:
        if mode.no_savers is not None:
            raise GraphError(mode.no_savers)
        use_savers()
        mode.savers = (*mode.savers, (self.pack_hook, self.unpack_hook))

    def __exit__(self, *exc: object) -> None:
        mode.savers = mode.savers[:-1]


class save_on_cpu(saved_tensors_hooks):
    """A block whose operations keep what they save in main memory, and bring it back in backward.

    Args:
        pin_memory: keep it in page-locked memory, where there is such memory.
        device_type: the kind of device that it is meant for.

    Example:
        >>> import wengert as wg
        >>> x = wg.tensor([2.0], requires_grad=True)
        >>> with wg.autograd.graph.save_on_cpu():
        ...     y = x * x
        >>> y.backward()
        >>> x.grad
        tensor([4.])
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def pack(tensor: Any) -> Any:
            kept = tensor.detach().cpu()
            return tensor.device, kept.clone() if kept._data is tensor._data else kept

        def unpack(packed: Any) -> Any:
            device, kept = packed
            return kept.to(device)

        super().__init__(pack, unpack)


class disable_saved_tensors_hooks:
    """A block (or a decorated function) in which no hooks on saved tensors may be used.

    Args:
        error_message: what the error says.

    Raises:
        RuntimeError: hooks are in force already, or somebody wants to use some.

    Example:
        >>> import wengert as wg
        >>> with wg.autograd.graph.disable_saved_tensors_hooks("not here"):
        ...     with wg.autograd.graph.save_on_cpu():
        ...         pass
        Traceback (most recent call last):
        ...
        wengert.backends.errors.GraphError: not here
    """

    def __init__(self, error_message: str) -> None:
        self.error_message = error_message

    def __enter__(self) -> None:
        if mode.savers:
            raise GraphError(self.error_message)
        self._before = mode.no_savers
        mode.no_savers = self.error_message

    def __exit__(self, *exc: object) -> None:
        mode.no_savers = self._before

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with disable_saved_tensors_hooks(self.error_message):
                return function(*args, **kwargs)

        return wrapped
