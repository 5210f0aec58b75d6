"""OpenMP, which this library does not call itself: answers programs that ask."""

from __future__ import annotations


def is_available() -> bool:
    """Whether ops are spread over threads by OpenMP; BLAS and Numba bring threads of their own."""
    return False
