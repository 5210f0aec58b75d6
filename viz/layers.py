"""What goes on in the layers of a model: histograms of activations, gradients and weights, now and over time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.tensor import Tensor
from .plotting import COLOURS, INK, QUIET, array_of, new_figure, plain, written

if TYPE_CHECKING:
    from ..nn import Module

__all__ = ["LayerHistory", "histograms", "watch_layers"]

KINDS = ("activations", "gradients", "weights")
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


def histograms(
    values: Mapping[str, Any], bins: int = 60, columns: int = 5, path: str | os.PathLike[str] | None = None
) -> Any:
    """Draw a histogram of each of some tensors, one panel beside the other.

    Args:
        values: name -> tensor, such as ``dict(model.named_parameters())``.
        bins: bars in each.
        columns: panels in a row.
        path: a PNG, SVG or PDF file to write.

    Returns:
        The ``matplotlib.figure.Figure``. Each title gives the mean and the standard deviation, and the share of
        zeros where there are many; values that are not finite are counted there and left out.
    """
    columns = max(1, min(columns, len(values)))
    rows = max(1, -(-len(values) // columns))
    figure = new_figure(2.9 * columns, 2.3 * rows)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes[len(values) :]:
        ax.axis("off")
    for ax, (name, tensor) in zip(axes, values.items(), strict=False):
        x = np.asarray(array_of(tensor), float).ravel()
        finite = x[np.isfinite(x)]
        plain(ax, "")
        ax.set_title(f"{name}\n{_figures(x, finite)}", color=INK, fontsize=9, loc="left")
        if finite.size:
            ax.hist(finite, bins=bins, color=COLOURS[0])
        ax.tick_params(labelsize=7)
        ax.set_yticks([])
    return written(figure, path)


def _figures(x: Any, finite: Any) -> str:
    if not finite.size:
        return "no finite value"
    zeros = float((finite == 0).mean())
    text = f"mean {finite.mean():.2g}, std {finite.std():.2g}"
    text += f", {zeros:.0%} zero" if zeros > 0.05 else ""
    return text + (f", {x.size - finite.size} not finite" if x.size > finite.size else "")


class LayerHistory:
    """What `watch_layers` records.

    Attributes:
        steps: the numbers of the recorded steps.
        activations, gradients, weights: layer's path -> one row a recorded step: the quantiles 0, 5, 25, 50, 75, 95
            and 100 %, then the share of zeros.
        last: kind -> layer's path -> the tensor of the last recorded step.
    """

    def __init__(self, model: Module, every: int = 1) -> None:
        if every < 1:
            raise ValueError(f"watch_layers: every must be at least 1, got {every}")
        self.model, self.every = model, every
        self.steps: list[int] = []
        self.activations: dict[str, list[Any]] = {}
        self.gradients: dict[str, list[Any]] = {}
        self.weights: dict[str, list[Any]] = {}
        self.last: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
        self._handles: list[Any] = []
        self._calls = 0
        self._on = False

    def __enter__(self) -> LayerHistory:
        self._handles.append(self.model.register_forward_pre_hook(self._begin))
        for path, module in self.model.named_modules():
            if next(module.children(), None) is None:
                self._handles.append(module.register_forward_hook(self._output_of(path or type(module).__name__)))
        return self

    def __exit__(self, *exc: object) -> None:
        while self._handles:
            self._handles.pop().remove()

    def _begin(self, module: Any, args: Any) -> None:
        self._on = module.training and self._calls % self.every == 0
        self._calls += module.training
        if self._on:
            self.steps.append(self._calls)
            for name, parameter in self.model.named_parameters():
                self._keep("weights", name, parameter)

    def _output_of(self, path: str) -> Any:
        def hook(module: Any, args: Any, output: Any) -> None:
            if not self._on or not isinstance(output, Tensor) or output._data.dtype.kind not in "fV":
                return
            self._keep("activations", path, output)
            if output.requires_grad:
                output.register_hook(lambda g: self._keep("gradients", path, g))

        return hook

    def _keep(self, kind: str, path: str, tensor: Any) -> None:
        x = np.array(array_of(tensor), np.float32).ravel()
        self.last[kind][path] = x
        finite = x[np.isfinite(x)]
        if finite.size:
            row = [*np.quantile(finite, QUANTILES), float((finite == 0).mean())]
        else:
            row = [float("nan")] * (len(QUANTILES) + 1)
        table: dict[str, list[Any]] = getattr(self, kind)
        table.setdefault(path, []).append(row)

    def over_time(self, kind: str = "activations", columns: int = 4, path: str | os.PathLike[str] | None = None) -> Any:
        """Draw how the values of each layer spread over time: the median, and bands of half, nine tenths and all.

        Args:
            kind: ``"activations"``, ``"gradients"`` (of the activations) or ``"weights"``.
            columns: panels in a row.
            path: a PNG, SVG or PDF file to write.

        Returns:
            The ``matplotlib.figure.Figure``.

        Raises:
            ValueError: no such kind, or nothing was recorded.
        """
        table = self._table(kind)
        columns = max(1, min(columns, len(table)))
        rows = -(-len(table) // columns)
        figure = new_figure(3.3 * columns, 2.4 * rows)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for ax in axes[len(table) :]:
            ax.axis("off")
        for ax, (name, recorded) in zip(axes, table.items(), strict=False):
            values = np.array(recorded)
            x = np.arange(len(values)) if len(values) != len(self.steps) else np.array(self.steps)
            for outer, shade in ((0, 0.12), (1, 0.22), (2, 0.38)):
                ax.fill_between(x, values[:, outer], values[:, 6 - outer], color=COLOURS[0], alpha=shade, linewidth=0)
            ax.plot(x, values[:, 3], color=COLOURS[0], linewidth=1.6)
            plain(ax, "")
            ax.set_title(f"{name}  {self._kind_of(name)}".rstrip(), color=INK, fontsize=10, loc="left")
            ax.tick_params(labelsize=8)
            ax.set_xlabel("step", color=QUIET, fontsize=8)
        return written(figure, path)

    def histograms(self, kind: str = "activations", path: str | os.PathLike[str] | None = None) -> Any:
        """Draw a histogram of each layer at the last recorded step; see `histograms`."""
        return histograms({path: self.last[kind][path] for path in self._table(kind)}, path=path)

    def _kind_of(self, path: str) -> str:
        return next((type(module).__name__ for name, module in self.model.named_modules() if name == path), "")

    def _order(self, kind: str) -> list[str]:
        if kind == "weights":
            return [name for name, _ in self.model.named_parameters()]
        return [path or type(module).__name__ for path, module in self.model.named_modules()]

    def _table(self, kind: str) -> dict[str, list[Any]]:
        if kind not in KINDS:
            raise ValueError(f"watch_layers: there are {', '.join(KINDS)}, not {kind!r}")
        recorded: dict[str, list[Any]] = getattr(self, kind)
        table = {path: recorded[path] for path in self._order(kind) if path in recorded}  # gradients come backwards
        if not table:
            raise ValueError(
                f"watch_layers: no {kind} were recorded; the model must be called in training mode within the block"
                + (", and backward() too" if kind == "gradients" else "")
            )
        return table


def watch_layers(model: Module, every: int = 1) -> LayerHistory:
    """A block in which the activations, their gradients and the weights of a model's layers are recorded.

    Args:
        model: it is watched whenever it is called in training mode.
        every: record every so many calls only.

    Returns:
        A context manager, which gives the `LayerHistory`.

    Example:
        >>> import wengert as wg
        >>> model = wg.nn.Sequential(wg.nn.Linear(2, 8), wg.nn.Tanh(), wg.nn.Linear(8, 1))
        >>> with wg.viz.watch_layers(model) as history:
        ...     for _ in range(3):
        ...         model(wg.ones(4, 2)).sum().backward()
        >>> sorted(history.gradients), len(history.activations["1"])
        (['0', '1', '2'], 3)
        >>> figure = history.over_time("gradients")  # doctest: +SKIP
    """
    return LayerHistory(model, every)
