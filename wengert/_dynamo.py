"""PyTorch's private name for its compiler, which programs use all the same: `wengert.compiler`, and its settings."""

from __future__ import annotations

import contextlib
from typing import Any

from .backends.paths import add_path as _add_path
from .compiler import allow_in_graph as allow_in_graph
from .compiler import assume_constant_result as assume_constant_result
from .compiler import compile as _compile
from .compiler import disable as disable
from .compiler import is_compiling as is_compiling
from .compiler import list_backends as list_backends
from .compiler import reset as reset
from .nn.module import Module as _Module

__path__: list[str] = []  # a package, since it has something below it


class OptimizedModule(_Module):
    """What PyTorch's compiler makes of a module. Nothing is one here, but programs ask."""


class _Settings:
    """Settings of the compiler: any name may be set, and none has an effect."""

    suppress_errors = False
    verbose = False
    cache_size_limit = recompile_limit = 8
    accumulated_cache_size_limit = 256
    capture_scalar_outputs = False
    inline_inbuilt_nn_modules = True
    optimize_ddp = True

    def patch(self, *args: Any, **kwargs: Any) -> contextlib.AbstractContextManager[None]:
        """A block in which some settings are others."""
        return contextlib.nullcontext()


def optimize(*args: Any, **kwargs: Any) -> Any:
    """A decorator that returns what it decorates."""
    return _compile()


def run(fn: Any = None) -> Any:
    """``fn`` itself."""
    return fn


def graph_break(msg: str = "") -> None:
    """Nothing: there is no graph to interrupt."""


def mark_static_address(t: Any, guard: bool = True) -> None:
    """Nothing, as `mark_dynamic`."""


def mark_dynamic(t: Any, index: Any, **options: Any) -> None:
    """Nothing: sizes are whatever they are."""


maybe_mark_dynamic = mark_unbacked = mark_static = mark_dynamic
config = _Settings()
_add_path(f"{__name__}.config", vars(_Settings))
eval_frame = _add_path(
    f"{__name__}.eval_frame",
    {"OptimizedModule": OptimizedModule, "is_dynamo_supported": lambda: False, "disable": disable},
)
utils = _add_path(f"{__name__}.utils", {"is_compile_supported": lambda device_type: False})
_trace_wrapped_higher_order_op = _add_path(
    f"{__name__}._trace_wrapped_higher_order_op", {"TransformGetItemToIndex": contextlib.nullcontext}
)
