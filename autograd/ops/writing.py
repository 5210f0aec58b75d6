"""Ops that write to part of their first operand, out of place or in it: one primitive serves both.

Such a primitive takes ``own``: whether the memory of its first input is its own to write to.
"""

from __future__ import annotations

from typing import Any

from ...backends import kernels_of, worth_a_kernel
from ..base import TensorBase, edge_of
from ..grad_mode import mode
from ..inplace import finish_write, stand_in, wrote
from ..primitive import apply
from ..write_checks import check_writable

__all__ = ["writable", "write_into"]


def writable(x: Any, own: bool) -> Any:
    """The array that an op writes to: the memory of ``x`` itself, or a copy."""
    return x[...] if own else kernels_of[type(x)].compact(x) if worth_a_kernel(x) else x.copy()


def write_into(prim: Any, tensor: Any, name: str, *values: Any, **params: Any) -> Any:
    """Run ``prim`` in the memory of ``tensor``, move the tensor to its new place in the graph, and return it.

    Args:
        prim: a primitive that takes ``own``.
        tensor: what is overwritten.
        name: the method's name, for messages.
        values: the further operands, which fit; the primitive checks positions before it writes.
        params: its keywords.

    Raises:
        InplaceError: see `check_writable`.
    """
    check_writable(tensor, name)
    recorded = mode.grad and (edge_of(tensor) is not None or any(getattr(v, "requires_grad", False) for v in values))
    if recorded or any("_tangents" in v.__dict__ for v in (tensor, *values) if isinstance(v, TensorBase)):
        before = stand_in(tensor)
        result = apply(prim, before, *values, own=True, **params)
        if mode.savers:  # the stand-in had memory of its own
            tensor._data[...] = result._data
        finish_write(tensor, result, before, name)
    else:
        x = tensor._data
        arrays = [v._data if isinstance(v, TensorBase) else v for v in values]
        prim.forward(kernels_of[type(x)].nocontext, x, *arrays, own=True, **params)
        wrote(tensor, name)
    return tensor


def without_repeats(input: Any) -> Any:
    """An expanded tensor's elements once each, as a view; another tensor itself."""
    strides = input._data.strides
    if 0 not in strides:
        return input
    return input[tuple([slice(0, 1) if s == 0 else slice(None) for s in strides])]
