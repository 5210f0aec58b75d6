"""Hooks on registration: what programs run whenever a module gets a parameter, a buffer or a child module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.hooks import HookTable, RemovableHandle

__all__ = [
    "register_module_buffer_registration_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

parameter_hooks, buffer_hooks, module_hooks = HookTable(), HookTable(), HookTable()


def registered(table: HookTable, module: Any, name: str, value: Any) -> Any:
    """``value``, or what the hooks put in its place."""
    for hook in list(table.values()):
        replaced = hook(module, name, value)
        if replaced is not None:
            value = replaced
    return value


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, parameter)`` whenever any module gets a parameter; it may return another one.

    Example:
        >>> import wengert as wg
        >>> from wengert.nn.modules.module import register_module_parameter_registration_hook
        >>> seen = []
        >>> with register_module_parameter_registration_hook(lambda module, name, p: seen.append(name)):
        ...     _ = wg.nn.Linear(2, 3)
        >>> seen
        ['weight', 'bias']
    """
    return parameter_hooks.add(hook)


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, buffer)`` whenever any module gets a buffer; it may return another one."""
    return buffer_hooks.add(hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, child)`` whenever any module gets a child module; it may return another one."""
    return module_hooks.add(hook)
