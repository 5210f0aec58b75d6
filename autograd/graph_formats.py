"""A graph as text: a table, JSON, Graphviz's language."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .graph import Graph
    from .graph_building import Shape

__all__ = ["as_dot", "as_json", "as_text", "times"]

HEAD = ("id", "op", "name", "output", "saved", "from", "line")
SIDES = (str.rjust, str.ljust, str.ljust, str.ljust, str.rjust, str.ljust, str.ljust)


def as_text(graph: Graph) -> str:
    """A table, one line per node; with the lines of the program where they are known."""
    rows: list[tuple[str, ...]] = [HEAD]
    rows += [
        (
            str(n.id),
            n.op if n.kind == "op" else n.kind,
            n.name or n.module,
            ", ".join(f"{_tuple(s)} {d}" for s, d in zip(n.shapes, n.dtypes, strict=True)),
            f"{n.saved:,}" if n.saved else "",
            " ".join(str(e.source) for e in graph.inputs_of(n)),
            n.site or "",
        )
        for n in graph.nodes
    ]
    if not any(n.site for n in graph.nodes):
        rows = [row[:-1] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [[side(cell, width) for side, cell, width in zip(SIDES, row, widths, strict=False)] for row in rows]
    return "\n".join("  ".join(line).rstrip() for line in lines)


def as_json(graph: Graph, indent: int | None = None) -> str:
    """Nodes, edges and outputs as a JSON object."""
    nodes = [
        {
            "id": n.id,
            "kind": n.kind,
            "op": n.op,
            "name": n.name,
            "module": n.module,
            "shapes": n.shapes,
            "dtypes": n.dtypes,
            "saved": n.saved,
            "params": {key: _plain(value) for key, value in n.params.items()},
            "site": n.site,
        }
        for n in graph.nodes
    ]
    edges = [
        {"source": e.source, "target": e.target, "output": e.output, "input": e.input, "shape": e.shape}
        for e in graph.edges
    ]
    return json.dumps({"version": 1, "nodes": nodes, "edges": edges, "outputs": graph.outputs}, indent=indent)


def as_dot(graph: Graph) -> str:
    """The graph in Graphviz's language, one box per node."""
    style = {"op": 'shape=box, style="rounded"', "leaf": "shape=box", "data": 'shape=box, style="dashed"'}
    lines = ["digraph {", "  rankdir=TB", '  node [fontname="Helvetica"]', '  edge [fontname="Helvetica"]']
    lines += [f"  n{n.id} [label={_quote(n.label())}, {style[n.kind]}]" for n in graph.nodes]
    lines += [f"  n{e.source} -> n{e.target} [label={_quote(times(e.shape))}]" for e in graph.edges]
    return "\n".join([*lines, "}"])


def times(shape: Shape) -> str:
    """A shape as people write it: ``32×10``, or ``scalar``."""
    return "×".join(map(str, shape)) or "scalar"


def _plain(value: Any) -> Any:
    return [_plain(v) for v in value] if isinstance(value, tuple | list) else value


def _tuple(shape: Shape) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
