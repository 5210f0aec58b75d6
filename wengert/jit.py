"""TorchScript's names, for programs that use them: functions and modules stay what they are, Python.

There is no second language here to translate a program to. So `script` and `trace` return what they are given, and
files are written by `wengert.save` from a ``state_dict``, not from here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Dict, Final, List, NoReturn, Optional, Tuple, Union  # noqa: UP035

from .backends.paths import add_path as _add_path
from .nn.module import Module as _Module

__all__ = [
    "Final",
    "ScriptFunction",
    "ScriptModule",
    "ScriptWarning",
    "TracerWarning",
    "annotate",
    "export",
    "freeze",
    "fuser",
    "ignore",
    "interface",
    "is_scripting",
    "is_tracing",
    "isinstance",
    "load",
    "optimize_for_inference",
    "save",
    "script",
    "script_if_tracing",
    "script_method",
    "trace",
    "trace_module",
    "unused",
]

_isinstance = isinstance
__path__: list[str] = []  # a package, since it has something below it


class ScriptModule(_Module):
    """The base of modules that were written for TorchScript: a module as any other."""


def script(obj: Any, optimize: Any = None, _frames_up: int = 0, _rcb: Any = None, example_inputs: Any = None) -> Any:
    """``obj`` itself: a function, a module or a class.

    Example:
        >>> import wengert as wg
        >>> @wg.jit.script
        ... def double(x):
        ...     return x * 2
        >>> double(wg.ones(2))
        tensor([2., 2.])

    Raises:
        RuntimeError: a lazy module, which has no shapes yet.
    """
    if getattr(obj, "has_uninitialized_params", bool)():
        raise RuntimeError(f"{type(obj).__name__} has uninitialized parameters. Did you forget to run a forward pass?")
    return obj


def trace(func: Any, example_inputs: Any = None, *args: Any, **options: Any) -> Any:
    """``func`` itself, after one call with the example, which shows errors early as PyTorch's does."""
    if example_inputs is not None:
        func(*(example_inputs if _isinstance(example_inputs, tuple | list) else (example_inputs,)))
    return func


def freeze(mod: Any, preserved_attrs: Any = None, optimize_numerics: bool = True) -> Any:
    """The module itself."""
    return mod


def optimize_for_inference(mod: Any, other_methods: Any = None) -> Any:
    """The module itself."""
    return mod


def script_method(fn: Any) -> Any:
    """``fn`` itself."""
    return fn


def script_if_tracing(fn: Any) -> Any:
    """``fn`` itself."""
    return fn


def export(fn: Any) -> Any:
    """``fn`` itself."""
    return fn


def interface(obj: Any) -> Any:
    """``obj`` itself."""
    return obj


def unused(fn: Any) -> Any:
    """``fn`` itself."""
    return fn


def ignore(drop: Any = False, **options: Any) -> Any:
    """A decorator, with or without arguments, that returns what it decorates."""
    return drop if callable(drop) else _same


def _same(fn: Callable[..., Any]) -> Callable[..., Any]:
    return fn


def annotate(the_type: Any, the_value: Any) -> Any:
    """``the_value``."""
    return the_value


def isinstance(obj: Any, target_type: Any) -> bool:
    """Whether ``obj`` is of a type; of a container type such as ``list[int]``, whether its elements are too."""
    if _isinstance(target_type, tuple):
        return any(isinstance(obj, kind) for kind in target_type)
    origin: Any = getattr(target_type, "__origin__", None)
    inner: Any = getattr(target_type, "__args__", ())
    if origin is None:
        return _isinstance(obj, target_type)
    if not _isinstance(origin, type):  # a union, which takes any of its types
        return any(isinstance(obj, kind) for kind in inner)
    if not _isinstance(obj, origin):
        return False
    if origin is dict:
        return all(isinstance(k, inner[0]) and isinstance(v, inner[1]) for k, v in obj.items())
    if origin is tuple:
        return len(obj) == len(inner) and all(isinstance(v, kind) for v, kind in zip(obj, inner, strict=True))
    return all(isinstance(v, inner[0]) for v in obj)


def is_scripting() -> bool:
    """Whether TorchScript runs this; it does not."""
    return False


def is_tracing() -> bool:
    """Whether `trace` is recording; nothing is ever recorded so."""
    return False


class TracerWarning(Warning):
    """What PyTorch's tracer warns with."""


class ScriptFunction:
    """What PyTorch makes of a function. Nothing is one here, but programs ask."""


class ScriptWarning(Warning):
    """What PyTorch's second language warns with."""


RecursiveScriptModule = TopLevelTracedModule = TracedModule = ScriptFunction


def trace_module(mod: Any, inputs: Any = None, *args: Any, **options: Any) -> Any:
    """The module itself."""
    return mod


def save(m: Any, f: Any, _extra_files: Any = None) -> NoReturn:
    """Write a program of PyTorch's second language to a file.

    Raises:
        NotImplementedError: always; write the ``state_dict`` with `wengert.save`.
    """
    raise NotImplementedError("jit.save: there is no TorchScript here; write model.state_dict() with wengert.save")


def load(f: Any, map_location: Any = None, _extra_files: Any = None) -> NoReturn:
    """Read a program of PyTorch's second language.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError("jit.load: there is no TorchScript here; save the model's state_dict in PyTorch")


def _get_trace_graph(*args: Any, **kwargs: Any) -> NoReturn:
    raise NotImplementedError("jit: programs are not traced here; use forward hooks, or wengert.summary")


@contextlib.contextmanager
def fuser(name: str) -> Iterator[None]:
    """A block in which PyTorch joins operations in this way."""
    yield


def _overload(func: Callable[..., Any]) -> Callable[..., Any]:
    return func


_overload_method = _overload
_script_if_tracing = script_if_tracing


class _Broadcasting:
    """A type of which one value or a list is given: only an annotation."""

    def __class_getitem__(cls, item: Any) -> Any:
        return Any


# The plain name would be taken for what ``from __future__`` brings.
globals()["annotations"] = _add_path(
    f"{__name__}.annotations",
    {
        "Dict": Dict,  # noqa: UP006
        "List": List,  # noqa: UP006
        "Optional": Optional,
        "Tuple": Tuple,  # noqa: UP006
        "Union": Union,
        "BroadcastingList1": _Broadcasting,
        "BroadcastingList2": _Broadcasting,
        "BroadcastingList3": _Broadcasting,
    },
)
