"""``show_config``: which libraries and kernels this process computes with."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys

import numpy as np

from . import registry, tuning
from .cpu import threads

__all__ = ["show_config"]


def show_config() -> None:
    """Print versions, BLAS, threads and devices, and what was set so that they run well.

    Example:
        >>> import wengert as wg
        >>> wg.show_config()
        wengert ... on Python ...
    """
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    lines = {
        f"wengert {_version('wengert')}": f"on Python {platform.python_version()}, {platform.machine()}",
        "numpy": f"{np.__version__}, {blas.get('name')} {blas.get('version')}",
        "tuning": tuning.advice(),
        "processors": str(os.cpu_count()),
        "threads": str(threads.get_num_threads()),
        "numba": _numba(),
        "devices": ", ".join([n for n in registry.names() if registry.device_count(n)]),
        "default device": str(registry.default_device()),
        "cupy": next((v for n in ("cupy-cuda13x", "cupy-cuda12x", "cupy") if (v := _version(n))), "")
        or "not installed: pip install wengert[cuda13] or wengert[cuda12]",
        **_cuda_libraries(),
    }
    width = max(map(len, list(lines)[1:]))
    for i, (name, value) in enumerate(lines.items()):
        sys.stdout.write(f"{name} {value}\n" if i == 0 else f"  {name:<{width}}  {value}\n")


def _cuda_libraries() -> dict[str, str]:
    """What became of NVIDIA's libraries, where there is a CUDA device."""
    if not registry.device_count("cuda"):
        return {}
    from .cuda import cudnn_graph, libraries, product, recurrent

    product.library()
    recurrent.library()
    cudnn_graph.library()
    return libraries.report()


def _numba() -> str:
    version, mode = _version("numba"), os.environ.get("WENGERT_NUMBA", "auto")
    if not version:
        return "not installed: pip install wengert[fast]"
    use = {"auto": "used once there is some work", "0": "not used"}.get(mode, "used at once")
    return f"{version}, {use} (WENGERT_NUMBA={mode})"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "(a checkout)" if package == "wengert" else ""
