"""Classes that have a say in what functions do, under PyTorch's names."""

from __future__ import annotations

from .autograd.overrides import handle_torch_function as handle_torch_function
from .autograd.overrides import has_torch_function as has_torch_function
from .autograd.overrides import has_torch_function_unary as has_torch_function_unary
from .autograd.overrides import has_torch_function_variadic as has_torch_function_variadic
from .autograd.overrides import is_tensor_like as is_tensor_like
from .autograd.subclass import DisableTorchFunctionSubclass as DisableTorchFunctionSubclass
from .autograd.subclass import TorchFunctionMode as TorchFunctionMode
from .autograd.tensor import Tensor


def is_tensor_method_or_property(func: object) -> bool:
    """Whether a function is one of ``Tensor``'s methods."""
    return getattr(Tensor, getattr(func, "__name__", ""), None) is func


def resolve_name(f: object) -> str | None:
    """Where a function is found, such as ``"wengert.add"``."""
    name = getattr(f, "__name__", None)
    return None if name is None else f"{getattr(f, '__module__', '')}.{name}"
