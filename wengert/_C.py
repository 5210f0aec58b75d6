"""What programs ask of PyTorch's compiled part, answered for a package that has none."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from enum import Enum
from types import SimpleNamespace
from typing import Any

from .autograd.random import Generator as Generator
from .autograd.subclass import DisableTorchFunctionSubclass as DisableTorchFunctionSubclass
from .autograd.subclass import disabled as _disabled
from .autograd.tensor import Tensor as Tensor
from .autograd.tensor import Tensor as TensorBase
from .backends import Device, DType, default_device
from .fx import Graph as Graph
from .fx import Node as Node
from .fx import Node as Value
from .nn.conversion import parse_to as _module_parse_to

__all__ = ["DisableTorchFunctionSubclass", "Generator", "Graph", "Node", "Tensor", "TensorBase", "TensorType", "Value"]

device, dtype = Device, DType
_TensorMeta = type(Tensor)
_disabled_torch_function_impl, _get_default_device = _disabled, default_device
_TensorBase = TensorBase


def _parse_to(*args: Any, **kwargs: Any) -> tuple[Any, Any, bool, Any]:
    """What the arguments of ``Module.to`` mean."""
    where, kind, options = _module_parse_to(*args, **kwargs)
    return where, kind, options.get("non_blocking", False), options.get("memory_format")


_nn = SimpleNamespace(_parse_to=_parse_to)


class SymInt:
    """A size that PyTorch's compiler does not know yet. None are made here, but programs ask."""


class SymFloat:
    """As `SymInt`, for fractions."""


class SymBool:
    """As `SymInt`, for conditions."""


class TensorType:
    """The type of tensors in PyTorch's second language."""


class DispatchKey(Enum):
    """The tables of kernels that PyTorch looks into before others: there is one kind of kernel here."""

    AutocastCPU, AutocastCUDA, AutocastXPU, AutogradCPU, AutogradCUDA, CPU, CUDA, Meta = range(8)


class DispatchKeySet(frozenset[DispatchKey]):
    """Some of these tables."""

    def __new__(cls, *keys: DispatchKey) -> DispatchKeySet:
        return super().__new__(cls, keys)


@contextlib.contextmanager
def _ExcludeDispatchKeyGuard(keys: Any) -> Iterator[None]:
    """A block in which PyTorch leaves out some tables."""
    yield


def _nothing(*args: Any, **kwargs: Any) -> None:
    """What a setting of a part that is not there does."""


def _get_tracing_state() -> None:
    """What is being traced: nothing."""


def _are_functorch_transforms_active() -> bool:
    return False


_log_api_usage_once = _log_api_usage_metadata = _nothing
_jit_set_profiling_mode = _jit_set_profiling_executor = _jit_set_texpr_fuser_enabled = _nothing
_jit_override_can_fuse_on_cpu = _jit_override_can_fuse_on_gpu = _jit_set_bailout_depth = _nothing
_cuda_clearCublasWorkspaces = _set_worker_signal_handlers = _nothing
