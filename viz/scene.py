"""What a picture of a graph shows: which boxes in which frames, with which words and lines. No geometry, no SVG."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..autograd.graph_formats import times
from .groups import TO, Group, Item, expanded, group, kind_of
from .known import Known
from .values import measure

if TYPE_CHECKING:
    from ..autograd.graph import Graph, GraphNode

__all__ = ["Box", "Frame", "Line", "Scene", "Tag", "scene_of", "size", "tagged_inputs"]

MOST_BOXES = 50
CHAINED = "each feeds the next"


@dataclass(slots=True)
class Tag:
    """A small label at the side of the operation that reads it: a parameter, or the data it saved."""

    kind: str
    text: str
    shape: str
    tooltip: str


@dataclass(slots=True)
class Box:
    """An operation, a variable, an output, or a group of operations that is closed.

    Attributes:
        kind: ``op``, ``group``, ``variable``, ``parameter``, ``data`` or ``output``.
        title: the large word.
        note: the small line below it; may be empty.
        tooltip: what shows when the pointer rests on it.
        frame: the number of the frame that it is in; 0 is the whole picture.
        times: how many alike blocks it stands for.
        tags: parameters and data that only this operation reads.
        gives: the shapes that leave it, written beside the line.
    """

    kind: str
    title: str
    note: str
    tooltip: str
    frame: int = 0
    times: int = 1
    tags: list[Tag] = field(default_factory=list)
    gives: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Frame:
    """A group that is open: drawn around its boxes. ``path`` is that of the module whose operations they are."""

    title: str
    note: str
    parent: int
    times: int = 1
    path: str = ""


@dataclass(slots=True)
class Line:
    """From one box to another, by their positions in ``Scene.boxes``."""

    source: int
    target: int


@dataclass(slots=True)
class Scene:
    """Boxes, each after those it reads from; lines; frames, each after the one that it is in."""

    boxes: list[Box]
    lines: list[Line]
    frames: list[Frame]


def scene_of(graph: Graph, most: int = MOST_BOXES) -> Scene:
    """The picture of a graph: parameters as tags at the side of their operations, everything else as boxes.

    Args:
        graph: what to show.
        most: about how many boxes to show; modules, repetitions and long rows are closed until so few remain.
    """
    return _Composer(graph, most).scene()


class _Composer:
    def __init__(self, graph: Graph, most: int) -> None:
        self.graph = graph
        self.root = group(graph)
        self.opened = expanded(self.root, most)
        self.boxes: list[Box] = []
        self.frames = [Frame("", "", 0)]
        self.place: dict[int, int] = {}  # operation -> its box, or that of the closed group that it is in
        self.copies: dict[int, dict[int, int]] = {}  # operation -> {open repetition: which of its blocks}
        self.readers: dict[int, list[int]] = {}
        for e in graph.edges:
            self.readers.setdefault(e.source, []).append(e.target)
        self.uses = Counter(e.source for e in graph.edges)
        self.tagged = tagged_inputs(graph)
        self.known = Known(graph)
        self.merged: set[int] = set()  # inputs that share a box
        self.first: dict[int, float] = {}  # box -> the first operation in it: the order of boxes

    def scene(self) -> Scene:
        self._open(self.root, 0)
        order = dict(self.first)
        self._add_inputs(order)
        lines = self._lines()
        for node in dict.fromkeys(self.graph.outputs):
            n = self.graph.nodes[node]
            if n.kind == "op":
                source = self.place[node]
                lines.append(Line(source, len(self.boxes)))
                order[len(self.boxes)] = len(self.graph.nodes) + node
                for i in range(len(n.shapes)):
                    _give(self.boxes[source], self._said(node, i))
                self.boxes.append(Box("output", n.name or "output", "", _tooltip(n)))
        by_order = sorted(range(len(self.boxes)), key=lambda b: (order[b], b))
        rank = {b: i for i, b in enumerate(by_order)}
        lines = [Line(rank[line.source], rank[line.target]) for line in lines]
        return Scene([self.boxes[b] for b in by_order], lines, self.frames)

    # ------------------------------------------------------------------ boxes and frames

    def _open(self, outer: Group, frame: int) -> None:
        for item in outer.items:
            self._show(item, frame)

    def _show(self, item: Item, frame: int) -> None:
        if not isinstance(item, Group):
            n = self.graph.nodes[item]
            self._box(Box("op", n.op, _note(n, self.frames[frame].path), _tooltip(n), frame), [item])
        elif item not in self.opened:
            self._box(self._closed(item, frame), list(item.nodes()))
        else:
            first = item.items[0] if item.kind == "repeat" else item
            path = first.path if isinstance(first, Group) else self.graph.nodes[first].module
            note = _below(item.path, self.frames[frame].path)
            self.frames.append(Frame(item.title, note, frame, len(item.items) if first is not item else 1, path))
            inside = len(self.frames) - 1
            if item.kind == "repeat":
                self._open_repetition(item, inside)
            else:
                self._open(item, inside)

    def _open_repetition(self, item: Group, frame: int) -> None:
        """The first block in place of all: what lies in the others is where its counterpart is."""
        first, *others = item.items
        if isinstance(first, Group):
            self._open(first, frame)
        else:
            self._show(first, frame)
        model = list(first.nodes()) if isinstance(first, Group) else [first]
        for m in model:
            self.copies.setdefault(m, {})[item.number] = 0
        for i, other in enumerate(others, 1):
            nodes = list(other.nodes()) if isinstance(other, Group) else [other]
            for m, n in zip(model, nodes, strict=True):
                self.place[n] = self.place[m]
                self.copies[n] = {**self.copies[m], item.number: i}

    def _box(self, box: Box, nodes: list[int]) -> None:
        number = len(self.boxes)
        self.first[number] = nodes[0]
        for n in nodes:
            self.place[n] = number
        self.boxes.append(box)

    def _closed(self, item: Group, frame: int) -> Box:
        nodes = set(item.nodes())
        sources = {e.source for n in nodes for e in self.graph.inputs_of(self.graph.nodes[n])}
        inputs = [self.graph.nodes[s] for s in sources]
        parameters = sum(_count(n) for n in inputs if kind_of(n) == "parameter")
        copies = len(item.items) if item.kind == "repeat" else 1
        kept = sum(self.graph.nodes[n].saved for n in nodes)
        path = _below(item.path, self.frames[frame].path)
        notes = [path] if path else []
        if item.kind == "piece" or not path:
            names = Counter(self.graph.nodes[n].op for n in nodes)
            notes = [", ".join(name for name, _ in names.most_common(3)) + (" …" if len(names) > 3 else "")]
        elif parameters:
            notes.append(f"{parameters:,} parameters")
        tooltip = [f"{item.title}: {item.ops} operations" + (f", {copies} alike blocks" if copies > 1 else "")]
        tooltip += [item.path] if item.path else []
        tooltip += [f"{parameters:,} parameters"] if parameters else []
        tooltip += [f"keeps {kept:,} bytes for backward"] if kept else []
        return Box("group", item.title, " · ".join(notes), "\n".join(tooltip), frame, copies)

    def _add_inputs(self, order: dict[int, float]) -> None:
        """Variables and data as boxes; many that lead to the same closed groups as one."""
        alike: dict[tuple[str, tuple[int, ...]], list[GraphNode]] = {}
        for n in self.graph:
            if n.kind != "op" and n.id not in self.tagged:
                targets = tuple(sorted({self.place[t] for t in self.readers.get(n.id, ())}))
                closed = bool(targets) and all(self.boxes[t].kind == "group" for t in targets)
                key = (kind_of(n), targets if closed else (-1, n.id))
                alike.setdefault(key, []).append(n)
        for (kind, _), members in alike.items():
            n = members[0]
            title = _title(n) if len(members) == 1 else f"{len(members)} × {_title(n)}"
            targets = tuple({self.place[t] for m in members for t in self.readers.get(m.id, ())})
            note = _grad(n) if len(members) == 1 else ""
            box = Box(kind, title, note, _tooltip(n), self._common_frame(targets))
            order[len(self.boxes)] = min([order[t] for t in targets], default=n.id) - 0.5
            for m in members:
                self.place[m.id] = len(self.boxes)
            self.merged.update(m.id for m in members if len(members) > 1)
            self.boxes.append(box)

    def _common_frame(self, targets: tuple[int, ...]) -> int:
        """The innermost frame that all the boxes are in."""
        if not targets:
            return 0
        chains = [self._chain(self.boxes[t].frame) for t in targets]
        return max(set(chains[0]).intersection(*chains[1:]))

    def _chain(self, frame: int) -> list[int]:
        chain = [frame]
        while frame:
            frame = self.frames[frame].parent
            chain.append(frame)
        return chain

    # ------------------------------------------------------------------ lines and tags

    def _lines(self) -> list[Line]:
        lines: list[Line] = []
        tags: dict[int, list[GraphNode]] = {}
        modules: dict[int, str] = {}
        seen: set[tuple[int, int]] = set()
        drawn: Counter[tuple[int, int]] = Counter()
        for e in self.graph.edges:
            target = self.place[e.target]
            first_block = not any(self.copies.get(e.target, {}).values())
            if e.source in self.tagged:
                if first_block and (e.source, e.target) not in seen:
                    modules[target] = self.graph.nodes[e.target].module
                    tags.setdefault(target, []).append(self.graph.nodes[e.source])
                seen.add((e.source, e.target))
                continue
            source = self.place[e.source]
            if source == target:
                continue
            if self._next_block(e.source, e.target):
                self._mark_chain(self.boxes[target].frame)
                continue
            _give(self.boxes[source], self._said(e.source, e.output))
            grouped = "group" in (self.boxes[source].kind, self.boxes[target].kind) or not first_block
            grouped = grouped or any(self.copies.get(e.source, {}).values())
            if grouped and drawn[source, target]:
                continue
            drawn[source, target] += 1
            lines.append(Line(source, target))
        for target, members in tags.items():
            self.boxes[target].tags = self._tags(self.boxes[target], members, modules[target])
        return lines

    def _said(self, node: int, output: int) -> str:
        """What stands beside a line: a shape, or the number where it is one that is known."""
        copied = any(self.copies.get(node, {}).values()) or node in self.merged
        return (None if copied else self.known.number(node, output)) or times(self.graph.nodes[node].shapes[output])

    def _next_block(self, source: int, target: int) -> bool:
        """Whether a value goes from one block of an open repetition to another."""
        a, b = self.copies.get(source), self.copies.get(target)
        return bool(a and b) and any(b.get(repeat, i) != i for repeat, i in a.items())  # type: ignore[union-attr]

    def _mark_chain(self, frame: int) -> None:
        while frame and self.frames[frame].times == 1:
            frame = self.frames[frame].parent
        if CHAINED not in self.frames[frame].note:
            note = self.frames[frame].note
            self.frames[frame].note = f"{note} · {CHAINED}" if note else CHAINED

    def _tags(self, box: Box, members: list[GraphNode], module: str) -> list[Tag]:
        if box.kind != "group":
            return [_tag(n, self.uses[n.id], module, self._said(n.id, 0)) for n in members]
        data = list({n.id: n for n in members if n.kind == "data"}.values())
        if len(data) < 2:
            return [_tag(n, 1, "", self._said(n.id, 0)) for n in data]
        shapes = {times(n.shapes[0]) for n in data}
        return [Tag("data", f"{len(data)} × data", shapes.pop() if len(shapes) == 1 else "", "inputs without gradient")]


def tagged_inputs(graph: Graph) -> set[int]:
    """The inputs that are drawn as tags.

    A parameter may be read in many places (a recurrent net): it is shown at each, and no line crosses the picture.
    A variable that the program made itself stays one box, so that the paths which meet in it can be seen. Data is a
    tag where it joins what was computed (labels), and a box where a computation begins with it (images).
    """
    uses = Counter(e.source for e in graph.edges)
    tagged = {n.id for n in graph if kind_of(n) == "parameter"} - set(graph.outputs)
    joined = {e.target for e in graph.edges if e.source not in tagged and graph.nodes[e.source].kind != "data"}
    joins = {e.source for e in graph.edges if e.target in joined and uses[e.source] == 1}
    return tagged | {n.id for n in graph if n.kind == "data" and n.id in joins}


def _count(n: GraphNode) -> int:
    count = 1
    for length in n.shapes[0]:
        count *= length
    return count


def _title(n: GraphNode) -> str:
    if n.kind == "op":
        return n.op
    return n.name or {"leaf": "variable", "data": "data"}[n.kind]


def _below(path: str, outer: str) -> str:
    """A path, or a range of them, as it is seen from a module around it."""
    if path == outer:
        return ""
    if TO in path:
        return TO.join(_below(end, outer) for end in path.split(TO))
    return path[len(outer) + 1 :] if outer and path.startswith(f"{outer}.") else path


def _note(n: GraphNode, outer: str) -> str:
    module = _below(n.module, outer)
    parts = [module] if module else []
    if n.kind == "op" and n.saved:
        parts.append("keeps " + size(n.saved))
    return " · ".join(parts)


def _grad(n: GraphNode) -> str:
    """The gradient that a scalar leaf has."""
    found = n.source._grad if n.kind == "leaf" and n.shapes[0] == () else None
    return "" if found is None else f"grad {measure(found)}"


def _tag(n: GraphNode, uses: int, module: str, said: str) -> Tag:
    shared = f", read {uses} times" if uses > 1 else ""
    return Tag(kind_of(n), _below(n.name, module) or kind_of(n), said, _tooltip(n) + shared)


def _tooltip(n: GraphNode) -> str:
    outputs = ", ".join(f"{times(s)} {d}" for s, d in zip(n.shapes, n.dtypes, strict=True))
    lines = [n.op if n.kind == "op" else f"{n.label()}: {kind_of(n)}", f"shape {outputs}"]
    lines += [f"{key} = {value}" for key, value in n.params.items()]
    if n.module:
        lines.append(f"in module {n.module}")
    if n.saved:
        lines.append(f"keeps {n.saved:,} bytes for backward")
    lines += [f"value {value}" for value in n.values]
    if n.seconds is not None:
        lines.append(f"took {1e6 * n.seconds:.0f} µs")
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
