"""Arrays in, arrays out: devices, element types, and the kernels that ops call.

Knows nothing of tensors, graphs or gradients. This is the only package that imports numpy, cupy or numba.
"""

from __future__ import annotations

from . import tuning as tuning  # before everything that imports NumPy: it sets the environment for it

# isort: split
from . import cudnn as cudnn
from . import dtypes as dtypes
from . import errors as errors
from . import mha as mha
from . import mkl as mkl
from . import mkldnn as mkldnn
from . import mps as mps
from . import openmp as openmp
from . import opt_einsum as opt_einsum
from .device import Device as Device
from .dtypes import DType as DType
from .dtypes import to_dtype as to_dtype
from .registry import Backend as Backend
from .registry import assign as assign
from .registry import backend_of as backend_of
from .registry import default_device as default_device
from .registry import device_count as device_count
from .registry import get_backend as get_backend
from .registry import kernels_of as kernels_of
from .registry import names as names
from .registry import register as register
from .registry import set_default_device as set_default_device
from .registry import unregister as unregister
from .registry import worth_a_kernel as worth_a_kernel

# isort: split
from . import cuda as cuda  # CuPy itself is imported when it is first needed


def _load_cpu() -> Backend:
    from .cpu import load

    return load()


def _load_cuda() -> Backend:
    from .cuda import load

    return load()


register("cpu", _load_cpu)
register("cuda", _load_cuda)
