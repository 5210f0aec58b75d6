"""LeNet-5: two convolutions with pooling, three linear layers."""

from __future__ import annotations

import wengert as wg
from wengert import nn


class LeNet5(nn.Module):
    """A classifier of 28x28 images, padded to the 32x32 of the paper.

    Departs from the paper where everybody does: ReLU and max pooling instead of tanh and trained averages, and every
    second-layer filter sees all maps of the first.

    References:
        Y. LeCun et al., "Gradient-based learning applied to document recognition", Proceedings of the IEEE 86(11),
        1998.
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Linear(16 * 5 * 5, 120),
            nn.ReLU(),
            nn.Linear(120, 84),
            nn.ReLU(),
            nn.Linear(84, classes),
        )

    def forward(self, x: wg.Tensor) -> wg.Tensor:  # (N, 1, 28, 28)
        x = self.features(x)  # (N, 16, 5, 5)
        return self.classifier(x.flatten(1))  # (N, classes)
