"""The web pages that `make docs` writes are read without a network: formulas are MathML, and nothing is fetched."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from docs import offline

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('<script defer src="https://cdn.example/x.js"></script>', ["https://cdn.example/x.js"]),
        ("<img alt='a' src='//example/a.png'>", ["//example/a.png"]),
        ('<link rel="stylesheet" type="text/css" href="http://example/a.css">', ["http://example/a.css"]),
        ('<link href="https://example/font" rel="preconnect">', ["https://example/font"]),
        ('<a href="https://example">read</a> <link rel="canonical" href="https://example">', []),
        ('<script src="_static/x.js"></script> <img src="a.png">', []),
    ],
)
def test_what_a_browser_would_fetch(text: str, found: list[str]):
    assert offline.fetched(text) == found


def test_what_a_style_sheet_would_fetch():
    style = '@import "https://a/b.css"; a { background: url(//c/d.png) } b { background: url(data:image/png;base64,x) }'
    assert offline.fetched(style, style=True) == ["https://a/b.css", "//c/d.png"]


def test_pages_are_searched(tmp_path: Path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "page.html").write_text('<script src="https://x/y.js"></script>')
    (tmp_path / "whole.html").write_text('<script src="y.js"></script>')
    assert list(offline.problems(tmp_path)) == [("below/page.html", "https://x/y.js")]


def test_formulas_of_the_book_become_mathml():
    for package in ("latex2mathml", "sphinx", "ziamath"):
        pytest.importorskip(package)
    from docs import formulas

    count = 0
    for notebook in sorted(ROOT.glob("notebooks/*.ipynb")):
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            text = "".join(cell["source"]) if cell["cell_type"] == "markdown" else ""
            text = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.S)
            for display, line in re.findall(r"\$\$(.+?)\$\$|\$([^$\n]+?)\$", text, re.S):
                mathml = formulas.markup(display or line, bool(display))
                assert not formulas.unknown(mathml), display or line
                count += 1
    assert count > 300
    assert formulas.unknown(formulas.markup(r"\nosuchcommand{x}", False))
    assert formulas.unknown(formulas.markup(r"\begin{nothing} a & b \end{nothing}", True))
    two_lines = formulas.markup("a &= b \\\\\nc &= d", True)
    assert two_lines.count("<mtr") == 2
    assert formulas.font().is_file()
