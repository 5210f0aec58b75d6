"""What programs with optimizers of their own import from ``torch.optim.optimizer``, besides ``Optimizer``."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from typing import Any

from ..autograd.base import TensorBase
from ..autograd.grad_mode import set_grad_enabled
from ..autograd.ops import view_as_real
from ..autograd.promotion import get_default_dtype
from ..backends.dtypes import DType, float32, float64

__all__ = ["ParamsT", "StateDict"]

ParamsT = Iterable[Any]  # tensors, groups, or pairs of name and tensor
StateDict = dict[str, Any]

# Texts that such programs put into their docstrings.
_params_doc = "params: parameters, or groups of them."
_foreach_doc = "foreach: accepted as in PyTorch."
_fused_doc = "fused: accepted as in PyTorch."
_capturable_doc = "capturable: accepted as in PyTorch."
_differentiable_doc = "differentiable: record the step, so that gradients flow through it."
_maximize_doc = "maximize: climb instead."


def _use_grad_for_differentiable(step: Callable[..., Any]) -> Callable[..., Any]:
    """A ``step`` that is recorded if, and only if, the optimizer's option ``differentiable`` says so."""

    @functools.wraps(step)
    def with_mode(self: Any, *args: Any, **kwargs: Any) -> Any:
        with set_grad_enabled(bool(self.defaults["differentiable"])):
            return step(self, *args, **kwargs)

    return with_mode


def _get_value(x: Any) -> Any:
    """A tensor's only element as a Python number; anything else as it is."""
    return x.item() if isinstance(x, TensorBase) else x  # type: ignore[attr-defined]


def _stack_if_compiling(x: Any) -> Any:
    """``x``: nothing is compiled."""
    return x


def _dispatch_sqrt(x: Any) -> Any:
    """The root of a number or of a tensor."""
    return x.sqrt() if isinstance(x, TensorBase) else math.sqrt(x)  # type: ignore[attr-defined]


def _to_scalar(x: Any) -> Any:
    """A tensor with one element without its dimensions."""
    return x.squeeze() if isinstance(x, TensorBase) else x  # type: ignore[attr-defined]


def _get_scalar_dtype(is_fused: bool | None = None) -> DType:
    """The type of counts of steps."""
    return float64 if get_default_dtype() is float64 and not is_fused else float32


def _view_as_real(params: list[Any], *state_and_grads: list[Any]) -> None:
    """Replace complex tensors in these lists by pairs of real numbers in the same memory."""
    for i, p in enumerate(params):
        if p.is_complex():
            for members in (params, *state_and_grads):
                members[i] = view_as_real(members[i])


def _default_to_fused_or_foreach(params: list[Any], differentiable: bool, use_fused: bool = False) -> tuple[bool, bool]:
    """Whether to use fused or ``foreach`` functions unless the user says so: neither, as for CPU tensors in PyTorch."""
    return False, False


def _disable_dynamo_if_unsupported(single_tensor_fn: Any = None) -> Callable[[Any], Any]:
    """A decorator that changes nothing: nothing is compiled."""
    return lambda function: function


def _get_capturable_supported_devices(supports_xla: bool = True) -> list[str]:
    """The kinds of devices whose steps can be captured."""
    return ["cuda"]
