"""Pictures of large graphs: modules and repeated blocks folded, frames laid out, nothing on top of anything else."""

from __future__ import annotations

import random
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

import wengert as wg
from wengert import nn, viz
from wengert.autograd.graph import Graph
from wengert.nn import functional as F
from wengert.viz import dot_layout
from wengert.viz.groups import Group, expanded, group
from wengert.viz.layout import Block
from wengert.viz.nesting import Request, nested
from wengert.viz.scene import Scene, scene_of
from wengert.viz.svg import paint

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))


class Block2(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 8), nn.Linear(8, 4)

    def forward(self, x: wg.Tensor) -> wg.Tensor:
        return x + self.second(F.relu(self.first(x)))


def stack(depth: int) -> wg.Tensor:
    model = nn.Sequential(*[Block2() for _ in range(depth)], nn.Linear(4, 2))
    with viz.record(model):
        return model(wg.randn(3, 4)).sum()


def resnet() -> Graph:
    from models.resnet import resnet18

    model = resnet18()
    with viz.record(model, values=False):
        loss = F.cross_entropy(model(wg.randn(2, 3, 32, 32)), wg.tensor([1, 2]))
    return Graph({"loss": loss})


def gpt(depth: int) -> Graph:
    from models.gpt import GPT

    model, tokens = GPT(20, 8, depth, 2, 16), wg.arange(8).reshape(1, 8)
    with viz.record(model, values=False):
        _, loss = model(tokens, tokens)
    return Graph({"loss": loss})


def random_graph(count: int, seed: int = 0) -> Graph:
    choose = random.Random(seed)
    values = [wg.ones(4, requires_grad=True)]
    functions = [lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a.tanh() - b, lambda a, b: a.sin()]
    while len(values) < count:
        other = values[choose.randrange(max(0, len(values) - 20), len(values))]
        values.append(choose.choice(functions)(values[-1], other))
    return Graph({"out": values[-1].sum()})


# ---------------------------------------------------------------------- the tree


def test_calls_of_modules_become_groups_and_alike_ones_a_repetition():
    graph = stack(12).graph
    root = group(graph)
    repeat = root.items[0]
    assert isinstance(repeat, Group)
    assert (repeat.kind, repeat.title, repeat.path, len(repeat.items), repeat.ops) == (
        "repeat",
        "Block2",
        "0 … 11",
        12,
        48,
    )
    assert [graph[i].op for i in root.items[1:]] == ["Linear", "Sum"]  # single operations need no group
    assert [graph[i].op for i in repeat.items[0].items] == ["Linear", "Relu", "Linear", "Add"]


def test_every_operation_is_in_the_tree_once():
    for graph in (stack(5).graph, resnet(), random_graph(700)):
        assert list(group(graph).nodes()) == [n.id for n in graph if n.kind == "op"]


def test_repetitions_are_found_without_modules():
    h = wg.ones(3, requires_grad=True)
    for _ in range(20):
        h = (h * 2).tanh() + 1
    root = group(h.sum().graph)
    repeat = root.items[0]
    assert isinstance(repeat, Group)
    assert (repeat.title, len(repeat.items)) == ("Mul, Tanh, Add", 20)


def test_a_module_that_is_called_twice_is_two_groups():
    model = nn.ModuleDict({"a": Block2(), "b": Block2()})
    with viz.record(model):
        y = model["a"](model["b"](model["a"](wg.ones(1, 4))).exp())
    titles = [(i.title, i.path) for i in group(y.graph).items if isinstance(i, Group)]
    assert titles[-1] == ("Block2", "a")
    scene_of(y.graph)


def test_long_rows_are_cut():
    root = group(random_graph(3000))
    assert len(root.items) <= 40
    stack_ = [root]
    while stack_:
        found = stack_.pop()
        assert len(found.items) <= 40 or found.kind == "repeat"
        stack_ += [i for i in found.items if isinstance(i, Group)]


def test_groups_are_opened_within_a_budget():
    root = group(resnet())
    for most in (10, 20, 50, 1000):
        opened = expanded(root, most)
        assert root in opened
    assert len(expanded(root, 10)) < len(expanded(root, 50)) < len(expanded(root, 1000))


# ---------------------------------------------------------------------- what is shown


def test_resnet_and_gpt_are_shown_in_about_fifty_boxes():
    for graph in (resnet(), gpt(4), gpt(12)):
        assert 15 < len(scene_of(graph).boxes) <= 56
    titles = [(f.title, f.times) for f in scene_of(gpt(12)).frames]
    assert ("Block", 12) in titles
    svg = gpt(12).to_svg()
    assert "×12" in svg
    assert "each feeds the next" in svg


