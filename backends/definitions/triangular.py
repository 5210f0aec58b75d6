"""Triangular systems, and the factorisations that array libraries lack: LU and LDL, column by column."""

from __future__ import annotations

import math
from typing import Any

__all__ = [
    "cholesky_info",
    "column_major",
    "first_true",
    "ldl_factor",
    "ldl_solve",
    "lu_factor",
    "lu_info",
    "permutation",
    "solve_triangular",
]

PANEL = 16  # columns that are eliminated one by one; wider ones are halved, so that most work is products


def column_major(xp: Any, x: Any) -> Any:
    """The same matrices in memory of their own, column after column."""
    return xp.swapaxes(xp.swapaxes(x, -1, -2).copy(), -1, -2)


def solve_triangular(xp: Any, a: Any, b: Any, upper: bool, unit: bool) -> Any:
    """``x`` with ``a @ x = b`` for triangles ``a``: one half after the other, so that most work is products."""
    x = column_major(xp, b)
    if x.size:
        if not upper:  # an upper triangle from its last row on
            a, y = a[..., ::-1, ::-1], x[..., ::-1, :]
        else:
            y = x
        n = a.shape[-1]
        many = math.prod(a.shape[:-2]) > 3 * n  # then a step of substitution is work enough for one call
        try:
            _substitute(xp, a, y, unit, 1 if many else LEAF, 0, n)
        except xp.linalg.LinAlgError:  # a zero on the diagonal, which is to give infinities
            x[...] = b
            _substitute(xp, a, y, unit, 1, 0, n)
    return x


LEAF = 64  # triangles up to this size are left to LAPACK, for which they are matrices that are eliminated already


def _substitute(xp: Any, a: Any, x: Any, unit: bool, leaf: int, low: int, high: int) -> None:
    """Solve for the rows ``low`` to ``high`` of ``x``, in place, what comes after them having been taken away."""
    if high - low <= leaf:
        rows = slice(low, high)
        if leaf == 1:
            if not unit:
                x[..., low, :] /= a[..., low, low, None]
            return
        block = xp.triu(a[..., rows, rows], 1 if unit else 0)
        if unit:
            block = block + xp.eye(high - low, dtype=a.dtype)
        x[..., rows, :] = xp.linalg.solve(block, x[..., rows, :])
        return
    middle = (low + high) // 2
    first, rest = slice(low, middle), slice(middle, high)
    _substitute(xp, a, x, unit, leaf, middle, high)
    x[..., first, :] -= xp.matmul(a[..., first, rest], x[..., rest, :])
    _substitute(xp, a, x, unit, leaf, low, middle)


def sizes(xp: Any, x: Any) -> Any:
    """By what pivots are chosen: the absolute value; of complex numbers LAPACK takes ``abs(real) + abs(imag)``."""
    return xp.abs(x.real) + xp.abs(x.imag) if x.dtype.kind == "c" else xp.abs(x)


def lu_factor(xp: Any, x: Any, pivot: bool, eliminate: Any = None, width: int = PANEL) -> tuple[Any, Any]:
    """``l`` (without its diagonal of ones) and ``u`` in one matrix, and the row that each row was swapped with.

    Gaussian elimination; the pivot is the column's largest element. A backend may give an ``eliminate`` of its own,
    for up to ``width`` columns.

    References:
        S. Toledo, "Locality of reference in LU decomposition with partial pivoting", SIAM J. Matrix Anal. Appl. 18
        (1997): halves of the columns.
    """
    rows, columns = x.shape[-2:]
    count = min(rows, columns)
    a = column_major(xp, x.reshape(math.prod(x.shape[:-2]), rows, columns))  # columns are what is looked through
    pivots = xp.zeros((a.shape[0], count), dtype="int64") + xp.arange(count)
    if a.size:
        _factor(xp, a, pivots, pivot, 0, count, eliminate or _eliminate, width)
        if columns > count:
            _finish_rows(xp, a, 0, count, columns)
    pivots = (pivots + 1).astype("int32")
    stacked = xp.swapaxes(a, -1, -2).reshape(*x.shape[:-2], columns, rows)
    return xp.swapaxes(stacked, -1, -2), pivots.reshape(*x.shape[:-2], count)


def _factor(xp: Any, a: Any, pivots: Any, pivot: bool, low: int, high: int, eliminate: Any, width: int) -> None:
    """Factor the columns ``low`` to ``high``, from row ``low`` on, in place; rows are swapped as a whole."""
    if high - low <= width:
        eliminate(xp, a, pivots, pivot, low, high)
        return
    middle = (low + high) // 2
    _factor(xp, a, pivots, pivot, low, middle, eliminate, width)
    _finish_rows(xp, a, low, middle, high)
    _factor(xp, a, pivots, pivot, middle, high, eliminate, width)


