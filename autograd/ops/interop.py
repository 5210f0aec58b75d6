"""The way from a tensor to other libraries' arrays: NumPy's protocols, DLPack, the array API standard's namespace."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.errors import GraphError
from ...backends.sparse import SparseArray
from ..base import version_of, wrap
from ..grad_mode import mode
from .conversion import to

if TYPE_CHECKING:
    from ..tensor import Tensor

# The versions of the standard that the namespace answers for: each contains those before it.
ARRAY_API_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")


def array_namespace(input: Tensor, /, *, api_version: str | None = None) -> Any:
    """The module with the functions of the Python array API standard for tensors: `wengert.array_api`.

    Raises:
        ValueError: it is not the namespace of the version that is asked for.

    Example:
        >>> import wengert as wg
        >>> wg.ones(2).__array_namespace__().__name__
        'wengert.array_api'
    """
    if api_version is not None and api_version not in ARRAY_API_VERSIONS:
        raise ValueError(
            f"there is no namespace for version {api_version!r} of the array API standard; the versions are "
            f"{', '.join(ARRAY_API_VERSIONS)}"
        )
    return importlib.import_module(".array_api", __name__.partition(".")[0])  # which imports this package


def to_device(input: Tensor, device: Any, /, *, stream: Any = None) -> Tensor:
    """``input`` on another device, under the array API standard's name; see `to`.

    Raises:
        ValueError: a stream is given, which only the current one could be.
    """
    if stream is not None:
        raise ValueError("to_device: stream must be None; copy on a stream within `with wengert.cuda.stream(...)`")
    return to(input, device)


def numpy(input: Tensor, *, force: bool = False) -> Any:
    """A NumPy array on the same memory.

    Args:
        input: on the CPU, without ``requires_grad``.
        force: detach and move it first, so that any tensor will do.

    Raises:
        RuntimeError: it requires grad, and operations are recorded. TypeError: it is on another device.
    """
    if not force and input.requires_grad and mode.grad:
        raise GraphError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
    backend = kernels_of[type(input._data)].backend
    if isinstance(input._data, SparseArray):
        return backend.to_numpy(input._data)
    if backend.name != "cpu" and not force:
        raise TypeError(
            f"can't convert {input.device} device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host "
            "memory first."
        )
    version_of(input)
    return backend.to_numpy(input._data)[...]


def array_of(input: Tensor, dtype: Any = None, copy: bool | None = None) -> Any:
    """``np.asarray(x)``: see `numpy`."""
    array = numpy(input)
    if dtype is not None and array.dtype != dtype:
        if copy is False:
            raise ValueError(f"a {array.dtype} tensor cannot become a {dtype} array without a copy")
        return array.astype(dtype)
    return array.copy() if copy else array


def wrapped_array(input: Tensor, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
    """What NumPy's functions make of their result when a tensor was among their arguments: a tensor again."""
    return wrap(kernels_of[type(input._data)].asarray(array.astype("uint8") if array.dtype.kind == "b" else array))


def dlpack(
    input: Tensor,
    *,
    stream: Any = -1,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """The DLPack capsule of the tensor's memory, which lives as long as what the capsule goes to.

    Args:
        input: without ``requires_grad``, and not sparse.
        stream: the number of the CUDA stream that the other side works on; -1 to wait for nothing.
        max_version: the newest version of DLPack that the other side takes; one without versions if it is None.
        dl_device: the device to export to, in DLPack's numbers; where the tensor is if it is None.
        copy: True for memory of its own, False for the tensor's or an error, None for a copy where it has to be.

    Raises:
        BufferError: it requires grad or is sparse, or the other side cannot take it. TypeError, AssertionError: the
            stream is no number, or there is one for main memory.
    """
    x = input._data
    if input.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if isinstance(x, SparseArray):
        raise BufferError("Can't export tensors with layout other than torch.strided; use to_dense()")
    if stream is not None and type(stream) is not int:
        raise TypeError("stream must be ``int`` or ``none``")
    backend = kernels_of[type(x)].backend
    if backend.name == "cpu":
        if stream not in (None, -1):
            raise AssertionError("stream should be None on cpu.")
        stream = None
    given = {"stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy}
    return backend.to_dlpack(x, **{name: value for name, value in given.items() if value is not None})


def to_dlpack(tensor: Tensor) -> Any:
    """The DLPack capsule of a tensor's memory, for other libraries' ``from_dlpack``; gradients stop here."""
    return dlpack(tensor.detach())


def dlpack_device(input: Tensor) -> Any:
    """The tensor's device in DLPack's numbers."""
    return input._data.__dlpack_device__()
