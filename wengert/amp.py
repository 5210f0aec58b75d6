"""Mixed precision: `autocast`, in whose blocks functions choose their types, and `GradScaler`.

The scaler keeps small gradients of float16 numbers from becoming zero; bfloat16 has float32's range and needs none.
"""

from __future__ import annotations

import functools
import warnings
from typing import Any

from . import cuda as _cuda
from .autograd.autocast import activate, entered
from .autograd.base import TensorBase
from .autograd.grad_mode import mode, no_grad
from .autograd.ops import isfinite
from .autograd.tensor import Tensor
from .backends import Device, DType, to_dtype
from .backends.dtypes import bfloat16, float16, float64

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
        if device_type == "cuda" and enabled and not _cuda.is_available():
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


class GradScaler:
    """Scales a loss up, so that small gradients do not vanish in 16 bits, and gradients down before a step.

    A step whose gradients have an infinity or NaN is left out, and the scale is lowered; after ``growth_interval``
    steps without one it is raised.

    Args:
        device: the kind of device.
        init_scale: the first scale.
        growth_factor: what it is multiplied by when it is raised.
        backoff_factor: what it is multiplied by when it is lowered.
        growth_interval: good steps until it is raised.
        enabled: False makes everything a plain step.

    Example:
        >>> import wengert as wg
        >>> w = wg.ones(1, requires_grad=True)
        >>> optimizer, scaler = wg.optim.SGD([w], lr=0.1), wg.amp.GradScaler("cpu")
        >>> scaler.scale((w * 2).sum()).backward()
        >>> scaler.step(optimizer)
        >>> scaler.update()
        >>> w
        tensor([0.8000], requires_grad=True)

    References:
        P. Micikevicius et al., "Mixed precision training", ICLR 2018, arXiv:1710.03740.
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if enabled and device == "cuda" and not _cuda.is_available():
            warnings.warn(
                "torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.",
                UserWarning,
                stacklevel=2,
            )
            enabled = False
        if enabled and growth_factor <= 1.0:
            raise AssertionError("The growth factor must be > 1.0.")
        if enabled and backoff_factor >= 1.0:
            raise AssertionError("The backoff factor must be < 1.0.")
        self._device, self._enabled = device, enabled
        self._scale, self._growth_tracker = float(init_scale), 0
        self._growth_factor, self._backoff_factor, self._growth_interval = (
            growth_factor,
            backoff_factor,
            growth_interval,
        )
        self._found: dict[int, bool] = {}  # by optimizer: whether its unscaled gradients have an infinity or NaN
        self._stepped: set[int] = set()

    def is_enabled(self) -> bool:
        """Whether anything is scaled."""
        return self._enabled

    def scale(self, outputs: Any) -> Any:
        """``outputs``, a Tensor or nested lists and tuples of them, times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, TensorBase):
            return outputs * self._scale  # type: ignore[operator]
        if isinstance(outputs, list | tuple):
            scaled = [self.scale(o) for o in outputs]
            return type(outputs)(*scaled) if hasattr(outputs, "_fields") else type(outputs)(scaled)
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    @no_grad()
    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of an optimizer's parameters by the scale; `step` does it unless this was called.

        Raises:
            RuntimeError: it was called since the last `update`, or after `step`.
        """
        if not self._enabled:
            return
        key = id(optimizer)
        if key in self._found:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        if key in self._stepped:
            raise RuntimeError("unscale_() is being called after step().")
        found = False
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad.mul_(1.0 / self._scale)
                    found = found or not bool(isfinite(p.grad).all())
        self._found[key] = found

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """``optimizer.step()`` if all its gradients are finite; what it returns, else None.

        Raises:
            RuntimeError: it was called since the last `update`, or with a closure.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        key = id(optimizer)
        if key in self._stepped:
            raise RuntimeError("step() has already been called since the last update().")
        if key not in self._found:
            self.unscale_(optimizer)
        self._stepped.add(key)
        return None if self._found[key] else optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """Raise or lower the scale by what the steps found, or set it; then a new round begins."""
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._found:
            raise AssertionError("No inf checks were recorded prior to update.")
        elif any(self._found.values()):
            self._scale, self._growth_tracker = self._scale * self._backoff_factor, 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                self._scale, self._growth_tracker = self._scale * self._growth_factor, 0
        self._found, self._stepped = {}, set()

    def get_scale(self) -> float:
        """The scale; 1 when nothing is scaled."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """What the scale is multiplied by when it is raised."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set `get_growth_factor`."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the scale is multiplied by when it is lowered."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set `get_backoff_factor`."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """How many good steps raise the scale."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set `get_growth_interval`."""
        self._growth_interval = new_interval

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` takes; empty when nothing is scaled."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale,
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state.

        Raises:
            RuntimeError: the state is empty.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        self._scale = float(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._growth_tracker = int(state_dict["_growth_tracker"])

    def __reduce__(self) -> Any:
        return _rebuilt, (self._device, self._enabled, self.state_dict())


def _rebuilt(device: str, enabled: bool, state: dict[str, Any]) -> GradScaler:
    scaler = GradScaler(device, enabled=enabled)
    scaler.load_state_dict(state)
    return scaler
