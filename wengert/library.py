"""Registering operations of one's own, under PyTorch's names. They are then in `wengert.ops`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .autograd.custom_ops import CustomOpDef as CustomOpDef
from .autograd.custom_ops import Library as Library
from .autograd.custom_ops import custom_op as custom_op
from .autograd.custom_ops import define as define
from .autograd.custom_ops import find as _find
from .autograd.custom_ops import impl as impl
from .autograd.custom_ops import register_autograd as register_autograd

__all__ = [
    "CustomOpDef",
    "Library",
    "custom_op",
    "define",
    "get_ctx",
    "impl",
    "impl_abstract",
    "register_autocast",
    "register_autograd",
    "register_fake",
    "register_kernel",
    "register_torch_dispatch",
    "register_vmap",
]


def register_fake(op: Any, func: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """What PyTorch's compiler would ask for an operation's shapes; there is none here, so nothing happens."""
    return _same if func is None else func


def _same(func: Callable[..., Any]) -> Callable[..., Any]:
    return func


impl_abstract = register_torch_dispatch = register_vmap = register_fake


def register_autocast(op: Any, device_type: str, cast_inputs: Any, /, **options: Any) -> None:
    """Accepted: an operation of the user's own keeps its element types in an autocast block."""


def register_kernel(op: Any, device_types: Any, func: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Say what an operation computes on some kinds of device; without ``func``, a decorator."""
    return _find(op).register_kernel(device_types, func)


def get_ctx() -> Any:
    """What makes unknown sizes for PyTorch's compiler.

    Raises:
        RuntimeError: always, since nothing is compiled.
    """
    raise RuntimeError("get_ctx() is for functions that a compiler calls, and there is none here")
