"""A layout of boxes within frames: each frame is laid out by itself, and is one large box of the frame around it.

A line that crosses frames is drawn in pieces, one for each frame that it runs through; they meet at the borders.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

from .layout import Block, Layout, Point, Port, layered

__all__ = ["Arrangement", "Bounds", "Request", "nested"]

PAD, HEAD, PORT = 18.0, 38.0, 6.0

Key = tuple[
    str, int
]  # ("box", i), ("frame", f), or where the lines from box i come in or go out: ("in", i), ("out", i)


@dataclass(slots=True)
class Request:
    """What is to be laid out.

    Attributes:
        blocks: the boxes, each after all those that have a line to it.
        lines: pairs of boxes.
        frames: for each frame the one around it; frame 0 is the whole picture.
        frame_of: the frame of each box.
        titles: how wide each frame must be for its title.
    """

    blocks: Sequence[Block]
    lines: Sequence[tuple[int, int]]
    frames: Sequence[int]
    frame_of: Sequence[int]
    titles: Sequence[float]


@dataclass(slots=True)
class Bounds:
    """Where a frame is: its left upper corner, its width and height."""

    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True)
class Arrangement:
    """Where everything goes.

    Attributes:
        centres: the middle of each box.
        bounds: of each frame; the whole picture first.
        routes: pieces of lines: the box they come from, cubic Bezier points, and whether an arrow tip ends them.
    """

    centres: list[Point]
    bounds: list[Bounds]
    routes: list[tuple[int, list[Point], bool]]


@dataclass(slots=True)
class _Piece:
    """A part of a line within one frame; ``origin`` is the box where the whole line starts."""

    source: Key
    target: Key
    origin: int


@dataclass(slots=True)
class _Inside:
    """What a frame holds."""

    keys: dict[Key, int] = field(default_factory=dict)  # -> its position among them
    pieces: list[_Piece] = field(default_factory=list)
    seen: set[tuple[Key, Key, int]] = field(default_factory=set)

    def add(self, key: Key) -> Key:
        self.keys.setdefault(key, len(self.keys))
        return key

    def join(self, source: Key, target: Key, origin: int) -> None:
        """Add a piece; only those that end at a box are drawn more than once."""
        if target[0] == "box" or (source, target, origin) not in self.seen:
            self.seen.add((source, target, origin))
            self.pieces.append(_Piece(self.add(source), self.add(target), origin))

    def ordered(self) -> list[Key]:
        """The keys, each after those that have a line to it, and otherwise as they came."""
        keys = list(self.keys)
        waiting = [0] * len(keys)
        after: list[list[int]] = [[] for _ in keys]
        for piece in self.pieces:
            a, b = self.keys[piece.source], self.keys[piece.target]
            after[a].append(b)
            waiting[b] += 1
        ready = [i for i, n in enumerate(waiting) if not n]
        order = []
        while ready:
            i = heapq.heappop(ready)
            order.append(keys[i])
            for b in after[i]:
                waiting[b] -= 1
                if not waiting[b]:
                    heapq.heappush(ready, b)
        return order


def nested(request: Request) -> Arrangement:
    """Lay out boxes within frames."""
    return _Nest(request).arrange()


class _Nest:
    def __init__(self, request: Request) -> None:
        self.request = request
        self.chains = [[f] for f in range(len(request.frames))]  # from a frame outwards
        for f in range(1, len(request.frames)):
            self.chains[f] += self.chains[request.frames[f]]
        self.inside = [_Inside() for _ in request.frames]
        for i in range(len(request.blocks)):
            f = request.frame_of[i]
            self.inside[f].add(("box", i))
            while f:
                self.inside[request.frames[f]].add(("frame", f))
                f = request.frames[f]
        for a, b in request.lines:
            self._cut(a, b)
        self.layouts: list[Layout] = [Layout([], [], 0.0, 0.0)] * len(request.frames)
        self.margins = [(HEAD, PAD)] * len(request.frames)
        self.places: list[dict[Key, Point]] = [{} for _ in request.frames]

    def _cut(self, a: int, b: int) -> None:
        """The pieces of a line: out of the frames of its source, across, into those of its target."""
        out, into = self.chains[self.request.frame_of[a]], self.chains[self.request.frame_of[b]]
        common = next(f for f in out if f in into)
        key: Key = ("box", a)
        for f in out[: out.index(common)]:
            self.inside[f].join(key, ("out", a), a)
            key = ("frame", f)
        for f in reversed(into[: into.index(common) + 1]):
            depth = into.index(f)
            self.inside[f].join(key, ("frame", into[depth - 1]) if depth else ("box", b), a)
            key = ("in", a)

    def arrange(self) -> Arrangement:
        """Sizes from the inside out, then places from the outside in."""
        frames = len(self.request.frames)
        rooms = [Block(0, 0, 0, 0)] * frames
        for f in reversed(range(frames)):
            self._lay_out(f, rooms)
            half = max(self.layouts[f].width + 2 * PAD, self.request.titles[f]) / 2
            head, foot = self.margins[f]
            rooms[f] = Block(half, half, self.layouts[f].height + head + foot, half)
        whole = self.layouts[0]
        bounds = [Bounds(0.0, 0.0, whole.width, whole.height)] * frames
        corners: list[Point] = [(0.0, 0.0)] * frames  # where each frame's own layout begins
        centres: list[Point] = [(0.0, 0.0)] * len(self.request.blocks)
        routes = []
        for f in range(frames):
            x, y = corners[f]
            for (kind, i), (cx, cy) in self.places[f].items():
                if kind == "box":
                    centres[i] = (x + cx, y + cy)
                elif kind == "frame":
                    room = rooms[i]
                    left, top = x + cx - room.half, y + cy - room.height / 2
                    bounds[i] = Bounds(left, top, 2 * room.half, room.height)
                    corners[i] = (x + cx - self.layouts[i].width / 2, top + self.margins[i][0])
            for piece, route in zip(self.inside[f].pieces, self.layouts[f].routes, strict=True):
                points = [(x + px, y + py) for px, py in route]
                self._to_borders(piece, points, bounds[f])
                routes.append((piece.origin, points, piece.target[0] == "box"))
        return Arrangement(centres, bounds, routes)

    def _margin(self, f: int, blocks: list[Block]) -> tuple[float, float]:
        """The room above and below what a frame holds: less where a row of ports leaves some already."""
        layout = self.layouts[f]
        pairs = [(y, b.height / 2) for (_, y), b in zip(layout.centres, blocks, strict=True) if not b.pin]
        first, last = min(y - h for y, h in pairs), max(y + h for y, h in pairs)
        return max(8.0, HEAD - first), max(2.0, PAD - (layout.height - last))

    def _to_borders(self, piece: _Piece, points: list[Point], frame: Bounds) -> None:
        """Lengthen a piece that begins or ends at a border of its frame up to there."""
        if piece.source[0] == "in":
            x, y = points[0]
            points[:0] = [(x, frame.y), (x, frame.y), (x, y)]
        if piece.target[0] == "out":
            x, y = points[-1]
            bottom = frame.y + frame.height
            points += [(x, y), (x, bottom), (x, bottom)]

    def _lay_out(self, f: int, rooms: list[Block]) -> None:
        inside = self.inside[f]
        order = inside.ordered()
        rank = {key: i for i, key in enumerate(order)}
        links = [(rank[p.source], rank[p.target]) for p in inside.pieces]
        ports = [self._port(p) for p in inside.pieces]
        blocks = [self._block(key, rooms) for key in order]
        self.layouts[f] = layout = layered(blocks, links, ports)
        self.margins[f] = self._margin(f, blocks) if blocks else (HEAD, PAD)
        self.places[f] = dict(zip(order, layout.centres, strict=True))

    def _block(self, key: Key, rooms: list[Block]) -> Block:
        kind, number = key
        if kind == "box":
            return self.request.blocks[number]
        if kind == "frame":
            return rooms[number]
        return Block(PORT, PORT, 0.0, 0.0, -1 if kind == "in" else 1)

    def _port(self, piece: _Piece) -> Port:
        """How far from the middle of a frame a piece leaves or enters it."""
        start = self._offset(piece.source[1], ("out", piece.origin)) if piece.source[0] == "frame" else None
        end = self._offset(piece.target[1], ("in", piece.origin)) if piece.target[0] == "frame" else None
        return start, end

    def _offset(self, frame: int, key: Key) -> float:
        return self.places[frame][key][0] - self.layouts[frame].width / 2
