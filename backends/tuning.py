"""What must be in the environment before NumPy is loaded, so that its matrix products are as fast as the CPU allows.

OpenBLAS takes its AVX2 kernels on AMD CPUs that have AVX-512, and half the speed with them. Its threads and those of
OpenMP also spin after their work and so take each other's cores. It reads both settings once, when it is loaded.
``WENGERT_TUNE=0`` leaves the environment alone; what the user has set stays as it is.
"""

from __future__ import annotations

import os
import platform
import sys

__all__ = ["advice", "settings", "tune"]

AVX512 = {"avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd"}
applied: dict[str, str] = {}
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


def advice() -> str:
    """One line on what was done, for ``show_config``."""
    if os.environ.get("WENGERT_TUNE", "1") == "0":
        return "off (WENGERT_TUNE=0)"
    if too_late:
        return "not applied: NumPy was imported before wengert; import wengert first to let it choose BLAS kernels"
    return ", ".join(f"{k}={v}" for k, v in applied.items()) or "nothing to change"


tune()
