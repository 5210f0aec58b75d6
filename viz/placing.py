"""Places within the rows of a layered layout: Brandes and Koepf's method, so that chains and long lines run straight.

Every entry of a row is aligned with the median of its neighbours in the row before; aligned entries form columns;
columns are packed to one side. That is done four ways (from above or below, packed left or right), and each entry
takes the middle of what the four say.

References:
    Brandes, Koepf. Fast and Simple Horizontal Coordinate Assignment. Graph Drawing, 2001.
    Departs from the paper: columns are packed by longest paths between them, which needs no recursion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

__all__ = ["places"]

Neighbours = Sequence[Sequence[int]]


def places(
    rows: list[list[int]],
    above: Neighbours,
    below: Neighbours,
    is_joint: Callable[[int], bool],
    apart: Callable[[int, int], float],
) -> list[float]:
    """The x of every entry.

    Args:
        rows: the entries of each row, from left to right.
        above: the neighbours of each entry in the row above its own.
        below: those in the row below.
        is_joint: whether an entry is a place of a long line, whose straightness goes first.
        apart: the least distance between the middles of two entries of a row, left one first.
    """
    crossed = _crossed(rows, above, is_joint)
    results: list[list[float]] = []
    for up in (False, True):
        near = below if up else above
        walk = list(reversed(rows)) if up else rows
        for right in (False, True):
            ordered = [list(reversed(row)) for row in walk] if right else walk
            distance = (lambda a, b: apart(b, a)) if right else apart
            column = _columns(ordered, near, crossed, len(above))
            x = _pack(ordered, column, distance)
            results.append([-v for v in x] if right else x)
    return _middle(results)


def _crossed(rows: list[list[int]], above: Neighbours, is_joint: Callable[[int], bool]) -> set[tuple[int, int]]:
    """The short links (upper, lower) that cross a piece of a long line: they give way to it."""
    marked = set()
    for upper, row in pairwise(rows):
        position = {m: i for i, m in enumerate(upper)}
        start, low = 0, 0
        for i, m in enumerate(row):
            partner = next((a for a in above[m] if is_joint(m) and is_joint(a)), None)
            if partner is None and i < len(row) - 1:
                continue
            high = len(upper) if partner is None else position[partner]
            for other in row[start : i + 1]:
                for a in above[other]:
                    if not low <= position[a] <= high and not (is_joint(a) and is_joint(other)):
                        marked.add((a, other))
            start, low = i + 1, high
    return marked


def _columns(rows: list[list[int]], near: Neighbours, crossed: set[tuple[int, int]], count: int) -> list[int]:
    """For every entry the first one of its column; ``near`` are its neighbours in the row that came before."""
    column = list(range(count))
    taken = [False] * count
    position = [0] * count
    for row in rows:
        for i, m in enumerate(row):
            position[m] = i
        reached = -1
        for m in row:
            others = sorted(near[m], key=position.__getitem__)
            middle = len(others) // 2
            for n in others[middle - 1 : middle + 1] if len(others) % 2 == 0 else others[middle : middle + 1]:
                free = column[m] == m and not taken[n] and (n, m) not in crossed and (m, n) not in crossed
                if free and position[n] > reached:
                    taken[n] = True
                    column[m] = column[n]
                    reached = position[n]
    return column


def _pack(rows: list[list[int]], column: list[int], apart: Callable[[int, int], float]) -> list[float]:
    """Columns as far left as their neighbours allow, then as far right as they can without widening anything."""
    after: dict[int, dict[int, float]] = {}
    before: dict[int, int] = {}
    for row in rows:
        for a, b in pairwise(row):
            gaps = after.setdefault(column[a], {})
            if column[b] not in gaps:
                before[column[b]] = before.get(column[b], 0) + 1
            gaps[column[b]] = max(gaps.get(column[b], 0.0), apart(a, b))
    heads = dict.fromkeys(column[m] for row in rows for m in row)
    ready = [c for c in heads if not before.get(c)]
    x = dict.fromkeys(heads, 0.0)
    order = []
    while ready:
        c = ready.pop()
        order.append(c)
        for other, gap in after.get(c, {}).items():
            x[other] = max(x[other], x[c] + gap)
            before[other] -= 1
            if not before[other]:
                ready.append(other)
    for c in reversed(order):
        if c in after:
            x[c] = max(x[c], min(x[other] - gap for other, gap in after[c].items()))
    return [x.get(c, 0.0) for c in column]


def _middle(results: list[list[float]]) -> list[float]:
    """The mean of the two middle places of each entry, after all four layouts are moved over the narrowest one."""
    spans = [(min(x), max(x)) for x in results]
    low, high = min(spans, key=lambda s: s[1] - s[0])
    moved = []
    for i, (x, (left, right)) in enumerate(zip(results, spans, strict=True)):
        shift = low - left if i % 2 == 0 else high - right
        moved.append([v + shift for v in x])
    return [sum(sorted(four)[1:3]) / 2 for four in zip(*moved, strict=True)]
