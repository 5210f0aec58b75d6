"""Switches of the package opt_einsum that programs set; ``einsum`` finds its own order of products here."""

from __future__ import annotations

enabled = False
strategy: str | None = None


def is_available() -> bool:
    """Whether opt_einsum is used; it is not."""
    return False
