"""Short-time Fourier transforms: the spectra of windows that slide over a signal, and the signal from them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from ...backends.batched import any_in
from ...backends.errors import ArgumentError, DTypeError, ShapeError
from ..base import TensorBase
from ..primitive import Primitive, apply
from .arithmetic import div, mul
from .complex import view_as_real
from .creation import ones
from .expansion import expand_rule
from .fft import fft, ifft, irfft, rfft
from .padding import pad
from .shape import permute_rule, reshape_rule
from .strides import Unfold, unfold

if TYPE_CHECKING:
    from ..tensor import Tensor


class OverlapAdd(Primitive):
    """Windows (..., number, size) added where they lie in a signal of ``length`` elements: the adjoint of `Unfold`."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, step: int, length: int) -> Any:
        number, size = x.shape[-2:]
        ctx.info = size
        blocks = -(-size // step)  # of one step each; the windows' blocks with the same number lie side by side
        k, lead = ctx.k, x.shape[:-2]
        whole = k.zeros((*lead, number, blocks * step), dtype=x.dtype)
        whole[..., :size] = x
        y = k.zeros((*lead, number + blocks - 1, step), dtype=x.dtype)
        for i in range(blocks):
            y[..., i : i + number, :] += whole[..., i * step : (i + 1) * step]
        return y.reshape((*lead, (number + blocks - 1) * step))[..., :length]

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(Unfold, g, dim=g.ndim - 1, size=ctx.info, step=ctx.params["step"])


def _called(op: str, x: Any, **arguments: Any) -> str:
    """The call, for messages."""
    text = ", ".join(f"{name}={list(v.shape) if isinstance(v, TensorBase) else v}" for name, v in arguments.items())  # type: ignore[attr-defined]
    return f"{op}({x.type()}{list(x.shape)}, {text}) :"


def _framed(op: str, called: str, window: Any, like: Any, win_length: int, n_fft: int) -> Any:
    """The window with zeros around it, ``n_fft`` elements in all; None if there is none to multiply with."""
    if window is not None and (window._data.ndim != 1 or window._data.shape[0] != win_length):
        raise ShapeError(
            f"{called} expected a 1D window tensor of size equal to win_length={win_length}, but got window with size "
            f"{list(window.shape)}"
            if op == "stft"
            else f"{called} Invalid window shape. window has to be 1D and length of `win_length`"
        )
    if window is None:
        warnings.warn(
            "A window was not provided. A rectangular window will be applied, which is known to cause spectral "
            "leakage. Other windows such as wengert.hann_window or wengert.hamming_window are recommended. To suppress "
            "this warning and use a rectangular window, explicitly set `window=wengert.ones(n_fft)`.",
            stacklevel=3,
        )
        if win_length == n_fft:
            return None
        window = ones(win_length, dtype=like.dtype, device=like.device)
    before = (n_fft - win_length) // 2
    return pad(window, (before, n_fft - win_length - before)) if win_length < n_fft else window


def _is_complex(x: Any) -> bool:
    return x is not None and x._data.dtype.kind == "c"


def stft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:
    """The Fourier transforms of windows that slide over a signal.

    Args:
        input: (T) or (N, T), floating point or complex.
        n_fft: the size of each transform.
        hop_length: from one window to the next; ``n_fft // 4`` unless told.
        win_length: the window's size, at most ``n_fft``, which it is unless told.
        window: (win_length), what to multiply with; ones unless told.
        center: pad the signal, so that window t is centred at ``t * hop_length``.
        pad_mode: how, see `nn.functional.pad`.
        normalized: divide by the root of ``n_fft``.
        onesided: leave out the coefficients that are conjugates of others; for real input, unless told.
        return_complex: return complex numbers, not pairs of real ones; must be given for real input.
        align_to_window: without ``center``, slide the window rather than the ``n_fft`` points over the signal.

    Returns:
        (F, frames) or (N, F, frames), complex, or with a last dimension of size 2: F is ``n_fft // 2 + 1`` if
        ``onesided``, else ``n_fft``.

    Raises:
        RuntimeError: the sizes do not fit, or the type is none of these.

    Example:
        >>> import wengert as wg
        >>> wg.stft(wg.ones(16), 4, window=wg.ones(4), return_complex=True).shape
        wengert.Size([3, 17])

    References:
        D. Griffin and J. Lim, "Signal estimation from modified short-time Fourier transform", IEEE Trans. ASSP 32
        (1984).
    """
    hop_length = n_fft // 4 if hop_length is None else hop_length
    win_length = n_fft if win_length is None else win_length
    if return_complex is None:
        return_complex = _is_complex(input) or _is_complex(window)
        if not return_complex:
            raise ArgumentError(
                "stft requires the return_complex parameter be given for real inputs, and will further require that "
                "return_complex=True in a future PyTorch release."
            )
    called = _called("stft", input, n_fft=n_fft, hop_length=hop_length, win_length=win_length, window=window)
    if input.dtype.category < 2:
        raise DTypeError(f"{called} expected a tensor of floating point or complex values")
    if input._data.ndim not in (1, 2):
        raise ShapeError(f"{called} expected a 1D or 2D tensor")
    if center and align_to_window is not None:
        raise ArgumentError("stft align_to_window should only be set when center = false")
    x = input if input._data.ndim == 2 else reshape_rule(input, (1, input._data.size))
    if center:
        x = pad(x, (n_fft // 2, n_fft // 2), pad_mode)
    length = x._data.shape[1]
    if not 0 < n_fft <= length:
        raise ShapeError(f"{called} expected 0 < n_fft < {length}, but got n_fft={n_fft}")
    if hop_length <= 0:
        raise ShapeError(f"{called} expected hop_length > 0, but got hop_length={hop_length}")
    if not 0 < win_length <= n_fft:
        raise ShapeError(f"{called} expected 0 < win_length <= n_fft, but got win_length={win_length}")
    factor = _framed("stft", called, window, input, win_length, n_fft)
    is_complex = _is_complex(input) or _is_complex(window)
    if onesided and is_complex:
        raise ArgumentError("Cannot have onesided output if window or input is complex")
    if align_to_window:
        before = (n_fft - win_length) // 2
        x = pad(x, (before, n_fft - win_length - before))
    frames = unfold(x, -1, n_fft, hop_length)
    transform = fft if is_complex or onesided is False else rfft
    y = transform(frames if factor is None else mul(frames, factor), norm="ortho" if normalized else None)
    y = permute_rule(y, (0, 2, 1))
    if input._data.ndim == 1:
        y = reshape_rule(y, y._data.shape[1:]) if not y._data.size else y[0]
    return y if return_complex else view_as_real(y)


def istft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Tensor:
    """The signal whose `stft` comes closest to ``input``.

    Args:
        input: (F, frames) or (N, F, frames), complex.
        n_fft: as `stft` was told.
        hop_length: likewise, at most ``win_length``.
        win_length: likewise.
        window: likewise; each point must be covered by windows that are not zero there.
        center: likewise.
        normalized: likewise.
        onesided: likewise; if F is not ``n_fft``, unless told.
        length: cut the signal, or fill it up with zeros, to this length.
        return_complex: the signal is complex.

    Returns:
        (T) or (N, T).

    Raises:
        RuntimeError: the sizes do not fit, or windows leave a gap.
    """
    hop_length = n_fft // 4 if hop_length is None else hop_length
    win_length = n_fft if win_length is None else win_length
    called = _called("istft", input, n_fft=n_fft, hop_length=hop_length, win_length=win_length, window=window)
    onesided = _check_spectra(called, input, n_fft, hop_length, win_length, onesided)
    factor = _framed("istft", called, window, real_like(input), win_length, n_fft)
    if return_complex and onesided:
        raise ArgumentError("Cannot have onesided output if window or input is complex")
    if not return_complex and _is_complex(window):
        raise ArgumentError("Complex windows are incompatible with return_complex=False")
    x = input if input._data.ndim == 3 else reshape_rule(input, (1, *input._data.shape))
    x = permute_rule(x, (0, 2, 1))  # (N, frames, F)
    norm = "ortho" if normalized else None
    half = x if onesided else x[..., : n_fft // 2 + 1]
    x = ifft(x, norm=norm) if return_complex else irfft(half, n_fft, norm=norm)
    frames = x._data.shape[1]
    total = n_fft + hop_length * (frames - 1)
    factor = ones(n_fft, dtype=x.dtype, device=x.device) if factor is None else factor
    signal = apply(OverlapAdd, mul(x, factor), step=hop_length, length=total)
    squares = expand_rule(reshape_rule(mul(factor, factor), (1, 1, n_fft)), (1, frames, n_fft))
    weight = apply(OverlapAdd, squares, step=hop_length, length=total)
    y = _cut(called, signal, weight, n_fft // 2 if center else 0, n_fft // 2 if center else 0, length)
    return y[0] if input._data.ndim == 2 else y


def real_like(x: Any) -> Any:
    """The real part of a Tensor, for its type and device."""
    return x.real if _is_complex(x) else x


def _check_spectra(called: str, x: Any, n_fft: int, hop_length: int, win_length: int, onesided: bool | None) -> bool:
    if not _is_complex(x):
        raise DTypeError(
            "istft requires a complex-valued input tensor matching the output from stft with return_complex=True."
        )
    if not x._data.size:
        raise ShapeError(f"{called} input tensor cannot be empty.")
    if x._data.ndim not in (2, 3):
        raise ShapeError(f"{called} expected a tensor with 2 or 3 dimensions, but got {x._data.ndim}")
    size = x._data.shape[-2]
    onesided = size != n_fft if onesided is None else onesided
    wanted = n_fft // 2 + 1 if onesided else n_fft
    if size != wanted:
        raise ShapeError(
            f"{called} expected the frequency dimension (3rd to the last) of the input tensor to match "
            f"{'n_fft / 2 + 1 when onesided=True' if onesided else 'n_fft when onesided=False'}, but got {size}"
        )
    if not 0 < hop_length <= win_length:
        raise ShapeError(f"{called} expected 0 < hop_length <= win_length")
    if not 0 < win_length <= n_fft:
        raise ShapeError(f"{called} expected 0 < win_length <= n_fft")
    return onesided


def _cut(called: str, signal: Any, weight: Any, start: int, tail: int, length: int | None) -> Any:
    """What lies between the padding, divided by how much window each point had."""
    total = signal._data.shape[1]
    end = total - tail if length is None else min(start + length, total)
    weight = weight[:, start:end]
    if weight._data.size and any_in(abs(weight._data) < 1e-11):
        raise ArgumentError(
            f"{called} window overlap add min: 1: some points are covered by no window, or only by its zeros"
        )
    y = div(signal[:, start:end], weight)
    if length is not None and end - start < length:
        warnings.warn(
            "The length of signal is shorter than the length parameter. Result is being padded with zeros in the "
            "tail. Please check your center and hop_length settings.",
            stacklevel=3,
        )
        y = pad(y, (0, length - (end - start)))
    return y
