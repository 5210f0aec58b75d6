"""Muon: momentum, made orthogonal."""

from __future__ import annotations

import math
from typing import Any

from .optimizer import Optimizer, Params
from .options import check_not_negative, given, number

__all__ = ["Muon"]


class Muon(Optimizer):
    """For matrices: the momentum with all its singular values set to about 1, by Newton-Schulz iteration.

    Use it for the hidden matrices of a network, and `AdamW` for all other parameters.

    Args:
        params: parameters of two dimensions, or groups of them.
        lr: learning rate.
        weight_decay: shrinks the parameters directly.
        momentum: how much of the last step goes into this one.
        nesterov: look ahead along the momentum.
        ns_coefficients: of the quintic polynomial that the iteration applies.
        eps: the least norm to divide by.
        ns_steps: iterations.
        adjust_lr_fn: ``"original"`` (also None): a rate that grows with the root of rows over columns;
            ``"match_rms_adamw"``: one that gives updates as large as AdamW's.
        master_weights: keep 16-bit parameters in float32 too (see `Optimizer`).

    Raises:
        ValueError: an option is out of range, or a parameter has not two dimensions.

    References:
        K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024,
        https://kellerjordan.github.io/posts/muon. J. Liu et al., "Muon is Scalable for LLM Training", arXiv:2502.16982.
        Departs from PyTorch in precision: the iteration runs in the parameter's type (at least float32), not bfloat16.
    """

    elementwise = False
    counted = False

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
        *,
        master_weights: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))

    def check(self, group: dict[str, Any]) -> None:
        check_not_negative(group, "lr", "momentum", "weight_decay")
        if group["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
            raise ValueError(
                f"Adjust learning rate function {group['adjust_lr_fn']} is not supported; "
                "use 'original' or 'match_rms_adamw'"
            )
        if len(group["ns_coefficients"]) != 3:
            raise ValueError(f"Coefficients must be a tuple of exactly 3 values, but got {group['ns_coefficients']}")
        if group["ns_steps"] >= 100:
            raise ValueError(f"Number of steps must be less than 100, but got {group['ns_steps']}")
        for p in group.get("params", ()):
            if p.ndim != 2:
                raise ValueError(
                    f"Muon only supports 2D parameters, but one has shape {list(p.shape)}: give it to AdamW"
                )

    def buffers(self, group: dict[str, Any]) -> dict[str, float]:
        return {"momentum_buffer": 0.0}

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        rows, columns = p.shape
        lr = number(group["lr"])
        if group["adjust_lr_fn"] == "match_rms_adamw":
            rate = lr * 0.2 * math.sqrt(max(rows, columns))
        else:
            rate = lr * math.sqrt(max(1, rows / columns))
        k.muon_step_(
            p,
            g,
            state["momentum_buffer"],
            lr=lr,
            rate=rate,
            weight_decay=group["weight_decay"],
            momentum=group["momentum"],
            nesterov=group["nesterov"],
            coefficients=group["ns_coefficients"],
            eps=group["eps"],
            steps=group["ns_steps"],
        )
