"""``vmap``, and what it is used with: a function of one example as a function of many.

*Departs from PyTorch*: the examples are computed one after another and their results stacked. So the result is
PyTorch's, a function may also branch on its values, and speed is that of a loop.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..autograd import ops
from ..autograd.base import TensorBase
from ..autograd.random import get_rng_state, set_rng_state
from .tree import flatten, unflatten

__all__ = ["stack_module_state", "vmap"]

Dims = Any  # an int, None, or a nesting of them


def _spread(dims: Dims, tree: Any, who: str) -> list[int | None]:
    """One dimension for each leaf of ``tree``."""
    if dims is None or isinstance(dims, int):
        return [dims] * len(flatten(tree)[0])
    same = isinstance(tree, type(dims)) or (isinstance(dims, (tuple, list)) and isinstance(tree, (tuple, list)))
    if not same or not isinstance(dims, (tuple, list, dict)) or len(dims) != len(tree):
        raise ValueError(
            f"{who}: in_dims is not compatible with the structure of `inputs`. in_dims has structure "
            f"{flatten(dims)[1]} but inputs has structure {flatten(tree)[1]}."
        )
    pairs = [(dims[k], tree[k]) for k in tree] if isinstance(dims, dict) else list(zip(dims, tree, strict=True))
    return [dim for part, value in pairs for dim in _spread(part, value, who)]


def _batch_size(leaves: list[Any], dims: list[int | None], who: str) -> int:
    sizes = []
    for leaf, dim in zip(leaves, dims, strict=True):
        if dim is None:
            continue
        if not isinstance(dim, int):
            raise ValueError(
                f"{who}: Got in_dim={dim} for an input but in_dim must be either an integer dimension or None."
            )
        if not isinstance(leaf, TensorBase):
            raise ValueError(
                f"{who}: Got in_dim={dim} for an input but the input is of type {type(leaf)}. We cannot vmap over "
                "non-Tensor arguments, please use None as the respective in_dim"
            )
        ndim = leaf._data.ndim
        if not -ndim <= dim < ndim:
            raise ValueError(
                f"{who}: Got in_dim={dim} for some input, but that input is a Tensor of dimensionality {ndim} so "
                f"expected in_dim to satisfy -{ndim} <= in_dim < {ndim}."
            )
        sizes.append(leaf._data.shape[dim])
    if not sizes:
        raise ValueError(f"{who}: at least one input must be mapped; all of in_dims are None")
    if len(set(sizes)) > 1:
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    return int(sizes[0])


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
        randomness: ``"same"`` lets every call draw the same random numbers; ``"different"`` and ``"error"`` do not.
        chunk_size: taken, and not used.

    Returns:
        The function.

    Raises:
        ValueError: by the function made: ``in_dims`` does not fit its arguments, their sizes differ, or ``func``
            returned something that is no tensor.

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
    who = f"vmap({getattr(func, '__name__', func)}, in_dims={in_dims}, ...)(<inputs>)"

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        if not isinstance(in_dims, (int, tuple, list)):
            raise ValueError(
                f"{who}: expected `in_dims` to be int or a (potentially nested) tuple matching the structure of "
                f"inputs, got: {type(in_dims)}."
            )
        leaves, structure = flatten(args)
        if not leaves:
            raise ValueError(
                f"{who}: got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a function "
                "with no inputs. The latter is unsupported."
            )
        dims = _spread(tuple(in_dims) if isinstance(in_dims, list) else in_dims, args, who)
        size = _batch_size(leaves, dims, who)
        state = get_rng_state() if randomness == "same" else None
        results: list[list[Any]] = []
        shape: Any = None
        for i in range(max(size, 1)):
            if state is not None:
                set_rng_state(state)
            slices = [leaf if d is None else _slice(leaf, d, i, size) for leaf, d in zip(leaves, dims, strict=True)]
            outputs, shape = flatten(func(*unflatten(structure, slices), **kwargs))
            results.append(outputs)
        return unflatten(shape, _stacked(results, out_dims, size, unflatten(shape, results[0]), who))

    return mapped


def _slice(leaf: Any, dim: int, i: int, size: int) -> Any:
    """Slice ``i``; of an empty batch a slice of zeros, which shows what shapes come out."""
    if size:
        return leaf.select(dim, i)
    return leaf.new_zeros([n for d, n in enumerate(leaf.shape) if d != dim % leaf.ndim])


def _stacked(results: list[list[Any]], out_dims: Dims, size: int, example: Any, who: str) -> list[Any]:
    dims = _spread(out_dims, example, who) if not isinstance(out_dims, int) else [out_dims] * len(results[0])
    stacked = []
    for n, dim in enumerate(dims):
        parts = [outputs[n] for outputs in results]
        if dim is None:
            stacked.append(parts[0])
            continue
        for part in parts:
            if not isinstance(part, TensorBase):
                raise ValueError(f"{who}: the function must only return Tensors, got type {type(part)}.")
        joined = ops.stack(parts, dim)
        stacked.append(joined if size else joined.narrow(dim, 0, 0))
    return stacked


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
