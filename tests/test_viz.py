"""The public view of a graph, its pictures, and the pictures of training."""

from __future__ import annotations

import json
import random
import sys
import xml.etree.ElementTree as ET
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

import wengert as wg
from wengert import nn, viz
from wengert.viz import dot_layout
from wengert.viz.layout import Block, layered

SVG = "{http://www.w3.org/2000/svg}"


def circuit() -> tuple[wg.Tensor, dict[str, wg.Tensor]]:
    x, y, z = (wg.tensor(v, requires_grad=True) for v in (-2.0, 5.0, -4.0))
    return (x + y) * z, {"x": x, "y": y, "z": z}


def network() -> tuple[nn.Module, wg.Tensor, wg.Tensor]:
    model = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.ReLU(), nn.Linear(4, 2)))
    return model, wg.ones(5, 3), wg.tensor([0, 1, 0, 1, 0])


# ---------------------------------------------------------------------- the view


def test_nodes_and_edges_follow_the_program():
    f, names = circuit()
    graph = f.graph.named(names)
    assert [(n.kind, n.op, n.name) for n in graph] == [
        ("leaf", "Tensor", "x"),
        ("leaf", "Tensor", "y"),
        ("op", "Add", ""),
        ("leaf", "Tensor", "z"),
        ("op", "Mul", ""),
    ]
    assert [(e.source, e.target, e.input) for e in graph.edges] == [(0, 2, 0), (1, 2, 1), (2, 4, 0), (3, 4, 1)]
    assert graph.outputs == (4,)
    assert [n.name for n in graph.leaves] == ["x", "y", "z"]
    assert len(graph) == 5
    assert graph[2].shapes == ((),)
    assert graph[2].dtypes == ("float32",)


def test_saved_bytes_count_each_array_once_and_no_leaves():
    x = wg.ones(10, requires_grad=True)
    h = x + 1
    graph = (h * h + h * x).graph
    assert graph.saved_bytes == 40  # h, kept by both products; x lives anyway
    assert [n.saved for n in graph if n.op == "Mul"] == [40, 40]
    assert "40 bytes" in repr(graph)


def test_data_that_was_saved_is_shown():
    x, w = wg.ones(2), wg.ones(2, requires_grad=True)
    graph = (x * w + x * w).graph.named({"images": x, "w": w})
    data = [n for n in graph if n.kind == "data"]
    assert [(n.name, n.shapes) for n in data] == [("images", ((2,),))]
    assert sum(e.source == data[0].id for e in graph.edges) == 2


def test_a_variable_used_twice_is_one_node():
    x = wg.ones(2, requires_grad=True)
    graph = (x * x).graph
    assert len(graph.leaves) == 1
    assert [(e.source, e.input) for e in graph.edges] == [(0, 0), (0, 1)]


def test_several_outputs_are_named_after_their_keys():
    x = wg.ones(6, requires_grad=True)
    first, second = x.split(3)
    graph = viz.draw({"sum": first.sum(), "more": [second.exp()]})
    assert {graph[i].name for i in graph.outputs} == {"sum", "more"}
    split = next(n for n in graph if len(n.shapes) == 2)
    assert {e.output for e in graph.edges if e.source == split.id} == {0, 1}


def test_graphs_of_gradients():
    x = wg.tensor(3.0, requires_grad=True)
    (g,) = wg.autograd.grad(x**3, x, create_graph=True)
    assert g.graph.leaves
    assert len(g.graph) > len((x**3).graph)


def test_a_graph_can_be_looked_at_after_backward():
    model, x, y = network()
    loss = nn.functional.cross_entropy(model(x), y)
    before = len(loss.graph.named(model).leaves)
    loss.backward()
    assert loss.graph.saved_bytes == 0
    assert len(loss.graph.leaves) == before == 4


