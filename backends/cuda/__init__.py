"""The CUDA backend: CuPy arrays on NVIDIA GPUs. CuPy is imported when the first array is asked for.

Beside it are the switches that programs set by ``backends.cuda``.
"""

from __future__ import annotations

import types
from typing import Any

from ..device import Device
from ..errors import BackendUnavailableError, UnsupportedDTypeError
from ..registry import Backend
from . import memory
from .failures import explain, why_unusable
from .guard import GuardedKernels, follow_devices
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
        if len(self._devices) > 1:
            self.kernels = GuardedKernels(self.kernels)

    def device_of(self, array: Any) -> Device:
        return self._devices[array.device.id]

    def device_count(self) -> int:
        return len(self._devices)

    def on(self, device: Device) -> Any:
        index = self._runtime.getDevice() if device.index is None else device.index
        return self.xp.cuda.Device(index)

    def to_numpy(self, array: Any) -> Any:
        try:
            with self.on(self.device_of(array)):
                return self.xp.asnumpy(array)
        except RuntimeError as error:
            explain(error)
            raise

    def from_numpy(self, array: Any, device: Device, non_blocking: bool = False) -> Any:
        self.check(device)
        with self.on(device):
            if not (non_blocking and array.flags.c_contiguous and array.size):
                return self._copied(array)
            there = self.xp.empty(array.shape, array.dtype)
            there.set(array, stream=self.xp.cuda.get_current_stream())  # at once, from page-locked memory
            return there

    def _copied(self, array: Any) -> Any:
        try:
            return self.xp.asarray(array)
        except (TypeError, ValueError) as error:
            if "dtype" not in str(error):
                raise
            raise UnsupportedDTypeError(
                f"CuPy {self.xp.__version__} has no arrays of {array.dtype.name}: {error}. Convert first, for example "
                "with .to(wengert.bfloat16)"
            ) from error

    def moved(self, array: Any, device: Device) -> Any:
        self.check(device)
        with self.on(device):
            there = self.xp.empty(array.shape, array.dtype)
            there[...] = array
        return there

    def pinned(self, array: Any) -> Any:
        """A copy of a NumPy array in page-locked memory, from which a device copies by itself."""
        import cupyx

        there = cupyx.empty_pinned(array.shape, array.dtype)
        there[...] = array
        return there

    def is_shared(self, array: Any) -> bool:
        return True  # as PyTorch says

    def empty_cache(self) -> None:
        self.xp.get_default_memory_pool().free_all_blocks()

    def synchronize(self) -> None:
        try:
            self._runtime.deviceSynchronize()
        except RuntimeError as error:
            explain(error)
            raise


def load() -> Backend:
    """The backend object; called once by the registry.

    Raises:
        BackendUnavailableError: CuPy is missing or broken, or it finds no driver or no device.
    """
    cupy = _import_cupy()
    reason = why_unusable(cupy)
    if reason:
        raise BackendUnavailableError(
            f"device 'cuda' cannot be used: CuPy {cupy.__version__} is installed, but {reason}. Use device='cpu', or "
            "install an NVIDIA driver that is new enough for this CuPy; `nvidia-smi` lists the GPUs that are visible"
        )
    from . import own

    return make(cupy, *own.modules())


def make(cupy: Any, *kernels: types.ModuleType) -> CUDABackend:
    """The backend with our own ``kernels`` before those that NVIDIA's libraries compute."""
    from . import attention, conv, creation, product, recurrent
    from .namespace import Namespace

    memory.install(cupy)
    own = (*kernels, attention, conv, creation, product, recurrent)
    backend = CUDABackend(cupy, own=own, seen=Namespace(cupy))
    if backend.device_count() > 1:
        follow_devices(backend)
    return backend


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
