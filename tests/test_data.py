"""Datasets, samplers and the loader: the same batches for any number of workers, and no thread is left behind."""

from __future__ import annotations

import gc
import multiprocessing
import os
import random
import threading
import time
import types
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.utils import data

Point = namedtuple("Point", ["x", "y"])
WORKERS = [0, 1, 3]


class Squares(data.Dataset):
    def __init__(self, n: int = 10) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> tuple[wg.Tensor, int]:
        return wg.tensor(float(i) ** 2), i


class Failing(Squares):
    def __getitem__(self, i: int) -> Any:
        if i == 5:
            raise KeyError("item five is bad")
        return i


class Stream(data.IterableDataset):
    """Counts up; workers share the numbers out."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Iterator[int]:
        info = data.get_worker_info()
        return iter(range(self.n)) if info is None else iter(range(info.id, self.n, info.num_workers))


def loader_threads() -> int:
    return sum(t.name.startswith("DataLoader worker") for t in threading.enumerate())


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    yield
    gc.collect()
    end = time.monotonic() + 5
    while loader_threads() and time.monotonic() < end:
        time.sleep(0.01)
    assert not loader_threads()


def plain(value: Any) -> Any:
    """Tensors as lists with their dtype, containers with their type."""
    if hasattr(value, "tolist"):
        return str(value.dtype).split(".")[-1], value.tolist()
    if isinstance(value, dict):
        return type(value), {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value), [plain(v) for v in value]
    return value


# ---------------------------------------------------------------------- datasets


def test_tensor_dataset_and_subset():
    d = data.TensorDataset(wg.arange(6), wg.arange(12).reshape(6, 2))
    assert len(d) == 6
    assert d[2][1].tolist() == [4, 5]
    part = data.Subset(d, [5, 0])
    assert [int(x[0]) for x in part] == [5, 0]
    with pytest.raises(AssertionError, match="Size mismatch"):
        data.TensorDataset(wg.ones(2), wg.ones(3))


def test_concat_and_stack():
    both = Squares(3) + Squares(4)
    assert len(both) == 7
    assert [both[i][1] for i in range(-7, 7)] == [0, 1, 2, 0, 1, 2, 3] * 2
    with pytest.raises(ValueError, match="absolute value"):
        both[-8]
    with pytest.raises(IndexError):
        both[7]
    with pytest.raises(AssertionError, match="empty"):
        data.ConcatDataset([])
    named = data.StackDataset(a=range(3), b="xyz")
    assert named[1] == {"a": 1, "b": "y"}
    assert named.__getitems__([2, 0]) == [{"a": 2, "b": "z"}, {"a": 0, "b": "x"}]
    for bad in (lambda: data.StackDataset(), lambda: data.StackDataset(range(2), range(3))):
        with pytest.raises(ValueError, match=r"At least one|Size mismatch"):
            bad()


def test_chain():
    chain = Stream(2) + Stream(3)
    assert list(chain) == [0, 1, 0, 1, 2]
    with pytest.raises(AssertionError, match="IterableDataset"):
        list(data.ChainDataset([range(2)]))


def test_random_split():
    parts = data.random_split(range(10), [7, 3], generator=wg.Generator().manual_seed(1))
    again = data.random_split(range(10), [7, 3], generator=wg.Generator().manual_seed(1))
    assert [list(p) for p in parts] == [list(p) for p in again]
    assert sorted([*parts[0], *parts[1]]) == list(range(10))
    assert [len(p) for p in data.random_split(range(11), [0.5, 0.25, 0.25])] == [6, 3, 2]
    with pytest.raises(ValueError, match="Sum of input lengths"):
        data.random_split(range(3), [1, 1])
    with pytest.warns(UserWarning, match="index 1 is 0"):
        data.random_split(range(1), [0.5, 0.5])


# ---------------------------------------------------------------------- samplers


def test_random_sampler():
    assert sorted(data.RandomSampler(range(9))) == list(range(9))
    twice = list(data.RandomSampler(range(4), num_samples=10))
    assert [sorted(twice[:4]), sorted(twice[4:8]), len(twice)] == [[0, 1, 2, 3], [0, 1, 2, 3], 10]
    drawn = list(data.RandomSampler(range(3), replacement=True, num_samples=50))
    assert set(drawn) == {0, 1, 2}
    assert len(drawn) == 50
    g = wg.Generator()
    assert list(data.RandomSampler(range(9), generator=g.manual_seed(3))) == list(
        data.RandomSampler(range(9), generator=g.manual_seed(3))
    )


def test_other_samplers():
    assert sorted(data.SubsetRandomSampler([4, 2, 9])) == [2, 4, 9]
    assert set(data.WeightedRandomSampler([0, 1, 3], 40)) == {1, 2}
    assert sorted(data.WeightedRandomSampler([1, 1, 3], 3, replacement=False)) == [0, 1, 2]
    assert list(data.BatchSampler(range(5), 2, True)) == [[0, 1], [2, 3]]


def test_distributed_sampler_covers_everything():
    shares = [data.DistributedSampler(range(10), 3, rank) for rank in range(3)]
    assert sorted(set().union(*shares)) == list(range(10))
    assert [len(list(s)) for s in shares] == [4, 4, 4]
    before = list(shares[0])
    shares[0].set_epoch(1)
    assert list(shares[0]) != before


SAMPLERS: list[Callable[[Any], Any]] = [
    lambda d: d.SequentialSampler(range(5)),
    lambda d: d.RandomSampler(range(5), replacement=True, num_samples=12),
    lambda d: d.SubsetRandomSampler([1, 2]),
    lambda d: d.WeightedRandomSampler([0.5, 0.5], 7),
    lambda d: d.BatchSampler(range(7), 3, False),
    lambda d: d.BatchSampler(range(7), 3, True),
    lambda d: d.DistributedSampler(range(11), 4, 1),
    lambda d: d.DistributedSampler(range(11), 4, 1, drop_last=True),
    lambda d: d.DataLoader(range(11), batch_size=4),
    lambda d: d.DataLoader(range(11), batch_size=4, drop_last=True),
    lambda d: d.DataLoader(range(11), batch_size=None),
]


@pytest.mark.parity
@pytest.mark.parametrize("make", SAMPLERS)
def test_lengths_as_in_torch(make: Callable[[Any], Any]):
    torch = pytest.importorskip("torch")
    ours, theirs = make(data), make(torch.utils.data)
    assert len(ours) == len(theirs) == len(list(ours))


@pytest.mark.parity
@pytest.mark.parametrize("size", [0, 1, 3, 10])
def test_unshuffled_distributed_order_as_in_torch(size: int):
    torch = pytest.importorskip("torch")
    for rank in range(4):
        args = (range(size), 4, rank, False)
        assert list(data.DistributedSampler(*args)) == list(torch.utils.data.DistributedSampler(*args))


def stream_of(library: Any) -> Any:
    return types.new_class("Numbers", (library.IterableDataset,), {}, lambda body: body.update(__iter__=iter))()


WRONG: list[Callable[[Any], Any]] = [
    lambda d: d.RandomSampler([]),
    lambda d: d.RandomSampler([1], replacement=1),
    lambda d: d.RandomSampler([1], num_samples=0),
    lambda d: d.WeightedRandomSampler([1.0], 0),
    lambda d: d.WeightedRandomSampler([[1.0]], 1),
    lambda d: d.WeightedRandomSampler([1.0], 1, replacement=0),
    lambda d: d.BatchSampler(range(3), 0, False),
    lambda d: d.BatchSampler(range(3), 1, 1),
    lambda d: d.DistributedSampler(range(3)),
    lambda d: d.DistributedSampler(range(3), 2, 2),
    lambda d: d.DataLoader([1], batch_size=0),
    lambda d: d.DataLoader([1], num_workers=-1),
    lambda d: d.DataLoader([1], timeout=-1),
    lambda d: d.DataLoader([1], prefetch_factor=2),
    lambda d: d.DataLoader([1], num_workers=1, prefetch_factor=-2),
    lambda d: d.DataLoader([1], persistent_workers=True),
    lambda d: d.DataLoader([1], multiprocessing_context="fork"),
    lambda d: d.DataLoader([1], batch_size=None, drop_last=True),
    lambda d: d.DataLoader([1], shuffle=True, sampler=[0]),
    lambda d: d.DataLoader([1], batch_sampler=[[0]], batch_size=2),
    lambda d: d.DataLoader(stream_of(d), shuffle=True),
    lambda d: d.DataLoader(stream_of(d), sampler=[0]),
    lambda d: d.DataLoader(stream_of(d), batch_sampler=[[0]]),
    lambda d: setattr(d.DataLoader([1]), "batch_size", 3),
    lambda d: len(d.DataLoader(stream_of(d))),
    lambda d: d.default_collate([[1], [1, 2]]),
    lambda d: d.default_collate([object()]),
    lambda d: d.default_collate([np.array(["a"])]),
    lambda d: d.random_split(range(3), [2, 2]),
]


@pytest.mark.parity
@pytest.mark.parametrize("call", WRONG)
def test_errors_are_of_torchs_types(call: Callable[[Any], Any]):
    torch = pytest.importorskip("torch")
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        call(torch.utils.data)
    with pytest.raises(theirs.type):
        call(data)


# ---------------------------------------------------------------------- collating

BATCHES: list[Callable[[Any], list[Any]]] = [
    lambda T: [1, 2],
    lambda T: [1.5, 2.0],
    lambda T: [True, False],
    lambda T: ["a", "b"],
    lambda T: [b"a", b"b"],
    lambda T: [T.tensor([1.0]), T.tensor([2.0])],
    lambda T: [np.ones(2, dtype=np.float32), np.zeros(2, dtype=np.float32)],
    lambda T: [np.float32(1), np.float32(2)],
    lambda T: [np.int16(1), np.int16(2)],
    lambda T: [np.array(1.0), np.array(2.0)],
    lambda T: [(1, "a"), (2, "b")],
    lambda T: [[1, 2.0], [3, 4.0]],
    lambda T: [{"a": 1, "b": [T.tensor(1), "x"]}, {"a": 2, "b": [T.tensor(2), "y"]}],
    lambda T: [OrderedDict(a=1), OrderedDict(a=2)],
    lambda T: [Point(1, (2.0,)), Point(3, (4.0,))],
]


@pytest.mark.parity
@pytest.mark.parametrize("make", BATCHES)
@pytest.mark.parametrize("name", ["default_collate", "default_convert"])
def test_collate_as_in_torch(name: str, make: Callable[[Any], list[Any]]):
    torch = pytest.importorskip("torch")
    assert plain(getattr(data, name)(make(wg))) == plain(getattr(torch.utils.data, name)(make(torch)))


# ---------------------------------------------------------------------- the loader


@pytest.mark.parametrize("num_workers", WORKERS)
def test_batches_in_order(num_workers: int):
    loader = data.DataLoader(Squares(10), batch_size=4, num_workers=num_workers)
    batches = [(x.tolist(), i.tolist()) for x, i in loader]
    assert len(loader) == len(batches) == 3
    assert batches[2] == ([64.0, 81.0], [8, 9])
    assert [n for _, i in batches for n in i] == list(range(10))


def test_order_does_not_depend_on_workers():
    orders = []
    for num_workers in WORKERS:
        wg.manual_seed(7)
        loader = data.DataLoader(Squares(20), batch_size=3, shuffle=True, num_workers=num_workers)
        orders.append([[i.tolist() for _, i in loader] for _ in range(2)])
    assert orders[0] == orders[1] == orders[2]
    assert orders[0][0] != orders[0][1]


def test_tensor_dataset_is_indexed_once_a_batch():
    x = wg.randn(10, 3, requires_grad=True)
    d = data.TensorDataset(x, wg.arange(10))
    fast = list(data.DataLoader(data.Subset(d, [9, 1, 4, -1]), batch_size=3))
    slow = list(
        data.DataLoader(data.Subset(d, [9, 1, 4, -1]), batch_size=3, collate_fn=lambda b: data.default_collate(b))
    )
    assert [type(b) for b in fast] == [list, list]
    assert plain(fast) == plain(slow)
    fast[0][0].sum().backward()
    assert x.grad.sum(1).tolist() == [0, 3, 0, 0, 3, 0, 0, 0, 0, 3]


def test_overridden_lookup_is_used():
    class Doubled(data.TensorDataset):
        def __getitem__(self, index: int) -> Any:
            return super().__getitem__(index)[0] * 2

    (batch,) = data.DataLoader(Doubled(wg.arange(3)), batch_size=3)
    assert batch.tolist() == [0, 2, 4]


@pytest.mark.parametrize("num_workers", WORKERS)
def test_exception_is_raised_here_with_the_workers_traceback(num_workers: int):
    loader = data.DataLoader(Failing(10), batch_size=2, num_workers=num_workers)
    seen = []
    with pytest.raises(KeyError) as caught:
        seen.extend(batch.tolist() for batch in loader)
    assert seen == [[0, 1], [2, 3]]
    assert "item five is bad" in str(caught.value)
    if num_workers:
        assert "Original Traceback" in str(caught.value)
        assert "in __getitem__" in str(caught.value)


def test_failing_init_and_collate():
    def fail(_: Any) -> None:
        raise OSError("no such disk")

    with pytest.raises(OSError, match="no such disk"):
        next(iter(data.DataLoader(Squares(), num_workers=2, worker_init_fn=fail)))
    with pytest.raises(OSError, match="no such disk"):
        next(iter(data.DataLoader(Squares(), num_workers=2, collate_fn=fail)))


def test_leaving_early_and_collection_end_the_threads():
    for _ in data.DataLoader(Squares(100), num_workers=3):
        break
    iterator = iter(data.DataLoader(Squares(100), num_workers=3))
    next(iterator)
    del iterator  # the fixture waits for the threads


def test_persistent_workers_stay():
    loader = data.DataLoader(Squares(6), num_workers=2, persistent_workers=True)
    names = set()
    for _ in range(3):
        assert [int(i) for _, i in loader] == list(range(6))
        names.add(tuple(id(t) for t in threading.enumerate()))
    next(iter(loader))
    assert [int(i) for _, i in loader] == list(range(6))
    assert len(names) == 1


@pytest.mark.parametrize("num_workers", WORKERS)
@pytest.mark.parametrize("drop_last", [False, True])
def test_iterable(num_workers: int, drop_last: bool):
    loader = data.DataLoader(Stream(11), batch_size=2, num_workers=num_workers, drop_last=drop_last)
    batches = [b.tolist() for b in loader]
    if not drop_last:
        assert sorted(n for b in batches for n in b) == list(range(11))
    assert not drop_last or {len(b) for b in batches} == {2}
    assert sorted(data.DataLoader(Stream(5), batch_size=None, num_workers=num_workers)) == list(range(5))


def test_worker_info_and_own_copies():
    def start(worker: int) -> None:
        info = data.get_worker_info()
        assert info is not None
        assert info.id == worker
        info.dataset.n = 2 * (worker + 1)

    stream = Stream(0)
    loader = data.DataLoader(stream, batch_size=None, num_workers=2, worker_init_fn=start)
    assert sorted(loader) == [0, 1, 3]
    assert stream.n == 0
    assert data.get_worker_info() is None


def test_timeout():
    class Slow(Squares):
        def __getitem__(self, i: int) -> Any:
            time.sleep(0.5)
            return i

    with pytest.raises(RuntimeError, match="timed out after"):
        next(iter(data.DataLoader(Slow(1), num_workers=1, timeout=0.05)))


@pytest.mark.parametrize("num_workers", [0, 2])
def test_grad_mode_is_the_programs_own(num_workers: int):
    class Careless(Squares):
        def __getitem__(self, i: int) -> Any:
            recording = wg.is_grad_enabled()
            if num_workers:
                wg.set_grad_enabled(not recording)
            return recording

    assert all(bool(b.all()) for b in data.DataLoader(Careless(8), num_workers=num_workers))
    with wg.no_grad():
        assert not any(bool(b.any()) for b in data.DataLoader(Careless(8), num_workers=num_workers))
    assert wg.is_grad_enabled()


def test_batches_are_fetched_ahead():
    asked: list[int] = []

    class Recording(Squares):
        def __getitem__(self, i: int) -> int:
            asked.append(i)
            return i

    iterator = iter(data.DataLoader(Recording(20), num_workers=2, prefetch_factor=3))
    next(iterator)
    end = time.monotonic() + 5
    while len(asked) < 7 and time.monotonic() < end:
        time.sleep(0.01)
    assert sorted(asked) == list(range(7))


def test_many_passes_leave_nothing_behind():
    loader = data.DataLoader(Squares(6), batch_size=2, num_workers=2)

    def passes(n: int) -> int:
        for _ in range(n):
            for _ in loader:
                pass
        gc.collect()
        return len(gc.get_objects())

    before = passes(5)
    assert passes(100) - before < 100
    assert not loader_threads()


def test_the_loader_goes_on_after_a_bad_batch():
    iterator = iter(data.DataLoader(Failing(10), batch_size=2, num_workers=2))
    assert [next(iterator).tolist() for _ in range(2)] == [[0, 1], [2, 3]]
    with pytest.raises(KeyError):
        next(iterator)
    assert [b.tolist() for b in iterator] == [[6, 7], [8, 9]]


# ---------------------------------------------------------------------- random numbers, and worker processes


class Noisy(data.Dataset):
    """Items that are drawn at random as they are read."""

    def __init__(self, n: int = 12) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> Any:
        return i, wg.rand(3), wg.randint(0, 100, (2,))


def noise(num_workers: int, context: str | None = None, batch_size: int = 4) -> list[Any]:
    wg.manual_seed(7)
    loader = data.DataLoader(
        Noisy(), batch_size, shuffle=True, num_workers=num_workers, multiprocessing_context=context
    )
    return [[t.tolist() for t in batch] for _ in range(2) for batch in loader]


def test_what_items_draw_is_the_same_for_any_workers():
    alone = noise(0)
    assert alone[0] != alone[3]  # another pass draws other numbers
    assert len({tuple(row) for batch in alone for row in batch[1]}) == 24
    assert noise(1) == noise(3) == alone
    single = {i: row for batch in noise(2, batch_size=1) for i, row in zip(batch[0], batch[1], strict=True)}
    assert single.keys() == set(range(12))


@pytest.mark.skipif(os.name == "nt", reason="batches go through memory of POSIX systems")
class TestProcesses:
    @pytest.mark.parametrize("context", ["fork", "spawn"])
    def test_batches_are_those_of_threads(self, context: str):
        assert noise(2, context) == noise(0)

    def test_large_arrays_come_through_shared_memory_and_can_be_written(self):
        loader = data.DataLoader(
            data.TensorDataset(wg.arange(8.0)[:, None] * wg.ones(1, 30_000), wg.arange(8)),
            2,
            num_workers=2,
            multiprocessing_context="fork",
        )
        for i, (x, y) in enumerate(loader):
            assert isinstance(x._data.base, (memoryview, np.ndarray))
            assert y.tolist() == [2 * i, 2 * i + 1]
            assert x.mean(1).tolist() == [2.0 * i, 2.0 * i + 1]
            x += 1

    def test_an_exception_names_the_item_and_the_worker(self):
        loader = data.DataLoader(Failing(10), batch_size=2, num_workers=2, multiprocessing_context="fork")
        seen = []
        with pytest.raises(KeyError) as caught:
            seen.extend(batch.tolist() for batch in loader)
        assert seen == [[0, 1], [2, 3]]
        for text in ("item five is bad", "DataLoader worker 0", "This was item 5 of the Failing"):
            assert text in str(caught.value)

    def test_what_cannot_be_sent_is_named(self):
        loader = data.DataLoader(
            Squares(4), num_workers=1, collate_fn=lambda items: lambda: items, multiprocessing_context="fork"
        )
        with pytest.raises(TypeError, match="a function cannot be sent from a worker process"):
            next(iter(loader))

    @pytest.mark.parametrize(
        ("signal", "text"), [(9, "killed by signal 9"), (0, "exited unexpectedly with exit code 3")]
    )
    def test_a_dead_worker_is_told(self, signal: int, text: str):
        class Deadly(Squares):
            def __getitem__(self, i: int) -> Any:
                if i == 3:
                    os.kill(os.getpid(), signal) if signal else os._exit(3)
                return i

        iterator = iter(data.DataLoader(Deadly(8), num_workers=2, multiprocessing_context="fork"))
        assert [next(iterator).item() for _ in range(3)] == [0, 1, 2]
        with pytest.raises(RuntimeError, match=text):
            next(iterator)
        iterator.pool.close()

    def test_workers_know_themselves_and_seed_other_libraries(self):
        class Asking(Squares):
            def __getitem__(self, i: int) -> Any:
                info = data.get_worker_info()
                assert info is not None
                return info.id, os.getpid(), random.random(), float(np.random.rand())  # noqa: NPY002

        def draws() -> list[Any]:
            wg.manual_seed(1)
            loader = data.DataLoader(
                Asking(4), None, num_workers=2, multiprocessing_context="fork", persistent_workers=True
            )
            batches = list(loader)
            loader._pool.close()
            return batches

        first = draws()
        assert [b[0] for b in first] == [0, 1, 0, 1]
        assert os.getpid() not in {b[1] for b in first}
        assert [b[2:] for b in draws()] == [b[2:] for b in first]
        assert len({b[2] for b in first}) == 4

    def test_many_passes_leave_nothing_behind(self):
        loader = data.DataLoader(
            data.TensorDataset(wg.ones(4, 20_000)), 2, num_workers=1, multiprocessing_context="fork"
        )
        handles = Path("/proc/self/fd")
        if not handles.exists():
            pytest.skip("this system does not list its open files")
        for _ in loader:
            pass
        before = len(list(handles.iterdir()))
        for _ in range(20):
            for _ in loader:
                pass
        assert len(list(handles.iterdir())) <= before
        assert not [p for p in multiprocessing.active_children() if "DataLoader" in p.name]

    def test_leaving_early_ends_the_processes(self):
        iterator = iter(data.DataLoader(Squares(100), num_workers=2, multiprocessing_context="fork"))
        next(iterator)
        processes = [worker.process for worker in iterator.pool.workers]
        del iterator
        for process in processes:
            process.join(timeout=10)
            assert not process.is_alive()

    def test_bad_contexts(self):
        with pytest.raises(ValueError, match="should be one of 'thread'"):
            data.DataLoader(Squares(), num_workers=1, multiprocessing_context="threads")
        with pytest.raises(TypeError, match="valid context object"):
            data.DataLoader(Squares(), num_workers=1, multiprocessing_context=3)
