"""Switches of cuDNN that programs set; there is one implementation of each op here, so they change nothing."""

from __future__ import annotations

enabled = True
benchmark = False
deterministic = False
allow_tf32 = True


def is_available() -> bool:
    """Whether cuDNN computes here; this library brings its own kernels."""
    return False


def version() -> int | None:
    """The version of cuDNN; None, as it is not used."""
    return None
