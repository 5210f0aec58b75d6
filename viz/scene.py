"""What a picture of a graph shows: which boxes, with which words, joined by which lines. No geometry, no SVG."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..autograd.graph_formats import times

if TYPE_CHECKING:
    from ..autograd.graph import Graph, GraphNode

__all__ = ["Box", "Line", "Scene", "Tag", "scene_of"]


@dataclass(slots=True)
class Tag:
    """A small label at the side of the operation that reads it: a parameter, or the data it saved."""

    kind: str
    text: str
    shape: str
    tooltip: str


@dataclass(slots=True)
class Box:
    """An operation, a variable, or an output.

    Attributes:
        kind: ``op``, ``variable``, ``parameter``, ``data`` or ``output``.
        title: the large word.
        note: the small line below it; may be empty.
        tooltip: what shows when the pointer rests on it.
        tags: parameters and data that only this operation reads.
        gives: the shapes that leave it, written beside the line.
    """

    kind: str
    title: str
    note: str
    tooltip: str
    tags: list[Tag] = field(default_factory=list)
    gives: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Line:
    """From one box to another, by their positions in ``Scene.boxes``."""

    source: int
    target: int


@dataclass(slots=True)
class Scene:
    """Boxes, each after those it reads from, and lines."""

    boxes: list[Box]
    lines: list[Line]


def scene_of(graph: Graph) -> Scene:
    """The picture of a graph: parameters as tags at the side of their operations, everything else as boxes."""
    uses = Counter(e.source for e in graph.edges)
    tagged = _tagged(graph, uses)
    place: dict[int, int] = {}
    boxes: list[Box] = []
    for n in graph:
        if n.id not in tagged:
            place[n.id] = len(boxes)
            boxes.append(Box(_kind(n), _title(n), _note(n), _tooltip(n)))
    lines = []
    seen: set[tuple[int, int]] = set()
    for e in graph.edges:
        target = boxes[place[e.target]]
        source = graph.nodes[e.source]
        if e.source in tagged:
            if (e.source, e.target) not in seen:
                target.tags.append(_tag(source, uses[e.source]))
        else:
            lines.append(Line(place[e.source], place[e.target]))
            _give(boxes[place[e.source]], times(e.shape))
        seen.add((e.source, e.target))
    for node in dict.fromkeys(graph.outputs):
        n = graph.nodes[node]
        if n.kind == "op":
            lines.append(Line(place[node], len(boxes)))
            for shape in n.shapes:
                _give(boxes[place[node]], times(shape))
            boxes.append(Box("output", n.name or "output", "", _tooltip(n)))
    return Scene(boxes, lines)


def _tagged(graph: Graph, uses: Counter[int]) -> set[int]:
    """The inputs that are drawn as tags.

    A parameter may be read in many places (a recurrent net): it is shown at each, and no line crosses the picture.
    A variable that the program made itself stays one box, so that the paths which meet in it can be seen. Data is a
    tag where it joins what was computed (labels), and a box where a computation begins with it (images).
    """
    tagged = {n.id for n in graph if _kind(n) == "parameter"} - set(graph.outputs)
    joined = {e.target for e in graph.edges if e.source not in tagged and graph.nodes[e.source].kind != "data"}
    joins = {e.source for e in graph.edges if e.target in joined and uses[e.source] == 1}
    return tagged | {n.id for n in graph if n.kind == "data" and n.id in joins}


def _kind(n: GraphNode) -> str:
    if n.kind != "leaf":
        return n.kind
    return "parameter" if n.op == "Parameter" or "." in n.name else "variable"


def _title(n: GraphNode) -> str:
    if n.kind == "op":
        return n.op
    return n.name or {"leaf": "variable", "data": "data"}[n.kind]


def _note(n: GraphNode) -> str:
    parts = [n.module] if n.module else []
    if n.kind == "op" and n.saved:
        parts.append("keeps " + size(n.saved))
    return " · ".join(parts)


def _tag(n: GraphNode, uses: int) -> Tag:
    shared = f", read {uses} times" if uses > 1 else ""
    return Tag(_kind(n), n.name or _kind(n), times(n.shapes[0]), _tooltip(n) + shared)


def _tooltip(n: GraphNode) -> str:
    outputs = ", ".join(f"{times(s)} {d}" for s, d in zip(n.shapes, n.dtypes, strict=True))
    lines = [n.op if n.kind == "op" else f"{n.label()}: {_kind(n)}", f"shape {outputs}"]
    lines += [f"{key} = {value}" for key, value in n.params.items()]
    if n.module:
        lines.append(f"in module {n.module}")
    if n.saved:
        lines.append(f"keeps {n.saved:,} bytes for backward")
    if n.site:
        lines.append(f"at {n.site}")
    return "\n".join(lines)


def _give(box: Box, shape: str) -> None:
    if shape not in box.gives:
        box.gives.append(shape)


def size(count: int) -> str:
    """Bytes as people write them: ``131 kB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if count >= 10 or unit == "B" else f"{count:.1f} {unit}"
        count /= 1000  # type: ignore[assignment]
    return ""
