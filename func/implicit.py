"""Derivatives of what is defined by an equation: fixed points and roots, by the implicit function theorem.

The solver runs unrecorded, so its iterations cost no memory. Where ``F(y, theta) = 0`` defines ``y``, its derivative is
``-(dF/dy)^-1 dF/dtheta``: one linear system. The derivative is recorded in turn, with ``y`` as a function of ``theta``
again, so that there are derivatives of any order, in both modes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd import ops
from ..autograd.grad_mode import no_grad
from ..autograd.ops.linalg_solving import solve as linalg_solve
from ..backends.errors import ArgumentError
from .batching import vmap
from .custom import custom_jvp
from .derivatives import vjp
from .forward import jvp
from .run import outputs_of
from .tree import flatten, unflatten

__all__ = ["fixed_point", "root"]

Solve = Callable[..., Any]


def fixed_point(
    func: Callable[..., Any],
    init: Any,
    *args: Any,
    tol: float | None = None,
    max_iter: int = 1000,
    solver: Solve | None = None,
) -> Any:
    """``y`` with ``y = func(y, *args)``, differentiable by ``args``: gradients go through the equation, not the loop.

    Args:
        func: takes a tree of tensors and ``args``, and returns a tree like the first.
        init: where the iteration starts; no gradient goes to it.
        args: trees of tensors.
        tol: stop when no element changes by more; relative to the size of the elements, 1e-6 in float32, 1e-12 in
            float64.
        max_iter: how many times ``func`` may be called.
        solver: instead of plain iteration: ``solver(f, init)`` returns a fixed point of ``f``.

    Returns:
        ``y``, a tree like ``init``.

    Raises:
        RuntimeError: it does not come to rest, or ``func`` returns another structure.

    Example:
        >>> import wengert as wg
        >>> a = wg.tensor(2.0, dtype=wg.float64)
        >>> babylon = lambda y, a: (y + a / y) / 2
        >>> wg.func.fixed_point(babylon, wg.ones((), dtype=wg.float64), a)
        tensor(1.4142, dtype=wengert.float64)
        >>> wg.func.grad(lambda a: wg.func.fixed_point(babylon, wg.ones((), dtype=wg.float64), a))(a)
        tensor(0.3536, dtype=wengert.float64)

    References:
        Bai, Kolter, Koltun, "Deep Equilibrium Models", 2019; Blondel et al., "Efficient and Modular Implicit
        Differentiation", 2022.
    """
    _, shape = flatten(init)

    def step(y: Any, *given: Any) -> list[Any]:
        leaves, structure = flatten(func(y, *given))
        if structure != shape:
            raise ArgumentError(
                f"fixed_point: func must return a tree like init. init: {shape}, func(init, *args): {structure}"
            )
        return leaves

    def residual(y: Any, *given: Any) -> Any:
        return unflatten(shape, [a - b for a, b in zip(step(y, *given), flatten(y)[0], strict=True)])

    def search(_: Any, start: Any, given: tuple[Any, ...]) -> Any:
        def f(y: Any) -> Any:
            return unflatten(shape, step(y, *given))

        return solver(f, start) if solver is not None else _iterate(f, start, tol, max_iter)

    return _implicit("fixed_point", residual, search, init, args)


def root(
    func: Callable[..., Any],
    init: Any,
    *args: Any,
    tol: float | None = None,
    max_iter: int = 100,
    solver: Solve | None = None,
) -> Any:
    """``y`` with ``func(y, *args) = 0``, by Newton's method, differentiable by ``args`` through the equation.

    Args:
        func: takes a tree of tensors and ``args``, and returns a tree of as many elements.
        init: where the search starts; no gradient goes to it.
        args: trees of tensors.
        tol: stop when no element changes by more, as `fixed_point` has it.
        max_iter: how many steps there may be.
        solver: instead of Newton's method: ``solver(f, init)`` returns a root of ``f``.

    Returns:
        ``y``, a tree like ``init``.

    Raises:
        RuntimeError: it does not come to rest.

    Example:
        >>> import wengert as wg
        >>> f = lambda y, a: y**3 - a
        >>> a = wg.tensor([8.0, 27.0])
        >>> wg.func.root(f, wg.ones(2), a)
        tensor([2., 3.])
        >>> wg.func.jvp(lambda a: wg.func.root(f, wg.ones(2), a), (a,), (wg.ones(2),))[1]
        tensor([0.0833, 0.0370])
    """

    def search(f: Any, start: Any, given: tuple[Any, ...]) -> Any:
        if solver is not None:
            return solver(lambda y: func(y, *given), start)
        return _newton(lambda y: func(y, *given), start, tol, max_iter)

    return _implicit("root", func, search, init, args)


def _implicit(name: str, residual: Any, search: Any, init: Any, args: tuple[Any, ...]) -> Any:
    """What ``search`` finds, with the derivative of ``residual(y, *args) = 0``."""
    points, structure = flatten(args)
    start, shape = flatten(init)
    outputs_of(init, f"{name}(f, init, *args)")

    @custom_jvp
    def found(*leaves: Any) -> Any:
        given = unflatten(structure, leaves)
        with no_grad():
            y = search(residual, unflatten(shape, [s.detach() for s in start]), given)
        return tuple(flatten(y)[0])

    @found.defjvp
    def derivative(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        ys = found(*primals)  # differentiable again: the derivative is one of y and the arguments
        given = unflatten(structure, primals)
        _, along = jvp(lambda *leaves: residual(unflatten(shape, ys), *unflatten(structure, leaves)), primals, tangents)
        right = [-t for t in flatten(along)[0]]
        return ys, tuple(_solve(lambda *y: residual(unflatten(shape, y), *given), ys, right))

    return unflatten(shape, found(*points))


def _solve(f: Any, at: Any, right: list[Any]) -> list[Any]:
    """``v`` with ``J v = right``, where ``J`` is the Jacobian of ``f``: an exact solution of the dense system."""
    sizes = [y._data.size for y in at]
    total = sum(sizes)
    if not total:
        return list(right)
    matrix = _jacobian(f, at, sizes)
    flat = ops.cat([r.reshape(-1) for r in right])
    solution = linalg_solve(matrix, flat)
    return [part.reshape(y.shape) for part, y in zip(solution.split(sizes), at, strict=True)]


def _jacobian(f: Any, at: Any, sizes: list[int]) -> Any:
    """The Jacobian as one matrix, row by row, recorded where the caller differentiates."""
    outputs, pull = vjp(lambda *y: tuple(flatten(f(*y))[0]), *at)
    total = sum([o._data.size for o in outputs])
    basis = ops.eye(total, dtype=outputs[0].dtype, device=outputs[0].device)

    def row(g: Any) -> Any:
        parts = g.split([o._data.size for o in outputs])
        pulled = pull(tuple([p.reshape(o.shape) for p, o in zip(parts, outputs, strict=True)]))
        return ops.cat([p.reshape(-1) for p in pulled])

    return vmap(row)(basis)


def _tolerance(leaves: list[Any], tol: float | None) -> float:
    if tol is not None:
        return tol
    return 1e-12 if all(leaf._data.dtype.itemsize >= 8 for leaf in leaves) else 1e-6


def _at_rest(old: list[Any], new: list[Any], tol: float) -> bool:
    from ..backends.batched import all_in

    return all(all_in((abs(b - a) <= tol * (1 + abs(b)))._data) for a, b in zip(old, new, strict=True))


def _iterate(f: Any, y: Any, tol: float | None, max_iter: int) -> Any:
    old, shape = flatten(y)
    limit = _tolerance(old, tol)
    for _ in range(max_iter):
        new = flatten(f(unflatten(shape, old)))[0]
        if _at_rest(old, new, limit):
            return unflatten(shape, new)
        old = new
    raise ArgumentError(
        f"fixed_point: func did not come to rest in max_iter={max_iter} steps; is it a contraction near init? Damp it "
        "(return 0.5 * y + 0.5 * f(y)), raise tol or max_iter, or give a solver"
    )


def _newton(f: Any, y: Any, tol: float | None, max_iter: int) -> Any:
    old, shape = flatten(y)
    limit = _tolerance(old, tol)

    def flat(*leaves: Any) -> list[Any]:
        return flatten(f(unflatten(shape, leaves)))[0]

    for _ in range(max_iter):
        step = _solve(lambda *leaves: tuple(flat(*leaves)), old, flat(*old))
        new = [a - s for a, s in zip(old, step, strict=True)]
        if _at_rest(old, new, limit):
            return unflatten(shape, new)
        old = new
    raise ArgumentError(
        f"root: Newton's method did not come to rest in max_iter={max_iter} steps; start closer to the root, raise tol "
        "or max_iter, or give a solver"
    )
