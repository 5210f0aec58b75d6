"""What is measured. A workload is ordinary PyTorch code in a function that takes the library: names are the same.

To add one, write a function in a module of this folder, decorate it with `workload`, and name the module below. Its
JAX version goes, under the name that the decorator gives, into a module ``jax_*.py``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

TABLE: dict[str, Workload] = {}
GROUPS = {  # in the order of the printed table
    "training": "Training steps",
    "inference": "Inference at batch 1",
    "tensors": "Tensors",
    "kernels": "Layers and losses by themselves",
    "optimizers": "Optimizer steps",
    "derivatives": "Functions of functions, and checkpointing",
    "start": "Starting, and memory",
}


@dataclass(frozen=True)
class Workload:
    """A thing to measure.

    Attributes:
        name: what the table calls it.
        prepare: ``prepare(lib, at, **sizes)`` returns the function to be timed, and that returns a number or tensor
            which all libraries agree on, or None. With a `unit`, ``prepare(name, at, **sizes)`` returns the measured
            value itself, and the library is not yet imported.
        group: one of `GROUPS`.
        sizes: arguments of ``prepare``.
        tiny: those that tests use in their place.
        jax: ``module.function`` of the JAX version, which takes the same arguments but the library.
        unit: empty for time per call; else what the value is measured in, ``s`` or ``MB``.
        target: what the ratio to PyTorch should stay below.
        limit: what wengert's own value should stay below, in seconds or the unit.
        quick: whether ``--quick`` measures it.
        chart: whether the chart shows it.
        draws: whether the result is random, so that libraries do not agree on it.
        numpy: whether the column without compiled kernels is measured without being asked for.
        compile: the same of the column of ``torch.compile``, which takes long.
        cache: ``cold`` or ``warm``: the folder for compiled kernels is empty, or has been filled by a run before.
        environment: variables for the process.
        without: columns that make no sense here, with the reason.
    """

    name: str
    prepare: Callable[..., Any]
    group: str
    sizes: Mapping[str, Any] = field(default_factory=dict)
    tiny: Mapping[str, Any] = field(default_factory=dict)
    jax: str = ""
    unit: str = ""
    target: float | None = None
    limit: float | None = None
    quick: bool = False
    chart: bool = False
    draws: bool = False
    numpy: bool = False
    compile: bool = True
    cache: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    without: Mapping[str, str] = field(default_factory=dict)

    def reason_without(self, column: str) -> str:
        """Why a column is left out; empty where it is measured."""
        if column == "jax" and not self.jax and not self.unit:
            return self.without.get("jax", "there is no JAX version of this")
        return self.without.get(column, "")

    def start(self, column: str, library: Any, at: Any, *, tiny: bool = False) -> Any:
        """What ``prepare`` returns, in the version that a column runs."""
        sizes = {**self.sizes, **(self.tiny if tiny else {})}
        if self.jax and column == "jax":
            module, function = self.jax.split(".")
            return getattr(importlib.import_module(f"{__name__}.{module}"), function)(at, **sizes)
        return self.prepare(library, at, **sizes)


def workload(name: str, group: str, **settings: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Put the decorated function into the table."""

    def add(prepare: Callable[..., Any]) -> Callable[..., Any]:
        if name in TABLE:
            raise ValueError(f"two workloads are called {name!r}")
        TABLE[name] = Workload(name, prepare, group, **settings)
        return prepare

    return add


for part in ("models", "gan", "small", "kernels", "optimizers", "func", "cost"):
    importlib.import_module(f"{__name__}.{part}")
