"""The page of a graph, in a real browser: what it shows, how it plays, and that it needs nothing else."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import wengert as wg
from wengert import viz

from .viewer_programs import PROGRAMS, circuit, gpt, resnet, thousands

pytestmark = pytest.mark.browser

WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
Open = Callable[..., Any]
CHECKS = Path(__file__).with_name("viewer_checks.js").read_text(encoding="utf-8")


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Opens the page of some output; afterwards nothing may have been complained of or asked for over a network."""
    contexts, faults, requests = [], [], []

    def show(output: Any, names: Any = None, scheme: str = "light", size: dict[str, int] = WIDE, **options: Any) -> Any:
        path = viz.view(output, names, tmp_path / "graph.html", **options)
        context = browser.new_context(viewport=size, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        return page

    yield show
    for context in contexts:
        context.close()
    assert faults == []
    assert all(url.startswith(("file:", "data:")) for url in requests)


def texts(page: Any, selector: str) -> list[str]:
    return page.locator(selector).all_text_contents()


# ---------------------------------------------------------------------- the circuit, played


def test_the_circuit_shows_its_numbers(show: Open):
    page = show(*circuit())
    assert page.title() == "f"
    assert sorted(texts(page, "#view .title")) == ["Add", "Mul", "f = −12", "x = −2", "y = 5", "z = −4"]
    assert sorted(texts(page, "#view .box .gradient")) == ["∂f/∂x = −4", "∂f/∂y = −4", "∂f/∂z = 3"]
    assert texts(page, "#view .value") == ["3", "−12"]
    assert sorted(texts(page, "#view .labels .gradient")) == ["1", "3", "−4", "−4", "−4"]


def test_the_circuit_plays_forward_and_backward(show: Open):
    page = show(*circuit())
    page.click("#first")
    assert page.locator(".box.pending").count() == 3  # both operations and the output
    assert page.locator("#view .labels .gradient:visible").count() == 0
    page.click("#next")
    assert page.text_content("#position") == "forward 1 of 2"
    assert texts(page, "#panel .math") == ["y = a + b", "  = (−2) + 5 = 3"]
    page.click("#next")
    assert texts(page, "#panel .math")[1] == "  = 3 · (−4) = −12"
    page.click("#next")
    assert page.text_content("#position") == "backward 1 of 2"
    assert page.text_content("#panel h2") == "Mul"
    assert texts(page, "#panel .pass .math") == ["∂y/∂a = b", "∂y/∂b = a"]
    assert texts(page, "#panel .term b") == ["1", "−4", "−4", "1", "3", "3"]
    assert texts(page, "#view .box.returned .gradient") == ["∂f/∂z = 3"]
    page.click("#next")
    assert texts(page, "#panel .term b") == ["−4", "1", "−4", "−4", "1", "−4"]
    assert page.locator("#view .box .gradient:visible").count() == 3
    assert page.text_content("#live") == "backward 2 of 2: Add"
    page.click("#back")
    assert page.text_content("#position") == "backward 1 of 2"
    page.press("body", "Escape")
    assert page.text_content("#position") == "all steps"


def test_it_plays_by_itself_and_stops_at_the_end(show: Open):
    page = show(*circuit())
    page.select_option("#speed", "fast")
    page.click("#play")
    assert page.get_attribute("#play", "aria-label") == "Pause"
    page.wait_for_function("graphview.playback.at === 4 && !graphview.playback.playing")
    assert page.get_attribute("#play", "aria-label") == "Play"
    assert page.text_content("#position") == "backward 2 of 2"


def test_the_slider_goes_anywhere(show: Open):
    page = show(*gpt())
    page.fill("#slider", "3")
    assert page.text_content("#position").startswith("forward 3 of")
    page.locator("#slider").focus()
    page.keyboard.press("ArrowRight")
    assert not page.text_content("#position").startswith("forward 3 of")


# ---------------------------------------------------------------------- groups


def test_groups_open_and_close_by_mouse(show: Open):
    page = show(*gpt())
    assert "Block ×4" in texts(page, "#view .title")
    before = page.locator("#view .box").count()
    page.click(".box.group")
    assert page.text_content("#panel h2") == "Block"
    assert page.text_content("#panel .facts").startswith("alike blocks4")
    page.click("#panel button.primary")
    assert page.locator("#view .box").count() == before + 3
    assert texts(page, "#view .title").count("Block") == 4
    page.dblclick(".box.group >> nth=1")
    assert "attn.c_attn" in " ".join(texts(page, "#view .note"))
    page.click(".frame-close >> nth=0")
    assert page.locator("#view .box").count() == before


def test_groups_open_and_close_by_keyboard(show: Open):
    page = show(*gpt())
    while page.evaluate("document.activeElement.dataset.key?.[0]") != "g":
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement !== document.body")
    before = page.locator("#view .box").count()
    page.keyboard.press("Enter")
    assert page.locator("#view .box").count() == before + 3
    page.keyboard.press("Enter")  # the first block, on which the focus is now
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('.box') !== null")
    assert page.locator(".box.selected").count() == 1


def test_everything_opens_and_closes(show: Open):
    page = show(*gpt())
    page.click("#open-all")
    assert page.locator("#view .box.group").count() == 0
    assert page.locator("#view .box.op").count() == page.evaluate("graphview.model.ops.length")
    page.click("#close-all")
    assert page.locator("#view .box").count() < 14


def test_a_closed_group_is_one_step_of_the_film(show: Open):
    page = show(*gpt())
    page.click("#first")
    for _ in range(4):
        page.click("#next")
    assert page.text_content("#panel h2") == "Block"
    assert "76 operations of this group" in page.text_content("#panel")
    assert page.locator(".box.current").count() == 1


# ---------------------------------------------------------------------- search and details


def test_search_finds_and_shows_what_is_hidden(show: Open):
    page = show(*gpt())
    page.keyboard.press("/")
    page.keyboard.type("h.2.mlp.c_fc")
    assert page.locator("#results [role=option]").count() >= 1
    page.keyboard.press("Enter")
    assert page.text_content("#panel h2") == "Linear"
    assert page.text_content("#panel .path") == "transformer.h.2.mlp.c_fc"
    box = page.locator(".box.selected").bounding_box()
    assert 0 < box["x"] < 900
    assert 0 < box["y"] < 800
    assert page.locator("#results").is_hidden()


def test_search_that_finds_nothing_says_so(show: Open):
    page = show(*circuit())
    page.fill("#search", "nowhere")
    assert texts(page, "#results li") == ["nothing found"]
    page.press("#search", "Escape")
    assert page.locator("#results").is_hidden()


def test_details_of_an_operation(show: Open):
    page = show(*resnet())
    page.click("#view .box > .title >> text=MaxPool")
    text = page.text_content("#panel")
    for part in ("max of each window", "1×64×8×8", "float32", "forward took", "backward took", "kept for backward"):
        assert part in text
    assert re.search(r"test_viewer|resnet\.py", page.text_content("#panel .site"))
    assert page.locator("#panel .histogram").count() == 2  # of the value and of the gradient
    assert "zeros" in text
    page.click("#panel summary")
    assert "def backward" in page.text_content("#panel pre")


def test_parameters_at_the_side_of_boxes_can_be_looked_at(show: Open):
    page = show(*resnet())
    page.click(".tag.parameter >> nth=0")
    assert page.text_content("#panel h2") == "conv1.weight"
    assert "Gradient" in page.text_content("#panel")


def test_nan_is_pointed_out(show: Open):
    x = wg.tensor([1.0, -1.0], requires_grad=True)
    with viz.record():
        y = x.log().sum()
    page = show(y)
    assert "NaN or infinite, first in Log" in page.text_content("#panel .warning")


# ---------------------------------------------------------------------- looks


def overlaps(page: Any) -> list[str]:
    """Boxes and pills that lie on each other, and words that stick out of theirs."""
    return page.evaluate(CHECKS + "overlaps()")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_overlaps_or_is_cut_off(show: Open, program: Callable[[], Any], size: dict[str, int]):
    page = show(*program(), size=size)
    assert overlaps(page) == []
    if page.locator(".box.group").count():
        page.evaluate("graphview.select([...graphview.picture.elements.keys()].find((k) => k[0] === 'g'), true, true)")
        assert overlaps(page) == []
    page.evaluate("graphview.playback.show(graphview.playback.order.length)")
    assert overlaps(page) == []
    page.evaluate("graphview.model.ops.length < 300 && document.getElementById('open-all').click()")
    assert overlaps(page) == []


def test_colours_follow_the_system_and_the_switch(show: Open):
    page = show(*circuit(), scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(15, 20, 27)"
    page.click("#theme")
    assert page.evaluate(background) == "rgb(255, 255, 255)"
    page.click("#theme")
    assert page.evaluate(background) == "rgb(15, 20, 27)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_have_enough_contrast(show: Open, scheme: str):
    page = show(*gpt(), scheme=scheme)
    faults = page.evaluate(CHECKS + "lowContrast()")
    assert faults == []


def test_everything_has_a_name_that_can_be_read_out(show: Open):
    page = show(*gpt())
    nameless = page.evaluate(CHECKS + "nameless()")
    assert nameless == []
    assert page.get_attribute("#view .box >> nth=0", "aria-label")
    assert page.locator("#view [tabindex='0']").count() == 1  # one stop for Tab; the others follow from there


# ---------------------------------------------------------------------- size


def test_five_thousand_operations_stay_responsive(show: Open):
    start = time.perf_counter()
    page = show(thousands(5000))
    assert page.locator("#view .box").count() <= 45
    assert time.perf_counter() - start < 30
    milliseconds = page.evaluate("""() => {
      const start = performance.now();
      document.querySelector(".box.group").dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
      return performance.now() - start;
    }""")
    assert milliseconds < 1000
    page.click("#open-all")
    assert "too many to show at once" in page.text_content("#message")
    page.click("#next")
    assert page.text_content("#position").startswith("forward")


# ---------------------------------------------------------------------- moving


def test_it_zooms_and_moves(show: Open):
    page = show(*circuit())
    scale, at = "graphview.picture.at.scale", "graphview.picture.at.x"
    before = page.evaluate(scale)
    page.mouse.move(300, 300)
    page.mouse.wheel(0, -240)
    page.wait_for_function(f"{scale} > {before}")
    x = page.evaluate(at)
    page.mouse.move(100, 600)
    page.mouse.down()
    page.mouse.move(180, 640, steps=4)
    page.mouse.up()
    assert page.evaluate(at) == pytest.approx(x + 80, abs=6)
    page.keyboard.press("0")
    assert page.evaluate(scale) == pytest.approx(before, rel=0.01)
