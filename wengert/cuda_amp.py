"""The older names of mixed precision on CUDA, as ``wengert.cuda.amp``; `wengert.amp` has the newer ones."""

from __future__ import annotations

from typing import Any

from . import amp as _amp
from .amp import custom_bwd as custom_bwd
from .amp import custom_fwd as custom_fwd
from .backends.dtypes import float16


class autocast(_amp.autocast):
    """`wengert.amp.autocast` for CUDA."""

    def __init__(self, enabled: bool = True, dtype: Any = float16, cache_enabled: bool = True) -> None:
        super().__init__("cuda", dtype, enabled, cache_enabled)


class GradScaler(_amp.GradScaler):
    """`wengert.amp.GradScaler` for CUDA."""

    def __init__(
        self,
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        super().__init__("cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled)