def _eliminate(xp: Any, a: Any, pivots: Any, pivot: bool, low: int, high: int) -> None:
    """`_factor`, one column after the other."""
    rows = a.shape[1]
    every = xp.arange(a.shape[0])
    for j in range(low, high):
        if pivot and rows - j > 1:
            best = xp.argmax(sizes(xp, a[:, j:, j]), axis=-1) + j
            pivots[:, j] = best
            row = a[every, best]
            a[every, best] = a[:, j]
            a[:, j] = row
        if j + 1 < rows:
            top = a[:, j, j, None]
            a[:, j + 1 :, j] /= xp.where(top == 0, xp.ones_like(top), top)
            if j + 1 < high:
                a[:, j + 1 :, j + 1 : high] -= a[:, j + 1 :, j, None] * a[:, j, None, j + 1 : high]


def _finish_rows(xp: Any, a: Any, low: int, middle: int, high: int) -> None:
    """After the columns ``low`` to ``middle``: the same rows of those up to ``high``, and what is left below."""
    known, new = slice(low, middle), slice(middle, high)
    top = solve_triangular(xp, a[:, known, known], a[:, known, new], False, True)
    a[:, known, new] = top
    if middle < a.shape[1]:
        a[:, middle:, new] -= xp.matmul(a[:, middle:, known], top)


def lu_info(xp: Any, x: Any) -> Any:
    """The place, from 1, of the first zero on the diagonal of ``u``, or 0: int32, one for each matrix."""
    return first_true(xp, xp.diagonal(lu_factor(xp, x, True)[0], axis1=-2, axis2=-1) == 0)


def first_true(xp: Any, mask: Any) -> Any:
    """The place, from 1, of the first True along the last axis, or 0, as int32."""
    if not mask.shape[-1]:
        return xp.zeros(mask.shape[:-1], dtype="int32")
    return xp.where(mask.any(axis=-1), xp.argmax(mask, axis=-1) + 1, 0).astype("int32")


def cholesky_info(xp: Any, x: Any) -> Any:
    """The order of the first leading minor that is not positive, or 0: int32, one for each matrix."""
    a = x.copy()
    failed = xp.zeros(x.shape[:-1], dtype="bool")
    for j in range(a.shape[-1]):
        pivot = a[..., j, j].real
        good = pivot > 0
        failed[..., j] = ~good
        column = a[..., j + 1 :, j, None]
        row = xp.conjugate(xp.swapaxes(column, -1, -2))
        a[..., j + 1 :, j + 1 :] -= column * row / xp.where(good, pivot, xp.ones_like(pivot))[..., None, None]
    return first_true(xp, failed)


def permutation(xp: Any, pivots: Any, rows: int) -> Any:
    """The order of the rows after the swaps of `lu_factor`: row ``i`` of the product was row ``order[i]``."""
    swaps = pivots.reshape(math.prod(pivots.shape[:-1]), pivots.shape[-1]).astype("int64") - 1
    order = xp.zeros((swaps.shape[0], rows), dtype="int64") + xp.arange(rows)
    every = xp.arange(swaps.shape[0])
    for j in range(swaps.shape[1] if swaps.size else 0):
        other = swaps[:, j]
        row = order[every, other]
        order[every, other] = order[:, j]
        order[:, j] = row
    return order.reshape(*pivots.shape[:-1], rows)


ALPHA = (1 + math.sqrt(17)) / 8  # which balances the growth of one step of size 2 and of two of size 1


def ldl_factor(xp: Any, x: Any, hermitian: bool) -> tuple[Any, Any, Any]:
    """``l`` and ``d`` in one matrix with ``x = l @ d @ l.T`` (``l.H``), the pivots, and the first zero pivot or 0.

    ``d`` has blocks of size 1 and 2. Pivots are LAPACK's: the row that row i was swapped with, from 1, and for a block
    of size 2 twice minus the row that its second was swapped with.

    References:
        J. Bunch and L. Kaufman, "Some stable methods for calculating inertia and solving symmetric linear systems",
        Math. Comp. 31 (1977).
    """
    n = x.shape[-1]
    flat = x.reshape(math.prod(x.shape[:-2]), n, n).copy()
    pivots = xp.zeros((flat.shape[0], n), dtype="int32")
    info = xp.zeros((flat.shape[0],), dtype="int32")
    for i in range(flat.shape[0]):
        info[i] = _bunch_kaufman(xp, flat[i], pivots[i], hermitian)
    return column_major(xp, xp.tril(flat).reshape(x.shape)), pivots.reshape(x.shape[:-1]), info.reshape(x.shape[:-2])


