"""Processes that fetch batches ahead of the program that uses them.

A batch comes as a pickle whose large arrays are beside it, in memory that both processes see. That memory has no name:
it is gone when nobody holds it, however the processes end.
"""

from __future__ import annotations

import contextlib
import functools
import mmap
import multiprocessing
import os
import pickle
import random
import tempfile
from collections.abc import Callable
from multiprocessing import connection, reduction
from typing import TYPE_CHECKING, Any

import numpy as np

from ...autograd.random import manual_seed
from ...backends.cpu.threads import set_num_threads
from ...backends.errors import WengertError
from .workers import Failure, Start, Worker, WorkerInfo, get_worker_info, work

if TYPE_CHECKING:
    import threading

__all__ = ["WorkerProcess", "maker_of"]

LARGE = 1 << 16  # bytes from which on arrays go beside the pickle


class DeadWorkerError(WengertError, RuntimeError):
    """A worker process has ended on its own, or was killed."""


def maker_of(context: Any) -> Callable[..., Any]:
    """What makes workers: threads, or processes of a ``multiprocessing`` context."""
    if context in (None, "thread"):
        return Worker
    if isinstance(context, str):
        context = multiprocessing.get_context(context)
    return functools.partial(WorkerProcess, context)


class WorkerProcess:
    """A worker in a process of its own; see `Worker` for its methods."""

    def __init__(self, context: Any, info: WorkerInfo, make_fetch: Any, init: Any, stop: threading.Event) -> None:
        self.id = info.id
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=_live, args=(theirs, info, make_fetch, init), name=f"DataLoader worker {info.id}", daemon=True
        )
        self.process.start()
        theirs.close()  # so that the end of the process ends the pipe

    def ask(self, task: Any) -> None:
        """Hand over a task."""
        with contextlib.suppress(OSError):  # it has ended; who waits for its answer is told
            self.pipe.send(task)

    def answer(self, timeout: float | None) -> Any:
        """The next result.

        Raises:
            TimeoutError: there is none after so many seconds. RuntimeError: the process has ended.
        """
        ready = connection.wait([self.pipe, self.process.sentinel], timeout)
        if not ready:
            raise TimeoutError
        try:
            return received(self.pipe)
        except (EOFError, OSError):
            raise DeadWorkerError(self._end()) from None

    def _end(self) -> str:
        self.process.join(timeout=5)
        pid, code = self.process.pid, self.process.exitcode
        if code is not None and code < 0:
            return (
                f"DataLoader worker (pid {pid}) is killed by signal {-code}; if memory ran out, use fewer workers or "
                "smaller batches"
            )
        return f"DataLoader worker (pid(s) {pid}) exited unexpectedly with exit code {code}"

    def join(self) -> None:
        """Wait for the end, but not for long."""
        self.process.join(timeout=1)
        if self.process.is_alive():
            self.process.terminate()
            self.process.join(timeout=1)
        self.pipe.close()


def _live(pipe: Any, info: WorkerInfo, make_fetch: Any, init: Any) -> None:
    """The life of a worker process."""
    set_num_threads(1)  # the program has the cores
    parent: Any = multiprocessing.parent_process()

    def get() -> Any:
        ready = connection.wait([pipe, parent.sentinel])
        if pipe not in ready:
            return None
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return None
        if task is not None and isinstance(task[1], Start):
            seed = task[1].seed + info.id
            random.seed(seed)
            np.random.seed(seed % 2**32)  # noqa: NPY002  (for datasets that use NumPy's own stream)
            manual_seed(seed)
        return task

    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        work(info, make_fetch, init, lambda: False, get, functools.partial(send, pipe))


def send(pipe: Any, result: Any) -> None:
    """Write a result into a pipe, and its large arrays into memory that goes with it."""
    buffers: list[pickle.PickleBuffer] = []

    def beside(buffer: pickle.PickleBuffer) -> bool:
        large = buffer.raw().nbytes >= LARGE
        if large:
            buffers.append(buffer)
        return not large

    try:
        content = pickle.dumps(result, 5, buffer_callback=beside)
    except Exception as error:
        buffers.clear()
        content = pickle.dumps(_portable(result, error))
    sizes = [buffer.raw().nbytes for buffer in buffers]
    pipe.send((content, sizes))
    if sizes:
        handle = _memory()
        try:
            for buffer in buffers:
                _write(handle, buffer.raw())
            reduction.send_handle(pipe, handle, None)
        finally:
            os.close(handle)


def _portable(result: Any, error: Exception) -> Failure:
    """A failure that can be sent in place of what cannot."""
    if isinstance(result, Failure):  # an exception that holds what no other process can have
        return Failure(RuntimeError(f"{type(result.error).__name__}: {result.error}"), result.text, result.worker)
    text = f"a {type(result).__name__} cannot be sent from a worker process: {error}"
    info = get_worker_info()
    return Failure(TypeError(text), f"TypeError: {text}", -1 if info is None else info.id)


def _memory() -> int:
    """A file without a name, in memory where the system has such."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("wengert-batch")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _write(handle: int, content: memoryview) -> None:
    while content.nbytes:
        content = content[os.write(handle, content) :]


def received(pipe: Any) -> Any:
    """What `send` wrote. Arrays lie where the other process has put them."""
    content, sizes = pipe.recv()
    if not sizes:
        return pickle.loads(content)
    handle = reduction.recv_handle(pipe)
    try:
        memory = memoryview(mmap.mmap(handle, sum(sizes)))
    finally:
        os.close(handle)
    buffers, start = [], 0
    for size in sizes:
        buffers.append(memory[start : start + size])
        start += size
    return pickle.loads(content, buffers=buffers)
