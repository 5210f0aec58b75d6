"""The blocks of mixed precision: `autocast`, what it says of itself, and what custom functions do about it.

How functions convert what they are given is in ``autocast.py``.
"""

from __future__ import annotations

import functools
import warnings
from typing import Any

from ..backends import Device, DType, device_count, to_dtype
from ..backends.dtypes import bfloat16, float16, float64
from .autocast import activate, entered
from .grad_mode import mode
from .tensor import Tensor

DEFAULTS = {"cpu": bfloat16, "cuda": float16}


class autocast:
    """A block, or a decorated function, in which functions choose types: 16 bits for products, float32 for losses.

    A linear layer's weights stay float32, and their gradients too; the layer converts them, once a block, for its
    product. What is reduced over many elements, or needs digits, runs in float32. Gradients are computed outside of
    the block, in the types that its functions chose.

    Args:
        device_type: ``"cpu"`` or ``"cuda"``: functions on these devices convert.
        dtype: bfloat16 or float16; bfloat16 on the CPU and float16 on CUDA devices when left out.
        enabled: False switches conversion off, inside another block too.
        cache_enabled: whether converted parameters are kept until the outermost block ends.

    Raises:
        ValueError: ``device_type`` is no string. RuntimeError: there is no such kind of device.

    Note:
        Functions are found by their module when they are called: ``F.linear(x, w)`` and ``x @ w`` convert. A name that
        was imported before the program's first block, ``from wengert import matmul``, means the plain function.

    Example:
        >>> import wengert as wg
        >>> layer, x = wg.nn.Linear(4, 2), wg.ones(3, 4)
        >>> with wg.autocast("cpu", dtype=wg.bfloat16):
        ...     y = layer(x)
        ...     loss = wg.nn.functional.mse_loss(y, wg.zeros(3, 2))
        >>> y.dtype, loss.dtype, layer.weight.dtype
        (wengert.bfloat16, wengert.float32, wengert.float32)

    References:
        P. Micikevicius et al., "Mixed precision training", ICLR 2018, arXiv:1710.03740.
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        if not is_autocast_available(device_type):
            raise RuntimeError(f"User specified an unsupported autocast device_type '{device_type}'")
        self.device = device_type
        self.fast_dtype: DType = get_autocast_dtype(device_type) if dtype is None else to_dtype(dtype)
        self._cache_enabled = is_autocast_cache_enabled() if cache_enabled is None else cache_enabled
        if device_type == "cuda" and enabled and not device_count("cuda"):
            warnings.warn(
                "User provided device_type of 'cuda', but CUDA is not available. Disabling", UserWarning, stacklevel=2
            )
            enabled = False
        if enabled and self.fast_dtype not in (bfloat16, float16):
            warnings.warn(
                f"In {device_type.upper()} autocast, but the target dtype is not supported. Disabling autocast.\n"
                f"{device_type.upper()} Autocast only supports dtype of torch.bfloat16, torch.float16 currently.",
                UserWarning,
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled
        self._before: list[Any] = []

    def __enter__(self) -> autocast:
        self._before.append(mode.casting)
        if self._enabled:
            activate(Tensor)
        mode.casting = entered(self.device, self.fast_dtype if self._enabled else None, self._cache_enabled)
        return self

    def __exit__(self, *exc: object) -> None:
        """Go back to the block around."""
        mode.casting = self._before.pop()

    def __call__(self, func: Any) -> Any:
        @functools.wraps(func)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with self:
                return func(*args, **kwargs)

        return decorated


def is_autocast_available(device_type: str) -> bool:
    """Whether functions on this kind of device can choose their types.

    Raises:
        RuntimeError: there is no such kind of device.
    """
    Device(device_type)
    return device_type in DEFAULTS


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether a block around converts on this kind of device."""
    return mode.casting is not None and device_type in mode.casting.dtypes


def is_autocast_cpu_enabled() -> bool:
    """Whether a block around converts on the CPU."""
    return is_autocast_enabled("cpu")


def get_autocast_dtype(device_type: str) -> DType:
    """The 16-bit type of the block around, or of a new one."""
    chosen: dict[str, DType] = {} if mode.casting is None else mode.casting.dtypes
    return chosen.get(device_type, DEFAULTS[device_type])


def get_autocast_cpu_dtype() -> DType:
    """`get_autocast_dtype` of the CPU."""
    return get_autocast_dtype("cpu")


def get_autocast_gpu_dtype() -> DType:
    """`get_autocast_dtype` of CUDA devices."""
    return get_autocast_dtype("cuda")


def is_autocast_cache_enabled() -> bool:
    """Whether converted parameters are kept."""
    return mode.casting is None or mode.casting.cache is not None


def clear_autocast_cache() -> None:
    """Forget the converted parameters of the blocks around."""
    if mode.casting is not None and mode.casting.cache is not None:
        mode.casting.cache.clear()


def custom_fwd(fwd: Any = None, *, device_type: str, cast_inputs: Any = None) -> Any:
    """For the forward of a `wengert.autograd.Function`: whether it ran in a block is remembered for `custom_bwd`.

    Args:
        fwd: the static method; without it, a decorator is returned.
        device_type: the kind of device.
        cast_inputs: inside of a block, floating inputs are converted to this type, and the forward itself runs as
            outside of blocks.
    """
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def forward(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        ctx._dtype = get_autocast_dtype(device_type)
        enabled = is_autocast_enabled(device_type)
        ctx._fwd_used_autocast = enabled and cast_inputs is None
        if not enabled or cast_inputs is None:
            return fwd(ctx, *args, **kwargs)
        with autocast(device_type, enabled=False):
            return fwd(
                ctx,
                *[_cast(a, device_type, to_dtype(cast_inputs)) for a in args],
                **{key: _cast(value, device_type, to_dtype(cast_inputs)) for key, value in kwargs.items()},
            )

    return forward


def custom_bwd(bwd: Any = None, *, device_type: str) -> Any:
    """For the backward of a `wengert.autograd.Function`: it runs in a block if, and as, its forward did."""
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def backward(ctx: Any, *grads: Any) -> Any:
        with autocast(device_type, enabled=ctx._fwd_used_autocast, dtype=ctx._dtype):
            return bwd(ctx, *grads)

    return backward


def _cast(value: Any, device_type: str, dtype: DType) -> Any:
    """Floating tensors on the device, float64 aside, in another type; lists and dictionaries of them likewise."""
    if isinstance(value, Tensor):
        wanted = value.is_floating_point() and value.device.type == device_type and value.dtype is not float64
        return value.to(dtype) if wanted else value
    if isinstance(value, dict):
        return {_cast(k, device_type, dtype): _cast(v, device_type, dtype) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([_cast(v, device_type, dtype) for v in value])
    return value
