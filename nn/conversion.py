"""Converting a module's tensors to another dtype, device or layout: what `Module.to` and `Module._apply` do it with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..autograd.base import TensorBase
from ..backends import Device
from ..backends.dtypes import DType, to_dtype
from .parameter import Parameter

__all__ = ["Options", "converted", "parse_to"]


class Options:
    """How a conversion treats the parameters that are there; `wengert.__future__` sets it."""

    overwrite = False  # put new parameters in their place
    swap = False  # exchange what they hold with a new parameter


def converted(parameter: Any, fn: Callable[[Any], Any]) -> Any:
    """The parameter that takes the place of ``parameter``: the same one with other data, since optimizers hold it.

    A tensor of another layout can't become its data, so that a new parameter takes its place then.
    """
    before, grad = parameter.detach(), parameter._grad
    changed = fn(before)
    kept = _is_kept(before, changed)
    if not kept:
        result = Parameter(changed, parameter.requires_grad)
    else:
        result = parameter
        if changed is not before:
            parameter.data = changed
    if grad is not None:
        result._grad = _converted_grad(grad, fn)
    return result


def _converted_grad(grad: Any, fn: Callable[[Any], Any]) -> Any:
    before = grad.detach()
    changed = fn(before)
    if not _is_kept(before, changed):
        return changed.requires_grad_(grad.requires_grad)
    if changed is not before:
        grad.data = changed
    return grad


def _is_kept(before: Any, changed: Any) -> bool:
    """Whether a tensor stays the same object when its values change so."""
    return (Options.swap or not Options.overwrite) and before.layout == changed.layout


class Destination(NamedTuple):
    """What the arguments of `Module.to` mean."""

    device: Device | None
    dtype: DType | None
    options: dict[str, Any]


def parse_to(*args: Any, **kwargs: Any) -> Destination:
    """The device, the dtype and the remaining options that the arguments of `Module.to` mean."""
    first = args[0] if args else None
    rest = ("non_blocking", "copy")
    if isinstance(first, TensorBase):
        names: tuple[str, ...] = ("tensor", *rest)
    else:
        names = ("dtype", *rest) if _is_dtype(first) else ("device", "dtype", *rest)
    given = dict(zip(names, args, strict=False))
    if len(args) > len(names) or given.keys() & kwargs.keys() or not _fit(given | kwargs):
        got = [type(a).__name__ for a in args] + [f"{name}={type(a).__name__}" for name, a in kwargs.items()]
        raise TypeError(
            f"to() received an invalid combination of arguments - got ({', '.join(got)}), but expected a device, a "
            "dtype, both in this order, or a tensor; then non_blocking, a bool"
        )
    given |= kwargs
    if given.pop("copy", False):
        raise RuntimeError(".to() does not accept copy argument")
    device, dtype, tensor = (given.pop(name, None) for name in ("device", "dtype", "tensor"))
    if tensor is not None:
        device, dtype = tensor.device, tensor.dtype
    if dtype is not None:
        dtype = to_dtype(dtype)
        if not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}; "
                "module.type(dtype) converts to any"
            )
    return Destination(None if device is None else Device(device), dtype, given)


def _is_dtype(value: Any) -> bool:
    return isinstance(value, (DType, type)) or type(value).__module__.startswith("numpy")


FORMS: dict[str, Callable[[Any], bool]] = {
    "device": lambda value: isinstance(value, (str, Device, int)) and not isinstance(value, bool),
    "dtype": _is_dtype,
    "tensor": lambda value: isinstance(value, TensorBase),
    "non_blocking": lambda value: isinstance(value, bool),
    "copy": lambda value: isinstance(value, bool),
    "memory_format": lambda value: True,
}


def _fit(given: dict[str, Any]) -> bool:
    """Whether the arguments are those of ``to``, each of the right kind."""
    optional = ("device", "dtype", "tensor", "memory_format")
    return all(
        name in FORMS and ((value is None and name in optional) or FORMS[name](value)) for name, value in given.items()
    )
