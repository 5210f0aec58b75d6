"""Products with the Jacobian and the Hessian of a function of tensors, and these matrices themselves.

The functions take a tensor or a tuple of them as the inputs, and the function given may return either. Unless
``create_graph`` is set, what comes back is outside the graph. With ``strict`` a result that does not depend on an
input is an error instead of zeros.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from ..backends.errors import ArgumentError
from . import ops
from .batched_backward import jacobian_of
from .functional_calls import CONSTANT, FLAT, INDEPENDENT, Call, gradients_kept, tensors_of
from .grad_mode import enable_grad

if TYPE_CHECKING:
    from .tensor import Tensor

    Tensors: TypeAlias = Tensor | tuple[Tensor, ...]

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def vjp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """``func(*inputs)``, and the product ``vᵀ J`` of a vector with the Jacobian there.

    Args:
        func: takes tensors, returns a tensor or a tuple of them.
        inputs: where.
        v: like the outputs; None means 1, for a single element.
        create_graph: record the results.
        strict: raise if an output does not depend on an input.

    Returns:
        The outputs, and the products, like ``inputs``.

    Raises:
        RuntimeError: ``v`` does not fit, or ``strict``. TypeError: something is no tensor.

    Example:
        >>> import wengert as wg
        >>> wg.autograd.functional.vjp(lambda x: x * x, wg.tensor([1.0, 2.0]), wg.ones(2))
        (tensor([1., 4.]), tensor([2., 4.]))
    """
    with enable_grad():
        call = Call(func, inputs, "vjp", create_graph, strict)
        gs = call.vector(v, call.outputs, call.one_output, "the user-provided function returns")
        gradients = call.pull(call.outputs, gs, INDEPENDENT)
        if create_graph:
            call.check_recorded(gradients, CONSTANT)
        return call.values(), call.given_back(gradients, call.one_input)


def jvp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """``func(*inputs)``, and the product ``J v`` of the Jacobian there with a vector, by two walks back.

    ``uᵀ J`` is linear in ``u``, so its own vector-Jacobian product by ``u``, with the vector ``v``, is ``J v``.

    Args:
        func: takes tensors, returns a tensor or a tuple of them.
        inputs: where.
        v: like the inputs; None means 1, for a single element.
        create_graph: record the results.
        strict: raise if an output does not depend on an input.

    Returns:
        The outputs, and the products, like the outputs.

    Raises:
        RuntimeError: ``v`` does not fit, or ``strict``. TypeError: something is no tensor.

    Example:
        >>> import wengert as wg
        >>> wg.autograd.functional.jvp(lambda x: x * x, wg.tensor([1.0, 2.0]), wg.ones(2))
        (tensor([1., 4.]), tensor([2., 4.]))
    """
    with enable_grad():
        call = Call(func, inputs, "jvp", create_graph, strict)
        vs = call.vector(v, call.inputs, call.one_input, "the input to the user-provided function is")
        us = [ops.zeros_like(o).requires_grad_() for o in call.outputs]
        pulled = call.pull(call.outputs, us, INDEPENDENT, record=True)
        if create_graph:
            # A gradient depends on ``u`` in any case; whether it also depends on the input shows without it.
            plain = call.pull(call.outputs, [ops.zeros_like(o) for o in call.outputs], INDEPENDENT, record=True)
            call.check_recorded(plain, CONSTANT)
        found = gradients_kept(pulled, vs, us, create_graph)
        products = [ops.zeros_like(o) if g is None else g for o, g in zip(call.outputs, found, strict=True)]
        return call.values(), call.given_back(products, call.one_output)


def jacobian(
    func: Callable[..., Any],
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of ``func``: one walk back for all elements of an output at once.

    Args:
        func: takes tensors, returns a tensor or a tuple of them.
        inputs: where.
        create_graph: record the result, which is computed row by row then.
        strict: raise if an output does not depend on an input; row by row, too.
        vectorize: whether PyTorch computes the rows at once; here it makes no difference.
        strategy: ``"reverse-mode"``; ``"forward-mode"``, which goes with ``vectorize``, walks back too.

    Returns:
        A tensor of shape ``output.shape + input.shape``; a tuple of them for several inputs or for several outputs,
        and a tuple of tuples, outputs first, for both.

    Raises:
        RuntimeError: ``strict``, or ``strict`` together with ``vectorize``. NotImplementedError: another strategy.

    Example:
        >>> import wengert as wg
        >>> wg.autograd.functional.jacobian(lambda x: x * x, wg.tensor([1.0, 2.0]))
        tensor([[2., 0.],
                [0., 4.]])
    """
    _check_strategy(strategy, vectorize)
    if strategy == "forward-mode" and create_graph:
        raise NotImplementedError(
            'jacobian: `create_graph=True` and `strategy="forward-mode"` are not supported together (yet). Please '
            'either set `create_graph=False` or `strategy="reverse-mode"`.'
        )
    if strict and vectorize:
        raise ArgumentError(
            "jacobian: `strict=True` and `vectorized=True` are not supported together. Please either set "
            "`strict=False` or `vectorize=False`."
        )
    with enable_grad():
        call = Call(func, inputs, "jacobian", create_graph, strict)
        blocks = tuple(
            call.given_back(_jacobian_of(call, i, output), call.one_input) for i, output in enumerate(call.outputs)
        )
        return blocks[0] if call.one_output else blocks


