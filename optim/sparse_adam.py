"""SparseAdam: Adam for embeddings, on the rows that a batch has used."""

from __future__ import annotations

from typing import Any

from .optimizer import Optimizer, Params
from .options import check_betas, check_not_negative, given, number

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Adam that leaves rows without a gradient alone: their averages do not fade and their values do not move.

    There are no sparse tensors here: a row whose gradient is zero everywhere counts as absent.

    Args:
        params: parameters whose first dimension counts rows, as ``nn.Embedding``'s; or groups of them.
        lr: learning rate.
        betas: how slowly the two averages change.
        eps: added to the denominator.
        maximize: climb instead.

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> import wengert as wg
        >>> table = wg.nn.Embedding(3, 1)
        >>> before = table.weight.detach().clone()
        >>> optimizer = wg.optim.SparseAdam(table.parameters(), lr=0.1)
        >>> table(wg.tensor([1])).sum().backward()
        >>> optimizer.step()
        >>> (table.weight != before).flatten()
        tensor([False,  True, False])
    """

    elementwise = False

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))

    def check(self, group: dict[str, Any]) -> None:
        check_not_negative(group, "lr")
        check_betas(group["betas"])
        if not group["eps"] > 0.0:
            raise ValueError(f"Invalid epsilon value: {group['eps']}; it must be positive")

    def buffers(self, group: dict[str, Any]) -> dict[str, float]:
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        beta1, beta2 = group["betas"]
        k.sparse_adam_step_(
            p,
            g,
            state["exp_avg"],
            state["exp_avg_sq"],
            lr=number(group["lr"]),
            beta1=beta1,
            beta2=beta2,
            eps=group["eps"],
            maximize=group["maximize"],
            step=step,
        )
