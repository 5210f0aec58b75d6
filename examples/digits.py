"""Train a small convolutional network to read handwritten digits.

    python examples/digits.py                       # the digits that come with scikit-learn
    python examples/digits.py --device cuda         # the same on a GPU
    python examples/digits.py --data mnist.npz      # MNIST: an .npz file, or a folder of idx files

Weights, curves, a picture of the graph and the digits it got wrong are left in the folder that --out names.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import digit_data

import wengert as wg
from wengert import nn, optim
from wengert.nn import functional as F


class DigitNet(nn.Module):
    """Three convolutions and one linear layer, for square images of ``size`` pixels."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(32)
        self.conv3 = nn.Conv2d(32, 64, 3, padding=1, bias=False)
        self.norm3 = nn.BatchNorm2d(64)
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Linear(64 * (size // 4) ** 2, 10)

    def forward(self, x: wg.Tensor) -> wg.Tensor:  # (N, 1, H, W)
        x = F.relu(self.norm1(self.conv1(x)))  # (N, 16, H, W)
        x = F.relu(self.norm2(self.conv2(x)))  # (N, 32, H, W)
        x = F.max_pool2d(x, 2)  # (N, 32, H/2, W/2)
        x = F.relu(self.norm3(self.conv3(x)))  # (N, 64, H/2, W/2)
        x = F.max_pool2d(x, 2)  # (N, 64, H/4, W/4)
        return self.head(self.dropout(x.flatten(1)))  # (N, 10)


class Digits:
    """Images and labels on one device.

    The images have a margin of empty pixels. Training looks at each through a window that moves by up to one pixel,
    which makes many digits out of few; testing looks at the middle.
    """

    def __init__(self, images: Any, labels: Any, device: wg.device) -> None:
        self.images = wg.from_numpy(images).to(device)  # (N, 1, H + 2, W + 2) uint8
        self.labels = wg.from_numpy(labels).to(device)  # (N,) int64
        self.size = images.shape[-1] - 2 * digit_data.MARGIN

    def __len__(self) -> int:
        return len(self.labels)

    def window(self, images: wg.Tensor, down: int, right: int) -> wg.Tensor:
        return images[:, :, down : down + self.size, right : right + self.size].float() / 255

    def shuffled(self, batch_size: int) -> Iterator[tuple[wg.Tensor, wg.Tensor]]:
        order = wg.randperm(len(self), device=self.labels.device)
        for start in range(0, len(self), batch_size):
            chosen = order[start : start + batch_size]
            down, right = wg.randint(0, 2 * digit_data.MARGIN + 1, (2,), device="cpu").tolist()
            yield self.window(self.images[chosen], down, right), self.labels[chosen]

    def in_order(self, batch_size: int) -> Iterator[tuple[wg.Tensor, wg.Tensor]]:
        for start in range(0, len(self), batch_size):
            part = slice(start, start + batch_size)
            yield self.window(self.images[part], digit_data.MARGIN, digit_data.MARGIN), self.labels[part]


def learning_rate(progress: float, peak: float) -> float:
    """Rises in a straight line for the first fifth of the training, then falls along a cosine to nothing."""
    if progress < 0.2:
        return peak * progress / 0.2
    return peak * 0.5 * (1 + math.cos(math.pi * (progress - 0.2) / 0.8))


def train(model: DigitNet, digits: Digits, held_out: Digits, args: argparse.Namespace, history: dict[str, Any]) -> None:
    """The training loop. ``history`` grows as it runs, so that an interrupted run can still be drawn."""
    from tqdm import tqdm

    optimizer = optim.Adam(model.parameters(), lr=args.lr)
    per_epoch = math.ceil(len(digits) / args.batch_size)
    steps = args.epochs * per_epoch
    with tqdm(total=steps, unit="step", dynamic_ncols=True) as bar:
        for epoch in range(args.epochs):
            model.train()
            bar.set_description(f"epoch {epoch + 1}/{args.epochs}")
            for images, labels in digits.shuffled(args.batch_size):
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate(bar.n / steps, args.lr)

                logits = model(images)
                loss = F.cross_entropy(logits, labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

                history["loss"].append(loss.item())
                history["train accuracy"].append((logits.argmax(1) == labels).float().mean().item())
                bar.set_postfix(loss=f"{recent(history['loss']):.3f}", accuracy=f"{recent(history['train accuracy']):.1%}",
                                held_out=f"{history['accuracy'][-1][1]:.1%}" if history["accuracy"] else "-")
                bar.update()
            history["accuracy"].append((bar.n, accuracy(model, held_out)))


def recent(values: list[float]) -> float:
    """The mean of the last few values, which jumps about less than the last one."""
    return sum(values[-20:]) / len(values[-20:])


@wg.no_grad()
def predict(model: DigitNet, digits: Digits) -> tuple[wg.Tensor, wg.Tensor]:
    """For every image the most likely digit, and how likely the model thinks it is."""
    model.eval()
    sure, guesses = zip(*(F.softmax(model(images), dim=1).max(dim=1) for images, _ in digits.in_order(500)), strict=True)
    return wg.cat(guesses), wg.cat(sure)


def accuracy(model: DigitNet, digits: Digits) -> float:
    """The part of the images that are read rightly."""
    guesses, _ = predict(model, digits)
    return (guesses == digits.labels).float().mean().item()
