"""Modules on several devices: the wrappers that programs put around a model. They compute on one device here."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from ..backends.paths import add_path
from ..backends.processes import default_group
from .module import Module

__all__ = [
    "DataParallel",
    "DistributedDataParallel",
    "data_parallel",
    "gather",
    "parallel_apply",
    "replicate",
    "scatter",
]

__path__: list[str] = []  # a package, since it has something below it


class _Wrapped(Module):
    """What both wrappers are: a module with a model in it."""

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


class DataParallel(_Wrapped):
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


class DistributedDataParallel(_Wrapped):
    """A model that the processes of a group train. A group has one process here, which trains the model as it is.

    Args:
        module: the model.
        device_ids, output_device, dim: kept, and not used.
        others: for PyTorch's sake.

    Raises:
        ValueError: no group was joined; see `wengert.distributed.init_process_group`.
    """

    def __init__(
        self,
        module: Module,
        device_ids: Sequence[Any] | None = None,
        output_device: Any = None,
        dim: int = 0,
        **others: Any,
    ) -> None:
        self.process_group = default_group()
        super().__init__(module, device_ids, output_device, dim)

    @contextlib.contextmanager
    def no_sync(self) -> Iterator[None]:
        """A block in which gradients only accumulate: there is nobody to exchange them with."""
        yield


def scatter(inputs: Any, target_gpus: Sequence[Any], dim: int = 0) -> Any:
    """The arguments for the model on each device: all of them, for the one that there is."""
    return (inputs,)


def gather(outputs: Any, target_device: Any, dim: int = 0) -> Any:
    """What the models on all devices returned, as one: that of the one that there is."""
    return outputs[0]


def data_parallel(module: Module, inputs: Any, *args: Any, module_kwargs: Any = None, **options: Any) -> Any:
    """`DataParallel` as a function."""
    arguments = inputs if isinstance(inputs, tuple) else (inputs,)
    return module(*arguments, **(module_kwargs or {}))


def replicate(network: Module, devices: Sequence[Any], detach: bool = False) -> list[Module]:
    """The model for each device: itself, for the one that there is."""
    return [network]


def parallel_apply(
    modules: Sequence[Module], inputs: Sequence[Any], kwargs_tup: Sequence[Any] | None = None, devices: Any = None
) -> list[Any]:
    """Each module's result for its input, one after the other."""
    named = kwargs_tup if kwargs_tup is not None else [{}] * len(modules)
    given = [i if isinstance(i, list | tuple) else (i,) for i in inputs]
    return [module(*args, **kwargs) for module, args, kwargs in zip(modules, given, named, strict=True)]


scatter_gather = add_path(f"{__name__}.scatter_gather", {"scatter": scatter, "gather": gather})
distributed = add_path(f"{__name__}.distributed", {"DistributedDataParallel": DistributedDataParallel})
_paths = add_path(f"{__name__}.data_parallel", {"DataParallel": DataParallel, "data_parallel": data_parallel})
_replicate = add_path(f"{__name__}.replicate", {"replicate": replicate})
_apply = add_path(f"{__name__}.parallel_apply", {"parallel_apply": parallel_apply})
