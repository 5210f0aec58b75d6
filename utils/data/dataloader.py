"""``DataLoader``: batches of a dataset, in order, fetched ahead by threads if wanted."""

from __future__ import annotations

import functools
import itertools
import multiprocessing
import reprlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ...autograd.watch import begin_range, end_range, watching
from ...backends import device_count
from ...backends.errors import InvalidValueError
from .collate import default_collate, default_convert
from .dataset import Dataset, IterableDataset, batch_of, item_of, items_of, reading, stream_of
from .prefetch import placed
from .processes import maker_of
from .sampler import BatchSampler, RandomSampler, SequentialSampler, draw_seed
from .workers import END, Failure, Pool

if TYPE_CHECKING:
    from ...autograd.random import Generator

__all__ = ["DataLoader"]

FIXED = {"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"}


class DataLoader:
    """Batches of a dataset.

    Workers are threads unless told, since array libraries let go of Python's lock while they compute. They share the
    program's memory: a batch is never copied, and a map-style dataset is read by several threads at a time. Processes,
    for datasets that compute in Python, are had by ``multiprocessing_context``; their batches come through shared
    memory.

    The order of the batches is the same for any number of workers, and so is what a map-style dataset draws at random:
    numbers without a generator of their own, such as ``wengert.rand(())``, follow from the pass and the item's index
    while an item is fetched.

    Args:
        dataset: has ``__getitem__`` and a length, or is an `IterableDataset`.
        batch_size: items to a batch; None gives single items.
        shuffle: a new random order for each pass.
        sampler: gives the indices, instead of ``shuffle``.
        batch_sampler: gives lists of indices, instead of the four arguments before.
        num_workers: how many threads fetch batches ahead; with 0 they are fetched when asked for.
        collate_fn: makes a batch of a list of items; `default_collate` unless told.
        pin_memory: put batches into page-locked memory, from which a GPU copies by itself.
        drop_last: leave out a last batch that is shorter.
        timeout: seconds to wait for a batch of a worker; 0 waits for ever.
        worker_init_fn: called with the worker's number in each worker before its first item.
        multiprocessing_context: None or ``"thread"`` for threads; ``"fork"``, ``"spawn"``, ``"forkserver"``, or a
            context of the ``multiprocessing`` module, for processes.
        generator: where orders and the workers' seeds come from.
        prefetch_factor: how many batches each worker fetches ahead; 2 unless told.
        persistent_workers: keep the threads from one pass to the next.
        pin_memory_device: accepted as in PyTorch.
        in_order: accepted as in PyTorch; batches always come in order.

    Raises:
        ValueError: arguments that contradict one another.

    Example:
        >>> import wengert as wg
        >>> from wengert.utils.data import DataLoader, TensorDataset
        >>> for (batch,) in DataLoader(TensorDataset(wg.arange(5)), batch_size=2, num_workers=2):
        ...     print(batch)
        tensor([0, 1])
        tensor([2, 3])
        tensor([4])
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, multiprocessing_context, prefetch_factor, persistent_workers)
        self.dataset = dataset
        self._iterable = isinstance(dataset, IterableDataset)
        _check_order(self._iterable, batch_size, shuffle, sampler, batch_sampler, drop_last)
        if batch_sampler is not None:
            batch_size, drop_last = None, False
        if sampler is None:
            if self._iterable:
                sampler = itertools.repeat(None)
            else:
                sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)  # type: ignore[arg-type]
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.num_workers = num_workers
        self.collate_fn = collate_fn or (default_convert if batch_sampler is None else default_collate)
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.generator = generator
        self.prefetch_factor = 2 if prefetch_factor is None and num_workers else prefetch_factor
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        self._pool: Pool | None = None
        self._ready = True

    def __setattr__(self, name: str, value: Any) -> None:
        if name in FIXED and "_ready" in self.__dict__:
            raise InvalidValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    def __iter__(self) -> Iterator[Any]:
        return self.iter_from(0)

    def iter_from(self, batch: int) -> Iterator[Any]:
        """A pass without its first batches, which are not fetched where the dataset has an item for each index.

        Args:
            batch: how many batches are left out. Those that follow are the same as without it, what items draw at
                random included.
        """
        seed = draw_seed(self.generator)  # drawn with no workers too: so their number does not change the order
        tasks = iter(self.sampler if self.batch_sampler is None else self.batch_sampler)
        for _ in itertools.islice(tasks, 0 if self._iterable else batch):
            pass
        batches = self._batches(tasks, seed)
        for _ in itertools.islice(batches, batch if self._iterable else 0):
            pass
        return _Pinned(batches) if self.pin_memory and device_count("cuda") else batches

    def _batches(self, tasks: Iterator[Any], seed: Any) -> Iterator[Any]:
        if not self.num_workers:
            return _Here(tasks, self._make_fetch()(self.dataset, seed))
        pool = self._pool
        if pool is None:
            make = maker_of(self.multiprocessing_context)
            pool = Pool(make, self.dataset, self.num_workers, self._make_fetch(), self.worker_init_fn, self._iterable)
        if self.persistent_workers:
            self._pool = pool
        pool.start(seed)
        return _Ahead(tasks, pool, self.num_workers * (self.prefetch_factor or 1), self)

    def _make_fetch(self) -> Callable[[Any, int], Callable[[Any], Any]]:
        batched = self.batch_sampler is not None
        if self._iterable:
            return functools.partial(_Stream, batched=batched, collate=self.collate_fn, drop_last=self.drop_last)
        return functools.partial(_Lookup, batched=batched, collate=self.collate_fn)

    def __len__(self) -> int:
        if not self._iterable:
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]
        n = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return n
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


class _Pinned:
    """Batches in page-locked memory."""

    def __init__(self, batches: Iterator[Any]) -> None:
        self.batches = batches

    def __iter__(self) -> _Pinned:
        return self

    def __next__(self) -> Any:
        return placed(next(self.batches), lambda t: t.pin_memory() if t.device.type == "cpu" else t)

    def __len__(self) -> int:
        return len(self.batches)  # type: ignore[arg-type]


class _Lookup:
    """From indices to a batch of a map-style dataset."""

    def __init__(self, dataset: Any, seed: int, batched: bool, collate: Callable[[Any], Any]) -> None:
        self.dataset, self.seed, self.batched, self.collate = dataset, seed, batched, collate

    def __call__(self, indices: Any) -> Any:
        if not self.batched:
            with reading(self.seed):
                return self.collate(item_of(self.dataset, indices))
        if self.collate is default_collate:
            whole = batch_of(self.dataset, indices)
            if whole is not None:
                return whole
        with reading(self.seed), stream_of(("batch", *indices)):  # the latter for what `collate` draws
            items = items_of(self.dataset, indices)
            try:
                return self.collate(items)
            except Exception as error:
                error.add_note(f"This was the batch of items {reprlib.repr(list(indices))}.")
                raise


class _Stream:
    """The next batch of an iterable dataset; `END` when there is none."""

    def __init__(self, dataset: Any, seed: int, batched: bool, collate: Callable[[Any], Any], drop_last: bool) -> None:
        self.items, self.batched, self.collate, self.drop_last = iter(dataset), batched, collate, drop_last
        self.ended = False

    def __call__(self, indices: Any) -> Any:
        if self.ended:
            return END
        if not self.batched:
            item = next(self.items, END)
            self.ended = item is END
            return item if self.ended else self.collate(item)
        batch = list(itertools.islice(self.items, len(indices)))
        self.ended = len(batch) < len(indices)
        if not batch or (self.ended and self.drop_last):
            self.ended = True
            return END
        return self.collate(batch)


class _BaseDataLoaderIter:
    """One pass over the data."""

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        raise NotImplementedError


class _Here(_BaseDataLoaderIter):
    """One pass in the program's own thread."""

    def __init__(self, tasks: Iterator[Any], fetch: Callable[[Any], Any]) -> None:
        self.tasks, self.fetch = tasks, fetch

    def __next__(self) -> Any:
        seen = begin_range("enumerate(DataLoader)#_SingleProcessDataLoaderIter.__next__") if watching else None
        try:
            batch = self.fetch(next(self.tasks))
        finally:
            end_range(seen)
        if batch is END:
            raise StopIteration
        return batch


