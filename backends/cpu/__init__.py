"""The CPU backend: NumPy arrays, with faster kernels where they are worth having."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .. import tuning
from ..device import Device
from ..registry import Backend
from . import (
    activation,
    attention,
    blockwise,
    casts,
    clip,
    conv,
    cumulative,
    dropout,
    elementwise,
    embedding,
    fft,
    functions,
    indexing,
    linalg,
    logarithms,
    loss,
    moves,
    norm,
    optim,
    piecewise,
    pool,
    product,
    random,
    rectifier,
    recurrent,
    reduction,
    scratch,
    sharing,
    sorting,
    sparse,
    special,
)
from .namespace import FASTER

OWN = (
    activation,
    attention,
    blockwise,
    casts,
    clip,
    conv,
    cumulative,
    dropout,
    elementwise,
    embedding,
    fft,
    functions,
    indexing,
    linalg,
    logarithms,
    loss,
    moves,
    norm,
    optim,
    piecewise,
    pool,
    product,
    random,
    rectifier,
    recurrent,
    reduction,
    sorting,
    sparse,
    special,
)
# log(0) is -inf and 0/0 NaN without a word, as in PyTorch and on a GPU; NumPy goes on warning in the user's own code.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"wengert\.")

CPU = Device.__new__(Device)
CPU.type, CPU.index, CPU._previous = "cpu", None, []


class CPUBackend(Backend):
    """NumPy arrays in main memory."""

    def device_of(self, array: Any) -> Device:
        return CPU

    def check(self, device: Device) -> None:
        """Every ``cpu:n`` is the one CPU, as in PyTorch."""

    def to_numpy(self, array: Any) -> Any:
        return array

    def from_numpy(self, array: Any, device: Device, non_blocking: bool = False) -> Any:
        return np.asarray(array)

    def share(self, array: Any) -> Any:
        return array if sharing.is_shared(array) else sharing.share(array)

    def is_shared(self, array: Any) -> bool:
        return sharing.is_shared(array)

    def shared_parts(self, array: Any) -> Any:
        return sharing.parts(array)

    def from_shared(self, parts: Any) -> Any:
        return sharing.rebuilt(*parts)

    def empty_cache(self) -> None:
        scratch.give_back()
        tuning.trim()


def get_cpu_capability() -> str:
    """The widest vector instructions of the CPU: ``"AVX512"``, ``"AVX2"``, or ``"DEFAULT"`` for others."""
    _, flags = tuning.cpu_flags()
    return "AVX512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "DEFAULT"


def load() -> Backend:
    """The backend object; called once by the registry."""
    return CPUBackend("cpu", np, np.ndarray, own=OWN, seen=FASTER)
