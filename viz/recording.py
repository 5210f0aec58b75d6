"""``record``: what a picture may want to know of a program while it runs. Nobody pays for it who does not ask."""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from ..autograd.base import TensorBase
from ..autograd.grad_mode import mode, trace_with
from ..autograd.graph_building import Call, Noted, noted
from ..backends import kernels_of
from ..backends.call_site import call_site
from .values import measure

if TYPE_CHECKING:
    from ..nn import Module

__all__ = ["module_paths", "record"]


@contextmanager
def record(
    models: Module | Mapping[str, Module] | None = None,
    *,
    values: bool = True,
    lines: bool = True,
    times: bool = True,
) -> Iterator[None]:
    """Within this block, note of every recorded operation its module, the line of the program, its values and time.

    Pictures, the page of `wengert.viz.to_html`, and ``graph.to_text()`` show it. Recording changes no result; it costs
    about as much time as the operations themselves.

    Args:
        models: the module whose parts are to be known, or several by name. ``"features.0"`` is
            ``model.features[0]``. Its parameters and buffers are named, too.
        values: measure every output (`wengert.viz.measure`).
        lines: note the line of the program that called the operation.
        times: note how long each operation took, from the end of the one before.

    Example:
        >>> import wengert as wg
        >>> model = wg.nn.Sequential(wg.nn.Linear(3, 2), wg.nn.ReLU())
        >>> with record(model):
        ...     y = model(wg.ones(1, 3))
        >>> [(node.op, node.module, node.values[0].shape) for node in y.graph if node.kind == "op"]
        [('Linear', '0', (1, 2)), ('Relu', '1', (1, 2))]
        >>> [node.name for node in y.graph.leaves]
        ['0.weight', '0.bias']
    """
    recorder = _Recorder(values, lines, times, mode.trace)
    with ExitStack() as undo:
        for prefix, model in _named(models).items():
            recorder.watch(prefix, model, undo)
        undo.callback(setattr, mode, "trace", mode.trace)
        trace_with(recorder)
        yield


def module_paths(model: Module) -> Any:
    """`record`, but only which module ran an operation.

    Args:
        model: paths are seen from here.

    Example:
        >>> import wengert as wg
        >>> model = wg.nn.Sequential(wg.nn.Linear(3, 2), wg.nn.ReLU())
        >>> with module_paths(model):
        ...     y = model(wg.ones(1, 3))
        >>> [node.module for node in y.graph if node.kind == "op"]
        ['0', '1']
    """
    return record(model, values=False, lines=False, times=False)


def _named(models: Any) -> Mapping[str, Any]:
    if models is None:
        return {}
    return models if isinstance(models, Mapping) else {"": models}


class _Recorder:
    """Called with every node that is recorded."""

    def __init__(self, values: bool, lines: bool, times: bool, before: Any) -> None:
        self.values, self.lines, self.times, self.before = values, lines, times, before
        self.calls: list[Call] = []
        self.count = 0
        self.names: dict[int, tuple[Any, str]] = {}
        self.clock = time.perf_counter()

    def watch(self, prefix: str, model: Any, undo: ExitStack) -> None:
        """Follow the calls of a model's modules, and name its tensors."""
        lead = f"{prefix}." if prefix else ""
        for path, module in model.named_modules():
            full = lead + path if path else prefix
            undo.callback(module.register_forward_pre_hook(self._enter(full, type(module).__name__)).remove)
            undo.callback(module.register_forward_hook(self._leave, always_call=True).remove)
        for name, tensor in (*model.named_parameters(), *model.named_buffers()):
            entry = weakref.ref(tensor), lead + name
            self.names[id(tensor)] = self.names[id(tensor._data)] = entry

    def _enter(self, path: str, kind: str) -> Any:
        def enter(module: Any, args: Any) -> None:
            self.count += 1
            self.calls.append(Call(path, kind, self.count))
            self.clock = time.perf_counter()

        return enter

    def _leave(self, module: Any, args: Any, output: Any) -> None:
        self.calls.pop()

    def __call__(self, node: Any, outputs: Any, inputs: Any) -> None:
        """Note what there is to note."""
        seconds = time.perf_counter() - self.clock
        if self.before is not None:
            self.before(node, outputs, inputs)
        data = {
            i: v._data if isinstance(v, TensorBase) else v
            for i, (v, e) in enumerate(zip(inputs, node.edges, strict=False))
            if e is None and _is_value(v)
        }
        many = outputs if isinstance(outputs, tuple) else (outputs,)
        values = tuple(measure(y) for y in many if hasattr(y, "dtype")) if self.values else ()
        noted[node] = Noted(tuple(self.calls), seconds if self.times else None, values, data, self.names)
        if self.lines:
            node.site = call_site()
        self.clock = time.perf_counter()


def _is_value(value: Any) -> bool:
    return isinstance(value, TensorBase | int | float | complex) or type(value) in kernels_of
