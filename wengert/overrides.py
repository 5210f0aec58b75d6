"""Classes that have a say in what functions do, under PyTorch's names."""

from __future__ import annotations

from .autograd.overrides import handle_torch_function as handle_torch_function
from .autograd.overrides import has_torch_function as has_torch_function
from .autograd.overrides import has_torch_function_unary as has_torch_function_unary
from .autograd.overrides import has_torch_function_variadic as has_torch_function_variadic
from .autograd.overrides import is_tensor_like as is_tensor_like
