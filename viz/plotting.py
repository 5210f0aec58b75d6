"""What the pictures of training share: a figure without matplotlib's global state, colours, numbers out of tensors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..autograd.tensor import Tensor

__all__ = [
    "INK",
    "QUIET",
    "WRONG",
    "MissingExtraError",
    "array_of",
    "cycle",
    "new_figure",
    "numbers",
    "plain",
    "written",
]

COLOURS = ("#2f6fb3", "#d97706", "#3f9d5d", "#b4447a", "#64748b")
INK, QUIET, WRONG, GRID = "#0f172a", "#5b6878", "#b42318", "#e2e8f0"


class MissingExtraError(ImportError):
    """A picture needs a package that is not installed."""


def new_figure(width: float, height: float) -> Any:
    """A figure of so many inches."""
    try:
        from .figures import Figure
    except ImportError as error:
        raise MissingExtraError("this picture needs matplotlib: pip install wengert[viz]") from error
    return Figure(figsize=(width, height), layout="constrained")


def written(figure: Any, path: str | os.PathLike[str] | None) -> Any:
    """The figure, written to a file if there is a path."""
    if path is not None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=140)
    return figure


def plain(ax: Any, title: str) -> None:
    """A panel in the house's style: a bold title at the left, a light grid, no box."""
    ax.set_title(title, color=INK, fontsize=12, fontweight="bold", loc="left")
    ax.grid(color=GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(colors=QUIET)
    ax.spines[["top", "right"]].set_visible(False)


def array_of(values: Any) -> Any:
    """A tensor as a NumPy array (16-bit floats as float32); anything else as it is."""
    if not isinstance(values, Tensor):
        return values
    values = values.detach().cpu()
    return (values.float() if values.dtype.itemsize < 4 and values.is_floating_point() else values).numpy()


def numbers(values: Any) -> list[float]:
    """A tensor, an array or a sequence as a list of numbers."""
    values = array_of(values)
    return list(values.tolist()) if hasattr(values, "tolist") else list(values)


def running_mean(values: Sequence[float], width: int) -> list[float]:
    """The mean of the last ``width`` values at each place."""
    means, total = [], 0.0
    for i, v in enumerate(values):
        total += v
        if i >= width:
            total -= values[i - width]
        means.append(total / min(i + 1, width))
    return means


def cycle(count: int) -> list[str]:
    """So many colours."""
    return [COLOURS[i % len(COLOURS)] for i in range(count)]
