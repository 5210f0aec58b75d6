"""CuPy as the plain definitions see it: with products of matrices by cuBLASLt, and numbers that are not copied."""

from __future__ import annotations

from typing import Any

from .creation import asarray
from .product import product_of


class Namespace:
    """CuPy, less what is slow in it, or cannot be captured. What is looked up once is an attribute from then on."""

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy
        self.matmul = product_of
        self.asarray = asarray

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._cupy, name)
        setattr(self, name, found)
        return found
