"""A dry run of what a GPU is rented for: all its programs on the stand-in for CuPy, in tiny sizes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from benchmarks import gpu, gpu_measure
from benchmarks.workloads.on_gpu import GPU
from benchmarks.workloads.setting import Setting

from .fake_cublaslt import FakeCublasLt
from .fake_cudnn import fake_cudnn
from .fake_cupy import fake_cuda

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def fake() -> Iterator[Any]:
    precision, flags = wg.get_float32_matmul_precision(), wg.backends.cudnn.flags(enabled=True)
    with flags, fake_cuda(libraries={"cublasLt": FakeCublasLt(), "cudnn frontend": fake_cudnn()}) as (_, backend):
        yield backend
    wg.set_float32_matmul_precision(precision)


def number(result: Any) -> float:
    return float(result.detach().float().square().mean().cpu()) if result is not None else 0.0


def started(library: Any, device: str, name: str) -> list[float]:
    library.manual_seed(0)
    call = GPU[name].start("torch", library, Setting(device), tiny=True)
    return [number(call()) for _ in range(2)]


@pytest.mark.parametrize("name", GPU)
def test_every_workload_runs_and_learns_as_on_the_cpu(fake: Any, name: str):
    there, here = started(wg, "cuda", name), started(wg, "cpu", name)
    assert np.isfinite(there).all()
    np.testing.assert_allclose(there[0], here[0], rtol=2e-2 if "bfloat16" in name else 2e-3)


@pytest.mark.parity
@pytest.mark.slow
@pytest.mark.parametrize("name", GPU)
def test_every_workload_is_the_same_for_pytorch(name: str, one_thread: None, monkeypatch: pytest.MonkeyPatch):
    torch = pytest.importorskip("torch")
    # PyTorch's own testing module, where another test has imported it, forbids programs to set its switches.
    monkeypatch.setitem(torch.backends.flags_frozen.__globals__, "__allow_nonbracketed_mutation_flag", True)
    precision, tf32 = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    benchmark = torch.backends.cudnn.benchmark
    mine = wg.get_float32_matmul_precision()
    try:
        with wg.backends.cudnn.flags(enabled=True):
            first = started(wg, "cpu", name)[0], started(torch, "cpu", name)[0]
            # PyTorch's own 16-bit step is 3 % from its float32 one here: eight blocks of a net that has not learnt.
            np.testing.assert_allclose(*first, rtol=5e-2 if "bfloat16" in name else 2e-3)
    finally:
        torch.set_float32_matmul_precision(precision)
        wg.set_float32_matmul_precision(mine)
        torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark = tf32, benchmark


def run(*command: str, **more: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", **more},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_the_measurements_run(tmp_path: Path):
    out = run("benchmarks.gpu_measure", "--stand-in", "--json", str(tmp_path / "measured.json"))
    assert "failed: none" in out
    found = json.loads((tmp_path / "measured.json").read_text())
    assert list(found) == list(gpu_measure.PARTS)
    assert not [name for name, part in found.items() if "error" in part]
    assert found["capture"]["that differ"] == 20, "the stand-in replays nothing, which is noticed"


@pytest.mark.slow
def test_the_benchmarks_run(tmp_path: Path):
    path = tmp_path / "bench.json"
    options = ["--only", "MLP 64", "--rounds", "1", "--seconds", "0.01", "--columns", "wengert,torch"]
    out = run("benchmarks.gpu", "--stand-in", *options, "--json", str(path))
    assert "MLP 64-64-64-10, batch 32, float32" in out
    found = json.loads(path.read_text())
    assert found["machine"]["gpu"] == "Stand-in"
    (result,) = found["results"]
    assert result["columns"]["wengert"]["median"] > 0


@pytest.mark.slow
def test_the_tests_run():
    out = run("pytest", "-m", "gpu", "--stand-in", "-q", "-p", "no:cacheprovider", "tests/test_gpu.py")
    assert "passed" in out
    assert "failed" not in out


def test_results_are_named_after_the_gpu():
    assert gpu.path_for("NVIDIA H200").name == "nvidia-h200.json"


def test_a_line_of_the_table():
    result = {
        "name": "a step",
        "columns": {"wengert": {"median": 0.001, "memory": 12.0}, "torch": {"error": "torch is not installed"}},
        "ratios": {"wengert": 0.5},
    }
    text = gpu.line(result)
    assert "1.000 (0.50)" in text
    assert "n/a" in text
    assert "torch: torch is not installed" in text
    assert "wengert: 12 MB at most" in text