def _jacobian_of(call: Call, i: int, output: Any) -> list[Any]:
    """The Jacobian of one output by every input."""
    size = output._data.size
    basis = ops.eye(size, dtype=output.dtype, device=output.device).reshape(size, *output.shape)
    missing = f"Output {i} of the user-provided function is independent of input {{i}}."
    if size > 1 and not call.create_graph and not call.strict and output.requires_grad:
        return jacobian_of(output, basis, call.inputs)
    rows = [call.pull([output], [basis[j]], missing) for j in range(size)]
    if call.create_graph:
        for row in rows:
            call.check_recorded(row, CONSTANT)
    shapes = [(*output.shape, *x.shape) for x in call.inputs]
    if not rows:
        return [ops.zeros(shape, dtype=x.dtype, device=x.device) for shape, x in zip(shapes, call.inputs, strict=True)]
    return [ops.stack(column).reshape(shape) for column, shape in zip(zip(*rows, strict=True), shapes, strict=True)]


def _check_strategy(strategy: str, vectorize: bool) -> None:
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs '
            'than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".'
        )
    if strategy == "forward-mode" and not vectorize:
        raise NotImplementedError(
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian is"
            "only implemented for `vectorize=True`."
        )


def hessian(
    func: Callable[..., Any],
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of a function that returns one element: the Jacobian of its gradient.

    Args:
        func: takes tensors, returns a tensor with one element.
        inputs: where.
        create_graph: record the result.
        strict: raise if the gradient does not depend on an input.
        vectorize: whether PyTorch computes the rows at once; they are computed one by one here.
        outer_jacobian_strategy: as ``strategy`` of `jacobian`.

    Returns:
        A tensor of shape ``input.shape + input.shape``, or for a tuple of inputs a tuple of tuples of them.

    Raises:
        RuntimeError: more than one element, or ``strict``. NotImplementedError: another strategy.

    Example:
        >>> import wengert as wg
        >>> wg.autograd.functional.hessian(lambda x: (x**3).sum(), wg.tensor([1.0, 2.0]))
        tensor([[ 6.,  0.],
                [ 0., 12.]])
    """
    _check_strategy(outer_jacobian_strategy, vectorize)
    tensors_of(inputs, "inputs", "hessian")

    def gradient(*xs: Any) -> tuple[Any, ...]:
        call = Call(func, xs, "hessian", True, strict)
        gradients = call.pull([call.scalar().reshape(())], [None], INDEPENDENT)
        call.check_recorded(gradients, FLAT)
        return tuple(gradients)

    given = inputs if isinstance(inputs, tuple) else (inputs,)
    rows = jacobian(gradient, given, create_graph, strict, vectorize)
    return rows if isinstance(inputs, tuple) else rows[0][0]


def vhp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """``func(*inputs)``, and the product ``vᵀ H`` of a vector with the Hessian there: two walks, no matrix.

    Args:
        func: takes tensors, returns a tensor with one element.
        inputs: where.
        v: like the inputs; None means 1, for a single element.
        create_graph: record the results.
        strict: raise if a derivative does not depend on an input.

    Returns:
        The output, and the products, like ``inputs``.

    Raises:
        RuntimeError: more than one element, ``v`` does not fit, or ``strict``.

    Example:
        >>> import wengert as wg
        >>> wg.autograd.functional.vhp(lambda x: (x**3).sum(), wg.tensor([1.0, 2.0]), wg.ones(2))
        (tensor(9.), tensor([ 6., 12.]))

    References:
        Pearlmutter, "Fast Exact Multiplication by the Hessian", 1994.
    """
    return _with_hessian("vhp", func, inputs, v, create_graph, strict)


def hvp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """``func(*inputs)``, and the product ``H v`` of the Hessian there with a vector.

    The Hessian is symmetric, so this is `vhp`.

    Args:
        func: takes tensors, returns a tensor with one element.
        inputs: where.
        v: like the inputs; None means 1, for a single element.
        create_graph: record the results.
        strict: raise if a derivative does not depend on an input.

    Returns:
        The output, and the products, like ``inputs``.

    Raises:
        RuntimeError: as `vhp`.

    Example:
        >>> import wengert as wg
        >>> wg.autograd.functional.hvp(lambda x: (x**3).sum(), wg.tensor([1.0, 2.0]), wg.ones(2))
        (tensor(9.), tensor([ 6., 12.]))
    """
    return _with_hessian("hvp", func, inputs, v, create_graph, strict)


def _with_hessian(
    who: str, func: Callable[..., Any], inputs: Any, v: Any, create_graph: bool, strict: bool
) -> tuple[Any, Any]:
    with enable_grad():
        call = Call(func, inputs, who, create_graph, strict)
        vs = call.vector(v, call.inputs, call.one_input, "the input to the user-provided function is")
        gradients = call.pull([call.scalar()], [None], INDEPENDENT, record=True)
        call.check_recorded(gradients, FLAT)
        products = call.pull(gradients, vs, FLAT)
        return call.values(), call.given_back(products, call.one_input)
