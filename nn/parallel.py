"""Modules on several devices: the wrappers that programs put around a model. They compute on one device here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .module import Module

__all__ = ["DataParallel", "DistributedDataParallel"]


class DataParallel(Module):
    """A model whose batches PyTorch spreads over several GPUs. Here it computes on the device that the model is on.

    The names in its state dict begin with ``module.``, as PyTorch's do.

    Args:
        module: the model.
        device_ids, output_device, dim: kept, and not used.

    Example:
        >>> import wengert as wg
        >>> list(wg.nn.DataParallel(wg.nn.Linear(2, 3)).state_dict())
        ['module.weight', 'module.bias']
    """

    def __init__(
        self, module: Module, device_ids: Sequence[Any] | None = None, output_device: Any = None, dim: int = 0
    ) -> None:
        super().__init__()
        self.module = module
        self.device_ids = list(device_ids) if device_ids is not None else []
        self.output_device = output_device
        self.dim = dim

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the model returns."""
        return self.module(*inputs, **kwargs)


class DistributedDataParallel(Module):
    """A model that several processes train. There is no communication between processes, so it can't be made.

    It is here for programs that ask whether a model is one.

    Raises:
        ValueError: always, with PyTorch's words for a program that has not begun to communicate.
    """

    def __init__(self, module: Module, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        raise ValueError(
            "Default process group has not been initialized, please make sure to call init_process_group; wengert "
            "trains in one process: use the model itself"
        )
