"""A model as a table: its layers with output shapes, parameters, arithmetic and the memory of what they compute."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..autograd.base import TensorBase
from ..autograd.grad_mode import no_grad
from ..backends.flops import counted_flops

if TYPE_CHECKING:
    from ..nn.module import Module

__all__ = ["Row", "Summary", "summary"]


@dataclass
class Row:
    """One module of a model.

    Attributes:
        path: its name in the model; empty for the model itself.
        kind: its class.
        depth: how far below the model it is.
        shapes: of its outputs, in the order in which it computed them; none if it was not called.
        parameters: how many numbers its parameters have, those of its parts included; shared ones once.
        trainable: how many of these want gradients.
        flops: arithmetic of its products and convolutions, its parts included; a multiplication and an addition are 2.
        activation_bytes: the memory of its outputs, views aside, where it has no parts; else that of its parts'.
        calls: how often it ran.
    """

    path: str
    kind: str
    depth: int
    shapes: list[tuple[int, ...]] = field(default_factory=list)
    parameters: int = 0
    trainable: int = 0
    flops: int = 0
    activation_bytes: int = 0
    calls: int = 0


class Summary:
    """What `summary` found; printed, it is a table.

    Attributes:
        rows: a `Row` for each module, the model first, every other below what it is a part of.
        depth: how deep the printed table goes.
    """

    def __init__(self, rows: list[Row], depth: int | None) -> None:
        self.rows, self.depth = rows, depth

    def __getattr__(self, name: str) -> Any:
        """A total: ``parameters``, ``trainable``, ``flops`` and ``activation_bytes`` of the model."""
        if name in ("parameters", "trainable", "flops", "activation_bytes"):
            return getattr(self.rows[0], name)
        raise AttributeError(name)

    def __str__(self) -> str:
        shown = [row for row in self.rows if self.depth is None or row.depth <= self.depth]
        titles = ("layer", "output", "parameters", "FLOPs", "activations")
        table = [titles, *[_cells(row) for row in shown]]
        widths = [max(len(cells[i]) for cells in table) for i in range(len(titles))]
        sides = (str.ljust, str.ljust, str.rjust, str.rjust, str.rjust)
        lines = [
            "  ".join(side(cell, w) for side, cell, w in zip(sides, cells, widths, strict=True)) for cells in table
        ]
        rule = "-" * max(map(len, lines))
        frozen = self.parameters - self.trainable
        total = f"{self.parameters:,} parameters" + (f", {frozen:,} of them frozen" if frozen else "")
        total += f"; {_short(self.flops)} FLOPs; {_bytes(self.activation_bytes)} of activations"
        return "\n".join([line.rstrip() for line in (lines[0], rule, *lines[1:], rule, total)])

    __repr__ = __str__


def _cells(row: Row) -> tuple[str, ...]:
    name = f"{row.path.rpartition('.')[2]}: {row.kind}" if row.path else row.kind
    shapes = ", ".join(dict.fromkeys(str(list(shape)) for shape in row.shapes)) or "not called"
    times = f" x{row.calls}" if row.calls > 1 else ""
    return (
        "  " * row.depth + name + times,
        shapes,
        f"{row.parameters:,}" if row.parameters else "-",
        _short(row.flops) if row.flops else "-",
        _bytes(row.activation_bytes) if row.activation_bytes else "-",
    )


def _short(number: int) -> str:
    for size, letter in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.2f} {letter}"
    return f"{number} "


def _bytes(number: int) -> str:
    for size, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number} B"


def summary(model: Module, *inputs: Any, depth: int | None = None, **kwargs: Any) -> Summary:
    """Run ``model`` once and say what each of its layers makes, holds and computes.

    The run is in evaluation mode and records nothing, so that the model stays as it was.

    Args:
        model: any module.
        inputs: what it is called with; a tuple stands for all positional arguments.
        depth: how deep the printed table goes; everything when left out.
        kwargs: keyword arguments of the call.

    Returns:
        A `Summary`.

    Example:
        >>> import wengert as wg
        >>> model = wg.nn.Sequential(wg.nn.Conv2d(1, 8, 3), wg.nn.ReLU(), wg.nn.Flatten(), wg.nn.Linear(288, 10))
        >>> print(wg.summary(model, wg.zeros(4, 1, 8, 8)))
        layer         output        parameters    FLOPs  activations
        ------------------------------------------------------------
        Sequential    [4, 10]            2,970  43.78 k      9.2 KiB
          0: Conv2d   [4, 8, 6, 6]          80  20.74 k      4.5 KiB
          1: ReLU     [4, 8, 6, 6]           -        -      4.5 KiB
          2: Flatten  [4, 288]               -        -            -
          3: Linear   [4, 10]            2,890  23.04 k        160 B
        ------------------------------------------------------------
        2,970 parameters; 43.78 k FLOPs; 9.2 KiB of activations
    """
    if len(inputs) == 1 and isinstance(inputs[0], tuple | list):
        inputs = tuple(inputs[0])
    rows: dict[int, Row] = {}
    for path, module in model.named_modules():
        rows[id(module)] = Row(path, type(module).__name__, path.count(".") + 1 if path else 0)
    running: list[Module] = []
    with _watched(model, rows, running), _counted(running, rows), _evaluated(model), no_grad():
        model(*inputs, **kwargs)
    for module in model.modules():
        sizes = {id(p): (p.numel(), p.requires_grad) for p in module.parameters()}
        row = rows[id(module)]
        row.parameters = sum(n for n, _ in sizes.values())
        row.trainable = sum(n for n, wanted in sizes.values() if wanted)
    return Summary(_with_parts(list(rows.values())), depth)


def _with_parts(rows: list[Row]) -> list[Row]:
    """The rows, arithmetic and memory of the parts added to the wholes."""
    by_path = {row.path: row for row in rows}
    for row in reversed(rows):
        if row.path:
            whole = by_path[row.path.rpartition(".")[0]]
            whole.flops += row.flops
            whole.activation_bytes += row.activation_bytes
    return rows


@contextlib.contextmanager
def _watched(model: Module, rows: dict[int, Row], running: list[Module]) -> Iterator[None]:
    """Note what each module returns, and which one is running."""
    handles = []

    def begin(module: Module, args: Any) -> None:
        running.append(module)

    def end(module: Module, args: Any, output: Any) -> None:
        if running and running[-1] is module:
            running.pop()
        row, tensors = rows[id(module)], list(_tensors(output))
        row.calls += 1
        row.shapes += [tuple(t.shape) for t in tensors]
        if next(module.children(), None) is None:
            row.activation_bytes += sum(t.numel() * t.element_size() for t in tensors if t._view is None)

    try:
        for module in model.modules():
            handles.append(module.register_forward_pre_hook(begin))
            handles.append(module.register_forward_hook(end))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _tensors(value: Any) -> Iterator[Any]:
    if isinstance(value, TensorBase):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)


@contextlib.contextmanager
def _evaluated(model: Module) -> Iterator[None]:
    """Evaluation mode, and afterwards each module's own mode again."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training


def _counted(running: list[Module], rows: dict[int, Row]) -> contextlib.AbstractContextManager[None]:
    """Count the arithmetic of products for the module that is running."""

    def report(count: int) -> None:
        if running:
            rows[id(running[-1])].flops += count

    return counted_flops(report)
