"""Every op of the table can be looked at: stepped through, drawn, put on a page and explained."""

from __future__ import annotations

import json

import numpy as np
import pytest

import wengert as wg
from wengert import viz
from wengert.viz.page_data import page_data

from .cases.base import OpCase
from .cases.ops import CASES
from .op_checks import is_float, mapped, samples


def dense(t: wg.Tensor) -> np.ndarray:
    return (t.to_dense() if t.layout is not wg.strided else t).detach().numpy()


@pytest.mark.parametrize("case", [c for c in CASES if c.orders], ids=str)
def test_an_op_can_be_looked_at(case: OpCase):
    inputs = mapped(samples(case)[0], lambda a: wg.tensor(a, requires_grad=is_float(a)))
    with viz.record():
        graph = viz.Graph({"y": case.fn(wg, *inputs)})
    if not any(n.kind == "op" for n in graph):
        return
    data = page_data(graph, "", True, 40)
    assert json.dumps(data, allow_nan=False)
    assert data["steps"]
    assert graph.to_svg(engine="builtin").startswith("<svg")
    output = next((t for t in graph.roots if t.requires_grad), None)
    if output is None:
        return
    if output.dtype.is_floating_point:
        assert "Result: " in viz.explain(output).text
    leaves, g = [n.source for n in output.graph.leaves], wg.ones_like(output)
    expected = wg.autograd.grad(output, leaves, g, retain_graph=True, allow_unused=True)
    for step in output.backward_steps(g):
        assert len(step.outgoing) == len(step.local) == len(step.inputs) == len(step.node.edges)
    for leaf, e in zip(leaves, expected, strict=True):
        assert (leaf.grad is None) == (e is None)
        if e is not None:
            assert dense(leaf.grad).tobytes() == dense(e).tobytes()
