"""The older names of mixed precision on CUDA, as ``wengert.cuda.amp``; `wengert.amp` has the newer ones."""

from __future__ import annotations

import functools
from typing import Any

from . import amp as _amp
from .backends.dtypes import float16

custom_bwd = functools.partial(_amp.custom_bwd, device_type="cuda")
custom_fwd = functools.partial(_amp.custom_fwd, device_type="cuda")


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
