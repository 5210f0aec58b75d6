"""What operations compute and how gradients pass through them, as formulas: for people, in text and in LaTeX.

The rules that run are in ``autograd/ops``; `rule_source` shows them as written. ``tests/test_explain.py`` compares the
derivatives of this table with them.
"""

from __future__ import annotations

import inspect
import textwrap
from dataclasses import dataclass
from typing import Any

__all__ = ["FORMULAS", "Formula", "formula_of", "rule_source"]


@dataclass(frozen=True, slots=True)
class Formula:
    """An operation y of inputs a, b, c.

    Attributes:
        text, latex: what it computes.
        local: for an elementwise operation the derivative with respect to each input, as pairs of text and LaTeX.
        passes: for any other how the gradient g of y becomes those of the inputs, as pairs.
    """

    text: str
    latex: str
    local: tuple[tuple[str, str], ...] = ()
    passes: tuple[tuple[str, str], ...] = ()


def _elementwise(text: str, latex: str, *local: tuple[str, str]) -> Formula:
    return Formula(text, latex, local=local)


def _linear(text: str, latex: str, *passes: tuple[str, str]) -> Formula:
    return Formula(text, latex, passes=passes)


ONE, SAME = ("1", "1"), ("g, in the shape of a", r"g \text{ in the shape of } a")
MOVED = ("g, moved back", r"g \text{ moved back}")

