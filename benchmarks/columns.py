"""The libraries that are compared, and the environment that each runs in."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field

REFERENCE = "torch"


@dataclass(frozen=True)
class Column:
    """A way to run a workload.

    Attributes:
        title: what tables call it.
        module: what is imported.
        environment: variables of its processes.
    """

    title: str
    module: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def missing(self) -> str:
        """Why it cannot run here; empty where it can."""
        if self.module != "wengert" and importlib.util.find_spec(self.module) is None:
            return f"{self.module} is not installed"
        if self is COLUMNS["compile"] and not (shutil.which("g++") or shutil.which("clang++")):
            return "torch.compile needs a C++ compiler"
        return ""


COLUMNS = {
    "wengert": Column("wengert", "wengert"),
    "torch": Column("PyTorch", "torch"),
    "compile": Column("torch.compile", "torch"),
    "jax": Column("JAX", "jax"),
    "numpy": Column("NumPy only", "wengert", {"WENGERT_NUMBA": "0"}),
}


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def environment(column: str, threads: int, device: str) -> dict[str, str]:
    """The environment of a process of a column."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    result = {**os.environ, **dict.fromkeys(names, str(threads)), **COLUMNS[column].environment}
    result.pop("PYTHONDONTWRITEBYTECODE", None)  # importing is measured as users have it: compiled once
    if column == "jax":
        result["JAX_PLATFORMS"] = device.partition(":")[0]  # or it would take what there is
    return result


def limit_threads(column: str, library: object, threads: int) -> None:
    """What the environment cannot say. To be called before the library computes anything."""
    if COLUMNS[column].module == "torch":
        library.set_num_threads(threads)  # type: ignore[attr-defined]
    elif column == "jax" and threads < cores() and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])  # it starts a thread for each core
