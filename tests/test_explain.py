"""The chain rule in words and formulas, and the formulas themselves against the rules that run."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn, viz
from wengert.autograd.primitive import Primitive, apply
from wengert.nn import functional as F
from wengert.viz.formulas import FORMULAS, formula_of, rule_source


def every(base: type = Primitive) -> dict[str, type]:
    found = {}
    for sub in base.__subclasses__():
        if sub.__module__.startswith("wengert"):
            found[sub.__name__] = sub
        found |= every(sub)
    return found


PRIMITIVES = every()
ELEMENTWISE = sorted(name for name, formula in FORMULAS.items() if formula.local)

FUNCTIONS = {
    **{name: getattr(np, name) for name in ("sin", "cos", "sinh", "cosh", "tanh", "sqrt", "sign", "where")},
    "ln": np.log,
    "pi": math.pi,
    "e": math.e,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "normal": np.vectorize(lambda x: (1 + math.erf(x / math.sqrt(2))) / 2),
    "bell": lambda x: np.exp(-x * x / 2) / math.sqrt(2 * math.pi),
}
SYMBOLS = {"−": "-", "·": "*", "²": "**2", "³": "**3", "^": "**", "½": "0.5", "≤": "<=", "π": "pi",
           "σ": "sigmoid", "Φ": "normal", "φ": "bell"}  # fmt: skip


def value_of(text: str, known: dict[str, Any]) -> Any:
    """A formula of the table, computed by NumPy."""
    chosen = re.fullmatch("(.+) where (.+), (?:else (.+)|(.+) where equal)", text)
    if chosen:
        other = "0" if chosen[4] else chosen[3]
        condition = re.sub("low <= a <= high", "(low <= a) & (a <= high)", value_text(chosen[2]))
        return eval(f"where({condition}, {value_text(chosen[1])}, {value_text(other)})", {}, FUNCTIONS | known)
    return eval(value_text(text), {}, FUNCTIONS | known)


def value_text(text: str) -> str:
    for symbol, code in SYMBOLS.items():
        text = text.replace(symbol, code)
    text = re.sub(r"√(\w+)", r"sqrt(\1)", text).replace("√", "sqrt")
    text = re.sub(r"(\d)([a-z(])", r"\1*\2", text)
    return re.sub(r"\b(ln|sin|cos|sinh|cosh|tanh) (\w+)", r"\1(\2)", text)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_local_derivatives_of_the_table_are_those_of_the_rules(name: str):
    low, high = (0.1, 0.9) if name in ("Asin", "Acos") else (-1.5, 2.0)
    if name in ("Log", "Log2", "Log10", "Log1p", "Sqrt", "Rsqrt", "Pow", "Reciprocal"):
        low = 0.3
    rng = np.random.default_rng(0)
    count = len(FORMULAS[name].local)
    inputs = [wg.tensor(rng.uniform(low, high, 7), requires_grad=True) for _ in range(count)]
    params = {"Clamp": {"low": -0.5, "high": 0.8}, "LeakyRelu": {"negative_slope": 0.1},
              "Gelu": {"approximate": "none"}, "Softplus": {"beta": 1.0, "threshold": 20.0}}.get(name, {})  # fmt: skip
    y = apply(PRIMITIVES[name], *inputs, **params)
    (step,) = y.backward_steps(wg.ones_like(y))
    known = {"a": inputs[0].detach().numpy(), "y": y.detach().numpy(), "low": -0.5, "high": 0.8, "slope": 0.1}
    if count == 2:
        known["b"] = inputs[1].detach().numpy()
    for (text, _), local in zip(FORMULAS[name].local, step.local, strict=True):
        np.testing.assert_allclose(np.broadcast_to(value_of(text, known), 7), local.numpy(), rtol=1e-6, atol=1e-12)


def test_the_table_names_operations_that_exist():
    assert set(FORMULAS) <= set(PRIMITIVES)
    for name, formula in FORMULAS.items():
        assert bool(formula.local) == hasattr(PRIMITIVES[name], "expression") or name in ("Where", "Clone"), name
        for latex in [formula.latex, *(t for _, t in formula.local + formula.passes)]:
            balanced(latex)


def test_other_elementwise_operations_tell_their_expression():
    assert formula_of(PRIMITIVES["Hardtanh"]).text == PRIMITIVES["Hardtanh"].expression
    assert formula_of(PRIMITIVES["Cholesky"]) is None


def test_rules_are_shown_as_they_are_written():
    assert "times(g, y)" in rule_source(PRIMITIVES["Exp"])
    assert "def backward" in rule_source(PRIMITIVES["Mul"])

    class Mine(wg.autograd.Function):
        @staticmethod
        def backward(ctx, g):
            return 2 * g

    assert "return 2 * g" in rule_source(Mine._node_type.op)


# ---------------------------------------------------------------------- explanations


def balanced(latex: str) -> None:
    depth = 0
    for c in re.sub(r"\\[{}]", "", latex):
        depth += (c == "{") - (c == "}")
        assert depth >= 0
    assert depth == 0
    assert len(re.findall(r"\\left\b", latex)) == len(re.findall(r"\\right\b", latex))


def test_the_circuit():
    x, y, z = (wg.tensor(v, requires_grad=True) for v in (-2.0, 5.0, -4.0))
    f = (x + y) * z
    names = {"f": f, "x": x, "y": y, "z": z}
    for tensor, name, value in ((x, "x", "−4"), (y, "y", "−4"), (z, "z", "3")):
        text = str(viz.explain(f, tensor, names))
        assert f"Result: ∂f/∂{name} = {value}." in text
    text = str(viz.explain(f, x, names))
    assert "u1 = x + y = (−2) + 5 = 3" in text
    assert "∂f/∂x = ∂f/∂u1 · 1 = (−4) · 1 = −4" in text
    every_one = str(viz.explain(f, names=names))
    assert every_one.count("Result:") == 3
    assert x.grad is None
    f.backward()  # the graph is still there


def test_formulas():
    x, y, z = (wg.tensor(v, requires_grad=True) for v in (-2.0, 5.0, -4.0))
    f = (x + y) * z
    latex = viz.explain(f, x, {"f": f, "x": x, "y": y, "z": z}).latex
    balanced(latex)
    assert r"f &= u_{1} \cdot z = -12" in latex
    assert (
        r"\frac{\partial f}{\partial x} &= \frac{\partial f}{\partial u_{1}} \cdot \frac{\partial u_{1}}{\partial x}"
        in latex
    )


def test_what_is_read_several_times_adds_up():
    a = wg.tensor(1.5, requires_grad=True)
    g = (a * 2).sin() * a + a**3
    explanation = viz.explain(g, a, {"a": a, "g": g})
    g.backward()
    assert "a is read in 3 places" in explanation.text
    assert f"Result: ∂g/∂a = {a.grad.item():g}" in explanation.text.replace("−", "-")
    assert r"\Big|_{u_{1}}" in explanation.latex
    balanced(explanation.latex)


def test_a_network():
    wg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    with viz.record(model):
        loss = F.cross_entropy(model(wg.randn(5, 3)), wg.tensor([0, 1, 0, 1, 0]))
    explanation = viz.explain(loss, model[0].weight, model)
    assert "gᵀ · a" in explanation.text
    assert "W = 0.weight (4×3)" in explanation.text
    assert "1 − u2², element by element" in explanation.text
    assert "[0]" in explanation.text
    assert r"\left(\frac{\partial y}{\partial u_{1}}\right)^\top" in explanation.latex
    balanced(explanation.latex)
    assert "2.weight" not in viz.explain(loss, model[2].bias, model).text.partition("Result")[2]
    assert explanation._repr_markdown_().count("$$") == 2


def test_long_ways_are_shortened():
    x = wg.tensor(0.5, requires_grad=True)
    y = x
    for _ in range(100):
        y = y.sin()
    explanation = viz.explain(y, x)
    assert "… 70 steps of the same kind …" in explanation.text
    assert len(explanation.text.splitlines()) < 80


def test_what_cannot_be_explained():
    x, other = wg.ones(1, requires_grad=True), wg.ones(1, requires_grad=True)
    y = (x * 2).sum()
    with pytest.raises(RuntimeError, match="does not depend on `wrt`"):
        viz.explain(y, other)
    with pytest.raises(RuntimeError, match="nothing was recorded"):
        viz.explain(wg.ones(1))
    z = (x * x).sum()
    z.backward()
    with pytest.raises(RuntimeError, match="second time"):
        viz.explain(z, x)


def test_the_output_is_named_as_in_a_drawing():
    x = wg.tensor(3.0, requires_grad=True)
    f = x * x
    named = str(viz.explain({"f": f}, names={"x": x}))
    assert named == str(viz.explain(f, names={"f": f, "x": x}))
    assert named.startswith("f = ")
    with pytest.raises(ValueError, match="takes one output, got 2: f, g"):
        viz.explain({"f": f, "g": f}, names={"x": x})


def test_numbers_that_are_added_are_shown_though_nothing_keeps_them():
    b = wg.tensor(0.5, requires_grad=True)
    for y, formula in ((b - 1.0, "b − 1"), (1.0 - b, "1 − b"), (b + 3.0, "b + 3")):
        assert str(viz.explain({"y": y}, wrt=b, names={"b": b})).startswith(f"y = {formula}.")
    vector = wg.ones(2, requires_grad=True)
    assert "u1 = b − constant" in str(viz.explain((vector - 1.0).sum(), wrt=vector, names={"b": vector}))
