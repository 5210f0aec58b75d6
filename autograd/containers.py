"""Containers that programs nest tensors in: by type, how they are taken apart and put together again."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

__all__ = ["NODES"]

# What takes a node apart (into children and a context), and what puts it together again.
NODES: dict[type, tuple[Callable[[Any], tuple[Any, Any]], Callable[[Any, Any], Any]]] = {
    list: (lambda node: (node, None), lambda children, _: list(children)),
    tuple: (lambda node: (list(node), None), lambda children, _: tuple(children)),
    dict: (
        lambda node: (list(node.values()), list(node)),
        lambda children, keys: dict(zip(keys, children, strict=True)),
    ),
    collections.OrderedDict: (
        lambda node: (list(node.values()), list(node)),
        lambda children, keys: collections.OrderedDict(zip(keys, children, strict=True)),
    ),
    collections.defaultdict: (
        lambda node: (list(node.values()), (node.default_factory, list(node))),
        lambda children, kept: collections.defaultdict(kept[0], zip(kept[1], children, strict=True)),
    ),
    collections.deque: (
        lambda node: (list(node), node.maxlen),
        lambda children, length: collections.deque(children, maxlen=length),
    ),
}
