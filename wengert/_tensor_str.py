"""PyTorch's path to how tensors print."""

from __future__ import annotations

from typing import Any

from .autograd.printing import PROFILES as PROFILES
from .autograd.printing import _options
from .autograd.printing import printoptions as printoptions
from .autograd.printing import set_printoptions as set_printoptions
from .autograd.printing import tensor_repr as _str


def _tensor_str(tensor: Any, indent: int) -> str:
    """The numbers of a tensor, without ``tensor(...)`` around them."""
    return _str(tensor).removeprefix("tensor(").rpartition(")")[0]


def __getattr__(name: str) -> Any:
    if name == "PRINT_OPTS":  # what holds now
        return _options[0]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
