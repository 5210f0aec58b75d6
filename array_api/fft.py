"""The Fourier transform extension, in the standard's signatures; conventions are those of `wengert.fft`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from ..autograd.ops import fft as _fft

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor
    from ..backends import DType

__all__ = [
    "fft",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfftn",
    "rfft",
    "rfftfreq",
    "rfftn",
]

Norm = Literal["backward", "ortho", "forward"]


def _along_one(name: str, what: str) -> Callable[..., Tensor]:
    op = getattr(_fft, name)

    def function(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
        return op(x, n, axis, norm)

    return _named(
        function, name, f"{what}, along ``axis``, cut or filled up with zeros to ``n``; see `wengert.fft.{name}`."
    )


def _along_several(name: str, what: str) -> Callable[..., Tensor]:
    op = getattr(_fft, name)

    def function(
        x: Tensor, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: Norm = "backward"
    ) -> Tensor:
        return op(x, s, axes, norm)

    return _named(
        function, name, f"{what}, along ``axes``, cut or filled up with zeros to ``s``; see `wengert.fft.{name}`."
    )


def _named(function: Any, name: str, text: str) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    return function


fft = _along_one("fft", "The Fourier transform")
ifft = _along_one("ifft", "The inverse Fourier transform")
rfft = _along_one("rfft", "The half of the Fourier transform of real numbers that says it all")
irfft = _along_one("irfft", "The inverse of rfft")
hfft = _along_one("hfft", "The Fourier transform of a Hermitian signal, of which half is given")
ihfft = _along_one("ihfft", "The inverse of hfft")
fftn = _along_several("fftn", "The Fourier transform")
ifftn = _along_several("ifftn", "The inverse Fourier transform")
rfftn = _along_several("rfftn", "The half of the Fourier transform of real numbers that says it all")
irfftn = _along_several("irfftn", "The inverse of rfftn")


def fftfreq(n: int, /, *, d: float = 1.0, dtype: DType | None = None, device: Any = None) -> Tensor:
    """The frequencies of the elements of an FFT of ``n`` samples that lie ``d`` apart: ``(n,)``."""
    return _fft.fftfreq(n, d, dtype=dtype, device=device)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: DType | None = None, device: Any = None) -> Tensor:
    """The frequencies of the elements of an RFFT of ``n`` samples that lie ``d`` apart: ``(n // 2 + 1,)``."""
    return _fft.rfftfreq(n, d, dtype=dtype, device=device)


def fftshift(x: Tensor, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """``x`` with frequency zero moved to the middle of ``axes``, or of all axes."""
    return _fft.fftshift(x, axes)


def ifftshift(x: Tensor, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """What undoes `fftshift`."""
    return _fft.ifftshift(x, axes)
