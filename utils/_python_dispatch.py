"""PyTorch's modes below its gradients, which see every kernel. There is no such layer here."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["TorchDispatchMode"]


class TorchDispatchMode:
    """A block in which PyTorch's kernels go through ``__torch_dispatch__``.

    Raises:
        NotImplementedError: it is entered; `wengert.overrides.TorchFunctionMode` sees functions.
    """

    def __init__(self, _dispatch_key: Any = None) -> None:
        self.supports_higher_order_operators = False

    def __enter__(self) -> NoReturn:
        raise NotImplementedError(
            "TorchDispatchMode: there is no layer of kernels to look into; use wengert.overrides.TorchFunctionMode, or "
            "wengert.utils.flop_counter to count arithmetic"
        )

    def __exit__(self, *exception: object) -> None:
        """Nothing: it is never entered."""


def is_traceable_wrapper_subclass(t: object) -> bool:
    """Whether PyTorch's compiler could look into a tensor of a subclass; it could not."""
    return False
