"""``custom_jvp`` and ``custom_vjp``: functions whose derivative is written by hand, with the names of JAX.

Both write one direction, and have the other from it: a derivative is linear, and the gradient of a linear function is
its transpose.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..autograd import ops
from ..autograd.base import TensorBase, edge_of
from ..autograd.entries import gradients_of
from ..autograd.function import Function
from ..autograd.grad_mode import enable_grad, mode
from ..autograd.transforms import name_of
from ..backends.errors import ArgumentError
from .tree import Structure, flatten, paths, unflatten

__all__ = ["custom_jvp", "custom_vjp"]


class _Custom:
    """A function with a derivative of its own: what both kinds share.

    Args:
        func: of trees of tensors and other things; returns a tree of tensors.
        nondiff_argnums: positions of arguments that are no tensors, and which the rules get by themselves.
    """

    def __init__(self, func: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        self.func, self.nondiff = func, tuple(nondiff_argnums)
        functools.update_wrapper(self, func)

    def _check_defined(self) -> None:
        raise NotImplementedError

    def __call__(self, *args: Any) -> Any:
        self._check_defined()
        constants = [args[i] for i in self.nondiff]
        leaves, structure = flatten(tuple([a for i, a in enumerate(args) if i not in self.nondiff]))
        call = _Call(self, constants, leaves, structure)
        results = _Rule.apply(call, *[leaves[i] for i in call.places])
        return unflatten(call.shape, results)

    def _given(self, constants: Sequence[Any], values: Sequence[Any]) -> list[Any]:
        """All arguments in their order."""
        rest, given = iter(values), iter(constants)
        count = len(constants) + len(values)
        return [next(given) if i in self.nondiff else next(rest) for i in range(count)]


class _Call:
    """One call: where its tensors are among the leaves of its arguments, and what it returned."""

    def __init__(self, custom: Any, constants: list[Any], leaves: list[Any], structure: Structure) -> None:
        self.custom, self.constants, self.structure = custom, constants, structure
        self.places = [i for i, x in enumerate(leaves) if isinstance(x, TensorBase) and x._data.dtype.kind in "fcV"]
        self.others = [None if i in self.places else x for i, x in enumerate(leaves)]
        self.shape: Any = None  # of the result
        self.kept: Any = None  # what forward left for the rule
        self.levels = (
            mode.levels
        )  # those of vmap that it runs in: its gradient is one of them, whenever it is asked for

    def filled(self, tensors: Sequence[Any], others: Sequence[Any]) -> Any:
        """The differentiable arguments, with ``tensors`` in their places."""
        leaves = list(others)
        for i, t in zip(self.places, tensors, strict=True):
            leaves[i] = t
        return unflatten(self.structure, leaves)

    def results(self, tree: Any, what: str) -> tuple[Any, ...]:
        """The tensors of what a rule returned for the result."""
        leaves, shape = flatten(tree)
        if self.shape is None:
            self.shape = shape
        if shape != self.shape or not all(isinstance(x, TensorBase) for x in leaves):
            raise ArgumentError(
                f"{name_of(self.custom.func)}: {what} must return tensors in the structure of the function's result, "
                f"{self.shape}, got {shape} of {[type(x).__name__ for x in leaves]}"
            )
        return tuple(leaves)


class _Rule(Function):
    """The node of one call."""

    @staticmethod
    def forward(ctx: Any, call: _Call, *tensors: Any) -> Any:
        ctx.call = call
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)
        return call.results(call.custom._forward(call, tensors), "the function")

    @staticmethod
    def backward(ctx: Any, *gs: Any) -> Any:
        call, record = ctx.call, mode.grad
        tensors = ctx.saved_tensors
        before, mode.levels = mode.levels, call.levels
        try:
            return (None, *call.custom._pull(call, tensors, gs, record))
        finally:
            mode.levels = before

    @staticmethod
    def jvp(ctx: Any, _: Any, *dots: Any) -> Any:
        call, tensors = ctx.call, ctx.saved_tensors
        dots = tuple([ops.zeros_like(t) if d is None else d for t, d in zip(tensors, dots, strict=True)])
        return call.custom._push(call, tensors, dots)


def _transposed(linear: Callable[..., Any], like: Sequence[Any], gs: Sequence[Any], record: bool) -> list[Any]:
    """The transpose of a linear function of tensors like ``like``, applied to ``gs``."""
    with enable_grad():
        zeros = [ops.zeros_like(t.detach()).requires_grad_() for t in like]
        outputs = linear(*zeros)
        pairs = [(o, g) for o, g in zip(outputs, gs, strict=True) if g is not None and edge_of(o) is not None]
    found: list[Any] = [None] * len(zeros)
    if pairs:
        found = gradients_of([o for o, _ in pairs], [g for _, g in pairs], zeros, True, record)
    return [ops.zeros_like(t.detach()) if g is None else g for t, g in zip(like, found, strict=True)]


class custom_jvp(_Custom):
    """A function whose derivative along a direction is written by hand.

    ``f.defjvp(rule)`` (a decorator, too) says how: ``rule(primals, tangents)`` returns the value and the derivative,
    linear in the tangents. Reverse mode transposes it; derivatives of the derivative are those of the rule.

    Args:
        func: of trees of tensors; returns a tree of tensors.
        nondiff_argnums: positions of arguments without derivative, which ``rule`` gets before the others.

    Raises:
        AttributeError: by a call before ``defjvp``. RuntimeError: the rule returns another structure.

    Example:
        >>> import wengert as wg
        >>> @wg.func.custom_jvp
        ... def log1pexp(x):
        ...     return wg.log(1 + wg.exp(x))
        >>> @log1pexp.defjvp
        ... def log1pexp_jvp(primals, tangents):
        ...     (x,), (dx,) = primals, tangents
        ...     return log1pexp(x), wg.sigmoid(x) * dx  # right for large x, too
        >>> wg.func.grad(log1pexp)(wg.tensor(100.0))
        tensor(1.)
    """

    rule: Any = None

    def defjvp(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Say what the derivative is: ``rule(*nondiff, primals, tangents)`` returns ``(value, derivative)``."""
        self.rule = rule
        return rule

    def defjvps(self, *rules: Callable[..., Any] | None) -> None:
        """The same by one rule for each argument: ``rule(tangent, value, *primals)``; None where there is none."""

        def rule(primals: Any, tangents: Any) -> Any:
            value = self(*primals)
            terms = [r(t, value, *primals) for r, t in zip(rules, tangents, strict=True) if r is not None]
            return value, functools.reduce(lambda a, b: a + b, terms)

        self.defjvp(rule)

    def _check_defined(self) -> None:
        if self.rule is None:
            raise AttributeError(f"No JVP defined for custom_jvp function {name_of(self.func)} using defjvp.")

    def _forward(self, call: _Call, tensors: Any) -> Any:
        return self.func(*self._given(call.constants, call.filled(tensors, call.others)))

    def _push(self, call: _Call, tensors: Any, dots: Any) -> Any:
        tangents = call.filled(dots, [None] * len(call.others))
        made = self.rule(*call.constants, call.filled(tensors, call.others), tangents)
        if not isinstance(made, tuple) or len(made) != 2:
            raise ArgumentError(
                f"{name_of(self.func)}: the rule given to defjvp must return a pair, the value and the derivative, got "
                f"{type(made)}"
            )
        return call.results(made[1], "the rule given to defjvp")

    def _pull(self, call: _Call, tensors: Any, gs: Any, record: bool) -> list[Any]:
        primals = tensors if record else [t.detach() for t in tensors]
        return _transposed(lambda *dots: self._push(call, primals, dots), tensors, gs, record)


