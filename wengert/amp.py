"""Mixed precision: `autocast`, in whose blocks functions choose their types, and `GradScaler`.

The scaler keeps small gradients of float16 numbers from becoming zero; bfloat16 has float32's range and needs none.
"""

from __future__ import annotations

from .autograd.mixed_precision import autocast as autocast
from .autograd.mixed_precision import clear_autocast_cache as clear_autocast_cache
from .autograd.mixed_precision import custom_bwd as custom_bwd
from .autograd.mixed_precision import custom_fwd as custom_fwd
from .autograd.mixed_precision import get_autocast_cpu_dtype as get_autocast_cpu_dtype
from .autograd.mixed_precision import get_autocast_dtype as get_autocast_dtype
from .autograd.mixed_precision import get_autocast_gpu_dtype as get_autocast_gpu_dtype
from .autograd.mixed_precision import is_autocast_available as is_autocast_available
from .autograd.mixed_precision import is_autocast_cache_enabled as is_autocast_cache_enabled
from .autograd.mixed_precision import is_autocast_cpu_enabled as is_autocast_cpu_enabled
from .autograd.mixed_precision import is_autocast_enabled as is_autocast_enabled
from .optim.grad_scaler import GradScaler as GradScaler

__all__ = [
    "GradScaler",
    "autocast",
    "clear_autocast_cache",
    "custom_bwd",
    "custom_fwd",
    "get_autocast_cpu_dtype",
    "get_autocast_dtype",
    "get_autocast_gpu_dtype",
    "is_autocast_available",
    "is_autocast_cache_enabled",
    "is_autocast_cpu_enabled",
    "is_autocast_enabled",
]
