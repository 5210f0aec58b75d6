"""The programs of ``examples/``: each takes a few steps with ``--quick``, gives its figures, and leaves its files.

A program that is added to the folder needs a row in `PROGRAMS` and a line in ``examples/README.md``.
"""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks.examples import PROGRAMS as TIMED
from benchmarks.programs import example

FOLDER = Path(__file__).resolve().parents[1] / "examples"
LINES = 150
SHARED = {"__init__", "digit_data", "image_files", "options"}  # what programs import
ELSEWHERE = {"digits", "onnx_table"}  # the demonstration and a table, which test_demo.py and test_onnx.py run

WEIGHTS = frozenset({"metrics.json", "model.safetensors"})

pytest.importorskip("sklearn")


@dataclass(frozen=True)
class Program:
    """What a quick run must come to: the figures that `main` returns, within limits, and the files in ``--out``.

    A limit is to tell a program that learns from one that does not, so it lies between what an untrained model has and
    what a quick run reaches.
    """

    above: Mapping[str, float] = field(default_factory=dict)
    below: Mapping[str, float] = field(default_factory=dict)
    files: frozenset[str] = WEIGHTS


PROGRAMS = {
    "char_rnn": Program(below={"test_loss": 2.7}, files=WEIGHTS | {"names.txt"}),
    "cifar_resnet": Program(below={"train_loss": 2.1}, files=WEIGHTS | {"epochs.csv"}),
    "dcgan": Program(below={"distance": 125}, files=WEIGHTS | {"samples.png"}),
    "deep_dream": Program(
        above={"test_accuracy": 0.6, "filters_excited": 0.6, "class_probability": 0.5},
        files=WEIGHTS | {"classes.png", "dreams.png", "filters.png"},
    ),
    "fine_tuning": Program(
        above={
            "old_test_accuracy": 0.8,
            "new_test_accuracy_trained": 0.6,
            "gradients_learning": 5,
            "kilobytes_learning": 1000,
        },
        below={"gradients_frozen": 1, "kilobytes_frozen": 100},
    ),
    "gpt_shakespeare": Program(below={"valid_loss": 3.0}, files=WEIGHTS | {"sample.txt"}),
    "linear_regression": Program(above={"test_r2": 0.4}, below={"train_loss": 3500}),
    "logistic_regression": Program(above={"test_accuracy": 0.95}, below={"train_loss": 0.2}),
    "meta_learning": Program(below={"loss_after_1": 2.9, "loss_after_10": 2.6}),
    "mnist_cnn": Program(above={"test_accuracy": 0.8}),
    "mnist_mlp": Program(above={"test_accuracy": 0.8}),
    "neural_ode": Program(below={"distance": 0.25}),
    "physics_informed": Program(below={"relative_l2_error": 0.8, "loss": 0.3}, files=WEIGHTS | {"solution.png"}),
    "reinforce_cartpole": Program(above={"mean_return": 40}),
    "unet_shapes": Program(above={"mean_iou": 0.3}, files=WEIGHTS | {"segmented.png"}),
    "vae": Program(above={"test_bound": -30}, files=WEIGHTS | {"rebuilt.png", "samples.png"}),
}


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in SHARED | ELSEWHERE)


def test_every_program_has_a_row_and_a_line_in_the_list():
    listed = (FOLDER / "README.md").read_text()
    assert names() == sorted(PROGRAMS)
    assert [name for name in names() if f"[{name}.py]({name}.py)" not in listed] == []


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_a_program_is_short(path: Path):
    if path.stem == "digits":
        pytest.skip("the demonstration explains what is wrong when it cannot run, which takes room")
    assert len(path.read_text().splitlines()) < LINES


@pytest.mark.parametrize("name", names())
def test_a_quick_run(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    program = PROGRAMS[name]
    module = importlib.import_module(f"examples.{name}")
    metrics = module.main(["--quick", "--out", str(tmp_path / "out")])

    assert all(isinstance(value, float) and math.isfinite(value) for value in metrics.values()), metrics
    for key, limit in program.above.items():
        assert metrics[key] > limit, f"{key} {metrics[key]:.4g}: {metrics}"
    for key, limit in program.below.items():
        assert metrics[key] < limit, f"{key} {metrics[key]:.4g}: {metrics}"
    assert program.above or program.below
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert program.files <= files
    assert json.loads((tmp_path / "out" / "metrics.json").read_text()) == metrics
    said = capsys.readouterr()
    assert len((said.out + said.err).splitlines()) > 1, "it says how it goes, and what came of it"


@pytest.mark.parity
@pytest.mark.parametrize("name", TIMED)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_it_is_a_program_of_pytorch_too(name: str):
    metrics = example(pytest.importorskip("torch"), name).main(["--quick"])
    for key, limit in PROGRAMS[name].above.items():
        assert metrics[key] > limit
    for key, limit in PROGRAMS[name].below.items():
        assert metrics[key] < limit
