"""What `autocast` blocks set, piece by piece: which kinds of device convert, to which type, and the cache.

Programs that cannot use a block, such as a wrapper that enters in one function and leaves in another, set it here. The
state is one per thread.
"""

from __future__ import annotations

import warnings
from typing import Any

from ..backends import Device, DType
from ..backends.dtypes import bfloat16, float16
from ..backends.errors import ArgumentError
from .autocast import Casting, activate
from .grad_mode import mode
from .tensor import Tensor

__all__ = ["choose", "now"]

DEFAULTS = {
    **{"cpu": bfloat16, "cuda": float16},
    **dict.fromkeys(("hpu", "maia", "xla"), bfloat16),  # kinds that are only asked about: there are no tensors there
    **dict.fromkeys(("ipu", "mps", "mtia", "xpu"), float16),
}


def now() -> Casting:
    """The state of this thread."""
    return Casting({}, {}, 0, {}) if mode.casting is None else mode.casting


def choose(**changes: Any) -> None:
    """Change this thread's state; where nothing is left that differs from a new thread's, there is none."""
    state = now()
    parts = {name: changes.get(name, getattr(state, name)) for name in ("dtypes", "cache", "depth", "chosen")}
    parts["chosen"] = {kind: dtype for kind, dtype in parts["chosen"].items() if dtype is not DEFAULTS[kind]}
    usual = not (parts["dtypes"] or parts["chosen"] or parts["depth"]) and parts["cache"] is not None
    if parts["dtypes"]:
        activate(Tensor)
    mode.casting = None if usual else Casting(**parts)


def _known(device_type: str) -> str:
    """``device_type``, if functions on this kind of device can convert."""
    if not is_autocast_available(device_type):
        raise ArgumentError(f"autocast does not know the device type {device_type!r}; use 'cpu' or 'cuda'")
    return device_type


def _flag(name: str, value: Any, position: int) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name}(): argument 'enabled' (position {position}) must be bool, not {type(value).__name__}")
    return value


def is_autocast_available(device_type: str) -> bool:
    """Whether functions on this kind of device can choose their types.

    Raises:
        RuntimeError: there is no such kind of device.
    """
    Device(device_type)
    return device_type in DEFAULTS


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether functions on this kind of device convert now.

    Raises:
        RuntimeError: there is no such kind of device.
    """
    return _known(device_type) in now().dtypes


def set_autocast_enabled(*args: Any) -> None:
    """``set_autocast_enabled(device_type, enabled)``: let functions on a kind of device convert, or not.

    ``set_autocast_enabled(enabled)`` means CUDA devices.

    Raises:
        RuntimeError: there is no such kind of device. TypeError: ``enabled`` is no bool.

    Example:
        >>> import wengert as wg
        >>> x = wg.ones(2, 2)
        >>> wg.set_autocast_enabled("cpu", True)
        >>> (x @ x).dtype
        wengert.bfloat16
        >>> wg.set_autocast_enabled("cpu", False)
        >>> (x @ x).dtype
        wengert.float32
    """
    device_type, enabled = args if len(args) == 2 else ("cuda", *args)
    enabled, device_type = _flag("set_autocast_enabled", enabled, len(args)), _known(device_type)
    others = {kind: dtype for kind, dtype in now().dtypes.items() if kind != device_type}
    choose(dtypes={**others, device_type: get_autocast_dtype(device_type)} if enabled else others)


def get_autocast_dtype(device_type: str) -> DType:
    """The type to which products on this kind of device are converted, in a block or by a new one.

    Raises:
        RuntimeError: there is no such kind of device.
    """
    return now().chosen.get(device_type) or DEFAULTS[_known(device_type)]


def set_autocast_dtype(device_type: str, dtype: DType) -> None:
    """Set `get_autocast_dtype`.

    Raises:
        RuntimeError: there is no such kind of device. TypeError: ``dtype`` is none.
    """
    if not isinstance(dtype, DType):
        raise TypeError(
            f"set_autocast_dtype(): argument 'dtype' (position 2) must be wengert.dtype, not {type(dtype).__name__}"
        )
    state, chosen = now(), {_known(device_type): dtype}
    choose(chosen={**state.chosen, **chosen}, dtypes={kind: chosen.get(kind, d) for kind, d in state.dtypes.items()})


def is_autocast_cache_enabled() -> bool:
    """Whether converted parameters are kept."""
    return now().cache is not None


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Set `is_autocast_cache_enabled`.

    Raises:
        TypeError: ``enabled`` is no bool.
    """
    if not isinstance(enabled, bool):
        raise TypeError(f"enabled must be a bool (got {type(enabled).__name__})")
    cache = now().cache
    choose(cache=({} if cache is None else cache) if enabled else None)


def clear_autocast_cache() -> None:
    """Forget the converted parameters."""
    if mode.casting is not None and mode.casting.cache is not None:
        mode.casting.cache.clear()


def autocast_increment_nesting() -> int:
    """Say that a block begins; how many there are then."""
    choose(depth=now().depth + 1)
    return now().depth


def autocast_decrement_nesting() -> int:
    """Say that a block ends; how many there are then. After the last one, call `clear_autocast_cache`."""
    choose(depth=now().depth - 1)
    return now().depth


# ---------------------------------------------------------------------- older names, one for each kind of device


def _told(old: str, new: str) -> None:
    warnings.warn(f"torch.{old} is deprecated. Please use torch.{new} instead.", DeprecationWarning, stacklevel=3)


def is_autocast_cpu_enabled() -> bool:
    """`is_autocast_enabled` of the CPU; deprecated."""
    _told("is_autocast_cpu_enabled()", "is_autocast_enabled('cpu')")
    return is_autocast_enabled("cpu")


def set_autocast_cpu_enabled(enabled: bool) -> None:
    """`set_autocast_enabled` of the CPU; deprecated."""
    _told("set_autocast_cpu_enabled(enabled)", "set_autocast_enabled('cpu', enabled)")
    set_autocast_enabled("cpu", enabled)


def get_autocast_cpu_dtype() -> DType:
    """`get_autocast_dtype` of the CPU; deprecated."""
    _told("get_autocast_cpu_dtype()", "get_autocast_dtype('cpu')")
    return get_autocast_dtype("cpu")


def set_autocast_cpu_dtype(dtype: DType) -> None:
    """`set_autocast_dtype` of the CPU; deprecated."""
    _told("set_autocast_cpu_dtype(dtype)", "set_autocast_dtype('cpu', dtype)")
    set_autocast_dtype("cpu", dtype)


def get_autocast_gpu_dtype() -> DType:
    """`get_autocast_dtype` of CUDA devices; deprecated."""
    _told("get_autocast_gpu_dtype()", "get_autocast_dtype('cuda')")
    return get_autocast_dtype("cuda")


def set_autocast_gpu_dtype(dtype: DType) -> None:
    """`set_autocast_dtype` of CUDA devices; deprecated."""
    _told("set_autocast_gpu_dtype(dtype)", "set_autocast_dtype('cuda', dtype)")
    set_autocast_dtype("cuda", dtype)
