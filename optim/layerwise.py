"""Rates proportional to the norm of each parameter, for large batches: LAMB and LARS."""

from __future__ import annotations

from typing import Any

from .adam import adam_options
from .optimizer import Optimizer, Params
from .options import check_betas, check_not_negative, given, number

__all__ = ["LAMB", "LARS"]


class LAMB(Optimizer):
    """Adam's direction ``r`` for each parameter, with the rate ``lr * |p| / |r|``.

    Args:
        params: parameters, or groups of them.
        lr: learning rate.
        betas: how slowly the two averages change.
        eps: added to the denominator.
        weight_decay: added to the direction, times the parameter.
        maximize: climb instead.
        master_weights: keep 16-bit parameters in float32 too (see `Optimizer`).

    Raises:
        ValueError: an option is out of range.

    References:
        Y. You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", arXiv:1904.00962.
    """

    elementwise = False

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.01,
        *,
        maximize: bool = False,
        master_weights: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))

    def check(self, group: dict[str, Any]) -> None:
        check_not_negative(group, "lr", "eps", "weight_decay")
        check_betas(group["betas"])

    def buffers(self, group: dict[str, Any]) -> dict[str, float]:
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        k.lamb_step_(p, g, state["exp_avg"], state["exp_avg_sq"], **adam_options(group, step))


class LARS(Optimizer):
    """Momentum, with the rate ``lr * trust_coefficient * |p| / (|g| + weight_decay * |p|)`` for each parameter.

    Args:
        params: parameters, or groups of them. Biases and the parameters of norms are best given to `SGD`.
        lr: learning rate.
        momentum: how much of the last step goes into this one.
        weight_decay: L2 penalty.
        trust_coefficient: the part of its norm by which a parameter moves, at rate 1.
        eps: added to the denominator.
        nesterov: look ahead along the momentum.
        maximize: climb instead.
        master_weights: keep 16-bit parameters in float32 too (see `Optimizer`).

    Raises:
        ValueError: an option is out of range.

    References:
        Y. You, I. Gitman, B. Ginsburg, "Large Batch Training of Convolutional Networks", arXiv:1708.03888.
    """

    elementwise = False
    counted = False

    def __init__(
        self,
        params: Params,
        lr: Any = 0.1,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        trust_coefficient: float = 0.001,
        eps: float = 1e-8,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        master_weights: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))

    def check(self, group: dict[str, Any]) -> None:
        check_not_negative(group, "lr", "momentum", "weight_decay", "trust_coefficient", "eps")

    def buffers(self, group: dict[str, Any]) -> dict[str, float]:
        return {"momentum_buffer": 0.0}

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        k.lars_step_(
            p,
            g,
            state["momentum_buffer"],
            lr=number(group["lr"]),
            momentum=group["momentum"],
            weight_decay=group["weight_decay"],
            trust=group["trust_coefficient"],
            eps=group["eps"],
            nesterov=group["nesterov"],
            maximize=group["maximize"],
        )
