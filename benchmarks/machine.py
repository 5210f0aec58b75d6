"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import re
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from . import memory
from .columns import COLUMNS, cores

FLAGS = ("avx2", "fma", "avx512f", "avx512_bf16", "avx512_vnni", "amx_tile", "asimd", "sve")  # that decide on speed
PACKAGES = ("numpy", "numba", "torch", "jax", "jaxlib", "cupy-cuda12x", "cupy-cuda13x")


def describe(device: str, threads: int) -> dict[str, Any]:
    """CPU, memory, versions, date."""
    cpu, flags = processor()
    total = memory.of_machine()
    return {
        "cpu": cpu,
        "cores": cores(),
        "flags": [flag for flag in FLAGS if flag in flags],
        "memory": round(total / 2**30, 1) if total else None,
        "system": f"{platform.system()} {platform.machine()}",
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "date": time.strftime("%Y-%m-%d"),
        "device": device,
        "threads": threads,
        "versions": versions(),
    }


def processor(path: str = "/proc/cpuinfo") -> tuple[str, set[str]]:
    """The CPU's name and instruction sets."""
    name, flags = platform.processor() or platform.machine(), set()
    try:
        lines = Path(path).read_text(errors="replace").splitlines()
    except OSError:
        return name, flags
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            name = value.strip()
        elif key.strip() in ("flags", "Features"):
            flags = set(value.split())
    return name, flags


def busy(path: str = "/proc/stat") -> float | None:
    """Seconds that all processors have worked since the machine started, for whomever."""
    try:
        with open(path) as file:
            fields = [int(word) for word in file.readline().split()[1:9]]
    except (OSError, ValueError):
        return None
    user, nice, system, _, _, interrupts, soft, stolen = fields
    return (user + nice + system + interrupts + soft + stolen) / os.sysconf("SC_CLK_TCK")


def versions() -> dict[str, str]:
    """Of Python and of what is compared."""
    source = (Path(__file__).resolve().parents[1] / "wengert" / "__init__.py").read_text(encoding="utf-8")
    # Not imported: that sets variables for NumPy, which the other libraries' processes would inherit.
    wengert = re.search(r'^__version__ = "(.+)"', source, re.MULTILINE)
    found = {"python": platform.python_version(), "wengert": wengert[1] if wengert else "unknown"}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def lines(machine: dict[str, Any]) -> list[str]:
    """For people to read."""
    size = f", {machine['memory']} GB" if machine["memory"] else ""
    busy = "" if machine.get("others") is None else f", {machine['others']} cores busy with other programs"
    return [
        f"{machine['cpu']}, {machine['cores']} cores ({', '.join(machine['flags'])}){size}, {machine['system']}",
        ", ".join(f"{name} {version}" for name, version in machine["versions"].items()),
        f"device {machine['device']}, {machine['threads']} threads, {machine['date']}, load {machine['load']}{busy}",
    ]


def installed(columns: list[str]) -> dict[str, str]:
    """The columns that cannot run here, and why."""
    return {column: reason for column in columns if (reason := COLUMNS[column].missing())}