class custom_vjp(_Custom):
    """A function whose gradient is written by hand.

    ``f.defvjp(fwd, bwd)`` says how: ``fwd(*args)`` returns the value and what to keep, ``bwd(kept, g)`` a tuple with
    the gradient of each argument. Forward mode transposes it; it can be differentiated again.

    Args:
        func: of trees of tensors; returns a tree of tensors.
        nondiff_argnums: positions of arguments without gradient, which ``bwd`` gets before the others.

    Raises:
        AttributeError: by a call before ``defvjp``. RuntimeError: ``bwd`` returns another structure.

    Example:
        >>> import wengert as wg
        >>> @wg.func.custom_vjp
        ... def clip_gradient(x):
        ...     return x
        >>> clip_gradient.defvjp(lambda x: (x, None), lambda kept, g: (g.clamp(-1, 1),))
        >>> wg.func.grad(lambda x: (5 * clip_gradient(x)).sum())(wg.ones(2))
        tensor([1., 1.])
    """

    fwd: Any = None
    bwd: Any = None

    def defvjp(self, fwd: Callable[..., Any], bwd: Callable[..., Any]) -> None:
        """Say what the gradient is: ``fwd(*args)`` returns ``(value, kept)``, ``bwd(*nondiff, kept, g)`` a tuple."""
        self.fwd, self.bwd = fwd, bwd

    def _check_defined(self) -> None:
        if self.bwd is None:
            raise AttributeError(f"No VJP defined for custom_vjp function {name_of(self.func)} using defvjp.")

    def _run(self, call: _Call, tensors: Any) -> Any:
        made = self.fwd(*self._given(call.constants, call.filled(tensors, call.others)))
        if not isinstance(made, tuple) or len(made) != 2:
            raise ArgumentError(
                f"{name_of(self.func)}: fwd given to defvjp must return a pair, the value and what bwd needs, got "
                f"{type(made)}"
            )
        return made

    def _forward(self, call: _Call, tensors: Any) -> Any:
        value, call.kept = self._run(call, tensors)
        return value

    def _gradients(self, call: _Call, kept: Any, gs: Sequence[Any]) -> list[Any]:
        found = self.bwd(*call.constants, kept, unflatten(call.shape, gs))
        leaves: list[Any] = []
        parts = list(call.structure.parts)
        given = found if isinstance(found, tuple) else (found,)
        if len(given) != len(parts):
            raise ArgumentError(
                f"{name_of(self.func)}: bwd given to defvjp must return a tuple with a gradient (or None) for each of "
                f"{len(parts)} arguments, got {len(given)}"
            )
        for i, (part, value) in enumerate(zip(parts, given, strict=True)):
            own, shape = ([None] * len(paths(part)), part) if value is None else flatten(value)
            if shape != part:
                raise ArgumentError(
                    f"{name_of(self.func)}: bwd given to defvjp returned {shape} for argument {i}, which is {part}"
                )
            leaves += own
        return [leaves[i] for i in call.places]

    def _pull(self, call: _Call, tensors: Any, gs: Any, record: bool) -> list[Any]:
        kept = self._run(call, tensors)[1] if record else call.kept  # recorded, what is kept depends on the arguments
        return self._gradients(call, kept, gs)

    def _push(self, call: _Call, tensors: Any, dots: Any) -> Any:
        value, kept = self._run(call, tensors)

        def linear(*gs: Any) -> list[Any]:
            found = self._gradients(call, kept, gs)
            return [ops.zeros_like(t) if g is None else g for t, g in zip(tensors, found, strict=True)]

        return tuple(_transposed(linear, flatten(value)[0], dots, mode.grad))
