"""The command ``wengert``: what it does, what it says when it cannot, and its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
import webbrowser
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import wengert as wg
from wengert.utils.command import bench, comparing, failing, main, subject, train

MODEL = """
import torch_like as library
from beside import WIDTH

class Net(library.nn.Module):
    def __init__(self, width=WIDTH, *, depth=1):
        super().__init__()
        self.layers = library.nn.Sequential(*(library.nn.Linear(4, 4) for _ in range(depth)))
        self.head = library.nn.Linear(4, width)

    def forward(self, x, tokens=None):
        y = self.layers(x)
        return {"scores": self.head(y), "all": (y, None)}

class Needy(Net):
    def __init__(self, size):
        super().__init__(size)

ready = Net(2)
number = 3

def product(a, b):
    return a @ b

def program():
    x = library.ones(3, requires_grad=True)
    return (x * x).sum()

def small():
    return Net(5)
"""


class Ran(SimpleNamespace):
    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Calls the command in this process."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delenv("WENGERT_DEBUG", raising=False)

    def call(*words: object) -> Ran:
        code = main([str(word) for word in words])
        return Ran(code=code, **capsys.readouterr()._asdict())

    return call


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of a user's, beside another one that it imports."""
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    path = tmp_path / "program_of_a_user.py"
    path.write_text(MODEL.replace("torch_like", "wengert"))
    (tmp_path / "beside.py").write_text("WIDTH = 3\n")
    monkeypatch.chdir(tmp_path)
    return path


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of examples in place of the package's."""
    (tmp_path / "some_examples").mkdir()
    (tmp_path / "some_examples" / "__init__.py").write_text("")
    monkeypatch.setattr(train, "PACKAGE", "some_examples")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "modules", {n: m for n, m in sys.modules.items() if not n.startswith("some_examples")})
    return tmp_path / "some_examples"


# ------------------------------------------------------------------------- line


@pytest.mark.parametrize("command", ["", "train", "graph", "summary", "config", "bench"])
def test_help_of_each(run: Any, command: str):
    ran = run(*command.split(), "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"usage: wengert {command}".rstrip())
    assert len(ran.out.splitlines()) > 4


def test_version(run: Any):
    assert run("--version").out.startswith(f"wengert {wg.__version__} (Python 3.")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "the following arguments are required: COMMAND"),
        ("draw", "invalid choice: 'draw'"),
        ("summary lenet5 --depht 2", "unrecognized arguments: --depht 2"),
        ("graph", "one of the arguments MODEL --list is required"),
        ("train", "one of the arguments NAME --list is required"),
        ("train digit", "no example is called 'digit' (wengert train --list names all); did you mean digits?"),
        ("graph lenet", "did you mean lenet5?"),
        ("graph qqq", "path/to/file.py:Name or package.module:name)\n"),
        ("graph lenet5 -o lenet.swg", "lenet.swg: the ending is to be one of html, svg, png, dot, json, txt; did you"),
        ("graph nowhere.py:Net", "there is no file nowhere.py"),
        ("graph nowhere.models:Net", "there is no module nowhere; a file is named with its .py"),
        ("graph json:lods", "json has no lods; did you mean loads?"),
        ("summary lenet5 --input 3x", "--input '3x' is no shape: write it as 1x3x32x32"),
        ("summary lenet5 --input 3x4:int46", "there is no type 'int46'; did you mean int64?"),
        ("summary lenet5(classes=", "is no name with numbers, strings, lists and such as arguments"),
        ("summary lenet5(classes=exit())", "is no name with numbers"),
        ("summary lenet5(sides=3)", "got an unexpected keyword argument 'sides'; give arguments in quotes"),
        ("bench --own qqq", "no workload matches qqq; there are product of"),
    ],
)
def test_wrong_arguments(run: Any, words: str, message: str):
    ran = run(*words.split())
    assert ran.code == 2
    assert message in ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""


def test_failures_are_one_line_or_all(run: Any, monkeypatch: pytest.MonkeyPatch):
    words = ("summary", "lenet5", "--input", "1x3x28x28")
    ran = run(*words)
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert ran.err.startswith("wengert: ")
    assert "(--traceback shows where)" in ran.err
    in_full = run(*words, "--traceback")
    assert in_full.code == 1
    assert in_full.err.startswith("Traceback")
    monkeypatch.setenv("WENGERT_DEBUG", "1")
    assert run(*words).err.startswith("Traceback")


