"""The programs of ``make bench``: what they run is right, and what they write is whole. Speed is not tested here."""

from __future__ import annotations

import importlib
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

import wengert as wg
from benchmarks import columns, command, machine, table, turns
from benchmarks.chart import draw, rows
from benchmarks.programs import example
from benchmarks.worker import agreed, stable
from benchmarks.workloads import GROUPS, TABLE
from benchmarks.workloads.setting import Setting
from docs import performance_page

SAME = "ResNet-18, CIFAR, batch 128"  # on the small sizes the same as with another batch
TIMED = [name for name, w in TABLE.items() if not w.unit and name != SAME]


def value_of(column: str, library: Any, name: str) -> float | None:
    """The result of the first call, on the small sizes."""
    work = TABLE[name]
    result = work.start(column, library, Setting(), tiny=True)()
    return None if work.draws else agreed(result)


@pytest.mark.parametrize("name", TIMED)
def test_every_workload_runs(name: str):
    value = value_of("wengert", wg, name)
    assert value is None or math.isfinite(value)


def agree(column: str, name: str) -> None:
    """A library has the same result as wengert."""
    library = pytest.importorskip(columns.COLUMNS[column].module)
    reason = TABLE[name].reason_without(column)
    if reason:
        pytest.skip(reason)
    expected = value_of("wengert", wg, name)
    found = value_of(column, library, name)
    assert expected is None or found == pytest.approx(expected, rel=2e-3 if "ResNet" in name else 1e-4)


@pytest.mark.parity
@pytest.mark.parametrize("name", TIMED)
@pytest.mark.usefixtures("one_thread")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # its forward mode warns about itself
def test_torch_agrees(name: str):
    agree("torch", name)


@pytest.mark.parity
@pytest.mark.slow
@pytest.mark.parametrize("name", TIMED)
@pytest.mark.filterwarnings("ignore")
def test_jax_agrees(name: str):
    agree("jax", name)


def test_every_group_has_its_title_and_what_is_quick_covers_most():
    assert {w.group for w in TABLE.values()} == set(GROUPS)
    quick = [w for w in TABLE.values() if w.quick]
    assert 8 <= len(quick) <= 16
    assert {w.group for w in quick} >= {"training", "inference", "tensors", "optimizers", "start"}


def test_jax_versions_exist():
    pytest.importorskip("jax")
    for work in TABLE.values():
        if work.jax:
            module, function = work.jax.split(".")
            assert callable(getattr(importlib.import_module(f"benchmarks.workloads.{module}"), function))


# ---------------------------------------------------------------------- choosing


def names(*words: str) -> list[str]:
    return [w.name for w in command.chosen(command.arguments(list(words)))]


def test_workloads_are_chosen_by_regular_expressions():
    assert names("^training: lenet") == ["LeNet-5, batch 128"]
    assert names("a \\+ b", "A \\* B") == ["a + b, 4x4, recorded", "a * b, 4x4, recorded"]
    assert set(names("--quick")) < set(names()) == set(TABLE)
    groups = [TABLE[name].group for name in names()]
    assert groups == sorted(groups, key=list(GROUPS).index)


def chosen_columns(name: str, *words: str) -> list[str]:
    return command.columns(TABLE[name], command.arguments(list(words)))


def test_columns_are_chosen():
    assert chosen_columns("char GRU 256, 64 steps, batch 32") == ["wengert", "torch", "compile", "jax"]
    assert chosen_columns("LeNet-5, batch 128") == ["wengert", "torch", "compile", "jax", "numpy"]
    assert chosen_columns("LeNet-5, batch 128", "--quick") == ["wengert", "torch", "jax", "numpy"]
    assert chosen_columns("gelu, 1,000 x 1,000") == ["wengert", "torch", "jax"]
    assert chosen_columns("LeNet-5, batch 128", "--only", "torch") == ["wengert", "torch"]
    assert chosen_columns("LeNet-5, batch 128", "--only", "jax", "--numpy") == ["wengert", "torch", "jax", "numpy"]
    with pytest.raises(SystemExit):
        command.arguments(["--only", "tensorflow"])


