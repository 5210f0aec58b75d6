"""PyTorch's names for graphs of programs. Nothing is traced here: a program stays Python, and runs line by line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from .backends.paths import add_path as _add_path
from .nn.module import Module as _Module

__all__ = [
    "CodeGen",
    "Graph",
    "GraphModule",
    "Interpreter",
    "Node",
    "Proxy",
    "Tracer",
    "Transformer",
    "has_side_effect",
    "replace_pattern",
    "symbolic_trace",
    "wrap",
]

__path__: list[str] = []  # a package, since it has something below it


def _refuse(name: str) -> NoReturn:
    raise NotImplementedError(
        f"fx.{name}: programs are not traced here, so there is no graph of one; call the model itself, and use forward "
        "hooks to see what its layers return"
    )


class _Absent:
    """A class that programs ask about, and of which there are no objects.

    Raises:
        NotImplementedError: one is made.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse(type(self).__name__)


class Graph(_Absent):
    """A program as a list of nodes: never made."""


class Node(_Absent):
    """One operation of a `Graph`: never made."""


class Proxy(_Absent):
    """What stands for a value while a program is traced: never made."""


class Tracer(_Absent):
    """What would trace a program: never made."""


class CodeGen(_Absent):
    """What would write a `Graph` as Python: never made."""


class Interpreter(_Absent):
    """What would run a `Graph`: never made."""


class Transformer(Interpreter):
    """What would rewrite a `Graph`: never made."""


class GraphModule(_Module):
    """A module made from a `Graph`: never made, but programs ask whether a model is one.

    Raises:
        NotImplementedError: one is made.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse("GraphModule")


def symbolic_trace(root: Any, concrete_args: Any = None) -> NoReturn:
    """The graph of a program.

    Raises:
        NotImplementedError: always.
    """
    _refuse("symbolic_trace")


def replace_pattern(gm: Any, pattern: Any, replacement: Any) -> NoReturn:
    """A graph, rewritten.

    Raises:
        NotImplementedError: always.
    """
    _refuse("replace_pattern")


def wrap(fn_or_name: str | Callable[..., Any]) -> str | Callable[..., Any]:
    """The function itself: no tracer looks into it.

    Raises:
        RuntimeError: it is neither a function nor a name.
    """
    if not callable(fn_or_name) and not isinstance(fn_or_name, str):
        raise RuntimeError("Unsupported type for global function! Must be either a callable or string name")
    return fn_or_name


def has_side_effect(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself."""
    return fn


def _guard(condition: Any) -> bool:
    """Whether a condition of sizes holds: they are known here."""
    return bool(condition)


class GraphAppendingTracer(Tracer):
    """A `Tracer` that adds to a graph: never made."""


class TraceError(ValueError):
    """What PyTorch's tracer raises."""


node = _add_path(f"{__name__}.node", {"Node": Node, "has_side_effect": has_side_effect, "map_arg": None})
graph = _add_path(f"{__name__}.graph", {"Graph": Graph, "CodeGen": CodeGen})
graph_module = _add_path(f"{__name__}.graph_module", {"GraphModule": GraphModule})
proxy = _add_path(
    f"{__name__}.proxy",
    {"Proxy": Proxy, "GraphAppendingTracer": GraphAppendingTracer, "TraceError": TraceError},
)
_symbolic_trace = _add_path(
    f"{__name__}._symbolic_trace", {"Tracer": Tracer, "symbolic_trace": symbolic_trace, "wrap": wrap}
)
_symbolic_shapes = _add_path(
    f"{__name__}.experimental.symbolic_shapes", {"guard_or_false": _guard, "guard_or_true": _guard}
)
_proxy_tensor = _add_path(f"{__name__}.experimental.proxy_tensor", {"get_proxy_mode": lambda: None})
experimental = _add_path(
    f"{__name__}.experimental", {"symbolic_shapes": _symbolic_shapes, "proxy_tensor": _proxy_tensor}
)
vars(experimental)["__path__"] = []
