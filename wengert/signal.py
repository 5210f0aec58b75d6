"""Signal processing, under PyTorch's names: ``wengert.signal.windows``."""

from __future__ import annotations

import sys

from .autograd.ops import signal_windows as windows

sys.modules[f"{__name__}.windows"] = windows  # so that it can be imported by that name

__all__ = ["windows"]
