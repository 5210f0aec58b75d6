"""DCGAN: a generator of images from noise, and a discriminator that tells them from real ones."""

from __future__ import annotations

import wengert as wg
from wengert import nn


def initialise(model: nn.Module) -> None:
    """The paper's start: weights with a standard deviation of 0.02, the norms' around 1."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)


class Generator(nn.Module):
    """Noise (N, noise, 1, 1) to images (N, channels, 64, 64) within (-1, 1).

    Args:
        noise: numbers that an image is made from.
        width: filters of the last hidden layer.
        channels: of the images.
        size: side of the images, a power of 2 from 8 on.

    References:
        A. Radford, L. Metz, S. Chintala, "Unsupervised representation learning with deep convolutional generative
        adversarial networks", arXiv:1511.06434.
    """

    def __init__(self, noise: int = 100, width: int = 64, channels: int = 3, size: int = 64) -> None:
        super().__init__()
        filters = width * size // 8
        layers = [nn.ConvTranspose2d(noise, filters, 4, 1, 0, bias=False), nn.BatchNorm2d(filters), nn.ReLU(True)]
        while filters > width:
            layers += [
                nn.ConvTranspose2d(filters, filters // 2, 4, 2, 1, bias=False),
                nn.BatchNorm2d(filters // 2),
                nn.ReLU(True),
            ]
            filters //= 2
        self.main = nn.Sequential(*layers, nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False), nn.Tanh())
        initialise(self)

    def forward(self, z: wg.Tensor) -> wg.Tensor:
        return self.main(z)


class Discriminator(nn.Module):
    """Images (N, channels, size, size) to the logits (N,) of being real; arguments as for `Generator`."""

    def __init__(self, width: int = 64, channels: int = 3, size: int = 64) -> None:
        super().__init__()
        filters = width
        layers = [nn.Conv2d(channels, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
        while filters < width * size // 8:
            layers += [
                nn.Conv2d(filters, filters * 2, 4, 2, 1, bias=False),
                nn.BatchNorm2d(filters * 2),
                nn.LeakyReLU(0.2, True),
            ]
            filters *= 2
        self.main = nn.Sequential(*layers, nn.Conv2d(filters, 1, 4, 1, 0, bias=False))
        initialise(self)

    def forward(self, x: wg.Tensor) -> wg.Tensor:
        return self.main(x).flatten()
