"""The memory of CUDA devices: CuPy's pool, what is in use of it at most, and what to say when it is not enough.

An allocation that fails is tried once more after everything unused was given back. What fails then is an error that a
program can catch and go on from, with a smaller batch: the pool is as it was.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from typing import Any

from ..errors import OutOfMemoryError

SHOWN = 5  # of the largest holders
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")

# What holds arrays, as (its name, the array); `wengert.cuda` knows of tensors and graphs.
holders: list[Callable[[], Iterable[tuple[str, Any]]]] = []


def install(cupy: Any) -> None:
    """Let CuPy allocate through here."""
    allocate = cupy.cuda.get_allocator()
    trouble = cupy.cuda.memory.OutOfMemoryError

    def malloc(size: int) -> Any:
        try:
            return allocate(size)
        except trouble:
            pass  # the traceback is let go of, since it may hold arrays
        gc.collect()
        cupy.get_default_memory_pool().free_all_blocks()
        try:
            return allocate(size)
        except trouble as error:
            text = str(error)
        raise OutOfMemoryError(out_of_memory(cupy, size, text))

    cupy.cuda.set_allocator(malloc)


def out_of_memory(cupy: Any, size: int, text: str) -> str:
    """The message: what was asked for, what is free, who holds most, and the ways out."""
    runtime, pool = cupy.cuda.runtime, cupy.get_default_memory_pool()
    number = runtime.getDevice()
    free, total = runtime.memGetInfo()
    used, taken = pool.used_bytes(), pool.total_bytes()
    lines = [
        f"CUDA out of memory. Tried to allocate {readable(size)}. GPU {number} has a total capacity of "
        f"{readable(total)} of which {readable(free)} is free. Of what this process has taken, {readable(used)} is in "
        f"use by arrays, and {readable(taken - used)} is reserved but unallocated."
    ]
    found = largest()
    if found:
        lines += ["The largest arrays:", *(f"  {readable(n)}  {name}" for n, name in found)]
    lines.append(
        "Ways out: a smaller batch; wengert.no_grad() where no gradients are needed; "
        "wengert.utils.checkpoint for long graphs; bfloat16 by wengert.autocast('cuda'). Names that hold a graph, such "
        f"as a list of losses, keep all of it: use loss.item(). (CuPy: {text})"
    )
    return "\n".join(lines)


def largest() -> list[tuple[int, str]]:
    """The largest blocks of memory that something holds, with who that is; a block counts once."""
    blocks: dict[int, tuple[int, list[str]]] = {}
    for source in holders:
        for name, array in source():
            base = array if getattr(array, "base", None) is None else array.base
            try:
                pointer = int(base.data.ptr)
            except (AttributeError, ValueError):  # in main memory; of some types that has no buffer
                continue
            _, names = blocks.setdefault(pointer, (int(base.nbytes), []))
            if name not in names:
                names.append(name)
    order = sorted(blocks.values(), key=lambda block: -block[0])[:SHOWN]
    return [(size, _joined(names)) for size, names in order]


def _joined(names: list[str]) -> str:
    return "; ".join(names[:2]) + (f"; and {len(names) - 2} more" if len(names) > 2 else "")


def readable(size: float) -> str:
    """A number of bytes as people read it: 1.50 GiB."""
    for unit in UNITS:
        if abs(size) < 1024 or unit == UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.2f} {unit}"
        size /= 1024
    return ""


class Peak:
    """Counts bytes in use, and the most they were, on each device; on from the first time that somebody asks.

    CuPy calls it at every allocation of this thread, which takes time; so it is not there before.
    """

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy
        self.now: dict[int, int] = {}
        self.most: dict[int, int] = {}
        self._hook: Any = None

    @property
    def on(self) -> bool:
        """Whether it counts."""
        return self._hook is not None

    def reset(self, device: int) -> None:
        """Count from here."""
        if self._hook is None:
            self._start()
        self.now[device] = self.most[device] = self.used(device)

    def used(self, device: int) -> int:
        """Bytes in use now."""
        with self._cupy.cuda.Device(device):
            return int(self._cupy.get_default_memory_pool().used_bytes())

    def _start(self) -> None:
        peak = self

        class Hook(self._cupy.cuda.MemoryHook):  # type: ignore[misc,name-defined]
            name = "wengert peak"

            def malloc_postprocess(self, **about: Any) -> None:
                device = about["device_id"]
                now = peak.now[device] = peak.now.get(device, 0) + about["mem_size"]
                if now > peak.most.get(device, 0):
                    peak.most[device] = now

            def free_postprocess(self, **about: Any) -> None:
                device = about["device_id"]
                peak.now[device] = peak.now.get(device, 0) - about["mem_size"]

        self._hook = Hook()
        self._hook.__enter__()
