"""What is not time per call: importing, and memory."""

from __future__ import annotations

import gc
import importlib
import time
import tracemalloc
from pathlib import Path

from . import workload


def resident() -> int:
    """Bytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


@workload("import, over import numpy", unit="ms", limit=150.0, number=True)
def import_time(lib: str, device: str) -> float:
    importlib.import_module("numpy")
    start = time.perf_counter()
    importlib.import_module(lib)
    return (time.perf_counter() - start) * 1e3


@workload("memory held by 100 x (x + 1) on 0.26 MB", unit="MB", limit=0.5, number=True)
def held(lib: str, device: str) -> float:
    """Counted by tracemalloc where it can (NumPy's memory), else by what the process grew."""
    library = importlib.import_module(lib)
    x = library.ones(256, 256, device=device, requires_grad=True)
    counted = lib == "wengert"
    (x + 1).sum().backward()
    gc.collect()
    if counted:
        tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0] if counted else resident()
    h = x
    for _ in range(100):
        h = h + 1
    after = tracemalloc.get_traced_memory()[0] if counted else resident()
    return (after - before - h.nbytes) / 1e6  # the last result is the program's own


@workload("growth over 1,000 MLP steps, gc off", unit="MB", limit=1.0, number=True)
def growth(lib: str, device: str) -> float:
    from .models import small_mlp

    step = small_mlp(importlib.import_module(lib), device)
    for _ in range(200):
        step()
    gc.collect()
    gc.disable()
    before = resident()
    for _ in range(1000):
        step()
    return (resident() - before) / 1e6
