"""A layered layout of a directed acyclic graph: where boxes go and how lines run, in plain geometry.

The four steps of Sugiyama, Tagawa and Toda: put every box in a row below those that it reads from; give a line that
crosses rows a place in each; order the rows so that few lines cross; move boxes sideways so that lines run straight.
Nothing here knows what the boxes mean, and nothing recurses.

References:
    Sugiyama, Tagawa, Toda. Methods for Visual Understanding of Hierarchical System Structures. IEEE Trans. SMC, 1981.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from .placing import places

__all__ = ["Block", "Layout", "layered"]

Point = tuple[float, float]
Port = tuple[float | None, float | None]
ROW_GAP, SIDE_GAP, LINE_WIDTH, PORT_GAP = 44.0, 28.0, 10.0, 16.0
ORDER_SWEEPS = 12


@dataclass(slots=True)
class Block:
    """The room that a box takes left and right of its middle, its height, and half the width of the box alone.

    ``pin`` is -1 for a place on the upper border, where lines come in, and 1 for one on the lower border.
    """

    left: float
    right: float
    height: float
    half: float
    pin: int = 0


@dataclass(slots=True)
class Layout:
    """The middle of each box, and for each link its cubic Bezier points (start, then two controls and an end each)."""

    centres: list[Point]
    routes: list[list[Point]]
    width: float
    height: float


def layered(blocks: Sequence[Block], links: Sequence[tuple[int, int]], ports: Sequence[Port] | None = None) -> Layout:
    """Lay out boxes from top to bottom.

    Args:
        blocks: the boxes, each after all those that have a link to it.
        links: pairs of positions in ``blocks``, from above to below.
        ports: for each link how far from the middle of its boxes it starts and ends; None leaves it open.

    Returns:
        Their places; the picture's left upper corner is (0, 0).

    Example:
        >>> layout = layered([Block(10, 10, 20, 10)] * 3, [(0, 1), (1, 2), (0, 2)])
        >>> [y for _, y in layout.centres]
        [10.0, 74.0, 138.0]
    """
    if not blocks:
        return Layout([], [], 0.0, 0.0)
    work = _Rows(list(blocks), links, ports or [(None, None)] * len(links))
    work.order()
    x = work.place()
    return work.finish(x, len(blocks))


class _Rows:
    """The rows under work. Entries beyond the given blocks are joints: places where a long line crosses a row."""

    def __init__(self, blocks: list[Block], links: Sequence[tuple[int, int]], ports: Sequence[Port]) -> None:
        self.blocks = blocks
        self.links = links
        self.ports = ports
        self.row = _rows(blocks, links)
        self.chains: list[list[int]] = []  # per link: its source, the joints, its target
        self.real = len(blocks)
        self._add_joints()
        self.rows: list[list[int]] = [[] for _ in range(max(self.row) + 1)]
        for i, r in enumerate(self.row):
            self.rows[r].append(i)
        segments = sorted({pair for chain in self.chains for pair in pairwise(chain)})
        self.above: list[list[int]] = [[] for _ in self.row]
        self.below: list[list[int]] = [[] for _ in self.row]
        for a, b in segments:
            self.above[b].append(a)
            self.below[a].append(b)

    def _add_joints(self) -> None:
        joints: dict[Any, int] = {}  # lines from one place share their joints, so they run as one
        for (a, b), (start, _) in zip(self.links, self.ports, strict=True):
            chain = [a]
            for r in range(self.row[a] + 1, self.row[b]):
                if (a, start, r) not in joints:
                    joints[a, start, r] = len(self.blocks)
                    self.blocks.append(Block(LINE_WIDTH / 2, LINE_WIDTH / 2, 0.0, 0.0))
                    self.row.append(r)
                chain.append(joints[a, start, r])
            self.chains.append([*chain, b])

    # ------------------------------------------------------------------ order within rows

    def order(self) -> None:
        """Sort rows by the mean place of neighbours, down and up in turns; keep the order with fewest crossings."""
        position = [0] * len(self.row)

        def number() -> None:
            for members in self.rows:
                for i, m in enumerate(members):
                    position[m] = i

        number()
        best, fewest = [list(r) for r in self.rows], self._crossings(position)
        for sweep in range(ORDER_SWEEPS):
            if fewest == 0:
                break
            down = sweep % 2 == 0
            neighbours = self.above if down else self.below
            for members in self.rows if down else reversed(self.rows):
                keys = {
                    m: sum(position[n] for n in neighbours[m]) / len(neighbours[m]) if neighbours[m] else position[m]
                    for m in members
                }
                members.sort(key=keys.__getitem__)
                for i, m in enumerate(members):
                    position[m] = i
            crossings = self._crossings(position)
            if crossings < fewest:
                best, fewest = [list(r) for r in self.rows], crossings
        self.rows = best

    def _crossings(self, position: list[int]) -> int:
        """How many pairs of lines cross, counted as inversions in a Fenwick tree."""
        total = 0
        for members, lower in pairwise(self.rows):
            tree = [0] * (len(lower) + 1)
            seen = 0
            for m in sorted(members, key=position.__getitem__):
                ends = sorted(position[b] for b in self.below[m])
                for end in ends:
                    before, i = 0, end + 1
                    while i:
                        before += tree[i]
                        i &= i - 1
                    total += seen - before
                for end in ends:
                    i = end + 1
                    while i < len(tree):
                        tree[i] += 1
                        i += i & -i
                seen += len(ends)
        return total

    # ------------------------------------------------------------------ places within rows

    def place(self) -> list[float]:
        """The x of every box and joint."""
        return places(self.rows, self.above, self.below, lambda m: m >= self.real, self._apart)

    def _apart(self, a: int, b: int) -> float:
        joints = (a >= self.real) + (b >= self.real)
        return self.blocks[a].right + self.blocks[b].left + (SIDE_GAP, SIDE_GAP / 2, 4.0)[joints]

    # ------------------------------------------------------------------ the result

    def finish(self, x: list[float], real: int) -> Layout:
        """Shift everything to the corner and draw the lines."""
        shift = -min(x[i] - b.left for i, b in enumerate(self.blocks))
        x = [v + shift for v in x]
        tops, y = [], 0.0
        heights = [max(self.blocks[m].height for m in members) for members in self.rows]
        for h in heights:
            tops.append(y)
            y += h + ROW_GAP
        middle = [tops[r] + heights[r] / 2 for r in self.row]
        ends = self._ports(x)
        routes = []
        for link, chain in enumerate(self.chains):
            a, b = chain[0], chain[-1]
            at: Point = (x[a] + (self.ports[link][0] or 0.0), middle[a] + self.blocks[a].height / 2)
            route = [at]
            at = _down(route, at, tops[self.row[a]] + heights[self.row[a]])
            for joint in chain[1:-1]:
                r = self.row[joint]
                at = _curve(route, at, (x[joint], tops[r]))
                at = _down(route, at, tops[r] + heights[r])
            at = _curve(route, at, (ends[link], tops[self.row[b]]))
            _down(route, at, middle[b] - self.blocks[b].height / 2)
            routes.append(route)
        width = max(x[i] + b.right for i, b in enumerate(self.blocks))
        return Layout(list(zip(x[:real], middle[:real], strict=True)), routes, width, y - ROW_GAP)

    def _ports(self, x: list[float]) -> list[float]:
        """Where each line meets its target: side by side on the upper edge, in the order of arrival."""
        arriving: dict[int, list[int]] = {}
        for link, chain in enumerate(self.chains):
            arriving.setdefault(chain[-1], []).append(link)
        ends = [0.0] * len(self.chains)
        for target, lines in arriving.items():
            for link in lines:
                ends[link] = x[target] + (self.ports[link][1] or 0.0)
            lines = [link for link in lines if self.ports[link][1] is None]
            lines.sort(key=lambda link: x[self.chains[link][-2]])
            room = 2 * self.blocks[target].half - PORT_GAP
            step = min(PORT_GAP, room / max(1, len(lines) - 1))
            for i, link in enumerate(lines):
                ends[link] = x[target] + (i - (len(lines) - 1) / 2) * step
        return ends


def _rows(blocks: Sequence[Block], links: Sequence[tuple[int, int]]) -> list[int]:
    """Longest path from the top; boxes that read from nothing move down to just above their first reader."""
    row = [0] * len(blocks)
    reads = [block.pin < 0 for block in blocks]
    by_target = sorted(links, key=lambda link: link[1])
    for a, b in by_target:
        row[b] = max(row[b], row[a] + 1)
        reads[b] = True
    last = max(row)
    row = [last if block.pin > 0 else r for r, block in zip(row, blocks, strict=True)]
    first: dict[int, int] = {}
    for a, b in links:
        first[a] = min(first.get(a, row[b]), row[b])
    return [r if reads[i] or i not in first else first[i] - 1 for i, r in enumerate(row)]


def _curve(route: list[Point], a: Point, b: Point) -> Point:
    bend = (a[1] + b[1]) / 2
    route += [(a[0], bend), (b[0], bend), b]
    return b


def _down(route: list[Point], a: Point, y: float) -> Point:
    if y <= a[1]:
        return a
    route += [a, (a[0], y), (a[0], y)]
    return a[0], y
