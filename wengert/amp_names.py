"""The older names of mixed precision, which say their kind of device: ``wengert.cpu.amp`` and ``wengert.cuda.amp``.

They are `wengert.amp`'s, with a warning.
"""

from __future__ import annotations

import warnings
from types import ModuleType
from typing import Any

from . import amp
from .autograd.autocast_state import DEFAULTS
from .backends import device_count
from .backends.paths import add_path

__all__ = ["names_of"]

_made: dict[str, ModuleType] = {}


def names_of(kind: str) -> ModuleType:
    """The module ``wengert.<kind>.amp``."""
    if kind not in _made:
        members: dict[str, Any] = {"autocast": _autocast(kind), "GradScaler": _scaler(kind)}
        if kind == "cuda":
            members |= {"custom_fwd": custom_fwd, "custom_bwd": custom_bwd, "amp_definitely_not_available": no_cuda}
        path = f"{__package__}.{kind}.amp"
        below = ("autocast_mode", "grad_scaler", *(("common",) if kind == "cuda" else ()))
        module = add_path(path, members)
        vars(module).update({name: add_path(f"{path}.{name}", members) for name in below})
        _made[kind] = module
    return _made[kind]


def _told(old: str, new: str) -> None:
    text = f"`torch.{old}(args...)` is deprecated. Please use `torch.amp.{new}` instead."
    warnings.warn(text, FutureWarning, stacklevel=3)


def _autocast(kind: str) -> type:
    class autocast(amp.autocast):
        """`wengert.amp.autocast` for one kind of device; deprecated."""

        def __init__(self, enabled: bool = True, dtype: Any = DEFAULTS[kind], cache_enabled: bool = True) -> None:
            _told(f"{kind}.amp.autocast", f"autocast('{kind}', args...)")
            super().__init__(kind, dtype, enabled, cache_enabled)

    return _placed(autocast, kind, "autocast_mode")


def _scaler(kind: str) -> type:
    class GradScaler(amp.GradScaler):
        """`wengert.amp.GradScaler` for one kind of device; deprecated."""

        def __init__(
            self,
            init_scale: float = 2.0**16,
            growth_factor: float = 2.0,
            backoff_factor: float = 0.5,
            growth_interval: int = 2000,
            enabled: bool = True,
        ) -> None:
            _told(f"{kind}.amp.GradScaler", f"GradScaler('{kind}', args...)")
            super().__init__(kind, init_scale, growth_factor, backoff_factor, growth_interval, enabled)

    return _placed(GradScaler, kind, "grad_scaler")


def _placed(made: type, kind: str, file: str) -> type:
    """A class that says that it is defined where it is found."""
    made.__module__, made.__qualname__ = f"{__package__}.{kind}.amp.{file}", made.__name__
    return made


def custom_fwd(fwd: Any = None, *, cast_inputs: Any = None) -> Any:
    """`wengert.amp.custom_fwd` for CUDA devices; deprecated."""
    _told("cuda.amp.custom_fwd", "custom_fwd(args..., device_type='cuda')")
    return amp.custom_fwd(fwd, device_type="cuda", cast_inputs=cast_inputs)


def custom_bwd(bwd: Any) -> Any:
    """`wengert.amp.custom_bwd` for CUDA devices; deprecated."""
    _told("cuda.amp.custom_bwd", "custom_bwd(args..., device_type='cuda')")
    return amp.custom_bwd(bwd, device_type="cuda")


def no_cuda() -> bool:
    """Whether there is no CUDA device."""
    return not device_count("cuda")
