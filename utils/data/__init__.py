"""Datasets, the order in which they are read, and loading them in batches."""

from __future__ import annotations

import re
from typing import Any

from ...backends.paths import add_path as _add_path
from .collate import default_collate as default_collate
from .collate import default_convert as default_convert
from .dataloader import DataLoader as DataLoader
from .dataset import ChainDataset as ChainDataset
from .dataset import ConcatDataset as ConcatDataset
from .dataset import Dataset as Dataset
from .dataset import IterableDataset as IterableDataset
from .dataset import StackDataset as StackDataset
from .dataset import Subset as Subset
from .dataset import TensorDataset as TensorDataset
from .dataset import random_split as random_split
from .prefetch import placed as _placed
from .prefetch import prefetch_to_device as prefetch_to_device
from .sampler import BatchSampler as BatchSampler
from .sampler import DistributedSampler as DistributedSampler
from .sampler import RandomSampler as RandomSampler
from .sampler import Sampler as Sampler
from .sampler import SequentialSampler as SequentialSampler
from .sampler import SubsetRandomSampler as SubsetRandomSampler
from .sampler import WeightedRandomSampler as WeightedRandomSampler
from .workers import WorkerInfo as WorkerInfo
from .workers import get_worker_info as get_worker_info


def _pin_memory(data: Any, device: Any = None) -> Any:
    """The data with every tensor of the CPU in page-locked memory; themselves without a GPU."""
    return _placed(data, lambda tensor: tensor.pin_memory() if tensor.device.type == "cpu" else tensor)


distributed = _add_path(f"{__name__}.distributed", {"DistributedSampler": DistributedSampler})
_utils = _add_path(
    f"{__name__}._utils",
    {
        "collate": _add_path(
            f"{__name__}._utils.collate",
            {
                "default_collate": default_collate,
                "default_convert": default_convert,
                "np_str_obj_array_pattern": re.compile(r"[SaUO]"),
            },
        ),
        "pin_memory": _add_path(f"{__name__}._utils.pin_memory", {"pin_memory": _pin_memory}),
        "worker": _add_path(
            f"{__name__}._utils.worker", {"get_worker_info": get_worker_info, "WorkerInfo": WorkerInfo}
        ),
    },
)
vars(_utils)["__path__"] = []
