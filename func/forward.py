"""Derivatives along a direction: ``jvp``, ``linearize`` and ``jacfwd``, by forward mode."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

from ..autograd import ops
from ..autograd.forward_ad import without_tangent
from ..autograd.forward_mode import Level, carry, tangent_of
from ..autograd.grad_mode import mode
from ..autograd.transforms import within
from .batching import vmap
from .run import CALLS, Argnums, chosen, fitting, only_real, only_tensors, output_and_aux, outputs_of
from .tree import flatten, paths, unflatten

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
    points, directions, structure = fitting(primals, tangents, CALLS["jvp"])
    return _push(
        ("jvp", func), lambda *leaves: func(*unflatten(structure, leaves)), points, directions, has_aux, strict
    )


def _push(
    named: tuple[str, Any], run: Callable[..., Any], points: Any, directions: Any, has_aux: bool, strict: bool
) -> tuple[Any, ...]:
    """The value of ``run`` at the tensors ``points`` and the derivative, for the transform and function ``named``."""
    call, level = CALLS[named[0]], Level()
    with unwatched(), within(*named):
        level.begin()
        try:
            duals = [ops.view_as(p, p) for p in points]
            for dual, t in zip(duals, directions, strict=True):
                carry(dual, level, t)
            output, aux = run(*duals), None
            if has_aux:
                output, aux = output_and_aux(output, call)
                aux = _plain(aux, level)
            outputs, shape = outputs_of(output, call)
            along = [tangent_of(y, level) for y in outputs]
            values = [without_tangent(y, level) for y in outputs]
        finally:
            level.end()
    if strict and any(d is None for d in along):
        place = paths(shape, "output")[[d is None for d in along].index(True)]
        raise RuntimeError(
            f"jvp(f, primals, tangents, strict=True): The output of f is independent of the input at {place}. This is "
            "not allowed with strict=True; strict=False gives zeros"
        )
    along = [ops.zeros_like(y) if d is None else d for d, y in zip(along, values, strict=True)]
    value, derivative = unflatten(shape, values), unflatten(shape, along)
    return (value, derivative, aux) if has_aux else (value, derivative)


def _plain(tree: Any, level: Level) -> Any:
    leaves, structure = flatten(tree)
    only_tensors(leaves, structure, "aux")
    return unflatten(structure, [without_tangent(t, level) for t in leaves])


@contextlib.contextmanager
def unwatched() -> Iterator[None]:
    """A block whose tensors are normal within ``inference_mode``, too: rules may save them."""
    before, mode.fresh = mode.fresh, None
    try:
        yield
    finally:
        mode.fresh = before


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
    value = func(*primals)
    points, structure = flatten(primals)

    def along(*tangents: Any) -> Any:
        directions, given = flatten(tangents)
        if given != structure:
            raise RuntimeError(
                "Expected the tangents that the linearized function gets to have the same argspec as the primals. "
                f"primals: {structure}, tangents: {given}"
            )
        for p, t, path in zip(points, directions, paths(structure, "tangents"), strict=True):
            for what in ("shape", "dtype", "device"):
                if getattr(p, what) != getattr(t, what):
                    raise RuntimeError(
                        f"Expected {path} in flattened pytree doesn't match the {what} of the primal: it has "
                        f"{getattr(t, what)}, and the primal has {getattr(p, what)}"
                    )
        return jvp(func, primals, tangents)[1]

    return value, along


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
        only_real(points, structure, "jacfwd", "input")

        def at(*leaves: Any) -> Any:
            tree = unflatten(structure, leaves)
            given = list(args)
            for i, value in zip(numbers, tree if isinstance(argnums, tuple) else (tree,), strict=True):
                given[i] = value
            return func(*given, **kwargs)

        def push(*tangents: Any) -> Any:
            return _push(("jacfwd", func), at, points, tangents, has_aux, strict=False)[1:]

        columns, *aux = vmap(push, randomness=randomness, out_dims=(-1, None) if has_aux else -1)(*_basis(points))
        outputs, shape = flatten(columns)
        only_real(outputs, shape, "jacfwd", "output")
        sizes = [p._data.size for p in points]
        blocks = [
            [b.reshape((*y.shape[:-1], *p.shape)) for b, p in zip(y.split(sizes, -1), points, strict=True)]
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
        found.append(block.reshape((total, *p.shape)))
        start += p._data.size
    return found
