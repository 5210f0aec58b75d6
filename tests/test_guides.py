"""The examples of the guides in ``docs`` run, and print what the page says; and what the pages say of files is so."""

from __future__ import annotations

import doctest
import gc
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import wengert as wg

from .opinfo.excused import EXCUSED

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted({*DOCS.glob("**/*.md"), *ROOT.glob("*.md"), *ROOT.glob("notebooks/*.md"), *ROOT.glob("examples/*.md")})
PAGES = [page for page in PAGES if DOCS / "notebooks" not in page.parents]  # which `make docs` copies there
# Guides, and how many examples they have at least: a page whose blocks are not found would pass otherwise.
GUIDES = {
    "algebra": 35,
    "array_api": 15,
    "custom_functions": 30,
    "data": 30,
    "debugging": 30,
    "devices": 8,
    "distributions": 45,
    "extending": 25,
    "faq": 30,
    "fast": 10,
    "from_numpy": 20,
    "from_pytorch": 10,
    "func": 15,
    "howto": 70,
    "install": 2,
    "mixed_precision": 30,
    "onnx": 15,
    "pretrained": 8,
    "quickstart": 25,
    "saving": 30,
    "training": 15,
}


@pytest.fixture
def undone() -> Iterator[None]:
    """What a page changes for the process is as before after it, also where an example fails: PyTorch's name, modes."""
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "torch"}
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "torch"]:
        del sys.modules[name]
    sys.modules.update(kept)
    wg.set_default_dtype(wg.float32)
    gc.enable()


@pytest.mark.usefixtures("undone")
@pytest.mark.parametrize("name", GUIDES)
def test_examples_of_a_guide(name: str, capsys: pytest.CaptureFixture[str]):
    if name == "onnx":
        pytest.importorskip("onnx")
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    examples = "\n".join(without_indent(block) for block in re.findall(r"^ *```python\n.*?^ *```$", text, re.M | re.S))
    assert examples.count(">>>") >= GUIDES[name]
    test = doctest.DocTestParser().get_doctest(examples, {}, name, name, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert not runner.run(test).failed, capsys.readouterr().out


def without_indent(block: str) -> str:
    """The lines of a fenced block, which may stand within a list."""
    lines = block.splitlines()[1:-1]
    indent = len(block) - len(block.lstrip(" "))
    return "\n".join(line[indent:] for line in lines) + "\n"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_local_links_lead_somewhere(page: Path):
    wrong = []
    for target, anchor in links(page.read_text(encoding="utf-8")):
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            wrong.append(f"{target}#{anchor}")
    assert not wrong


def links(text: str) -> Iterator[tuple[str, str]]:
    """The files and places that the text of a page links to, leaving out its blocks of code, and pages of the web."""
    text = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.M | re.S)
    for link in re.findall(r"\]\(([^()\s]+)\)", text):
        if not re.match(r"[a-z]+:", link):
            target, _, anchor = link.partition("#")
            yield target, anchor


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub and Sphinx make them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    titles = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_page_is_in_the_contents():
    contents = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "index.md", DOCS / "reference/index.md"))
    named = set(re.findall(r"^[\w/]+$", contents, re.M))
    pages = {page.relative_to(DOCS).with_suffix("").as_posix() for page in PAGES if DOCS in page.parents}
    missing = {p for p in pages if p not in named and p.removeprefix("reference/") not in named}
    by_pattern = ("adr/0", "engine/0", "engine/1")  # the decisions, and the tour of the source
    assert {p for p in missing if not p.startswith(by_pattern)} == {"index"}


def test_the_page_on_installing_has_all_extras():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    rows = re.findall(r"^\| (`.*?) \|", (DOCS / "install.md").read_text(encoding="utf-8"), re.M)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(project["optional-dependencies"])
    assert project["requires-python"] == ">=3.11"
    assert [re.split(r"\W*[>=<]", name)[0] for name in project["dependencies"]] == ["numpy", "ml_dtypes", "safetensors"]


def test_the_glossary_is_in_order_and_has_all_errors():
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    tables = [re.findall(r"^\| (?!word|error)([^-|].*?) \|", part, re.M) for part in text.split("\n## ")[1:]]
    assert len(tables) == 5
    for words in tables:
        assert words == sorted(words, key=lambda word: word.replace("`", "").lower())
    assert set(re.findall(r"`(\w+Error)`", " ".join(tables[-1]))) == set(wg.backends.errors.__all__)


def test_the_page_of_absences_has_all_differences_of_results():
    text = (DOCS / "absent.md").read_text(encoding="utf-8")
    assert not [why for *_, why in EXCUSED if f"| {why} |" not in text], "python -m docs.absent_page writes it anew"


@pytest.mark.parity
def test_the_page_of_absences_is_what_is_absent():
    """Counted in a process of its own: what other tests import gives PyTorch more names."""
    count = "from docs import absent_page; print(absent_page.page(), end='')"
    ran = subprocess.run(
        [sys.executable, "-c", count], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert ran.stdout == (DOCS / "absent.md").read_text(encoding="utf-8"), "python -m docs.absent_page writes it"
