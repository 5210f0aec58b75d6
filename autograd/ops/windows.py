"""Window functions of signal processing.

References:
    F. J. Harris, "On the use of windows for harmonic analysis with the discrete Fourier transform", 1978.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.errors import ShapeError
from .creation import check_layout, dtype_of, finished, make

if TYPE_CHECKING:
    from ..tensor import Tensor


def _window(name: str, length: int, periodic: bool, shape: Any, options: dict[str, Any]) -> Tensor:
    """The window whose values are ``shape(t, k)`` at points ``t`` from 0 to 1."""
    device, requires_grad = options.pop("device", None), options.pop("requires_grad", False)
    d = dtype_of(options.pop("dtype", None))
    check_layout(options.pop("layout", None))
    options.pop("pin_memory", None)
    if options:
        raise TypeError(f"{name}() got an unexpected keyword argument {next(iter(options))!r}")
    if length < 0:
        raise ShapeError(f"{name} requires non-negative window_length, got window_length={length}")
    if d.kind not in "fV":
        raise ShapeError(f"{name} expects floating point dtypes, got: {d.name}")
    if length == 1:
        return finished(make("ones", device, (1,), dtype=d), requires_grad)
    t = make("arange", device, length, dtype="float64") / max(length if periodic else length - 1, 1)
    return finished(shape(t, kernels_of[type(t)]).astype(d), requires_grad)


def hann_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """``sin(pi t) ** 2``.

    Args:
        window_length: how many values.
        periodic: leave out the last value, which is the first of the next period.
        options: ``dtype, layout, device, requires_grad``.
    """
    return _window("hann_window", window_length, periodic, lambda t, k: 0.5 - 0.5 * k.cos(2 * math.pi * t), options)


def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, **options: Any
) -> Tensor:
    """``alpha - beta cos(2 pi t)``; see `hann_window`."""
    return _window(
        "hamming_window", window_length, periodic, lambda t, k: alpha - beta * k.cos(2 * math.pi * t), options
    )


def blackman_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """``0.42 - 0.5 cos(2 pi t) + 0.08 cos(4 pi t)``; see `hann_window`."""

    def shape(t: Any, k: Any) -> Any:
        return 0.42 - 0.5 * k.cos(2 * math.pi * t) + 0.08 * k.cos(4 * math.pi * t)

    return _window("blackman_window", window_length, periodic, shape, options)


def bartlett_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """A triangle from 0 to 1 and back; see `hann_window`."""
    return _window("bartlett_window", window_length, periodic, lambda t, k: 1 - k.abs(2 * t - 1), options)


def kaiser_window(window_length: int, periodic: bool = True, beta: float = 12.0, **options: Any) -> Tensor:
    """``I0(beta sqrt(1 - (2 t - 1)**2)) / I0(beta)``, with the Bessel function I0; see `hann_window`."""

    def shape(t: Any, k: Any) -> Any:
        x = k.sqrt(k.maximum(1 - (2 * t - 1) ** 2, 0))
        return k.i0(beta * x) / k.i0(k.full((), float(beta), dtype="float64"))

    return _window("kaiser_window", window_length, periodic, shape, options)
