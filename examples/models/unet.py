"""U-Net: a contracting and an expanding path with shortcuts between them, for one class per pixel."""

from __future__ import annotations

import itertools

import wengert as wg
from wengert import nn
from wengert.nn import functional as F


def double(inputs: int, outputs: int) -> nn.Sequential:
    """Two 3x3 convolutions, each with a norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class UNet(nn.Module):
    """Images (N, channels, H, W) to logits (N, classes, H, W).

    Convolutions are padded, so that the result is as large as the image; the paper's lose a margin.

    Args:
        channels: of the images.
        classes: for each pixel.
        width: filters of the first level; each level below has twice as many.
        depth: how many times the image is halved.

    References:
        O. Ronneberger, P. Fischer, T. Brox, "U-Net: convolutional networks for biomedical image segmentation",
        arXiv:1505.04597.
    """

    def __init__(self, channels: int = 3, classes: int = 2, width: int = 64, depth: int = 4) -> None:
        super().__init__()
        sizes = [width * 2**level for level in range(depth + 1)]
        self.start = double(channels, width)
        self.down = nn.ModuleList([double(a, b) for a, b in itertools.pairwise(sizes)])
        above = list(zip(sizes[:0:-1], sizes[-2::-1], strict=True))
        self.up = nn.ModuleList([nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in above])
        self.merge = nn.ModuleList([double(a, b) for a, b in above])
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x: wg.Tensor) -> wg.Tensor:
        levels = [self.start(x)]
        for block in self.down:
            levels.append(block(F.max_pool2d(levels[-1], 2)))
        y = levels.pop()
        for up, merge in zip(self.up, self.merge, strict=True):
            y, beside = up(y), levels.pop()
            bottom, right = beside.shape[2] - y.shape[2], beside.shape[3] - y.shape[3]
            y = F.pad(y, (0, right, 0, bottom))  # a size that was odd lost a row when it was halved
            y = merge(wg.cat([beside, y], dim=1))
        return self.head(y)
