"""Samplers: in which order a `DataLoader` asks for the items."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

from ...autograd.ops import as_tensor, multinomial, randint, randperm
from ...autograd.random import Generator
from ...backends import dtypes
from ...backends.errors import InvalidValueError

__all__ = [
    "BatchSampler",
    "DistributedSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """Base of samplers; a subclass writes ``__iter__``, and ``__len__`` where the length is known."""

    def __init__(self, data_source: Sized | None = None) -> None:
        super().__init__()

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError("Subclasses of Sampler should implement __iter__.")


class SequentialSampler(Sampler[int]):
    """The indices of ``data_source`` in order."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """The indices of ``data_source`` in random order.

    Args:
        data_source: what has the length.
        replacement: draw each index independently, so that some may come twice.
        num_samples: how many; the length of ``data_source`` unless told.
        generator: where the numbers come from. Without one, each pass draws a seed from the default generator.

    Raises:
        TypeError: ``replacement`` is no bool. ValueError: ``num_samples`` is no positive integer.
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        _check_count("num_samples", self.num_samples)

    @property
    def num_samples(self) -> int:
        """How many indices one pass gives."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n, wanted = len(self.data_source), self.num_samples
        generator = Generator().manual_seed(draw_seed()) if self.generator is None else self.generator
        if self.replacement:
            yield from randint(0, n, (wanted,), generator=generator, device="cpu").tolist()
            return
        while wanted > 0:
            yield from itertools.islice(randperm(n, generator=generator, device="cpu").tolist(), wanted)
            wanted -= n

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices in random order."""

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in randperm(len(self.indices), generator=self.generator, device="cpu").tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn with the probabilities that ``weights`` give.

    Args:
        weights: one number for each item; they need not sum to 1.
        num_samples: how many to draw.
        replacement: whether one index may come again.
        generator: where the numbers come from.

    Raises:
        ValueError: ``num_samples`` is no positive integer, ``replacement`` no bool, or ``weights`` not 1-d.

    Example:
        >>> from wengert.utils.data import WeightedRandomSampler
        >>> list(WeightedRandomSampler([0.0, 1.0, 0.0], 4))
        [1, 1, 1, 1]
    """

    def __init__(
        self, weights: Sequence[float], num_samples: int, replacement: bool = True, generator: Generator | None = None
    ) -> None:
        _check_count("num_samples", num_samples)
        if not isinstance(replacement, bool):
            raise InvalidValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.weights = as_tensor(weights, dtype=dtypes.float64)
        if len(self.weights.shape) != 1:
            raise InvalidValueError(
                f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """The indices of another sampler in lists of ``batch_size``.

    Args:
        sampler: anything that gives indices.
        batch_size: how many to a list.
        drop_last: leave out a last list that is shorter.

    Raises:
        ValueError: ``batch_size`` is no positive integer, or ``drop_last`` no bool.

    Example:
        >>> from wengert.utils.data import BatchSampler
        >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
        [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool) -> None:
        _check_count("batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise InvalidValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


class DistributedSampler(Sampler[int]):
    """The share of one of several processes that train together: every ``num_replicas``-th index, from ``rank`` on.

    Call ``set_epoch`` before each pass, or every pass has the same order.

    Args:
        dataset: what has the length.
        num_replicas: how many processes there are.
        rank: which of them this is.
        shuffle: permute the indices, alike in all processes.
        seed: of the permutation; the same in all processes.
        drop_last: leave items out so that all shares are equally long, instead of giving some twice.

    Raises:
        ValueError: ``num_replicas`` or ``rank`` is missing, or ``rank`` is not below ``num_replicas``.

    Example:
        >>> from wengert.utils.data import DistributedSampler
        >>> list(DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False))
        [1, 3, 0]
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            raise InvalidValueError(
                "Default process group has not been initialized: DistributedSampler needs num_replicas and rank"
            )
        if not 0 <= rank < num_replicas:
            raise InvalidValueError(
                f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}] (num_replicas is "
                f"{num_replicas})"
            )
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.shuffle = shuffle
        self.seed = seed
        self.drop_last = drop_last
        n = len(dataset)
        self.num_samples = n // num_replicas if drop_last else math.ceil(n / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        n = len(self.dataset)
        indices = list(range(n))
        if self.shuffle:
            generator = Generator().manual_seed(self.seed + self.epoch)
            indices = randperm(n, generator=generator, device="cpu").tolist()
        if n:  # the shares are made equally long from the start of the order
            indices = list(itertools.islice(itertools.cycle(indices), self.total_size))
        return iter(indices[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Give the next pass the order of this epoch."""
        self.epoch = epoch


def draw_seed(generator: Generator | None = None) -> int:
    """A seed for another generator."""
    return int(randint(0, 2**63 - 1, (), generator=generator, device="cpu").item())


def _check_count(name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise InvalidValueError(f"{name} should be a positive integer value, but got {name}={value}")
