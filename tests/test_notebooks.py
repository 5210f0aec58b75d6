"""The notebooks as they lie in the repository: valid, small, with outputs, and every row of the courses in them.

`make notebooks` executes them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from docs import curriculum_page
from docs.curriculum_page import NOTEBOOKS, PAGE, ROOT, ROWS

FILES = sorted(NOTEBOOKS.glob("*.ipynb"))
LIMIT = 300_000  # bytes
ROW = re.compile(r"[SW]\d+")

every = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def cells_of(path: Path, kind: str = "") -> list[Any]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if kind in ("", cell["cell_type"])]


def text_of(cell: Any) -> str:
    return "".join(cell["source"])


@every
def test_it_is_valid_and_small(path: Path):
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(nbformat.read(path, as_version=4))
    assert path.stat().st_size <= LIMIT
    assert re.fullmatch(r"\d\d_[a-z_]+", path.stem)


@every
def test_outputs_are_kept_and_are_those_of_one_run(path: Path):
    code = cells_of(path, "code")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1)), "python -m notebooks.execute"
    outputs = [output for cell in code for output in cell["outputs"]]
    assert not [o for o in outputs if o["output_type"] == "error"]
    assert not [o["text"] for o in outputs if o.get("name") == "stderr"]
    assert sum("image/png" in o.get("data", {}) or "image/svg+xml" in o.get("data", {}) for o in outputs) >= 2
    assert any(re.search(r"\bassert\b", text_of(cell)) for cell in code), "numbers are asserted"


@every
def test_it_tells_nothing_of_the_machine(path: Path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/home/|/root/|/work/|/tmp/", text)
    for cell in cells_of(path):
        assert set(cell["metadata"]) <= {"tags"}


@every
def test_it_ends_in_exercises_and_their_solutions(path: Path):
    headings = [
        line.lstrip("# ").strip()
        for cell in cells_of(path, "markdown")
        for line in text_of(cell).splitlines()
        if re.match(r"## ", line)
    ]
    assert headings[-2:] == ["Exercises", "Solutions"]


@every
def test_tags_are_seen_in_headings(path: Path):
    shown = {row for cell in cells_of(path, "markdown") for row in re.findall(r"\b[SW]\d+\b", heading_lines(cell))}
    assert shown == {tag for cell in cells_of(path) for tag in cell["metadata"].get("tags", []) if ROW.fullmatch(tag)}


def heading_lines(cell: Any) -> str:
    return "\n".join(line for line in text_of(cell).splitlines() if line.startswith("#"))


def test_every_row_has_its_cell():
    found = curriculum_page.places()
    unknown = {tag for tag in found if ROW.fullmatch(tag)} - {row.id for row in ROWS}
    assert not unknown
    assert not [row.id for row in ROWS if row.id not in found]


def test_every_row_has_its_test():
    ids = [row.id for row in ROWS]
    assert ids == [f"S{i}" for i in range(1, 24)] + [f"W{i}" for i in range(1, 15)]
    for row in ROWS:
        assert row.tests
        for test in row.tests:
            file, function = test.split("::")
            source = (ROOT / "tests" / f"test_{file}.py").read_text(encoding="utf-8")
            assert f"def test_{function}(" in source, test


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == curriculum_page.page(), "write it anew: python -m docs.curriculum_page"


def test_the_list_of_notebooks_is_complete():
    text = (NOTEBOOKS / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((\d\d_[a-z_]+)\.ipynb\)", text) == [path.stem for path in FILES]
