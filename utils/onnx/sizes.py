"""Numbers that depend on sizes, as nodes of the graph: which sizes they are, or what formula of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

from .errors import OnnxExporterError
from .varying import Varying

__all__ = ["Sizes"]

Row = tuple[int, ...]
REACH = 130  # how far from a multiple of a size a number may be
DIVISORS = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 24, 32)


class Sizes:
    """The sizes that a graph can ask for, and the numbers it has made of them.

    Args:
        graph: the graph that nodes are added to.
    """

    def __init__(self, graph: Any) -> None:
        self.graph = graph
        self.known: dict[Row, tuple[str, int]] = {}  # values in all runs -> a tensor, and its dimension
        self.made: dict[Row, str] = {}

    def learn(self, name: str, shape: tuple[Any, ...]) -> None:
        """Remember the sizes of a tensor of the graph."""
        for axis, n in enumerate(shape):
            if isinstance(n, Varying):
                self.known.setdefault(n.values, (name, axis))

    def vector(self, n: Any) -> str:
        """A tensor of one int64 element, the number ``n``.

        Raises:
            OnnxExporterError: it is not known what ``n`` has to do with the sizes of the inputs.
        """
        g = self.graph
        if not isinstance(n, Varying):
            return str(g.constant([int(n)], "int64"))
        row = n.values
        if row not in self.made:
            self.made[row] = self._make(row)
        return self.made[row]

    def _make(self, row: Row) -> str:
        g = self.graph
        if row in self.known:
            name, axis = self.known[row]
            if g.opset >= 15:
                return str(g.op("Shape", name, start=axis, end=axis + 1))
            return str(g.op("Gather", g.op("Shape", name), g.constant([axis], "int64"), axis=0))
        for formula in self._formulas(row):
            value = ""
            for kind, operand in formula:
                if kind == "":
                    value = self.vector(Varying(operand))
                else:
                    other = self.vector(Varying(operand) if isinstance(operand, tuple) else operand)
                    value = str(g.op(kind, value, other))
            return value
        raise OnnxExporterError(
            f"a size of the model is {', '.join(map(str, row))} for the sizes that were tried, and it was not found "
            "out which formula of the inputs' sizes that is; give the dimension that it depends on a fixed size"
        )

    def _formulas(self, row: Row) -> Iterator[list[tuple[str, Any]]]:
        """Formulas that give ``row`` in all runs, the simplest first."""
        rows = list(self.known)
        for other in rows:
            differences = {a - b for a, b in zip(row, other, strict=True)}
            if len(differences) == 1 and abs(next(iter(differences))) <= REACH:
                yield [("", other), ("Add", differences.pop())]
        for other in rows:
            if factor := _factor(row, other):
                yield [("", other), ("Mul", factor)]
            if factor := _factor(other, row):
                yield [("", other), ("Div", factor)]
        for a, b in itertools.combinations_with_replacement(rows, 2):
            both = tuple([m * n for m, n in zip(a, b, strict=True)])
            if both == row:
                yield [("", a), ("Mul", b)]
            if factor := _factor(row, both):
                yield [("", a), ("Mul", b), ("Mul", factor)]
            if tuple([m + n for m, n in zip(a, b, strict=True)]) == row:
                yield [("", a), ("Add", b)]
            if tuple([m - n for m, n in zip(a, b, strict=True)]) == row:
                yield [("", a), ("Sub", b)]
            if tuple([n - m for m, n in zip(a, b, strict=True)]) == row:
                yield [("", b), ("Sub", a)]
        for other in rows:
            yield from _linear(row, other)

    def float_formula(self, row: tuple[float, ...]) -> tuple[Varying, str] | None:
        """Which whole number a number that is none depends on, and how: its reciprocal, root, or both."""
        for kind, inverse in INVERSES.items():
            found = []
            for v in row:
                whole = inverse(v) if v > 0 else 0.0
                if abs(whole - round(whole)) > 1e-6 * max(whole, 1.0):
                    break
                found.append(round(whole))
            else:
                return Varying(found), kind
        return None

    def ratio(self, row: tuple[float, ...]) -> tuple[Varying, Varying] | None:
        """The two sizes whose quotient a number is in all runs."""
        for a, b in itertools.permutations([*self.known, *self.made], 2):
            if 0 not in b and all(abs(v - m / n) <= 1e-12 * abs(v) for v, m, n in zip(row, a, b, strict=True)):
                return Varying(a), Varying(b)
        return None


INVERSES: dict[str, Any] = {
    "same": lambda v: v,
    "reciprocal": lambda v: 1 / v,
    "root": lambda v: v * v,
    "reciprocal root": lambda v: 1 / (v * v),
}


def _factor(row: Row, other: Row) -> int:
    """``row / other`` where that is the same whole number in all runs, else 0."""
    if any(n == 0 for n in other):
        return 0
    factors = {divmod(a, b) for a, b in zip(row, other, strict=True)}
    return next(iter(factors))[0] if len(factors) == 1 and next(iter(factors))[1] == 0 else 0


def _linear(row: Row, other: Row) -> Iterator[list[tuple[str, Any]]]:
    """``(a * other + b) // c + d``."""
    rise = [(a - row[0], b - other[0]) for a, b in zip(row, other, strict=True)]
    if any(up != 0 for up, step in rise if step == 0):
        return
    rise = [(up, step) for up, step in rise if step != 0]
    if not rise:
        return
    slopes = {divmod(up, step) for up, step in rise}
    if len(slopes) == 1 and next(iter(slopes))[1] == 0:
        slope = next(iter(slopes))[0]
        yield [("", other), ("Mul", slope), ("Add", row[0] - slope * other[0])]
    for c in DIVISORS:
        if not any(abs(up * c - step) < c * 2 for up, step in rise):
            continue
        for b in range(-c, c + 1):
            differences = {a - (n + b) // c for a, n in zip(row, other, strict=True)}
            if len(differences) == 1 and math.isfinite(d := differences.pop()):
                yield [("", other), ("Add", b), ("Div", c), ("Add", d)]
