"""Switches for results that repeat to the bit."""

from __future__ import annotations

fill_uninitialized_memory = True  # for PyTorch's sake: what `empty` returns is not filled here
