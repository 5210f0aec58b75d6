"""The examples of the guides in ``docs`` run, and print what the page says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.mark.parametrize("name", ["array_api", "func", "onnx", "training"])
def test_examples_of_a_guide(name: str, capsys: pytest.CaptureFixture[str]):
    if name == "onnx":
        pytest.importorskip("onnx")
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    examples = "\n".join(blocks)
    assert examples.count(">>>") > 15
    test = doctest.DocTestParser().get_doctest(examples, {}, name, name, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    assert not runner.run(test).failed, capsys.readouterr().out