class Square(wg.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2 * x * g


def test_functions_of_the_users_own_have_their_name():
    x = wg.ones(3, requires_grad=True)
    assert [n.op for n in Square.apply(x + 1).graph] == ["Tensor", "Add", "Square"]


def test_a_write_in_place_is_part_of_the_graph():
    x = wg.ones(4, requires_grad=True)
    y = x * 1
    y[:2].mul_(3)
    ops = [n.op for n in y.graph if n.kind == "op"]
    assert ops.count("Mul") == 2
    assert ops[-1] == "WriteView"


def test_a_tensor_without_history_is_a_graph_of_one():
    assert [n.kind for n in wg.ones(2).graph] == ["data"]
    assert [n.kind for n in wg.ones(2, requires_grad=True).graph] == ["leaf"]


class Output(NamedTuple):
    logits: wg.Tensor
    loss: wg.Tensor | None


@dataclass
class Answer:
    states: list[wg.Tensor]
    name: str = "an answer"


def test_outputs_may_be_nested_in_any_way():
    x = wg.ones(2, requires_grad=True)
    graph = viz.draw({"first": Output(x * 2, None), "second": Answer([x + 1, x.exp()]), "step": 3})
    assert [graph[i].name for i in graph.outputs] == ["first.logits", "second.states", "second.states"]
    assert [graph[i].op for i in graph.outputs] == ["Mul", "Add", "Exp"]


def test_the_graph_of_a_gradient_in_grad():
    x = wg.tensor(2.0, requires_grad=True)
    (x**3).backward(create_graph=True)
    graph = x.grad.graph.named({"x": x})
    assert graph[graph.outputs[0]].op == "Copied"
    assert "Pow" in {n.op for n in graph}
    assert [n.name for n in graph.leaves] == ["x"]
    x.grad = None


def test_a_recording_knows_modules_lines_values_and_times():
    model, x, y = network()
    with viz.record(model):
        loss = nn.functional.cross_entropy(model(x) + wg.ones(2), y)
    graph = loss.graph
    linear = next(n for n in graph if n.op == "Linear")
    assert [(c.path, c.kind) for c in linear.calls] == [("", "Sequential"), ("0", "Linear")]
    assert linear.seconds > 0
    assert linear.site.partition(":")[0] == __file__
    assert linear.values[0].shape == (5, 4)
    assert linear.values[0].low <= linear.values[0].mean <= linear.values[0].high
    assert [n.name for n in graph.leaves] == ["0.weight", "0.bias", "1.1.weight", "1.1.bias"]
    add = next(n for n in graph if n.op == "Add")
    assert graph[graph.inputs_of(add)[1].source].kind == "data"  # an operand that is not saved
    assert f"{__file__}:" in graph.to_text()
    assert not any(n.site or n.values for n in (model(x) * 2).graph)


def test_recording_changes_no_bits():
    model, x, y = network()
    losses = []
    for recording in (nullcontext(), viz.record({"net": model})):
        with recording:
            losses.append(nn.functional.cross_entropy(model(x), y))
    assert losses[0].item() == losses[1].item()
    assert [n.name for n in losses[1].graph.leaves][:1] == ["net.0.weight"]


def test_recording_works_beside_anomaly_mode_and_functions_of_the_users_own():
    x = wg.ones(3, requires_grad=True)
    with wg.autograd.set_detect_anomaly(True), viz.record():
        y = Square.apply(x).sum()
    square = next(n for n in y.graph if n.op == "Square")
    assert square.values[0].numbers == [1, 1, 1]
    assert "traceback_" in square.source.metadata


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (wg.tensor([1.0, float("nan"), float("inf"), 0.0]), (0.0, 1.0, 0.5, 0.25, 1, 1)),
        (wg.tensor([True, False, True, True]), (0.0, 1.0, 0.75, 0.25, 0, 0)),
        (wg.tensor([3, 4], dtype=wg.int64), (3.0, 4.0, 3.5, 0.0, 0, 0)),
        (wg.tensor([3 + 4j, 0]), (0.0, 5.0, 2.5, 0.5, 0, 0)),
        (wg.tensor([1.0, 2.0], dtype=wg.bfloat16), (1.0, 2.0, 1.5, 0.0, 0, 0)),
        (wg.tensor([float("nan")]), (None, None, None, 0.0, 1, 0)),
        (wg.zeros(0), (None, None, None, 0.0, 0, 0)),
    ],
)
def test_values_are_measured(array: wg.Tensor, expected: tuple[float, ...]):
    v = viz.measure(array)
    assert (v.low, v.high, v.mean, v.zeros, v.nans, v.infinities) == expected
    assert v.shape == tuple(array.shape)
    assert json.dumps(v.numbers)
    big = viz.measure(wg.arange(1000.0))
    assert big.numbers is None
    assert sum(big.bins) == 1000


