"""PyTorch's older path to `wengert.library`."""

from __future__ import annotations

from .library import impl as impl
from .library import impl_abstract as impl_abstract
