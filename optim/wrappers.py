"""Optimizers around another: Lookahead, and sharpness-aware minimisation (SAM)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.grad_mode import enable_grad, no_grad
from ..backends.errors import ArgumentError
from .optimizer import Optimizer, Params

__all__ = ["SAM", "Lookahead"]


class Wrapper(Optimizer):
    """An optimizer around another, whose groups and state it shares."""

    optimizer: Optimizer

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self._set_up()
        self._share()

    def _share(self) -> None:
        self.defaults = self.optimizer.defaults
        self.state, self.param_groups = self.optimizer.state, self.optimizer.param_groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        self.optimizer.add_param_group(param_group)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.optimizer.load_state_dict(state_dict)
        self._share()

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._share()


class Lookahead(Wrapper):
    """Every ``k`` steps of another optimizer, go back to ``slow + alpha * (p - slow)`` and set out from there.

    Groups are the other optimizer's own, so that schedules act on both.

    Args:
        optimizer: the one that makes the steps.
        k: steps of it for one of the slow weights.
        alpha: the part of the way that the slow weights go.

    Raises:
        ValueError: ``k`` is not positive, or ``alpha`` not in [0, 1]. TypeError: ``optimizer`` is none.

    Example:
        >>> import wengert as wg
        >>> p = wg.tensor([1.0], requires_grad=True)
        >>> optimizer = wg.optim.Lookahead(wg.optim.SGD([p], lr=0.1), k=2)
        >>> for _ in range(2):
        ...     optimizer.zero_grad()
        ...     p.sum().backward()
        ...     optimizer.step()
        >>> p
        tensor([0.9000], requires_grad=True)

    References:
        M. R. Zhang, J. Lucas, G. Hinton, J. Ba, "Lookahead Optimizer: k steps forward, 1 step back", arXiv:1907.08610.
    """

    def __init__(self, optimizer: Optimizer, k: int = 5, alpha: float = 0.5) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        if k < 1:
            raise ValueError(f"Invalid k: {k}; it must be positive")
        if not 0.0 <= alpha <= 1.0:
            raise ValueError(f"Invalid alpha: {alpha}; it must be in [0, 1]")
        super().__init__(optimizer)
        self.k, self.alpha, self.steps = k, alpha, 0
        self.slow = {p: p.detach().clone() for group in self.param_groups for p in group["params"]}

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """A step of the inner optimizer; every ``k``-th time, one of the slow weights too."""
        loss = self.optimizer.step(closure)
        self.steps += 1
        if self.steps % self.k == 0:
            with no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        slow = self.slow.get(p)
                        if slow is None:
                            slow = self.slow[p] = p.detach().clone()
                        slow.add_(p - slow, alpha=self.alpha)
                        p.copy_(slow)
        return loss

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        super().add_param_group(param_group)
        for p in self.param_groups[-1]["params"]:
            self.slow[p] = p.detach().clone()

    def state_dict(self) -> dict[str, Any]:
        """That of the inner optimizer, with the slow weights and the number of steps under ``"lookahead"``."""
        slow = [self.slow[p] for group in self.param_groups for p in group["params"]]
        return {**self.optimizer.state_dict(), "lookahead": {"slow": slow, "steps": self.steps}}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        own = state_dict["lookahead"]
        params = [p for group in self.param_groups for p in group["params"]]
        shapes = [tuple(slow.shape) for slow in own["slow"]]
        if shapes != [tuple(p.shape) for p in params]:
            raise ValueError("loaded state dict has slow weights of other shapes than the optimizer's parameters")
        super().load_state_dict({name: value for name, value in state_dict.items() if name != "lookahead"})
        self.steps = own["steps"]
        self.slow = {
            p: slow.detach().to(device=p.device, dtype=p.dtype).clone()
            for p, slow in zip(params, own["slow"], strict=True)
        }


class SAM(Wrapper):
    """Step by the gradient at the worst point nearby: ``p + rho * g / |g|``.

    Each step takes two gradients: give ``step`` a closure that computes the loss and its gradient, or call
    `first_step` and `second_step` with a backward pass before each.

    Args:
        params: parameters, or groups of them.
        base_optimizer: the class of the optimizer that makes the step, such as ``wengert.optim.SGD``.
        rho: how far the worst point is.
        adaptive: measure distances relative to each parameter's size.
        options: of the base optimizer.

    Raises:
        ValueError: ``rho`` is negative; and what the base optimizer raises.

    Example:
        >>> import wengert as wg
        >>> p = wg.tensor([1.0], requires_grad=True)
        >>> optimizer = wg.optim.SAM([p], wg.optim.SGD, rho=0.5, lr=0.1)
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = (p * p).sum()
        ...     loss.backward()
        ...     return loss
        >>> optimizer.step(closure)
        tensor(1., grad_fn=<SumBackward0>)
        >>> p
        tensor([0.7000], requires_grad=True)

    References:
        P. Foret et al., "Sharpness-Aware Minimization for Efficiently Improving Generalization", arXiv:2010.01412.
        J. Kwon et al., "ASAM: Adaptive Sharpness-Aware Minimization", arXiv:2102.11600 (``adaptive``).
    """

    def __init__(
        self,
        params: Params,
        base_optimizer: Callable[..., Optimizer],
        rho: float = 0.05,
        adaptive: bool = False,
        **options: Any,
    ) -> None:
        if not rho >= 0.0:
            raise ValueError(f"Invalid rho: {rho}; it must not be negative")
        super().__init__(base_optimizer(params, **options))
        self.defaults.update(rho=rho, adaptive=adaptive)
        for group in self.param_groups:
            group.setdefault("rho", rho)
            group.setdefault("adaptive", adaptive)
        self._before: dict[Any, Any] = {}  # the parameters that were moved to the worst point, and their values

    def first_step(self, zero_grad: bool = False) -> None:
        """Go to the worst point nearby, by the gradients that the parameters have now."""
        with no_grad():
            chosen = [(g, p, _weighted(p, g)) for g in self.param_groups for p in g["params"] if p.grad is not None]
            total = sum(((e * e).sum() for _, _, e in chosen), start=0.0)
            scale = 1.0 / (float(total) ** 0.5 + 1e-12)
            for group, p, e in chosen:
                self._before[p] = p.detach().clone()
                p.add_(_weighted(p, group, e), alpha=group["rho"] * scale)
            if zero_grad:
                self.zero_grad()

    def second_step(self, zero_grad: bool = False) -> None:
        """Come back, and make the base optimizer's step by the gradients found there."""
        with no_grad():
            for p, value in self._before.items():
                p.copy_(value)
            self._before.clear()
            self.optimizer.step()
            if zero_grad:
                self.zero_grad()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Both steps. Returns the loss at the parameters, not at the worst point.

        Args:
            closure: computes the loss and its gradient, from gradients of zero; it is called twice.
        """
        if closure is None:
            raise ArgumentError(
                "SAM.step needs a closure that computes loss and gradient; or call first_step and second_step"
            )
        with enable_grad():
            loss = closure()
        self.first_step()
        with enable_grad():
            closure()
        self.second_step()
        return loss


def _weighted(p: Any, group: dict[str, Any], direction: Any = None) -> Any:
    """A direction (the gradient, unless given), measured by the parameter's own size where that is asked for."""
    direction = p.grad if direction is None else direction
    return p.abs() * direction if group["adaptive"] else direction