@pytest.mark.parametrize("wrong", [{}, 3, {"a": "text"}])
def test_what_is_no_tensor_is_refused(wrong: object):
    with pytest.raises(TypeError, match="a graph is made of tensors"):
        viz.draw(wrong)


def test_deep_graphs_do_not_recurse():
    h = wg.ones(1, requires_grad=True)
    for _ in range(3 * sys.getrecursionlimit()):
        h = h + 1
    assert len(h.graph) == 3 * sys.getrecursionlimit() + 1
    ET.fromstring(h.graph.to_svg())


def test_module_paths_are_recorded_when_asked():
    model, x, y = network()
    with viz.module_paths(model):
        loss = nn.functional.cross_entropy(model(x), y)
    assert [n.module for n in loss.graph if n.op == "Linear"] == ["0", "1.1"]
    assert loss.graph[loss.graph.outputs[0]].module == ""
    assert not any(n.module for n in model(x).graph)


def test_a_failing_forward_leaves_no_module_behind():
    model, x, _ = network()
    with viz.module_paths(model):
        with pytest.raises(RuntimeError):
            model(wg.ones(5, 7))
        out = model(x).sum()
    assert out.graph[out.graph.outputs[0]].module == ""


# ---------------------------------------------------------------------- as text


def test_text():
    f, names = circuit()
    lines = f.graph.named(names).to_text().splitlines()
    assert lines[0].split() == ["id", "op", "name", "output", "saved", "from"]
    assert len(lines) == 6
    assert lines[3].split() == ["2", "Add", "()", "float32", "0", "1"]


def test_json():
    f, names = circuit()
    read = json.loads(f.graph.named(names).to_json())
    assert read["version"] == 1
    assert [n["name"] for n in read["nodes"] if n["kind"] == "leaf"] == ["x", "y", "z"]
    assert read["edges"][0] == {"source": 0, "target": 2, "output": 0, "input": 0, "shape": []}
    assert read["outputs"] == [4]


def test_dot_escapes_names():
    x = wg.ones(2, requires_grad=True)
    dot = (x * 2).graph.named({'a "quoted" \\ name': x}).to_dot()
    assert r'label="a \"quoted\" \\ name"' in dot


# ---------------------------------------------------------------------- pictures


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter(f"{SVG}text")]


def tooltips(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}title")]


@pytest.mark.parametrize("engine", ["builtin", "dot"])
def test_a_picture_names_parameters_shapes_and_data(engine: str):
    if engine == "dot" and not dot_layout.available():
        pytest.skip("Graphviz is not installed")
    model, x, y = network()
    with viz.module_paths(model):
        loss = nn.functional.cross_entropy(model(x), y)
    names = {**dict(model.named_parameters()), "images": x}
    svg = viz.draw({"loss": loss}, names).to_svg(engine=engine)
    words = texts(svg)
    assert {"weight", "bias", "images", "Linear", "loss", "5×4", "5×2", "4×3", f"{loss.item():g}"} <= set(words)
    assert {"0.weight: parameter", "1.1.bias: parameter"} <= {t.partition("\n")[0] for t in tooltips(svg)}
    assert {"operation", "parameter", "data, no gradient", "output"} <= set(words)  # the legend
    assert svg.count("http") == svg.count("http://www.w3.org/2000/svg")  # nothing is loaded from elsewhere
    assert "<script" not in svg


def test_text_in_a_picture_is_escaped():
    x = wg.ones(2, requires_grad=True)
    assert "<x & y>" in texts((x * 2).graph.named({"<x & y>": x}).to_svg())


@pytest.mark.parametrize("name", ["a.svg", "b.dot", "c.json", "d.txt"])
def test_draw_writes_a_file(tmp_path: Path, name: str):
    f, names = circuit()
    path = tmp_path / "new" / name
    graph = viz.draw(f, names, path)
    assert path.stat().st_size > 100
    assert graph._repr_svg_().startswith("<svg")


def test_draw_refuses_what_it_does_not_know(tmp_path: Path):
    f, _ = circuit()
    with pytest.raises(ValueError, match="unknown format 'xyz'; it is one of svg, png, html, dot, json, txt"):
        viz.draw(f, path=tmp_path / "a.xyz")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="unknown engine 'neato'"):
        viz.draw(f, path=tmp_path / "a.svg", engine="neato")