def test_words_for_what_is_missing(capsys: pytest.CaptureFixture[str]):
    for error, said in [
        (ModuleNotFoundError("No module named 'sklearn'", name="sklearn.datasets"), "pip install 'wengert[sklearn]'"),
        (ModuleNotFoundError("No module named 'gym'", name="gym"), "this needs gym: pip install gym"),
        (ImportError("this picture needs matplotlib"), "wengert: this picture needs matplotlib\n"),
        (FileNotFoundError(2, "No such file", "mnist.npz"), "mnist.npz"),
        (RuntimeError(), "RuntimeError: RuntimeError (--traceback"),
    ]:
        with failing.failures("wengert", False) as outcome:
            raise error
        assert outcome.code == 1
        assert said in capsys.readouterr().err
    for stop, code in [(KeyboardInterrupt(), 130), (SystemExit("no"), 1), (SystemExit(3), 3), (SystemExit(), 0)]:
        with failing.failures("wengert", False) as outcome:
            raise stop
        assert outcome.code == code


def test_a_reader_that_leaves_is_no_failure(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    with failing.failures("wengert", False) as outcome:
        raise BrokenPipeError
    sys.stdout.close()
    assert outcome.code == 0


def test_config(run: Any):
    ran = run("config")
    assert ran.code == 0
    assert ran.out.startswith("wengert ")


# ------------------------------------------------------------------------ train


def test_the_examples_are_listed(run: Any):
    lines = run("train", "--list").out.splitlines()
    assert any(line.startswith("  digits ") and "handwritten digits" in line for line in lines)
    assert not any("digit_data" in line or "options" in line.split()[0] for line in lines)


def test_an_example_gets_its_own_options(run: Any, examples: Path):
    (examples / "fit_line.py").write_text(
        '"""Fits a line."""\n'
        "import argparse, sys\n"
        "def main(argv=None):\n"
        '    parser = argparse.ArgumentParser(description="A line")\n'
        '    parser.add_argument("--lr", type=float)\n'
        '    parser.add_argument("--fail", action="store_true")\n'
        "    args = parser.parse_args(argv)\n"
        "    if args.fail:\n"
        '        raise OSError("no data")\n'
        '    print("rate", args.lr)\n'
        '    return {"loss": 0.5}\n'
    )
    assert run("train", "--list").out.splitlines()[1:] == ["  fit_line  Fits a line."]
    before = list(sys.argv)
    for name in ("fit_line", "fit-line", "fit_line.py"):
        assert run("train", name, "--lr", 0.5) == Ran(code=0, out="rate 0.5\n", err="")
    assert run("train", "fit_line", "--help").out.startswith("usage: wengert train fit_line [-h] [--lr LR]")
    assert run("train", "fit_line", "--rate", "3").code == 2
    assert run("train", "fit_line", "--fail") == Ran(code=1, out="", err="wengert: no data\n")
    assert run("train", "fit_line", "--fail", "--traceback").err.startswith("Traceback")
    assert sys.argv == before


def test_an_example_says_how_it_ended(run: Any, examples: Path):
    (examples / "odd.py").write_text("def main(argv): return {'3': 3, 'text': 'text', '': None}[''.join(argv)]\n")
    assert run("train", "odd", "3").code == 3
    assert run("train", "odd").code == 0
    assert "the example odd returned a str in place of its figures" in run("train", "odd", "text").err


# ------------------------------------------------------------- graph and summary


def test_the_models_are_listed(run: Any):
    lines = run("graph", "--list").out.splitlines()
    assert lines[0].split() == ["lenet5", "1x1x28x28"]
    assert {"resnet18", "vgg11_bn", "vit_b_16", "gpt2_medium"} <= {line.split()[0] for line in lines}


def test_a_graph_in_every_format(run: Any, tmp_path: Path):
    files = [tmp_path / f"lenet.{ending}" for ending in ("html", "svg", "dot", "json", "txt")]
    ran = run("graph", "lenet5(classes=7)", *(word for file in files for word in ("-o", file)))
    assert ran.code == 0
    assert ran.out.splitlines()[0] == f"{files[0]}: 12 operations, 11 inputs, 37,048 bytes saved"
    page, svg, dot, data, text = (file.read_text() for file in files)
    assert "<title>lenet5</title>" in page
    assert "classifier.4" in svg
    assert dot.startswith("digraph")
    assert json.loads(data)["nodes"]
    assert "7×84" in text or "(7, 84)" in text or "[7, 84]" in text
    ET.fromstring(svg)


def test_a_png(run: Any, tmp_path: Path):
    pytest.importorskip("matplotlib")
    assert run("graph", "gpt(depth=2)", "-o", tmp_path / "gpt.png").code == 0
    content = (tmp_path / "gpt.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = (int.from_bytes(content[i : i + 4], "big") for i in (16, 20))
    assert 500 < width < height < 10_000


def test_what_a_file_may_hold(run: Any, file: Path):
    def graph(what: str, *options: str) -> Any:
        ran = run("graph", f"{file.name}:{what}", "-o", "g.json", *options)
        assert ran.err == ""
        return json.loads(Path("g.json").read_text())

    def inputs(found: Any) -> set[str]:
        return {node["name"] for node in found["nodes"] if node["kind"] != "op"}

    head = {"head.weight", "head.bias"}
    assert head <= inputs(graph("Net", "--input", "2x4"))
    deeper = inputs(graph("Net(5, depth=2)", "--input", "2x4,2x4:int64"))
    assert {"layers.0.weight", "layers.1.weight", "input0"} <= deeper
    assert head <= inputs(graph("ready", "--input", "2x4", "--eval"))
    assert head <= inputs(graph("small", "--input", "2x4"))
    assert head <= inputs(graph("Needy(3)", "--input", "2x4"))
    assert inputs(graph("product", "--input", "2x4", "--input", "4x3")) == {"input0", "input1"}
    assert len(graph("program")["nodes"]) == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("graph FILE:Net", "say what Net is called with: --input 1x3x32x32"),
        ("graph FILE:Nett", "program_of_a_user.py has no Nett; did you mean Net?"),
        ("graph FILE:Needy --input 2x4", "missing a required argument: 'size'; give arguments in quotes: 'Needy(...)'"),
        ("graph FILE:number --input 2x4", "is a int; name a model, a class of models, or a function"),
        ("graph FILE:ready --input 2x4 -o page.htm", "did you mean html?"),
        ("summary FILE:product --input 2x4,4x3", "product is no model: a table has the layers of one"),
    ],
)
def test_wrong_uses_of_a_file(run: Any, file: Path, words: str, message: str):
    ran = run(*words.replace("FILE", str(file)).split())
    assert ran.code == 2
    assert message in ran.err


