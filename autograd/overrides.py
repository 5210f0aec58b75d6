"""Classes that have a say in what functions do: asking for ``__torch_function__``, and calling it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .base import TensorBase
from .subclass import handled, has_torch_function

__all__ = [
    "handle_torch_function",
    "has_torch_function",
    "has_torch_function_unary",
    "has_torch_function_variadic",
    "is_tensor_like",
]


def has_torch_function_unary(value: Any) -> bool:
    """Whether the class of ``value`` has a say; see `has_torch_function`."""
    return has_torch_function((value,))


def has_torch_function_variadic(*values: Any) -> bool:
    """Whether the class of one of ``values`` has a say; see `has_torch_function`."""
    return has_torch_function(values)


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> Any:
    """What the ``__torch_function__`` of the first class that takes ``public_api`` makes of a call.

    Args:
        public_api: the function that was called.
        relevant_args: the arguments whose classes are asked.
        args: the call's arguments.
        kwargs: its keyword arguments.

    Raises:
        TypeError: none of the classes takes it.
    """
    return handled(public_api, tuple(relevant_args), args, kwargs)


def is_tensor_like(inp: Any) -> bool:
    """Whether ``inp`` is a tensor, or of a class with ``__torch_function__``."""
    return isinstance(inp, TensorBase) or hasattr(type(inp), "__torch_function__")
