"""Gradients' arithmetic that a backend may have a kernel for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from ..backends import kernels_of
from .base import TensorBase

F = TypeVar("F", bound=Callable[..., Any])


def kernel_or_formula(formula: F) -> F:
    """For a gradient's arithmetic: on arrays the backend's kernel of this name if it has one, else the body.

    Example:
        >>> @kernel_or_formula
        ... def tanh_backward(g, y):
        ...     return g * (1 - y * y)
    """
    name = formula.__name__
    known: dict[Any, bool] = {}

    @functools.wraps(formula)
    def run(g: Any, *args: Any, **params: Any) -> Any:
        k = kernels_of.get(type(g))
        if k is None:
            return formula(g, *args, **params)
        for a in args:
            if isinstance(a, TensorBase):
                return formula(g, *args, **params)
        if k not in known:
            known[k] = k.has(name)
        # Looked up each time, so that a kernel may be replaced for a while, as counting arithmetic does.
        return (getattr(k, name) if known[k] else formula)(g, *args, **params)

    return run  # type: ignore[return-value]
