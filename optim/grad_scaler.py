"""``GradScaler``: loss scaling, which keeps small gradients of float16 numbers from becoming zero."""

from __future__ import annotations

import warnings
from typing import Any

from ..autograd.base import TensorBase
from ..autograd.grad_mode import no_grad
from ..autograd.ops import isfinite
from ..backends import device_count


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
        if enabled and device == "cuda" and not device_count("cuda"):
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
