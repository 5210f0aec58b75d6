"""What the optimizers ask of their options, and how they read them."""

from __future__ import annotations

import struct
from typing import Any

from ..autograd.base import TensorBase
from ..autograd.grad_mode import mode
from ..autograd.promotion import get_default_dtype
from ..backends.dtypes import float64
from ..backends.errors import ArgumentError

__all__ = [
    "check_betas",
    "check_flags",
    "check_not_negative",
    "check_tensors",
    "given",
    "number",
    "number_dtype",
    "plain",
    "stored",
]


def given(arguments: dict[str, Any]) -> dict[str, Any]:
    """The options of an optimizer from the ``locals()`` of its constructor: all its arguments but ``params``.

    ``master_weights``, which PyTorch does not have, is left out where it is not asked for: so groups are PyTorch's.
    """
    options = {name: value for name, value in arguments.items() if name not in ("self", "params", "__class__")}
    if not options.get("master_weights"):
        options.pop("master_weights", None)
    return options


def number(value: Any) -> Any:
    """An option as a Python number. A tensor stays one while the step is recorded, so that gradients reach it."""
    if isinstance(value, TensorBase):
        return value if mode.grad else value.item()  # type: ignore[attr-defined]
    return value


def plain(value: Any) -> Any:
    """An option as a Python number, recorded or not."""
    return value.item() if isinstance(value, TensorBase) else value  # type: ignore[attr-defined]


_WORDS = {"lr": "learning rate", "eps": "epsilon value"}


def check_not_negative(group: dict[str, Any], *names: str) -> None:
    """Raise ValueError if one of these options is negative or not a number."""
    for name in names:
        value = group[name]
        if isinstance(value, TensorBase) and value._data.size != 1:
            raise ValueError(f"Tensor {name} must be 1-element, but its shape is {list(value._data.shape)}")
        if not plain(value) >= 0.0:
            raise ValueError(f"Invalid {_WORDS.get(name, f'{name} value')}: {value}; it must not be negative")


def check_betas(betas: Any) -> None:
    """Raise ValueError unless both rates of decay are in [0, 1)."""
    if isinstance(betas[0], TensorBase) != isinstance(betas[1], TensorBase):
        raise ValueError("betas must be either both floats or both Tensors")
    for i, beta in enumerate(betas):
        if isinstance(beta, TensorBase) and beta._data.size != 1:
            raise ValueError(f"Tensor betas[{i}] must be 1-element")
        if not 0.0 <= plain(beta) < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}; it must be in [0, 1)")


def check_tensors(group: dict[str, Any]) -> None:
    """Raise ValueError for tensors among the options where PyTorch's ``foreach`` step takes none."""
    if group.get("foreach") and not group.get("capturable"):
        tensors = {"lr": group["lr"], "betas[0]": group["betas"][0], "betas[1]": group["betas"][1]}
        for name, value in tensors.items():
            if isinstance(value, TensorBase):
                raise ValueError(f"{name} as a Tensor is not supported for capturable=False and foreach=True")


def check_flags(group: dict[str, Any]) -> None:
    """Raise RuntimeError for ways of computing the step that exclude each other."""
    if group.get("master_weights") and group.get("differentiable"):
        raise ArgumentError("`master_weights` does not support `differentiable`; leave one of them away")
    if group.get("fused") and group.get("foreach"):
        raise ArgumentError("`fused` and `foreach` cannot be `True` together; leave both away")
    if group.get("fused") and group.get("differentiable"):
        raise ArgumentError("`fused` does not support `differentiable`; leave it away")


def number_dtype(group: dict[str, Any]) -> str:
    """The type of numbers in the state, such as the count of steps: at least float32, float64 where that is usual."""
    return "float64" if get_default_dtype() is float64 and not group.get("fused") else "float32"


def stored(value: Any) -> Any:
    """What a number of the state is after it was stored."""
    if isinstance(value, TensorBase) or get_default_dtype() is float64:
        return value
    return float(struct.unpack("f", struct.pack("f", value))[0])
