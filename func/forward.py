"""Derivatives along a direction: ``jvp``, ``linearize`` and ``jacfwd``, by walking back twice.

There is no forward mode here. The gradient is linear in what it is called with, so its own gradient is the derivative
along a direction: the result is PyTorch's, at the cost of a second backward pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..autograd import ops
from ..autograd.api import grad as gradients
from ..autograd.base import TensorBase
from ..autograd.grad_mode import enable_grad, mode
from .derivatives import jacrev, vjp
from .tree import flatten, unflatten

if TYPE_CHECKING:
    from .run import Argnums

__all__ = ["jacfwd", "jvp", "linearize"]


def jvp(
    func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> tuple[Any, ...]:
    """The value of ``func`` at ``primals``, and its derivative there along ``tangents``.

    Args:
        func: of the primals; returns a tensor or a tree of them, or that and ``aux``.
        primals: the arguments, a tuple.
        tangents: of the same structure and shapes.
        strict: taken, and not used.
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
    value, pull, *aux = vjp(func, *primals, has_aux=has_aux)
    outputs, shape = flatten(value)
    with enable_grad():
        cotangents = [ops.zeros_like(y).requires_grad_() for y in outputs]
        found: list[Any] = flatten(pull(unflatten(shape, cotangents)))[0]
        pairs = zip(found, directions, strict=True)
        used: list[Any] = [(g, t) for g, t in pairs if isinstance(g, TensorBase) and g.requires_grad]  # type: ignore[attr-defined]
    seen = mode.grad and any(t.requires_grad for t in (*points, *directions))
    along: list[Any] = [None] * len(outputs)
    if used:
        along = list(
            gradients([g for g, _ in used], cotangents, [t for _, t in used], create_graph=seen, allow_unused=True)
        )
    along = [ops.zeros_like(y) if d is None else d for d, y in zip(along, outputs, strict=True)]
    return (value, unflatten(shape, along), *aux)


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
    """`jacrev`: a function that computes the Jacobian of ``func``; the two differ in PyTorch in how they get there.

    Args:
        func: returns a tensor or a tree of them.
        argnums: which positional arguments to differentiate by.
        has_aux: ``func`` also returns a tree of tensors that is handed on undifferentiated.
        randomness: taken, and not used.

    Example:
        >>> import wengert as wg
        >>> wg.func.jacfwd(lambda x: x**2)(wg.tensor([1.0, 3.0]))
        tensor([[2., 0.],
                [0., 6.]])
    """
    return jacrev(func, argnums, has_aux=has_aux)
