"""Rates from the size of past gradients: Adagrad, Adadelta and RMSprop."""

from __future__ import annotations

from typing import Any

from ..autograd.base import wrap
from ..autograd.sparse.core import dense_of
from ..backends import get_backend, kernels_of
from ..backends.errors import ArgumentError
from .master import has_master, master_of
from .optimizer import Optimizer, Params
from .options import check_not_negative, given, number, number_dtype

__all__ = ["Adadelta", "Adagrad", "RMSprop"]


class Adagrad(Optimizer):
    """Each rate over the root of the sum of squared gradients: ``p = p - lr * g / (sqrt(sum) + eps)``.

    Args:
        params: parameters, or groups of them.
        lr: learning rate.
        lr_decay: the rate is ``lr / (1 + (step - 1) * lr_decay)``.
        weight_decay: L2 penalty.
        initial_accumulator_value: what the sum starts from.
        eps: added to the denominator.
        maximize: climb instead.
        foreach, fused: accepted as in PyTorch.
        differentiable: record the step, so that gradients flow through it.
        master_weights: keep 16-bit parameters in float32 too (see `Optimizer`).

    Raises:
        ValueError: an option is out of range.

    References:
        J. Duchi, E. Hazan, Y. Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization",
        JMLR 12, 2011.
    """

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        master_weights: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        start = group["initial_accumulator_value"]
        for p in group["params"]:  # as in PyTorch, the state is there before the first step
            k = kernels_of[type(p._data)]
            with k.backend.on(p.device):
                like = master_of(k, p._data) if has_master(group, p) else p._data
                total = k.full_like(like, start * (1 + 1j) if p._data.dtype.kind == "c" else start)
            step = get_backend("cpu").kernels.zeros((), dtype=number_dtype(group))
            self.state[p] = {"step": wrap(step), "sum": wrap(total)}

    def check(self, group: dict[str, Any]) -> None:
        check_not_negative(group, "lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")

    def buffers(self, group: dict[str, Any]) -> dict[str, float]:
        return {"sum": group["initial_accumulator_value"]}

    def dense_gradient(self, k: Any, group: dict[str, Any], p: Any, g: Any) -> Any:
        """All rows: those without a gradient do not move."""
        if group["weight_decay"]:
            raise ArgumentError("weight_decay option is not compatible with sparse gradients")
        return dense_of(g)

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        k.adagrad_step_(
            p,
            g,
            state["sum"],
            lr=number(group["lr"]) / (1 + (step - 1) * group["lr_decay"]),
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            maximize=group["maximize"],
        )


class Adadelta(Optimizer):
    """Steps as large as recent ones, in the direction of the gradient over its recent size.

    Args:
        params: parameters, or groups of them.
        lr: a factor on the step.
        rho: how slowly the two averages of squares change.
        eps: added under both roots.
        weight_decay: L2 penalty.
        maximize: climb instead.
        foreach, capturable: accepted as in PyTorch.
        differentiable: record the step, so that gradients flow through it.
        master_weights: keep 16-bit parameters in float32 too (see `Optimizer`).

    Raises:
        ValueError: an option is out of range.

    References:
        M. D. Zeiler, "ADADELTA: An Adaptive Learning Rate Method", arXiv:1212.5701.
    """

    def __init__(
        self,
        params: Params,
        lr: Any = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
        master_weights: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))

    def check(self, group: dict[str, Any]) -> None:
        check_not_negative(group, "lr", "rho", "eps", "weight_decay")
        if group["rho"] > 1:
            raise ValueError(f"Invalid rho value: {group['rho']}; it must be in [0, 1]")

    def buffers(self, group: dict[str, Any]) -> dict[str, float]:
        return {"square_avg": 0.0, "acc_delta": 0.0}

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        k.adadelta_step_(
            p,
            g,
            state["square_avg"],
            state["acc_delta"],
            lr=number(group["lr"]),
            rho=group["rho"],
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            maximize=group["maximize"],
        )


class RMSprop(Optimizer):
    """Each rate over the root of a running average of the squared gradient.

    ``v = alpha * v + (1 - alpha) * g**2``, ``p = p - lr * g / (sqrt(v) + eps)``.

    Args:
        params: parameters, or groups of them.
        lr: learning rate.
        alpha: how slowly the average changes.
        eps: added to the denominator.
        weight_decay: L2 penalty.
        momentum: how much of the last step goes into this one.
        centered: divide by the deviation from the average gradient instead.
        maximize: climb instead.
        foreach, capturable: accepted as in PyTorch.
        differentiable: record the step, so that gradients flow through it.
        master_weights: keep 16-bit parameters in float32 too (see `Optimizer`).

    Raises:
        ValueError: an option is out of range.

    References:
        T. Tieleman, G. Hinton, "Lecture 6.5: rmsprop", COURSERA Neural Networks for Machine Learning, 2012.
        A. Graves, "Generating Sequences With Recurrent Neural Networks", arXiv:1308.0850 (``centered``).
    """

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        *,
        master_weights: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))

    def check(self, group: dict[str, Any]) -> None:
        check_not_negative(group, "lr", "eps", "momentum", "weight_decay", "alpha")

    def buffers(self, group: dict[str, Any]) -> dict[str, float]:
        names = {"square_avg": True, "momentum_buffer": group["momentum"] > 0, "grad_avg": group["centered"]}
        return {name: 0.0 for name, wanted in names.items() if wanted}

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        k.rmsprop_step_(
            p,
            g,
            state["square_avg"],
            state.get("momentum_buffer"),
            state.get("grad_avg"),
            lr=number(group["lr"]),
            alpha=group["alpha"],
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            momentum=group["momentum"],
            maximize=group["maximize"],
        )
