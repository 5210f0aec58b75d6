"""Threads that help with compiled kernels: who does which part, and what happens when something goes wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg

crew = pytest.importorskip("wengert.backends.cpu.crew_numba", reason="compiled kernels need Numba")
activation = pytest.importorskip("wengert.backends.cpu.activation_numba", reason="compiled kernels need Numba")
ROOT = Path(__file__).parent.parent


@pytest.fixture
def three() -> Iterator[None]:
    """Three threads, however many cores there are."""
    before = wg.get_num_threads()
    wg.set_num_threads(3)
    yield
    wg.set_num_threads(before)


def parts(x: Any, y: Any, number: int) -> list[tuple[Any, Any]]:
    return list(zip(np.array_split(x, number), np.array_split(y, number), strict=True))


@pytest.mark.parametrize("number", [1, 2, 5])
def test_every_part_is_done_once(number: int):
    x = np.random.default_rng(0).standard_normal(100_003).astype("f")
    for _ in range(200):
        y = np.full_like(x, np.nan)
        crew.call(activation.relu, parts(x, y, number))
        np.testing.assert_array_equal(y, np.maximum(x, 0))
    times: list[int] = []
    crew.call(times.append, [(i,) for i in range(number)], python=True)
    assert sorted(times) == [*range(number)]


def test_helpers_that_sleep_are_woken():
    x, y = np.ones((2, 1000), "f")
    crew.call(activation.relu, parts(x, y, 2))
    deadline = time.monotonic() + 20
    while not crew._crew.helpers[0].asleep:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    who: list[Any] = []
    met = threading.Barrier(2, timeout=20)

    def part(_: int) -> None:
        who.append(threading.current_thread().name)
        met.wait()  # only a second thread lets the first one go on

    crew.call(part, [(0,), (1,)], python=True)
    assert sorted(who) == sorted([threading.current_thread().name, "wengert-0"])


def test_an_error_in_any_part_arrives_after_all_are_done():
    for failing in range(3):
        done: list[int] = []

        def part(i: int, failing: int = failing, done: list[int] = done) -> None:
            if i == failing:
                raise ValueError(f"part {i}")
            time.sleep(0.01)
            done.append(i)

        with pytest.raises(ValueError, match=f"part {failing}"):
            crew.call(part, [(0,), (1,), (2,)], python=True)
        before = list(done)
        time.sleep(0.05)
        assert done == before  # nobody is still at work
        crew.call(done.append, [(7,), (8,)], python=True)
        assert {7, 8} <= set(done)


def test_many_threads_call_at_once(three: None):
    x = np.random.default_rng(0).standard_normal(50_000).astype("f")
    wrong: list[str] = []

    def work() -> None:
        for _ in range(100):
            y = np.empty_like(x)
            crew.call(activation.relu, parts(x, y, 3))
            if not np.array_equal(y, np.maximum(x, 0)):
                wrong.append(threading.current_thread().name)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for t in workers:
        t.start()
    for t in workers:
        t.join(60)
    assert not any(t.is_alive() for t in workers)
    assert not wrong


def test_a_call_inside_of_a_call():
    x = np.linspace(-1, 1, 1000, dtype="f")
    y = np.empty((2, 1000), "f")
    crew.call(lambda i: crew.call(activation.relu, parts(x, y[i], 2)), [(0,), (1,)], python=True)
    np.testing.assert_array_equal(y, np.maximum([x, x], 0))


PROGRAM = """
import os, sys, time
import numpy as np
import wengert as wg
from wengert.backends.cpu import crew_numba as crew, activation_numba as loops
x, y = np.linspace(-1, 1, 100_000, dtype="f"), np.empty(100_000, "f")
def shared():
    crew.call(loops.relu, [(x[:50_000], y[:50_000]), (x[50_000:], y[50_000:])])
    assert y.sum() > 0
for _ in range(100):
    shared()
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM + code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize("code", ["", "time.sleep(0.1)", "sys.exit(0)"], ids=["at once", "asleep", "exit"])
def test_a_program_ends(code: str):
    done = run(code)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_has_helpers_of_its_own():
    done = run("""
child = os.fork()
if child == 0:
    for _ in range(100):
        y[:] = -1
        shared()
    os._exit(17)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
shared()
""")
    assert (done.returncode, done.stdout) == (0, "17\n"), done.stderr


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers here")
def test_an_interrupt_waits_for_what_has_begun():
    ended: list[int] = []

    def part(i: int) -> None:
        if i == 0:
            signal.raise_signal(signal.SIGINT)
        begun.set()
        time.sleep(0.2)
        ended.append(i)

    begun = threading.Event()

    def first(i: int) -> None:
        if i == 0:
            assert begun.wait(20)
        part(i)

    with pytest.raises(KeyboardInterrupt):
        crew.call(first, [(0,), (1,)], python=True)
    assert ended == [1]
