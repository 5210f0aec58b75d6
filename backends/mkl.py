"""Intel's MKL, which this library does not call: answers programs that ask."""

from __future__ import annotations


def is_available() -> bool:
    """Whether MKL computes here; NumPy's BLAS does, whichever that is."""
    return False
