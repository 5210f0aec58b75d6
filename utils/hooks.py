"""What registering a hook returns."""

from __future__ import annotations

from ..autograd.hooks import RemovableHandle as RemovableHandle
