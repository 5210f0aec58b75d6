"""``GradScaler``: loss scaling, which keeps small gradients of float16 numbers from becoming zero."""

from __future__ import annotations

import inspect
import warnings
from collections import defaultdict
from collections.abc import Iterable
from enum import Enum
from typing import Any

from ..autograd.base import TensorBase
from ..autograd.grad_mode import no_grad
from ..autograd.inplace import wrote
from ..autograd.ops import full, isfinite, maximum, where
from ..backends import device_count, kernels_of
from ..backends.dtypes import float16, float32, int32

__all__ = ["GradScaler", "OptState", "amp_foreach_non_finite_check_and_unscale_", "amp_update_scale_"]

_HINT = "This may indicate your script did not use scaler.scale(loss or outputs) earlier in the iteration."


class OptState(Enum):
    """How far a round is with an optimizer."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


def _new_round() -> dict[str, Any]:
    return {"stage": OptState.READY, "found_inf_per_device": {}}


@no_grad()
def amp_foreach_non_finite_check_and_unscale_(grads: Iterable[Any], found_inf: Any, inv_scale: Any) -> None:
    """Multiply gradients by ``inv_scale``, in place; ``found_inf`` becomes 1 if one has an infinity or NaN."""
    members = list(grads)
    if not members:
        return
    arrays, found, inverse = [g._data for g in members], found_inf._data.reshape(()), inv_scale._data.reshape(())
    kernels_of[type(arrays[0])].unscale_(arrays, found, inverse)
    for tensor in (found_inf, *members):
        wrote(tensor, "_amp_foreach_non_finite_check_and_unscale_")


@no_grad()
def amp_update_scale_(
    scale: Any,
    growth_tracker: Any,
    found_inf: Any,
    growth_factor: float,
    backoff_factor: float,
    growth_interval: int,
) -> Any:
    """Lower ``scale`` if an infinity was found, raise it after ``growth_interval`` rounds without one; in place."""
    bad, due = found_inf != 0, growth_tracker + 1 == growth_interval
    raised = scale * growth_factor
    raised = where(due & isfinite(raised), raised, scale)
    scale.copy_(where(bad, scale * backoff_factor, raised))
    growth_tracker.copy_(where(bad | due, 0, growth_tracker + 1))
    return scale


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
        self._device, self._enabled = device, enabled
        if not enabled:
            return
        if growth_factor <= 1.0:
            raise AssertionError("The growth factor must be > 1.0.")
        if backoff_factor >= 1.0:
            raise AssertionError("The backoff factor must be < 1.0.")
        self._init_scale, self._growth_factor, self._backoff_factor = init_scale, growth_factor, backoff_factor
        self._growth_interval, self._init_growth_tracker = growth_interval, 0
        # Tensors, made where the first loss is.
        self._scale: Any = None
        self._growth_tracker: Any = None
        self._per_optimizer_states: defaultdict[int, dict[str, Any]] = defaultdict(_new_round)

    def _check_scale_growth_tracker(self, funcname: str) -> tuple[Any, Any]:
        if self._scale is None:
            raise AssertionError(f"Attempted {funcname} but _scale is None.  {_HINT}")
        return self._scale, self._growth_tracker

    def _lazy_init_scale_growth_tracker(self, dev: Any) -> None:
        self._scale = full((), self._init_scale, dtype=float32, device=dev)
        self._growth_tracker = full((), self._init_growth_tracker, dtype=int32, device=dev)

    def is_enabled(self) -> bool:
        """Whether anything is scaled."""
        return self._enabled

    def scale(self, outputs: Any) -> Any:
        """``outputs``, a Tensor or nested iterables of them, times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, TensorBase):
            if self._scale is None:
                self._lazy_init_scale_growth_tracker(outputs.device)  # type: ignore[attr-defined]
            return outputs * self._scale.to(outputs.device)  # type: ignore[attr-defined]
        if isinstance(outputs, list | tuple):
            scaled = [self.scale(o) for o in outputs]
            return type(outputs)(*scaled) if hasattr(outputs, "_fields") else type(outputs)(scaled)
        if isinstance(outputs, Iterable):
            return map(self.scale, outputs)
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    # ------------------------------------------------------------------ gradients

    def _unscale_grads_(self, optimizer: Any, inv_scale: Any, found_inf: Any, allow_fp16: bool) -> dict[Any, Any]:
        """Multiply an optimizer's gradients by ``inv_scale``; for each device, whether there was an infinity or NaN.

        Raises:
            ValueError: a gradient is of float16, where that is not allowed: it would lose digits again.
        """
        grads: defaultdict[Any, list[Any]] = defaultdict(list)
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                if p.grad.dtype is float16 and not allow_fp16:
                    raise ValueError("Attempting to unscale FP16 gradients.")
                if p.grad.is_sparse:
                    if p.grad.dtype is float16:  # a sum of finite entries may be infinite
                        p.grad = p.grad.coalesce()
                    grads[p.grad.device].append(p.grad._values())
                else:
                    grads[p.grad.device].append(p.grad)
        found = {device: found_inf.to(device, copy=True) for device in grads}
        for device, members in grads.items():
            amp_foreach_non_finite_check_and_unscale_(members, found[device], inv_scale.to(device))
        return found

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of an optimizer's parameters by the scale; `step` does it unless this was called.

        Raises:
            RuntimeError: it was called since the last `update`, or after `step`.
            AssertionError: nothing has been scaled.
        """
        if not self._enabled:
            return
        scale, _ = self._check_scale_growth_tracker("unscale_")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.UNSCALED:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        inverse = scale.double().reciprocal().float()
        state["found_inf_per_device"] = self._unscale_grads_(optimizer, inverse, self._none_found(), False)
        state["stage"] = OptState.UNSCALED

    def _none_found(self) -> Any:
        return full((), 0.0, dtype=float32, device=self._scale.device)

    def _check_inf_per_device(self, optimizer: Any) -> dict[Any, Any]:
        """Look for infinities and NaNs without unscaling."""
        self._check_scale_growth_tracker("_check_inf_per_device")
        one = full((), 1.0, dtype=float32)
        found = self._unscale_grads_(optimizer, one, self._none_found(), True)
        self._per_optimizer_states[id(optimizer)]["found_inf_per_device"] = found
        return found

    def _found_inf_per_device(self, optimizer: Any) -> dict[Any, Any]:
        return self._per_optimizer_states[id(optimizer)]["found_inf_per_device"]  # type: ignore[no-any-return]

    # ------------------------------------------------------------------ the step

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """``optimizer.step()`` if all its gradients are finite; what it returns, else None.

        Raises:
            RuntimeError: it was called since the last `update`, or with a closure.
            AssertionError: nothing has been scaled, or the optimizer has no gradients.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._check_scale_growth_tracker("step")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if getattr(optimizer, "_step_supports_amp_scaling", False):
            result = self._step_that_unscales(optimizer, state, args, kwargs)
        else:
            if state["stage"] is OptState.READY:
                self.unscale_(optimizer)
            if not state["found_inf_per_device"]:
                raise AssertionError("No inf checks were recorded for this optimizer.")
            result = self._maybe_opt_step(optimizer, state, *args, **kwargs)
        state["stage"] = OptState.STEPPED
        return result

    def _maybe_opt_step(self, optimizer: Any, optimizer_state: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if any(float(found) for found in optimizer_state["found_inf_per_device"].values()):
            return None
        return optimizer.step(*args, **kwargs)

    def _step_that_unscales(self, optimizer: Any, state: dict[str, Any], args: Any, kwargs: dict[str, Any]) -> Any:
        """The step of an optimizer that unscales its gradients itself, and steps only where they are finite."""
        if "grad_scaler" in inspect.signature(optimizer.step).parameters:
            warnings.warn(
                "GradScaler is going to stop passing itself as a keyword argument to the passed optimizer. In the near "
                "future GradScaler registers `grad_scale: Tensor` and `found_inf: Tensor` to the passed optimizer and "
                "let the optimizer use them directly.",
                FutureWarning,
                stacklevel=3,
            )
            return optimizer.step(*args, **kwargs, grad_scaler=self)
        given = getattr(optimizer, "grad_scale", None)
        if state["stage"] is OptState.READY:
            self._check_inf_per_device(optimizer)
            given = self._scale * (1 if given is None else given)
        found = self._none_found()
        for part in state["found_inf_per_device"].values():
            found += part.to(found.device)
        optimizer.grad_scale, optimizer.found_inf = given, found
        try:
            return optimizer.step(*args, **kwargs)
        finally:
            del optimizer.grad_scale, optimizer.found_inf

    def update(self, new_scale: Any = None) -> None:
        """Raise or lower the scale by what the steps found, or set it; then a new round begins.

        Raises:
            AssertionError: nothing has been scaled, no gradients were looked at, or ``new_scale`` is a tensor that
                has more than one element, requires gradients or is elsewhere.
        """
        if not self._enabled:
            return
        scale, tracker = self._check_scale_growth_tracker("update")
        if new_scale is None:
            found = [f for state in self._per_optimizer_states.values() for f in state["found_inf_per_device"].values()]
            if not found:
                raise AssertionError("No inf checks were recorded prior to update.")
            combined = self._none_found()
            for each in found:
                combined = maximum(combined, each.to(scale.device))
            factors = self._growth_factor, self._backoff_factor, self._growth_interval
            amp_update_scale_(scale, tracker, combined, *factors)
        else:
            tensor = isinstance(new_scale, TensorBase)
            if tensor and (new_scale.device.type != self._device or new_scale.numel() != 1 or new_scale.requires_grad):
                raise AssertionError(
                    "new_scale should be a float or a 1-element torch.cuda.FloatTensor or torch.FloatTensor with "
                    "requires_grad=False."
                )
            scale.fill_(float(new_scale))
        self._per_optimizer_states = defaultdict(_new_round)

    # ------------------------------------------------------------------ its numbers

    def _get_scale_async(self) -> Any:
        return self._scale

    def get_scale(self) -> float:
        """The scale; 1 when nothing is scaled."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else float(self._scale)

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

    def _get_growth_tracker(self) -> int:
        if not self._enabled:
            return 0
        return self._init_growth_tracker if self._growth_tracker is None else int(self._growth_tracker)

    # ------------------------------------------------------------------ state

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` takes; empty when nothing is scaled."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._get_growth_tracker(),
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
        self._init_scale, self._init_growth_tracker = state_dict["scale"], state_dict["_growth_tracker"]
        self._growth_factor, self._backoff_factor = state_dict["growth_factor"], state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        if self._scale is not None:
            self._scale.fill_(self._init_scale)
            self._growth_tracker.fill_(self._init_growth_tracker)

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        if self._enabled:
            if self._per_optimizer_states:
                raise AssertionError(
                    "A GradScaler instance may only be pickled at the beginning of an iteration, or at the end after "
                    "scaler.update()."
                )
            state.update(_init_scale=self.get_scale(), _init_growth_tracker=self._get_growth_tracker())
            state.update(_scale=None, _growth_tracker=None)
        return state
