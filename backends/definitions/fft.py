"""Fourier transforms, in the precision of their input."""

from __future__ import annotations

from typing import Any

__all__ = ["fft_c2c", "fft_c2r", "fft_r2c"]


def fft_c2c(xp: Any, x: Any, dims: tuple[int, ...], inverse: bool, norm: str) -> Any:
    """The transform, or its inverse, of complex numbers over ``dims``."""
    transform = xp.fft.ifftn if inverse else xp.fft.fftn
    return transform(x, axes=dims, norm=norm).astype(x.dtype)


def fft_r2c(xp: Any, x: Any, dim: int, norm: str) -> Any:
    """The transform of real numbers over ``dim``, without the half that is the conjugate of the other."""
    return xp.fft.rfft(x, axis=dim, norm=norm).astype("complex64" if x.dtype == "float32" else "complex128")


def fft_c2r(xp: Any, x: Any, n: int, dim: int, norm: str) -> Any:
    """The inverse of `fft_r2c`: ``n`` real numbers from the ``n // 2 + 1`` coefficients along ``dim``."""
    return xp.fft.irfft(x, n=n, axis=dim, norm=norm).astype("float32" if x.dtype == "complex64" else "float64")
