"""Pictures of training, through matplotlib: curves, and the images that a model gets wrong.

Each function returns the figure and writes it where ``path`` says; none touches matplotlib's global state.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

from .plotting import INK, QUIET, WRONG, array_of, cycle, new_figure, numbers, plain, running_mean, written

__all__ = ["curves", "misclassified"]

COLUMNS = 8


def curves(
    panels: Mapping[str, Mapping[str, Any]],
    path: str | os.PathLike[str] | None = None,
    xlabel: str = "step",
    smooth: int = 20,
) -> Any:
    """Draw curves, one panel beside the other.

    Args:
        panels: panel title -> {curve name -> values}. Values are a sequence, drawn over 1, 2, 3, ..., or a pair
            of sequences (x, y), drawn as points joined by lines.
        path: a PNG, SVG or PDF file to write.
        xlabel: what runs along the horizontal axis.
        smooth: a sequence of more than ten times this length is drawn faintly, and its running mean over this many
            values strongly.

    Returns:
        The ``matplotlib.figure.Figure``.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    figure = new_figure(5.2 * len(panels), 3.6)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for ax, (title, series) in zip(axes, panels.items(), strict=True):
        for colour, (name, values) in zip(cycle(len(series)), series.items(), strict=True):
            if isinstance(values, tuple):
                ax.plot(numbers(values[0]), numbers(values[1]), "o-", color=colour, label=name, markersize=4)
                continue
            y = numbers(values)
            x = list(range(1, len(y) + 1))
            if len(y) <= 10 * smooth:
                ax.plot(x, y, color=colour, label=name)
            else:
                ax.plot(x, y, color=colour, alpha=0.22, linewidth=0.8)
                ax.plot(x, running_mean(y, smooth), color=colour, label=name, linewidth=1.8)
        plain(ax, title)
        ax.set_xlabel(xlabel, color=QUIET)
        ax.legend(frameon=False)
    return written(figure, path)


def misclassified(
    images: Any,
    labels: Any,
    predictions: Any,
    confidence: Any = None,
    path: str | os.PathLike[str] | None = None,
    limit: int = 40,
) -> Any:
    """Draw the images whose prediction is wrong, the most confident mistakes first.

    If they fill no row, those follow that were right but least sure.

    Args:
        images: (N, H, W) or (N, 1, H, W) grey, or (N, 3, H, W) colour in 0..1.
        labels: (N,) the right classes.
        predictions: (N,) the predicted classes.
        confidence: (N,) how likely the model held its prediction to be; written below each image.
        path: a PNG, SVG or PDF file to write.
        limit: at most so many images.

    Returns:
        The ``matplotlib.figure.Figure``.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    right, guessed = numbers(labels), numbers(predictions)
    sure = None if confidence is None else numbers(confidence)
    wrong = [i for i, (a, b) in enumerate(zip(right, guessed, strict=True)) if a != b]
    doubtful: list[int] = []
    title = f"{len(wrong)} of {len(right):,} wrong" + (f", {limit} shown" if len(wrong) > limit else "")
    if sure is not None:
        wrong.sort(key=lambda i: -sure[i])
        doubtful = sorted(set(range(len(right))) - set(wrong), key=sure.__getitem__)[: max(0, COLUMNS - len(wrong))]
        title += "; then those it was least sure of" if doubtful else ""
    shown = wrong[:limit] + doubtful
    rows = max(1, math.ceil(len(shown) / COLUMNS))
    figure = new_figure(1.35 * COLUMNS, 1.75 * rows + 0.6)
    figure.suptitle(title, color=INK, fontsize=12, fontweight="bold")
    axes = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    pixels = array_of(images)
    for ax in axes:
        ax.axis("off")
    for ax, i in zip(axes, shown, strict=False):
        image = pixels[i]
        if image.ndim == 3:
            image = image[0] if image.shape[0] == 1 else image.transpose(1, 2, 0)
        ax.imshow(image, cmap="gray_r", interpolation="nearest")
        mistake = right[i] != guessed[i]
        caption = f"{right[i]:g} read as {guessed[i]:g}" if mistake else f"{right[i]:g}, rightly"
        ax.set_title(caption, fontsize=9, color=WRONG if mistake else INK, pad=3)
        if sure is not None:
            ax.text(0.5, -0.04, f"{sure[i]:.0%} sure", transform=ax.transAxes, ha="center", va="top",
                    fontsize=8, color=QUIET)  # fmt: skip
    return written(figure, path)
