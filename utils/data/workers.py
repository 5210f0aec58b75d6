"""The threads that fetch batches ahead of the program that uses them; processes do the same in `processes`."""

from __future__ import annotations

import copy
import queue
import threading
import traceback
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from ...autograd.grad_mode import is_grad_enabled, set_grad_enabled
from ...autograd.random import set_own_stream
from ...backends.errors import WengertError

__all__ = ["WorkerInfo", "WorkerTimeoutError", "get_worker_info"]


class WorkerTimeoutError(WengertError, RuntimeError):
    """A worker of a `DataLoader` took longer than its ``timeout``."""


class WorkerInfo(NamedTuple):
    """What `get_worker_info` tells a worker.

    Attributes:
        id: which worker this is, from 0 on.
        num_workers: how many there are.
        seed: a number that differs between workers and between passes over the loader.
        dataset: the dataset that this worker reads: a copy of an `IterableDataset`, else the one all workers share.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


class _Local(threading.local):
    info: WorkerInfo | None = None


_local = _Local()


def get_worker_info() -> WorkerInfo | None:
    """The worker that is asking; None in the main program.

    Example:
        >>> from wengert.utils.data import get_worker_info
        >>> get_worker_info() is None
        True
    """
    return _local.info


class Failure(NamedTuple):
    """An exception in a worker, with its traceback as text."""

    error: BaseException
    text: str
    worker: int

    def reraise(self) -> None:
        """Raise an exception of the same type whose text tells where in the worker it came from."""
        kind = type(self.error)
        text = f"Caught {kind.__name__} in DataLoader worker {self.worker}.\nOriginal {self.text}"
        try:
            again: BaseException = kind(_Text(text) if isinstance(self.error, KeyError) else text)
        except Exception:  # its constructor wants something else
            again = RuntimeError(text)
        raise again from self.error


class _Text(str):
    """A text that a KeyError shows as it is, line by line."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class _End:
    """Stands for the end in place of a batch; also when it comes from another process."""

    def __reduce__(self) -> str:
        return "END"


END = _End()  # a worker's dataset has no more items


class Worker:
    """One thread with its queues. The thread knows the queues only, so that it keeps no loader alive."""

    def __init__(self, info: WorkerInfo, make_fetch: Callable[[Any], Any], init: Any, stop: threading.Event) -> None:
        self.tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.results: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.thread = threading.Thread(
            target=work,
            args=(info, make_fetch, init, stop.is_set, self.tasks.get, self.results.put),
            name=f"DataLoader worker {info.id}",
            daemon=True,
        )
        self.thread.start()

    def ask(self, task: Any) -> None:
        """Hand over a task."""
        self.tasks.put(task)

    def answer(self, timeout: float | None) -> Any:
        """The next result.

        Raises:
            TimeoutError: there is none after so many seconds.
        """
        try:
            return self.results.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError from None

    def join(self) -> None:
        """Wait for the end, but not for long: it may be in the middle of a long task."""
        if self.thread is not threading.current_thread():
            self.thread.join(timeout=1)


class Start(NamedTuple):
    """The task that begins a pass.

    Attributes:
        seed: what random numbers follow from in this pass.
    """

    seed: int


def work(info: WorkerInfo, make_fetch: Any, init: Any, stopped: Any, get: Any, put: Any) -> None:
    """The life of a worker: one result for each task, in order. A task of None ends it, a `Start` starts a pass.

    Args:
        info: what the worker is told of itself.
        make_fetch: makes, of the dataset and a seed, the function from a task to its result.
        init: called with the worker's number before its first pass.
        stopped: whether to end at once.
        get: waits for a task.
        put: takes a result.
    """
    fetch: Any = None
    broken: Failure | None = None
    while (task := get()) is not None and not stopped():
        grad, wanted = task
        try:
            with set_grad_enabled(grad):  # as in the program; what an item changes ends with the item
                if isinstance(wanted, Start):
                    info = info._replace(seed=wanted.seed + info.id)
                    begin_pass(info, init)
                    fetch = make_fetch(info.dataset, wanted.seed)
                    continue
                result = fetch(wanted) if broken is None else broken
        except BaseException as error:  # whatever it is, it belongs to the program that waits for the batch
            result = Failure(error, traceback.format_exc(), info.id)
            if isinstance(wanted, Start):
                broken = result
                continue
        put(result)
        del result, wanted, task  # the next task may be long in coming: keep nothing alive until then


def begin_pass(info: WorkerInfo, init: Any) -> None:
    """Tell the worker, in its own thread, what it is; the first time the user's function is called."""
    first = _local.info is None
    _local.info = info
    set_own_stream(info.seed)  # what is drawn between items, and by items of a stream, is the worker's own
    if first and init is not None:
        init(info.id)


def _end(workers: list[Any], stop: threading.Event) -> None:
    stop.set()
    for worker in workers:
        worker.ask(None)


class Pool:
    """Workers that take turns: batch ``i`` of a pass is made by worker ``i`` modulo their number.

    Args:
        make: makes a worker, such as the class `Worker`.
        dataset: what they read.
        count: how many.
        make_fetch: makes, of the dataset and a seed, the function from a task to its result.
        init: called with each worker's number in that worker's thread.
        own_copy: each worker gets a shallow copy of the dataset.
    """

    def __init__(
        self, make: Any, dataset: Any, count: int, make_fetch: Callable[..., Any], init: Any, own_copy: bool
    ) -> None:
        stop = threading.Event()
        self.workers: list[Any] = []
        self._end = weakref.finalize(self, _end, self.workers, stop)
        for i in range(count):
            info = WorkerInfo(i, count, 0, copy.copy(dataset) if own_copy else dataset)
            self.workers.append(make(info, make_fetch, init, stop))
        self.pending: deque[int] = deque()  # the workers of the tasks that were handed out, oldest first
        self._turn = 0
        self._done: set[int] = set()

    def start(self, seed: int) -> None:
        """Begin a pass; what was not collected of the pass before is dropped."""
        while self.pending:
            self.workers[self.pending.popleft()].answer(None)
        self._turn = 0
        self._done.clear()
        for worker in self.workers:
            worker.ask((is_grad_enabled(), Start(seed)))

    def hand_out(self, work: Any) -> bool:
        """Give the next worker in turn a task; False if all have come to their end."""
        for _ in self.workers:
            i, self._turn = self._turn, (self._turn + 1) % len(self.workers)
            if i not in self._done:
                self.workers[i].ask((is_grad_enabled(), work))
                self.pending.append(i)
                return True
        return False

    def collect(self, timeout: float) -> Any:
        """The result of the oldest task.

        Raises:
            RuntimeError: it took longer than ``timeout`` seconds, unless that is 0.
        """
        i = self.pending[0]
        try:
            result = self.workers[i].answer(timeout or None)
        except TimeoutError:
            raise WorkerTimeoutError(f"DataLoader timed out after {timeout} seconds, waiting for worker {i}") from None
        self.pending.popleft()
        if result is END:
            self._done.add(i)
        return result

    def close(self) -> None:
        """End the workers, and wait for those that are not in the middle of a long task."""
        self._end()
        for worker in self.workers:
            worker.join()
