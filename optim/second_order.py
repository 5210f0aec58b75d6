"""Estimates of curvature: the diagonal of the Hessian (SophiaG), and the axes of the gradients (SOAP)."""

from __future__ import annotations

from typing import Any

from ..autograd.grad_mode import no_grad
from .adam import adam_options
from .master import has_master
from .optimizer import Optimizer, Params
from .options import check_betas, check_not_negative, given, number

__all__ = ["SOAP", "SophiaG"]


class SophiaG(Optimizer):
    """Momentum over the diagonal of the Hessian, each element clipped to ``lr``.

    ``p = p * (1 - lr * weight_decay) - lr * clip(m / (rho * batch_size * h + 1e-15), -1, 1)``.

    Every ten steps or so, call `update_hessian` with the gradient of the loss for labels drawn from the model's own
    predictions (the Gauss-Newton-Bartlett estimate).

    Args:
        params: parameters, or groups of them.
        lr: learning rate.
        betas: how slowly the averages of the gradient and of the curvature change.
        rho: how much curvature counts: the larger, the fewer elements are clipped.
        weight_decay: shrinks the parameters directly.
        batch_size: samples in a batch (times their length, for sequences), which the estimate is scaled by.
        maximize: climb instead.
        master_weights: keep 16-bit parameters in float32 too (see `Optimizer`).

    Raises:
        ValueError: an option is out of range.

    References:
        H. Liu et al., "Sophia: A Scalable Stochastic Second-order Optimizer for Language Model Pre-training",
        arXiv:2305.14342.
    """

    counted = False

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-4,
        betas: tuple[float, float] = (0.965, 0.99),
        rho: float = 0.04,
        weight_decay: float = 0.1,
        *,
        batch_size: int = 1,
        maximize: bool = False,
        master_weights: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))

    def check(self, group: dict[str, Any]) -> None:
        check_not_negative(group, "lr", "rho", "weight_decay", "batch_size")
        check_betas(group["betas"])

    def buffers(self, group: dict[str, Any]) -> dict[str, float]:
        return {"exp_avg": 0.0, "hessian": 0.0}

    def update_hessian(self) -> None:
        """Move the curvature towards the square of the gradients that the parameters have now."""
        with no_grad():
            for group in self.param_groups:
                beta2 = group["betas"][1]
                for p in group["params"]:
                    g = p._grad
                    if g is None:
                        continue
                    state = self.state[p]
                    if has_master(group, p):
                        g = g.float()
                    for name in self.buffers(group):
                        if name not in state:
                            state[name] = g.new_zeros(g.shape)
                    state["hessian"].mul_(beta2).add_(g * g * (1 - beta2))

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        k.sophia_step_(
            p,
            g,
            state["exp_avg"],
            state["hessian"],
            lr=number(group["lr"]),
            beta1=group["betas"][0],
            scale=group["rho"] * group["batch_size"],
            eps=1e-15,
            weight_decay=group["weight_decay"],
            maximize=group["maximize"],
        )


class SOAP(Optimizer):
    """Adam in slowly turning coordinates: the eigenvectors of Shampoo's preconditioner.

    For a matrix with gradient ``g`` these are the eigenvectors of running averages of ``g @ g.T`` and of ``g.T @ g``.

    Args:
        params: parameters, or groups of them.
        lr: learning rate.
        betas: how slowly Adam's averages change.
        shampoo_beta: how slowly the averages of the products change; ``betas[1]`` when negative.
        eps: added to the denominator.
        weight_decay: shrinks the parameters directly.
        precondition_frequency: steps from one change of coordinates to the next.
        max_precondition_dim: dimensions longer than this keep their own coordinates; so do vectors.
        maximize: climb instead.
        master_weights: keep 16-bit parameters in float32 too (see `Optimizer`).

    Raises:
        ValueError: an option is out of range.

    References:
        N. Vyas et al., "SOAP: Improving and Stabilizing Shampoo using Adam", arXiv:2409.11321.
        V. Gupta, T. Koren, Y. Singer, "Shampoo: Preconditioned Stochastic Tensor Optimization", arXiv:1802.09568.
    """

    elementwise = False

    def __init__(
        self,
        params: Params,
        lr: Any = 3e-3,
        betas: tuple[float, float] = (0.95, 0.95),
        shampoo_beta: float = -1.0,
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        precondition_frequency: int = 10,
        max_precondition_dim: int = 10000,
        *,
        maximize: bool = False,
        master_weights: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))

    def check(self, group: dict[str, Any]) -> None:
        check_not_negative(group, "lr", "eps", "weight_decay")
        check_betas(group["betas"])
        if group["precondition_frequency"] < 1:
            raise ValueError(f"Invalid precondition_frequency: {group['precondition_frequency']}; it must be positive")

    def first_state(self, k: Any, group: dict[str, Any], p: Any) -> dict[str, Any]:
        state = {"exp_avg": k.zeros_like(p), "exp_avg_sq": k.zeros_like(p)}
        dtype = p.dtype if p.dtype.itemsize > 2 else "float32"
        for axis, n in enumerate(p.shape if p.ndim > 1 else ()):
            if 1 < n <= group["max_precondition_dim"]:
                state[f"covariance_{axis}"] = k.zeros((n, n), dtype=dtype)
                state[f"basis_{axis}"] = k.zeros((n, n), dtype=dtype)
        return state

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        beta = group["shampoo_beta"] if group["shampoo_beta"] >= 0 else group["betas"][1]
        renew = step % group["precondition_frequency"] == 0
        for axis in range(p.ndim):
            if f"basis_{axis}" in state:
                covariance, basis = state[f"covariance_{axis}"], state[f"basis_{axis}"]
                k.soap_basis_(g, axis, covariance, basis, beta=beta, first=step == 1, renew=renew)
        bases = tuple(state.get(f"basis_{axis}") for axis in range(p.ndim))
        k.soap_step_(p, g, state["exp_avg"], state["exp_avg_sq"], bases, **adam_options(group, step))
