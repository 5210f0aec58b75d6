"""Numbers that depend on the sizes of the inputs, known by what they were in several runs.

A program is run with several sizes. A number that is the same each time is a constant of the program; one that is not
is a `Varying`, with one value for each run. Arithmetic goes run by run, so that rules may compute with sizes as if
they were numbers. What formula it is, of which sizes, is found when it is written to the file (``sizes.py``).
"""

from __future__ import annotations

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

    def __eq__(self, other: object) -> bool:
        return self.values == (other.values if isinstance(other, Varying) else (other,))

    def __add__(self, other: Any) -> Any:
        return each(operator.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return each(operator.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return each(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Any:
        return each(operator.sub, other, self)

    def __mul__(self, other: Any) -> Any:
        return each(operator.mul, self, other)

    def __rmul__(self, other: Any) -> Any:
        return each(operator.mul, other, self)

    def __floordiv__(self, other: Any) -> Any:
        return each(operator.floordiv, self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return each(operator.floordiv, other, self)

    def __truediv__(self, other: Any) -> Any:
        return each(operator.truediv, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return each(operator.truediv, other, self)

    def __mod__(self, other: Any) -> Any:
        return each(operator.mod, self, other)

    def __neg__(self) -> Any:
        return each(operator.neg, self)

    def __lt__(self, other: Any) -> bool:
        return _compared(operator.lt, self, other)

    def __le__(self, other: Any) -> bool:
        return _compared(operator.le, self, other)

    def __gt__(self, other: Any) -> bool:
        return _compared(operator.gt, self, other)

    def __ge__(self, other: Any) -> bool:
        return _compared(operator.ge, self, other)


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


def _compared(function: Callable[..., Any], a: Any, b: Any) -> bool:
    found = each(function, a, b)
    if isinstance(found, Varying):
        raise ValueError(f"{a} compares differently with {b} from run to run")
    return bool(found)
