"""Transforms that change values: types, scales, colours, noise and holes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...autograd import ops
from ...autograd.base import wrap
from ...backends.errors import DTypeError, InvalidValueError, ShapeError
from .base import RandomTransform, Transform, between, in_float, like, top_of

if TYPE_CHECKING:
    from ...autograd.random import Generator
    from ...autograd.tensor import Tensor

__all__ = ["ColorJitter", "Cutout", "GaussianNoise", "Grayscale", "Normalize", "RandomErasing", "ToTensor"]

LUMINANCE = (0.2989, 0.587, 0.114)  # of red, green and blue, in ITU-R 601


class ToTensor:
    """An image of Pillow's, or a NumPy array (H, W) or (H, W, C), becomes a tensor (C, H, W).

    Integers from 0 to 255 become float32 from 0 to 1; floating-point values stay as they are.

    Example:
        >>> import numpy as np
        >>> from wengert.utils.transforms import ToTensor
        >>> ToTensor()(np.full((1, 2, 3), 255, np.uint8)).shape
        wengert.Size([3, 1, 2])
    """

    def __call__(self, image: Any) -> Tensor:
        if ops.is_tensor(image):
            raise TypeError(f"pic should be PIL Image or ndarray. Got {type(image)}")
        array = np.asarray(image)
        if array.dtype == object or array.ndim not in (2, 3):
            raise TypeError(
                f"ToTensor takes an image of Pillow's or an array (H, W) or (H, W, C), not {type(image).__name__} of "
                f"shape {array.shape}"
            )
        array = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
        array = np.array(array, order="C")  # its own memory
        if array.dtype == bool:
            array = array.astype(np.float32)
        elif array.dtype == np.uint8:
            array = array.astype(np.float32) / np.float32(255)
        return wrap(array)

    def __repr__(self) -> str:
        return "ToTensor()"


class Normalize(Transform):
    """Every channel less its mean, divided by its standard deviation.

    Args:
        mean, std: a number for each channel, or one for all.
        inplace: write into the given image.

    Raises:
        ValueError: a standard deviation is 0. TypeError: the image holds integers.
    """

    def __init__(self, mean: float | Sequence[float], std: float | Sequence[float], inplace: bool = False) -> None:
        self.mean, self.std, self.inplace = mean, std, inplace
        if 0 in ([std] if isinstance(std, (int, float)) else list(std)):
            raise InvalidValueError(f"std is {std}, and dividing by zero gives no image")

    def batch(self, images: Tensor) -> Tensor:
        if not images.is_floating_point():
            raise DTypeError(f"Normalize takes floating-point images, not {images.dtype}; put ToTensor() before it")
        channels = images.shape[1]
        mean, std = (
            ops.tensor(
                [v] * channels if isinstance(v, (int, float)) else list(v), dtype=images.dtype, device=images.device
            )
            for v in (self.mean, self.std)
        )
        if not len(mean) == len(std) == channels:
            raise ShapeError(f"Normalize has {len(mean)} means and {len(std)} deviations, for {channels} channels")
        mean, std = mean[:, None, None], std[:, None, None]
        return images.sub_(mean).div_(std) if self.inplace else (images - mean) / std


def gray(images: Tensor) -> Tensor:
    """The lightness of images with three channels: (N, 1, H, W)."""
    if images.shape[1] == 1:
        return images
    if images.shape[1] != 3:
        raise ShapeError(f"colours are of 1 or 3 channels, and the shape is {list(images.shape)}")
    weights = ops.tensor(LUMINANCE, dtype=images.dtype, device=images.device)
    return (images * weights[:, None, None]).sum(1, keepdim=True)


class Grayscale(Transform):
    """The lightness of every image.

    Args:
        num_output_channels: 1, or 3 equal ones.
    """

    def __init__(self, num_output_channels: int = 1) -> None:
        if num_output_channels not in (1, 3):
            raise InvalidValueError(f"num_output_channels should be either 1 or 3, not {num_output_channels}")
        self.num_output_channels = num_output_channels

    def batch(self, images: Tensor) -> Tensor:
        return like(gray(in_float(images)), images).expand(-1, self.num_output_channels, -1, -1)


class ColorJitter(RandomTransform):
    """Brightness, contrast, saturation and hue of every image, changed at random, in a random order.

    Args:
        brightness, contrast, saturation: the range of the factor; a number b means from max(0, 1 - b) to 1 + b.
        hue: the range of the shift, within -0.5 and 0.5, where 1 is once around the circle of colours.
        generator: where the numbers come from.

    Raises:
        ValueError: a range is empty or out of bounds.
    """

    def __init__(
        self,
        brightness: float | Sequence[float] = 0,
        contrast: float | Sequence[float] = 0,
        saturation: float | Sequence[float] = 0,
        hue: float | Sequence[float] = 0,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(generator)
        self.brightness = between("brightness", brightness, 1.0, 0.0)
        self.contrast = between("contrast", contrast, 1.0, 0.0)
        self.saturation = between("saturation", saturation, 1.0, 0.0)
        self.hue = between("hue", hue)
        if not -0.5 <= self.hue[0] <= self.hue[1] <= 0.5:
            raise InvalidValueError(f"hue values should be between -0.5 and 0.5, not {hue}")

    def batch(self, images: Tensor) -> Tensor:
        x = in_float(images)
        changes = [
            (self.brightness, 1.0, brighter),
            (self.contrast, 1.0, contrasted),
            (self.saturation, 1.0, saturated),
            (self.hue, 0.0, with_hue),
        ]
        for i in ops.randperm(4, generator=self.generator).tolist():
            limits, idle, change = changes[i]
            if limits != (idle, idle):
                x = change(x, self.uniform(limits[0], limits[1], images)[:, None, None, None].to(x.dtype))
        return like(x, images)


def brighter(images: Tensor, factor: Any) -> Tensor:
    """All values times a factor."""
    return (images * factor).clamp(0, 1)


def contrasted(images: Tensor, factor: Any) -> Tensor:
    """Values further from, or nearer to, the mean lightness."""
    mean = gray(images).mean((1, 2, 3), keepdim=True)
    return (mean + (images - mean) * factor).clamp(0, 1)


def saturated(images: Tensor, factor: Any) -> Tensor:
    """Colours further from, or nearer to, gray."""
    lightness = gray(images)
    return (lightness + (images - lightness) * factor).clamp(0, 1)


def with_hue(images: Tensor, shift: Any) -> Tensor:
    """Colours moved around the circle, by way of hue, saturation and value; images without colour stay."""
    if images.shape[1] == 1:
        return images
    red, green, blue = images.unbind(1)
    value = images.amax(1)
    chroma = value - images.amin(1)
    safe = ops.where(chroma == 0, 1, chroma)
    sixth = ops.where(
        value == red,
        (green - blue) / safe,
        ops.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    hue = (sixth / 6 + shift[:, 0]) % 1
    channels = []
    for n in (5, 3, 1):  # a colour is its value less as much chroma as it is far from the channel's own
        k = (n + hue * 6) % 6
        channels.append(value - chroma * ops.minimum(k, 4 - k).clamp(0, 1))
    return ops.stack(channels, 1)


class GaussianNoise(RandomTransform):
    """Normally distributed noise on every pixel.

    Args:
        mean, sigma: of the noise, where white is 1.
        clip: keep values within 0 and 1.
        generator: where the numbers come from.
    """

    def __init__(
        self, mean: float = 0.0, sigma: float = 0.1, clip: bool = True, generator: Generator | None = None
    ) -> None:
        super().__init__(generator)
        if sigma < 0:
            raise InvalidValueError(f"sigma shouldn't be negative. Got {sigma}")
        self.mean, self.sigma, self.clip = mean, sigma, clip

    def batch(self, images: Tensor) -> Tensor:
        x = in_float(images)
        noise = ops.randn(x.shape, generator=self.generator, dtype=x.dtype, device=x.device)
        x = x + (self.mean + self.sigma * noise)
        return like(x.clamp(0, 1) if self.clip else x, images)


def _hole(images: Tensor, middle: tuple[Any, Any], size: tuple[Any, Any]) -> Tensor:
    """Which pixels are within a box of each image: (N, 1, H, W), bool."""
    inside = []
    for d, center, length in zip((-2, -1), middle, size, strict=True):
        start = center - ops.floor(length / 2)
        place = ops.arange(images.shape[d], device=images.device)
        inside.append((place >= start[:, None]) & (place < (start + length)[:, None]))
    return (inside[0][:, :, None] & inside[1][:, None, :])[:, None]


class RandomErasing(RandomTransform):
    """A box of other values in some of the images.

    Args:
        p: the probability.
        scale: the range of the box's area, as a part of the image's.
        ratio: the range of height over width.
        value: what is put there: a number, one for each channel, or ``"random"`` for normal noise.
        inplace: accepted as in torchvision.
        generator: where the numbers come from.

    References:
        Z. Zhong et al., "Random erasing data augmentation", 2020, arXiv:1708.04896.
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: Any = 0,
        inplace: bool = False,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(generator)
        if not 0 <= p <= 1:
            raise InvalidValueError(f"Random erasing probability should be between 0 and 1, not {p}")
        if isinstance(value, str) and value != "random":
            raise InvalidValueError(f"If value is str, it should be 'random', not {value!r}")
        self.p, self.scale = p, between("scale", scale, low=0.0)
        self.ratio, self.value = between("ratio", ratio, low=0.0), value

    def batch(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        area = self.uniform(*self.scale, images) * (height * width)
        ratio = self.uniform(math.log(self.ratio[0]), math.log(self.ratio[1]), images).exp()
        h = (area * ratio).sqrt().round().clamp(1, height)
        w = (area / ratio).sqrt().round().clamp(1, width)
        down = ops.floor(self.uniform(0, 1, images) * (height - h + 1)) + ops.floor(h / 2)
        right = ops.floor(self.uniform(0, 1, images) * (width - w + 1)) + ops.floor(w / 2)
        hole = _hole(images, (down, right), (h, w)) & self.chance(self.p, images)
        if self.value == "random":
            filling = ops.randn(images.shape, generator=self.generator, device=images.device).to(images.dtype)
        else:
            filling = ops.tensor(self.value, device=images.device).to(images.dtype).reshape(-1, 1, 1)
        return ops.where(hole, filling, images)


class Cutout(RandomTransform):
    """Squares of zeros in every image; they may reach over its border.

    Args:
        size: the length of a side.
        holes: how many squares.
        generator: where the numbers come from.

    References:
        T. DeVries, G. W. Taylor, "Improved regularization of convolutional neural networks with cutout", 2017,
        arXiv:1708.04552.
    """

    def __init__(self, size: int, holes: int = 1, generator: Generator | None = None) -> None:
        super().__init__(generator)
        self.size, self.holes = size, holes

    def batch(self, images: Tensor) -> Tensor:
        length = ops.full((len(images),), float(self.size), device=images.device)
        for _ in range(self.holes):
            middle = self.integers(images.shape[-2], images), self.integers(images.shape[-1], images)
            images = ops.where(_hole(images, middle, (length, length)), 0, images)
        return images


def inverted(images: Tensor) -> Tensor:
    """White becomes black."""
    return (top_of(images) - images).to(images.dtype)
