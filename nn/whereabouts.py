"""Where in a model an error was raised: the path of the module, as ``model.get_submodule(path)`` takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..backends.errors import WengertError

if TYPE_CHECKING:
    from .module import Module

__all__ = ["say_where"]

PLAIN = (ValueError, TypeError, RuntimeError, IndexError, NotImplementedError, AssertionError)
_PACKAGE = __name__.partition(".")[0]


def say_where(error: Exception, module: Module) -> None:
    """Put the innermost module's path, as ``module`` knows it, at the end of the error's message.

    Every module that an error passes through calls this, the innermost first, so that the path grows up to the model.
    Errors of the program itself stay as they are.
    """
    if not isinstance(error, WengertError) and not _of_the_library(error):
        return
    inner: Any = error.__dict__.setdefault("_module", module)
    path = next((name for name, other in module.named_modules() if other is inner), None)
    if path is None:  # not registered below, as when a model keeps its parts in a list
        return
    name, settings = type(inner).__name__, inner.extra_repr()
    layer = f"{name}({settings})" if "\n" not in settings else name
    if path:
        _place(error, f" [in {path}: {layer}]")
    elif "_place" not in error.__dict__:
        _place(error, f" [in {layer}]")


def _place(error: Exception, place: str) -> None:
    """Let the message end with ``place`` instead of the place that it ended with."""
    before = error.__dict__.get("_place", "")
    error.__dict__["_place"] = place
    if isinstance(error, WengertError):
        error.place = place
    else:
        error.args = (error.args[0].removesuffix(before) + place,)


def _of_the_library(error: Exception) -> bool:
    """Whether it is an exception of a built-in type, with a message, that the library itself raised."""
    if type(error) not in PLAIN or len(error.args) != 1 or not isinstance(error.args[0], str):
        return False
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    name = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__", ""))
    return name.partition(".")[0] == _PACKAGE