def test_without_graphviz_the_picture_is_drawn_all_the_same(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    f, names = circuit()
    assert {"x", "Mul"} <= set(texts(viz.draw(f, names).to_svg()))
    with pytest.raises(RuntimeError, match=r"pip install wengert\[viz\]"):
        viz.draw(f).to_svg(engine="dot")


def some_graph(seed: int) -> tuple[list[Block], list[tuple[int, int]]]:
    choose = random.Random(seed)
    sizes = [(choose.uniform(20, 200), choose.uniform(20, 90), choose.uniform(20, 60)) for _ in range(60)]
    blocks = [Block(left, right, height, 15) for left, right, height in sizes]
    links = {(choose.randrange(max(0, b - 15), b), b) for b in range(1, 60) for _ in range(choose.choice([1, 1, 2, 3]))}
    return blocks, sorted(links)


@pytest.mark.parametrize("seed", range(5))
def test_boxes_do_not_overlap_and_lines_meet_them(seed: int):
    blocks, links = some_graph(seed)
    layout = layered(list(blocks), links)
    rows: dict[float, list[int]] = {}
    for i, (_, y) in enumerate(layout.centres):
        rows.setdefault(y, []).append(i)
    for row in rows.values():
        row.sort(key=lambda i: layout.centres[i][0])
        for a, b in pairwise(row):
            assert layout.centres[a][0] + blocks[a].right <= layout.centres[b][0] - blocks[b].left + 1e-6
    for (a, b), route in zip(links, layout.routes, strict=True):
        (ax, ay), (bx, by) = layout.centres[a], layout.centres[b]
        assert route[0] == pytest.approx((ax, ay + blocks[a].height / 2))
        assert route[-1][1] == pytest.approx(by - blocks[b].height / 2)
        assert abs(route[-1][0] - bx) <= blocks[b].half
        assert len(route) % 3 == 1
        assert all(p[1] <= q[1] + 1e-6 for p, q in pairwise(route))  # lines run down, never back
    assert min(x - b.left for (x, _), b in zip(layout.centres, blocks, strict=True)) >= -1e-6


@pytest.mark.parametrize("seed", range(5))
def test_lines_pass_beside_boxes(seed: int):
    blocks, links = some_graph(seed)
    layout = layered(list(blocks), links)
    for (a, b), route in zip(links, layout.routes, strict=True):
        for x, y in route:
            for i, (cx, cy) in enumerate(layout.centres):
                inside = abs(x - cx) < blocks[i].half - 1e-6 and abs(y - cy) < blocks[i].height / 2 - 1e-6
                assert i in (a, b) or not inside


def test_chains_are_straight():
    links = [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4)]
    layout = layered([Block(40, 40, 30, 40) for _ in range(5)], links)
    assert len({layout.centres[i][0] for i in (1, 2, 3)}) == 1


def test_an_empty_layout():
    assert layered([], []).centres == []


# ---------------------------------------------------------------------- training


def test_curves_and_mistakes_are_png_files(tmp_path: Path):
    pytest.importorskip("matplotlib")
    panels = {
        "loss": {"training": [1 / (i + 1) for i in range(300)]},
        "accuracy": {"held out": ([100, 300], [0.5, 0.9])},
    }
    viz.curves(panels, tmp_path / "loss.png")
    images, labels = wg.rand(50, 1, 8, 8), wg.arange(50) % 10
    viz.misclassified(images, labels, (labels + (labels > 6)) % 10, wg.rand(50), tmp_path / "wrong.png")
    for path in tmp_path.iterdir():
        assert path.read_bytes().startswith(b"\x89PNG")


def test_mistakes_may_be_none_and_images_coloured():
    pytest.importorskip("matplotlib")
    labels = wg.arange(3)
    figure = viz.misclassified(wg.rand(3, 3, 8, 8), labels, labels)
    assert "0 of 3 wrong" in figure.get_suptitle()
    figure = viz.misclassified(wg.rand(3, 3, 8, 8), labels, labels + 1, limit=2)
    assert "3 of 3 wrong, 2 shown" in figure.get_suptitle()


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.delitem(sys.modules, "wengert.viz.figures", raising=False)
    with pytest.raises(viz.MissingExtraError, match=r"pip install wengert\[viz\]"):
        viz.curves({"loss": {"training": [1.0]}})
