"""Memory of this process as Linux counts it; None or 0 elsewhere."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def resident() -> int:
    """Bytes of this process in memory."""
    return _status("VmRSS") or 0


def peak() -> int | None:
    """The most that `resident` was since the process began, or since `reset_peak`."""
    return _status("VmHWM")


def reset_peak() -> None:
    """Let `peak` count from now on."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def of_machine() -> int | None:
    """Bytes of memory that this machine has."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _status(key: str) -> int | None:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:")), None)
