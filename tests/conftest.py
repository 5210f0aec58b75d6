"""What every test gets: a fixed seed, a check that it leaves no global setting changed, and gpu tests only on a GPU."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends import get_backend
from wengert.backends.cpu import compiled

from .backends import backend as backend
from .browser import browser as browser
from .fake_cublaslt import FakeCublasLt
from .fake_cudnn import fake_cudnn
from .fake_cudnn_rnn import FakeRNN
from .fake_cupy import fake_cuda
from .threads import threads as threads

# What a test may change for itself only: how to read it, and how to put it back.
SETTINGS = {
    "grad mode": ("is_grad_enabled", "set_grad_enabled"),
    "default dtype": ("get_default_dtype", "set_default_dtype"),
    "default device": ("get_default_device", "set_default_device"),
}


compiled.start()  # now, since results change in their last bits when it happens in the middle of a test


@pytest.fixture(autouse=True)
def seed() -> None:
    """Every test draws the same numbers, whichever tests ran before it and on whichever worker."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  (other libraries draw from the global generator)
    wg.manual_seed(0)


def settings() -> dict[str, object]:
    return {name: getattr(wg, read)() for name, (read, _) in SETTINGS.items()}


@pytest.fixture(autouse=True)
def settings_unchanged() -> Iterator[None]:
    """Fail the test that leaves a global setting changed, and put it back for the others."""
    before = settings()
    yield
    changed = {name: now for name, now in settings().items() if now != before[name]}
    for name in changed:
        getattr(wg, SETTINGS[name][1])(before[name])
    assert not changed, f"the test left these changed: {changed}, was {before}"


@functools.cache
def why_no_gpu() -> str:
    """The reason why gpu tests cannot run here; empty where they can."""
    try:
        found = get_backend("cuda").device_count()
    except RuntimeError as error:
        return str(error)
    return "" if found else "no CUDA device was found"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--stand-in", action="store_true", help="run gpu tests on the stand-in for CuPy: a dry run")
    parser.addoption("--budget", type=float, default=0, help="seconds after which the tests that are left are skipped")


_blocks: list[Any] = []
_start = time.monotonic()


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--stand-in"):
        _blocks.append(
            fake_cuda(libraries={"cublasLt": FakeCublasLt(), "cudnn": FakeRNN(), "cudnn frontend": fake_cudnn()})
        )
        _blocks[0].__enter__()


def pytest_unconfigure() -> None:
    for block in _blocks:
        block.__exit__(None, None, None)
    _blocks.clear()


def pytest_runtest_setup(item: pytest.Item) -> None:
    budget = item.config.getoption("--budget")
    if budget and time.monotonic() - _start > budget:
        pytest.skip("there was no time left for it")
    if item.get_closest_marker("gpu"):
        if reason := why_no_gpu():
            pytest.skip(reason)
    elif item.config.getoption("--stand-in"):
        pytest.skip("a dry run is of gpu tests only")


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """PyTorch and wengert on one thread each, so that two processes do not fight over the cores."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads(), wg.get_num_threads()
    torch.set_num_threads(1)
    wg.set_num_threads(1)
    yield
    torch.set_num_threads(before[0])
    wg.set_num_threads(before[1])
