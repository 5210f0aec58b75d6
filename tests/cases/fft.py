"""Rows of the op table: Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from .base import Args, Make, OpCase
from .products import row

SHORT = ("float32",)


def signals(*shapes: tuple[object, ...], real: bool = True, imaginary: bool = True) -> Callable[..., Iterable[Args]]:
    """Real and complex inputs of each shape, each with the other arguments that follow it."""

    def samples(make: Make) -> list[Args]:
        found: list[Args] = []
        for shape, *rest in shapes:
            if real:
                found.append((make.real(*shape), *rest))  # type: ignore[misc]
            if imaginary:
                found.append((make.real(*shape) + 1j * make.real(*shape), *rest))  # type: ignore[misc]
        return found

    return samples


ONE = [
    ((5,),),
    ((3, 4),),
    ((2, 5), 8),
    ((2, 6), 3),
    ((4, 3), None, 0, "ortho"),
    ((2, 5), 6, -1, "forward"),
    ((0, 4),),
]
TWO = [((3, 4),), ((2, 3, 4), (4, 3)), ((3, 2, 5), (2, 6), (0, 2), "ortho"), ((2, 4, 5), None, (-2, -1), "forward")]
MANY = [
    ((3, 4),),
    ((2, 3, 4), (4, 5)),
    ((2, 3, 3), None, (0, 2), "ortho"),
    ((2, 3, 4), (3, -1, 5), None, "forward"),
]


def plain_dft(x: np.ndarray) -> np.ndarray:
    """The definition, as a matrix product."""
    k = np.arange(x.shape[-1])
    return x @ np.exp(-2j * np.pi * np.outer(k, k) / len(k))


CASES: list[OpCase] = [
    row("fft.fft", signals(((5,),), ((3, 4),)), reference=plain_dft, dtypes=SHORT, note="definition"),
]
for stem, takes in {
    "fft": {},
    "ifft": {},
    "rfft": {"imaginary": False},
    "irfft": {},
    "hfft": {},
    "ihfft": {"imaginary": False},
}.items():
    for suffix, shapes in {"": ONE, "2": TWO, "n": MANY}.items():
        CASES.append(row(f"fft.{stem}{suffix}", signals(*shapes, **takes), dtypes=SHORT))

CASES += [
    row("fft.fftfreq", lambda m: [(5,), (6,), (4, 0.5), (1,), (3, 2.0, {"dtype": None})], orders=0, dtypes=()),
    row("fft.rfftfreq", lambda m: [(5,), (6,), (4, 0.5), (1,)], orders=0, dtypes=()),
    row("fft.fftshift", signals(((5,),), ((3, 4),), ((3, 4), 1), ((2, 3, 5), (0, 2))), dtypes=SHORT),
    row("fft.ifftshift", signals(((5,),), ((3, 4),), ((3, 4), 1), ((2, 3, 5), (0, 2))), dtypes=SHORT),
]

CASES += [
    row(
        "stft",
        lambda m: [
            (m.real(12), 4, None, None, None, True, "reflect", False, None, True),
            (m.real(2, 12), 6, 2, 4, m.positive(4), False, "reflect", True, None, True),
            (m.real(12), 5, 3, None, None, True, "constant", False, False, False),
            (m.real(2, 9) + 1j * m.real(2, 9), 4, 2, 3, None, True, "replicate"),
        ],
        dtypes=SHORT,
    ),
    row(
        "istft",
        lambda m: [
            (m.real(3, 5) + 1j * m.real(3, 5), 4),
            (m.real(2, 4, 5) + 1j * m.real(2, 4, 5), 6, 2, 4, m.positive(4), True, True),
            (m.real(5, 4) + 1j * m.real(5, 4), 5, 2, None, None, False, False, False, 9),
            (m.real(4, 5) + 1j * m.real(4, 5), 4, 3, None, m.positive(4), False, False, False, None, True),
        ],
        dtypes=SHORT,
    ),
]


def windowed(name: str, **parameters: object) -> OpCase:
    """A row for a function of ``signal.windows``."""
    return OpCase(
        f"signal.windows.{name}",
        lambda T, n, sym: getattr(T.signal.windows, name)(n, sym=sym, dtype=T.float64, **parameters),
        lambda m: [(n, sym) for n in (0, 1, 2, 5) for sym in (True, False)],
        orders=0,
        dtypes=(),
    )


CASES += [windowed(name) for name in ("bartlett", "blackman", "cosine", "hamming", "hann", "nuttall")]
CASES += [
    windowed("exponential", tau=2.0),
    windowed("gaussian", std=1.5),
    windowed("kaiser", beta=3.0),
    windowed("general_cosine", a=[0.4, 0.5, 0.1]),
    windowed("general_hamming", alpha=0.6),
]
