"""What CUDA reports, in words that say what to do."""

from __future__ import annotations

from typing import Any

from ..errors import AcceleratorError

# What the runtime says when something that it was asked for earlier went wrong on the device.
LATE = (
    "cudaErrorIllegalAddress",
    "cudaErrorLaunchFailure",
    "cudaErrorAssert",
    "cudaErrorIllegalInstruction",
    "cudaErrorMisalignedAddress",
    "cudaErrorLaunchTimeout",
    "cudaErrorHardwareStackError",
    "cudaErrorECCUncorrectable",
)


def explain(error: Exception) -> None:
    """Raise an `AcceleratorError` for an error of CUDA's that comes late; let others pass."""
    text = str(error)
    if not any(name in text for name in LATE):
        return
    raise AcceleratorError(
        f"CUDA error: {text}. CUDA kernel errors might be asynchronously reported at some other API call: the op that "
        "failed is one of those before this. Run again with CUDA_LAUNCH_BLOCKING=1 in the environment, and the error "
        "comes from the op itself. An index out of range in embedding, gather or cross_entropy is the usual reason; on "
        "device='cpu' it is named. This process cannot use the device any more, and has to be started again"
    ) from error


def why_unusable(cupy: Any) -> str:
    """Why CuPy cannot compute here, or an empty string. Importing it works without a driver; allocating does not."""
    try:
        if not cupy.cuda.is_available():
            return "it finds no CUDA driver or no CUDA device"
        cupy.cuda.runtime.getDeviceCount()
        driver, needed = cupy.cuda.runtime.driverGetVersion(), cupy.cuda.runtime.runtimeGetVersion()
    except RuntimeError as error:  # CUDARuntimeError is one
        return f"the CUDA runtime says: {error}"
    except AttributeError:  # a build without the question
        return ""
    if driver // 1000 < needed // 1000:
        have, want = driver // 1000, needed // 1000
        return (
            f"it is made for CUDA {want}, and the driver knows CUDA {have} only: `pip uninstall cupy-cuda{want}x` and "
            f"`pip install wengert[cuda{have}]`"
        )
    return ""
