"""Apple's GPUs, which this library has no backend for: answers programs that ask before they choose a device."""

from __future__ import annotations


def is_available() -> bool:
    """Whether Apple's GPU can be used; it cannot."""
    return False


def is_built() -> bool:
    """Whether there is a backend for Apple's GPUs; there is none."""
    return False
