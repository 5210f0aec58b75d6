"""Rprop, and stochastic gradient descent with an average of the parameters (ASGD)."""

from __future__ import annotations

from typing import Any

from .optimizer import Optimizer, Params
from .options import check_not_negative, given, plain

__all__ = ["ASGD", "Rprop"]


class ASGD(Optimizer):
    """Stochastic gradient descent with a falling rate; ``state[p]["ax"]`` is the average of the parameters.

    Args:
        params: parameters, or groups of them.
        lr: learning rate.
        lambd: how fast the rate falls, and a decay of the parameters.
        alpha: the power with which it falls: ``lr / (1 + lambd * lr * step) ** alpha``.
        t0: the step at which averaging starts.
        weight_decay: L2 penalty.
        maximize: climb instead.
        foreach, capturable: accepted as in PyTorch.
        differentiable: record the step, so that gradients flow through it.
        master_weights: keep 16-bit parameters in float32 too (see `Optimizer`).

    Raises:
        ValueError: an option is out of range.

    References:
        B. T. Polyak, A. B. Juditsky, "Acceleration of Stochastic Approximation by Averaging", SIAM J. Control and
        Optimization 30(4), 1992.
    """

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
        *,
        master_weights: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))

    def check(self, group: dict[str, Any]) -> None:
        check_not_negative(group, "lr", "weight_decay")

    def buffers(self, group: dict[str, Any]) -> dict[str, float]:
        return {"ax": 0.0}

    def scalars(self, group: dict[str, Any]) -> dict[str, float]:
        return {"eta": plain(group["lr"]), "mu": 1.0}

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        k.asgd_step_(
            p,
            g,
            state["ax"],
            eta=state["eta"],
            mu=state["mu"],
            lambd=group["lambd"],
            weight_decay=group["weight_decay"],
            maximize=group["maximize"],
        )
        lr = plain(group["lr"])
        state["eta"] = lr / (1 + group["lambd"] * lr * step) ** group["alpha"]
        state["mu"] = 1 / max(1, step - group["t0"])


class Rprop(Optimizer):
    """A step size for each element, which grows while the gradient keeps its sign and shrinks when it turns.

    Args:
        params: parameters, or groups of them.
        lr: the first step size.
        etas: factors by which it shrinks and grows.
        step_sizes: its bounds.
        maximize: climb instead.
        foreach, capturable: accepted as in PyTorch.
        differentiable: record the step, so that gradients flow through it.
        master_weights: keep 16-bit parameters in float32 too (see `Optimizer`).

    Raises:
        ValueError: an option is out of range.

    References:
        M. Riedmiller, H. Braun, "A Direct Adaptive Method for Faster Backpropagation Learning: The RPROP Algorithm",
        IEEE ICNN 1993.
    """

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        master_weights: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))

    def check(self, group: dict[str, Any]) -> None:
        check_not_negative(group, "lr")
        if not 0.0 < group["etas"][0] < 1.0 < group["etas"][1]:
            low, high = group["etas"]
            raise ValueError(f"Invalid eta values: {low}, {high}; the first must be in (0, 1), the second above 1")

    def buffers(self, group: dict[str, Any]) -> dict[str, float]:
        return {"prev": 0.0, "step_size": plain(group["lr"])}

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        shrink, grow = group["etas"]
        smallest, largest = group["step_sizes"]
        k.rprop_step_(
            p,
            g,
            state["prev"],
            state["step_size"],
            shrink=shrink,
            grow=grow,
            smallest=smallest,
            largest=largest,
            maximize=group["maximize"],
        )
