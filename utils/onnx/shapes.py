"""Which sizes of the inputs may change: what ``dynamic_axes`` and ``dynamic_shapes`` say, and runs with other sizes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ...autograd.base import TensorBase, wrap
from ...backends import get_backend
from ...backends.call_site import warn
from .errors import OnnxExporterError, UnsupportedOperatorError
from .tracing import Run, leaves, merged, rebuilt, record

__all__ = ["Symbols", "recorded"]

Axes = list[dict[int, str]]  # for each input tensor: its dimensions that may change, and their names


class Symbols:
    """The sizes that may change.

    Attributes:
        axes: for each input, which dimension has which name.
        sizes: what each name stands for in the example.
        values: what it stood for in each run, once there were some.
    """

    def __init__(self, axes: Axes, tensors: Sequence[Any], names: Sequence[str]) -> None:
        self.axes, self.sizes, self.values = axes, dict[str, int](), dict[str, tuple[int, ...]]()
        for tensor, name, own in zip(tensors, names, axes, strict=True):
            for axis, symbol in own.items():
                n = tensor.shape[axis]
                if self.sizes.setdefault(symbol, n) != n:
                    raise OnnxExporterError(
                        f"the size {symbol!r} is {self.sizes[symbol]} in one input and {n} in dimension {axis} of "
                        f"{name!r}: what has one name has one size"
                    )


def from_axes(spec: Mapping[str, Any], tensors: Sequence[Any], names: Sequence[str], outputs: Sequence[str]) -> Axes:
    """What ``dynamic_axes`` says: names of tensors, with their dimensions, which may have names."""
    made: Axes = [{} for _ in tensors]
    unnamed: dict[tuple[int, int], str] = {}
    for name, axes in spec.items():
        if name not in names:
            if name not in outputs:
                warn(f"Provided key {name} for dynamic axes is not a valid input/output name")
            continue
        i = list(names).index(name)
        ndim = len(tensors[i].shape)
        if not isinstance(axes, Mapping):
            axes = dict.fromkeys(axes)
        for place, (axis, symbol) in enumerate(axes.items()):
            if not -ndim <= axis < ndim:
                raise ValueError(f"dynamic_axes: {name!r} has {ndim} dimensions, and no dimension {axis}")
            axis %= ndim
            key = axis, tensors[i].shape[axis]
            symbol = symbol or unnamed.setdefault(key, f"{name}_dynamic_axes_{place + 1}")
            made[i][axis] = str(symbol)
    return made


def from_shapes(spec: Any, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any], names: Sequence[str]) -> Axes:
    """What ``dynamic_shapes`` says: a nest like the arguments, with dimensions in the place of tensors."""
    found: Axes = []

    def visit(value: Any, spec: Any) -> None:
        if isinstance(value, TensorBase):
            found.append(_dimensions(spec, value, names[len(found)]))
        elif isinstance(value, dict):
            for key, part in value.items():
                visit(part, spec.get(key) if isinstance(spec, Mapping) else None)
        elif isinstance(value, list | tuple):
            for i, part in enumerate(value):
                visit(part, spec[i] if isinstance(spec, list | tuple) and i < len(spec) else None)

    if isinstance(spec, Mapping):
        parameters = _parameters(model)
        if set(spec) <= {*parameters, *kwargs}:
            visit(args, [spec.get(p) for p in parameters])
            visit(kwargs, spec)
            return found
        if set(spec) <= set(names):  # by the names of the inputs
            flat = [t for t in leaves((args, kwargs)) if isinstance(t, TensorBase)]
            return [_dimensions(spec.get(n), t, n) for n, t in zip(names, flat, strict=True)]
        raise ValueError(
            f"dynamic_shapes: the keys {list(spec)} are neither parameters of forward, {parameters}, nor inputs, "
            f"{list(names)}"
        )
    visit((*args, *kwargs.values()), list(spec))
    return found


def _parameters(model: Any) -> list[str]:
    try:
        signature = inspect.signature(model.forward)
    except (TypeError, ValueError):
        return []
    return [p.name for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]


def _dimensions(spec: Any, tensor: Any, name: str) -> dict[int, str]:
    if spec is None:
        return {}
    items = spec.items() if isinstance(spec, Mapping) else enumerate(spec)
    made = {}
    for axis, size in items:
        if size is None or isinstance(size, int) or str(size).endswith("STATIC"):
            continue
        own = getattr(size, "__name__", size)
        automatic = str(own).endswith(("AUTO", "DYNAMIC"))
        made[axis % len(tensor.shape)] = f"{name}_dim_{axis}" if automatic else str(own)
    return made


# ---------------------------------------------------------------------- runs


def _candidates(n: int, far: bool = False) -> Iterator[int]:
    """Other sizes to try, for models that take only some; far ones tell formulas apart that are alike nearby."""
    seen = {n}
    for m in (
        n + 7 if far else n + 1,
        n + 1,
        n + 2,
        n + 3,
        2 * n,
        n + 4,
        n + 8,
        n + 16,
        n + 32,
        n + 64,
        3 * n,
        n - 1,
        n // 2,
    ):
        if m > 1 and m not in seen:
            seen.add(m)
            yield m


def _resized(args: Any, axes: Axes, sizes: Mapping[str, int]) -> Any:
    own = iter(axes)

    def change(tensor: Any) -> Any:
        array = get_backend("cpu").to_numpy(tensor.detach().cpu()._data)
        for axis, symbol in next(own).items():
            n, wanted = array.shape[axis], sizes[symbol]
            if n != wanted:
                array = np.take(array, np.arange(wanted) % n, axis=axis)
        return wrap(np.ascontiguousarray(array).reshape(array.shape))

    return rebuilt(args, change)


def recorded(
    model: Any, args: tuple[Any, ...], kwargs: dict[str, Any], symbols: Symbols, knows: Callable[[str], bool]
) -> tuple[Run, int]:
    """The model's run, with numbers that vary with the sizes; and how many runs there were."""
    base = {s: max(n, 2) for s, n in symbols.sizes.items()}

    def run(sizes: Mapping[str, int]) -> Run:
        given, named = _resized((args, kwargs), symbols.axes, sizes)
        return record(model, given, named, knows)

    if not base:
        return run(base), 1
    try:
        runs, tried = [run(base)], [dict(base)]
    except UnsupportedOperatorError:
        raise
    except Exception:
        if base == symbols.sizes:
            raise
        base = dict(symbols.sizes)  # it does not take another size at all, or not that one
        runs, tried = [run(base)], [dict(base)]
    for symbol in base:
        _try(run, base, [symbol], runs, tried)
    _try(run, base, list(base), runs, tried)
    symbols.values = {s: tuple([t[s] for t in tried]) for s in base}
    return merged(runs, " and ".join(repr(s) for s in base)), len(runs)


def _try(run: Any, base: dict[str, int], change: list[str], runs: list[Run], tried: list[dict[str, int]]) -> None:
    """One more run, in which some sizes are others."""
    error: Exception | None = None
    far = len(runs) > len(base)  # the last run
    for row in zip(*[list(_candidates(base[s], far)) for s in change], strict=False):
        sizes = {**base, **dict(zip(change, row, strict=True))}
        if len(change) > 1:  # sizes that were one by chance are kept apart
            sizes |= {s: n + i for i, (s, n) in enumerate(zip(change, row, strict=True)) if i and base[s] == base[s]}
        if sizes in tried or any(sizes[s] == t[s] for t in tried for s in change):
            continue
        try:
            runs.append(run(sizes))
        except UnsupportedOperatorError:
            raise
        except Exception as failed:
            error = error or failed
            continue
        tried.append(sizes)
        return
    if len(change) == 1 and error is not None:
        raise OnnxExporterError(
            f"the size {change[0]!r} was to be dynamic, but the model does not run with another one than "
            f"{base[change[0]]}: {error}"
        ) from error
