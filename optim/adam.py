"""Adam and AdamW."""

from __future__ import annotations

from typing import Any

from ..backends.errors import ArgumentError
from .optimizer import Optimizer, Params
from .options import check_betas, check_not_negative, check_tensors, given, number

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
        master_weights: keep 16-bit parameters in float32 too (see `Optimizer`).

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> import wengert as wg
        >>> p = wg.tensor([1.0], requires_grad=True)
        >>> optimizer = wg.optim.Adam([p], lr=0.1)
        >>> (p * p).sum().backward()
        >>> optimizer.step()
        >>> p
        tensor([0.9000], requires_grad=True)

    References:
        D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", arXiv:1412.6980.
        S. J. Reddi, S. Kale, S. Kumar, "On the Convergence of Adam and Beyond", arXiv:1904.09237 (``amsgrad``).
    """

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
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
        master_weights: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))

    def check(self, group: dict[str, Any]) -> None:
        check_not_negative(group, "lr", "eps", "weight_decay")
        check_betas(group["betas"])
        check_tensors(group)

    def buffers(self, group: dict[str, Any]) -> dict[str, float]:
        names = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if group["amsgrad"] else ("exp_avg", "exp_avg_sq")
        return dict.fromkeys(names, 0.0)

    def dense_gradient(self, k: Any, group: dict[str, Any], p: Any, g: Any) -> Any:
        raise ArgumentError("Adam does not support sparse gradients, please consider SparseAdam instead")

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        k.adam_step_(
            p,
            g,
            state["exp_avg"],
            state["exp_avg_sq"],
            state.get("max_exp_avg_sq"),
            decoupled=group["decoupled_weight_decay"],
            **adam_options(group, step),
        )


def adam_options(group: dict[str, Any], step: int) -> dict[str, Any]:
    """What the rules of Adam and its kin all take."""
    beta1, beta2 = group["betas"]
    return {
        "lr": number(group["lr"]),
        "beta1": number(beta1),
        "beta2": number(beta2),
        "eps": group["eps"],
        "weight_decay": number(group["weight_decay"]),
        "maximize": group["maximize"],
        "step": step,
    }


class AdamW(Adam):
    """Adam with weight decay decoupled from the gradient: ``p = p * (1 - lr * weight_decay)`` before the step.

    Args: as `Adam`, ``master_weights`` included, with ``weight_decay=0.01``.

    References:
        I. Loshchilov, F. Hutter, "Decoupled Weight Decay Regularization", arXiv:1711.05101.
    """

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        master_weights: bool = False,
    ) -> None:
        super().__init__(decoupled_weight_decay=True, params=params, **given(locals()))
