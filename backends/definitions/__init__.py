"""The plain definition of every kernel: what it computes, in array-namespace terms a reader can follow.

Each function takes the array namespace ``xp`` (NumPy, CuPy, ...) first, then arrays, then keywords; it allocates
its outputs and never changes its inputs, unless its name ends in ``_``. A backend with a faster version of a
kernel puts it, under the same name, into its own folder; this one stays as its definition and its test oracle.
"""

from __future__ import annotations

from . import (
    activation,
    attention,
    bessel,
    clip,
    conv,
    ctc,
    cumulative,
    dropout,
    elementwise,
    embedding,
    fft,
    gamma,
    indexing,
    linalg,
    loss,
    norm,
    optim,
    optim_tensor,
    pool,
    product,
    random,
    recurrent,
    reduction,
    resample,
    sorting,
    sparse,
    special,
    statistics,
    triangular,
)

MODULES = (
    activation,
    attention,
    bessel,
    clip,
    conv,
    ctc,
    cumulative,
    dropout,
    elementwise,
    embedding,
    fft,
    gamma,
    indexing,
    linalg,
    loss,
    norm,
    optim,
    optim_tensor,
    pool,
    product,
    random,
    recurrent,
    reduction,
    resample,
    sorting,
    sparse,
    special,
    statistics,
    triangular,
)
