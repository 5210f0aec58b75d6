"""DLPack: tensors to and from other libraries without a copy."""

from __future__ import annotations

import enum

from ..autograd.ops import from_dlpack as from_dlpack
from ..autograd.ops import to_dlpack as to_dlpack


class DLDeviceType(enum.IntEnum):
    """DLPack's numbers for the kinds of devices, which ``__dlpack_device__`` gives first."""

    kDLCPU = 1
    kDLCUDA = 2
    kDLCUDAHost = 3
    kDLOpenCL = 4
    kDLVulkan = 7
    kDLMetal = 8
    kDLVPI = 9
    kDLROCM = 10
    kDLROCMHost = 11
    kDLExtDev = 12
    kDLCUDAManaged = 13
    kDLOneAPI = 14
    kDLWebGPU = 15
    kDLHexagon = 16
    kDLMAIA = 17
