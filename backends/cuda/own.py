"""The modules of the CUDA backend's own kernels, compiled from the sources beside them.

With ``WENGERT_CUDA_KERNELS=0`` in the environment there are none, and CuPy and the definitions compute instead.
"""

from __future__ import annotations

import os
import types

from . import (
    activation,
    cells,
    dropout,
    embedding,
    loss,
    norm,
    optim,
    pool,
    random,
    reduction,
    softmax,
    transposed,
)

Modules = tuple[types.ModuleType, ...]


def first() -> Modules:
    """Those that are asked before NVIDIA's libraries."""
    if os.environ.get("WENGERT_CUDA_KERNELS") == "0":
        return (random,)
    return (random, activation, dropout, embedding, loss, norm, optim, pool, reduction, softmax, transposed)


def last() -> Modules:
    """Those that compute what the libraries leave."""
    return () if os.environ.get("WENGERT_CUDA_KERNELS") == "0" else (cells,)
