"""What a process sets up so that NumPy is as fast as the machine allows: matrix products, threads and memory.

OpenBLAS takes its AVX2 kernels on AMD CPUs that have AVX-512, and half the speed with them. Its threads and those of
OpenMP also spin after their work and so take each other's cores. It reads both settings once, when it is loaded, so
they must be in the environment before.

The C library gives the pages of large arrays back to the system when they are freed, and takes new ones for the next:
one fault for each 4 KiB, a fifth of the time of many training steps. With glibc it is told to keep more of them, up to
a limit; `wengert.empty_cache` gives them back.

``WENGERT_TUNE=0`` leaves all of it alone; what the user has set stays as it is.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from typing import Any

__all__ = ["advice", "keep_pages", "settings", "trim", "tune"]

AVX512 = {"avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd"}
MALLOC = {  # the variables that glibc reads at its start, what `mallopt` calls them, and what suits training steps
    "MALLOC_MMAP_THRESHOLD_": (-3, 32 << 20),  # bytes from which on an array has pages of its own; the most there is
    "MALLOC_TRIM_THRESHOLD_": (-1, 512 << 20),  # free bytes at the end of the heap that are kept
}
applied: dict[str, str] = {}
kept: dict[str, str] = {}
too_late = False


def cpu_flags(path: str = "/proc/cpuinfo") -> tuple[str, set[str]]:
    """The vendor and the instruction sets of the first CPU, as Linux tells them; empty elsewhere."""
    vendor, flags = "", set()
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            for line in file:
                key, _, value = line.partition(":")
                if key.strip() == "vendor_id":
                    vendor = value.strip()
                elif key.strip() == "flags":
                    flags = set(value.split())
                    break
    except OSError:
        pass
    return vendor, flags


def settings(vendor: str, flags: set[str]) -> dict[str, str]:
    """The environment variables that suit a CPU.

    >>> settings("AuthenticAMD", AVX512)["OPENBLAS_CORETYPE"]
    'SkylakeX'
    >>> "OPENBLAS_CORETYPE" in settings("AuthenticAMD", {"avx2"})
    False
    """
    wanted = {"OPENBLAS_THREAD_TIMEOUT": "10", "OMP_WAIT_POLICY": "passive"}
    if vendor == "AuthenticAMD" and flags >= AVX512:
        wanted["OPENBLAS_CORETYPE"] = "SkylakeX"
    return wanted


def tune() -> None:
    """Set what is not set yet, unless NumPy is loaded already or ``WENGERT_TUNE=0`` says to leave it."""
    global too_late
    if os.environ.get("WENGERT_TUNE", "1") == "0" or platform.machine() not in ("x86_64", "AMD64"):
        return
    too_late = "numpy" in sys.modules
    if too_late:
        return
    for name, value in settings(*cpu_flags()).items():
        if name not in os.environ:
            os.environ[name] = applied[name] = value


def _glibc() -> Any:
    """The C library, if it is glibc; else None."""
    try:
        name = os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, OSError, ValueError):
        return None
    if not name:
        return None
    import ctypes  # NumPy needs it, too

    return ctypes.CDLL(None)


def keep_pages() -> None:
    """Let glibc keep the pages of freed arrays, unless the user has told it what to do."""
    if os.environ.get("WENGERT_TUNE", "1") == "0" or any(k.startswith("MALLOC_") for k in os.environ):
        return
    with contextlib.suppress(Exception):  # a library without these functions goes on as it is
        if (library := _glibc()) is not None:
            for name, (option, value) in MALLOC.items():
                if library.mallopt(option, value):
                    kept[name] = str(value)


def trim() -> None:
    """Give free pages back to the system, where the C library can be asked to."""
    with contextlib.suppress(Exception):
        if (library := _glibc()) is not None:
            library.malloc_trim(0)


def advice() -> str:
    """One line on what was done, for ``show_config``."""
    if os.environ.get("WENGERT_TUNE", "1") == "0":
        return "off (WENGERT_TUNE=0)"
    done = {**applied, **kept}
    if too_late:
        done = {"not applied to BLAS": "NumPy was imported before wengert; import wengert first", **kept}
    return ", ".join(f"{k}={v}" for k, v in done.items()) or "nothing to change"


tune()
keep_pages()
