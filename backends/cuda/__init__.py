"""The CUDA backend: CuPy arrays on NVIDIA GPUs. CuPy is imported when the first array is asked for.

Beside it are the switches that programs set by ``backends.cuda``.
"""

from __future__ import annotations

import types
from typing import Any

from ..device import Device
from ..errors import BackendUnavailableError
from ..registry import Backend
from .switches import cudnn_sdp_enabled as cudnn_sdp_enabled
from .switches import enable_cudnn_sdp as enable_cudnn_sdp
from .switches import enable_flash_sdp as enable_flash_sdp
from .switches import enable_math_sdp as enable_math_sdp
from .switches import enable_mem_efficient_sdp as enable_mem_efficient_sdp
from .switches import flash_sdp_enabled as flash_sdp_enabled
from .switches import is_built as is_built
from .switches import math_sdp_enabled as math_sdp_enabled
from .switches import matmul as matmul
from .switches import mem_efficient_sdp_enabled as mem_efficient_sdp_enabled
from .switches import preferred_blas_library as preferred_blas_library
from .switches import preferred_linalg_library as preferred_linalg_library
from .switches import sdp_kernel as sdp_kernel


class CUDABackend(Backend):
    """CuPy arrays, each on the device that its memory is on."""

    def __init__(self, cupy: Any, own: tuple[types.ModuleType, ...] = (), seen: Any = None) -> None:
        super().__init__("cuda", cupy, cupy.ndarray, own, seen=seen)
        self._runtime = cupy.cuda.runtime
        self._devices = [Device("cuda", i) for i in range(self._runtime.getDeviceCount())]

    def device_of(self, array: Any) -> Device:
        return self._devices[array.device.id]

    def device_count(self) -> int:
        return len(self._devices)

    def on(self, device: Device) -> Any:
        index = self._runtime.getDevice() if device.index is None else device.index
        return self.xp.cuda.Device(index)

    def to_numpy(self, array: Any) -> Any:
        return self.xp.asnumpy(array)

    def from_numpy(self, array: Any, device: Device) -> Any:
        self.check(device)
        index = self._runtime.getDevice() if device.index is None else device.index
        with self.xp.cuda.Device(index):
            return self.xp.asarray(array)

    def is_shared(self, array: Any) -> bool:
        return True  # as PyTorch says

    def empty_cache(self) -> None:
        self.xp.get_default_memory_pool().free_all_blocks()

    def synchronize(self) -> None:
        self._runtime.deviceSynchronize()


def load() -> Backend:
    """The backend object; called once by the registry.

    Raises:
        BackendUnavailableError: CuPy is missing or broken, or it finds no driver or no device.
    """
    cupy = _import_cupy()
    reason = _why_unusable(cupy)
    if reason:
        raise BackendUnavailableError(
            f"device 'cuda' cannot be used: CuPy {cupy.__version__} is installed, but {reason}. Use device='cpu', or "
            "install an NVIDIA driver that is new enough for this CuPy; `nvidia-smi` lists the GPUs that are visible"
        )
    from . import random

    return make(cupy, random)


def make(cupy: Any, *kernels: types.ModuleType) -> CUDABackend:
    """The backend with our own ``kernels`` before those that NVIDIA's libraries compute."""
    from . import attention, conv, product
    from .namespace import Namespace

    return CUDABackend(cupy, own=(*kernels, attention, conv, product), seen=Namespace(cupy))


def _import_cupy() -> Any:
    try:
        import cupy
    except ModuleNotFoundError as error:
        if error.name != "cupy":
            raise BackendUnavailableError(f"device 'cuda' needs CuPy, and importing it failed: {error}") from error
        raise BackendUnavailableError(
            "device 'cuda' needs CuPy, which is not installed: `pip install wengert[cuda13]` for CUDA 13 drivers, "
            "`pip install wengert[cuda12]` for CUDA 12; or use device='cpu'"
        ) from error
    except ImportError as error:
        raise BackendUnavailableError(f"device 'cuda' needs CuPy, and importing it failed: {error}") from error
    return cupy


def _why_unusable(cupy: Any) -> str:
    """Why CuPy cannot compute here, or an empty string. Importing it works without a driver; allocating does not."""
    try:
        if not cupy.cuda.is_available():
            return "it finds no CUDA driver or no CUDA device"
        cupy.cuda.runtime.getDeviceCount()
    except RuntimeError as error:  # CUDARuntimeError is one
        return f"the CUDA runtime says: {error}"
    return ""
