"""A graph as a tree: operations within calls of modules, repeated blocks folded, long rows cut into pieces.

Every group is a stretch of the program without gaps. So whatever is folded, what remains is free of circles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..autograd.graph import Graph, GraphNode

__all__ = ["TO", "Group", "Item", "expanded", "group", "kind_of"]

MOST = 40  # items in a group; longer rows are cut
LONGEST_PERIOD = 120  # items that a repeated block may have
TO = " … "  # between the first and the last path of a range
FEWEST = 6  # operations that a repetition must cover to be folded


@dataclass(slots=True, eq=False)
class Group:
    """Some operations that can be shown as one box.

    Attributes:
        kind: ``module``, a call of one; ``repeat``, alike blocks one after the other; ``block``, one of these where it
            is not one call; ``piece``, a part of a long row.
        title: what to call it.
        path: of the module; for what is none, the common part of its modules' paths.
        items: groups and ids of graph nodes, in the order of the program; of a repeat, its blocks.
        ops: how many operations it has, at any depth.
    """

    kind: str
    title: str
    path: str
    items: list[Item]
    ops: int = 0
    number: int = -1

    def nodes(self) -> Iterator[int]:
        """The ids of its operations, at any depth."""
        stack: list[Item] = [self]
        while stack:
            item = stack.pop()
            if isinstance(item, Group):
                stack += reversed(item.items)
            else:
                yield item


Item = Group | int


def group(graph: Graph) -> Group:
    """The tree of a graph's operations."""
    ops = [n for n in graph if n.kind == "op"]
    root = Group("module", "", "", [])
    open_groups: list[tuple[int, Group]] = []
    for n in ops:
        kept = 0
        while kept < min(len(open_groups), len(n.calls)) and open_groups[kept][0] == n.calls[kept].number:
            kept += 1
        del open_groups[kept:]
        for call in n.calls[kept:]:
            inner = Group("module", call.kind, call.path, [])
            (open_groups[-1][1] if open_groups else root).items.append(inner)
            open_groups.append((call.number, inner))
        (open_groups[-1][1] if open_groups else root).items.append(n.id)
    shaper = _Shaper(graph)
    for inner in _deepest_first(root):
        shaper.shape(inner)
    outer = [item for item in root.items if isinstance(item, Group)]
    if len(outer) == 1 and outer[0].kind == "module":  # the model itself: a frame around everything says nothing
        at = root.items.index(outer[0])
        root.items[at : at + 1] = outer[0].items
        shaper.shape(root)
    for number, inner in enumerate(_all(root)):
        inner.number = number
    return root


def expanded(root: Group, most: int) -> set[Group]:
    """Which groups to open so that about ``most`` boxes are seen: the outer ones first, and among them the largest."""
    opened, seen = {root}, len(root.items)
    waiting = [(1, item) for item in root.items if isinstance(item, Group) and item.kind != "piece"]
    while waiting:
        waiting.sort(key=lambda w: (w[0], -w[1].ops))
        depth, candidate = waiting.pop(0)
        shown = _shown(candidate)
        if seen - 1 + len(shown) > most:
            continue
        seen += len(shown) - 1
        opened.add(candidate)
        waiting += [(depth + 1, item) for item in shown if isinstance(item, Group) and item.kind != "piece"]
    return opened


def _shown(candidate: Group) -> list[Item]:
    """What is seen of an open group in a picture: of a repetition its first block, in place of all."""
    if candidate.kind != "repeat":
        return candidate.items
    first = candidate.items[0]
    return first.items if isinstance(first, Group) else [first]


def _all(root: Group) -> Iterator[Group]:
    stack = [root]
    while stack:
        found = stack.pop()
        yield found
        stack += reversed([item for item in found.items if isinstance(item, Group)])


def _deepest_first(root: Group) -> list[Group]:
    return list(_all(root))[::-1]


def kind_of(n: GraphNode) -> str:
    """``op``, ``data``, ``parameter`` or ``variable``."""
    if n.kind != "leaf":
        return n.kind
    return "parameter" if n.op == "Parameter" or "." in n.name else "variable"


