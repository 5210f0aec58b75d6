"""The demonstration: it learns, it leaves its files, and it says clearly what is wrong when it cannot run."""

from __future__ import annotations

import gzip
import importlib
import importlib.util
import os
import re
import struct
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "examples" / "digits.py"
FILES = {"model.safetensors", "loss.png", "graph.svg", "misclassified.png"}

for package in ("tqdm", "matplotlib", "sklearn"):
    pytest.importorskip(package)


@pytest.fixture
def digits(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module."""
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    return importlib.import_module("digits")


@pytest.fixture
def run(digits: ModuleType):
    """Calls it; the result is the exit status."""

    def call(*args: object) -> int:
        try:
            figures = digits.main([str(arg) for arg in args])
        except SystemExit as stop:
            return int(stop.code)
        assert figures["train_loss"] > 0
        assert 0 <= figures["test_accuracy"] <= 1
        return 0

    return call


def small_mnist() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (70, 28, 28), dtype=np.uint8),
        "y_train": rng.integers(0, 10, 70, dtype=np.uint8),
        "x_test": rng.integers(0, 256, (20, 28, 28), dtype=np.uint8),
        "y_test": rng.integers(0, 10, 20, dtype=np.uint8),
    }


def write_idx(folder: Path, arrays: dict[str, np.ndarray], compressed: bool) -> None:
    folder.mkdir()
    names = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    for name, array in zip(names, arrays.values(), strict=True):
        raw = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()
        path = folder / (name + ".gz" if compressed else name)
        path.write_bytes(gzip.compress(raw) if compressed else raw)


@pytest.mark.slow
def test_it_reads_98_percent_of_held_out_digits_within_a_minute(tmp_path: Path):
    start = time.perf_counter()
    command = [sys.executable, str(SCRIPT), "--out", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[1])}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    assert done.returncode == 0, done.stderr
    score = float(re.search(r"([\d.]+)% of the held-out digits", done.stdout)[1])
    assert score >= 98
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    for name in FILES:
        assert str(tmp_path / "out" / name) in done.stdout
    picture = (tmp_path / "out" / "graph.svg").read_text()
    ET.fromstring(picture)
    assert "conv1.weight" in picture
    assert "loss" in done.stderr  # the progress bar
    assert seconds < 60, f"it took {seconds:.0f} s"


def test_weights_can_be_loaded_again(tmp_path: Path, run, digits: ModuleType):
    from safetensors.numpy import load_file

    assert run("--out", tmp_path, "--quick") == 0
    weights = load_file(tmp_path / "model.safetensors")
    model = digits.DigitNet(8)
    model.load_state_dict({name: digits.wg.from_numpy(array) for name, array in weights.items()})
    assert {name for name, _ in model.named_parameters()} <= set(weights)


def test_the_same_seed_gives_the_same_weights(tmp_path: Path, run):
    from safetensors.numpy import load_file

    for name in ("a", "b"):
        assert run("--out", tmp_path / name, "--epochs", 1, "--batch-size", 256, "--seed", 5) == 0
    a, b = (load_file(tmp_path / name / "model.safetensors") for name in ("a", "b"))
    assert all(np.array_equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize("form", ["npz", "idx", "idx.gz"])
def test_mnist_by_path(tmp_path: Path, run, form: str, capsys: pytest.CaptureFixture[str]):
    data = tmp_path / "data"
    if form == "npz":
        data = tmp_path / "mnist.npz"
        np.savez(data, **small_mnist())
    else:
        write_idx(data, small_mnist(), compressed=form == "idx.gz")
    assert run("--data", data, "--out", tmp_path / "out", "--epochs", 1) == 0
    assert "70 digits to learn from, 20 held out" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES


def no_file(tmp_path: Path) -> str:
    return "nowhere/mnist.npz"


def not_an_archive(tmp_path: Path) -> str:
    (tmp_path / "text.npz").write_text("not an archive")
    return "text.npz"


def other_archive(tmp_path: Path) -> str:
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    return "other.npz"


def empty_folder(tmp_path: Path) -> str:
    (tmp_path / "empty").mkdir()
    return "empty"


def broken_idx(tmp_path: Path) -> str:
    write_idx(tmp_path / "broken", small_mnist(), compressed=False)
    (tmp_path / "broken" / "train-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03\0\0")
    return "broken"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (no_file, "there is no such file or folder"),
        (not_an_archive, "is neither a folder nor an .npz file"),
        (other_archive, "has no x_train, y_train, x_test, y_test; it has a"),
        (empty_folder, "has no file train-images-idx"),
        (broken_idx, "is not an idx file of bytes"),
    ],
)
def test_wrong_paths_are_explained(tmp_path: Path, run, make, message: str, capsys: pytest.CaptureFixture[str]):
    assert run("--data", tmp_path / make(tmp_path), "--out", tmp_path / "out") == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_unknown_device_is_explained(tmp_path: Path, run, capsys: pytest.CaptureFixture[str]):
    assert run("--device", "abacus", "--out", tmp_path / "out") == 1
    assert "abacus" in capsys.readouterr().err


def test_missing_extras_are_named(tmp_path: Path, run, monkeypatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert run("--out", tmp_path / "out") == 1
    assert capsys.readouterr().err == (
        "digits.py: this needs tqdm and matplotlib and scikit-learn: pip install wengert[demo]\n"
    )


def test_stopping_it_saves_what_there_is(tmp_path: Path, run, digits: ModuleType, monkeypatch, capsys):
    def interrupted(model, data, held_out, args, history) -> None:
        history["loss"].append(2.0)
        history["accuracy"].append(0.1)
        raise KeyboardInterrupt

    monkeypatch.setattr(digits, "train", interrupted)
    assert run("--out", tmp_path / "out") == 130
    assert "saving what there is" in capsys.readouterr().err
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
