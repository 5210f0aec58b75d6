"""Derivatives along a direction: ``jvp``, ``linearize`` and ``jacfwd``, by forward mode."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..autograd import ops
from ..autograd.base import TensorBase
from ..autograd.forward_ad import without_tangent
from ..autograd.forward_mode import Level, carry, tangent_of
from .batching import vmap
from .run import Argnums, chosen
from .tree import flatten, unflatten

__all__ = ["jacfwd", "jvp", "linearize"]


def jvp(
    func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> tuple[Any, ...]:
    """The value of ``func`` at ``primals``, and its derivative there along ``tangents``.

    Args:
        func: of the primals; returns a tensor or a tree of them, or that and ``aux``.
        primals: the arguments, a tuple.
        tangents: of the same structure and shapes.
        strict: raise where an output does not depend on the primals, instead of giving zeros.
        has_aux: ``func`` also returns a tree of tensors that is handed on undifferentiated.

    Returns:
        ``(value, derivative)``, or ``(value, derivative, aux)``.

    Raises:
        RuntimeError: primals and tangents do not fit together.

    Example:
        >>> import wengert as wg
        >>> wg.func.jvp(wg.sin, (wg.zeros(2),), (wg.tensor([1.0, 2.0]),))
        (tensor([0., 0.]), tensor([1., 2.]))
    """
    if not isinstance(primals, tuple):
        raise RuntimeError(
            f"jvp: Expected primals to be a tuple. E.g. it should be valid to call f(*primals), got {type(primals)}"
        )
    points, structure = flatten(primals)
    directions, other = flatten(tangents)
    if structure != other:
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals and tangents to have the same python structure. "
            f"Got primals and tangents with structure {structure} and {other}"
        )
    for p, t in zip(points, directions, strict=True):
        if p.shape != t.shape:
            raise RuntimeError(f"jvp: a primal of shape {list(p.shape)} has a tangent of shape {list(t.shape)}")
    level = Level()
    level.begin()
    try:
        duals = [ops.view_as(p, p) for p in points]
        for dual, t in zip(duals, directions, strict=True):
            carry(dual, level, t)
        output, aux = func(*unflatten(structure, duals)), None
        if has_aux:
            if not isinstance(output, tuple) or len(output) != 2:
                raise RuntimeError("jvp: with has_aux the function returns a pair: its output, and what is handed on")
            output, aux = output
        outputs, shape = flatten(output)
        for y in outputs:
            if not isinstance(y, TensorBase):
                raise RuntimeError(f"jvp(f, primals, tangents): Expected f to return only tensors, got {type(y)}")
        along = [tangent_of(y, level) for y in outputs]
        values = [without_tangent(y, level) for y in outputs]
        aux = None if aux is None else _plain(aux, level)
    finally:
        level.end()
    if strict and any(d is None for d in along):
        raise RuntimeError("jvp(f, primals, tangents, strict=True): an output of f is independent of the primals")
    along = [ops.zeros_like(y) if d is None else d for d, y in zip(along, values, strict=True)]
    value, derivative = unflatten(shape, values), unflatten(shape, along)
    return (value, derivative, aux) if has_aux else (value, derivative)


def _plain(tree: Any, level: Level) -> Any:
    leaves, structure = flatten(tree)
    return unflatten(structure, [without_tangent(t, level) if isinstance(t, TensorBase) else t for t in leaves])


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of ``func`` at ``primals``, and the function that takes a direction to the derivative along it.

    Args:
        func: of the primals.
        primals: the arguments.

    Example:
        >>> import wengert as wg
        >>> value, along = wg.func.linearize(wg.sin, wg.zeros(2))
        >>> along(wg.ones(2))
        tensor([1., 1.])
    """
    return func(*primals), lambda *tangents: jvp(func, primals, tangents)[1]


def jacfwd(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable[..., Any]:
    """A function that computes the Jacobian of ``func`` by forward mode, along all directions at once.

    It is faster than `jacrev` where there are fewer inputs than outputs.

    Args:
        func: returns a tensor or a tree of them.
        argnums: which positional arguments to differentiate by; each may be a tree of tensors.
        has_aux: ``func`` also returns a tree of tensors that is handed on undifferentiated.
        randomness: as `vmap` has it.

    Returns:
        A function of ``func``'s arguments; see `jacrev`.

    Example:
        >>> import wengert as wg
        >>> wg.func.jacfwd(lambda x: x**2)(wg.tensor([1.0, 3.0]))
        tensor([[2., 0.],
                [0., 6.]])
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        numbers = chosen(argnums, len(args))
        selected = tuple(args[i] for i in numbers)
        points, structure = flatten(selected if isinstance(argnums, tuple) else selected[0])

        def at(*leaves: Any) -> Any:
            tree = unflatten(structure, leaves)
            given = list(args)
            for i, value in zip(numbers, tree if isinstance(argnums, tuple) else (tree,), strict=True):
                given[i] = value
            return func(*given, **kwargs)

        def push(*tangents: Any) -> Any:
            return jvp(at, tuple(points), tangents, has_aux=has_aux)[1:]

        columns, *aux = vmap(push, randomness=randomness, out_dims=(-1, None) if has_aux else -1)(*_basis(points))
        outputs, shape = flatten(columns)
        sizes = [p._data.size for p in points]
        blocks = [
            [b.reshape(*y.shape[:-1], *p.shape) for b, p in zip(y.split(sizes, -1), points, strict=True)]
            for y in outputs
        ]
        jacobian = unflatten(shape, [unflatten(structure, block) for block in blocks])
        return (jacobian, *aux) if has_aux else jacobian

    return wrapper


def _basis(points: list[Any]) -> list[Any]:
    """Unit directions of all arguments together: for each argument (directions, *shape)."""
    total, start, found = sum(p._data.size for p in points), 0, []
    for p in points:
        block = ops.zeros((total, p._data.size), dtype=p.dtype, device=p.device)
        block[start : start + p._data.size] = ops.eye(p._data.size, dtype=p.dtype, device=p.device)
        found.append(block.reshape(total, *p.shape))
        start += p._data.size
    return found
