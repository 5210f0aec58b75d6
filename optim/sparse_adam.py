"""SparseAdam: Adam for embeddings, on the rows that a batch has used."""

from __future__ import annotations

from typing import Any

from ..autograd.sparse.core import coalesced
from ..backends.errors import ArgumentError
from ..backends.sparse import SparseArray
from .optimizer import Optimizer, Params
from .options import check_betas, check_not_negative, given, number

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Adam that leaves rows without a gradient alone: their averages do not fade and their values do not move.

    Its gradients are sparse tensors, as ``nn.Embedding(sparse=True)`` gives them: a row counts if it is stored there.

    Args:
        params: parameters whose first dimension counts rows, as ``nn.Embedding``'s; or groups of them.
        lr: learning rate.
        betas: how slowly the two averages change.
        eps: added to the denominator.
        maximize: climb instead.
        master_weights: keep 16-bit parameters in float32 too (see `Optimizer`).

    Raises:
        ValueError: an option is out of range, or a parameter is sparse itself, or complex.
        RuntimeError: in ``step``, a gradient is dense.

    Example:
        >>> import wengert as wg
        >>> table = wg.nn.Embedding(3, 1, sparse=True)
        >>> before = table.weight.detach().clone()
        >>> optimizer = wg.optim.SparseAdam(table.parameters(), lr=0.1)
        >>> table(wg.tensor([1])).sum().backward()
        >>> optimizer.step()
        >>> (table.weight != before).flatten()
        tensor([False,  True, False])
    """

    elementwise = False
    takes_sparse = True

    def __init__(
        self,
        params: Params,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
        *,
        master_weights: bool = False,
    ) -> None:
        super().__init__(params, given(locals()))
        for kind, needs, refused in (
            ("Sparse", "requires dense parameter tensors", lambda p: type(p._data) is SparseArray),
            ("Complex", "does not support complex parameters", lambda p: p._data.dtype.kind == "c"),
        ):
            groups = [group["params"] for group in self.param_groups]
            wrong = [[i, j] for i, params in enumerate(groups) for j, p in enumerate(params) if refused(p)]
            if wrong:
                raise ValueError(f"{kind} params at indices {wrong}: SparseAdam {needs}")

    def check(self, group: dict[str, Any]) -> None:
        check_not_negative(group, "lr")
        check_betas(group["betas"])
        if not group["eps"] > 0.0:
            raise ValueError(f"Invalid epsilon value: {group['eps']}; it must be positive")

    def buffers(self, group: dict[str, Any]) -> dict[str, float]:
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        if type(g) is not SparseArray:
            raise ArgumentError("SparseAdam does not support dense gradients, please consider Adam instead")
        beta1, beta2 = group["betas"]
        g = coalesced(g)
        k.sparse_adam_step_(
            p,
            g.values,
            state["exp_avg"],
            state["exp_avg_sq"],
            key=tuple(g.pattern.indices),
            lr=number(group["lr"]),
            beta1=beta1,
            beta2=beta2,
            eps=group["eps"],
            maximize=group["maximize"],
            step=step,
        )