def test_nothing_recorded(run: Any, file: Path):
    ran = run("graph", f"{file}:product", "--input", "2x4:int64,4x2:int64")
    assert ran.code == 1
    assert ran.err.startswith("wengert: product recorded nothing: ")


def test_a_program_for_pytorch(file: Path):
    """In a process of its own, where no other test has imported PyTorch."""
    file.write_text(MODEL.replace("torch_like", "torch"))
    words = ["summary", f"{file}:Net", "--input", "2x4", "--torch", "--depth", "1"]
    ran = subprocess.run(
        [sys.executable, "-m", "wengert", *words],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[-1].startswith("35 parameters; ")


def test_a_module_by_name(run: Any, file: Path):
    ran = run("summary", "program_of_a_user:Net(2)", "--input", "2x4")
    assert "30 parameters" in ran.out
    assert "30 parameters" in run("summary", f"{file}:ready", "--input", "2x4").out


def test_the_page_is_opened(run: Any, file: Path, monkeypatch: pytest.MonkeyPatch):
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    assert run("graph", f"{file}:ready", "--input", "2x4", "--open", "--most", 5).code == 0
    assert opened == [(file.parent / "ready.html").as_uri()]


def test_published_names_are_known():
    known = subject.importlib.import_module("wengert.examples.models.catalogue").known
    assert [known(name) for name in ("gpt2-medium", "resnet18.a1_in1k", "vit_base_patch16_224", "ResNet50")] == [
        "gpt2_medium",
        "resnet18",
        "vit_b_16",
        "resnet50",
    ]


# ------------------------------------------------------------------------ bench


def test_the_short_table(run: Any):
    ran = run("bench", "--own", "softmax", "small", "--seconds", 0)
    assert ran.code == 0
    assert [line.partition("  ")[0] for line in ran.out.splitlines()[1:]] == [
        "softmax of 256x1000",
        "200 small operations, backward",
    ]


@pytest.mark.parametrize("name", bench.WORKLOADS)
def test_the_workloads(name: str):
    bench.WORKLOADS[name](wg.device("cpu"))()


def test_a_checkout_runs_its_benchmarks(run: Any, monkeypatch: pytest.MonkeyPatch):
    ran = run("bench", "--list", "--quick", "training")
    assert ran.code == 0
    assert "training: MLP" in ran.out
    assert run("bench", "nothing-like-this").code == 2
    monkeypatch.setattr("wengert.utils.command.line.checkout", lambda: None)
    assert comparing.checkout() is not None
    assert "unrecognized arguments: --quick" in run("bench", "--quick").err
    assert run("bench", "softmax", "--seconds", 0).code == 0


# ------------------------------------------------------------------- a process


def test_as_a_process(tmp_path: Path):
    environment = {"PYTHONPATH": str(Path(__file__).resolve().parents[1]), "PATH": ""}
    command = [sys.executable, "-m", "wengert"]
    done = subprocess.run([*command, "train", "nothing"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("wengert: no example is called 'nothing'")
