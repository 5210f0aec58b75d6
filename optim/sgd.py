"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from ..autograd.sparse.core import dense_of
from ..backends.errors import ArgumentError
from .optimizer import Optimizer, Params
from .options import check_not_negative, given, number

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum or Nesterov's momentum.

    ``b = momentum * b + (1 - dampening) * (g + weight_decay * p)`` and ``p = p - lr * b``.

    Args:
        params: parameters, or groups of them.
        lr: learning rate.
        momentum: how much of the last step goes into this one.
        dampening: how much of the gradient momentum leaves out.
        weight_decay: L2 penalty.
        nesterov: look ahead along the momentum.
        maximize: climb instead.
        foreach, fused: accepted as in PyTorch; a step is one kernel call either way.
        differentiable: record the step, so that gradients flow through it.
        master_weights: keep 16-bit parameters in float32 too (see `Optimizer`).

    Raises:
        ValueError: a rate is negative, or ``nesterov`` without momentum or with dampening.

    Example:
        >>> import wengert as wg
        >>> p = wg.tensor([1.0], requires_grad=True)
        >>> optimizer = wg.optim.SGD([p], lr=0.1)
        >>> (p * p).sum().backward()
        >>> optimizer.step()
        >>> p
        tensor([0.8000], requires_grad=True)

    References:
        I. Sutskever, J. Martens, G. Dahl, G. Hinton, "On the importance of initialization and momentum in deep
        learning", ICML 2013. Departs from the paper as PyTorch does: the rate multiplies the whole buffer.
    """

    counted = False

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: Any = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
        master_weights: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))

    def check(self, group: dict[str, Any]) -> None:
        check_not_negative(group, "lr", "momentum", "weight_decay")
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")

    def buffers(self, group: dict[str, Any]) -> dict[str, float]:
        return {"momentum_buffer": 0.0} if group["momentum"] else {}

    def dense_gradient(self, k: Any, group: dict[str, Any], p: Any, g: Any) -> Any:
        """All rows for momentum; without it, the step is made here on the rows that the gradient has."""
        if group["weight_decay"]:
            raise ArgumentError(
                "add(sparse, dense) is not supported. Use add(dense, sparse) instead: SGD with "
                "weight_decay takes dense gradients only"
            )
        if group["momentum"] or p.dtype.itemsize == 2 or g.pattern.sparse_dim != 1:
            return dense_of(g)
        rate = number(group["lr"]) if group["maximize"] else -number(group["lr"])
        k.index_add_(p, g.pattern.indices[0], g.values * p.dtype.type(rate), 0)
        return None

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        k.sgd_step_(
            p,
            g,
            state.get("momentum_buffer"),
            lr=number(group["lr"]),
            momentum=number(group["momentum"]),
            dampening=group["dampening"],
            weight_decay=number(group["weight_decay"]),
            nesterov=group["nesterov"],
            maximize=group["maximize"],
            first=step == 1,
        )