def test_a_name_that_fits_nothing_is_explained(capsys: pytest.CaptureFixture[str]):
    assert command.main(["no such thing"]) == 2
    said = capsys.readouterr()
    assert "no workload matches no such thing" in said.err
    assert "LeNet-5, batch 128" in said.out


# ---------------------------------------------------------------------- a run


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path, str]:
    """The results of a short run, their folder, and what was printed."""
    folder = tmp_path_factory.mktemp("bench")
    with pytest.MonkeyPatch.context() as patch:
        lines: list[str] = []
        patch.setattr("builtins.print", lambda *words, **kw: lines.append(" ".join(map(str, words))))
        words = ["a \\+ b", "lenet-5, inf", "import, over", "--only", "torch", "--out", str(folder)]
        assert command.main([*words, "--tiny", "--rounds", "2", "--seconds", "0.01"]) == 0
    return json.loads((folder / "latest.json").read_text()), folder, "\n".join(lines)


def check_schema(report: dict[str, Any]) -> None:
    assert set(report) == {"schema", "machine", "settings", "results"}
    assert report["schema"] == command.SCHEMA
    assert {"cpu", "cores", "flags", "memory", "versions", "threads", "date", "load"} <= set(report["machine"])
    assert {"python", "numpy", "wengert"} <= set(report["machine"]["versions"])
    for result in report["results"]:
        assert result["group"] in GROUPS
        assert result["unit"] in ("s", "MB")
        assert result["columns"]["wengert"]["median"] is not None
        for column, found in result["columns"].items():
            assert column in columns.COLUMNS
            if "error" in found:
                assert found["error"]
                continue
            assert found["low"] <= found["median"] <= found["high"]
            assert len(found["turns"]) >= 1
            if result["group"] != "start" and result["unit"] == "s":
                assert found["cpu"] >= 0
                assert found["calls"] >= len(found["turns"])
                assert {"memory", "others"} <= set(found)
        for column, ratio in result["ratios"].items():
            medians = [result["columns"][c]["median"] for c in (column, "torch")]
            assert ratio == pytest.approx(medians[0] / medians[1])


def test_a_run_writes_results_and_chart(report: Any):
    pytest.importorskip("matplotlib")
    found, folder, _ = report
    check_schema(found)
    assert [r["name"] for r in found["results"]] == [
        "LeNet-5, inference",
        "a + b, 4x4, recorded",
        "import, over import numpy",
    ]
    assert (folder / f"{found['machine']['date']}-cpu.json").read_text() == (folder / "latest.json").read_text()
    if found["results"][0]["ratios"]:
        assert (folder / "latest.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_prints_a_table(report: Any):
    found, _, printed = report
    lines = printed.splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("workload"))
    body = lines[head + 1 : head + 4]
    assert [line.split("  ")[0] for line in body] == [r["name"] for r in found["results"]]
    for text, result in zip(body, found["results"], strict=True):
        assert table.measured(result, "wengert") in text
    assert found["machine"]["cpu"] in printed
    assert "latest.json" in lines[-1]


def test_processes_that_fail_are_told_of():
    args = command.arguments(["--cap", "0.1", "--seconds", "0.01"])
    found = turns.compare(TABLE["a + b, 4x4, recorded"], ["wengert", "compile"], args)
    assert "no answer within" in found["columns"]["wengert"]["error"]
    assert found["columns"]["compile"]["error"] == "a recorded operation is eager"
    assert found["ratios"] == {}
    assert "n/a" in table.line(found, ["wengert", "compile"])
    assert len(table.reasons([found])) == 2


# ---------------------------------------------------------------------- numbers and pictures


