"""PyTorch's switch for its fused kernels of whole attention layers. There are none here, so it only remembers."""

from __future__ import annotations

_enabled = [True]


def get_fastpath_enabled() -> bool:
    """What `set_fastpath_enabled` has set; True at the start."""
    return _enabled[0]


def set_fastpath_enabled(value: bool) -> None:
    """Set what `get_fastpath_enabled` says. Results are the same either way."""
    _enabled[0] = value
