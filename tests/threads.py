"""What the tests of large arrays have in common: each runs on a number of threads, with kernels started."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import wengert as wg
from wengert.backends.cpu import compiled

SWEPT = [pytest.param(n, marks=[pytest.mark.slow, pytest.mark.sweep]) for n in (1, 2)]


@pytest.fixture(params=[*SWEPT, 3])
def threads(request: Any, monkeypatch: Any) -> Iterator[int]:
    """Whatever the number of threads, and whatever was computed before."""
    monkeypatch.setattr(compiled, "_seen", compiled.WORTH)
    before = wg.get_num_threads()
    wg.set_num_threads(request.param)
    yield request.param
    wg.set_num_threads(before)
