"""What surrounds training: files, and data."""

from __future__ import annotations

import weakref
from typing import Any

from . import _pytree as _pytree
from . import checkpoint as checkpoint
from . import data as data
from . import deterministic as deterministic
from . import dlpack as dlpack
from . import hooks as hooks
from . import model_zoo as model_zoo
from .serialization import load as load
from .serialization import save as save


def set_module(obj: Any, mod: str) -> None:
    """Make an object say that it is defined in module ``mod``.

    Raises:
        TypeError: ``mod`` is no string.
    """
    if not isinstance(mod, str):
        raise TypeError("The mod argument should be a string")
    obj.__module__ = mod


def swap_tensors(t1: Any, t2: Any) -> None:
    """Exchange what two tensors are: memory, gradient, attributes and class.

    Raises:
        RuntimeError: one of them is weakly referenced.
    """
    for t in (t1, t2):
        if weakref.getweakrefs(t):
            raise RuntimeError("Cannot swap a tensor that has weakref associated with it")
    for name in ("__class__", "__dict__", "_data", "_edge", "_grad", "_hooks", "_rg", "_ver", "_view"):
        a, b = getattr(t1, name), getattr(t2, name)
        setattr(t1, name, b)
        setattr(t2, name, a)
