"""Where in a model an error was raised: the path of the module, as ``model.get_submodule(path)`` takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..backends.errors import WengertError
    from .module import Module

__all__ = ["say_where"]


def say_where(error: WengertError, module: Module) -> None:
    """Put the innermost module's path, as ``module`` knows it, at the end of the error's message.

    Every module that an error passes through calls this, the innermost first, so that the path grows up to the model.
    """
    inner: Any = error.__dict__.setdefault("_module", module)
    path = next((name for name, other in module.named_modules() if other is inner), None)
    if path is None:  # not registered below, as when a model keeps its parts in a list
        return
    name, settings = type(inner).__name__, inner.extra_repr()
    layer = f"{name}({settings})" if "\n" not in settings else name
    if path:
        error.place = f" [in {path}: {layer}]"
    elif not error.place:
        error.place = f" [in {layer}]"