class _Ahead(_BaseDataLoaderIter):
    """One pass with workers: some batches are always under way."""

    def __init__(self, tasks: Iterator[Any], pool: Pool, ahead: int, loader: DataLoader) -> None:
        self.tasks, self.pool, self.timeout, self.keep = tasks, pool, loader.timeout, loader.persistent_workers
        for _ in range(ahead):
            self._more()

    def _more(self) -> None:
        for work in itertools.islice(self.tasks, 1):
            self.pool.hand_out(work)

    def __next__(self) -> Any:
        while self.pool.pending:
            seen = begin_range("enumerate(DataLoader)#_MultiProcessingDataLoaderIter.__next__") if watching else None
            try:
                batch = self.pool.collect(self.timeout)
            finally:
                end_range(seen)
            self._more()
            if isinstance(batch, Failure):
                batch.reraise()
            if batch is not END:
                return batch
        if not self.keep:
            self.pool.close()
        raise StopIteration


_SingleProcessDataLoaderIter, _MultiProcessingDataLoaderIter = _Here, _Ahead  # PyTorch's names


def _check_workers(num_workers: int, timeout: float, context: Any, prefetch: int | None, persistent: bool) -> None:
    if num_workers < 0:
        raise InvalidValueError("num_workers option should be non-negative; use num_workers=0 to use no workers.")
    if timeout < 0:
        raise InvalidValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch is not None:
        raise InvalidValueError(
            "prefetch_factor option could only be specified in multiprocessing.let num_workers > 0 to enable "
            "multiprocessing, otherwise set prefetch_factor to None."
        )
    if prefetch is not None and prefetch < 0:
        raise InvalidValueError("prefetch_factor option should be non-negative")
    if persistent and num_workers == 0:
        raise InvalidValueError("persistent_workers option needs num_workers > 0")
    if context is not None and num_workers == 0:
        raise InvalidValueError("multiprocessing_context can only be used with num_workers > 0, but got num_workers=0")
    if isinstance(context, str) and context not in ("thread", *multiprocessing.get_all_start_methods()):
        known = ", ".join(map(repr, ("thread", *multiprocessing.get_all_start_methods())))
        raise InvalidValueError(f"multiprocessing_context option should be one of {known}, but got {context!r}")
    if not isinstance(context, (str, type(None), multiprocessing.context.BaseContext)):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string specifying the start method, "
            f"but got multiprocessing_context={context}"
        )


def _check_order(iterable: bool, batch_size: Any, shuffle: Any, sampler: Any, batch_sampler: Any, drop: bool) -> None:
    if iterable:
        for name, value in (("shuffle", shuffle or None), ("sampler", sampler), ("batch_sampler", batch_sampler)):
            if value is not None:
                raise InvalidValueError(
                    f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
                )
    if sampler is not None and shuffle:
        raise InvalidValueError("sampler option is mutually exclusive with shuffle")
    if batch_sampler is not None:
        if batch_size != 1 or shuffle or sampler is not None or drop:
            raise InvalidValueError(
                "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
            )
    elif batch_size is None and drop:
        raise InvalidValueError(
            "batch_size=None option disables auto-batching and is mutually exclusive with drop_last"
        )
