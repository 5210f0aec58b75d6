"""What the page of a graph is given: nodes, values, gradients, the tree of groups, the steps of the backward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..autograd.base import TensorBase
from ..autograd.node import LEAF
from ..backends.errors import GraphError
from .adjoints import Adjoints
from .formulas import formula_of, rule_source
from .groups import Group, group, kind_of
from .known import Known
from .scene import tagged_inputs
from .values import Values, measure

if TYPE_CHECKING:
    from ..autograd.graph import Graph, GraphNode
    from ..autograd.stepping import BackwardStep

__all__ = ["page_data"]

DETAILED = 2000  # operations: local derivatives are worked out for graphs up to this size
FEW = 32  # elements: so many are sent as they are


def page_data(graph: Graph, title: str, backward: bool, most: int) -> dict[str, Any]:
    """All of it, as plain data."""
    names = list(dict.fromkeys(graph.nodes[o].name for o in graph.outputs if graph.nodes[o].name))
    root = group(graph)
    steps, gradients, why = _backward(graph) if backward else ([], {}, "it was not asked for")
    known = Known(graph)
    ops = {n.op: n.source.op for n in graph if n.kind == "op"}
    return {
        "version": 1,
        "title": title or ", ".join(names[:3]) or "graph",
        "nodes": [_node(n, known, gradients) for n in graph],
        "edges": [[e.source, e.target, e.output, e.input] for e in graph.edges],
        "outputs": list(graph.outputs),
        "tree": _tree(root),
        "tags": sorted(tagged_inputs(graph)),
        "most": most,
        "steps": steps,
        "unplayable": why,
        "formulas": {name: _formula(op) for name, op in ops.items()},
        "saved": graph.saved_bytes,
    }


def _node(n: GraphNode, known: Known, gradients: dict[int, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": n.id,
        "kind": kind_of(n),
        "op": n.op,
        "name": n.name,
        "module": n.module,
        "shapes": n.shapes,
        "dtypes": n.dtypes,
        "values": [_values(known.values(n.id, i)) for i in range(len(n.shapes))],
    }
    if n.saved:
        found["saved"] = n.saved
    if n.site:
        found["site"] = n.site
    if n.seconds is not None:
        found["us"] = round(1e6 * n.seconds, 1)
    if n.params:
        found["params"] = {key: str(value) for key, value in n.params.items()}
    if n.id in gradients:
        found["grads"] = [_values(v) for v in gradients[n.id]]
    constants = _constants(n)
    if constants:
        found["constants"] = constants
    return found


def _constants(n: GraphNode) -> dict[int, str]:
    """Numbers among the inputs of an operation, as far as it saved them."""
    if n.kind != "op":
        return {}
    edges, saved = n.source.edges, n.source._saved or ()
    if len(edges) != len(saved):
        return {}
    numbers = {i: s for i, s in enumerate(saved) if edges[i] is None and isinstance(s, int | float)}
    return {i: f"{s:g}" for i, s in numbers.items()}


def _tree(root: Group) -> dict[str, Any]:
    """Groups as objects, operations as numbers. Made without recursion."""
    made: dict[int, dict[str, Any]] = {}
    order = [root]
    for g in order:
        order += [item for item in g.items if isinstance(item, Group)]
    for g in reversed(order):
        items = [made[id(item)] if isinstance(item, Group) else item for item in g.items]
        made[id(g)] = {"n": g.number, "k": g.kind, "t": g.title, "p": g.path, "i": items}
    return made[id(root)]


def _formula(op: Any) -> dict[str, Any]:
    found = formula_of(op)
    about = (getattr(op, "__doc__", None) or "").partition("\n")[0].replace("`", "")
    data: dict[str, Any] = {"about": about, "source": rule_source(op), "elementwise": hasattr(op, "expression")}
    if found is not None:
        data |= {"text": found.text, "local": [t for t, _ in found.local], "passes": [t for t, _ in found.passes]}
    return data


# ---------------------------------------------------------------------- the backward pass


def _backward(graph: Graph) -> tuple[list[dict[str, Any]], dict[int, Any], str]:
    """The steps, the gradients by node, and why there are none where there are none."""
    detailed = sum(n.kind == "op" for n in graph) <= DETAILED
    steps, gradients = [], {}
    try:
        adjoints = Adjoints(graph)
        for number, step in adjoints:
            incoming = [_measured(g) for g in step.incoming]
            gradients[number] = incoming
            steps.append(_step(number, step, incoming, detailed))
    except GraphError as error:
        return [], {}, str(error)
    gradients |= {number: [_measured(g)] for number, g in adjoints.leaves.items()}
    return steps, gradients, ""


def _step(number: int, step: BackwardStep, incoming: Any, detailed: bool) -> dict[str, Any]:
    local = step.local if detailed else (None,) * len(step.outgoing)
    return {
        "node": number,
        "us": round(1e6 * step.seconds, 1),
        "in": [_values(v) for v in incoming],
        "local": [_values(_measured(d)) for d in local],
        "out": [_values(_measured(g)) for g in step.outgoing],
        "leaves": [i for i, e in enumerate(step.node.edges) if e is not None and e.edge_kind == LEAF],
    }


def _measured(g: Any) -> Values | None:
    return measure(g) if isinstance(g, TensorBase) or hasattr(g, "dtype") else None


def _values(v: Values | None) -> Any:
    """Low, high, mean, deviation, zeros, NaN, infinities, histogram, elements and shape."""
    if v is None:
        return None
    bins = list(v.bins) if v.numbers is None or _size(v) > FEW else 0
    numbers = _safe(v.numbers) if _size(v) <= FEW else None
    head = [_short(x) for x in (v.low, v.high, v.mean, v.std, v.zeros)]
    return [*head, v.nans, v.infinities, bins or 0, numbers, list(v.shape)]


def _size(v: Values) -> int:
    size = 1
    for n in v.shape:
        size *= n
    return size


def _short(x: float | None) -> float | None:
    """A number with as many digits as are shown."""
    return None if x is None else float(f"{x:.6g}")


def _safe(numbers: Any) -> Any:
    """Numbers that JSON has; NaN and infinities as text."""
    if isinstance(numbers, list):
        return [_safe(n) for n in numbers]
    if isinstance(numbers, float):
        return float(f"{numbers:.7g}") if abs(numbers) < float("inf") else str(numbers)
    return numbers
