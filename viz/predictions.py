"""Pictures of what a model predicts, and of what it has learned: confusion matrix, decision boundary, filters.

Each function returns the matplotlib figure and writes it where ``path`` says.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autograd.grad_mode import no_grad
from ..autograd.ops import as_tensor
from .plotting import COLOURS, INK, QUIET, array_of, new_figure, written

__all__ = ["confusion_matrix", "decision_boundary", "filters"]

Path = str | os.PathLike[str] | None


def confusion_matrix(
    labels: Any,
    predictions: Any,
    classes: Sequence[str] | None = None,
    normalize: bool = False,
    path: Path = None,
) -> Any:
    """Draw how often each class was predicted as each class.

    Args:
        labels: (N,) the right classes, as integers.
        predictions: (N,) the predicted classes; or (N, C) scores, of which the largest counts.
        classes: their names; else their numbers.
        normalize: show shares of each row instead of counts.
        path: a PNG, SVG or PDF file to write.

    Returns:
        The ``matplotlib.figure.Figure``; its ``matrix`` holds the (C, C) counts, a row for each right class.

    Raises:
        ValueError: the two do not have as many elements.

    Example:
        >>> figure = confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2], classes=["a", "b", "c"])  # doctest: +SKIP
        >>> figure.matrix.tolist()  # doctest: +SKIP
        [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
    """
    right, guessed = np.asarray(array_of(labels)), np.asarray(array_of(predictions))
    if guessed.ndim == 2:
        guessed = guessed.argmax(1)
    if right.shape != guessed.shape or right.ndim != 1:
        raise ValueError(f"confusion_matrix: labels have shape {list(right.shape)}, predictions {list(guessed.shape)}")
    right, guessed = right.astype(int), guessed.astype(int)
    count = len(classes) if classes is not None else 1 + max(right.max(initial=0), guessed.max(initial=0))
    matrix = np.zeros((count, count), int)
    np.add.at(matrix, (right, guessed), 1)
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    size = max(3.6, 0.5 * count + 1.4)
    figure = new_figure(size + 0.6, size)
    ax = figure.subplots()
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ax.grid(False)  # whatever the program has set for its own pictures
    for i, j in np.ndindex(matrix.shape):
        text = f"{shares[i, j]:.0%}" if normalize else f"{matrix[i, j]:,}"
        if matrix[i, j]:
            colour = "white" if shares[i, j] > 0.5 else INK
            ax.text(j, i, text, ha="center", va="center", color=colour, fontsize=8 if count > 6 else 10)
    names = list(classes) if classes is not None else [str(i) for i in range(count)]
    ax.set_xticks(range(count), names, rotation=45 if max(map(len, names)) > 3 else 0)
    ax.set_yticks(range(count), names)
    ax.set_xlabel("predicted", color=QUIET)
    ax.set_ylabel("right", color=QUIET)
    accuracy = matrix.trace() / max(matrix.sum(), 1)
    ax.set_title(f"{accuracy:.1%} right of {matrix.sum():,}", color=INK, fontsize=12, fontweight="bold", loc="left")
    figure.matrix = matrix
    return written(figure, path)


def decision_boundary(
    model: Callable[[Any], Any],
    inputs: Any,
    labels: Any,
    classes: Sequence[str] | None = None,
    resolution: int = 200,
    title: str = "",
    path: Path = None,
) -> Any:
    """Draw what a model of two inputs predicts all over the plane, and the data on it.

    Args:
        model: maps (M, 2) points to (M, C) scores, or to (M,) or (M, 1) numbers: the score of class 1, above 0 where
            it is predicted (a logit). It is called without gradients, in evaluation mode where it has one.
        inputs: (N, 2) the data.
        labels: (N,) their classes, as integers.
        classes: their names, for the legend.
        resolution: so many points along each axis.
        title: above the picture.
        path: a PNG, SVG or PDF file to write.

    Returns:
        The ``matplotlib.figure.Figure``.

    Raises:
        ValueError: the inputs are not points of a plane.
    """
    points, right = np.asarray(array_of(inputs)), np.asarray(array_of(labels)).reshape(-1).astype(int)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"decision_boundary: inputs must be (N, 2) points of a plane, got {list(points.shape)}")
    low, high = points.min(0), points.max(0)
    margin = 0.12 * np.maximum(high - low, 1e-6)
    xs, ys = (np.linspace(low[i] - margin[i], high[i] + margin[i], resolution) for i in (0, 1))
    grid = np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2).astype(np.float32)
    scores = _scores(model, grid)
    if scores.ndim == 2 and scores.shape[1] == 1:
        scores = scores[:, 0]
    count = max(2, int(right.max(initial=0)) + 1, scores.shape[1] if scores.ndim == 2 else 0)
    figure = new_figure(5.2, 4.4)
    ax = figure.subplots()
    ax.grid(False)
    shape = (resolution, resolution)
    colours = [COLOURS[i % len(COLOURS)] for i in range(count)]
    predicted = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(1)
    levels = np.arange(count + 1) - 0.5
    ax.contourf(xs, ys, predicted.reshape(shape), levels=levels, colors=colours, alpha=0.22)
    if scores.ndim == 2 and scores.shape[1] == 2:
        scores = scores[:, 1] - scores[:, 0]  # its zero is a smoother line than the border between two areas
    if scores.ndim == 1:
        ax.contour(xs, ys, scores.reshape(shape), levels=[0.0], colors=[INK], linewidths=1.4)
    else:
        ax.contour(xs, ys, predicted.reshape(shape), levels=levels[1:-1], colors=[INK], linewidths=1.0)
    for c in range(count):
        chosen = right == c
        if chosen.any():
            name = classes[c] if classes is not None else f"class {c}"
            ax.scatter(*points[chosen].T, s=18, color=colours[c], edgecolor="white", linewidth=0.5, label=name)
    ax.legend(framealpha=0.85, edgecolor="none", loc="upper right", fontsize=8)
    ax.tick_params(colors=QUIET)
    ax.set_title(title, color=INK, fontsize=12, fontweight="bold", loc="left")
    return written(figure, path)


def _scores(model: Any, grid: Any) -> Any:
    training = getattr(model, "training", False)
    if training:
        model.eval()
    try:
        with no_grad():
            return np.asarray(array_of(model(as_tensor(grid))))
    finally:
        if training:
            model.train()


def filters(weight: Any, columns: int = 8, limit: int = 64, title: str = "", path: Path = None) -> Any:
    """Draw the filters of a convolution, or the weights of units that look at images.

    Args:
        weight: (K, C, H, W): with three channels drawn in colour, else the mean over the channels; or (K, H, W).
        columns: filters in a row.
        limit: at most so many filters.
        title: above the picture.
        path: a PNG, SVG or PDF file to write.

    Returns:
        The ``matplotlib.figure.Figure``. Blue is negative, red positive, each filter on its own scale.

    Raises:
        ValueError: the weight has neither three nor four dimensions.
    """
    values = np.asarray(array_of(weight), float)
    if values.ndim not in (3, 4):
        raise ValueError(
            f"filters: a weight of shape (K, C, H, W) or (K, H, W) is needed, got {list(values.shape)}; "
            "reshape the rows of a linear layer to images first: weight.view(-1, 28, 28)"
        )
    coloured = values.ndim == 4 and values.shape[1] == 3
    if values.ndim == 4 and not coloured:
        values = values.mean(1)
    shown = values[:limit]
    columns = min(columns, max(len(shown), 1))
    rows = max(1, math.ceil(len(shown) / columns))
    figure = new_figure(0.9 * columns, 0.9 * rows + (0.5 if title or len(values) > limit else 0.1))
    note = f"{limit} of {len(values)} shown" if len(values) > limit else ""
    if title or note:
        figure.suptitle("; ".join(t for t in (title, note) if t), color=INK, fontsize=12, fontweight="bold")
    for ax in figure.subplots(rows, columns, squeeze=False).ravel():
        ax.axis("off")
    for ax, image in zip(figure.axes, shown, strict=False):
        size = np.abs(image).max() or 1.0
        if coloured:
            ax.imshow(np.clip(0.5 + image.transpose(1, 2, 0) / (2 * size), 0, 1), interpolation="nearest")
        else:
            ax.imshow(image, cmap="RdBu_r", vmin=-size, vmax=size, interpolation="nearest")
    return written(figure, path)
