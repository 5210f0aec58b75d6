"""Transforms that move pixels: crops, flips, rotations and other affine maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...autograd import ops
from ...backends.errors import InvalidValueError, ShapeError
from ...nn import functional as F
from .base import RandomTransform, Transform, between, in_float, like, pair

if TYPE_CHECKING:
    from ...autograd.random import Generator
    from ...autograd.tensor import Tensor

__all__ = [
    "CenterCrop",
    "Pad",
    "RandomAffine",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomVerticalFlip",
    "Resize",
    "affine",
]


class Pad(Transform):
    """Pixels around every image.

    Args:
        padding: how many: on all sides, (left and right, top and bottom), or (left, top, right, bottom).
        fill: their value, in ``constant`` mode.
        padding_mode: ``constant``, ``edge``, ``reflect``, or ``symmetric`` as far as a circular image is meant
            (``circular``).
    """

    MODES = {"constant": "constant", "edge": "replicate", "reflect": "reflect", "circular": "circular"}  # noqa: RUF012

    def __init__(self, padding: int | Sequence[int], fill: float = 0, padding_mode: str = "constant") -> None:
        sides = (padding,) if isinstance(padding, int) else tuple(padding)
        if len(sides) not in (1, 2, 4):
            raise InvalidValueError(f"Padding must be an int or a 1, 2, or 4 element tuple, not {padding!r}")
        if padding_mode not in self.MODES:
            raise InvalidValueError(f"Padding mode should be one of {', '.join(self.MODES)}, not {padding_mode!r}")
        self.padding, self.fill, self.padding_mode = padding, fill, padding_mode
        left, top = sides[0], sides[-1] if len(sides) < 4 else sides[1]
        self._around = (left, sides[2], top, sides[3]) if len(sides) == 4 else (left, left, top, top)

    def batch(self, images: Tensor) -> Tensor:
        mode = self.MODES[self.padding_mode]
        value = {"value": self.fill} if mode == "constant" else {}
        return F.pad(images, self._around, mode=mode, **value)


class Resize(Transform):
    """Every image in another size.

    Args:
        size: height and width; a single number is the length of the shorter side.
        interpolation: ``bilinear``, ``nearest`` or ``bicubic``.
        antialias: look at all pixels when making an image smaller.
    """

    def __init__(self, size: int | Sequence[int], interpolation: str = "bilinear", antialias: bool = True) -> None:
        if interpolation not in ("bilinear", "nearest", "bicubic"):
            raise InvalidValueError(f"interpolation should be bilinear, nearest or bicubic, not {interpolation!r}")
        self.size, self.interpolation, self.antialias = size, interpolation, antialias

    def batch(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        if isinstance(self.size, int):
            short = min(height, width)
            size = round(height * self.size / short), round(width * self.size / short)
        else:
            size = pair("size", self.size)
        options: dict[str, Any] = {"mode": self.interpolation}
        if self.interpolation != "nearest":
            options |= {"align_corners": False, "antialias": self.antialias}
        return like(F.interpolate(in_float(images), size=size, **options), images)


def _window(images: Tensor, top: Tensor, left: Tensor, size: tuple[int, int]) -> Tensor:
    """A window of each image, whose upper left corner is its own."""
    rows = top[:, None] + ops.arange(size[0], device=images.device)  # (N, h)
    columns = left[:, None] + ops.arange(size[1], device=images.device)  # (N, w)
    which = ops.arange(len(images), device=images.device)[:, None, None]
    return images.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _fits(name: str, images: Tensor, size: tuple[int, int]) -> None:
    if images.shape[-2] < size[0] or images.shape[-1] < size[1]:
        raise ShapeError(
            f"{name}: Required crop size {size} is larger than input image size {tuple(images.shape[-2:])}; pad the "
            "images or choose a smaller size"
        )


class CenterCrop(Transform):
    """The middle of every image.

    Args:
        size: height and width, or one number for both.
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size = pair("size", size)

    def batch(self, images: Tensor) -> Tensor:
        _fits("CenterCrop", images, self.size)
        top, left = (round((n - s) / 2) for n, s in zip(images.shape[-2:], self.size, strict=True))
        return images[..., top : top + self.size[0], left : left + self.size[1]]


