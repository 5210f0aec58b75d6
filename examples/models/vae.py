"""A variational autoencoder of small grey images."""

from __future__ import annotations

import wengert as wg
from wengert import nn
from wengert.nn import functional as F


class VAE(nn.Module):
    """Images to a normal distribution over codes, and codes back to images.

    Args:
        pixels: of an image.
        hidden: units of the hidden layers.
        code: numbers of a code.

    References:
        D. P. Kingma, M. Welling, "Auto-encoding variational Bayes", arXiv:1312.6114.
    """

    def __init__(self, pixels: int = 784, hidden: int = 400, code: int = 20) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.ReLU())
        self.mean = nn.Linear(hidden, code)
        self.log_variance = nn.Linear(hidden, code)
        self.decoder = nn.Sequential(nn.Linear(code, hidden), nn.ReLU(), nn.Linear(hidden, pixels))

    def forward(self, x: wg.Tensor) -> tuple[wg.Tensor, wg.Tensor, wg.Tensor]:
        """Logits of the pixels (N, pixels), and the mean and log-variance (N, code) of the codes of ``x``."""
        h = self.encoder(x.flatten(1))
        mean, log_variance = self.mean(h), self.log_variance(h)
        code = mean + (0.5 * log_variance).exp() * wg.randn_like(mean)  # the draw, as a function of its parameters
        return self.decoder(code), mean, log_variance

    def loss(self, x: wg.Tensor) -> wg.Tensor:
        """The negative evidence lower bound of images with pixels within [0, 1], per image."""
        logits, mean, log_variance = self(x)
        rebuilt = F.binary_cross_entropy_with_logits(logits, x.flatten(1), reduction="sum")
        divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum()
        return (rebuilt + divergence) / len(x)
