"""``wengert.ops.NAMESPACE.OPERATION``: operations of the user's own, and those of this package as ``ops.aten``.

See `wengert.library` for how a program adds its own.
"""

from __future__ import annotations

import importlib
from typing import Any, NoReturn

from .autograd.custom_ops import CustomOpDef, find, names_in
from .autograd.tensor import Tensor

__all__ = ["load_library", "loaded_libraries"]

loaded_libraries: set[str] = set()

# Where functions are that PyTorch's own table has without their module's name.
_PLACES = ("", "nn.functional", "special", "linalg", "fft")
_PREFIXES = {"linalg_": "linalg", "fft_": "fft", "special_": "special"}
_RENAMED = {"_to_copy": "clone", "alias": "view_as", "sym_size": "size", "sym_numel": "numel"}


def load_library(path: Any) -> NoReturn:
    """Load operations that were compiled for PyTorch.

    Raises:
        OSError: always: they are made for another library's tensors.
    """
    raise OSError(f"Could not load this library: {path}: compiled operations are for PyTorch's own tensors")


class _Namespace:
    """The operations whose names begin with ``name::``."""

    def __init__(self, name: str) -> None:
        self._name = self.name = name

    def __getattr__(self, op: str) -> CustomOpDef:
        if op in names_in(self._name):
            return find(f"{self._name}::{op}")
        if self._name in ("aten", "prims") and not op.startswith("__"):
            made = CustomOpDef(f"{self._name}::{op}")  # of one that is not here, a name: calling it says so
            made._composite = _function_named(op)
            vars(self)[op] = made  # so that it is the same object the next time
            return made
        raise AttributeError(f"'_OpNamespace' '{self._name}' object has no attribute '{op}'")

    def __dir__(self) -> list[str]:
        return names_in(self._name)

    def __repr__(self) -> str:
        return f"<namespace {self._name!r} of operations>"


def _function_named(op: str) -> Any:
    package = __name__.rpartition(".")[0]
    for prefix, place in _PREFIXES.items():
        if op.startswith(prefix):
            return getattr(importlib.import_module(f"{package}.{place}"), op.removeprefix(prefix), None)
    name = _RENAMED.get(op, op)
    for place in _PLACES:
        found = getattr(importlib.import_module(f"{package}.{place}".rstrip(".")), name, None)
        if callable(found) and not isinstance(found, type):
            return found
    return getattr(Tensor, name, None)


def __getattr__(name: str) -> _Namespace:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = globals()[name] = _Namespace(name)
    return made
