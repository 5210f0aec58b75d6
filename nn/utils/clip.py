"""Keeping gradients small: their norm over all parameters, or each element by itself."""

from __future__ import annotations

import math
from collections.abc import Iterable
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from ...autograd.base import TensorBase, wrap
from ...autograd.grad_mode import mode
from ...autograd.inplace import wrote
from ...autograd.ops import cat
from ...autograd.promotion import get_default_dtype
from ...backends import default_device, get_backend, kernels_of
from ...backends.call_site import warn
from ...backends.errors import WengertError
from ..init import unrecorded

if TYPE_CHECKING:
    from ...autograd.tensor import Tensor

__all__ = [
    "NonFiniteError",
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
]

Tensors = Any  # a Tensor or an iterable of them


class NonFiniteError(WengertError, RuntimeError):
    """A gradient is infinite or not a number."""


def _listed(tensors: Tensors) -> list[Any]:
    """Tensors from what was given; of pairs of name and tensor, the tensors."""
    if isinstance(tensors, TensorBase):
        return [tensors]
    return [t[1] if isinstance(t, tuple) and len(t) == 2 else t for t in tensors]


def _named(tensors: Tensors) -> list[str]:
    """What to call each tensor in a message: its name, if it was given, or its number."""
    if isinstance(tensors, TensorBase):
        return ["number 0"]
    return [repr(t[0]) if isinstance(t, tuple) and len(t) == 2 else f"number {i}" for i, t in enumerate(tensors)]


def _by_device(tensors: Iterable[Any]) -> list[list[Any]]:
    """Tensors in groups that one kernel can work on."""
    groups: dict[Any, list[Any]] = {}
    for t in tensors:
        groups.setdefault((type(t._data), t.device), []).append(t)
    return list(groups.values())


def get_total_norm(
    tensors: Tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The norm of all elements of all ``tensors``, as if they were one vector.

    Args:
        tensors: a tensor, or an iterable of them.
        norm_type: the order of the norm, ``inf`` for the largest magnitude.
        error_if_nonfinite: raise if the norm is infinite or not a number.
        foreach: accepted as in PyTorch.

    Returns:
        shape ().

    Raises:
        RuntimeError: the norm is not finite; the message names the first tensor at fault.

    Example:
        >>> import wengert as wg
        >>> wg.nn.utils.get_total_norm([wg.tensor([3.0]), wg.tensor([4.0])])
        tensor(5.)
    """
    given = tensors if isinstance(tensors, TensorBase) else list(tensors)
    names = _named(given) if error_if_nonfinite else None
    return _total(_listed(given), float(norm_type), names)  # type: ignore[no-any-return]


def _total(tensors: list[Any], norm_type: float, names: list[str] | None) -> Any:
    """The norm of all elements; with ``names`` of the tensors, it has to be finite."""
    if not tensors:
        kernels = get_backend(default_device().type).kernels
        return wrap(kernels.zeros((), dtype=get_default_dtype().dtype))
    if mode.grad and any(t.requires_grad for t in tensors):
        total = _recorded_norm(tensors, norm_type)
    else:
        totals = [_norm(group, norm_type) for group in _by_device(tensors)]
        total = totals[0] if len(totals) == 1 else _norm([t.to(totals[0].device) for t in totals], norm_type)
    if names is not None and not total.isfinite().item():
        raise NonFiniteError(_nonfinite(tensors, names, norm_type))
    return total


def _norm(tensors: list[Any], norm_type: float) -> Any:
    arrays = [t._data for t in tensors]
    return wrap(kernels_of[type(arrays[0])].total_norm(arrays, norm_type))


def _recorded_norm(tensors: list[Any], norm_type: float) -> Any:
    """The norm by ops, which are recorded."""
    if norm_type == 0:  # the number of tensors that are not all zeros
        return cat([(t != 0).any().reshape(1) for t in tensors]).sum().to(tensors[0].dtype)
    magnitudes = cat([t.reshape(-1).abs() for t in tensors])
    if norm_type in (math.inf, -math.inf):
        return magnitudes.max() if norm_type > 0 else magnitudes.min()
    if norm_type == 2:
        return (magnitudes * magnitudes).sum().sqrt()
    return (magnitudes**norm_type).sum() ** (1 / norm_type)


def _nonfinite(tensors: list[Any], names: list[str], norm_type: float) -> str:
    first = next((i for i, t in enumerate(tensors) if not t.isfinite().all().item()), None)
    which = "their sum overflows"
    if first is not None:
        kind = "NaN" if tensors[first].isnan().any().item() else "an infinity"
        which = f"the first with {kind} is {names[first]}, of shape {list(tensors[first].shape)}"
    return (
        f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be clipped "
        f"({which}). To disable this error and scale the gradients by the non-finite norm anyway, set "
        "`error_if_nonfinite=False`"
    )


@unrecorded
def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale the gradients by ``max_norm / total_norm`` where that is below 1.

    Args:
        parameters: a tensor, or an iterable of them; those without a gradient are left out.
        max_norm: the largest norm that is let through.
        total_norm: what `get_total_norm` gave for the gradients.
        foreach: accepted as in PyTorch.
    """
    grads = [p._grad for p in _listed(parameters) if p._grad is not None]
    for group in _by_device(grads):
        arrays = [g._data for g in group]
        norm = total_norm.to(group[0].device)._data
        kernels_of[type(arrays[0])].scale_to_norm_(arrays, norm, float(max_norm))
        for g in group:
            if g._ver is not None:
                wrote(g, "clip_grad_norm_")


@unrecorded
def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients so that their norm over all parameters is at most ``max_norm``.

    Args:
        parameters: a tensor, or an iterable of them, or of pairs of name and tensor (``model.named_parameters()``);
            those without a gradient are left out.
        max_norm: the largest norm that is let through.
        norm_type: the order of the norm, ``inf`` for the largest magnitude.
        error_if_nonfinite: raise, and change nothing, if the norm is infinite or not a number.
        foreach: accepted as in PyTorch.

    Returns:
        The norm before, shape (). A generator that has nothing left to give is warned of.

    Raises:
        RuntimeError: the norm is not finite; the message says which gradient is the first at fault.

    References:
        R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks", 2012,
        arXiv:1211.5063.
    """
    given = parameters if isinstance(parameters, TensorBase) else list(parameters)
    tensors = _listed(given)
    if not tensors and isinstance(parameters, GeneratorType):
        warn("`parameters` is an empty generator, no gradient clipping will occur.")
    names = None
    if error_if_nonfinite:
        names = [name for name, p in zip(_named(given), tensors, strict=True) if p._grad is not None]
    total = _total([p._grad for p in tensors if p._grad is not None], float(norm_type), names)
    clip_grads_with_norm_(tensors, max_norm, total)
    return total  # type: ignore[no-any-return]


@unrecorded
def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Clip every element of every gradient to [-clip_value, clip_value]."""
    for p in _listed(parameters):
        if p._grad is not None:
            p._grad.clamp_(-float(clip_value), float(clip_value))


def clip_grad_norm(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """`clip_grad_norm_` by its older name, with a warning."""
    warn(
        "`wengert.nn.utils.clip_grad_norm` is now deprecated in favor of `wengert.nn.utils.clip_grad_norm_`.",
        FutureWarning,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)
