"""How sparse tensors print: their index arrays and values, and what is not as usual about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..base import wrap
from ..promotion import get_default_dtype
from .core import pattern_of

__all__ = ["sparse_repr"]

NAMES = {
    "sparse_coo": ("indices",),
    "sparse_csr": ("crow_indices", "col_indices"),
    "sparse_csc": ("ccol_indices", "row_indices"),
    "sparse_bsr": ("crow_indices", "col_indices"),
    "sparse_bsc": ("ccol_indices", "row_indices"),
}


def sparse_repr(
    tensor: Any, prefix: str, notes: list[str], with_notes: Callable[..., str], show: Callable[..., str]
) -> str:
    """The text of a sparse tensor.

    Args:
        tensor: the tensor.
        prefix: what the text begins with.
        notes: what is said of any tensor at the end.
        with_notes: puts notes behind a text.
        show: the text of a dense tensor, by its prefix.
    """
    pattern, indent = pattern_of(tensor), len(prefix)
    compressed = pattern.layout != "sparse_coo"
    lines = []
    for name, array in zip(NAMES[pattern.layout], pattern.arrays, strict=True):
        lines.append(f"{name}={_part(array, indent + len(name) + 1, show)}")
    lines.append(f"values={_part(tensor._data.values, indent + 7, show)}")
    body = prefix + (",\n" + " " * indent).join(lines)
    facts = [f"size={tuple(pattern.shape)}", f"nnz={pattern.nnz}"]
    if tensor.dtype is not get_default_dtype() and _unusual(tensor, pattern):
        facts.append(f"dtype={tensor.dtype!r}")
    facts.append(f"layout=wengert.{pattern.layout}")
    facts[2:2] = [n for n in notes if n.startswith("device")]
    rest = [n for n in notes if not n.startswith("device")]
    if compressed:
        return with_notes(body, facts + rest, indent)
    return with_notes(body + ",\n" + " " * indent + facts[0], facts[1:] + rest, indent)


def _unusual(tensor: Any, pattern: Any) -> bool:
    default = get_default_dtype()
    if not tensor._data.values.size:
        return tensor.dtype is not default
    return tensor.dtype is not default.to_complex() and tensor.dtype.name not in ("int64", "bool")


def _part(array: Any, indent: int, show: Any) -> str:
    """A part, as PyTorch shows it: without its dtype, and with its sizes if it is empty."""
    inner = "tensor("
    text = show(wrap(array), indent + len(inner))
    if not array.size:
        return f"{inner}{text}, size={tuple(array.shape)})"
    return f"{inner}{text})"