def result(name: str = "x", group: str = "training", **medians: float) -> dict[str, Any]:
    """A result as `turns.compare` makes it."""
    found: dict[str, Any] = {column: {"median": median, "memory": 12.3} for column, median in medians.items()}
    return {
        "name": name,
        "group": group,
        "unit": "s",
        "chart": True,
        "columns": found,
        "ratios": turns.ratios(found),
        "target": 0.7,
        "limit": None,
    }


def test_ratios_are_over_torch():
    assert turns.ratios({"wengert": {"median": 1.0}, "torch": {"median": 4.0}, "jax": {"error": "no"}}) == {
        "wengert": 0.25
    }
    assert turns.ratios({"wengert": {"median": 1.0}, "torch": {"error": "no"}}) == {}
    found = [result(wengert=1.0, torch=2.0), result(wengert=8.0, torch=1.0)]
    assert "1 of 2 workloads" in table.summary(found)
    assert "takes 2.00 of PyTorch" in table.summary(found)
    assert "within" in table.verdict(found[0])
    assert "OVER" in table.verdict(found[1])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "n/a"),
        (1.5, "1.50 s"),
        (0.25, "250 ms"),
        (0.0123456, "12.3 ms"),
        (1e-3, "1.00 ms"),
        (5e-6, "5.00 us"),
    ],
)
def test_durations(seconds: float | None, text: str):
    assert table.duration(seconds) == text


def test_markdown_is_a_table_per_group():
    text = table.markdown(
        [result("one", wengert=1.0, torch=2.0, jax=3.0), result("two", "tensors", wengert=1, torch=1)]
    )
    assert text.count("### ") == 2
    for block in text.split("### ")[1:]:
        widths = {line.count("|") for line in block.splitlines() if line.startswith("|")}
        assert len(widths) == 1
    assert "| one | 1.00 s | 2.00 s | 3.00 s | **0.50** | 1.50 | 12 | 12 |" in text


def test_the_chart_is_written(tmp_path: Path):
    pytest.importorskip("matplotlib")
    found = [result("one", wengert=1.0, torch=2.0, jax=3.0), result("two", "tensors", wengert=5, torch=1)]
    on = machine.describe("cpu", 2)
    assert draw(found, on, tmp_path / "new" / "chart.png")
    assert (tmp_path / "new" / "chart.png").stat().st_size > 5000
    assert [r if isinstance(r, str) else r["name"] for r in rows(found)] == ["Training steps", "one", "Tensors", "two"]
    assert not draw([result(wengert=1.0)], on, tmp_path / "none.png")


def test_times_are_stable_when_they_differ_little():
    assert stable([1.0, 1.05])
    assert not stable([1.0, 1.2, 1.0])
    assert not stable([1.0])


def test_both_libraries_start_from_the_same_numbers():
    one, two = Setting(), Setting()
    assert (one.normal(3) == two.normal(3)).all()
    assert (one.weight(3, 4) == two.weight(3, 4)).all()
    assert abs(one.weight(50, 50)).max() < (3 / 50) ** 0.5
    net = one.placed(wg, example(wg, "models").LeNet5())
    assert all((p == 0).all() for name, p in net.named_parameters() if name.endswith("bias"))


def test_the_page_is_up_to_date():
    written = performance_page.PAGE.read_text(encoding="utf-8")
    assert written == performance_page.page(performance_page.latest()), "write it: python -m docs.performance_page"


def test_what_is_kept_is_whole():
    report = performance_page.latest()
    if report is None:
        pytest.skip("no results are kept")
    check_schema(report)
    assert performance_page.CHART.is_file()
    assert report["settings"]["patterns"] == []


def test_the_page_shows_what_was_measured():
    on = machine.describe("cpu", 2)
    shown = performance_page.page(
        {"schema": 2, "machine": on, "settings": {}, "results": [result("one", wengert=1.0, torch=2.0)]}
    )
    assert "| one | 1.00 s | 2.00 s | **0.50** |" in shown
    assert on["cpu"] in shown
    assert re.search(r"in 1 of 1 workloads", shown)
