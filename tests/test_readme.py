"""What the README shows runs as shown, and what it quotes is in the source."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_python_blocks_run_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "readme"}
    for number, block in enumerate(BLOCKS, 1):
        exec(compile(block, f"README.md, python block {number}", "exec"), names)
    assert names["accuracy"] > 0.95  # the training loop learned
    assert (tmp_path / "runs" / "readme" / "graph.svg").read_text().startswith("<svg")


def test_the_training_loop_is_short():
    loop = next(block for block in BLOCKS if "optimizer.step()" in block)
    assert len(loop.splitlines()) <= 30


def test_the_op_that_is_shown_is_the_op():
    shown = next(block for block in BLOCKS if "(Primitive)" in block)
    source = (ROOT / "autograd" / "ops" / "cumulative.py").read_text(encoding="utf-8")
    assert shown[shown.index("class ") :].strip() in source


def test_local_links_lead_somewhere():
    links = re.findall(r"\]\((?!http)([^)#]+)", README)
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]


def test_the_commands_are_targets():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"make (\w+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"README names `make {target}`"
