"""The step of one parameter after the other, for rules that need a parameter's shape, and for recorded steps."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from ..autograd import ops
from ..autograd.base import TensorBase, version_of, wrap
from ..autograd.write_checks import check_writable
from ..backends import Backend, get_backend, kernels_of
from ..backends.definitions import MODULES
from ..backends.errors import DTypeError
from ..backends.sparse import SparseArray
from .master import MASTER, has_master, master_of, taken_from
from .options import number_dtype

if TYPE_CHECKING:
    from .optimizer import Optimizer

__all__ = ["step_each"]


@functools.cache
def recording() -> Any:
    """The plain rules on Tensors, with the ops in place of an array namespace."""
    return Backend("recording", ops, TensorBase, definitions=MODULES).kernels


def step_each(optimizer: Optimizer, group: dict[str, Any], params: list[Any], writer: str, record: bool) -> None:
    """Update parameters that have a gradient, one after the other.

    Args:
        optimizer: whose rule it is.
        group: the options.
        params: the parameters.
        writer: what a later backward names if it misses a value that is overwritten here.
        record: run the rule on Tensors, so that gradients flow through the step.
    """
    for p in params:
        state = optimizer.state[p]
        first = not state
        if first:
            _fill(optimizer, group, p, state)
        if MASTER not in state and has_master(group, p):
            state[MASTER] = wrap(master_of(kernels_of[type(p._data)], p._data))
        step = int(state["step"]) + 1 if optimizer.counted else 1 if first else 2
        scalars = optimizer.scalars(group)
        values = {name: _value(value, name in scalars, record) for name, value in state.items()}
        if record:
            optimizer.update(recording(), group, p, p._grad, values, step)
        else:
            _update(optimizer, group, p, values, step)
            version = version_of(p)
            version[0] += 1
            version[1] = writer
        for name in scalars:
            _set(group, state, name, values[name])
        if optimizer.counted:
            _set(group, state, "step", step)


def _update(optimizer: Optimizer, group: dict[str, Any], p: Any, values: dict[str, Any], step: int) -> None:
    """Run the rule on the array of a parameter, or on its master, which the parameter then shows rounded."""
    k = kernels_of[type(p._data)]
    g, array = p._grad._data, p._data
    with k.backend.on(p.device):
        if type(g) is SparseArray and not optimizer.takes_sparse:
            g = optimizer.dense_gradient(k, group, array, g)
        if not has_master(group, p):
            optimizer.update(k, group, array, g, values, step)
            return
        master = values[MASTER]
        taken_from(k, master, array)
        optimizer.update(k, group, master, g if type(g) is SparseArray else master_of(k, g), values, step)
        array[...] = k.astype(master, array.dtype)


def _fill(optimizer: Optimizer, group: dict[str, Any], p: Any, state: dict[str, Any]) -> None:
    """The state of a parameter before its first step."""
    check_writable(p, f"{type(optimizer).__name__}.step")
    if p._data.dtype.kind == "c" and not optimizer.elementwise:
        raise DTypeError(f"{type(optimizer).__name__} does not support complex parameters")
    if optimizer.counted:
        _set(group, state, "step", 0)
    for name, value in optimizer.scalars(group).items():
        _set(group, state, name, value)
    k = kernels_of[type(p._data)]
    with k.backend.on(p.device):
        data = master_of(k, p._data) if has_master(group, p) else p._data
        for name, array in optimizer.first_state(k, group, data).items():
            state[name] = wrap(array)


def _value(value: Any, scalar: bool, record: bool) -> Any:
    """An entry of the state as the rule takes it: a number, an array, or a Tensor when it is recorded."""
    if not isinstance(value, TensorBase):
        return value
    if record and (value._rg or not scalar):  # gradients flow through numbers too
        return value
    return value.item() if scalar else value._data  # type: ignore[attr-defined]


def _set(group: dict[str, Any], state: dict[str, Any], name: str, value: Any) -> None:
    """Write a number into the state: into its tensor, if it has one."""
    tensor = state.get(name)
    if isinstance(value, TensorBase):
        state[name] = value
    elif isinstance(tensor, TensorBase):
        tensor._data[...] = value
    else:
        state[name] = wrap(get_backend("cpu").kernels.full((), value, dtype=number_dtype(group)))
