"""VGG: stacks of 3x3 convolutions between poolings, and three large linear layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import wengert as wg
from wengert import nn

# Numbers of filters; 0 is a pooling.
STACKS = {
    11: (64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0),
    13: (64, 64, 0, 128, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0),
    16: (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0),
    19: (64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512, 512, 512, 512, 0),
}


class VGG(nn.Module):
    """A classifier of images, at least 32x32.

    Args:
        depth: 11, 13, 16 or 19 layers with weights.
        classes: how many classes.
        batch_norm: normalise after each convolution.
        hidden: units of the two hidden linear layers; the paper's 4,096 make up most of the parameters.
        spatial: side of the last feature map; 7 for 224x224 images, 1 for 32x32 ones.
        dropout: of the hidden linear layers.

    References:
        K. Simonyan, A. Zisserman, "Very deep convolutional networks for large-scale image recognition",
        arXiv:1409.1556.
    """

    def __init__(
        self,
        depth: int = 16,
        classes: int = 1000,
        *,
        batch_norm: bool = False,
        hidden: int = 4096,
        spatial: int = 7,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(*convolutions(STACKS[depth], batch_norm))
        self.avgpool = nn.AdaptiveAvgPool2d(spatial)
        self.classifier = nn.Sequential(
            nn.Linear(512 * spatial * spatial, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, classes),
        )
        for module in self.features:
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(module.bias)

    def forward(self, x: wg.Tensor) -> wg.Tensor:  # (N, 3, H, W)
        x = self.avgpool(self.features(x))  # (N, 512, spatial, spatial)
        return self.classifier(x.flatten(1))  # (N, classes)


def convolutions(stack: tuple[int, ...], batch_norm: bool) -> Iterator[nn.Module]:
    """The layers of a stack."""
    channels = 3
    for filters in stack:
        if filters == 0:
            yield nn.MaxPool2d(2)
            continue
        yield nn.Conv2d(channels, filters, 3, padding=1)
        if batch_norm:
            yield nn.BatchNorm2d(filters)
        yield nn.ReLU(inplace=True)
        channels = filters


def vgg11(classes: int = 1000, **options: Any) -> VGG:
    """VGG-11: 132.9 million parameters; options as for `VGG`."""
    return VGG(11, classes, **options)


def vgg11_bn(classes: int = 1000, **options: Any) -> VGG:
    """VGG-11 with a norm after each convolution; options as for `VGG`."""
    return VGG(11, classes, batch_norm=True, **options)


def vgg13(classes: int = 1000, **options: Any) -> VGG:
    """VGG-13: 133.0 million parameters; options as for `VGG`."""
    return VGG(13, classes, **options)


def vgg13_bn(classes: int = 1000, **options: Any) -> VGG:
    """VGG-13 with a norm after each convolution; options as for `VGG`."""
    return VGG(13, classes, batch_norm=True, **options)


def vgg16(classes: int = 1000, **options: Any) -> VGG:
    """VGG-16: 138.4 million parameters; options as for `VGG`."""
    return VGG(16, classes, **options)


def vgg16_bn(classes: int = 1000, **options: Any) -> VGG:
    """VGG-16 with a norm after each convolution; options as for `VGG`."""
    return VGG(16, classes, batch_norm=True, **options)


def vgg19(classes: int = 1000, **options: Any) -> VGG:
    """VGG-19: 143.7 million parameters; options as for `VGG`."""
    return VGG(19, classes, **options)


def vgg19_bn(classes: int = 1000, **options: Any) -> VGG:
    """VGG-19 with a norm after each convolution; options as for `VGG`."""
    return VGG(19, classes, batch_norm=True, **options)
