"""``vmap``, and what it is used with: a function of one example as a function of many.

The function runs once, on tensors whose arrays hold all examples (`wengert.backends.batched`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..autograd import ops
from ..autograd.base import TensorBase
from ..autograd.batching import enter, leave, level, outermost_array
from ..autograd.transforms import name_of, within
from ..backends.batched import level_type
from .tree import Structure, children_of, flatten, paths, unflatten

__all__ = ["stack_module_state", "vmap"]

Dims = Any  # an int, None, or a nesting of them


def _spread(dims: Dims, tree: Any, who: str, what: str = "in_dims") -> list[int | None]:
    """One dimension for each leaf of ``tree``."""
    if dims is None or isinstance(dims, int):
        return [dims] * len(flatten(tree)[0])
    ours, theirs = children_of(dims), children_of(tree)
    same = isinstance(tree, type(dims)) or (isinstance(dims, (tuple, list)) and isinstance(tree, tuple))
    if ours is None or theirs is None or not same or len(ours[1]) != len(theirs[1]):
        tree_name = "inputs" if what == "in_dims" else "outputs"
        raise ValueError(
            f"{who}: {what} is not compatible with the structure of `{tree_name}`. {what} has structure "
            f"{flatten(dims)[1]} but {tree_name} has structure {flatten(tree)[1]}. Give one dimension for all, or a "
            "nesting with one for each"
        )
    parts = [dims[key] for key in tree] if isinstance(dims, dict) else ours[1]
    return [dim for part, value in zip(parts, theirs[1], strict=True) for dim in _spread(part, value, who, what)]


def _batch_size(leaves: list[Any], dims: list[int | None], structure: Structure, who: str) -> int:
    sizes: dict[str, int] = {}
    for leaf, dim, path in zip(leaves, dims, paths(structure, "args"), strict=True):
        if dim is None:
            continue
        if not isinstance(dim, int):
            raise ValueError(
                f"{who}: Got in_dim={dim} for an input but in_dim must be either an integer dimension or None. "
                f"(The input is {path})"
            )
        if not isinstance(leaf, TensorBase):
            raise ValueError(
                f"{who}: Got in_dim={dim} for an input but the input is of type {type(leaf)}. We cannot vmap over "
                f"non-Tensor arguments, please use None as the respective in_dim. (The input is {path})"
            )
        ndim = leaf._data.ndim
        if not -ndim <= dim < ndim:
            raise ValueError(
                f"{who}: Got in_dim={dim} for some input, but that input is a Tensor of dimensionality {ndim} so "
                f"expected in_dim to satisfy -{ndim} <= in_dim < {ndim}. (The input is {path})"
            )
        sizes[path] = int(leaf._data.shape[dim])
    if not sizes:
        raise ValueError(
            f"{who}: at least one Tensor must be mapped: vmap needs at least one Tensor in the inputs whose in_dim is "
            "not None; all of in_dims are None"
        )
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{path}: {size}" for path, size in sizes.items())
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{list(sizes.values())} for the mapped dimension ({found}). {who}: in_dims may name other dimensions, or "
            "None for an input that every call gets whole"
        )
    return next(iter(sizes.values()))


def _whole(dims: Dims, tree: Any) -> Any:
    """``tree`` with what every call gets whole as one leaf, modules and other objects as they are."""
    if dims is None:
        return Whole(tree)
    if isinstance(dims, (tuple, list, dict)) and type(tree) in (tuple, list, dict) and len(dims) == len(tree):
        if isinstance(tree, dict):
            return {k: _whole(dims[k], v) for k, v in tree.items()} if set(dims) == set(tree) else tree
        if not isinstance(dims, dict):
            return type(tree)([_whole(d, v) for d, v in zip(dims, tree, strict=True)])
    return tree


class Whole:
    """An argument that is not mapped."""

    def __init__(self, value: Any) -> None:
        self.value = value


def vmap(
    func: Callable[..., Any],
    in_dims: Dims = 0,
    out_dims: Dims = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that calls ``func`` with each slice of its arguments, and stacks what it returns.

    Args:
        func: of tensors, or trees of them; it returns a tensor, or a tree of them.
        in_dims: the dimension along which each positional argument is sliced, None for one that every call gets
            whole; one for all, or a nesting like the arguments. Keyword arguments are given whole.
        out_dims: the dimension along which each result is stacked.
        randomness: ``"error"`` refuses random operations; ``"same"`` gives every example the same random numbers,
            ``"different"`` each its own.
        chunk_size: compute so many examples at a time, to save memory; all at once without it.

    Returns:
        The function.

    Raises:
        ValueError: by the function made: ``in_dims`` does not fit its arguments, their sizes differ, or ``func``
            returned something that is no tensor. RuntimeError: ``func`` branches on a value, reads one (``item()``),
            or writes to a tensor that all examples share.

    Example:
        >>> import wengert as wg
        >>> x, y = wg.ones(3, 4), wg.arange(12.0).reshape(4, 3)
        >>> wg.func.vmap(wg.dot, in_dims=(0, 1))(x, y)
        tensor([18., 22., 26.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")
    who = f"vmap({name_of(func)}, in_dims={in_dims}, ...)(<inputs>)"

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        if not isinstance(in_dims, (int, tuple)):
            raise ValueError(
                f"{who}: expected `in_dims` to be int or a (potentially nested) tuple matching the structure of "
                f"inputs, got: {type(in_dims)}."
            )
        leaves, structure = flatten(_whole(in_dims, args))
        if not leaves:
            raise ValueError(
                f"{who}: got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a function "
                "with no inputs. The latter is unsupported."
            )
        dims = _spread(in_dims, unflatten(structure, leaves), who)
        size = _batch_size(leaves, dims, structure, who)
        leaves = [leaf.value if type(leaf) is Whole else leaf for leaf in leaves]
        run = _Mapped(func, structure, kwargs, out_dims, randomness, who)
        if chunk_size is None or chunk_size >= size:
            return run(leaves, dims, size)
        parts = []
        for start in range(0, size, chunk_size):
            count = min(chunk_size, size - start)
            chunk = [x if d is None else x.narrow(d, start, count) for x, d in zip(leaves, dims, strict=True)]
            parts.append(flatten(run(chunk, dims, count)))
        shape = parts[0][1]
        outs = _spread_out(out_dims, unflatten(shape, parts[0][0]), len(parts[0][0]), who)
        pieces = zip(*[outputs for outputs, _ in parts], strict=True)
        joined = [p[0] if d is None else ops.cat(p, d) for p, d in zip(pieces, outs, strict=True)]
        return unflatten(shape, joined)

    return mapped


class _Mapped:
    """One call of a mapped function."""

    def __init__(self, func: Any, structure: Any, kwargs: Any, out_dims: Dims, randomness: str, who: str) -> None:
        self.func, self.structure, self.kwargs = func, structure, kwargs
        self.out_dims, self.randomness, self.who = out_dims, randomness, who

    def __call__(self, leaves: list[Any], dims: list[int | None], size: int) -> Any:
        """Run it once, on a batch of so many examples."""
        arrays = [x._data for x, d in zip(leaves, dims, strict=True) if d is not None]
        kind = level_type(outermost_array(arrays), size)
        entered = [x if d is None else enter(x, kind, d) for x, d in zip(leaves, dims, strict=True)]
        with level(kind, self.randomness), within("vmap", self.func):
            outputs, shape = flatten(self.func(*unflatten(self.structure, entered), **self.kwargs))
            outs = _spread_out(self.out_dims, unflatten(shape, outputs), len(outputs), self.who)
            places = paths(shape, "output")
            return unflatten(shape, [self._left(*y, kind) for y in zip(outputs, outs, places, strict=True)])

    def _left(self, y: Any, dim: int | None, path: str, kind: Any) -> Any:
        place = "" if path == "output" else f" at {path}"
        if not isinstance(y, TensorBase):
            if dim is None:
                return y
            raise ValueError(
                f"{self.who}: `{name_of(self.func)}` must only return Tensors, got type {type(y)}{place}. Did you "
                "mean to set out_dims= to None for output?"
            )
        if dim is None:
            if isinstance(y._data, kind):
                raise ValueError(
                    f"{self.who}: `{name_of(self.func)}` can not return a BatchedTensor when out_dim is None{place}: "
                    "it differs from example to example; give the dimension along which to stack it"
                )
            return y
        ndim = y._data.ndim + 1
        if not -ndim <= dim < ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {dim}): out_dims "
                f"of {self.who}"
            )
        return leave(y, kind, dim)


def _spread_out(out_dims: Dims, example: Any, count: int, who: str) -> list[int | None]:
    """One output dimension for each tensor that the function returned."""
    if isinstance(out_dims, int):
        return [out_dims] * count
    if out_dims is None:
        return [None] * count
    if not all(isinstance(d, int) or d is None for d in flatten(out_dims)[0]):
        raise ValueError(
            f"{who}: `out_dims` must be an int, None or a python collection of ints representing where in the outputs "
            f"the vmapped dimension should appear, got {out_dims}"
        )
    if isinstance(out_dims, tuple) and len(out_dims) == 1 and children_of(example) is None:
        out_dims = out_dims[0]
    return _spread(out_dims, example, who, "out_dims")


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters of several models of one kind, each stacked along a new first dimension, and so their buffers.

    With `functional_call` and `vmap` they make an ensemble.

    Args:
        models: of the same class, all in training or all in evaluation.

    Returns:
        Parameters and buffers by name; the parameters are leaves.

    Raises:
        RuntimeError: there are none, or they differ.

    Example:
        >>> import wengert as wg
        >>> models = [wg.nn.Linear(2, 3) for _ in range(4)]
        >>> params, _ = wg.func.stack_module_state(models)
        >>> wg.func.vmap(lambda p, x: wg.func.functional_call(models[0], p, x), (0, None))(params, wg.ones(5, 2)).shape
        wengert.Size([4, 5, 3])
    """
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({m.training for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if len({type(m) for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")

    def stacked(listed: list[dict[str, Any]], leaf: bool) -> dict[str, Any]:
        found = {}
        for name, first in listed[0].items():
            found[name] = ops.stack([each[name].detach() for each in listed])
            if leaf:
                found[name].requires_grad_(first.requires_grad)
        return found

    parameters = stacked([dict(m.named_parameters()) for m in models], leaf=True)
    return parameters, stacked([dict(m.named_buffers()) for m in models], leaf=False)
