"""What the tests of the op table share: inputs on a backend, results made flat, slopes by finite differences."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import wengert as wg
from wengert.autograd.base import wrap
from wengert.autograd.tensor import Tensor
from wengert.backends.dtypes import numpy_dtype

from .backends import to_backend, to_numpy
from .cases.base import Make, OpCase

STEP = 1e-6


def is_float(array: np.ndarray) -> bool:
    """Whether the array is of a differentiable type."""
    return array.dtype.kind in "fcV"


def samples(case: OpCase) -> list[tuple[Any, ...]]:
    """The row's samples, each an argument tuple."""
    return [tuple(s) if isinstance(s, tuple | list) else (s,) for s in case.samples(Make(0))]


def mapped(value: Any, change: Callable[[np.ndarray], Any]) -> Any:
    """``value`` with every NumPy array in it, however deep in lists, tuples and dicts, replaced."""
    if isinstance(value, np.ndarray):
        return change(value)
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return type(value)(mapped(v, change) for v in value)
    if type(value) is dict:
        return {k: mapped(v, change) for k, v in value.items()}
    return value


def cast(array: np.ndarray, dtype: str | None) -> np.ndarray:
    """A floating array in another type; a complex one in the complex type of that precision; others as they are."""
    if dtype is None or not is_float(array):
        return array
    kind = wg_dtype(dtype)
    return array.astype(kind.to_complex().dtype if array.dtype.kind == "c" else kind.dtype)


def whole_numbers(array: np.ndarray, dtype: str) -> np.ndarray:
    """A floating array as whole numbers of an integer type (or bool), none of them negative; others as they are."""
    return np.asarray(np.abs(np.round(array))).astype(dtype) if array.dtype.kind == "f" else array


def wg_dtype(name: str) -> Any:
    """The library's dtype of that name."""
    return getattr(wg, name)


def strided(array: np.ndarray, device: str, odd: bool) -> Any:
    """A non-contiguous array on ``device`` with these values: every second element, or dimensions reversed."""
    if not array.ndim:
        return to_backend(array, device)
    if odd and array.ndim > 1:
        axes = tuple(reversed(range(array.ndim)))
        return to_backend(np.ascontiguousarray(array.transpose(axes)), device).transpose(axes)
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    return to_backend(wide, device)[..., ::2]


class Inputs:
    """A sample's arguments as Tensors on a device.

    Attributes:
        args: the arguments.
        tensors: the Tensors in them, in order; ``arrays`` are the NumPy arrays that they were made from.
        leaves: those of floating type, which require grad if asked to.
    """

    def __init__(
        self, sample: Any, device: str, dtype: str | None = None, contiguous: bool = True, grad: bool = False
    ) -> None:
        self.tensors: list[Any] = []
        self.arrays: list[np.ndarray] = []
        self.leaves: list[Any] = []

        def make(array: np.ndarray) -> Any:
            array = cast(array, dtype)
            made = to_backend(array, device) if contiguous else strided(array, device, len(self.tensors) % 2 == 1)
            tensor = wrap(made)
            self.tensors.append(tensor)
            self.arrays.append(array)
            if is_float(array):
                tensor.requires_grad_(grad)
                self.leaves.append(tensor)
            return tensor

        self.args = mapped(sample, make)

    def changed(self) -> list[int]:
        """Which inputs do not have the values any more that they were made with."""
        same = [
            np.array_equal(values(t), a, equal_nan=is_float(a)) for t, a in zip(self.tensors, self.arrays, strict=True)
        ]
        return [i for i, s in enumerate(same) if not s]

    def move(self, step: float, directions: list[np.ndarray]) -> None:
        """Add ``step * direction`` to each leaf, under the graph's nose."""
        for leaf, direction in zip(self.leaves, directions, strict=True):
            where = leaf._data
            where[...] = to_backend(values(leaf) + step * direction, leaf.device.type)


def run(case: OpCase, inputs: Inputs) -> Any:
    """The op's result, with the random numbers of a fixed seed."""
    if hasattr(wg, "manual_seed"):
        wg.manual_seed(0)
    return case.fn(wg, *inputs.args)


def flat(result: Any) -> list[Any]:
    """The tensors and plain values in a result, however nested."""
    if isinstance(result, Tensor) or not isinstance(result, list | tuple | dict):
        return [result]
    parts = result.values() if isinstance(result, dict) else result
    return [leaf for part in parts for leaf in flat(part)]


def values(tensor: Any) -> np.ndarray:
    """A Tensor's values in NumPy; what is no Tensor as it is."""
    return np.array(to_numpy(tensor._data)) if isinstance(tensor, Tensor) else np.asarray(tensor)


def differentiable(result: Any) -> list[Any]:
    """The outputs that require grad."""
    return [o for o in flat(result) if isinstance(o, Tensor) and o.requires_grad]


def noise(rng: np.random.Generator, like: Any) -> np.ndarray:
    """Random numbers of a tensor's shape and type."""
    shape = tuple(like.shape)
    x = rng.standard_normal(shape)
    dtype = numpy_dtype(like.dtype)
    return np.asarray(x + 1j * rng.standard_normal(shape) if dtype.kind == "c" else x).astype(dtype)


def dot(a: list[np.ndarray], b: list[np.ndarray]) -> float:
    """The inner product of two lists of arrays, complex numbers as pairs of reals."""
    return float(sum(np.vdot(x, y).real for x, y in zip(a, b, strict=True)))


def vjp(outputs: list[Any], inputs: list[Any], vs: list[Any], create_graph: bool) -> list[Any]:
    """The gradients of the inputs, None where there is none, when ``vs`` arrive at the outputs."""
    return list(wg.autograd.grad(outputs, inputs, vs, create_graph=create_graph, retain_graph=True, allow_unused=True))


class Renamed:
    """A namespace in which one public name means another function."""

    def __init__(self, space: Any, path: str, function: Callable[..., Any]) -> None:
        self._space, (self._name, _, self._rest), self._function = space, path.partition("."), function

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._space, name)
        if name != self._name:
            return found
        return Renamed(found, self._rest, self._function) if self._rest else self._function


def lookup(path: str, space: Any = wg) -> Any:
    """What a dotted public name stands for."""
    for part in path.split("."):
        space = getattr(space, part)
    return space


def public_functions(space: types.ModuleType) -> Iterator[str]:
    """The names of the functions that a module exports."""
    for name in getattr(space, "__all__", None) or vars(space):
        value = getattr(space, name)
        if not name.startswith("_") and inspect.isfunction(value) and value.__module__.startswith("wengert."):
            yield name
