"""The blocks of mixed precision: `autocast`, what it says of itself, and what custom functions do about it.

How functions convert what they are given is in ``autocast.py``.
"""

from __future__ import annotations

import functools
import warnings
from typing import Any

from ..backends import DType, device_count, to_dtype
from ..backends.dtypes import bfloat16, float16, float64
from .autocast_state import (
    choose,
    get_autocast_dtype,
    is_autocast_available,
    is_autocast_cache_enabled,
    is_autocast_enabled,
    now,
)
from .grad_mode import mode
from .tensor import Tensor


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
                "CUDA is not available or torch_xla is imported. Disabling autocast.", UserWarning, stacklevel=2
            )
            enabled = False
        if enabled and self.fast_dtype not in (bfloat16, float16):
            warnings.warn(
                f"In {device_type.upper()} autocast, but the target dtype is not supported. Disabling autocast.\n"
                f"{device_type.upper()} Autocast only supports dtypes of torch.bfloat16, torch.float16 currently.",
                UserWarning,
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled
        self._before: list[Any] = []

    def __enter__(self) -> autocast:
        self._before.append(mode.casting)
        state = now()
        dtypes = {kind: dtype for kind, dtype in state.dtypes.items() if kind != self.device}
        if self._enabled:
            dtypes[self.device] = self.fast_dtype
        choose(
            dtypes=dtypes,
            chosen={**state.chosen, self.device: self.fast_dtype},
            cache=({} if state.cache is None else state.cache) if self._cache_enabled else None,
            depth=state.depth + 1,
        )
        return self

    def __exit__(self, *exc: object) -> None:
        """Go back to the block around."""
        mode.casting = self._before.pop()

    def __call__(self, func: Any) -> Any:
        if not callable(func):
            raise TypeError(
                f"autocast()(func) requires a callable, but got {type(func).__name__}. Did you mean to use autocast as "
                "a context manager? For example:\n    with torch.autocast(device_type=...):\n"
                "        output = model(input)"
            )

        @functools.wraps(func)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with self:
                return func(*args, **kwargs)

        return decorated


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


def _enter_autocast(
    device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
) -> autocast:
    """A block that has been entered, for `_exit_autocast`."""
    return autocast(device_type, dtype, enabled, cache_enabled).__enter__()


def _exit_autocast(block: autocast) -> None:
    """Leave a block that `_enter_autocast` entered."""
    block.__exit__(None, None, None)
