"""Trees of tensors, taken apart into leaves and put together again.

Dicts, lists, tuples, named tuples, deques, dataclasses, what ``utils._pytree.register_pytree_node`` was told of, and
modules, whose leaves are their parameters.
"""

from __future__ import annotations

import copy
import dataclasses
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..autograd.base import TensorBase
from ..autograd.containers import NODES

__all__ = ["Structure", "children_of", "flatten", "paths", "unflatten"]


@dataclasses.dataclass(frozen=True)
class Structure:
    """A tree without its leaves.

    Attributes:
        kind: the type of the container, None for a leaf.
        keys: what leads to each part: names, numbers, or keys of a dict.
        parts: the structures inside.
        build: makes the container of its new parts.
    """

    kind: type | None
    keys: tuple[Any, ...] = ()
    parts: tuple[Structure, ...] = ()
    build: Callable[[list[Any]], Any] | None = dataclasses.field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        inside = [str(part) for part in self.parts]
        if self.kind is None:
            return "*"
        if issubclass(self.kind, dict):
            return "{" + ", ".join(f"{key!r}: {part}" for key, part in zip(self.keys, inside, strict=True)) + "}"
        if self.kind is list:
            return f"[{', '.join(inside)}]"
        if self.kind is tuple:
            return f"({inside[0]},)" if len(inside) == 1 else f"({', '.join(inside)})"
        named = [f"{key}={part}" for key, part in zip(self.keys, inside, strict=True)]
        return f"{self.kind.__name__}({', '.join(named)})"


LEAF = Structure(None)
Parts = tuple[tuple[Any, ...], list[Any], Callable[[list[Any]], Any]]


def children_of(tree: Any) -> Parts | None:
    """Keys, children, and what puts children together again; None for a leaf."""
    if isinstance(tree, TensorBase):
        return None
    kind = type(tree)
    if kind is tuple or kind is list:
        return tuple(range(len(tree))), list(tree), kind
    if kind in (dict, OrderedDict):
        keys = tuple(tree)
        return keys, list(tree.values()), lambda new: kind(zip(keys, new, strict=True))
    if kind is defaultdict:
        keys, factory = tuple(tree), tree.default_factory
        return keys, list(tree.values()), lambda new: defaultdict(factory, zip(keys, new, strict=True))
    if kind is deque:
        return tuple(range(len(tree))), list(tree), lambda new: deque(new, tree.maxlen)
    if isinstance(tree, tuple) and hasattr(kind, "_fields"):
        return kind._fields, list(tree), lambda new: kind(*new)
    if kind in NODES:
        apart, together = NODES[kind]
        children, context = apart(tree)
        children = list(children)
        return tuple(range(len(children))), children, lambda new: together(new, context)
    if dataclasses.is_dataclass(kind):
        names = tuple(f.name for f in dataclasses.fields(tree))
        return names, [getattr(tree, name) for name in names], lambda new: _with_fields(tree, names, new)
    from ..nn.module import Module

    if isinstance(tree, Module):
        named = dict(tree.named_parameters())
        return (
            tuple(named),
            list(named.values()),
            lambda new: _with_parameters(tree, dict(zip(named, new, strict=True))),
        )
    return None


def _with_fields(old: Any, names: Sequence[str], values: Sequence[Any]) -> Any:
    new = copy.copy(old)
    for name, value in zip(names, values, strict=True):
        object.__setattr__(new, name, value)  # frozen ones, too
    return new


def _with_parameters(module: Any, values: dict[str, Any]) -> Any:
    """A module like ``module`` with other tensors for its parameters; all else it shares with it."""
    from ..nn.members import MODULE, PARAMETER

    replaced = {id(p): values[name] for name, p in module.named_parameters()}
    copies: dict[int, Any] = {}

    def copied(old: Any) -> Any:
        if id(old) in copies:
            return copies[id(old)]
        new = copies[id(old)] = object.__new__(type(old))
        new.__dict__.update(old.__dict__)
        new.__dict__["_kinds"] = dict(old._kinds)
        for name, kind in old._kinds.items():
            value = old.__dict__[name]
            if value is not None and kind in (MODULE, PARAMETER):
                new.__dict__[name] = copied(value) if kind == MODULE else replaced[id(value)]
        return new

    return copied(module)


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves of ``tree``, in order, and what is left of it without them.

    Example:
        >>> from wengert.func.tree import flatten
        >>> leaves, structure = flatten({"a": 1, "b": [2, 3]})
        >>> leaves, str(structure)
        ([1, 2, 3], "{'a': *, 'b': [*, *]}")
    """
    found = children_of(tree)
    if found is None:
        return [tree], LEAF
    keys, children, build = found
    leaves, parts = list[Any](), list[Structure]()
    for child in children:
        inside, structure = flatten(child)
        leaves += inside
        parts.append(structure)
    return leaves, Structure(type(tree), keys, tuple(parts), build)


def unflatten(structure: Structure, leaves: Sequence[Any]) -> Any:
    """The tree of ``structure`` with ``leaves``: what `flatten` took apart."""
    return _build(structure, iter(leaves))


def _build(structure: Structure, leaves: Any) -> Any:
    if structure.build is None:
        return next(leaves)
    return structure.build([_build(part, leaves) for part in structure.parts])


def paths(structure: Structure, root: str = "") -> list[str]:
    """How a program would write each leaf, beginning with the name of the tree.

    Example:
        >>> from wengert.func.tree import flatten, paths
        >>> paths(flatten({"a": 1, "b": (2, 3)})[1], "params")
        ["params['a']", "params['b'][0]", "params['b'][1]"]
    """
    return list(_paths(structure, root))


def _paths(structure: Structure, root: str) -> Iterator[str]:
    if structure.kind is None:
        yield root
        return
    subscript = issubclass(structure.kind, (dict, list, deque)) or structure.kind is tuple
    for key, part in zip(structure.keys, structure.parts, strict=True):
        yield from _paths(part, f"{root}[{key!r}]" if subscript or isinstance(key, int) else f"{root}.{key}")
