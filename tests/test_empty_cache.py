"""Memory that is kept for reuse: how much, who may see it, how it is given back, and that it does not grow."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.backends import tuning
from wengert.backends.cpu import compiled, conv, scratch, threads, workers

F = nn.functional


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Compiled kernels take everything that suits them, on two threads, and start without scratch memory."""
    pytest.importorskip("numba")
    for module, name, value in (
        (compiled, "_mode", "all"),
        (compiled, "_families", {}),
        (compiled, "LEAST", 1),
        (conv, "LEAST", 1),
        (workers, "SHARED", 1),
    ):
        monkeypatch.setattr(module, name, value)
    before = threads.get_num_threads()
    threads.set_num_threads(2)
    scratch.give_back()
    yield
    threads.set_num_threads(before)


def kernels() -> Iterator[tuple[str, list[wg.Tensor]]]:
    """What every kernel that has scratch memory returns, with its gradients."""
    for name, kernel, options in (
        ("winograd", (32, 16, 3, 3), {"padding": 1}),
        ("direct", (8, 16, 5, 5), {"stride": 2}),
        ("depthwise", (16, 1, 3, 3), {"groups": 16}),
        ("groups", (8, 4, 3, 3), {"groups": 4}),
        ("few positions", (64, 16, 11, 11), {}),
    ):
        x, w = wg.randn(2, 16, 12, 12, requires_grad=True), wg.randn(*kernel, requires_grad=True)
        y = F.conv2d(x, w, **options)
        y.sum().backward()
        yield name, [y, x.grad, w.grad]
    x, w = wg.randn(4, 3, 12, 12, requires_grad=True), wg.randn(20, 3, 5, 5, requires_grad=True)
    y = F.conv2d(x, w)
    y.sum().backward()
    yield "spread", [y, x.grad, w.grad]
    for name in ("max_pool2d", "avg_pool2d"):
        x = wg.randn(4, 16, 12, 12, requires_grad=True)
        y = getattr(F, name)(x, 2)
        y.sum().backward()
        yield name, [y, x.grad]


@pytest.mark.usefixtures("eager")
def test_no_result_is_a_view_of_scratch_memory():
    for name, results in kernels():
        buffers = [b for held in list(scratch._everyone) for b in held.values()]
        assert buffers
        assert not any(np.shares_memory(r.detach().numpy(), b) for r in results for b in buffers if r is not None), name


@pytest.mark.usefixtures("eager")
def test_empty_cache_gives_scratch_memory_back_and_changes_nothing():
    wg.manual_seed(0)
    before = {name: [r.detach().numpy().copy() for r in results] for name, results in kernels()}
    assert scratch.held() > 0
    wg.empty_cache()
    assert scratch.held() == 0
    wg.manual_seed(0)
    for name, results in kernels():
        wg.empty_cache()
        for first, second in zip(before[name], results, strict=True):
            np.testing.assert_array_equal(first, second.detach().numpy())


@pytest.mark.usefixtures("eager")
def test_empty_cache_while_others_compute():
    x, w = wg.randn(8, 32, 24, 24), wg.randn(32, 32, 3, 3)
    expected = F.conv2d(x, w, padding=1).numpy().copy()
    wrong: list[Any] = []

    def work() -> None:
        for _ in range(30):
            if not np.array_equal(F.conv2d(x, w, padding=1).numpy(), expected):
                wrong.append(1)

    others = [threading.Thread(target=work) for _ in range(2)]
    for other in others:
        other.start()
    while any(other.is_alive() for other in others):
        wg.empty_cache()
    assert not wrong


def test_scratch_memory_is_limited(monkeypatch: pytest.MonkeyPatch):
    scratch.give_back()
    monkeypatch.setattr(scratch, "LIMIT", 4000)
    first = scratch.scratch(500, "a")
    assert scratch.scratch(400, "a") is first
    scratch.scratch(400, "b")
    assert scratch.held() == 3600
    scratch.scratch(300, "c")  # the oldest makes room
    assert scratch.held() == 2800
    assert scratch.scratch(400, "a") is not first
    scratch.give_back()
    assert len(scratch.scratch(5000, "a")) == 5000
    assert scratch.held() == 0
    code = "from wengert.backends.cpu import scratch; print(scratch.LIMIT)"
    environment = {**os.environ, "WENGERT_SCRATCH_MB": "3"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(3 << 20)


def test_threads_that_end_take_their_scratch_memory_with_them():
    scratch.give_back()
    thread = threading.Thread(target=lambda: scratch.scratch(1000))
    thread.start()
    thread.join()
    gc.collect()
    assert scratch.held() == 0


@pytest.mark.skipif(tuning._glibc() is None, reason="only glibc is told what to keep")
def test_pages_are_kept_and_given_back():
    """Steps take no new pages, and empty_cache lets go of them."""
    code = (
        "import resource, wengert as wg\n"
        "resident = lambda: int(open('/proc/self/statm').read().split()[1]) * 4096\n"
        "step = lambda: [wg.ones(1 << 20) for _ in range(20)]\n"
        "step(); before = resource.getrusage(0).ru_minflt\n"
        "for _ in range(5): step()\n"
        "faults = resource.getrusage(0).ru_minflt - before\n"
        "kept = resident(); wg.empty_cache(); print(faults, kept - resident())\n"
    )
    results = []
    for tune in ("1", "0"):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")} | {"WENGERT_TUNE": tune}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        results.append([int(n) for n in done.stdout.split()])
    assert results[0][0] < 200
    assert results[0][1] > 60 << 20  # of 80 MiB
    assert results[1][1] < 20 << 20  # nothing was kept


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from Linux's files")
def test_a_thousand_steps_do_not_grow():
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 5)
    )
    optimizer = wg.optim.Adam(model.parameters())
    x, y = wg.randn(8, 1, 8, 8), wg.randint(0, 5, (8,))

    def steps(number: int) -> tuple[int, int]:
        for _ in range(number):
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        del loss
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return len(gc.get_objects()), pages * os.sysconf("SC_PAGE_SIZE")

    steps(100)
    objects, resident = steps(100)
    more_objects, more_resident = steps(800)
    assert more_objects <= objects + 20
    assert more_resident <= resident + (1 << 20)
