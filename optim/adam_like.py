"""Adam's relatives: Adamax, NAdam and RAdam."""

from __future__ import annotations

from typing import Any

from .adam import adam_options
from .optimizer import Optimizer, Params
from .options import check_betas, check_not_negative, given, plain, stored

__all__ = ["Adamax", "NAdam", "RAdam"]


class Adamax(Optimizer):
    """Adam with the largest recent gradient in the denominator: ``u = max(beta2 * u, |g| + eps)``.

    Args:
        params: parameters, or groups of them.
        lr: learning rate.
        betas: how slowly the average and the maximum change.
        eps: keeps the denominator from zero.
        weight_decay: L2 penalty.
        maximize: climb instead.
        foreach, capturable: accepted as in PyTorch.
        differentiable: record the step, so that gradients flow through it.
        master_weights: keep 16-bit parameters in float32 too (see `Optimizer`).

    Raises:
        ValueError: an option is out of range.

    References:
        D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", arXiv:1412.6980, section 7.1.
    """

    def __init__(
        self,
        params: Params,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
        master_weights: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))

    def check(self, group: dict[str, Any]) -> None:
        check_not_negative(group, "lr", "eps", "weight_decay")
        check_betas(group["betas"])

    def buffers(self, group: dict[str, Any]) -> dict[str, float]:
        return {"exp_avg": 0.0, "exp_inf": 0.0}

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        k.adamax_step_(p, g, state["exp_avg"], state["exp_inf"], **adam_options(group, step))


class NAdam(Optimizer):
    """Adam with Nesterov's momentum, which ``momentum_decay`` lets grow from half of ``beta1``.

    Args:
        params: parameters, or groups of them.
        lr: learning rate.
        betas: how slowly the two averages change.
        eps: added to the denominator.
        weight_decay: L2 penalty.
        momentum_decay: how fast the momentum grows.
        decoupled_weight_decay: shrink the parameters directly, as `AdamW` does.
        maximize: climb instead.
        foreach, capturable: accepted as in PyTorch.
        differentiable: record the step, so that gradients flow through it.
        master_weights: keep 16-bit parameters in float32 too (see `Optimizer`).

    Raises:
        ValueError: an option is out of range.

    References:
        T. Dozat, "Incorporating Nesterov Momentum into Adam", ICLR 2016 workshop.
    """

    def __init__(
        self,
        params: Params,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        master_weights: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))

    def check(self, group: dict[str, Any]) -> None:
        check_not_negative(group, "lr", "eps", "weight_decay", "momentum_decay")
        check_betas(group["betas"])

    def buffers(self, group: dict[str, Any]) -> dict[str, float]:
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def scalars(self, group: dict[str, Any]) -> dict[str, float]:
        return {"mu_product": 1.0}

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        beta1, decay = plain(group["betas"][0]), group["momentum_decay"]
        mu, next_mu = (beta1 * (1.0 - 0.5 * 0.96 ** (t * decay)) for t in (step, step + 1))
        product = state["mu_product"] = stored(state["mu_product"] * stored(mu))
        k.nadam_step_(
            p,
            g,
            state["exp_avg"],
            state["exp_avg_sq"],
            decoupled=group["decoupled_weight_decay"],
            now=(1.0 - mu) / (1.0 - product),
            ahead=next_mu / (1.0 - product * next_mu),
            **adam_options(group, step),
        )


class RAdam(Optimizer):
    """Adam whose adaptive rate starts when the variance of ``v`` can be told, and is rectified by it.

    Args:
        params: parameters, or groups of them.
        lr: learning rate.
        betas: how slowly the two averages change.
        eps: added to the denominator.
        weight_decay: L2 penalty.
        decoupled_weight_decay: shrink the parameters directly, as `AdamW` does.
        maximize: climb instead.
        foreach, capturable: accepted as in PyTorch.
        differentiable: record the step, so that gradients flow through it.
        master_weights: keep 16-bit parameters in float32 too (see `Optimizer`).

    Raises:
        ValueError: an option is out of range.

    References:
        L. Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", arXiv:1908.03265.
    """

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        master_weights: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))

    def check(self, group: dict[str, Any]) -> None:
        check_not_negative(group, "lr", "eps", "weight_decay")
        check_betas(group["betas"])

    def buffers(self, group: dict[str, Any]) -> dict[str, float]:
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        k.radam_step_(
            p,
            g,
            state["exp_avg"],
            state["exp_avg_sq"],
            decoupled=group["decoupled_weight_decay"],
            rectify=_rectification(plain(group["betas"][1]), step),
            **adam_options(group, step),
        )


def _rectification(beta2: float, step: int) -> float:
    """The factor on the adaptive rate; 0 while the variance cannot be told."""
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * step * beta2**step / (1 - beta2**step)
    if length <= 5.0:
        return 0.0
    ratio = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
    return float(ratio**0.5)
