"""Nested lists, tuples and dictionaries as a flat list of leaves and a description of their shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..autograd.containers import NODES

__all__ = [
    "GetAttrKey",
    "LeafSpec",
    "MappingKey",
    "SequenceKey",
    "TreeSpec",
    "keystr",
    "register_pytree_node",
    "tree_all",
    "tree_any",
    "tree_flatten",
    "tree_flatten_with_path",
    "tree_iter",
    "tree_leaves",
    "tree_map",
    "tree_map_",
    "tree_map_only",
    "tree_map_with_path",
    "tree_structure",
    "tree_unflatten",
]

PyTree = Any
IsLeaf = Callable[[Any], bool] | None
SUPPORTED_NODES = _nodes = NODES
_with_keys: dict[type, Callable[[Any], tuple[Any, Any]]] = {}  # the same, each child with the step to it
_named = (lambda node: (list(node), type(node)), lambda children, kind: kind(*children))


class TreeSpec:
    """The shape of a nesting.

    Attributes:
        type: the class of the node; None for a leaf.
        context: what its class needs besides the children.
        children_specs: the shapes of its children.
        num_leaves: how many leaves it has.
    """

    __slots__ = ("children_specs", "context", "num_leaves", "type")

    def __init__(self, type: Any, context: Any, children_specs: list[TreeSpec]) -> None:
        self.type, self.context, self.children_specs = type, context, children_specs
        self.num_leaves: int = 1 if type is None else sum([spec.num_leaves for spec in children_specs])

    def is_leaf(self) -> bool:
        """Whether it describes a single leaf."""
        return self.type is None

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """`tree_unflatten` with this shape."""
        return tree_unflatten(leaves, self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TreeSpec) and (self.type, self.context, self.children_specs) == (
            other.type,
            other.context,
            other.children_specs,
        )

    def __hash__(self) -> int:
        return hash((self.type, self.num_leaves))

    def __repr__(self) -> str:
        if self.type is None:
            return "*"
        return f"TreeSpec({self.type.__name__}, {self.context}, {self.children_specs})"


class LeafSpec(TreeSpec):
    """The shape of a leaf."""

    def __init__(self) -> None:
        super().__init__(None, None, [])


@dataclass(frozen=True)
class SequenceKey:
    """A step down, to an element of a list or tuple."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"

    def get(self, sequence: Any) -> Any:
        """The element."""
        return sequence[self.idx]


@dataclass(frozen=True)
class MappingKey:
    """A step down, to a value of a dictionary."""

    key: Any

    def __str__(self) -> str:
        return f"[{self.key!r}]"

    def get(self, mapping: Any) -> Any:
        """The value."""
        return mapping[self.key]


