"""Comparing what tests compute with what they expect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..autograd.base import TensorBase, wrap
from ..autograd.ops import as_tensor
from ..autograd.ops import strided as wg_strided
from ..autograd.promotion import promote_types

__all__ = ["assert_allclose", "assert_close"]

# Relative and absolute, by type: about the square root of what the type can tell apart.
TOLERANCES = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raise unless two tensors, numbers, or sequences and mappings of them are close: ``|a - e| <= atol + rtol * |e|``.

    Args:
        actual: what was computed.
        expected: what it is compared with, pair by pair.
        allow_subclasses: accepted as in PyTorch; classes of tensors are not compared.
        rtol: relative tolerance; by type of ``actual`` and ``expected`` unless given.
        atol: absolute tolerance, given together with ``rtol``.
        equal_nan: two NaNs are equal.
        check_device: devices must be the same.
        check_dtype: types must be the same.
        check_layout: layouts must be the same.
        check_stride: strides must be the same.
        msg: what to say instead, or a function of what would be said.

    Raises:
        AssertionError: they differ; the message says where and by how much. ValueError: only one tolerance is given.

    Example:
        >>> import wengert as wg
        >>> wg.testing.assert_close(wg.tensor([1.0, 2.0]), wg.tensor([1.0, 2.0 + 1e-7]))
    """
    if (rtol is None) != (atol is None):
        raise ValueError(
            f"rtol and atol must both be specified or both be unspecified, but got rtol={rtol}, atol={atol}"
        )
    checks = {"device": check_device, "dtype": check_dtype, "layout": check_layout, "stride": check_stride}
    problem = _compare(actual, expected, "", rtol, atol, equal_nan, checks)
    if problem is not None:
        raise AssertionError(problem if msg is None else msg(problem) if callable(msg) else msg)


def _compare(a: Any, e: Any, where: str, rtol: Any, atol: Any, equal_nan: bool, checks: dict[str, bool]) -> str | None:
    rest = (rtol, atol, equal_nan, checks)
    if isinstance(a, Mapping) and isinstance(e, Mapping):
        if a.keys() != e.keys():
            return f"The keys of the mappings do not match{where}: {sorted(map(str, a))} and {sorted(map(str, e))}"
        pairs = [(a[key], e[key], f"{where}[{key!r}]") for key in a]
    elif _sequence(a) and _sequence(e):
        if len(a) != len(e):
            return f"The length of the sequences mismatch{where}: {len(a)} != {len(e)}"
        pairs = [(x, y, f"{where}[{i}]") for i, (x, y) in enumerate(zip(a, e, strict=True))]
    else:
        return _compare_tensors(a, e, where, *rest)
    return next((p for x, y, place in pairs if (p := _compare(x, y, place, *rest)) is not None), None)


def _sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _compare_tensors(
    a: Any, e: Any, where: str, rtol: Any, atol: Any, equal_nan: bool, checks: dict[str, bool]
) -> str | None:
    tensors = isinstance(a, TensorBase), isinstance(e, TensorBase)
    if any(tensors) and not all(tensors) and not (hasattr(a, "shape") and hasattr(e, "shape")):
        return f"None of the pairs match{where}: {type(a).__name__} and {type(e).__name__} cannot be compared"
    if not any(tensors) and isinstance(a, (bool, str, type(None))):
        return None if a == e else f"{a!r} is not equal to {e!r}{where}"
    x, y = as_tensor(a), as_tensor(e)
    if x.shape != y.shape:
        return f"The values for attribute 'shape' do not match{where}: {x.shape} != {y.shape}."
    plain = all(tensors)
    for name in ("layout", "device", "dtype"):
        ours, theirs = getattr(x, name), getattr(y, name)
        if plain and checks[name] and ours != theirs:
            return f"The values for attribute '{name}' do not match{where}: {ours} != {theirs}."
    if checks["stride"] and x.stride() != y.stride():
        return f"The values for attribute 'stride()' do not match{where}: {x.stride()} != {y.stride()}."
    if x.layout is not wg_strided or y.layout is not wg_strided:
        return _compare_sparse(x, y, where, (rtol, atol, equal_nan, checks))
    if rtol is None:
        found = [TOLERANCES.get(t.dtype.name, (0.0, 0.0)) for t in (x, y)]
        rtol, atol = max(f[0] for f in found), max(f[1] for f in found)
    kind = promote_types(x.dtype, y.dtype)
    wide = "complex128" if kind.is_complex else "float64" if kind.is_floating_point else kind.name
    p, q = (t.detach().cpu().numpy().astype(wide) for t in (x, y))
    same = np.isclose(p, q, rtol=rtol, atol=atol, equal_nan=equal_nan) if wide != "bool" else p == q
    if same.all():
        return None
    return _report(p, q, same, where, rtol, atol)


def _compare_sparse(x: Any, y: Any, where: str, rest: tuple[Any, ...]) -> str | None:
    """Two tensors of which one is sparse: of one layout by their parts, else by all their elements."""
    if x.layout != y.layout:
        return _compare_tensors(x.to_dense(), y.to_dense(), where, *rest)
    if x.is_sparse:
        x, y = x.coalesce(), y.coalesce()
    if x._nnz() != y._nnz():
        return f"The number of specified values in sparse tensors does not match{where}: {x._nnz()} != {y._nnz()}"
    a, b = x.detach()._data, y.detach()._data
    pairs = zip((*a.pattern.arrays, a.values), (*b.pattern.arrays, b.values), strict=True)
    loose = (*rest[:3], {**rest[3], "stride": False})
    return next((p for u, v in pairs if (p := _compare_tensors(wrap(u), wrap(v), where, *loose)) is not None), None)


def _report(p: Any, q: Any, same: Any, where: str, rtol: float, atol: float) -> str:
    wrong, total = int((~same).sum()), same.size
    with np.errstate(all="ignore"):
        absolute = np.asarray(np.abs(p.astype(complex if p.dtype.kind == "c" else float) - q))
        relative = np.asarray(absolute / np.abs(q))
    absolute[same], relative[same] = 0, 0
    at, rel_at = (
        np.unravel_index(int(np.nanargmax(d)) if not np.isnan(d).all() else 0, d.shape) for d in (absolute, relative)
    )
    if not p.ndim:
        return (
            f"Scalars are not close{where}!\n\nExpected {q} but got {p}.\n"
            f"Absolute difference: {absolute} (up to {atol} allowed)\n"
            f"Relative difference: {relative} (up to {rtol} allowed)"
        )
    place, rel_place = (tuple(int(i) for i in index) for index in (at, rel_at))
    return (
        f"Tensor-likes are not close{where}!\n\nMismatched elements: {wrong} / {total} ({wrong / total:.1%})\n"
        f"Greatest absolute difference: {absolute[at]} at index {place} (up to {atol} allowed)\n"
        f"Greatest relative difference: {relative[rel_at]} at index {rel_place} (up to {rtol} allowed)"
    )


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """`assert_close` as it used to be: types and devices may differ."""
    assert_close(
        actual,
        expected,
        rtol=rtol,
        atol=atol,
        equal_nan=equal_nan,
        check_device=False,
        check_dtype=False,
        msg=msg or None,
    )
