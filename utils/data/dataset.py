"""Datasets: what can be asked for an item by its number, and what can only be walked through."""

from __future__ import annotations

import bisect
import contextlib
import itertools
import math
import operator
import threading
import warnings
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from ...autograd.base import TensorBase
from ...autograd.ops import randperm, tensor
from ...autograd.random import Generator, default_generator, mixed, own_stream
from ...backends.errors import InvalidValueError

__all__ = [
    "ChainDataset",
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "StackDataset",
    "Subset",
    "TensorDataset",
    "random_split",
]

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Base of datasets that give an item for an index; a subclass writes ``__getitem__`` and usually ``__len__``.

    With a ``__getitems__(indices)`` as well, a `DataLoader` asks for the items of a batch in one call.
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[Any]) -> Dataset[Any]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co]):
    """Base of datasets that give their items one after the other; a subclass writes ``__iter__``.

    Each worker of a `DataLoader` walks a shallow copy of its own. Without more, every worker gives every item: an
    ``__iter__`` that is to share them out asks `get_worker_info`.
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError("Subclasses of IterableDataset should implement __iter__.")

    def __add__(self, other: Dataset[Any]) -> Dataset[Any]:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Any, ...]]):
    """Tensors side by side: item ``i`` is the tuple of their rows ``i``.

    Args:
        tensors: each of shape (items, ...).

    Raises:
        AssertionError: their first dimensions differ.

    Example:
        >>> import wengert as wg
        >>> from wengert.utils.data import TensorDataset
        >>> TensorDataset(wg.tensor([1.0, 2.0]), wg.tensor([0, 1]))[1]
        (tensor(2.), tensor(1))
    """

    tensors: tuple[Any, ...]

    def __init__(self, *tensors: Any) -> None:
        sizes = [t.shape[0] for t in tensors]
        if any(n != sizes[0] for n in sizes):
            raise AssertionError(f"Size mismatch between tensors: their first dimensions are {sizes}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        return tuple([t[index] for t in self.tensors])

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])


class StackDataset(Dataset[Any]):
    """Datasets side by side: item ``i`` is the tuple of their items ``i``, or a dictionary when they are named.

    Raises:
        ValueError: there is none, some are named and some are not, or their lengths differ.
    """

    datasets: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise InvalidValueError(
                "Supported either ``tuple``- (via ``args``) or ``dict``- (via ``kwargs``) like input/output, but both "
                "types are given."
            )
        if not args and not kwargs:
            raise InvalidValueError("At least one dataset should be passed")
        self.datasets = args or kwargs
        lengths = [len(d) for d in self._all()]
        if any(n != lengths[0] for n in lengths):
            raise InvalidValueError(f"Size mismatch between datasets: their lengths are {lengths}")

    def _all(self) -> Iterable[Any]:
        return self.datasets.values() if isinstance(self.datasets, dict) else self.datasets

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: d[index] for name, d in self.datasets.items()}
        return tuple([d[index] for d in self.datasets])

    def __getitems__(self, indices: Sequence[Any]) -> list[Any]:
        columns = []
        for d in self._all():
            column = items_of(d, indices)
            if len(column) != len(indices):
                raise InvalidValueError(
                    f"Nested dataset's output size mismatch. Expected {len(indices)}, got {len(column)}"
                )
            columns.append(column)
        rows = zip(*columns, strict=True)
        if isinstance(self.datasets, dict):
            return [dict(zip(self.datasets, row, strict=True)) for row in rows]
        return list(rows)

    def __len__(self) -> int:
        return len(next(iter(self._all())))


class ConcatDataset(Dataset[T_co]):
    """Datasets one after the other.

    Raises:
        AssertionError: there is none, or one is an `IterableDataset`.
    """

    datasets: list[Any]
    cumulative_sizes: list[int]

    @staticmethod
    def cumsum(sequence: Iterable[Any]) -> list[int]:
        """The number of items up to the end of each dataset."""
        return list(itertools.accumulate(len(d) for d in sequence))

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(d, IterableDataset) for d in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset; use ChainDataset")
        self.cumulative_sizes = self.cumsum(self.datasets)

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, idx: int) -> T_co:
        if idx < 0:
            if -idx > len(self):
                raise InvalidValueError(
                    f"absolute value of index should not exceed dataset length: {idx} for {len(self)} items"
                )
            idx += len(self)
        which = bisect.bisect_right(self.cumulative_sizes, idx)
        if which == len(self.datasets):
            raise IndexError(f"index {idx} is out of range for {len(self)} items")
        before = self.cumulative_sizes[which - 1] if which else 0
        return self.datasets[which][idx - before]  # type: ignore[no-any-return]


class ChainDataset(IterableDataset[Any]):
    """Iterable datasets one after the other."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[Any]:
        for d in self._checked():
            yield from d

    def __len__(self) -> int:
        return sum(len(d) for d in self._checked())

    def _checked(self) -> Iterator[Any]:
        for d in self.datasets:
            if not isinstance(d, IterableDataset):
                raise AssertionError(f"ChainDataset only supports IterableDataset, not {type(d).__name__}")
            yield d


