"""What the pictures of the notebooks share, so that their cells need few lines for them."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np

import wengert as wg

COLOURS = ("#2f6fb3", "#d97706", "#3f9d5d", "#b4447a", "#64748b", "#7c5cc4", "#0e9aa7")
INK, QUIET, GRID = "#0f172a", "#5b6878", "#e2e8f0"

plt.rcParams.update(
    {
        "figure.dpi": 84,
        "figure.constrained_layout.use": True,
        "axes.prop_cycle": plt.cycler(color=COLOURS),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": GRID,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "axes.titlesize": 11,
        "text.color": INK,
        "axes.titlecolor": INK,
        "axes.labelcolor": QUIET,
        "xtick.color": QUIET,
        "ytick.color": QUIET,
        "legend.frameon": False,
    }
)


def panels(columns=1, rows=1, width=3.6, height=2.9):
    """A figure of so many panels; one panel comes alone, more come as a flat array."""
    _, axes = plt.subplots(rows, columns, figsize=(width * columns, height * rows))
    return axes if rows * columns == 1 else axes.ravel()


def label(ax, title="", x="", y="", legend=False):
    """Title and names of the axes."""
    ax.set(title=title, xlabel=x, ylabel=y)
    if legend:
        ax.legend(fontsize=8)


def dots(ax, points, labels, size=28):
    """Points of a plane, each with the colour of its label (0, 1, 2, ...)."""
    points, labels = np.asarray(points), np.asarray(labels).reshape(-1)
    for value in np.unique(labels):
        chosen = points[labels == value]
        ax.scatter(
            *chosen.T,
            s=size,
            color=COLOURS[int(value) % 5],
            edgecolor="white",
            linewidth=0.6,
            zorder=3,
        )


def regions(ax, score, points, labels, title="", steps=120, size=28):
    """Which class a model gives to every point of the plane, with the data on top.

    ``score`` takes (N, 2) points. It gives one number for each, above 0 where the class is 1, or a
    score for each class.
    """
    low, high = np.asarray(points).min(0), np.asarray(points).max(0)
    margin = 0.15 * (high - low)
    x, y = (np.linspace(low[i] - margin[i], high[i] + margin[i], steps) for i in (0, 1))
    grid = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    with wg.no_grad():
        values = np.asarray(score(wg.tensor(grid, dtype=wg.float32)))
    many = values.ndim == 2 and values.shape[1] > 1
    classes = values.argmax(1) if many else (values.reshape(-1) > 0).astype(int)
    count = max(2, int(classes.max()) + 1, int(np.asarray(labels).max()) + 1)
    shades = [0.5 + i for i in range(-1, count)]
    ax.contourf(
        x, y, classes.reshape(steps, steps), levels=shades, colors=COLOURS[:count], alpha=0.18
    )
    dots(ax, points, labels, size)
    ax.grid(False)
    ax.set_title(title)


def images(pictures, titles=None, columns=10, size=0.9, cmap="gray_r"):
    """Small grey pictures (N, height, width) in rows."""
    pictures = np.asarray(pictures)
    rows = -(-len(pictures) // columns)
    tall = size * 1.25 if titles is not None else size
    shape = (size * columns, tall * rows)
    _, axes = plt.subplots(rows, columns, figsize=shape, squeeze=False)
    for ax in axes.ravel():
        ax.axis("off")
    for i, (ax, picture) in enumerate(zip(axes.ravel(), pictures, strict=False)):
        ax.imshow(picture, cmap=cmap)
        if titles is not None:
            ax.set_title(str(titles[i]), fontsize=8, loc="center", fontweight="normal")
