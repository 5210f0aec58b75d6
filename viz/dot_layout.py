"""The places of a layout as Graphviz finds them, where its ``dot`` program is installed."""

from __future__ import annotations

import json
import shutil
from collections import Counter

from .layout import ROW_GAP, SIDE_GAP, Block, Point
from .nesting import HEAD, PAD, Arrangement, Bounds, Request

__all__ = ["available", "by_dot"]

INCH = 72.0


def available() -> bool:
    """Whether the ``graphviz`` package and the ``dot`` program are both there."""
    if shutil.which("dot") is None:
        return False
    try:
        import graphviz  # noqa: F401
    except ImportError:
        return False
    return True


def by_dot(request: Request) -> Arrangement:
    """`wengert.viz.nesting.nested`, computed by ``dot``."""
    import graphviz

    text = graphviz.Source(_description(request)).pipe(format="json", encoding="utf-8")
    found = json.loads(text)
    _, _, width, height = map(float, found["bb"].split(","))
    blocks = request.blocks
    centres: list[Point] = [(0.0, 0.0)] * len(blocks)
    bounds = [Bounds(0.0, 0.0, width, height)] * len(request.frames)
    for thing in found.get("objects", []):
        name = thing["name"]
        if name.startswith("cluster"):
            left, low, right, high = map(float, thing["bb"].split(","))
            bounds[int(name[7:])] = Bounds(left, height - high, right - left, high - low)
        else:
            i = int(name[1:])
            x, y = _point(thing["pos"], height)
            centres[i] = x + (blocks[i].left - blocks[i].right) / 2, y  # dot places box and tags together
    routes = []
    for edge in found.get("edges", []):
        points = [_point(p, height) for p in edge["pos"].split(" ")]
        routes.append((int(edge["origin"]), points, True))
    return Arrangement(centres, bounds, routes)


def _point(text: str, height: float) -> Point:
    x, y = map(float, text.split(","))
    return x, height - y


def _description(request: Request) -> str:
    """A table of one row per block: room for its tags, the box itself, and the rest. Frames are clusters."""
    gaps = f"nodesep={SIDE_GAP / INCH:.3f} ranksep={ROW_GAP / INCH:.3f}"
    lines = [f"digraph {{ graph [{gaps}]; node [shape=plain]; edge [arrowhead=none]"]
    inside: dict[int, list[int]] = {}
    for f, parent in enumerate(request.frames[1:], 1):
        inside.setdefault(parent, []).append(f)
    stack: list[int] = [0]
    while stack:  # a negative number closes a frame
        f = stack.pop()
        if f < 0:
            lines.append("}")
            continue
        if f:
            title = f'<TABLE BORDER="0"><TR>{_cell(request.titles[f], HEAD - 16)}</TR></TABLE>'
            lines.append(f"subgraph cluster{f} {{ margin={PAD:.0f}; labeljust=l; label=<{title}>")
        lines += [_node(i, b) for i, b in enumerate(request.blocks) if request.frame_of[i] == f]
        stack += [-1] if f else []
        stack += reversed(inside.get(f, []))
    leaving, arriving = Counter(a for a, _ in request.lines), Counter(b for _, b in request.lines)
    for source, target in request.lines:
        straight = leaving[source] == arriving[target] == 1  # a chain is read most easily from top to bottom
        lines.append(f"n{source}:p:s -> n{target}:p:n [weight={8 if straight else 1}, origin={source}]")
    return "\n".join([*lines, "}"])


def _node(i: int, b: Block) -> str:
    row = _cell(b.left - b.half, 1) + _cell(2 * b.half, b.height, ' PORT="p"') + _cell(b.right - b.half, 1)
    table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>{row}</TR></TABLE>'
    return f"n{i} [label=<{table}>]"


def _cell(width: float, height: float, more: str = "") -> str:
    if width < 1:
        return ""
    return f'<TD FIXEDSIZE="TRUE" WIDTH="{width:.0f}" HEIGHT="{height:.0f}"{more}></TD>'
