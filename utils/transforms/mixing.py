"""Transforms of whole batches with their labels, and random choices among other transforms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...autograd import ops
from ...autograd.promotion import get_default_dtype
from ...autograd.random import own_stream
from ...backends.errors import InvalidValueError, ShapeError
from ...distributions import Beta
from ...nn import functional as F
from .base import RandomTransform, in_float, like
from .color import brighter, contrasted, inverted, saturated
from .geometry import affine, inverse_map

if TYPE_CHECKING:
    from ...autograd.random import Generator
    from ...autograd.tensor import Tensor

__all__ = ["CutMix", "MixUp", "RandAugment"]


class _Mix:
    """What `MixUp` and `CutMix` share: each image of a batch meets the one before it."""

    def __init__(self, alpha: float = 1.0, num_classes: int | None = None, generator: Generator | None = None) -> None:
        if alpha <= 0:
            raise InvalidValueError(f"alpha must be positive, not {alpha}")
        self.alpha, self.num_classes, self.generator = alpha, num_classes, generator

    def __call__(self, images: Any, labels: Any = None) -> tuple[Tensor, Tensor]:
        """Mixed images and labels.

        Args:
            images: (N, C, H, W); or a pair of images and labels, as a `DataLoader` gives it.
            labels: (N,) of class numbers, or (N, K) of probabilities.

        Returns:
            Images as given, and labels (N, K).

        Raises:
            ValueError: class numbers without ``num_classes``. RuntimeError: shapes that do not fit.
        """
        if labels is None:
            images, labels = images
        name = type(self).__name__
        if images.ndim != 4 or len(images) != len(labels):
            raise ShapeError(
                f"{name} takes a batch (N, C, H, W) and its N labels, but the shapes are {list(images.shape)} and "
                f"{list(labels.shape)}; it goes after a DataLoader or into its collate_fn"
            )
        if labels.ndim == 1:
            if self.num_classes is None:
                raise InvalidValueError(f"{name}: num_classes must be given for labels that are class numbers")
            labels = F.one_hot(labels.long(), self.num_classes)
        labels = labels.to(images.dtype if images.is_floating_point() else get_default_dtype())
        with self._numbers():
            mixed, part = self._mixed(images, float(Beta(self.alpha, self.alpha).sample().item()))
        return mixed, labels * part + labels.roll(1, 0) * (1 - part)

    def _numbers(self) -> Any:
        seed = int(ops.randint(0, 2**63 - 1, (), generator=self.generator).item())
        return own_stream(seed)

    def _mixed(self, images: Tensor, part: float) -> tuple[Tensor, float]:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}(alpha={self.alpha}, num_classes={self.num_classes})"


class MixUp(_Mix):
    """Every image of a batch as a weighted mean with another one, and so its label.

    Args:
        alpha: of the Beta distribution that the weight is drawn from, once for the batch.
        num_classes: of labels that are class numbers.
        generator: where the numbers come from.

    Example:
        >>> import wengert as wg
        >>> from wengert.utils.transforms import MixUp
        >>> images, labels = MixUp(num_classes=10)(wg.rand(4, 1, 8, 8), wg.tensor([1, 2, 3, 4]))
        >>> labels.shape, labels.sum(1).round().tolist()
        (wengert.Size([4, 10]), [1.0, 1.0, 1.0, 1.0])

    References:
        H. Zhang et al., "mixup: Beyond empirical risk minimization", 2018, arXiv:1710.09412.
    """

    def _mixed(self, images: Tensor, part: float) -> tuple[Tensor, float]:
        x = in_float(images)
        return like(x * part + x.roll(1, 0) * (1 - part), images), part


class CutMix(_Mix):
    """Every image of a batch with a box of another one, and labels by area.

    Args:
        alpha: of the Beta distribution that the area is drawn from, once for the batch.
        num_classes: of labels that are class numbers.
        generator: where the numbers come from.

    References:
        S. Yun et al., "CutMix: Regularization strategy to train strong classifiers", 2019, arXiv:1905.04899.
    """

    def _mixed(self, images: Tensor, part: float) -> tuple[Tensor, float]:
        height, width = images.shape[-2:]
        side = math.sqrt(1 - part)
        half_height, half_width = int(height * side) // 2, int(width * side) // 2
        row, column = int(ops.randint(height, ()).item()), int(ops.randint(width, ()).item())
        rows = slice(max(row - half_height, 0), row + half_height)
        columns = slice(max(column - half_width, 0), column + half_width)
        mixed = images.clone()
        mixed[..., rows, columns] = images.roll(1, 0)[..., rows, columns]
        area = len(range(*rows.indices(height))) * len(range(*columns.indices(width)))
        return mixed, 1 - area / (height * width)


class RandAugment(RandomTransform):
    """Some transforms for every image, drawn from a list; all of one strength.

    In the list are the identity, shear and shift both ways, rotation, brightness, contrast, saturation, posterisation,
    solarisation and inversion.

    Args:
        num_ops: how many, one after the other.
        magnitude: their strength, from 0 to ``num_magnitude_bins`` - 1.
        num_magnitude_bins: how many strengths there are.
        fill: what comes in from outside.
        generator: where the numbers come from.

    References:
        E. D. Cubuk et al., "RandAugment: Practical automated data augmentation", 2020, arXiv:1909.13719.
    """

    def __init__(
        self,
        num_ops: int = 2,
        magnitude: int = 9,
        num_magnitude_bins: int = 31,
        fill: float = 0.0,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(generator)
        if not 0 <= magnitude < num_magnitude_bins:
            raise InvalidValueError(f"magnitude must be from 0 to {num_magnitude_bins - 1}, not {magnitude}")
        self.num_ops, self.magnitude, self.num_magnitude_bins, self.fill = num_ops, magnitude, num_magnitude_bins, fill

    GEOMETRIC = 5  # of the choices are maps of places, and are computed at once

    def batch(self, images: Tensor) -> Tensor:
        strength = self.magnitude / (self.num_magnitude_bins - 1)
        for _ in range(self.num_ops):
            choice = self.integers(self.GEOMETRIC + 7, images)
            sign = 1 - 2 * self.integers(2, images).float()
            images = self._moved(images, choice, sign * strength)
            images = self._coloured(images, choice, sign, strength)
        return images

    def _moved(self, images: Tensor, choice: Tensor, amount: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        limits = (math.radians(30), math.atan(0.3), math.atan(0.3), 0.45 * width, 0.45 * height)
        angle, lean, lean_down, right, down = (
            ops.where(choice == i, amount * limit, 0.0) for i, limit in enumerate(limits)
        )
        maps = inverse_map(angle, ops.ones_like(angle), lean, lean_down, right.round(), down.round())
        moved = affine(images, maps, "nearest", self.fill)
        return ops.where((choice < self.GEOMETRIC)[:, None, None, None], moved, images)

    def _coloured(self, images: Tensor, choice: Tensor, sign: Tensor, strength: float) -> Tensor:
        x = in_float(images)
        factor = (1 + sign * 0.9 * strength)[:, None, None, None].to(x.dtype)
        levels = float(2 ** round(8 - 4 * strength) - 1)
        results: Sequence[Any] = (
            lambda: like(brighter(x, factor), images),
            lambda: like(contrasted(x, factor), images),
            lambda: like(saturated(x, factor), images),
            lambda: like((x * levels).floor() / levels, images),
            lambda: ops.where(x >= 1 - strength, inverted(images), images),
            lambda: inverted(images),
        )
        chosen = set(choice.tolist())
        for i, result in enumerate(results, self.GEOMETRIC):  # the last choice is the identity
            if i in chosen:
                images = ops.where((choice == i)[:, None, None, None], result(), images)
        return images
