"""NVIDIA's libraries that kernels call: how they are found, and what became of each, for `wengert.show_config`.

A library that is missing, or that refuses a call, is no error: CuPy or a plain definition computes the same, slower. So
each binding says here what it is, or why it is not used, and `report` tells the reader.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

from ..settings import warn_once

__all__ = ["find", "missing", "refused", "report", "switched_off", "used"]

VERSIONS = {"cublasLt": ("13", "12"), "cudnn": ("9",)}
REMEDIES = {
    "cublasLt": "pip install nvidia-cublas",
    "cudnn": "pip install nvidia-cudnn-cu13",
    "cudnn frontend": "pip install wengert[cudnn]",
}
_state: dict[str, str] = {}
_refusals: dict[str, dict[str, int]] = {}


def find(name: str) -> Any:
    """The shared library of that name, or None; looked for in NVIDIA's wheels, then where the system looks.

    ``WENGERT_NO_LIBRARIES=cublasLt,cudnn`` in the environment leaves libraries out, to see what they are worth.
    """
    if switched_off(name):
        return None
    path = _path_in_wheels(name)
    for candidate in [path] if path else [f"lib{name}.so.{version}" for version in VERSIONS[name]]:
        try:
            return ctypes.CDLL(candidate)
        except OSError as error:
            missing(name, str(error))
    return None


def _path_in_wheels(name: str) -> str | None:
    try:
        from cuda.pathfinder import load_nvidia_dynamic_lib  # comes with CuPy
    except ImportError:
        return None
    try:
        return str(load_nvidia_dynamic_lib(name).abs_path)
    except Exception:  # of its own kind, which has moved between its versions
        return None


def switched_off(name: str) -> bool:
    """Whether the environment says to do without a library."""
    off = name in os.environ.get("WENGERT_NO_LIBRARIES", "").split(",")
    if off:
        _state[name] = "not used, as WENGERT_NO_LIBRARIES says"
    return off


def used(name: str, version: str) -> None:
    """Note that a library computes."""
    _state[name] = version


def missing(name: str, why: str) -> None:
    """Note that a library is not there."""
    _state[name] = f"not used ({why}): {REMEDIES[name]}"


def refused(name: str, what: str, why: str) -> None:
    """Note that a library would not do something; the first time for each reason there is a warning, too."""
    counts = _refusals.setdefault(name, {})
    counts[f"{what}: {why}"] = counts.get(f"{what}: {why}", 0) + 1
    warn_once(f"{name} refused {what} ({why}); it is computed without it, with the same numbers but slower")


def refusals(name: str | None = None) -> dict[str, int]:
    """What libraries refused so far, and how often."""
    chosen = _refusals.items() if name is None else [(name, _refusals.get(name, {}))]
    return {f"{library}: {text}": n for library, counts in chosen for text, n in counts.items()}


def report() -> dict[str, str]:
    """The libraries that were looked for, and what became of them."""
    return {
        name: text + (f"; refused {sum(_refusals[name].values())} calls" if _refusals.get(name) else "")
        for name, text in _state.items()
    }