class _Shaper:
    """Makes the items of a group fewer: single ones are taken out of their groups, repetitions folded, rows cut."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.parameters = {n.id for n in graph if kind_of(n) == "parameter"}
        self.known: dict[Any, int] = {}  # signature -> a small number for it
        self.signatures: dict[int, int] = {}  # id() of a group -> the number of its signature

    def shape(self, outer: Group) -> None:
        items = [_without_shell(item) for item in outer.items]
        signature = self._number(("group", outer.title, tuple(map(self.signature, items))))
        outer.items = self._cut(self._folded(items))
        outer.ops = sum(item.ops if isinstance(item, Group) else 1 for item in outer.items)
        self.signatures[id(outer)] = signature

    def signature(self, item: Item) -> int:
        """Equal for what looks equal: the same operations with the same shapes in the same order."""
        if isinstance(item, Group):
            return self.signatures[id(item)]
        n: GraphNode = self.graph.nodes[item]
        reads = tuple(e.shape for e in self.graph.inputs_of(n) if e.source in self.parameters)
        return self._number((n.op, n.shapes, reads))

    def _number(self, signature: Any) -> int:
        return self.known.setdefault(signature, len(self.known))

    def _group(self, kind: str, title: str, path: str, items: Sequence[Item]) -> Group:
        made = Group(kind, title, path, list(items))
        made.ops = sum(item.ops if isinstance(item, Group) else 1 for item in items)
        self.signatures[id(made)] = self._number((kind, tuple(map(self.signature, items))))
        return made

    # ------------------------------------------------------------------ repetitions

    def _folded(self, items: list[Item]) -> list[Item]:
        """The items with alike blocks that follow each other made one."""
        signs = [self.signature(item) for item in items]
        result: list[Item] = []
        at, alike = 0, _Alike(signs)
        while at < len(items):
            period, times = alike.best(at)
            covered = items[at : at + period * times]
            if times > 1 and sum(item.ops if isinstance(item, Group) else 1 for item in covered) >= FEWEST:
                result.append(self._repeat(covered, period, times))
                at += period * times
            else:
                result.append(items[at])
                at += 1
        return result

    def _repeat(self, items: list[Item], period: int, times: int) -> Group:
        if period == 1:
            first, last = items[0], items[-1]
            if isinstance(first, Group) and isinstance(last, Group):
                path = first.path if first.path == last.path else first.path + TO + last.path
                return self._group("repeat", first.title, path if first.path else "", items)
            assert isinstance(first, int)
            return self._group("repeat", self.graph.nodes[first].op, "", items)
        blocks: list[Item] = []
        for i in range(times):
            part = items[i * period : (i + 1) * period]
            blocks.append(self._group("block", self._words(part), _common_path(self.graph, part), part))
        first = blocks[0]
        assert isinstance(first, Group)
        return self._group("repeat", first.title, _common_path(self.graph, items), blocks)

    # ------------------------------------------------------------------ long rows

    def _cut(self, items: list[Item]) -> list[Item]:
        while len(items) > MOST:
            size = max(2, min(MOST // 2, -(-len(items) // (MOST // 2))))
            pieces: list[Item] = []
            for at in range(0, len(items), size):
                part = items[at : at + size]
                path = _common_path(self.graph, part)
                piece = self._group("piece", "", path, part)
                piece.title = f"{piece.ops} operations"
                pieces.append(part[0] if len(part) == 1 else piece)
            items = pieces
        return items

    def _words(self, items: Sequence[Item]) -> str:
        """The first few names among some items."""
        names = list(dict.fromkeys(i.title if isinstance(i, Group) else self.graph.nodes[i].op for i in items))
        few = names[:3]
        while len(few) > 1 and len(", ".join(few)) > 30:
            few.pop()
        return ", ".join(few) + (" …" if len(few) < len(names) else "")


def _without_shell(item: Item) -> Item:
    """The one operation of a module that has one; a module that has one part and nothing else takes its place."""
    if isinstance(item, Group) and item.kind == "module" and len(item.items) == 1:
        (inner,) = item.items
        if isinstance(inner, int):
            return inner
        if inner.kind == "module":
            item.items = inner.items
    return item


class _Alike:
    """Finds repeated blocks in a sequence of numbers."""

    def __init__(self, signs: list[int]) -> None:
        self.signs = signs
        self.runs: dict[int, list[int]] = {}

    def best(self, at: int) -> tuple[int, int]:
        """The period of the repetition that begins here and covers most, and how often it is there."""
        signs, best, most = self.signs, (1, 1), 0
        longest = min(LONGEST_PERIOD, (len(signs) - at) // 2)
        for period in range(1, longest + 1):
            if signs[at] != signs[at + period]:
                continue
            times = self._run(period)[at] // period + 1
            if times > 1 and times * period > most:
                best, most = (period, times), times * period
        return best

    def _run(self, period: int) -> list[int]:
        """For each place how many entries from there on equal the one a period later."""
        if period not in self.runs:
            signs = self.signs
            run = [0] * (len(signs) + 1)
            for i in range(len(signs) - period - 1, -1, -1):
                run[i] = run[i + 1] + 1 if signs[i] == signs[i + period] else 0
            self.runs[period] = run
        return self.runs[period]


def _common_path(graph: Graph, items: Sequence[Item]) -> str:
    """The path that all of some items' modules begin with."""
    paths = []
    for item in items:
        paths.append((item.path if isinstance(item, Group) else graph.nodes[item].module).split("."))
    common = []
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return ".".join(common)
