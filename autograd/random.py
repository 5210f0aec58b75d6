"""Where random numbers come from: a seed and a count of what has been drawn.

A draw is a pure function of the two (Philox, see ``wengert.backends``), so the same seed gives the same numbers on
every device and for any number of threads, and a state is 16 bytes.

References:
    J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

import contextlib
import operator
import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..backends import Device, get_backend
from ..backends.errors import InvalidValueError, ShapeError
from .base import TensorBase, wrap

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = [
    "Generator",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]

DEFAULT_SEED = 67280421310721  # PyTorch's, so that a program that never seeds repeats itself here too
_MASK = 2**64 - 1


class Generator:
    """A source of random numbers with a seed of its own.

    Args:
        device: for PyTorch's sake; one generator serves tensors on every device.

    Example:
        >>> import wengert as wg
        >>> g = wg.Generator().manual_seed(0)
        >>> a = wg.rand(3, generator=g)
        >>> bool((a == wg.rand(3, generator=g.manual_seed(0))).all())
        True
    """

    def __init__(self, device: Any = "cpu") -> None:
        self.device = Device(device)
        self._seed = DEFAULT_SEED
        self._offset = 0

    def take(self, blocks: int) -> tuple[int, int]:
        """The key and the first block of a draw that uses ``blocks`` blocks; the next draw starts after them."""
        start = self._offset
        self._offset = (start + blocks) & _MASK
        return self._seed, start

    def manual_seed(self, seed: int) -> Generator:
        """Start anew from ``seed``; negative seeds count from 2**64 downwards.

        Raises:
            ValueError: the seed does not fit 64 bits.
        """
        seed = operator.index(seed)
        if not -(2**63) <= seed <= _MASK:
            raise InvalidValueError(f"Overflow when unpacking long long: the seed {seed} is not within [-2**63, 2**64)")
        self._seed, self._offset = seed & _MASK, 0
        return self

    def seed(self) -> int:
        """Start anew from a seed of the operating system's, and return it."""
        chosen = int.from_bytes(os.urandom(8), "little")
        self.manual_seed(chosen)
        return chosen

    def initial_seed(self) -> int:
        """The seed that the numbers come from."""
        return self._seed

    def get_state(self) -> Tensor:
        """Seed and position, as 16 bytes.

        Returns:
            Shape (16,), uint8, on the CPU.
        """
        backend = get_backend("cpu")
        data = self._seed.to_bytes(8, "little") + self._offset.to_bytes(8, "little")
        return wrap(backend.xp.frombuffer(bytearray(data), dtype="uint8"))  # type: ignore[no-any-return]

    def set_state(self, new_state: Tensor) -> Generator:
        """Go back to a state that `get_state` gave.

        Raises:
            TypeError: it is no uint8 tensor. RuntimeError: it has another length.
        """
        if not isinstance(new_state, TensorBase) or new_state._data.dtype.name != "uint8":
            raise TypeError("RNG state must be a ByteTensor: a uint8 tensor from get_state()")
        if new_state._data.shape != (16,):
            raise ShapeError(f"RNG state is wrong size: expected 16 bytes, got shape {list(new_state._data.shape)}")
        data = bytes(new_state._data.tolist())
        self._seed, self._offset = int.from_bytes(data[:8], "little"), int.from_bytes(data[8:], "little")
        return self

    def clone_state(self) -> Generator:
        """Another generator in the same state."""
        twin = Generator(self.device)
        twin._seed, twin._offset = self._seed, self._offset
        return twin

    def __repr__(self) -> str:
        return f"<Generator seed={self._seed} offset={self._offset} device={self.device}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Generator, (str(self.device),), {"_seed": self._seed, "_offset": self._offset, "device": self.device}


class _Own(threading.local):
    """What stands for the default generator in one thread, where something does."""

    stream: Generator | None = None


_own = _Own()


class _Default(Generator):
    """The generator of whatever is not told another one. A thread may have its own in its place; see `own_stream`."""

    def take(self, blocks: int) -> tuple[int, int]:
        stream = _own.stream
        return super().take(blocks) if stream is None else stream.take(blocks)

    def manual_seed(self, seed: int) -> Generator:
        if _own.stream is None:
            return super().manual_seed(seed)
        _own.stream.manual_seed(seed)
        return self

    def initial_seed(self) -> int:
        return super().initial_seed() if _own.stream is None else _own.stream.initial_seed()

    def get_state(self) -> Tensor:
        return super().get_state() if _own.stream is None else _own.stream.get_state()

    def set_state(self, new_state: Tensor) -> Generator:
        if _own.stream is None:
            return super().set_state(new_state)
        _own.stream.set_state(new_state)
        return self


default_generator = _Default()


def mixed(seed: int, number: int) -> int:
    """A seed that is another one for each pair of a seed and a number (the end of SplitMix64)."""
    z = (seed + (number + 1) * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def set_own_stream(seed: int) -> None:
    """From now on in this thread, numbers without a generator of their own follow from ``seed``."""
    _own.stream = Generator().manual_seed(seed & _MASK)


@contextlib.contextmanager
def own_stream(seed: int) -> Iterator[None]:
    """In this thread, numbers without a generator of their own follow from ``seed``, and disturb no others."""
    before = _own.stream
    _own.stream = Generator().manual_seed(seed)
    try:
        yield
    finally:
        _own.stream = before


def manual_seed(seed: int) -> Generator:
    """Make the numbers that follow those of ``seed``, on every device.

    Example:
        >>> import wengert as wg
        >>> _ = wg.manual_seed(0)
        >>> a = wg.rand(2)
        >>> _ = wg.manual_seed(0)
        >>> bool((a == wg.rand(2)).all())
        True
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Seed the default generator from the operating system, and return the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the default generator, 16 bytes."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Put the default generator into a state that `get_rng_state` gave."""
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices: Any = None, enabled: bool = True, device_type: str = "cuda") -> Iterator[None]:
    """Leave the default generator as it was, whatever is drawn inside.

    Args:
        devices: for PyTorch's sake; there is one generator for all devices.
        enabled: False does nothing.
        device_type: likewise.
    """
    before = default_generator.get_state()
    try:
        yield
    finally:
        if enabled:
            default_generator.set_state(before)
