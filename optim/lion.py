"""Lion: the sign of momentum."""

from __future__ import annotations

from typing import Any

from .optimizer import Optimizer, Params
from .options import check_betas, check_not_negative, given, number

__all__ = ["Lion"]


class Lion(Optimizer):
    """``p = p - lr * (sign(beta1 * m + (1 - beta1) * g) + weight_decay * p)``: one state array, steps of one size.

    Args:
        params: parameters, or groups of them.
        lr: learning rate; three to ten times smaller than Adam's.
        betas: how much momentum goes into the sign, and how slowly the momentum changes.
        weight_decay: shrinks the parameters directly; three to ten times larger than AdamW's.
        maximize: climb instead.
        foreach: accepted; a step is one kernel call either way.
        differentiable: record the step, so that gradients flow through it.
        master_weights: keep 16-bit parameters in float32 too (see `Optimizer`).

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> import wengert as wg
        >>> p = wg.tensor([3.0, -0.1], requires_grad=True)
        >>> optimizer = wg.optim.Lion([p], lr=0.5)
        >>> (p * p).sum().backward()
        >>> optimizer.step()
        >>> p
        tensor([2.5000, 0.4000], requires_grad=True)

    References:
        X. Chen et al., "Symbolic Discovery of Optimization Algorithms", arXiv:2302.06675.
    """

    counted = False

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        master_weights: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))

    def check(self, group: dict[str, Any]) -> None:
        check_not_negative(group, "lr", "weight_decay")
        check_betas(group["betas"])

    def buffers(self, group: dict[str, Any]) -> dict[str, float]:
        return {"exp_avg": 0.0}

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        beta1, beta2 = group["betas"]
        k.lion_step_(
            p,
            g,
            state["exp_avg"],
            lr=number(group["lr"]),
            beta1=beta1,
            beta2=beta2,
            weight_decay=group["weight_decay"],
            maximize=group["maximize"],
        )
