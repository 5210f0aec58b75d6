"""How pictures and web pages look: contrast on light and on dark pages, and words for who cannot see a picture."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import wengert as wg
from benchmarks import chart
from docs import pictures
from wengert import nn, viz
from wengert.viz import svg

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    {*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("notebooks/*.md")} - {*ROOT.glob("docs/notebooks/**/*")}
)
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
WORDS, SHAPES = 4.5, 3.0  # to one: what https://www.w3.org/TR/WCAG22 asks of words and of shapes
SVG = "{http://www.w3.org/2000/svg}"


def lightness(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((lightness(one), lightness(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


# ---------------------------------------------------------------------- graphs


def colours(light: str, dark: bool) -> str:
    return svg.DARK[light] if dark else light


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_words_of_a_graph_stand_out(dark: bool):
    faint = [
        (kind, ink)
        for kind, (fill, _, title, _) in svg.COLOURS.items()
        for ink in (title, *([svg.QUIET] if kind != "output" else []))  # an output has no second line
        if contrast(colours(ink, dark), colours(fill, dark)) < WORDS
    ]
    papers = (svg.PAPER, *svg.FRAME_FILLS)
    faint += [
        (paper, ink)
        for paper in papers
        for ink in (svg.INK, svg.QUIET, svg.STRONG)
        if contrast(colours(ink, dark), colours(paper, dark)) < WORDS
    ]
    assert not faint
    assert all(contrast(colours(svg.LINE, dark), colours(paper, dark)) >= SHAPES for paper in papers)


def test_a_graph_has_dark_colours_for_all_of_its_light_ones():
    model = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Linear(3, 2)))
    with viz.record(model):
        loss = model(wg.ones(4, 2)).square().sum()
    text = viz.to_svg(viz.Graph({"loss": loss}).named(model), engine="builtin")
    used = {
        (what, value)
        for element in ET.fromstring(text).iter()
        for what, value in element.attrib.items()
        if what in ("fill", "stroke") and value != "none"
    }
    style = ET.fromstring(text).findtext(f"{SVG}style")
    assert {value for _, value in used} <= set(svg.DARK)
    assert {(what, value) for what, value in re.findall(r'\[(fill|stroke)="(#\w+)"\]', style)} == used
    assert style.count(f".{svg.CLASS} [") == len(used), "a rule would reach the page that a notebook is"


# ---------------------------------------------------------------------- the chart


@pytest.mark.parametrize("palette", [chart.LIGHT, chart.DARK], ids=["light", "dark"])
def test_words_and_marks_of_the_chart_stand_out(palette: chart.Palette):
    words = [palette.text, palette.faint, palette.ahead, palette.behind]
    assert min(contrast(colour, palette.paper) for colour in words) >= WORDS
    assert min(contrast(colour, palette.paper) for colour in (palette.compile, palette.jax)) >= SHAPES


# ---------------------------------------------------------------------- words for pictures


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pictures_of_a_page_have_words(page: Path):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"!\[\s*\]\(", text)
    assert all(re.search(r'\balt="[^"]+"', tag) for tag in re.findall(r"<img\b[^>]*>", text))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_pictures_of_a_notebook_get_words(notebook: Path):
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        shown = [kind for output in cell.get("outputs", ()) for kind in output.get("data", ())]
        if any(kind.startswith("image/") for kind in shown):
            found = pictures.words("".join(cell["source"]), "Section")
            assert re.fullmatch(r"Section: \S.*", found)


def test_words_are_the_titles_in_the_code():
    code = "left, right = panels(2)\nlabel(left, 'Learning', 'step', 'loss')\nlabel(right, f'rate {rate}')"
    assert pictures.words(code, "Descent") == "Descent: Learning; rate …"
    assert pictures.words("viz.draw({'f': f})", "A graph") == "A graph: the graph of a computation"
    assert pictures.words("viz.curves({'loss': {'training': losses}})", "Descent") == "Descent: loss"
    assert pictures.words("ax.set(title='A', ylim=(0, 1))\nax.set_title(name)", "B") == "B: A"
    assert pictures.words("plt.plot(x, label='rate')", "B") == "B: rate"
    assert pictures.words("plt.plot(x)", "B") == "B: plots"


def test_widths_of_pictures(tmp_path: Path):
    (tmp_path / "a.svg").write_text('<svg xmlns="x" class="y" width="425" height="2" viewBox="0 0 1 1"/>')
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x02\0\0\0\x03")
    assert pictures.width(tmp_path / "a.svg") == 425
    assert pictures.width(tmp_path / "b.png") == 258