def _bunch_kaufman(xp: Any, a: Any, pivots: Any, hermitian: bool) -> int:
    """Factor the lower triangle of one matrix in place."""
    n, k, info = a.shape[0], 0, 0
    while k < n:
        step, swap = _choose(xp, a, k, hermitian)
        if step == 0:
            info = info or k + 1
            pivots[k] = k + 1
            k += 1
            continue
        other = k + step - 1
        if swap != other:
            _swap_symmetric(xp, a, k, other, swap, hermitian)
        pivots[k : k + step] = swap + 1 if step == 1 else -(swap + 1)
        below = a[k + step :, k : k + step]
        if hermitian:
            a[k, k] = a[k, k].real
            a[other, other] = a[other, other].real
        block = a[k : k + step, k : k + step].copy()
        if step == 2:
            block[0, 1] = block[1, 0].conj() if hermitian else block[1, 0]
        if below.size:
            multiples = xp.matmul(below, xp.linalg.inv(block))
            a[k + step :, k + step :] -= xp.tril(xp.matmul(multiples, xp.conjugate(below).T if hermitian else below.T))
            a[k + step :, k : k + step] = multiples
        k += step
    return info


def _choose(xp: Any, a: Any, k: int, hermitian: bool) -> tuple[int, int]:
    """The size of the next block (0 if the column is zero) and the row to swap with its last one."""
    n = a.shape[0]
    size = float(xp.abs(a[k, k].real) if hermitian else sizes(xp, a[k, k]))
    column = sizes(xp, a[k + 1 :, k])
    place = k + 1 + int(xp.argmax(column)) if k + 1 < n else k
    largest = float(column[place - k - 1]) if k + 1 < n else 0.0
    if max(size, largest) == 0 or math.isnan(size):
        return 0, k
    if size >= ALPHA * largest:
        return 1, k
    others = [float(xp.max(sizes(xp, a[place, k:place])))]
    if place + 1 < n:
        others.append(float(xp.max(sizes(xp, a[place + 1 :, place]))))
    across = max(others)
    if size >= ALPHA * largest * (largest / across):
        return 1, k
    own = float(xp.abs(a[place, place].real) if hermitian else sizes(xp, a[place, place]))
    return (1, place) if own >= ALPHA * across else (2, place)


def _swap_symmetric(xp: Any, a: Any, k: int, i: int, j: int, hermitian: bool) -> None:
    """Swap rows and columns ``i < j`` of a matrix whose lower triangle, from column ``k`` on, is what counts."""
    flip = xp.conjugate if hermitian else (lambda x: x)
    for first, second in ((a[i, k:i], a[j, k:i]), (a[j + 1 :, i], a[j + 1 :, j])):
        kept = first.copy()
        first[...] = second
        second[...] = kept
    between = a[i + 1 : j, i].copy()
    a[i + 1 : j, i] = flip(a[j, i + 1 : j])
    a[j, i + 1 : j] = flip(between)
    a[j, i] = flip(a[j, i])
    corner = a[i, i].copy()
    a[i, i] = a[j, j]
    a[j, j] = corner


def ldl_solve(xp: Any, packed: Any, pivots: Any, b: Any, hermitian: bool) -> Any:
    """``x`` with ``a @ x = b``, from the result of `ldl_factor`; the batch dimensions are equal."""
    n, columns = b.shape[-2:]
    matrices = packed.reshape(math.prod(packed.shape[:-2]), n, n)
    orders = pivots.reshape(matrices.shape[0], n)
    x = b.reshape(matrices.shape[0], n, columns).copy()
    for i in range(matrices.shape[0]):
        _solve_symmetric(xp, matrices[i], [int(p) for p in orders[i]], x[i], hermitian)
    return column_major(xp, x.reshape(b.shape))


def _solve_symmetric(xp: Any, a: Any, pivots: list[int], x: Any, hermitian: bool) -> None:
    """Solve with one matrix, in place: its factors in turn, forwards and then backwards."""
    n, k = a.shape[0], 0
    steps = []
    while k < n:
        step = 1 if pivots[k] > 0 else 2
        steps.append((k, step, abs(pivots[k]) - 1))
        k += step

    def swap(i: int, j: int) -> None:
        if i != j:
            row = x[i].copy()
            x[i] = x[j]
            x[j] = row

    for k, step, other in steps:
        swap(k + step - 1, other)
        if k + step < n:
            x[k + step :] -= xp.matmul(a[k + step :, k : k + step], x[k : k + step])
        block = a[k : k + step, k : k + step].copy()
        if step == 2:
            block[0, 1] = block[1, 0].conj() if hermitian else block[1, 0]
            x[k : k + step] = xp.linalg.solve(block, x[k : k + step])
        else:
            x[k] /= block[0, 0]
    for k, step, other in steps[::-1]:
        if k + step < n:
            left = a[k + step :, k : k + step].T
            x[k : k + step] -= xp.matmul(xp.conjugate(left) if hermitian else left, x[k + step :])
        swap(k + step - 1, other)