FORMULAS: dict[str, Formula] = {
    # arithmetic
    "Add": _elementwise("a + b", "a + b", ONE, ONE),
    "Sub": _elementwise("a − b", "a - b", ONE, ("−1", "-1")),
    "Mul": _elementwise("a · b", r"a \cdot b", ("b", "b"), ("a", "a")),
    "Div": _elementwise("a / b", r"\frac{a}{b}", ("1 / b", r"\frac{1}{b}"), ("−a / b²", r"-\frac{a}{b^2}")),
    "Pow": _elementwise("a^b", "a^{b}", ("b · a^(b−1)", r"b\,a^{b-1}"), ("a^b · ln a", r"a^{b} \ln a")),
    "Neg": _elementwise("−a", "-a", ("−1", "-1")),
    "Square": _elementwise("a²", "a^2", ("2a", "2a")),
    "Sqrt": _elementwise("√a", r"\sqrt{a}", ("1 / (2y)", r"\frac{1}{2y}")),
    "Rsqrt": _elementwise("1 / √a", r"\frac{1}{\sqrt{a}}", ("−y³ / 2", r"-\frac{y^3}{2}")),
    "Reciprocal": _elementwise("1 / a", r"\frac{1}{a}", ("−y²", "-y^2")),
    "Abs": _elementwise("|a|", "|a|", ("sign(a)", r"\operatorname{sign} a")),
    "Maximum": _elementwise(
        "max(a, b)",
        r"\max(a, b)",
        ("1 where a > b, ½ where equal", "[a > b]"),
        ("1 where b > a, ½ where equal", "[b > a]"),
    ),
    "Minimum": _elementwise(
        "min(a, b)",
        r"\min(a, b)",
        ("1 where a < b, ½ where equal", "[a < b]"),
        ("1 where b < a, ½ where equal", "[b < a]"),
    ),
    "Clamp": _elementwise(
        "min(max(a, low), high)", r"\min(\max(a, l), h)", ("1 where low ≤ a ≤ high, else 0", r"[l \le a \le h]")
    ),
    # exponentials and trigonometry
    "Exp": _elementwise("e^a", "e^{a}", ("y", "y")),
    "Log": _elementwise("ln a", r"\ln a", ("1 / a", r"\frac{1}{a}")),
    "Log1p": _elementwise("ln(1 + a)", r"\ln(1 + a)", ("1 / (1 + a)", r"\frac{1}{1 + a}")),
    "Log2": _elementwise("log₂ a", r"\log_2 a", ("1 / (a · ln 2)", r"\frac{1}{a \ln 2}")),
    "Log10": _elementwise("log₁₀ a", r"\log_{10} a", ("1 / (a · ln 10)", r"\frac{1}{a \ln 10}")),
    "Sin": _elementwise("sin a", r"\sin a", ("cos a", r"\cos a")),
    "Cos": _elementwise("cos a", r"\cos a", ("−sin a", r"-\sin a")),
    "Tan": _elementwise("tan a", r"\tan a", ("1 + y²", "1 + y^2")),
    "Tanh": _elementwise("tanh a", r"\tanh a", ("1 − y²", "1 - y^2")),
    "Sinh": _elementwise("sinh a", r"\sinh a", ("cosh a", r"\cosh a")),
    "Cosh": _elementwise("cosh a", r"\cosh a", ("sinh a", r"\sinh a")),
    "Atan": _elementwise("atan a", r"\arctan a", ("1 / (1 + a²)", r"\frac{1}{1 + a^2}")),
    "Asin": _elementwise("asin a", r"\arcsin a", ("1 / √(1 − a²)", r"\frac{1}{\sqrt{1 - a^2}}")),
    "Acos": _elementwise("acos a", r"\arccos a", ("−1 / √(1 − a²)", r"-\frac{1}{\sqrt{1 - a^2}}")),
    "Erf": _elementwise("erf a", r"\operatorname{erf} a", ("2/√π · e^(−a²)", r"\frac{2}{\sqrt{\pi}} e^{-a^2}")),
    # activations
    "Sigmoid": _elementwise("1 / (1 + e^(−a))", r"\sigma(a)", ("y · (1 − y)", "y(1 - y)")),
    "LogSigmoid": _elementwise("ln σ(a)", r"\ln \sigma(a)", ("σ(−a)", r"\sigma(-a)")),
    "Relu": _elementwise("max(a, 0)", r"\max(a, 0)", ("1 where a > 0, else 0", "[a > 0]")),
    "LeakyRelu": _elementwise(
        "a where a > 0, else slope · a",
        r"\max(a, 0) + s\min(a, 0)",
        ("1 where a > 0, else slope", "[a > 0] + s[a \\le 0]"),
    ),
    "Silu": _elementwise(
        "a · σ(a)", r"a\,\sigma(a)", ("σ(a) · (1 + a · (1 − σ(a)))", r"\sigma(a)(1 + a(1 - \sigma(a)))")
    ),
    "Gelu": _elementwise("a · Φ(a)", r"a\,\Phi(a)", ("Φ(a) + a · φ(a)", r"\Phi(a) + a\,\varphi(a)")),
    "Softplus": _elementwise("ln(1 + e^a)", r"\ln(1 + e^{a})", ("σ(a)", r"\sigma(a)")),
    "Dropout": _linear("a · mask · scale", r"a \odot m \cdot s", ("g · mask · scale", r"g \odot m \cdot s")),
    # reductions
    "Sum": _linear("sum of a", r"\sum a", ("g, repeated for every element that was added", r"g \text{ repeated}")),
    "Mean": _linear("mean of a", r"\frac{1}{n}\sum a", ("g / n, repeated", r"\frac{g}{n} \text{ repeated}")),
    "SumRows": _linear("sum of all rows of a", r"\sum_i a_i", ("g, repeated for every row", r"g \text{ repeated}")),
    "SumTo": _linear("a, summed to a smaller shape", r"\sum a", ("g, repeated", r"g \text{ repeated}")),
    "Amax": _linear("max of a", r"\max a", ("g at the largest elements, 0 elsewhere", r"g\,[a = y]")),
    "Var": _linear("variance of a", r"\operatorname{var} a", ("2 g (a − mean) / n", r"\frac{2 g (a - \bar a)}{n}")),
    # matrices
    "Linear": _linear(
        "a · Wᵀ + b",
        r"a\,W^\top + b",
        ("g · W", r"g\,W"),
        ("gᵀ · a", r"g^\top\,a"),
        ("sum of the rows of g", r"\sum_i g_i"),
    ),
    "Mm": _linear("a · b", "a\\,b", ("g · bᵀ", r"g\,b^\top"), ("aᵀ · g", r"a^\top\,g")),
    "Bmm": _linear("a · b, matrix by matrix", "a\\,b", ("g · bᵀ", r"g\,b^\top"), ("aᵀ · g", r"a^\top\,g")),
    "Gram": _linear("aᵀ · b", r"a^\top\,b", ("b · gᵀ", r"b\,g^\top"), ("a · g", "a\\,g")),
    "Convolution": _linear(
        "a ∗ W + b",
        r"a * W + b",
        ("g, spread back through W", r"g *^\top W"),
        ("a ∗ g", "a * g"),
        ("sum of g for each channel", r"\sum g"),
    ),
    "ConvolutionInput": _linear(
        "a spread through W, + b", r"a *^\top W + b", ("g ∗ W", "g * W"), ("g ∗ a", "g * a"), ("sum of g", r"\sum g")
    ),
    "Embedding": _linear(
        "the rows of a with the given numbers", "a_{i}", ("g added to the rows that were read", r"\sum g")
    ),
    "Attention": _linear(
        "softmax(q·kᵀ / √d) · v",
        r"\operatorname{softmax}(q k^\top / \sqrt{d})\,v",
        ("P∘(g·vᵀ − rowsum) · k / √d", r"\tfrac{1}{\sqrt d} S k"),
        ("Sᵀ · q / √d", r"\tfrac{1}{\sqrt d} S^\top q"),
        ("Pᵀ · g", r"P^\top g"),
    ),
    # normalising and losses
    "Softmax": _linear(
        "e^a / sum of e^a", r"\frac{e^{a}}{\sum e^{a}}", ("y · (g − sum of g·y)", r"y \odot (g - \textstyle\sum g\,y)")
    ),
    "LogSoftmax": _linear(
        "a − ln(sum of e^a)", r"a - \ln\sum e^{a}", ("g − softmax(a) · sum of g", r"g - e^{y}\textstyle\sum g")
    ),
    "LogSumExp": _linear("ln(sum of e^a)", r"\ln\sum e^{a}", ("g · softmax(a)", r"g\,\operatorname{softmax}(a)")),
    "Normalise": _linear(
        "(a − mean) / √(var + ε) · w + b",
        r"\frac{a - \mu}{\sqrt{\sigma^2 + \varepsilon}}\,w + b",
        (
            "w / √(var + ε) · (g − mean g − â · mean(g·â))",
            r"\tfrac{w}{\sigma}(g - \bar g - \hat a\,\overline{g \hat a})",
        ),
        ("sum of g · â", r"\sum g\,\hat a"),
        ("sum of g", r"\sum g"),
    ),
    "CrossEntropy": _linear(
        "mean of −ln softmax(a)[target]",
        r"-\tfrac{1}{n}\sum \ln \operatorname{softmax}(a)_t",
        ("g · (softmax(a) − target) / n", r"\tfrac{g}{n}(\operatorname{softmax}(a) - t)"),
    ),
    "SquaredError": _linear(
        "(a − b)²",
        "(a - b)^2",
        ("2 g (a − b), / n for a mean", "2 g (a - b)"),
        ("−2 g (a − b), / n for a mean", "-2 g (a - b)"),
    ),
    "BCELogits": _linear(
        "−t ln σ(a) − (1 − t) ln(1 − σ(a))",
        r"-t\ln\sigma(a) - (1 - t)\ln(1 - \sigma(a))",
        ("g · (σ(a) − t)", r"g(\sigma(a) - t)"),
    ),
    # windows, shapes and choices
    "MaxPool": _linear(
        "max of each window", r"\max_{w} a", ("g, at the largest element of each window", "g\\,[a = y]")
    ),
    "AvgPool": _linear("mean of each window", r"\overline{a}_w", ("g / n, at every element of the window", "g / n")),
    "View": _linear("a in another shape", "a", SAME),
    "Permute": _linear("a with its dimensions in another order", "a", MOVED),
    "T": _linear("aᵀ", r"a^\top", ("gᵀ", r"g^\top")),
    "Transpose": _linear("a with two dimensions exchanged", r"a^\top", ("gᵀ", r"g^\top")),
    "Expand": _linear("a, repeated", "a", ("g, summed over what was repeated", r"\sum g")),
    "Unsqueeze": _linear("a with a new dimension", "a", SAME),
    "Squeeze": _linear("a without dimensions of size 1", "a", SAME),
    "Slice": _linear("a part of a", "a[k]", ("g in its place, 0 elsewhere", r"g \text{ at } k")),
    "Select": _linear("one position of a", "a[k]", ("g in its place, 0 elsewhere", r"g \text{ at } k")),
    "Index": _linear("the chosen elements of a", "a[k]", ("g added where they were", r"g \text{ at } k")),
    "Split": _linear("the parts of a", "a", ("the parts of g, joined", "g")),
    "Unbind": _linear("the slices of a", "a", ("the slices of g, joined", "g")),
    "Cat": _linear("a, b, … one after the other", "[a; b]", ("its part of g", "g"), ("its part of g", "g")),
    "Stack": _linear("a, b, … as one", "[a, b]", ("its slice of g", "g"), ("its slice of g", "g")),
    "Where": _linear(
        "a where the condition holds, else b",
        r"c\,?\,a : b",
        ("", ""),
        ("g there", "g[c]"),
        ("g elsewhere", "g[\\bar c]"),
    ),
    "MaskedFill": _linear("a, or a value where the mask holds", "a", ("g where the mask does not hold", r"g[\bar m]")),
    "Clone": _linear("a copy of a", "a", ("g", "g")),
    "Cast": _linear("a in another type", "a", ("g in the type of a", "g")),
    "Identity": _linear("a", "a", ("g", "g")),
    "Copied": _linear("a copy of b", "b", ("", ""), ("g", "g")),
}


def formula_of(op: Any) -> Formula | None:
    """The formula of a primitive: of this table, or from what it says of itself; None where nothing is known."""
    found = FORMULAS.get(op.__name__)
    expression = getattr(op, "expression", None)
    if found is None and expression:
        found = Formula(expression, rf"\mathtt{{{expression}}}".replace("_", r"\_"))
    return found


def rule_source(op: Any) -> str:
    """The rule as it is written: the derivative of an elementwise operation, else the ``backward``."""
    rule: Any = op.__dict__.get("derivative") or op.__dict__.get("derivatives") or getattr(op, "derivative", None)
    if isinstance(rule, staticmethod):
        rule = rule.__func__
    if rule is None or isinstance(rule, tuple):
        rule = getattr(getattr(op, "function", op), "backward", None) if rule is None else rule[0]
    try:
        lines = textwrap.dedent(inspect.getsource(rule)).rstrip()
    except (OSError, TypeError):
        return ""
    return lines if len(lines) < 2500 else ""
