"""What the page of a graph is given, and that it is one file: without a browser."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest

import wengert as wg
from wengert import nn, viz
from wengert.viz.page_data import page_data

INFORMATION = re.compile(r'<script id="data" type="application/json">(.*?)</script>', re.DOTALL)


def circuit() -> tuple[wg.Tensor, dict[str, wg.Tensor]]:
    x, y, z = (wg.tensor(v, requires_grad=True) for v in (-2.0, 5.0, -4.0))
    return (x + y) * z, {"x": x, "y": y, "z": z}


def test_the_page_is_one_file_that_asks_for_nothing():
    f, names = circuit()
    page = f.graph.named(names).to_html()
    assert page.startswith("<!doctype html>")
    assert "@@" not in page
    assert set(re.findall(r"https?://[^\s\"'<)]+", page)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<link[^>]+stylesheet|<script[^>]+src|@import|url\((?!#)", page)


def test_names_cannot_break_the_page():
    x = wg.tensor(2.0, requires_grad=True)
    name = '</script><script>alert("x")</script><!-- @@DATA@@'
    page = viz.to_html((x * 3).graph.named({name: x}), title=name)
    assert page.count("</script>") == 2
    data = json.loads(INFORMATION.search(page)[1])
    assert data["nodes"][0]["name"] == name
    assert data["nodes"][1]["constants"] == {"1": "3"}


def test_the_numbers_of_the_circuit():
    f, names = circuit()
    data = page_data(viz.Graph({"f": f}, names), "", True, 40)
    values = {n["name"] or n["op"]: n["values"][0][8] for n in data["nodes"]}
    assert values == {"x": -2, "y": 5, "Add": 3, "z": -4, "f": -12}  # 3 is known because Mul saved it
    gradients = {n["name"] or n["op"]: n["grads"][0][8] for n in data["nodes"]}
    assert gradients == {"x": -4, "y": -4, "Add": -4, "z": 3, "f": 1}
    assert [[v[8] for v in step["local"]] for step in data["steps"]] == [[-4, 3], [1, 1]]
    assert data["title"] == "f"


def test_looking_changes_nothing():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    loss = model(wg.randn(5, 3)).square().mean()
    kept = loss.graph.saved_bytes
    loss.graph.to_html()
    assert all(p.grad is None for p in model.parameters())
    assert loss.graph.saved_bytes == kept
    loss.backward()
    gradients = [p.grad.clone() for p in model.parameters()]
    data = page_data(loss.graph, "", True, 40)
    assert data["steps"] == []
    assert "second time" in data["unplayable"]
    assert all((p.grad == g).all() for p, g in zip(model.parameters(), gradients, strict=True))


def test_graphs_without_a_backward_pass():
    assert page_data(wg.ones(3).graph, "", True, 40)["unplayable"] == "nothing was recorded"
    f, _ = circuit()
    assert page_data(f.graph, "", False, 40)["steps"] == []


def test_outputs_that_are_no_scalars_begin_with_ones():
    x = wg.tensor([1.0, 2.0], requires_grad=True)
    data = page_data((x * x).graph, "", True, 40)
    assert data["steps"][0]["in"][0][8] == [1, 1]
    assert data["nodes"][0]["grads"][0][8] == [2, 4]


def test_every_kind_of_number_can_be_sent():
    x = wg.tensor([float("nan"), float("inf"), 1e-30, 1.0], requires_grad=True)
    z = wg.tensor([1 + 2j], requires_grad=True)
    page = viz.to_html(viz.Graph({"real": x.exp(), "complex": z * z}))
    data = json.loads(INFORMATION.search(page)[1], parse_constant=pytest.fail)
    assert data["nodes"][0]["values"][0][8][:2] == ["nan", "inf"]


@pytest.mark.parametrize("through", ["draw", "view"])
def test_pages_are_written(tmp_path: Path, through: str):
    f, names = circuit()
    path = tmp_path / "new" / "graph.html"
    if through == "draw":
        viz.draw({"f": f}, names, path)
    else:
        assert viz.view({"f": f}, names, path) == path
    assert "<title>f</title>" in path.read_text(encoding="utf-8")


def test_a_page_within_a_notebook():
    f, names = circuit()
    page = viz.show({"f": f}, names, height=400)
    frame = page._repr_html_()
    assert html.unescape(frame.partition('srcdoc="')[2].partition('" style')[0]) == page.html
    assert "height:400px" in frame
    bundle = f.graph._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert bundle["text/plain"] == repr(f.graph)


def test_the_scripts_of_the_page_are_short_files():
    folder = Path(viz.__file__).parent / "page"
    files = sorted(folder.iterdir())
    assert {"viewer.html", "viewer.css", "main.js", "layout.js"} <= {f.name for f in files}
    assert all(len(f.read_text(encoding="utf-8").splitlines()) < 400 for f in files)
