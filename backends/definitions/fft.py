"""Fourier transforms, in the precision of their input.

Results lie in memory as PyTorch's do: the transformed dimensions innermost, the others in the input's order.
"""

from __future__ import annotations

from typing import Any

__all__ = ["fft_c2c", "fft_c2r", "fft_r2c", "memory_order"]

Dims = tuple[int, ...]


def fft_c2c(xp: Any, x: Any, dims: Dims, inverse: bool, norm: str, order: Dims | None = None) -> Any:
    """The transform, or its inverse, of complex numbers over ``dims``; ``order`` is that of the result in memory."""
    transform = xp.fft.ifftn if inverse else xp.fft.fftn
    y = transform(x, axes=dims, norm=norm).astype(x.dtype, copy=False)
    return laid_out(xp, y, order or memory_order(xp, x, dims))


def fft_r2c(xp: Any, x: Any, dim: int, norm: str) -> Any:
    """The transform of real numbers over ``dim``, without the half that is the conjugate of the other."""
    kind = "complex64" if x.dtype == "float32" else "complex128"
    y = xp.fft.rfft(x, axis=dim, norm=norm).astype(kind, copy=False)
    return laid_out(xp, y, memory_order(xp, x, (dim,)))


def fft_c2r(xp: Any, x: Any, n: int, dim: int, norm: str) -> Any:
    """The inverse of `fft_r2c`: ``n`` real numbers from the ``n // 2 + 1`` coefficients along ``dim``."""
    kind = "float32" if x.dtype == "complex64" else "float64"
    y = xp.fft.irfft(x, n=n, axis=dim, norm=norm).astype(kind, copy=False)
    return laid_out(xp, y, memory_order(xp, x, (dim,)))


def memory_order(xp: Any, x: Any, dims: Dims, last: Dims = ()) -> Dims:
    """The dimensions from the outermost to the innermost: those not transformed, ``dims``, ``last``."""
    rest = [d for d in range(x.ndim) if d not in dims and d not in last]

    def by_stride(some: Any) -> list[int]:
        return sorted(some, key=lambda d: -x.strides[d])

    return (*by_stride(rest), *by_stride(dims), *last)


def laid_out(xp: Any, y: Any, order: Dims) -> Any:
    inverse = sorted(range(len(order)), key=lambda i: order[i])
    return xp.transpose(xp.ascontiguousarray(xp.transpose(y, order)), inverse)
