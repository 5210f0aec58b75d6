"""Running a model to record it, with several sizes, and bringing what was recorded together."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ...autograd import primitive
from ...autograd.base import TensorBase, wrap
from ...autograd.grad_mode import no_grad
from ...backends import kernels_of
from ...backends.call_site import call_site
from ...backends.traced import Recording, Step, TracedArray, Value, tracing
from ...nn.trail import ModuleTrail
from .errors import OnnxExporterError, TracerWarning
from .varying import number

__all__ = ["Run", "leaves", "merged", "record"]


class Run:
    """One recorded call of a model.

    Attributes:
        recording: its values and steps.
        inputs: the values of the tensors among the arguments, in order.
        outputs: what the model returned, flattened: values, and other things as they are.
        results: the tensors that it returned, as arrays.
    """

    def __init__(self, recording: Recording, inputs: list[Value], outputs: list[Any], results: list[Any]) -> None:
        self.recording, self.inputs, self.outputs, self.results = recording, inputs, outputs, results


def leaves(nest: Any) -> list[Any]:
    """What is in a nest of tuples, lists, dictionaries and data classes, in order."""
    if isinstance(nest, TensorBase) or nest is None or isinstance(nest, str | bytes):
        return [nest]
    if isinstance(nest, dict):
        return [leaf for v in nest.values() for leaf in leaves(v)]
    if isinstance(nest, list | tuple):
        return [leaf for v in nest for leaf in leaves(v)]
    if hasattr(nest, "__dataclass_fields__"):
        return [leaf for name in nest.__dataclass_fields__ for leaf in leaves(getattr(nest, name))]
    return [nest]


def rebuilt(nest: Any, replace: Callable[[Any], Any]) -> Any:
    """A nest with its tensors replaced."""
    if isinstance(nest, TensorBase):
        return replace(nest)
    if isinstance(nest, dict):
        return type(nest)((k, rebuilt(v, replace)) for k, v in nest.items())
    if isinstance(nest, tuple) and hasattr(nest, "_fields"):
        return type(nest)(*[rebuilt(v, replace) for v in nest])
    if isinstance(nest, list | tuple):
        return type(nest)([rebuilt(v, replace) for v in nest])
    return nest


def record(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any], knows: Callable[[str], bool]) -> Run:
    """Run a model once, and write down what it computes.

    Raises:
        UnsupportedOperatorError: it computes something that there is no rule for.
    """
    trail = ModuleTrail()
    recording = Recording(knows, trail.path, call_site)
    inputs: list[Value] = []
    try:
        with tracing(recording, TracerWarning) as level, _swapped(model, level), _lifting(level), no_grad():

            def enter(tensor: Any) -> Any:
                array = level.array(_host(tensor), "input", str(len(inputs)))
                inputs.append(array.value)
                return wrap(array)

            result = model(*rebuilt(args, enter), **rebuilt(kwargs, enter))
            outputs = [_output(level, leaf) for leaf in leaves(result)]
    finally:
        trail.close()
    return Run(recording, inputs, [o[0] for o in outputs], [o[1] for o in outputs])


def _output(level: Any, leaf: Any) -> tuple[Any, Any]:
    if not isinstance(leaf, TensorBase):
        return leaf, None
    array = leaf._data if isinstance(leaf._data, TracedArray) else level.array(_host(leaf), "constant")
    return array.value, array.real


def _host(tensor: Any) -> Any:
    array = tensor._data
    return np.array(kernels_of[type(array)].backend.to_numpy(array))


@contextlib.contextmanager
def _lifting(level: Any) -> Iterator[None]:
    """Plain tensors that meet traced ones become constants of the recording."""

    def lift(v: Any) -> Any:
        if isinstance(v, TensorBase):
            return v if not isinstance(v._data, np.ndarray) else wrap(level.array(v._data, "constant"))
        return level.array(v, "constant") if type(v) is np.ndarray else v

    def together(prim: Any, values: tuple[Any, ...]) -> tuple[Any, ...]:
        if before is not None:
            values = before(prim, values)
        kinds = {type(v._data if isinstance(v, TensorBase) else v) for v in values}
        return tuple([lift(v) for v in values]) if TracedArray in kinds and np.ndarray in kinds else values

    before = primitive.bind_levels(None)
    primitive.bind_levels(together)
    try:
        yield
    finally:
        primitive.bind_levels(before)


@contextlib.contextmanager
def _swapped(model: Any, level: Any) -> Iterator[None]:
    """A model whose parameters, buffers and other tensors are traced, and its own again afterwards."""
    before: list[tuple[Any, Any]] = []
    seen: set[int] = set()

    def swap(tensor: Any, kind: str, name: str) -> None:
        if id(tensor) in seen or isinstance(tensor._data, TracedArray):
            return
        seen.add(id(tensor))
        before.append((tensor, tensor._data))
        real = _host(tensor) if kind != "parameter" else kernels_of[type(tensor._data)].backend.to_numpy(tensor._data)
        tensor._data = level.array(real, kind, name)

    try:
        for name, parameter in model.named_parameters():
            swap(parameter, "parameter", name)
        for name, buffer in model.named_buffers():
            swap(buffer, "buffer", name)
        for tensor in _held(model):
            swap(tensor, "constant", "")
        yield
    finally:
        for tensor, array in before:
            tensor._data = array
        for tensor in _held(model):  # what it made and kept while it was recorded
            if isinstance(tensor._data, TracedArray):
                tensor._data = tensor._data.real


def _held(model: Any) -> Iterator[Any]:
    """The tensors that modules keep beside their parameters and buffers."""
    for module in model.modules():
        for key, value in list(vars(module).items()):
            if not key.startswith("_parameters") and not key.startswith("_buffers") and key != "_modules":
                yield from [leaf for leaf in leaves(value) if isinstance(leaf, TensorBase)]


# ---------------------------------------------------------------------- several runs as one

SIZED = frozenset(("lstm_layer", "gru_layer", "rnn_sequence", "lstm_sequence", "gru_sequence"))


def merged(runs: Sequence[Run], sizes: str) -> Run:
    """The first run, with a `Varying` wherever the others have another number.

    Args:
        runs: of one model, with inputs of several sizes.
        sizes: what was changed, for messages.

    Raises:
        OnnxExporterError: the runs differ in more than numbers.
    """
    first = runs[0]
    for i, steps in enumerate(zip(*[r.recording.steps for r in runs], strict=False)):
        names = [s.name for s in steps]
        if len(set(names)) > 1:
            raise _paths(steps[0], steps[-1], sizes)
        _shorten(steps)
        try:
            first.recording.steps[i].args = _merge([s.args for s in steps])
            first.recording.steps[i].kwargs = _merge([s.kwargs for s in steps])
        except _DifferentError as error:
            raise OnnxExporterError(
                f"{names[0]}{_at(steps[0])}: {error} with the size of {sizes}, which cannot be written as one graph; "
                "give that dimension a fixed size, or compute what differs with tensor operations"
            ) from None
    if len({len(r.recording.steps) for r in runs}) > 1:
        least = min(runs, key=lambda r: len(r.recording.steps))
        longest = max(runs, key=lambda r: len(r.recording.steps))
        step = longest.recording.steps[len(least.recording.steps)]
        raise _paths(step, step, sizes)
    for values in zip(*[r.recording.values for r in runs], strict=True):
        values[0].shape = _merge([v.shape for v in values])
        if values[0].kind == "constant" and not all(_same_array(v.real, values[0].real) for v in values):
            raise OnnxExporterError(
                f"a tensor that the model makes outside of tensor operations changes with the size of {sizes}: make it "
                "with operations of sizes, such as arange(x.size(1)), or give that dimension a fixed size"
            )
    return first


def _same_array(a: Any, b: Any) -> bool:
    return bool(a.shape == b.shape and a.tobytes() == b.tobytes())


def _at(step: Step) -> str:
    place = f" in {step.place}" if step.place else ""
    return f"{place} ({step.line})"


def _paths(step: Step, other: Step, sizes: str) -> OnnxExporterError:
    return OnnxExporterError(
        f"the model takes another path with another size of {sizes}, first at {step.name}{_at(step)}"
        + (f" and {other.name}{_at(other)}" if other is not step else "")
        + ": a Python loop or condition depends on that size, and a graph has one path; give the dimension a fixed size"
    )


def _shorten(steps: Sequence[Step]) -> None:
    """How many sequences take part in each step, of recurrent layers, as (steps, sequences) where all are as long."""
    for step in steps:
        if step.name in SIZED:
            step.args = tuple(
                [
                    (len(a), a[0]) if type(a) is tuple and a and all(type(n) is int and n == a[0] for n in a) else a
                    for a in step.args
                ]
            )


class _DifferentError(Exception):
    pass


def _merge(nests: Sequence[Any]) -> Any:
    first = nests[0]
    if isinstance(first, Value):
        if any(not isinstance(v, Value) or v.number != first.number for v in nests):
            raise _DifferentError("an operand changes")
        return first
    if isinstance(first, list | tuple):
        if any(type(v) is not type(first) or len(v) != len(first) for v in nests):
            raise _DifferentError(f"the number of elements in {first} changes")
        return type(first)([_merge(parts) for parts in zip(*nests, strict=True)])
    if isinstance(first, dict):
        if any(v.keys() != first.keys() for v in nests):
            raise _DifferentError("an argument comes and goes")
        return {k: _merge([v[k] for v in nests]) for k in first}
    if isinstance(first, slice):
        parts = [_merge([getattr(v, name) for v in nests]) for name in ("start", "stop", "step")]
        return slice(*parts)
    if isinstance(first, int | float) and not isinstance(first, bool):
        return number(nests)
    if any(v is not first and v != first for v in nests):
        raise _DifferentError(f"{first!r} changes to {next(v for v in nests if v != first)!r}")
    return first
