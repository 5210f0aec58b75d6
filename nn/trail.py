"""Which module is running: followed through hooks of every module while somebody wants to know."""

from __future__ import annotations

import threading
from typing import Any

from ..autograd.watch import Trail
from .hooks import register_module_forward_hook, register_module_forward_pre_hook

__all__ = ["ModuleTrail"]


class _Stack(threading.local):
    def __init__(self) -> None:
        self.paths: list[str] = []
        self.names: dict[int, str] = {}  # id of each module below the outermost one -> its path


class ModuleTrail(Trail):
    """The modules that are running, in each thread."""

    def __init__(self) -> None:
        self._stack = _Stack()
        enter = register_module_forward_pre_hook(self._enter)
        leave = register_module_forward_hook(self._leave, always_call=True)
        self._handles = (enter, leave)

    def _enter(self, module: Any, args: Any) -> None:
        stack = self._stack
        if not stack.paths:
            root = type(module).__name__
            stack.names = {id(m): f"{root}.{name}" if name else root for name, m in module.named_modules()}
        path = stack.names.get(id(module))
        if path is None:  # kept in a plain list, or made while it runs
            path = f"{stack.paths[-1]}.({type(module).__name__})"
        stack.paths.append(path)

    def _leave(self, module: Any, args: Any, output: Any) -> None:
        if self._stack.paths:
            self._stack.paths.pop()

    def path(self) -> str:
        """The path of the innermost module, such as ``ResNet.layer1.0.conv1``."""
        paths = self._stack.paths
        return paths[-1] if paths else ""

    def close(self) -> None:
        """Take the hooks away."""
        for handle in self._handles:
            handle.remove()
