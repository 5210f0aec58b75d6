"""Adafactor."""

from __future__ import annotations

from typing import Any

from ..backends.dtypes import finfo
from .optimizer import Optimizer, Params
from .options import check_not_negative, given, number

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """RMSprop with little memory: of a matrix of squares it keeps the averages of rows and of columns.

    Args:
        params: parameters, or groups of them.
        lr: the largest rate; it is multiplied by the root mean square of the parameter.
        beta2_decay: the averages forget by ``1 - step ** beta2_decay``.
        eps: the least denominator (that of the dtype when None), and the least size of a parameter.
        d: the largest root mean square of an update.
        weight_decay: shrinks the parameters directly.
        foreach: accepted as in PyTorch.
        maximize: climb instead.
        master_weights: keep 16-bit parameters in float32 too (see `Optimizer`).

    Raises:
        ValueError: an option is out of range. RuntimeError: a parameter is complex.

    References:
        N. Shazeer, M. Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", arXiv:1804.04235. Departs
        from the paper, as PyTorch does, in taking a learning rate and in having no momentum.
    """

    elementwise = False

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        master_weights: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))

    def check(self, group: dict[str, Any]) -> None:
        check_not_negative(group, "lr", "weight_decay")
        if group["beta2_decay"] > 0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {group['beta2_decay']}")
        if group["eps"][0] is not None and group["eps"][0] < 0:
            raise ValueError(f"epsilon1 should be >= 0 but is: {group['eps'][0]}")
        if group["eps"][1] < 0:
            raise ValueError(f"epsilon2 should be >= 0 but is: {group['eps'][1]}")
        if group["d"] < 1:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {group['d']}")

    def first_state(self, k: Any, group: dict[str, Any], p: Any) -> dict[str, Any]:
        if p.ndim < 2:
            return {"variance": k.zeros_like(p)}
        *more, rows, columns = p.shape
        return {
            "row_var": k.zeros((*more, rows, 1), dtype=p.dtype),
            "col_var": k.zeros((*more, 1, columns), dtype=p.dtype),
        }

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        eps1, eps2 = group["eps"]
        k.adafactor_step_(
            p,
            g,
            state.get("row_var"),
            state.get("col_var"),
            state.get("variance"),
            lr=number(group["lr"]),
            beta2_decay=group["beta2_decay"],
            eps1=finfo(p.dtype).eps if eps1 is None else eps1,
            eps2=eps2,
            d=group["d"],
            weight_decay=group["weight_decay"],
            maximize=group["maximize"],
            step=step,
        )
