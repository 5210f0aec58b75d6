"""``explain``: the chain rule for one graph, in words and in LaTeX, with its numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..autograd.graph import Graph
from ..autograd.graph_formats import times
from ..backends.errors import InvalidValueError
from .adjoints import Adjoints
from .formulas import Formula, formula_of
from .known import Known
from .values import Values, measure
from .wording import bracketed, described, factor, filled, is_number, joined, minus, number_of, tex_bracketed, tex_name

if TYPE_CHECKING:
    from ..autograd.graph import GraphEdge, GraphNode
    from ..autograd.stepping import BackwardStep
    from ..autograd.tensor import Tensor

__all__ = ["Explanation", "explain"]

OWN_LETTERS = {"Linear": "aWb", "Convolution": "aWb", "ConvolutionInput": "aWb", "Attention": "qkv", "Normalise": "awb"}
LETTERS = "abcdefgh"
MOST_STEPS = 30


class Explanation:
    """What `explain` found out; printed it is words, in a notebook words and formulas.

    Attributes:
        text: in words.
        latex: the same as formulas, to be put between ``$$``.
    """

    def __init__(self, text: str, latex: str) -> None:
        self.text, self.latex = text, latex

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        words = re.sub("([*_#])", r"\\\1", self.text).replace("\n", "  \n")
        return f"{words}\n\n$${self.latex}$$"


def explain(
    loss: Tensor | Mapping[str, Tensor], wrt: Tensor | Sequence[Tensor] | None = None, names: Any = None
) -> Explanation:
    """How a change of ``wrt`` reaches ``loss``: every step of the chain rule, with its formula and its numbers.

    No ``.grad`` changes, and the graph is kept.

    Args:
        loss: a recorded tensor, or a mapping of its name to it; the pass begins with ones.
        wrt: leaves to explain the gradient of; all unless told.
        names: names for the leaves: a module, or a mapping of names to tensors. Values between have numbers: u1, u2.

    Returns:
        An `Explanation`; ``str()`` of it are words, ``.latex`` formulas.

    Raises:
        RuntimeError: nothing was recorded, the graph was freed, or ``loss`` does not depend on ``wrt``.
        ValueError: a mapping has another number of tensors than one.

    Example:
        >>> import wengert as wg
        >>> from wengert import viz
        >>> x, y, z = (wg.tensor(v, requires_grad=True) for v in (-2.0, 5.0, -4.0))
        >>> f = (x + y) * z
        >>> print(viz.explain({"f": f}, wrt=x, names={"x": x, "y": y, "z": z}))
        f = u1 · z and u1 = x + y. How does f change with x? Follow the graph from f back to x.
        <BLANKLINE>
        1. f = u1 · z = 3 · (−4) = −12.
           A change of u1 reaches f times z = −4: ∂f/∂u1 = 1 · (−4) = −4.
        2. u1 = x + y = (−2) + 5 = 3.
           A change of x reaches u1 times 1: ∂f/∂x = ∂f/∂u1 · 1 = (−4) · 1 = −4.
        <BLANKLINE>
        Result: ∂f/∂x = −4. When x grows by a little, f changes by about −4 times as much.
    """
    label = ""
    if isinstance(loss, Mapping):
        if len(loss) != 1:
            raise InvalidValueError(f"explain: takes one output, got {len(loss)}: {', '.join(loss)}")
        ((label, loss),) = loss.items()
    given = names if names is None or isinstance(names, Mapping) else dict(Graph(loss, names)._names)
    label = label or next((n for n, t in (given or {}).items() if t is loss), "")
    graph = Graph({label: loss} if label else loss, given)
    wanted = [n.id for n in graph.leaves] if wrt is None else [_node_of(graph, t) for t in _several(wrt)]
    return _Explainer(graph, wanted).explain()


def _several(wrt: Any) -> Sequence[Any]:
    return wrt if isinstance(wrt, list | tuple) else [wrt]


def _node_of(graph: Graph, tensor: Any) -> int:
    for n in graph.leaves:
        if n.source is tensor:
            return n.id
    raise RuntimeError("explain: the output does not depend on `wrt`, or that is no leaf; give one of its leaves")


class _Explainer:
    def __init__(self, graph: Graph, wanted: list[int]) -> None:
        self.graph, self.wanted = graph, wanted
        self.known = Known(graph)
        self.adjoints = Adjoints(graph)
        self.steps: dict[int, BackwardStep] = dict(self.adjoints)
        self.on_path = self._between()
        self.root = graph.outputs[0]
        self.names = self._named()

    def _between(self) -> set[int]:
        """The operations through which a change of what is wanted goes."""
        reached = set(self.wanted)
        for e in self.graph.edges:  # in the order of targets
            if e.source in reached:
                reached.add(e.target)
        return reached

    def _named(self) -> dict[int, str]:
        names, count = {}, 0
        for n in self.graph:
            if n.id == self.root:
                names[n.id] = n.name or "y"
            elif n.kind == "op":
                count += 1
                names[n.id] = f"u{count}"
            else:
                names[n.id] = n.name or f"{n.kind}{n.id}"
        return names

    # ------------------------------------------------------------------ the whole

    def explain(self) -> Explanation:
        root, goals = self.names[self.root], [self.names[w] for w in self.wanted]
        order = [i for i in self.steps if i in self.on_path]
        shown = order if len(order) <= MOST_STEPS else order[: MOST_STEPS // 2] + order[-MOST_STEPS // 2 :]
        whole = " and ".join(f"{self.names[i]} = {self._formula(i)}" for i in order) if len(order) <= 3 else ""
        aim = joined(goals)
        lines = [f"{whole + '. ' if whole else ''}How does {root} change with {aim}? "
                 f"Follow the graph from {root} back to {aim}.", ""]  # fmt: skip
        formulas: list[str] = []
        for k, i in enumerate(order, 1):
            if i in shown:
                text, latex = self._step(i)
                head = f"{k}. "
                lines += [head + text[0], *(" " * len(head) + t for t in text[1:])]
                formulas += latex
            elif i == order[MOST_STEPS // 2]:
                lines.append(f"   … {len(order) - len(shown)} steps of the same kind …")
                formulas.append(r"&\;\;\vdots")
        lines.append("")
        for w in self.wanted:
            lines += self._sum(w)
            formulas += self._latex_sum(w)
            lines.append(self._result(w))
        return Explanation("\n".join(lines), "\\begin{aligned}\n" + " \\\\\n".join(formulas) + "\n\\end{aligned}")

    def _step(self, i: int) -> tuple[list[str], list[str]]:
        n, step = self.graph.nodes[i], self.steps[i]
        where = f" [{n.module}]" if n.module else ""
        text = [f"{self.names[i]} = {self._formula(i)}{self._in_numbers(i)}{where}."]
        latex = [f"{self._tex(i)} &= {self._tex_formula(i)}{self._tex_number(i)}"]
        for e in self.graph.inputs_of(n):
            if e.source in self.on_path and step.outgoing[e.input] is not None:
                text.append(self._passed(n, step, e))
                latex.append(self._tex_passed(n, step, e))
        return text, latex

    # ------------------------------------------------------------------ in words

    def _formula(self, i: int) -> str:
        """What an operation computes, with the names of its inputs."""
        n = self.graph.nodes[i]
        formula, inputs = formula_of(n.source.op), self._inputs(n)
        if formula is None:
            return f"{n.op}({', '.join(inputs.values())})"
        if hasattr(n.source.op, "expression"):
            return filled(formula.text, inputs)
        used = {a: name for a, name in inputs.items() if a in re.findall("[A-Za-z]+", formula.text)}
        shapes = {self._letter(n, e.input): times(e.shape) for e in self.graph.inputs_of(n)}
        words = ", ".join(f"{a} = {name} ({shapes[a]})" for a, name in used.items() if a in shapes)
        return f"{formula.text}, where {words}" if words else formula.text

    def _in_numbers(self, i: int) -> str:
        n = self.graph.nodes[i]
        formula, result = formula_of(n.source.op), self.known.number(i)
        if result is None:
            return f", of shape {times(n.shapes[0])}" if n.shapes[0] else ""
        numbers = {self._letter(n, e.input): self._number(e.source, e.output) for e in self.graph.inputs_of(n)}
        numbers |= self._constants(n)
        plain = formula is not None and hasattr(n.source.op, "expression") and re.fullmatch(r"[\sab+−·/²^()√1e]*|"
                r"(sin|cos|tanh|ln|tan) a", formula.text)  # fmt: skip
        if not plain or None in numbers.values():
            return f" = {minus(result)}"
        assert formula is not None
        inside = {a: bracketed(v) for a, v in numbers.items() if v is not None}
        return f" = {filled(formula.text, inside)} = {minus(result)}"

    def _passed(self, n: GraphNode, step: BackwardStep, e: GraphEdge) -> str:
        """How the gradient goes on to one input."""
        root, source, here = self.names[self.root], self.names[e.source], self.names[n.id]
        formula, inputs = formula_of(n.source.op), self._inputs(n) | {"y": here}
        arriving = "1" if n.id == self.root else f"∂{root}/∂{here}"
        several = self._uses(e.source) > 1
        result = f"∂{root}/∂{source}" + (f", as far as it comes from {here}," if several else "")
        incoming, out, local = step.incoming[0], step.outgoing[e.input], step.local[e.input]
        numbers = [measure(g).numbers if g is not None else None for g in (incoming, local, out)]
        rule = self._rule(formula, n, e.input)
        if rule and hasattr(n.source.op, "expression"):
            how = filled(rule[0], inputs)
            if all(isinstance(v, float) for v in numbers):
                g, d, o = (minus(f"{v:g}") for v in numbers)
                value = f" = {d}" if how != d else ""
                start = f"{arriving} · " if n.id != self.root else ""
                middle = f"{start}{factor(how)} = " if start else ""
                return (
                    f"A change of {source} reaches {here} times {how}{value}: "
                    f"{result} = {middle}{bracketed(g)} · {bracketed(d)} = {o}."
                )
            return (
                f"A change of {source} reaches {here} times {how}, element by element: "
                f"{result} = {arriving} · {factor(how)}: {described(out)}."
            )
        how = f"as {rule[0]}, with g = {arriving}" if rule else f"by the rule of {n.op}, from {arriving}"
        return f"The gradient passes on to {source} {how}: {result} is {described(out)}."

    def _sum(self, w: int) -> list[str]:
        """Where a value is read more than once: what comes back adds up."""
        parts = self._parts(w)
        if len(parts) < 2:
            return []
        name, total = self.names[w], self._gradient(w)
        values = [number_of(self.steps[e.target].outgoing[e.input]) for e in parts]
        text = f"{name} is read in {len(parts)} places, and what comes back from them adds up"
        if total.numbers is not None and not total.shape and None not in values:
            terms = " + ".join(bracketed(minus(f"{v:g}")) for v in values)
            text += f": {terms} = {minus(str(total))}"
        return [text + "."]

    def _result(self, w: int) -> str:
        root, name, total = self.names[self.root], self.names[w], self._gradient(w)
        if not total.shape and total.numbers is not None:
            value = minus(str(total))
            return (
                f"Result: ∂{root}/∂{name} = {value}. When {name} grows by a little, {root} changes by about {value} "
                "times as much."
            )
        return f"Result: ∂{root}/∂{name} is {described(self.adjoints.leaves[w])}."

    # ------------------------------------------------------------------ in LaTeX

    def _tex_formula(self, i: int) -> str:
        n = self.graph.nodes[i]
        formula = formula_of(n.source.op)
        inputs = {a: name if is_number(name) else tex_name(name) for a, name in self._inputs(n).items()}
        if formula is None:
            return rf"\operatorname{{{n.op}}}({', '.join(inputs.values())})"
        return filled(formula.latex, inputs, tex=True)

    def _tex_passed(self, n: GraphNode, step: BackwardStep, e: GraphEdge) -> str:
        source, here = self._tex(e.source), self._tex(n.id)
        formula, out = formula_of(n.source.op), number_of(step.outgoing[e.input])
        rule = self._rule(formula, n, e.input)
        left = self._partial(e.source)
        if self._uses(e.source) > 1:
            left += rf"\Big|_{{{here}}}"
        inputs = {a: name if is_number(name) else tex_name(name) for a, name in self._inputs(n).items()} | {"y": here}
        if rule and hasattr(n.source.op, "expression"):
            how = filled(rule[1], inputs, tex=True)
            chain = rf"{self._partial(n.id)} \cdot \frac{{\partial {here}}}{{\partial {source}}}"
            text = (
                f"{left} &= {how}"
                if n.id == self.root
                else rf"{left} &= {chain} = {self._partial(n.id)} \cdot \left({how}\right)"
            )
        elif rule:
            g = "1" if n.id == self.root else self._partial(n.id)
            inputs["g"] = rf"\left({g}\right)" if "g^" in rule[1] and g != "1" else g
            text = f"{left} &= {filled(rule[1], inputs, tex=True)}"
        else:
            text = rf"{left} &= \operatorname{{{n.op}}}^\top\left({self._partial(n.id)}\right)"
        local, incoming = number_of(step.local[e.input]), number_of(step.incoming[0])
        if out is not None and local is not None and incoming is not None:
            text += f" = {tex_bracketed(incoming)} \\cdot {tex_bracketed(local)} = {out:g}"
        return text

    def _latex_sum(self, w: int) -> list[str]:
        parts, total = self._parts(w), self._gradient(w)
        if len(parts) < 2:
            return []
        terms = " + ".join(rf"{self._partial(w)}\Big|_{{{self._tex(e.target)}}}" for e in parts)
        number = f" = {total}" if not total.shape and total.numbers is not None else ""
        return [f"{self._partial(w)} &= {terms}{number}"]

    def _partial(self, i: int) -> str:
        root = self._tex(self.root)
        return rf"\frac{{\partial {root}}}{{\partial {self._tex(i)}}}"

    def _tex(self, i: int) -> str:
        return tex_name(self.names[i])

    def _tex_number(self, i: int) -> str:
        number = self.known.number(i)
        return "" if number is None else f" = {number}"

    # ------------------------------------------------------------------ parts

    def _letter(self, n: GraphNode, i: int) -> str:
        return (OWN_LETTERS.get(n.op, LETTERS) + "?" * 99)[i]

    def _inputs(self, n: GraphNode) -> dict[str, str]:
        """Letter -> name of an input, or the number that it is."""
        found = {self._letter(n, e.input): self.names[e.source] for e in self.graph.inputs_of(n)}
        return found | {a: v for a, v in self._constants(n).items() if a not in found}

    def _constants(self, n: GraphNode) -> dict[str, str]:
        edges, saved = n.source.edges, n.source._saved or ()
        if n.op in ("Add", "Sub") and len(edges) == 2 and None in edges:
            return self._addend(n)
        if len(edges) != len(saved):
            return {}
        pairs = [(i, s) for i, s in enumerate(saved) if edges[i] is None and isinstance(s, int | float)]
        return {self._letter(n, i): minus(f"{s:g}") for i, s in pairs}

    def _addend(self, n: GraphNode) -> dict[str, str]:
        """What is added and not kept, by the numbers before and after."""
        known = self.graph.inputs_of(n)
        if len(known) != 1:
            return {}
        before, after = self.known.array(known[0].source, known[0].output), self.known.array(n.id)
        constant = "constant"
        if n.shapes[0] == () and before is not None and after is not None:
            number = float(after) - float(before)
            if n.op == "Sub":
                number = -number if known[0].input == 0 else float(after) + float(before)
            constant = minus(f"{number:.6g}")
        return {self._letter(n, 1 - known[0].input): constant}

    def _number(self, node: int, output: int) -> str | None:
        number = self.known.number(node, output)
        return None if number is None else minus(number)

    def _rule(self, formula: Formula | None, n: GraphNode, i: int) -> tuple[str, str] | None:
        rules = () if formula is None else formula.local or formula.passes
        return rules[i] if i < len(rules) and rules[i][0] else None

    def _parts(self, w: int) -> list[GraphEdge]:
        edges = [e for e in self.graph.edges if e.source == w and e.target in self.steps]
        return [e for e in edges if self.steps[e.target].outgoing[e.input] is not None]

    def _uses(self, i: int) -> int:
        return len(self._parts(i))

    def _gradient(self, w: int) -> Values:
        if w not in self.adjoints.leaves:
            raise RuntimeError("explain: no gradient reaches `wrt` from this output")
        return measure(self.adjoints.leaves[w])
