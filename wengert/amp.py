"""Mixed precision: `autocast`, in whose blocks functions choose their types, and `GradScaler`.

The scaler keeps small gradients of float16 numbers from becoming zero; bfloat16 has float32's range and needs none.
"""

from __future__ import annotations

from .autograd import mixed_precision as _mixed_precision
from .autograd.autocast_state import autocast_decrement_nesting as autocast_decrement_nesting
from .autograd.autocast_state import autocast_increment_nesting as autocast_increment_nesting
from .autograd.autocast_state import clear_autocast_cache as clear_autocast_cache
from .autograd.autocast_state import get_autocast_cpu_dtype as get_autocast_cpu_dtype
from .autograd.autocast_state import get_autocast_dtype as get_autocast_dtype
from .autograd.autocast_state import get_autocast_gpu_dtype as get_autocast_gpu_dtype
from .autograd.autocast_state import is_autocast_available as is_autocast_available
from .autograd.autocast_state import is_autocast_cache_enabled as is_autocast_cache_enabled
from .autograd.autocast_state import is_autocast_cpu_enabled as is_autocast_cpu_enabled
from .autograd.autocast_state import is_autocast_enabled as is_autocast_enabled
from .autograd.autocast_state import set_autocast_cache_enabled as set_autocast_cache_enabled
from .autograd.autocast_state import set_autocast_cpu_dtype as set_autocast_cpu_dtype
from .autograd.autocast_state import set_autocast_cpu_enabled as set_autocast_cpu_enabled
from .autograd.autocast_state import set_autocast_dtype as set_autocast_dtype
from .autograd.autocast_state import set_autocast_enabled as set_autocast_enabled
from .autograd.autocast_state import set_autocast_gpu_dtype as set_autocast_gpu_dtype
from .autograd.mixed_precision import _enter_autocast as _enter_autocast
from .autograd.mixed_precision import _exit_autocast as _exit_autocast
from .autograd.mixed_precision import autocast as autocast
from .autograd.mixed_precision import custom_bwd as custom_bwd
from .autograd.mixed_precision import custom_fwd as custom_fwd
from .backends.paths import add_path as _add_path
from .optim import grad_scaler as _grad_scaler
from .optim.grad_scaler import GradScaler as GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]

autocast_mode = _add_path(f"{__name__}.autocast_mode", vars(_mixed_precision))
grad_scaler = _add_path(f"{__name__}.grad_scaler", vars(_grad_scaler))
