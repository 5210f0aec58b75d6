"""What is measured. Each workload is one function that takes the library, wengert or PyTorch: they have the same names.

To add one, write a function in a module of this folder, decorate it with `workload`, and name the module below.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

TABLE: dict[str, Workload] = {}


@dataclass(frozen=True)
class Workload:
    """A thing to measure.

    Attributes:
        name: what the table calls it.
        prepare: ``prepare(lib, device)`` returns the function to be timed; with ``number`` it returns the measured
            value, and ``lib`` is then the library's name, not yet imported.
        threads: threads of each library; 0 for as many as there are cores.
        unit: ``us`` or ``ms`` per call, or the unit of the number.
        target: what the ratio to PyTorch should stay below.
        limit: what wengert's own value should stay below.
        number: whether ``prepare`` measures by itself.
    """

    name: str
    prepare: Callable[[Any, str], Any]
    threads: int = 1
    unit: str = "us"
    target: float | None = None
    limit: float | None = None
    number: bool = False


def workload(name: str, **settings: Any) -> Callable[[Callable[[Any, str], Any]], Callable[[Any, str], Any]]:
    """Put the decorated function into the table."""

    def add(prepare: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
        TABLE[name] = Workload(name, prepare, **settings)
        return prepare

    return add


for part in ("small", "kernels", "models", "optimizers", "cost"):  # in the order of the printed table
    importlib.import_module(f"{__name__}.{part}")
