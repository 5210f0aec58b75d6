"""A recording: the values that were computed, and the steps that computed them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import WengertError

__all__ = ["Recording", "Step", "TraceError", "Value", "mapped", "values_in"]


class TraceError(WengertError, RuntimeError):
    """What a program that is recorded may not do."""


class Value:
    """One array of a recorded program.

    Attributes:
        number: its place among the values of the recording; two runs of one program number alike.
        shape: its shape.
        dtype: its NumPy dtype.
        real: the array itself, where no input has a say in it; else None.
        name: what the caller called it: an input's name, a parameter's.
        kind: ``"input"``, ``"parameter"``, ``"constant"``, or ``"step"`` for what a step computes.
        depends: whether an input has a say in it.
        trained: whether a parameter has.
    """

    __slots__ = ("depends", "dtype", "kind", "name", "number", "real", "shape", "trained")

    def __init__(self, number: int, real: Any, kind: str, name: str, depends: bool, trained: bool) -> None:
        self.number, self.kind, self.name = number, kind, name
        self.real = None if depends else real
        self.shape, self.dtype = tuple(real.shape), real.dtype
        self.depends, self.trained = depends, trained

    @property
    def ndim(self) -> int:
        """How many dimensions it has."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"Value({self.number}, {list(self.shape)}, {self.dtype.name})"


class Step:
    """One kernel, or function of the namespace, that ran.

    Attributes:
        name: of the kernel.
        args: its arguments, with a `Value` for each array.
        kwargs: those by name.
        outputs: what it returned, None for what is no array.
        place: the path of the module in which it ran.
        line: the line of the program.
    """

    __slots__ = ("args", "kwargs", "line", "name", "outputs", "place")

    def __init__(self, name: str, args: Any, kwargs: Any, outputs: list[Any], place: str, line: str) -> None:
        self.name, self.args, self.kwargs, self.outputs = name, args, kwargs, outputs
        self.place, self.line = place, line


class Recording:
    """What a program computed.

    Args:
        knows: whether a kernel or function of that name may be listed; others run by their definition.
        place: tells the path of the module that is running.
        line: tells the line of the program.
    """

    def __init__(
        self, knows: Callable[[str], bool], place: Callable[[], str] = str, line: Callable[[], str] = str
    ) -> None:
        self.knows, self.place, self.line = knows, place, line
        self.values: list[Value] = []
        self.steps: list[Step] = []
        self._constants: dict[int, tuple[Any, Value]] = {}

    def new(self, real: Any, kind: str, name: str = "", of: Sequence[Value] = ()) -> Value:
        """A further value, made of others."""
        depends = kind == "input" or any(v.depends for v in of)
        trained = kind == "parameter" or any(v.trained for v in of)
        value = Value(len(self.values), real, kind, name, depends, trained)
        self.values.append(value)
        return value

    def constant(self, array: Any) -> Value:
        """The value of an array that was there before the program ran."""
        found = self._constants.get(id(array))
        if found is None:
            found = self._constants[id(array)] = array, self.new(array, "constant")
        return found[1]

    def add(self, name: str, args: Any, kwargs: Any, results: Any) -> list[Any]:
        """A further step, whose results (arrays, or None) become values."""
        of = values_in((args, kwargs))
        random = name.startswith("random_")
        outputs: list[Value | None] = [None if r is None else self.new(r, "step", of=of) for r in results]
        if random:  # drawn anew in every run
            for output in outputs:
                if output is not None:
                    output.depends, output.real = True, None
        self.steps.append(Step(name, args, kwargs, outputs, self.place(), self.line()))
        return outputs


def mapped(value: Any, is_array: Callable[[Any], bool], change: Callable[[Any], Any]) -> Any:
    """``value`` with every array in it, however deep in containers, replaced."""
    if is_array(value):
        return change(value)
    if type(value) in (list, tuple):
        return type(value)([mapped(v, is_array, change) for v in value])
    if type(value) is dict:
        return {k: mapped(v, is_array, change) for k, v in value.items()}
    if type(value) is slice:
        parts = (value.start, value.stop, value.step)
        return slice(*[mapped(v, is_array, change) for v in parts])
    return value


def values_in(nest: Any) -> list[Value]:
    """All values in a nest of containers."""
    found, stack = [], [nest]
    while stack:
        v = stack.pop()
        if isinstance(v, Value):
            found.append(v)
        elif isinstance(v, list | tuple):
            stack.extend(v)
        elif isinstance(v, dict):
            stack.extend(v.values())
        elif isinstance(v, slice):
            stack.extend((v.start, v.stop, v.step))
    return found
