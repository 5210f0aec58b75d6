"""A line search for a step that satisfies the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Point", "strong_wolfe"]

DECREASE, CURVATURE = 1e-4, 0.9  # the constants of the two conditions
CHANGE = 1e-9  # the least change of a parameter that is worth an evaluation


@dataclass
class Point:
    """What is known at a distance along a direction."""

    t: float
    loss: float
    g: Any
    slope: float


def strong_wolfe(
    evaluate: Callable[[float], Point], start: Point, t: float, scale: float, most: int
) -> tuple[Point, int]:
    """A point whose loss is low enough and whose slope is flat enough, found by bracketing and cubic interpolation.

    Args:
        evaluate: the point at a distance.
        start: the point at distance 0.
        t: the first distance to try.
        scale: the largest element of the direction.
        most: how often the distance may be changed.

    Returns:
        The point, and how often ``evaluate`` was called.

    References:
        J. Nocedal, S. Wright, "Numerical Optimization", 2nd edition, 2006, algorithms 3.5 and 3.6.
    """

    def too_high(p: Point) -> bool:
        return p.loss > start.loss + DECREASE * p.t * start.slope

    def flat(p: Point) -> bool:
        return abs(p.slope) <= -CURVATURE * start.slope

    before, now, tries = start, evaluate(t), 0
    while tries < most:
        if too_high(now) or (tries > 1 and now.loss >= before.loss):
            break
        if flat(now):
            return now, tries + 1
        if now.slope >= 0:
            break
        further = _cubic_minimum(before, now, (now.t + 0.01 * (now.t - before.t), 10 * now.t))
        before, now = now, evaluate(further)
        tries += 1
    else:
        before = start
    low, high = (before, now) if before.loss <= now.loss else (now, before)
    stuck = False
    while tries < most and abs(high.t - low.t) * scale >= CHANGE:
        t, stuck = _inside(low, high, stuck)
        now = evaluate(t)
        tries += 1
        if too_high(now) or now.loss >= low.loss:
            low, high = (low, now) if low.loss <= now.loss else (now, low)
            continue
        if flat(now):
            return now, tries + 1
        if now.slope * (high.t - low.t) >= 0:
            high = low
        low = now
    return low, tries + 1


def _inside(low: Point, high: Point, stuck: bool) -> tuple[float, bool]:
    """The next distance to try between two points, and whether it is near one of them.

    Twice near an end is no progress: then it is moved away, by a tenth of the interval.
    """
    left, right = min(low.t, high.t), max(low.t, high.t)
    t = _cubic_minimum(low, high)
    margin = 0.1 * (right - left)
    if min(right - t, t - left) >= margin:
        return t, False
    if not (stuck or t >= right or t <= left):
        return t, True
    return (right - margin if abs(t - right) < abs(t - left) else left + margin), False


def _cubic_minimum(a: Point, b: Point, bounds: tuple[float, float] | None = None) -> float:
    """Where the cubic through two points with their slopes is least, within ``bounds`` (between the points)."""
    if a.t > b.t:
        a, b = b, a
    low, high = bounds or (a.t, b.t)
    if a.t == b.t:
        return (low + high) / 2
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if square < 0 or math.isnan(square):
        return (low + high) / 2
    d2 = math.sqrt(square)
    bottom = b.slope - a.slope + 2 * d2
    if bottom == 0:
        return (low + high) / 2
    return min(max(b.t - (b.t - a.t) * ((b.slope + d2 - d1) / bottom), low), high)
