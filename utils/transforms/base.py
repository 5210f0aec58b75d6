"""What the transforms of images share: shapes, ranges of values, and where random numbers come from.

A transform takes one image, a tensor (C, H, W), or a batch (N, C, H, W), on any device. Of a batch every image draws
its own parameters, and all are computed in one go. Numbers come from the transform's ``generator``, else from the
default one; within a `DataLoader` they follow from the pass and the item (see there), for any number of workers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ...autograd import ops
from ...backends.errors import InvalidValueError, ShapeError

if TYPE_CHECKING:
    from ...autograd.random import Generator
    from ...autograd.tensor import Tensor

__all__ = ["Compose", "Lambda", "RandomApply", "RandomTransform", "Transform"]


class Transform:
    """The base of all: a subclass writes ``batch``, which takes and gives images (N, C, H, W)."""

    def __call__(self, image: Tensor) -> Tensor:
        name = type(self).__name__
        if not ops.is_tensor(image):
            raise TypeError(f"{name} takes a Tensor, not {type(image).__name__}; put ToTensor() before it")
        if image.ndim not in (3, 4):
            raise ShapeError(
                f"{name} takes an image (C, H, W) or a batch (N, C, H, W), but the shape is {list(image.shape)}"
            )
        if image.ndim == 4:
            return self.batch(image)
        return self.batch(image[None])[0]

    def batch(self, images: Tensor) -> Tensor:
        """The images (N, C, H, W), transformed."""
        raise NotImplementedError

    def __repr__(self) -> str:
        shown = ", ".join(f"{k}={v!r}" for k, v in vars(self).items() if not k.startswith("_") and k != "generator")
        return f"{type(self).__name__}({shown})"


class RandomTransform(Transform):
    """A transform that draws: a subclass writes ``batch``, and gets numbers from `uniform` and `chance`."""

    def __init__(self, generator: Generator | None = None) -> None:
        self.generator = generator

    def uniform(self, low: float, high: float, images: Tensor) -> Tensor:
        """A number from [low, high) for each image: shape (N,), float32, on the images' device."""
        number: Tensor = ops.rand(len(images), generator=self.generator, device=images.device)
        return low + (high - low) * number

    def integers(self, count: int, images: Tensor) -> Tensor:
        """A number from 0 up to ``count`` for each image, without the latter: shape (N,), int64."""
        numbers: Tensor = ops.randint(0, count, (len(images),), generator=self.generator, device=images.device)
        return numbers

    def chance(self, p: float, images: Tensor) -> Tensor:
        """For each image whether it is its turn: shape (N, 1, 1, 1), bool."""
        return self.uniform(0, 1, images)[:, None, None, None] < p


class Compose:
    """Several transforms, one after the other.

    Args:
        transforms: functions of what the one before gives.

    Example:
        >>> import numpy as np
        >>> from wengert.utils.transforms import Compose, Normalize, ToTensor
        >>> Compose([ToTensor(), Normalize(0.5, 0.5)])(np.zeros((2, 2), np.uint8)).shape
        wengert.Size([1, 2, 2])
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = list(transforms)

    def __call__(self, image: Any) -> Any:
        for transform in self.transforms:
            image = transform(image)
        return image

    def __repr__(self) -> str:
        return "Compose(\n" + "".join(f"    {t}\n" for t in self.transforms) + ")"


class Lambda:
    """A function of the user's as a transform."""

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__}")
        self.lambd = lambd

    def __call__(self, image: Any) -> Any:
        return self.lambd(image)


class RandomApply(RandomTransform):
    """Transforms that are applied to some of the images.

    Args:
        transforms: one after the other; they must keep the shape.
        p: the probability with which an image gets them.
        generator: where the numbers come from.
    """

    def __init__(
        self, transforms: Sequence[Callable[[Any], Any]], p: float = 0.5, generator: Generator | None = None
    ) -> None:
        super().__init__(generator)
        self.transforms, self.p = list(transforms), p

    def batch(self, images: Tensor) -> Tensor:
        turn, changed = self.chance(self.p, images), images
        for transform in self.transforms:
            changed = transform(changed)
        return ops.where(turn, changed, images)


def top_of(images: Tensor) -> float:
    """The value of white: 1 in floating types, the largest of an integer type."""
    return 1.0 if images.is_floating_point() else 255.0


def in_float(images: Tensor) -> Tensor:
    """The images as floating-point numbers up to 1."""
    return images if images.is_floating_point() else images.float() / 255


def like(result: Tensor, images: Tensor) -> Tensor:
    """What `in_float` was applied to, in the type that it had."""
    if images.is_floating_point():
        return result.to(images.dtype)
    return (result * 255).round().clamp(0, 255).to(images.dtype)


def pair(name: str, value: Any) -> tuple[int, int]:
    """A size as height and width.

    Raises:
        ValueError: it is neither a number nor two, or not positive.
    """
    sizes = (value, value) if isinstance(value, int) else tuple(value)
    sizes = sizes * 2 if len(sizes) == 1 else sizes
    if len(sizes) != 2 or min(sizes) < 1:
        raise InvalidValueError(f"{name} must be one or two positive numbers (height, width), not {value!r}")
    return int(sizes[0]), int(sizes[1])


def between(name: str, value: Any, center: float = 0.0, low: float | None = None) -> tuple[float, float]:
    """A range: itself, or from ``center - value`` to ``center + value``, but not below ``low``.

    Raises:
        ValueError: it is empty, or begins below ``low``.
    """
    if isinstance(value, (int, float)):
        if value < 0:
            raise InvalidValueError(f"If {name} is a single number, it must be non negative, not {value}")
        value = (center - value, center + value)
        value = value if low is None else (max(value[0], low), value[1])
    start, end = float(value[0]), float(value[1])
    if start > end or (low is not None and start < low):
        raise InvalidValueError(
            f"{name} must be a range (low, high){f' from {low}' if low is not None else ''}, not {value}"
        )
    return start, end
