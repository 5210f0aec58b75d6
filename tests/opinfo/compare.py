"""Whether two results agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import wengert as wg

from .convert import name_of

TOLERANCE = {
    "float64": 1e-7,
    "complex128": 1e-7,
    "float32": 2e-4,
    "complex64": 2e-4,
    "bfloat16": 5e-2,
    "float16": 1e-2,
}


class Mismatch(Exception):
    """A difference, and which kind of difference it is."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def leaves(x: Any, kind: type) -> list[Any]:
    """The parts of a nested result: tensors of ``kind``, and whatever is no list or tuple."""
    if isinstance(x, list | tuple) and not isinstance(x, torch.Size | wg.Size | kind):
        return [leaf for part in x for leaf in leaves(part, kind)]
    return [x]


def tensors(x: Any, kind: type) -> list[Any]:
    return [leaf for leaf in leaves(x, kind) if isinstance(leaf, kind)]


def values(t: Any) -> np.ndarray:
    """The values of a tensor of either side, bfloat16 as float32."""
    if t.layout not in (torch.strided, wg.strided):
        t = t.detach().to_dense()
    if isinstance(t, torch.Tensor):
        t = t.detach().resolve_conj().resolve_neg()
        return (t.float() if t.dtype == torch.bfloat16 else t).numpy(force=True)
    array = np.asarray(t._data)
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def compare(ours: Any, theirs: Any, *, what: str = "", **how: Any) -> None:
    """Raise `Mismatch` unless both results have the same parts, and each pair agrees."""
    o, t = leaves(ours, wg.Tensor), leaves(theirs, torch.Tensor)
    if len(o) != len(t):
        raise Mismatch(f"{what}count", f"{len(o)} results for {len(t)}")
    for a, b in zip(o, t, strict=True):
        if isinstance(b, torch.Tensor):
            compare_tensors(a, b, what=what, **how)
        else:
            compare_plain(a, b, what)


def compare_plain(ours: Any, theirs: Any, what: str) -> None:
    if isinstance(theirs, torch.Size):
        ours, theirs = tuple(ours), tuple(theirs)
    if isinstance(theirs, torch.dtype):
        ours, theirs = name_of(ours), name_of(theirs)
    same = type(ours) is type(theirs)
    if same and isinstance(theirs, float | complex):
        same = bool(np.isclose(ours, theirs, rtol=1e-5, equal_nan=True))
    elif same:
        same = ours == theirs
    if not same:
        raise Mismatch(f"{what}value", f"{ours!r} ({type(ours).__name__}) for {theirs!r} ({type(theirs).__name__})")


def compare_tensors(
    ours: Any, theirs: torch.Tensor, *, what: str, exact: bool = True, factor: float = 1.0, ties: bool = False
) -> None:
    """Types and shapes; values where ``exact``; with ``ties`` the places of equal elements are free."""
    if not isinstance(ours, wg.Tensor):
        raise Mismatch(f"{what}type", f"{type(ours).__name__} for a Tensor")
    if name_of(ours.dtype) != name_of(theirs.dtype):
        raise Mismatch(f"{what}dtype", f"{ours.dtype} for {theirs.dtype}")
    if tuple(ours.shape) != tuple(theirs.shape):
        raise Mismatch(f"{what}shape", f"{tuple(ours.shape)} for {tuple(theirs.shape)}")
    if not exact or (ties and theirs.dtype == torch.int64):
        return
    x, y = values(ours), values(theirs)
    same = close(x, y, name_of(theirs.dtype), factor) if y.dtype.kind in "fc" else x == y
    if not same.all():
        i = tuple(np.argwhere(~same)[0].tolist())
        raise Mismatch(f"{what}value", f"{(~same).sum()} of {same.size} differ; at {i}: {x[i]!r} for {y[i]!r}")


def close(x: np.ndarray, y: np.ndarray, dtype: str, factor: float) -> np.ndarray:
    """Elementwise, with a tolerance relative to the element and to the largest one."""
    tolerance = factor * TOLERANCE[dtype]
    with np.errstate(all="ignore"):
        scale = min(float(np.abs(y[np.isfinite(y)]).max(initial=1e-3)), 1.0)
        scale = 1.0 if dtype in ("float16", "bfloat16") else scale
        same = np.isclose(x, y, rtol=tolerance, atol=tolerance * scale, equal_nan=True)
        if y.dtype.kind == "c":  # infinities of complex numbers have no agreed direction
            same |= ~np.isfinite(x) & ~np.isfinite(y)
    return np.asarray(same)


def compare_gradients(got: Any, expected: Any, what: str, factor: float) -> None:
    """No gradient and a gradient of zeros say the same; what is not finite in PyTorch is not compared."""
    for ours, theirs in zip(got, expected, strict=True):
        if theirs is None or ours is None:
            there = theirs if ours is None else ours
            if there is not None and np.abs(values(there)).max(initial=0) > 1e-12:
                raise Mismatch(f"{what}none", f"{'no' if ours is None else 'a'} gradient, unlike PyTorch")
        elif np.isfinite(values(theirs)).all():
            compare_tensors(ours, theirs, what=what, factor=factor)


def compare_strides(ours: list[Any], theirs: list[torch.Tensor]) -> None:
    for o, t in zip(ours, theirs, strict=True):
        if t.layout == torch.strided and t.numel() > 1 and tuple(o.stride()) != t.stride():
            raise Mismatch("stride", f"{tuple(o.stride())} for {t.stride()} of shape {tuple(t.shape)}")
