"""The loss over the learning rate: what a range test has found."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from .plotting import COLOURS, QUIET, cycle, new_figure, plain, written

__all__ = ["range_test"]


def range_test(
    rates: Sequence[float],
    losses: Sequence[float],
    marks: Mapping[str, float] | None = None,
    log: bool = True,
    path: str | os.PathLike[str] | None = None,
) -> Any:
    """Draw the losses of a learning-rate range test.

    Args:
        rates: the learning rates.
        losses: the loss at each.
        marks: name -> rate, each a line with the rate written beside its name.
        log: equal ratios of rates are equal distances.
        path: a PNG, SVG or PDF file to write.

    Returns:
        The ``matplotlib.figure.Figure``.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    figure = new_figure(6.4, 3.8)
    ax = figure.subplots()
    ax.plot(list(rates), list(losses), color=COLOURS[0], linewidth=1.8)
    marks = marks or {}
    for colour, (name, rate) in zip(cycle(len(marks) + 1)[1:], marks.items(), strict=True):
        ax.axvline(rate, color=colour, linestyle="--", linewidth=1.2, label=f"{name}: {rate:.2g}")
    if log:
        ax.set_xscale("log")
    plain(ax, "range test")
    ax.set_xlabel("learning rate", color=QUIET)
    ax.set_ylabel("loss", color=QUIET)
    if marks:
        ax.legend(frameon=False)
    return written(figure, path)
