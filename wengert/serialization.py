"""Files: PyTorch's path to ``save`` and ``load``."""

from __future__ import annotations

from .utils.serialization import load as load
from .utils.serialization import save as save
