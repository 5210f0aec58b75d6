"""Python's ``multiprocessing``, with PyTorch's additions: `spawn`, and names for how memory is shared.

Tensors go between processes by pickling, which copies their memory, but for those that ``share_memory_`` has moved:
given to a process as it starts, they stay one tensor for both.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing import *  # noqa: F403
from typing import Any

_strategy = ["file_descriptor"]


def get_all_sharing_strategies() -> set[str]:
    """The names that `set_sharing_strategy` takes."""
    return {"file_descriptor", "file_system"}


def get_sharing_strategy() -> str:
    """What `set_sharing_strategy` set; tensors are copied whatever it is."""
    return _strategy[0]


def set_sharing_strategy(new_strategy: str) -> None:
    """Remember a name; tensors are copied whatever it is.

    Raises:
        ValueError: it is unknown.
    """
    if new_strategy not in get_all_sharing_strategies():
        raise ValueError(f"unknown sharing strategy {new_strategy!r}; use one of {get_all_sharing_strategies()}")
    _strategy[0] = new_strategy


class ProcessRaisedException(Exception):
    """A process that `spawn` started ended with an error."""


class SpawnContext:
    """The processes of `spawn`.

    Attributes:
        processes: in the order of their numbers.
    """

    def __init__(self, processes: list[Any]) -> None:
        self.processes = processes

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the processes; whether all have ended.

        Raises:
            ProcessRaisedException: one of them ended with an error.
        """
        for i, process in enumerate(self.processes):
            process.join(timeout)
            if process.exitcode:
                raise ProcessRaisedException(f"process {i} terminated with exit code {process.exitcode}")
        return all(process.exitcode is not None for process in self.processes)

    def pids(self) -> list[int]:
        """The processes' numbers in the operating system."""
        return [int(process.pid) for process in self.processes]


def start_processes(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> SpawnContext | None:
    """Call ``fn(i, *args)`` in ``nprocs`` processes, with ``i`` from 0; with ``join``, wait for them.

    Raises:
        ProcessRaisedException: one of them ended with an error.
    """
    context = multiprocessing.get_context(start_method)
    processes = [context.Process(target=fn, args=(i, *args), daemon=daemon) for i in range(nprocs)]  # type: ignore[attr-defined]
    for process in processes:
        process.start()
    started = SpawnContext(processes)
    if not join:
        return started
    while not started.join():
        pass
    return None


def spawn(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> SpawnContext | None:
    """`start_processes` in new interpreters."""
    return start_processes(fn, args, nprocs, join, daemon, start_method)
