"""Points in the plane that are easy to draw, and not so easy to tell apart."""

from __future__ import annotations

import numpy as np

from ...autograd.base import wrap
from ...backends.errors import InvalidValueError
from ..data import TensorDataset

__all__ = ["circles", "moons", "spirals", "xor"]


def _points(x: np.ndarray, y: np.ndarray, noise: float, rng: np.random.Generator) -> TensorDataset:
    if noise:
        x = x + rng.normal(0, noise, x.shape)
    order = rng.permutation(len(x))
    return TensorDataset(wrap(x[order].astype(np.float32)), wrap(y[order].astype(np.int64)))


def _shares(name: str, count: int, parts: int) -> list[int]:
    if count < parts:
        raise InvalidValueError(f"{name} needs at least a point of each of its {parts} classes, not {count} in all")
    return [count // parts + (i < count % parts) for i in range(parts)]


def moons(count: int = 200, noise: float = 0.1, seed: int = 0) -> TensorDataset:
    """Two half circles that reach into one another.

    Args:
        count: how many points.
        noise: the standard deviation of what is added to each coordinate.
        seed: of the order and the noise.

    Returns:
        Points (count, 2), float32, and classes (count,), int64: 0 and 1.

    Example:
        >>> from wengert.utils.datasets import moons
        >>> x, y = moons(100).tensors
        >>> x.shape, y.sum()
        (wengert.Size([100, 2]), tensor(50))
    """
    rng = np.random.default_rng(seed)
    first, second = (np.linspace(0, np.pi, n) for n in _shares("moons", count, 2))
    upper = np.stack([np.cos(first), np.sin(first)], 1)
    lower = np.stack([1 - np.cos(second), 0.5 - np.sin(second)], 1)
    return _points(np.concatenate([upper, lower]), np.repeat([0, 1], [len(first), len(second)]), noise, rng)


def circles(count: int = 200, noise: float = 0.05, factor: float = 0.5, seed: int = 0) -> TensorDataset:
    """A circle within a circle.

    Args:
        count: how many points.
        noise: the standard deviation of what is added to each coordinate.
        factor: the radius of the inner circle; that of the outer one is 1.
        seed: of the order and the noise.

    Returns:
        Points (count, 2), float32, and classes (count,), int64: 0 for the outer circle.
    """
    if not 0 <= factor < 1:
        raise InvalidValueError(f"factor is the inner radius, from 0 up to 1, not {factor}")
    rng = np.random.default_rng(seed)
    sizes = _shares("circles", count, 2)
    angles = np.concatenate([np.linspace(0, 2 * np.pi, n, endpoint=False) for n in sizes])
    classes = np.repeat([0, 1], sizes)
    radius = np.where(classes == 0, 1.0, factor)
    return _points(radius[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1), classes, noise, rng)


def spirals(
    count: int = 300, classes: int = 3, noise: float = 0.02, turns: float = 0.65, seed: int = 0
) -> TensorDataset:
    """Arms of a spiral, each a class.

    Args:
        count: how many points.
        classes: how many arms.
        noise: the standard deviation of what is added to each coordinate.
        turns: how often an arm goes around.
        seed: of the order and the noise.

    Returns:
        Points (count, 2), float32, within the unit circle but for the noise, and classes (count,), int64.
    """
    rng = np.random.default_rng(seed)
    sizes = _shares("spirals", count, classes)
    radius = np.concatenate([np.linspace(0, 1, n) for n in sizes])
    which = np.repeat(np.arange(classes), sizes)
    angle = 2 * np.pi * (which / classes + turns * radius)
    return _points(radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1), which, noise, rng)


def xor(count: int = 4, noise: float = 0.0, seed: int = 0) -> TensorDataset:
    """The corners of the unit square; those on one diagonal are of class 0, those on the other of class 1.

    Args:
        count: how many points; the corners take turns.
        noise: the standard deviation of what is added to each coordinate.
        seed: of the order and the noise.

    Returns:
        Points (count, 2), float32, and classes (count,), int64.
    """
    rng = np.random.default_rng(seed)
    corner = np.arange(count) % 4
    x = np.stack([corner // 2, corner % 2], 1).astype(float)
    return _points(x, (corner // 2) ^ (corner % 2), noise, rng)