class Subset(Dataset[T_co]):
    """The items of a dataset at ``indices``, in that order."""

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[Any]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, list):
            return self.dataset[[self.indices[i] for i in idx]]
        return self.dataset[self.indices[idx]]

    def __getitems__(self, indices: Sequence[Any]) -> list[Any]:
        return items_of(self.dataset, [self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


class _Reading(threading.local):
    """What a thread that fetches batches is doing."""

    seed: int | None = None  # what random numbers follow from in this pass


_reading = _Reading()


@contextlib.contextmanager
def reading(seed: int) -> Iterator[None]:
    """In this thread, what a dataset draws at random follows from ``seed`` and the index of the item alone.

    So it is the same for any number of workers, and for any way to share the work among them.
    """
    before, _reading.seed = _reading.seed, seed
    try:
        yield
    finally:
        _reading.seed = before


def items_of(dataset: Any, indices: Sequence[Any]) -> list[Any]:
    """The items at ``indices``, in one call where the dataset has one for it."""
    many = getattr(dataset, "__getitems__", None)
    if many is None:
        return [item_of(dataset, i) for i in indices]
    with stream_of(indices[0] if indices else 0):
        return many(indices)  # type: ignore[no-any-return]


def item_of(dataset: Any, index: Any) -> Any:
    """The item at ``index``."""
    with stream_of(index):
        try:
            return dataset[index]
        except Exception as error:
            if _reading.seed is not None:
                error.add_note(f"This was item {index!r} of the {type(dataset).__name__}.")
            raise


def stream_of(index: Any) -> contextlib.AbstractContextManager[None]:
    """A block in which the numbers for one item are drawn."""
    if _reading.seed is None:
        return contextlib.nullcontext()
    return own_stream(mixed(_reading.seed, index if isinstance(index, int) else zlib.crc32(repr(index).encode())))


def batch_of(dataset: Any, indices: Sequence[Any]) -> list[Any] | None:
    """What `default_collate` would make of the items of a `TensorDataset`, by one indexing; None for other datasets.

    A subset of one counts as one. A class that changes how items are looked up does not.
    """
    kind = type(dataset)
    if kind is Subset:
        return batch_of(dataset.dataset, [dataset.indices[i] for i in indices])
    if not isinstance(dataset, TensorDataset) or kind.__getitem__ is not TensorDataset.__getitem__:
        return None
    if hasattr(dataset, "__getitems__") or not all(isinstance(t, TensorBase) for t in dataset.tensors):
        return None
    try:
        rows = [operator.index(i) for i in indices]
    except TypeError:
        return None
    return [t[tensor(rows, device=t.device)] for t in dataset.tensors]


def random_split(
    dataset: Dataset[T_co], lengths: Sequence[int | float], generator: Generator | None = None
) -> list[Subset[T_co]]:
    """Share the items out at random into subsets of the given lengths.

    Args:
        dataset: has a length.
        lengths: numbers of items, or fractions whose sum is 1; items that rounding leaves over go to the first
            subsets, one each.
        generator: where the permutation comes from.

    Raises:
        ValueError: a fraction is not within [0, 1], or the lengths do not sum to that of the dataset.

    Example:
        >>> from wengert.utils.data import random_split
        >>> [len(part) for part in random_split(range(10), [0.75, 0.25])]
        [8, 2]
    """
    total = len(dataset)  # type: ignore[arg-type]
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        lengths = _from_fractions(total, lengths)
    if sum(lengths) != total:
        raise InvalidValueError(
            "Sum of input lengths does not equal the length of the input dataset! "
            f"The lengths {list(lengths)} sum to {sum(lengths)}, the dataset has {total} items"
        )
    order = randperm(total, generator=default_generator if generator is None else generator, device="cpu").tolist()
    ends = list(itertools.accumulate(int(n) for n in lengths))
    return [Subset(dataset, order[end - int(n) : end]) for end, n in zip(ends, lengths, strict=True)]


def _from_fractions(total: int, fractions: Sequence[float]) -> list[int]:
    for i, fraction in enumerate(fractions):
        if not 0 <= fraction <= 1:
            raise InvalidValueError(f"Fraction at index {i} is not between 0 and 1: {fraction}")
    lengths = [math.floor(total * fraction) for fraction in fractions]
    for i in range(total - sum(lengths)):
        lengths[i % len(lengths)] += 1
    for i, n in enumerate(lengths):
        if n == 0:
            warnings.warn(f"Length of split at index {i} is 0. This might result in an empty dataset.", stacklevel=3)
    return lengths
