"""Batch norm whose statistics are those of all processes; there is one here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .batchnorm import BatchNormNd

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor
    from .module import Module

__all__ = ["SyncBatchNorm"]


class SyncBatchNorm(BatchNormNd):
    """Batch norm over the batches of all processes: with one process, what `BatchNorm2d` does, in any dimension.

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: how much of a batch goes into the running statistics.
        affine: whether there are ``weight`` and ``bias``.
        track_running_stats: whether there are running statistics.
        process_group: kept, and not used.
        device, dtype: of parameters and statistics.
        bias: whether there is a ``bias``.

    Example:
        >>> import wengert as wg
        >>> model = wg.nn.Sequential(wg.nn.Conv2d(3, 4, 1), wg.nn.BatchNorm2d(4))
        >>> type(wg.nn.SyncBatchNorm.convert_sync_batchnorm(model)[1]).__name__
        'SyncBatchNorm'
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim < 2:
            raise ValueError(f"expected at least 2D input (got {input.ndim}D input)")

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """``module`` with every batch norm in it, or itself, replaced; the parameters and statistics stay the same.

        Args:
            module: what is searched, in place.
            process_group: given to the new layers.

        Returns:
            ``module``, or the layer that takes its place.
        """
        if isinstance(module, BatchNormNd) and not isinstance(module, cls):
            converted = cls(
                module.num_features,
                module.eps,
                module.momentum,
                module.affine,
                module.track_running_stats,
                process_group,
            )
            for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
                setattr(converted, name, getattr(module, name))
            converted.training = module.training
            return converted
        for name, child in module.named_children():
            replaced = cls.convert_sync_batchnorm(child, process_group)
            if replaced is not child:
                module.add_module(name, replaced)
        return module
