"""Window functions; in ``wengert.signal.windows``. Those with ``_window`` in their names are in ``windows``.

References:
    F. J. Harris, "On the use of windows for harmonic analysis with the discrete Fourier transform", Proc. IEEE 66
    (1978).
    A. Nuttall, "Some windows with very good sidelobe behavior", IEEE Trans. ASSP 29 (1981).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ...backends import DType, kernels_of, to_dtype
from ...backends.errors import InvalidValueError
from ..promotion import get_default_dtype
from .creation import finished, make
from .layout import strided

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "bartlett",
    "blackman",
    "cosine",
    "exponential",
    "gaussian",
    "general_cosine",
    "general_hamming",
    "hamming",
    "hann",
    "kaiser",
    "nuttall",
]


def _window(name: str, M: int, options: dict[str, Any], shape: Callable[[Any, Any, int], Any]) -> Tensor:
    """The window whose values are ``shape(i, k, n)`` at the points ``i`` of ``n``, of which the first ``M`` are kept.

    Raises:
        ValueError: the size is negative, or the type or the layout does not do.
    """
    sym, device = options.pop("sym", True), options.pop("device", None)
    dtype, layout = options.pop("dtype", None), options.pop("layout", None)
    requires_grad = options.pop("requires_grad", False)
    if options:
        raise TypeError(f"{name}() got an unexpected keyword argument {next(iter(options))!r}")
    kind: DType = get_default_dtype() if dtype is None else to_dtype(dtype)
    size = M.__index__() if hasattr(M, "__index__") else None
    if size is None:
        raise TypeError(f"{name}(): argument 'M' must be int, not {type(M).__name__}")
    if size < 0:
        raise InvalidValueError(f"{name} requires non-negative window length, got M={size}")
    if layout not in (None, strided):
        raise InvalidValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    if kind.name not in ("float32", "float64"):
        raise InvalidValueError(f"{name} expects float32 or float64 dtypes, got: {kind}")
    i = make("arange", device, size, dtype="float64")
    n = size if sym else size + 1
    y = i + 1.0 if size <= 1 else shape(i, kernels_of[type(i)], n)
    return finished(y.astype(kind.dtype), requires_grad)


def bartlett(M: int, **options: Any) -> Tensor:
    """A triangle from 0 to 1 and back.

    Args:
        M: how many values.
        options: ``sym`` (True, else the first of a period's values, for spectra), ``dtype`` (float32 or float64),
            ``layout``, ``device``, ``requires_grad``.

    Raises:
        ValueError: ``M`` is negative, or the type is another one.

    Example:
        >>> import wengert as wg
        >>> wg.signal.windows.bartlett(5)
        tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    return _window("bartlett", M, options, lambda i, k, n: 1.0 - k.abs(i * (2.0 / (n - 1)) - 1.0))


def cosine(M: int, **options: Any) -> Tensor:
    """``sin(pi (i + 1/2) / n)``, half a wave; see `bartlett`."""
    return _window("cosine", M, options, lambda i, k, n: k.sin((i + 0.5) * (math.pi / n)))


def exponential(M: int, *, center: float | None = None, tau: float = 1.0, **options: Any) -> Tensor:
    """``exp(-abs(i - center) / tau)``; see `bartlett`.

    Args:
        M: how many values.
        center: where the largest one is; in the middle unless told, which it must be for symmetric windows.
        tau: how quickly it falls.
        options: see `bartlett`.

    Raises:
        ValueError: ``tau`` is not positive, or ``center`` is given for a symmetric window.
    """
    if tau <= 0:
        raise InvalidValueError(f"Tau must be positive, got: {tau} instead.")
    if options.get("sym", True) and center is not None:
        raise InvalidValueError("Center must be None for symmetric windows")

    def shape(i: Any, k: Any, n: int) -> Any:
        return k.exp(-k.abs(i - ((n - 1) / 2 if center is None else center)) / tau)

    return _window("exponential", M, options, shape)


def gaussian(M: int, *, std: float = 1.0, **options: Any) -> Tensor:
    """``exp(-(x / std)**2 / 2)``, ``x`` counted from the middle; see `bartlett`.

    Raises:
        ValueError: ``std`` is not positive.
    """
    if std <= 0:
        raise InvalidValueError(f"Standard deviation must be positive, got: {std} instead.")
    return _window("gaussian", M, options, lambda i, k, n: k.exp(-(((i - (n - 1) / 2) / std) ** 2) / 2))


def kaiser(M: int, *, beta: float = 12.0, **options: Any) -> Tensor:
    """``I0(beta sqrt(1 - x**2)) / I0(beta)``, ``x`` from -1 to 1, with the Bessel function I0; see `bartlett`.

    Raises:
        ValueError: ``beta`` is negative.
    """
    if beta < 0:
        raise InvalidValueError(f"beta must be non-negative, got: {beta} instead.")

    def shape(i: Any, k: Any, n: int) -> Any:
        x = i * (2.0 / (n - 1)) - 1.0
        return k.i0(beta * k.sqrt(k.maximum(1.0 - x * x, 0.0))) / k.i0(k.full((), float(beta), dtype="float64"))

    return _window("kaiser", M, options, shape)


def _cosines(name: str, M: int, a: Sequence[float], options: dict[str, Any]) -> Tensor:
    def shape(i: Any, k: Any, n: int) -> Any:
        x = i * (2.0 * math.pi / (n - 1))
        y = i * 0.0
        for j, factor in enumerate(a):
            y = y + k.cos(x * j) * ((-1.0) ** j * factor)
        return y

    return _window(name, M, options, shape)


def general_cosine(M: int, *, a: Sequence[float], **options: Any) -> Tensor:
    """``a[0] - a[1] cos(x) + a[2] cos(2 x) - ...``, ``x`` from 0 to ``2 pi``; see `bartlett`.

    Raises:
        TypeError: ``a`` is no list or tuple. ValueError: it is empty.
    """
    if not isinstance(a, list | tuple):
        raise TypeError("Coefficients must be a list/tuple")
    if not a:
        raise InvalidValueError("Coefficients cannot be empty")
    return _cosines("general_cosine", M, a, options)


def general_hamming(M: int, *, alpha: float = 0.54, **options: Any) -> Tensor:
    """``alpha - (1 - alpha) cos(x)``; see `general_cosine`."""
    return general_cosine(M, a=[alpha, 1.0 - alpha], **options)


def hamming(M: int, **options: Any) -> Tensor:
    """``0.54 - 0.46 cos(x)``; see `general_cosine`."""
    return general_hamming(M, **options)


def hann(M: int, **options: Any) -> Tensor:
    """``0.5 - 0.5 cos(x)``; see `general_cosine`."""
    return general_hamming(M, alpha=0.5, **options)


def blackman(M: int, **options: Any) -> Tensor:
    """``0.42 - 0.5 cos(x) + 0.08 cos(2 x)``; see `general_cosine`."""
    return _cosines("blackman", M, [0.42, 0.5, 0.08], options)


def nuttall(M: int, **options: Any) -> Tensor:
    """``0.3635819 - 0.4891775 cos(x) + 0.1365995 cos(2 x) - 0.0106411 cos(3 x)``; see `general_cosine`."""
    return general_cosine(M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], **options)
