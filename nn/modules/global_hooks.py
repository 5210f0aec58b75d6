"""``nn.modules.module`` as a module whose tables of global hooks can be assigned to, as PyTorch's own tests do."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ..hooks import Functions, everywhere, replace_everywhere

__all__ = ["ModulePath"]


def _table(kind: str) -> property:
    return property(
        lambda self: Functions(getattr(everywhere, kind)), lambda self, hooks: replace_everywhere(kind, hooks)
    )


class ModulePath(ModuleType):
    """The type of that module: the hooks of every module by handle id, under PyTorch's names."""

    _global_forward_pre_hooks: Any = _table("forward_pre")
    _global_forward_hooks: Any = _table("forward")
    _global_backward_pre_hooks: Any = _table("backward_pre")
    _global_backward_hooks: Any = _table("backward_plain")
