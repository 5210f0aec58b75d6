"""``grad``, ``grad_and_value``, ``vjp``, ``jacrev``, ``hessian``, ``hvp``: functions made of functions.

A derivative that is taken again is recorded by the backward pass itself, so all of them nest to any order.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..autograd import ops
from ..autograd.base import TensorBase, edge_of
from ..autograd.batched_backward import jacobian_of
from ..autograd.grad_mode import mode
from ..backends.batched import BatchError
from ..backends.errors import ArgumentError, InvalidValueError, ShapeError
from .batching import vmap
from .run import Argnums, Run, fitting, only_real
from .tree import flatten, paths, unflatten

__all__ = ["grad", "grad_and_value", "hessian", "hvp", "jacrev", "vjp"]


def grad_and_value(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that computes the gradient of ``func`` and its value.

    Args:
        func: returns a 0-d tensor, or ``(tensor, aux)``.
        argnums: which positional arguments to differentiate by; each may be a tree of tensors.
        has_aux: ``func`` also returns a tree of tensors that is handed on undifferentiated.

    Returns:
        A function of ``func``'s arguments that returns ``(gradient, value)``, or ``(gradient, (value, aux))``. The
        gradient has the structure of the argument, in a tuple if ``argnums`` is one.

    Raises:
        RuntimeError: by the function made: ``func`` returns no scalar, or ``argnums`` do not fit its arguments.

    Example:
        >>> import wengert as wg
        >>> wg.func.grad_and_value(lambda x: x * x)(wg.tensor(3.0))
        (tensor(6.), tensor(9.))
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        run = Run("grad", func, args, kwargs, argnums, has_aux)
        value = run.output
        if not isinstance(value, TensorBase):
            raise ArgumentError(
                f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {type(value)}; return other "
                "values as aux, with has_aux=True"
            )
        if value._data.ndim:
            raise ShapeError(
                f"grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with "
                f"{value._data.ndim} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
            )
        create = run.seen_outside([value])
        gradient = run.released(run.arranged(run.pull([value], [None], retain=create, create=create)))
        value = run.released(value)
        return (gradient, (value, run.aux)) if has_aux else (gradient, value)

    return wrapper


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that computes the gradient of ``func``, which returns a 0-d tensor.

    Args:
        func: returns a 0-d tensor, or ``(tensor, aux)``.
        argnums: which positional arguments to differentiate by; each may be a tree of tensors.
        has_aux: ``func`` also returns a tree of tensors that is handed on undifferentiated.

    Returns:
        A function of ``func``'s arguments that returns the gradient, or ``(gradient, aux)``.

    Raises:
        RuntimeError: as `grad_and_value`.

    Example:
        >>> import wengert as wg
        >>> wg.func.grad(wg.func.grad(wg.sin))(wg.tensor(0.5)) + wg.sin(wg.tensor(0.5))
        tensor(0.)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        gradient, rest = both(*args, **kwargs)
        return (gradient, rest[1]) if has_aux else gradient

    return wrapper


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """``func(*primals)``, and a function that multiplies a vector by its Jacobian.

    Args:
        func: returns a tree of tensors, or ``(tree, aux)``.
        primals: where, each a tree of tensors.
        has_aux: ``func`` also returns a tree of tensors that is handed on undifferentiated.

    Returns:
        ``(output, vjp_fn)``, or ``(output, vjp_fn, aux)``. ``vjp_fn(cotangents)`` takes a tree like the output's and
        returns a tuple with one gradient for each of ``primals``; it can be called again.

    Raises:
        RuntimeError: the output holds no tensors only; by ``vjp_fn``: the cotangents are of another structure or shape.

    Example:
        >>> import wengert as wg
        >>> y, pull = wg.func.vjp(lambda a, b: a * b, wg.tensor([1.0, 2.0]), wg.tensor([3.0, 4.0]))
        >>> y, pull(wg.ones(2))
        (tensor([3., 8.]), (tensor([3., 4.]), tensor([1., 2.])))
    """
    run = Run("vjp", func, primals, {}, None, has_aux)
    outputs, structure = run.outputs()

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        gs, given = flatten(cotangents)
        if given != structure:
            raise ArgumentError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the "
                f"function. cotangents: {given}, primal output: {structure}"
            )
        for o, g, path in zip(outputs, gs, paths(structure, "cotangents"), strict=True):
            if not isinstance(g, TensorBase):
                raise TypeError(
                    f"gradients can be either Tensors or None, but got {type(g).__name__}: {path} of the function that "
                    "vjp returned must be a tensor like the output"
                )
            if g._data.shape != o._data.shape:
                raise ShapeError(
                    f"Mismatch in shape: {path} has a shape of {list(g.shape)} and the output of vjp's function a "  # type: ignore[attr-defined]
                    f"shape of {list(o.shape)}; give a cotangent of the output's shape"
                )
        create = create_graph
        if create is None:
            create = mode.grad and (run.seen_outside(outputs) or any(edge_of(g) is not None for g in gs))
        return run.released(run.arranged(run.pull(outputs, gs, retain_graph, create)))

    value = run.released(run.output)
    return (value, vjp_fn, run.aux) if has_aux else (value, vjp_fn)


def jacrev(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """A function that computes the Jacobian of ``func``: one walk back for all elements of its output.

    Args:
        func: returns a tree of tensors, or ``(tree, aux)``.
        argnums: which positional arguments to differentiate by; each may be a tree of tensors.
        has_aux: ``func`` also returns a tree of tensors that is handed on undifferentiated.
        chunk_size: how many rows are computed at once, all unless told.
        _preallocate_and_copy: for PyTorch's sake.

    Returns:
        A function of ``func``'s arguments. Where ``func`` returns a tensor it returns, for each tensor of the argument,
        one of shape ``output.shape + argument.shape``; of a tree it returns a tree of those.

    Raises:
        ValueError: ``chunk_size`` is not positive. RuntimeError: by the function made, as `vjp`.

    Example:
        >>> import wengert as wg
        >>> wg.func.jacrev(lambda x: x * x)(wg.tensor([1.0, 2.0]))
        tensor([[2., 0.],
                [0., 4.]])
    """
    if chunk_size is not None and chunk_size <= 0:
        raise InvalidValueError(f"jacrev: `chunk_size` should be greater than 0. Got {chunk_size}")

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        run = Run("jacrev", func, args, kwargs, argnums, has_aux)
        only_real(run.inputs, run.structure, "jacrev", "input")
        outputs, structure = run.outputs()
        only_real(outputs, structure, "jacrev", "output")
        jacobian = unflatten(structure, [run.arranged(_rows(run, output, chunk_size)) for output in outputs])
        return (jacobian, run.aux) if has_aux else jacobian

    return wrapper


def _rows(run: Run, output: Any, chunk: int | None) -> list[Any]:
    """The Jacobian of one output by every input of ``run``."""
    size, create = output._data.size, run.seen_outside([output])
    if not size:
        return [ops.zeros((*output.shape, *x.shape), dtype=x.dtype, device=x.device) for x in run.inputs]
    basis = ops.eye(size, dtype=output.dtype, device=output.device).reshape(size, *output.shape)
    if size == 1 or chunk == 1 or edge_of(output) is None:
        rows = [run.pull([output], [basis[i]], retain=True, create=create) for i in range(size)]
        blocks = [ops.stack(column) for column in zip(*rows, strict=True)]
    elif create:
        blocks = _recorded_rows(run, output, basis, chunk)
    else:
        blocks = jacobian_of(output, basis, run.inputs, chunk)
    return run.released(  # type: ignore[no-any-return]
        [b.reshape((*output.shape, *x.shape)) for b, x in zip(blocks, run.inputs, strict=True)]
    )


def _recorded_rows(run: Run, output: Any, basis: Any, chunk: int | None) -> list[Any]:
    """All rows in one recorded walk, or one by one where a rule does not take many."""

    def row(g: Any) -> list[Any]:
        return run.pull([output], [g], retain=True, create=True)

    try:
        return vmap(row, chunk_size=chunk)(basis)  # type: ignore[no-any-return]
    except BatchError:
        return [ops.stack(column) for column in zip(*[row(g) for g in basis], strict=True)]


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that computes the second derivatives of ``func``: the Jacobian of its Jacobian.

    Args:
        func: returns a tree of tensors; most often one scalar.
        argnums: which positional arguments to differentiate by; each may be a tree of tensors.

    Returns:
        A function of ``func``'s arguments; of a scalar by one tensor ``x`` it gives the shape ``x.shape + x.shape``.

    Example:
        >>> import wengert as wg
        >>> wg.func.hessian(lambda x: (x**3).sum())(wg.tensor([1.0, 2.0]))
        tensor([[ 6.,  0.],
                [ 0., 12.]])
    """
    return jacrev(jacrev(func, argnums), argnums)


def hvp(func: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    """The product of the Hessian of ``func`` at ``primals`` with ``tangents``: two walks, and no matrix.

    Args:
        func: returns a 0-d tensor.
        primals: its arguments, a tuple of trees of tensors.
        tangents: the vector, of the same structure and shapes.

    Returns:
        A tuple like ``primals``.

    Raises:
        RuntimeError: ``func`` returns no scalar, or primals and tangents do not fit together.

    Example:
        >>> import wengert as wg
        >>> wg.func.hvp(lambda x: (x**3).sum(), (wg.tensor([1.0, 2.0]),), (wg.ones(2),))
        (tensor([ 6., 12.]),)

    References:
        Pearlmutter, "Fast Exact Multiplication by the Hessian", 1994.
    """
    points, directions, structure = fitting(primals, tangents, "hvp(f, primals, tangents)")

    def slope(*leaves: Any) -> Any:
        arguments = unflatten(structure, leaves)
        gradients = flatten(grad(func, argnums=tuple(range(len(arguments))))(*arguments))[0]
        return sum([(g * v).sum() for g, v in zip(gradients, directions, strict=True)])

    return unflatten(structure, grad(slope, argnums=tuple(range(len(points))))(*points))