def test_a_notebook_shows_the_picture_that_was_drawn():
    graph = viz.draw(resnet(), most=12)
    assert graph._repr_svg_() == graph.to_svg(most=12)
    assert len(graph._repr_svg_()) < len(graph.to_svg())
    assert graph.named({})._repr_svg_() == graph._repr_svg_()


def test_a_closed_repetition_says_how_often_and_how_many_parameters():
    scene = scene_of(stack(12).graph, most=4)
    box = next(b for b in scene.boxes if b.kind == "group")
    assert (box.title, box.times) == ("Block2", 12)
    assert f"{12 * (4 * 8 + 8 + 8 * 4 + 4):,} parameters" in box.note
    assert "several operations" in paint(scene)


def test_inputs_of_a_closed_group_are_shown_as_one():
    cell = nn.LSTMCell(3, 4)
    h = c = wg.zeros(1, 4)
    with viz.record({"cell": cell}):
        for x in wg.randn(30, 1, 3):
            h, c = cell(x, (h, c))
    scene = scene_of(h.sum().graph, most=5)
    tags = [t.text for b in scene.boxes for t in b.tags]
    assert [b.title for b in scene.boxes if b.kind == "group"] == ["LSTMCell"]
    assert "30 × data" in tags or any(b.title == "30 × data" for b in scene.boxes)


def test_numbers_stand_where_they_are_known():
    x, y, z = (wg.tensor(v, requires_grad=True) for v in (-2.0, 5.0, -4.0))
    scene = scene_of(Graph({"f": (x + y) * z}, {"x": x, "y": y, "z": z}))
    assert {b.title: b.gives for b in scene.boxes} == {
        "x": ["-2"],
        "y": ["5"],
        "Add": ["3"],
        "z": ["-4"],
        "Mul": ["-12"],
        "f": [],
    }


def test_ten_thousand_nodes_are_drawn_in_less_than_five_seconds():
    graph = random_graph(10_000)
    assert len(graph) > 10_000
    start = time.perf_counter()
    svg = graph.to_svg()
    assert time.perf_counter() - start < 5
    assert len(svg) < 100_000


# ---------------------------------------------------------------------- where it goes


def checked(scene: Scene) -> None:
    """Boxes lie within their frames and apart; frames lie within frames and apart; lines go to the borders."""
    blocks = [Block(80, 60, 40, 50) for _ in scene.boxes]
    frame_of = [b.frame for b in scene.boxes]
    parents = [f.parent for f in scene.frames]
    request = Request(blocks, [(x.source, x.target) for x in scene.lines], parents, frame_of, [90.0] * len(parents))
    found = nested(request)
    areas: dict[int, list[tuple[float, float, float, float]]] = {}
    for (x, y), b, f in zip(found.centres, blocks, frame_of, strict=True):
        areas.setdefault(f, []).append((x - b.left, y - b.height / 2, x + b.right, y + b.height / 2))
    for at, parent in list(zip(found.bounds, parents, strict=True))[1:]:
        areas.setdefault(parent, []).append((at.x, at.y, at.x + at.width, at.y + at.height))
    for f, inside in areas.items():
        at = found.bounds[f]
        for left, top, right, low in inside:
            assert at.x - 1e-6 <= left <= right <= at.x + at.width + 1e-6
            assert at.y - 1e-6 <= top <= low <= at.y + at.height + 1e-6
            assert f == 0 or top >= at.y + 30  # the title of the frame stands above
        for i, (l1, t1, r1, b1) in enumerate(inside):
            for l2, t2, r2, b2 in inside[:i]:
                assert r1 <= l2 + 1e-6 or r2 <= l1 + 1e-6 or b1 <= t2 + 1e-6 or b2 <= t1 + 1e-6
    assert sum(tip for _, _, tip in found.routes) == len(scene.lines)
    starts = [route[0] for _, route, _ in found.routes]
    for _, route, tip in found.routes:
        assert len(route) % 3 == 1
        assert all(p[1] <= q[1] + 1e-6 for p, q in pairwise(route))
        if not tip:  # the next piece begins where this one ends
            assert any(abs(route[-1][0] - x) < 1e-6 and abs(route[-1][1] - y) < 1e-6 for x, y in starts)


def test_frames_and_boxes_do_not_overlap():
    for graph in (resnet(), gpt(4), stack(3).graph):
        for most in (12, 50, 500):
            checked(scene_of(graph, most))


def test_graphviz_finds_places_for_frames_too():
    if not dot_layout.available():
        pytest.skip("Graphviz is not installed")
    scene = scene_of(stack(3).graph)
    svg = paint(scene, dot_layout.by_dot)
    assert svg.count("marker-end") >= len(scene.lines)
    assert "Block2" in svg