class RandomCrop(RandomTransform):
    """A window of every image, somewhere.

    Args:
        size: height and width, or one number for both.
        padding: pixels around the image before, as in `Pad`.
        pad_if_needed: pad images that are smaller than the window.
        fill, padding_mode: of the padding.
        generator: where the numbers come from.

    Example:
        >>> import wengert as wg
        >>> from wengert.utils.transforms import RandomCrop
        >>> RandomCrop(32, padding=4)(wg.rand(8, 3, 32, 32)).shape
        wengert.Size([8, 3, 32, 32])
    """

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill: float = 0,
        padding_mode: str = "constant",
        generator: Generator | None = None,
    ) -> None:
        super().__init__(generator)
        self.size = pair("size", size)
        self.padding, self.pad_if_needed, self.fill, self.padding_mode = padding, pad_if_needed, fill, padding_mode

    def batch(self, images: Tensor) -> Tensor:
        if self.padding is not None:
            images = Pad(self.padding, self.fill, self.padding_mode)(images)
        if self.pad_if_needed:
            down, right = (max(s - n, 0) for n, s in zip(images.shape[-2:], self.size, strict=True))
            images = Pad((right, down), self.fill, self.padding_mode)(images) if down or right else images
        _fits("RandomCrop", images, self.size)
        top = self.integers(images.shape[-2] - self.size[0] + 1, images)
        left = self.integers(images.shape[-1] - self.size[1] + 1, images)
        return _window(images, top, left, self.size)


class RandomHorizontalFlip(RandomTransform):
    """Left and right change places, in some of the images.

    Args:
        p: the probability.
        generator: where the numbers come from.
    """

    _side = -1

    def __init__(self, p: float = 0.5, generator: Generator | None = None) -> None:
        super().__init__(generator)
        self.p = p

    def batch(self, images: Tensor) -> Tensor:
        return ops.where(self.chance(self.p, images), images.flip(self._side), images)


class RandomVerticalFlip(RandomHorizontalFlip):
    """Top and bottom change places, in some of the images; see `RandomHorizontalFlip`."""

    _side = -2


def affine(images: Tensor, maps: Tensor, interpolation: str = "bilinear", fill: float = 0.0) -> Tensor:
    """Images seen through affine maps.

    Args:
        images: (N, C, H, W).
        maps: (N, 2, 3): from the place of a pixel of the result, in pixels right of and below the middle, to the place
            of the image that is seen there.
        interpolation: ``bilinear`` or ``nearest``.
        fill: what is outside the image.

    Returns:
        (N, C, H, W), of the images' type.
    """
    height, width = images.shape[-2:]
    scale = ops.tensor([width / 2, height / 2], device=images.device)
    rows = [maps[:, :, :2] * scale / scale[:, None], (maps[:, :, 2] / scale)[..., None]]
    x = in_float(images)
    grid = F.affine_grid(ops.cat(rows, -1).to(x.dtype), list(x.shape), align_corners=False)
    seen = F.grid_sample(x, grid, mode=interpolation, padding_mode="zeros", align_corners=False)
    if fill:
        inside = F.grid_sample(ops.ones_like(x[:, :1]), grid, mode=interpolation, align_corners=False)
        seen = seen + (1 - inside) * (fill if images.is_floating_point() else fill / 255)
    return like(seen, images)


