"""Switches of oneDNN that programs set; there is one implementation of each op here, so they change nothing."""

from __future__ import annotations

from typing import Any

from .settings import switched

enabled = True
deterministic = False
allow_tf32 = True


def is_available() -> bool:
    """Whether oneDNN computes here; this library brings its own kernels."""
    return False


def is_acl_available() -> bool:
    """Whether Arm's compute library computes here; it does not."""
    return False


def flags(enabled: bool = False, deterministic: bool = False, allow_tf32: bool = True, **others: Any) -> Any:
    """Set switches until the end of the block."""
    return switched(globals(), enabled=enabled, deterministic=deterministic, allow_tf32=allow_tf32)
