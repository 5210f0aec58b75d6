"""Numbers that depend on the sizes of the inputs, known by what they were in several runs.

A program is run with several sizes. A number that is the same each time is a constant of the program; one that is not
is a `Varying`, with one value for each run. Arithmetic goes run by run, so that rules may compute with sizes as if
they were numbers. What formula it is, of which sizes, is found when it is written to the file (``sizes.py``).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["Varying", "each", "number"]


class Varying:
    """A number with one value for each run.

    >>> n = Varying((2, 3, 5))
    >>> n * 4 - 1
    Varying(7, 11, 19)
    >>> n - n
    0
    """

    __slots__ = ("values",)

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = tuple(values)

    def __repr__(self) -> str:
        return f"Varying{self.values}"

    def __hash__(self) -> int:
        return hash(self.values)


def number(values: Sequence[Any]) -> Any:
    """The number itself where it is the same in all runs, else a `Varying`."""
    first = values[0]
    same = all(type(v) is type(first) and (v == first or v != v) for v in values)
    return first if same else Varying(values)


def each(function: Callable[..., Any], *operands: Any) -> Any:
    """A function of numbers, run by run."""
    runs = next(len(o.values) for o in operands if isinstance(o, Varying))
    rows = [o.values if isinstance(o, Varying) else (o,) * runs for o in operands]
    return number([function(*row) for row in zip(*rows, strict=True)])


def _operator(function: Callable[..., Any]) -> Any:
    return lambda a, b: each(function, a, b)


def _comparison(function: Callable[..., Any]) -> Any:
    def compare(a: Any, b: Any) -> bool:
        found = each(function, a, b)
        if isinstance(found, Varying):
            raise ValueError(f"{a} compares differently with {b} from run to run")
        return bool(found)

    return compare


for _name in ("add", "sub", "mul", "floordiv", "mod", "truediv"):
    setattr(Varying, f"__{_name}__", _operator(getattr(operator, _name)))
    setattr(Varying, f"__r{_name}__", lambda a, b, f=getattr(operator, _name): each(f, b, a))
for _name in ("lt", "le", "gt", "ge"):
    setattr(Varying, f"__{_name}__", _comparison(getattr(operator, _name)))
Varying.__neg__ = lambda self: each(operator.neg, self)  # type: ignore[attr-defined]
Varying.__eq__ = lambda a, b: (a.values if isinstance(a, Varying) else (a,)) == (  # type: ignore[method-assign,assignment]
    b.values if isinstance(b, Varying) else (b,)
)


def product(sizes: Sequence[Any]) -> Any:
    """The product of sizes."""
    return math.prod(sizes, start=1)
