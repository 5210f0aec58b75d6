"""Products with sparse matrices on NumPy: SciPy's where it is installed, else sums of runs."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..definitions import sparse as plain

__all__ = ["numbered", "sampled_products", "sparse_times_dense"]

CHUNK = 1 << 22  # elements of an intermediate that still fits the cache's neighbourhood


def numbered(counts: Any) -> Any:
    """Each number as often as its count says; see the definition."""
    return np.repeat(np.arange(counts.shape[0]), counts)


@functools.cache
def scipy_matrix() -> Any:
    """SciPy's class of matrices in compressed rows, or None."""
    try:
        from scipy.sparse import csr_matrix
    except ImportError:
        return None
    return csr_matrix


def sparse_times_dense(lines: Any, values: Any, dense: Any) -> Any:
    """A sparse matrix times a dense one; see the definition."""
    if dense.dtype.char not in "fdFD":
        return plain.sparse_times_dense(np, lines, values, dense)
    make = scipy_matrix()
    if make is not None:
        return make((values, lines.columns, lines.starts), shape=lines.shape, copy=False) @ dense
    return sums_of_runs(lines, values, dense)


def sums_of_runs(lines: Any, values: Any, dense: Any) -> Any:
    """The product without SciPy: the elements of a row lie side by side, and each run is summed at once."""
    out = np.zeros((lines.shape[0], dense.shape[1]), dense.dtype)
    starts = lines.starts
    filled = np.flatnonzero(starts[1:] > starts[:-1])
    step = max(1, int(filled.size * CHUNK // max(1, values.size * dense.shape[1])))
    for i in range(0, filled.size, step):
        rows = filled[i : i + step]
        begin, end = starts[rows[0]], starts[rows[-1] + 1]
        products = dense[lines.columns[begin:end]]
        products *= values[begin:end, None]
        out[rows] = np.add.reduceat(products, starts[rows] - begin, axis=0)
    return out


def sampled_products(lines: Any, a: Any, b: Any) -> Any:
    """``a @ b.T`` at the elements of a sparse matrix; see the definition."""
    if a.dtype.char not in "fdFD":
        return plain.sampled_products(np, lines, a, b)
    out = np.empty(lines.rows.shape[0], a.dtype)
    step = max(1, CHUNK // max(1, a.shape[1]))
    for i in range(0, out.size, step):
        part = slice(i, i + step)
        out[part] = np.einsum("ij,ij->i", a[lines.rows[part]], b[lines.columns[part]])
    return out
