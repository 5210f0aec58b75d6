"""Adam and AdamW."""

from __future__ import annotations

from typing import Any

from .optimizer import Optimizer, Params, number

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Adam: steps scaled by running averages of the gradient and of its square.

    ``m = beta1 * m + (1 - beta1) * g``, ``v = beta2 * v + (1 - beta2) * g**2``,
    ``p = p - lr * m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps)``.

    Args:
        params: parameters, or groups of them.
        lr: learning rate.
        betas: how slowly the two averages change.
        eps: added to the denominator.
        weight_decay: L2 penalty, added to the gradient (`AdamW` decouples it).
        amsgrad: divide by the largest ``v`` so far.
        maximize: climb instead.
        decoupled_weight_decay: shrink the parameters directly, as `AdamW` does.
        foreach, capturable, fused: accepted as in PyTorch; a step is one kernel call either way.
        differentiable: record the step, so that gradients flow through it.

    Raises:
        ValueError: an option is out of range.

    References:
        D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", arXiv:1412.6980.
        S. J. Reddi, S. Kale, S. Kumar, "On the Convergence of Adam and Beyond", arXiv:1904.09237 (``amsgrad``).
    """

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
                "fused": fused,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )

    def check(self, group: dict[str, Any]) -> None:
        check_adam_like(group)

    def buffers(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if group["amsgrad"] else ("exp_avg", "exp_avg_sq")

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        beta1, beta2 = group["betas"]
        k.adam_step_(
            p,
            g,
            state["exp_avg"],
            state["exp_avg_sq"],
            state.get("max_exp_avg_sq"),
            lr=number(group["lr"]),
            beta1=number(beta1),
            beta2=number(beta2),
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            decoupled=group["decoupled_weight_decay"],
            maximize=group["maximize"],
            step=step,
        )


def check_adam_like(group: dict[str, Any]) -> None:
    """Raise ValueError unless rate, betas, eps and weight decay are in range."""
    if number(group["lr"]) < 0.0:
        raise ValueError(f"Invalid learning rate: {group['lr']}; it must not be negative")
    if group["eps"] < 0.0:
        raise ValueError(f"Invalid epsilon value: {group['eps']}; it must not be negative")
    for i, beta in enumerate(group["betas"]):
        if not 0.0 <= number(beta) < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}; it must be in [0, 1)")
    if group["weight_decay"] < 0.0:
        raise ValueError(f"Invalid weight_decay value: {group['weight_decay']}; it must not be negative")


class AdamW(Adam):
    """Adam with weight decay decoupled from the gradient: ``p = p * (1 - lr * weight_decay)`` before the step.

    Args: as `Adam`, with ``weight_decay=0.01``.

    References:
        I. Loshchilov, F. Hutter, "Decoupled Weight Decay Regularization", arXiv:1711.05101.
    """

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )
