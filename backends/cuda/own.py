"""The modules of the CUDA backend's own kernels, compiled from the sources beside them.

With ``WENGERT_CUDA_KERNELS=0`` in the environment there are none but for random numbers; CuPy computes the definitions.
"""

from __future__ import annotations

import os
import types

from . import (
    activation,
    cells,
    depthwise,
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

COMPILED = (activation, cells, depthwise, dropout, embedding, loss, norm, optim, pool, reduction, softmax, transposed)


def modules() -> tuple[types.ModuleType, ...]:
    """Those that the backend has."""
    return (random,) if os.environ.get("WENGERT_CUDA_KERNELS") == "0" else (random, *COMPILED)
