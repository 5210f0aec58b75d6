"""DLPack: tensors to and from other libraries without a copy."""

from __future__ import annotations

from ..autograd.ops import from_dlpack as from_dlpack
from ..autograd.ops import to_dlpack as to_dlpack