@dataclass(frozen=True)
class GetAttrKey:
    """A step down, to an attribute."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"

    def get(self, obj: Any) -> Any:
        """The attribute."""
        return getattr(obj, self.name)


def keystr(kp: Iterable[Any]) -> str:
    """The path as text, such as ``"['a'][0]"``."""
    return "".join(map(str, kp))


def _dict_flatten(d: dict[Any, Any]) -> tuple[list[Any], list[Any]]:
    return list(d.values()), list(d)


def _dict_unflatten(values: Iterable[Any], context: Iterable[Any]) -> dict[Any, Any]:
    return dict(zip(context, values, strict=True))


def _dict_flatten_with_keys(d: dict[Any, Any]) -> tuple[list[tuple[Any, Any]], list[Any]]:
    return [(MappingKey(key), value) for key, value in d.items()], list(d)


def register_pytree_node(
    cls: type, flatten_fn: Callable[[Any], tuple[Any, Any]], unflatten_fn: Callable[..., Any], **options: Any
) -> None:
    """Let objects of ``cls`` be nodes: ``flatten_fn(x)`` gives (children, context), ``unflatten_fn`` the object.

    Raises:
        ValueError: the class is registered.
    """
    if cls in _nodes:
        raise ValueError(f"{cls} is already registered as pytree node.")
    _nodes[cls] = (flatten_fn, unflatten_fn)
    if options.get("flatten_with_keys_fn") is not None:
        _with_keys[cls] = options["flatten_with_keys_fn"]


def _get_node_type(tree: Any) -> type:
    return type(tree)


def _handlers(node: Any) -> Any:
    kind = type(node)
    if kind in _nodes:
        return _nodes[kind]
    return _named if isinstance(node, tuple) and hasattr(kind, "_fields") else None


def tree_flatten(tree: Any, is_leaf: IsLeaf = None) -> tuple[list[Any], TreeSpec]:
    """The leaves, from left to right, and the shape of what they were in.

    Example:
        >>> from wengert.utils._pytree import tree_flatten
        >>> tree_flatten({"a": 1, "b": (2, 3)})[0]
        [1, 2, 3]
    """
    leaves: list[Any] = []
    return leaves, _flatten(tree, leaves, is_leaf)


def _flatten(tree: Any, leaves: list[Any], is_leaf: IsLeaf) -> TreeSpec:
    handlers = None if is_leaf is not None and is_leaf(tree) else _handlers(tree)
    if handlers is None:
        leaves.append(tree)
        return TreeSpec(None, None, [])
    children, context = handlers[0](tree)
    return TreeSpec(type(tree), context, [_flatten(child, leaves, is_leaf) for child in children])


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> Any:
    """The nesting of this shape with these leaves.

    Raises:
        ValueError: the number of leaves differs.
    """
    leaves = list(leaves)
    if len(leaves) != treespec.num_leaves:
        raise ValueError(
            f"tree_unflatten(leaves, treespec): `leaves` has length {len(leaves)} but the spec refers to a pytree that "
            f"holds {treespec.num_leaves} items ({treespec})."
        )
    return _unflatten(iter(leaves), treespec)


def _unflatten(leaves: Any, spec: TreeSpec) -> Any:
    if spec.type is None:
        return next(leaves)
    unflatten = _nodes[spec.type][1] if spec.type in _nodes else _named[1]
    return unflatten([_unflatten(leaves, child) for child in spec.children_specs], spec.context)


def tree_flatten_with_path(tree: Any, is_leaf: IsLeaf = None) -> tuple[list[tuple[tuple[Any, ...], Any]], TreeSpec]:
    """As `tree_flatten`, each leaf with the steps that lead to it.

    Example:
        >>> from wengert.utils._pytree import keystr, tree_flatten_with_path
        >>> [(keystr(path), leaf) for path, leaf in tree_flatten_with_path({"a": 1, "b": (2, 3)})[0]]
        [("['a']", 1), ("['b'][0]", 2), ("['b'][1]", 3)]
    """
    return list(_with_paths(tree, (), is_leaf)), tree_structure(tree, is_leaf)


def _with_paths(tree: Any, path: tuple[Any, ...], is_leaf: IsLeaf) -> Iterator[tuple[tuple[Any, ...], Any]]:
    handlers = None if is_leaf is not None and is_leaf(tree) else _handlers(tree)
    if handlers is None:
        yield path, tree
        return
    for step, child in _steps(tree, handlers):
        yield from _with_paths(child, (*path, step), is_leaf)


def _steps(node: Any, handlers: Any) -> Iterable[tuple[Any, Any]]:
    """The children of a node, each with the step to it."""
    if type(node) in _with_keys:
        return _with_keys[type(node)](node)[0]  # type: ignore[no-any-return]
    if isinstance(node, dict):
        return [(MappingKey(key), value) for key, value in node.items()]
    if hasattr(node, "_fields"):
        return [(GetAttrKey(name), value) for name, value in zip(node._fields, node, strict=True)]
    return [(SequenceKey(i), child) for i, child in enumerate(handlers[0](node)[0])]


def tree_map_with_path(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: IsLeaf = None) -> Any:
    """As `tree_map`, with the steps to each leaf before it."""
    found, spec = tree_flatten_with_path(tree, is_leaf)
    others = [tree_leaves(rest, is_leaf) for rest in rests]
    results = [func(path, leaf, *more) for (path, leaf), *more in zip(found, *others, strict=True)]
    return tree_unflatten(results, spec)


def tree_iter(tree: Any, is_leaf: IsLeaf = None) -> Iterable[Any]:
    """The leaves, one after another."""
    return iter(tree_flatten(tree, is_leaf)[0])


def tree_leaves(tree: Any, is_leaf: IsLeaf = None) -> list[Any]:
    """The leaves, from left to right."""
    return tree_flatten(tree, is_leaf)[0]


def tree_structure(tree: Any, is_leaf: IsLeaf = None) -> TreeSpec:
    """The shape alone."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: IsLeaf = None) -> Any:
    """A nesting of the same shape whose leaves are ``func(leaf, *leaves of the others)``.

    Raises:
        ValueError: another tree has another shape.
    """
    leaves, spec = tree_flatten(tree, is_leaf)
    others = []
    for rest in rests:
        found, shape = tree_flatten(rest, is_leaf)
        if shape != spec:
            raise ValueError(f"the trees differ in shape: {spec} and {shape}")
        others.append(found)
    return tree_unflatten([func(*values) for values in zip(leaves, *others, strict=True)], spec)


def tree_map_(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: IsLeaf = None) -> Any:
    """Call ``func`` as `tree_map` does, for what it does; the tree itself comes back."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def tree_map_only(kind: Any, func: Any = None, tree: Any = None, is_leaf: IsLeaf = None) -> Any:
    """`tree_map` for the leaves of a type (or those that a predicate takes); the others stay."""
    chosen: Callable[[Any], bool] = (
        kind if callable(kind) and not isinstance(kind, type) else lambda leaf: isinstance(leaf, kind)
    )
    return tree_map(lambda leaf: func(leaf) if chosen(leaf) else leaf, tree, is_leaf=is_leaf)


def tree_all(pred: Callable[[Any], bool], tree: Any, is_leaf: IsLeaf = None) -> bool:
    """Whether ``pred`` holds for all leaves."""
    return all(map(pred, tree_iter(tree, is_leaf)))


def tree_any(pred: Callable[[Any], bool], tree: Any, is_leaf: IsLeaf = None) -> bool:
    """Whether ``pred`` holds for a leaf."""
    return any(map(pred, tree_iter(tree, is_leaf)))
