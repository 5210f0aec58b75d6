"""What programs ask about a tensor, with PyTorch's names."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ...backends import device_count, get_backend, kernels_of
from ...backends.errors import ArgumentError, DeviceError, GraphError
from ...backends.sparse import SparseArray
from ..base import TensorBase, new, wrap
from ..primitive import apply
from .exchange import bool_of
from .indexing import Alias
from .rearrange import flip

if TYPE_CHECKING:
    from ..tensor import Tensor


def get_device(input: Tensor) -> int:
    """The number of the device that a CUDA tensor is on; -1 for the CPU."""
    index = input.device.index
    return -1 if input.device.type == "cpu" else index or 0


def is_nonzero(input: Tensor) -> bool:
    """Whether the only element is not zero.

    Raises:
        RuntimeError: there are more elements, or none.
    """
    return bool_of(input)


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether the shapes are equal."""
    return bool(input._data.shape == other._data.shape)


def is_signed(input: Tensor) -> bool:
    """Whether the element type has negative numbers."""
    return input.dtype.is_signed


def is_inference(input: Tensor) -> bool:
    """Whether the tensor was made under inference_mode."""
    return input.is_inference()


def is_shared(input: Tensor) -> bool:
    """Whether other processes see the memory: that of a GPU, and main memory after `share_memory_`."""
    return bool(_backend(input).is_shared(input._data))


def share_memory_(input: Tensor) -> Tensor:
    """``input`` itself, moved to memory that processes see which are started later. What they write is seen here.

    Views and detached tensors that were taken before stay where they were.

    Example:
        >>> import wengert as wg
        >>> wg.ones(2).share_memory_().is_shared()
        True
    """
    if not isinstance(input._data, SparseArray):
        input._data = _backend(input).share(input._data)
    return input


def _backend(input: Tensor) -> Any:
    return kernels_of[type(input._data)].backend


def pin_memory(input: Tensor, device: Any = None) -> Tensor:
    """A copy in page-locked memory, from which a GPU copies by itself (``non_blocking=True``); itself without a GPU.

    Raises:
        RuntimeError: the tensor is not in the CPU's memory.
    """
    if input.device.type != "cpu":
        raise DeviceError(
            f"cannot pin '{input.type()}' only dense CPU tensors can be pinned, and this one is on {input.device}"
        )
    if not device_count("cuda") or is_pinned(input):
        return input
    return wrap(get_backend("cuda").pinned(input._data))


def is_pinned(input: Tensor, device: Any = None) -> bool:
    """Whether the memory is page-locked, as `pin_memory` makes it."""
    base = input._data
    while base is not None:
        if type(base).__name__ == "PinnedMemoryPointer":
            return True
        base = base.obj if type(base) is memoryview else getattr(base, "base", None)
    return False


def record_stream(input: Tensor, stream: Any) -> None:
    """Say that work on ``stream`` uses the memory: it is not given to others before that work is done.

    CuPy knows the stream only in which the memory was allocated, so the array is kept here. What is no longer kept by
    anybody else is let go at a later call, when the stream has come that far.
    """
    if input.device.type != "cuda":
        return
    still = []
    for array, used_by, event in _in_use:
        if event is None and sys.getrefcount(array) <= ONLY_HERE:
            event = used_by.record_event()
        if event is None or not event.query():
            still.append((array, used_by, event))
    _in_use[:] = [*still, (input._data, stream, None)]


_in_use: list[tuple[Any, Any, Any]] = []
ONLY_HERE = 3  # references to an array that nobody uses any more: the list's, the loop's and the question's


def as_subclass(input: Tensor, cls: type) -> Any:
    """A tensor of class ``cls`` on the same memory and in the same place of the graph.

    Raises:
        TypeError: ``cls`` is no class. RuntimeError: it is no class of tensors.
    """
    if not isinstance(cls, type):
        raise TypeError(f"cls must be a type (got {cls!r})")
    if not issubclass(cls, TensorBase):
        raise ArgumentError(
            f"Creating a Tensor subclass from a class that does not inherit from Tensor is not possible: {cls.__name__}"
        )
    view = apply(Alias, input, key=(...,))
    t = new(cls)
    for slot in ("_data", "_grad", "_edge", "_rg", "_ver", "_view", "_hooks"):
        setattr(t, slot, getattr(view, slot))
    return t


def typename(obj: Any) -> str:
    """The name of the type of an object; of a tensor, that of its element type."""
    if isinstance(obj, TensorBase):
        return obj.type()  # type: ignore[attr-defined]
    kind = obj if hasattr(obj, "__qualname__") and hasattr(obj, "__module__") else type(obj)
    return f"{kind.__module__}.{kind.__qualname__}" if kind.__module__ != "builtins" else kind.__qualname__


def detach(input: Tensor) -> Tensor:
    """``input.detach()``: the same memory, outside the graph."""
    return input.detach()


def detach_(input: Tensor) -> Tensor:
    """``input.detach_()``: leave the graph, in place."""
    return input.detach_()


def cuda_array_interface(input: Tensor) -> Any:
    """What other CUDA libraries read a tensor's memory by.

    Raises:
        AttributeError: the tensor is not on a CUDA device. RuntimeError: it requires grad.
    """
    if input.device.type != "cuda":
        raise AttributeError(
            f"Can't get __cuda_array_interface__ on non-CUDA tensor type: {input.dtype} on {input.device}. "
            "If CUDA data is required use tensor.cuda() to copy tensor to device memory."
        )
    if input.requires_grad:
        raise GraphError("Can't get __cuda_array_interface__ on Variable that requires grad; use x.detach()")
    return input._data.__cuda_array_interface__


def reversed_(input: Tensor) -> Tensor:
    """``reversed(x)``: the first dimension in reverse order."""
    return flip(input, (0,)) if input._data.ndim else input
