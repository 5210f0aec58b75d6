"""Trees of tensors: dicts, lists, tuples and named tuples, taken apart into leaves and put together again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

__all__ = ["Structure", "flatten", "unflatten"]


class Structure(NamedTuple):
    """A tree without its leaves.

    Attributes:
        kind: the type of the container, None for a leaf.
        keys: of a dict.
        parts: the structures inside.
    """

    kind: type | None
    keys: tuple[Any, ...] = ()
    parts: tuple[Structure, ...] = ()

    def __str__(self) -> str:
        inside = [str(part) for part in self.parts]
        if self.kind is None:
            return "*"
        if self.keys:
            return "{" + ", ".join(f"{key!r}: {part}" for key, part in zip(self.keys, inside, strict=True)) + "}"
        if self.kind is list:
            return f"[{', '.join(inside)}]"
        return f"({inside[0]},)" if len(inside) == 1 else f"({', '.join(inside)})"


LEAF = Structure(None)


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves of ``tree``, in order, and what is left of it without them.

    Example:
        >>> from wengert.func.tree import flatten
        >>> leaves, structure = flatten({"a": 1, "b": [2, 3]})
        >>> leaves, str(structure)
        ([1, 2, 3], "{'a': *, 'b': [*, *]}")
    """
    kind, keys = type(tree), ()
    if kind in (dict, OrderedDict):
        keys, children = tuple(tree), list(tree.values())
    elif kind in (list, tuple) or (isinstance(tree, tuple) and hasattr(tree, "_fields")):
        children = list(tree)
    else:
        return [tree], LEAF
    leaves, parts = list[Any](), list[Structure]()
    for child in children:
        found, structure = flatten(child)
        leaves += found
        parts.append(structure)
    return leaves, Structure(kind, keys, tuple(parts))


def unflatten(structure: Structure, leaves: Sequence[Any]) -> Any:
    """The tree of ``structure`` with ``leaves``: what `flatten` took apart."""
    return _build(structure, iter(leaves))


def _build(structure: Structure, leaves: Any) -> Any:
    kind = structure.kind
    if kind is None:
        return next(leaves)
    children = [_build(part, leaves) for part in structure.parts]
    if kind in (dict, OrderedDict):
        return kind(zip(structure.keys, children, strict=True))
    return kind(*children) if hasattr(kind, "_fields") else kind(children)