class RandomAffine(RandomTransform):
    """Every image turned, moved, scaled and sheared about its middle.

    Args:
        degrees: the range of the angle, counter-clockwise; a number d means from -d to d.
        translate: the largest shift to the side and down, as parts of width and height.
        scale: the range of the factor.
        shear: the range of the angle by which the sides lean; two ranges for both directions.
        interpolation: ``nearest`` or ``bilinear``.
        fill: what comes in from outside.
        generator: where the numbers come from.
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: float | Sequence[float] | None = None,
        interpolation: str = "nearest",
        fill: float = 0.0,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(generator)
        self.degrees = between("degrees", degrees)
        self.translate = (0.0, 0.0) if translate is None else tuple(translate)
        if len(self.translate) != 2 or not all(0 <= t <= 1 for t in self.translate):
            raise InvalidValueError(f"translation values should be two numbers between 0 and 1, not {translate!r}")
        self.scale = (1.0, 1.0) if scale is None else between("scale", scale, 1.0, 0.0)
        four = isinstance(shear, Sequence) and len(shear) == 4
        self.shear = (0.0, 0.0) if shear is None else between("shear", shear[:2] if four else shear)  # type: ignore[index]
        self._shear_down = between("shear", shear[2:]) if four else (0.0, 0.0)  # type: ignore[index]
        self.interpolation, self.fill = interpolation, fill

    def batch(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        angle, lean, lean_down = (
            self.uniform(*limits, images) * (math.pi / 180) for limits in (self.degrees, self.shear, self._shear_down)
        )
        factor = self.uniform(*self.scale, images)
        right = (self.uniform(-self.translate[0], self.translate[0], images) * width).round()
        down = (self.uniform(-self.translate[1], self.translate[1], images) * height).round()
        return affine(images, inverse_map(angle, factor, lean, lean_down, right, down), self.interpolation, self.fill)


def inverse_map(angle: Any, factor: Any, lean: Any, lean_down: Any, right: Any, down: Any) -> Tensor:
    """The maps that `affine` takes, of what the images go through: sheared, scaled and turned, then moved.

    Args:
        angle: counter-clockwise, in radians; this and the others have a number for each image.
        factor: of the size.
        lean: the angle of the shear to the side, in radians.
        lean_down: that of the shear down.
        right: the shift to the side, in pixels.
        down: the shift down.
    """
    cos, sin = angle.cos(), angle.sin()
    turn = [[cos, -sin], [sin, cos]]  # the rows count downwards: back by the angle
    a, b = lean.tan(), lean_down.tan()
    det = 1 - a * b
    unlean = [[1 / det, -a / det], [-b / det, 1 / det]]
    m = [[(unlean[i][0] * turn[0][j] + unlean[i][1] * turn[1][j]) / factor for j in (0, 1)] for i in (0, 1)]
    rows = [[m[i][0], m[i][1], -(m[i][0] * right + m[i][1] * down)] for i in (0, 1)]
    return ops.stack([ops.stack(row, -1) for row in rows], -2)


class RandomRotation(RandomAffine):
    """Every image turned about its middle.

    Args:
        degrees: the range of the angle, counter-clockwise; a number d means from -d to d.
        interpolation: ``nearest`` or ``bilinear``.
        fill: what comes in from outside.
        generator: where the numbers come from.
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        interpolation: str = "nearest",
        fill: float = 0.0,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(degrees, interpolation=interpolation, fill=fill, generator=generator)


class RandomResizedCrop(RandomTransform):
    """A part of every image, of random size and shape, in the size that is asked for.

    Args:
        size: height and width, or one number for both.
        scale: the range of the part's area, as a part of the image's.
        ratio: the range of width over height.
        interpolation: ``bilinear`` or ``nearest``.
        generator: where the numbers come from.

    References:
        C. Szegedy et al., "Going deeper with convolutions", 2015, arXiv:1409.4842.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3 / 4, 4 / 3),
        interpolation: str = "bilinear",
        generator: Generator | None = None,
    ) -> None:
        super().__init__(generator)
        self.size = pair("size", size)
        self.scale, self.ratio = between("scale", scale, low=0.0), between("ratio", ratio, low=0.0)
        self.interpolation = interpolation

    def batch(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        area = self.uniform(*self.scale, images) * (height * width)
        ratio = self.uniform(math.log(self.ratio[0]), math.log(self.ratio[1]), images).exp()
        w, h = (area * ratio).sqrt().clamp(max=width), (area / ratio).sqrt().clamp(max=height)
        right = (self.uniform(-0.5, 0.5, images)) * (width - w)
        down = (self.uniform(-0.5, 0.5, images)) * (height - h)
        zero = ops.zeros_like(w)
        rows = [
            ops.stack([w / width, zero, 2 * right / width], -1),
            ops.stack([zero, h / height, 2 * down / height], -1),
        ]
        x = in_float(images)
        grid = F.affine_grid(ops.stack(rows, -2).to(x.dtype), [*x.shape[:2], *self.size], align_corners=False)
        seen = F.grid_sample(x, grid, mode=self.interpolation, padding_mode="border", align_corners=False)
        return like(seen, images)
