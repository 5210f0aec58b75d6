"""When compiled kernels start, what of them stays on disk, and how a program is told of a pause."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import wengert as wg
from wengert.backends.cpu import compiled

ROOT = Path(__file__).parent.parent

PROGRAM = """
import sys, time
import wengert as wg
from wengert.backends.cpu import jit_numba, compiled
jit_numba.SECONDS = {seconds}
wg.manual_seed(0)
x = wg.randn(100, 100, requires_grad=True)
compiled.start()
y = wg.softmax(x, 1)
assert compiled._families["softmax"].softmax.stats.cache_hits.total() == {hits}
print(y.sum().item())
"""


def run(code: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "WENGERT_"))}
    kept |= {"NUMBA_CACHE_DIR": str(folder), "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run([sys.executable, "-c", code], env=kept, capture_output=True, text=True, check=True)


def test_the_second_process_loads_what_the_first_compiled(tmp_path: Path):
    pytest.importorskip("numba")
    first = run(PROGRAM.format(seconds=0, hits=0), tmp_path)
    assert first.stderr.count("compiling kernels for this CPU, once; kept in") == 1
    again = run(PROGRAM.format(seconds=0, hits=1), tmp_path)
    assert not again.stderr
    assert again.stdout == first.stdout


def test_kernels_are_kept_as_long_as_their_sources(tmp_path: Path):
    """What a module imports counts, too, however it is written."""
    jit = pytest.importorskip("wengert.backends.cpu.jit_numba")
    folder = Path(jit.__file__).parent
    assert {p.name for p in jit.sources(folder / "softmax_numba.py")} == {
        "softmax_numba.py", "vector_numba.py", "crew_numba.py", "jit_numba.py"}  # fmt: skip
    assert {"gamma.py", "reduction.py"} <= {p.name for p in jit.sources(folder / "gamma_numba.py")}
    names = {p.name for p in jit.sources(folder / "conv_winograd_numba.py")}
    assert {"winograd_numba.py", "simd_numba.py", "images_numba.py"} <= names


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No work done yet, and no family loaded; the result names those that are from now on."""
    loaded: list[str] = []
    monkeypatch.setattr(compiled, "_mode", "auto")
    monkeypatch.setattr(compiled, "_families", {})
    monkeypatch.setattr(compiled, "_seen", 0)
    monkeypatch.setattr(compiled, "_load", loaded.append)
    return loaded


def test_they_start_after_enough_work(fresh: list[str]):
    part = compiled.WORTH // 4
    for _ in range(3):
        compiled.compiled("conv", part)
        compiled.compiled("pool", 10)  # too small to be one of them
    assert not fresh
    compiled.compiled("norm", part)
    compiled.compiled("conv", part)
    assert fresh == ["norm", "conv"]


def test_they_start_at_once_where_results_must_repeat(fresh: list[str]):
    """Then no result is rounded one way at the first call and another way at the second."""
    wg.use_deterministic_algorithms(True)
    try:
        compiled.compiled("conv", compiled.LEAST)
    finally:
        wg.use_deterministic_algorithms(False)
    assert fresh == ["conv"]


def test_every_group_can_be_compiled_ahead():
    from wengert import kernels

    for name in kernels.PROGRAMS:
        kernels.exercise(name)
