"""The places of a layout as Graphviz finds them, where its ``dot`` program is installed."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence

from .layout import ROW_GAP, SIDE_GAP, Block, Layout, Point

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


def by_dot(blocks: Sequence[Block], links: Sequence[tuple[int, int]]) -> Layout:
    """`wengert.viz.layout.layered`, computed by ``dot``."""
    import graphviz

    text = graphviz.Source(_description(blocks, links)).pipe(format="plain", encoding="utf-8")
    lines = [line.split() for line in text.splitlines()]
    width, height = (float(v) * INCH for v in lines[0][2:4])
    centres: list[Point] = [(0.0, 0.0)] * len(blocks)
    routes: dict[tuple[int, int], list[list[Point]]] = {}

    def point(x: str, y: str) -> Point:
        return float(x) * INCH, height - float(y) * INCH

    for words in lines[1:]:
        if words[0] == "node":
            i = int(words[1][1:])
            x, y = point(words[2], words[3])
            centres[i] = x + (blocks[i].left - blocks[i].right) / 2, y  # dot places the middle of box and tags together
        elif words[0] == "edge":
            count = int(words[3])
            points = [point(*words[4 + 2 * k : 6 + 2 * k]) for k in range(count)]
            routes.setdefault((int(words[1][1:]), int(words[2][1:])), []).append(points)
    return Layout(centres, [routes[link].pop(0) for link in links], width, height)


def _description(blocks: Sequence[Block], links: Sequence[tuple[int, int]]) -> str:
    """A table of one row per block: room for its tags, the box itself, and the rest."""
    gaps = f"nodesep={SIDE_GAP / INCH:.3f} ranksep={ROW_GAP / INCH:.3f}"
    lines = [f"digraph {{ graph [{gaps}]; node [shape=plain]; edge [arrowhead=none]"]
    for i, b in enumerate(blocks):
        row = _cell(b.left - b.half, 1) + _cell(2 * b.half, b.height, ' PORT="p"') + _cell(b.right - b.half, 1)
        table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>{row}</TR></TABLE>'
        lines.append(f"n{i} [label=<{table}>]")
    leaving, arriving = Counter(a for a, _ in links), Counter(b for _, b in links)
    for source, target in links:
        straight = leaving[source] == arriving[target] == 1  # a chain is read most easily from top to bottom
        lines.append(f"n{source}:p:s -> n{target}:p:n [weight={8 if straight else 1}]")
    return "\n".join([*lines, "}"])


def _cell(width: float, height: float, more: str = "") -> str:
    if width < 1:
        return ""
    return f'<TD FIXEDSIZE="TRUE" WIDTH="{width:.0f}" HEIGHT="{height:.0f}"{more}></TD>'
