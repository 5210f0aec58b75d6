"""``gradcheck`` and ``gradgradcheck``: gradients compared with finite differences.

Everything is compared in real numbers: a complex entry counts as two, its real and its imaginary part. With
``L = Re(sum(conj(v) * f(z)))`` the gradient that backward gives for ``z = x + iy`` is ``dL/dx + i dL/dy``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from ..backends import backend_of, get_backend
from ..backends.sparse import SparseArray
from . import gradcheck_levels as levels
from .api import grad
from .base import TensorBase, wrap

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """A gradient that finite differences do not confirm."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Compare the gradients of ``func`` with central differences.

    Args:
        func: takes ``inputs``, returns a Tensor or several.
        inputs: a Tensor or a sequence of arguments; those that require grad are checked, best in float64.
        eps: the step. The inputs are moved by it in place, and put back.
        atol: absolute tolerance.
        rtol: tolerance relative to the numerical value.
        raise_exception: raise on a mismatch instead of returning False.
        nondet_tol: how far two runs of the same backward may differ.
        check_undefined_grad: check too that gradients of zero give zero, and not NaN.
        check_grad_dtypes: check too that each gradient has its input's dtype.
        check_batched_grad: check too a backward pass for a batch of incoming gradients.
        check_batched_forward_grad: without effect.
        check_forward_ad: check too the tangents of forward mode, along a random direction.
        check_backward_ad: with False gradients are not checked.
        fast_mode: one random direction instead of the whole Jacobian: far quicker, and nearly as sharp.
        masked: sparse inputs are moved at the places that they store either way.

    Returns:
        True if everything agrees.

    Raises:
        GradcheckError: a mismatch, with both Jacobians (or both slopes). ValueError: no input requires grad.

    Example:
        >>> import wengert as wg
        >>> x = wg.tensor([0.3, -1.2], dtype=wg.float64, requires_grad=True)
        >>> wg.autograd.gradcheck(lambda t: t * t * t, (x,))
        True
    """
    args = (inputs,) if isinstance(inputs, TensorBase) else tuple(inputs)
    check = _Check(func, args, eps, atol, rtol, nondet_tol)
    try:
        if check_backward_ad:
            check.run(fast_mode, check_undefined_grad, check_grad_dtypes)
        if check_forward_ad:
            levels.tangents(check, _differentiable, _like, _flat, GradcheckError)
        if check_batched_grad:
            levels.batched_gradients(check, _differentiable(func(*args)), _like, _flat, GradcheckError)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Compare second derivatives of ``func`` with central differences of its gradients.

    Args:
        func: takes ``inputs``, returns a Tensor or several.
        inputs: as for `gradcheck`.
        grad_outputs: the gradients that arrive at the outputs; random ones unless given.
        eps: as for `gradcheck`, like all that is not explained here.
        atol: see there.
        rtol: see there.
        gen_non_contig_grad_outputs: make the random ones non-contiguous.
        raise_exception: see there.
        nondet_tol: see there.
        check_undefined_grad: see there.
        check_grad_dtypes: see there.
        check_batched_grad: see there.
        check_fwd_over_rev: check too the tangents of the gradients.
        check_rev_over_rev: with False gradients of the gradients are not checked.
        fast_mode: see there.
        masked: see there.

    Returns:
        True if everything agrees.

    Raises:
        GradcheckError: a mismatch.

    Example:
        >>> import wengert as wg
        >>> x = wg.tensor([0.3, -1.2], dtype=wg.float64, requires_grad=True)
        >>> wg.autograd.gradgradcheck(lambda t: t * t * t, (x,))
        True
    """
    args = (inputs,) if isinstance(inputs, TensorBase) else tuple(inputs)
    if grad_outputs is None:
        outputs = _differentiable(func(*args))
        gs = tuple(_random_like(o, seed, gen_non_contig_grad_outputs) for seed, o in enumerate(outputs))
    else:
        gs = _tuple(grad_outputs)

    def gradients(*everything: Any) -> tuple[Any, ...]:
        values, gs = everything[: len(args)], everything[len(args) :]
        wanted = [v for v in values if _requires_grad(v)]
        found = grad(_differentiable(func(*values)), wanted, gs, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        gradients,
        (*args, *gs),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode,
    )


class _Check:
    """One run of `gradcheck`."""

    def __init__(
        self, func: Any, args: tuple[Any, ...], eps: float, atol: float, rtol: float, nondet_tol: float
    ) -> None:
        self.func, self.args = func, args
        self.eps, self.atol, self.rtol, self.nondet_tol = eps, atol, rtol, nondet_tol
        self.inputs = [a for a in args if _requires_grad(a)]
        self.xp = get_backend("cpu").xp
        self.random = self.xp.random.default_rng(0)  # its own, so that checking changes no one's random numbers
        _check_inputs(args)

    def run(self, fast: bool, zeros: bool, dtypes: bool) -> None:
        """Raise `GradcheckError` at the first thing that is wrong."""
        outputs = _differentiable(self.func(*self.args))
        if not outputs:
            self.no_gradient()
            return
        probes = [self.random.standard_normal(_flat(o).size) for o in outputs]
        first = [self.backward(outputs, o, v) for o, v in zip(outputs, probes, strict=True)]
        if dtypes:
            self.dtypes(outputs)
        if fast:
            self.slopes(outputs, probes, first)
        else:
            self.jacobians(outputs)
        for o, v, found in zip(outputs, probes, first, strict=True):
            self.repeatable(outputs, o, v, found)
        if zeros:
            self.zeros(outputs)

    # ------------------------------------------------------------------ the two derivatives

    def values(self) -> list[Any]:
        """The differentiable outputs as flat NumPy arrays."""
        outputs = self.func(*self.args)
        return [_flat(o) for o in _differentiable(outputs) or _floating(_tuple(outputs))]

    def along(self, x: Any, direction: Any) -> list[Any]:
        """The derivative of each output when ``x`` moves along ``direction``."""
        start = _flat(x)
        try:
            _write(x, start + self.eps * direction)
            above = self.values()
            _write(x, start - self.eps * direction)
            below = self.values()
        finally:
            _write(x, start)
        return [(a - b) / (2 * self.eps) for a, b in zip(above, below, strict=True)]

    def backward(self, outputs: Sequence[Any], output: Any, v: Any) -> list[Any]:
        """The flat gradients of the inputs when ``v`` arrives at ``output``."""
        found = grad(output, self.inputs, _like(output, v), retain_graph=True, allow_unused=True)
        return [
            self.xp.zeros(_flat(x).size) if g is None else _flat(_where_stored(x, g))
            for x, g in zip(self.inputs, found, strict=True)
        ]

    # ------------------------------------------------------------------ what is compared

    def jacobians(self, outputs: Sequence[Any]) -> None:
        """Every entry of every Jacobian."""
        xp = self.xp
        numerical = []
        for x in self.inputs:
            columns = [self.along(x, e) for e in xp.eye(_flat(x).size)]
            numerical.append([xp.stack(c, axis=1) if c else None for c in zip(*columns, strict=True)])
        for i, o in enumerate(outputs):
            rows = [self.backward(outputs, o, e) for e in xp.eye(_flat(o).size)]
            for j, column in enumerate(zip(*rows, strict=True)):
                if not numerical[j]:
                    continue  # an input without elements
                n, a = numerical[j][i], xp.stack(column)
                if not xp.allclose(a, n, rtol=self.rtol, atol=self.atol):
                    raise GradcheckError(
                        f"Jacobian mismatch for output {i} with respect to input {j},\nnumerical:{n}\nanalytical:{a}\n"
                        f"largest difference {abs(a - n).max():.3g} (a complex entry is shown as two rows or columns)"
                    )

    def slopes(self, outputs: Sequence[Any], probes: Sequence[Any], first: Sequence[Sequence[Any]]) -> None:
        """One number for each input and output: the slope along a random direction, seen by a random covector."""
        for j, x in enumerate(self.inputs):
            direction = self.random.standard_normal(_flat(x).size)
            for i, moved in enumerate(self.along(x, direction)):
                n, a = (probes[i] * moved).sum(), (first[i][j] * direction).sum()
                atol = self.atol * abs(probes[i]).sum() * abs(direction).sum()  # what each entry may be off by, summed
                if not abs(a - n) <= atol + self.rtol * abs(n):
                    raise GradcheckError(
                        f"Jacobian mismatch for output {i} with respect to input {j},\nnumerical:{n}\nanalytical:{a}\n"
                        "The above quantities relating the numerical and analytical jacobians are computed in fast "
                        "mode, along one random direction; fast_mode=False shows every entry"
                    )

    def repeatable(self, outputs: Sequence[Any], output: Any, v: Any, first: Sequence[Any]) -> None:
        """Backward gives the same twice."""
        for a, b in zip(first, self.backward(outputs, output, v), strict=True):
            if a.size and not abs(a - b).max() <= self.nondet_tol:
                raise GradcheckError(
                    "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times "
                    f"gives different values; they differ by {abs(a - b).max():.3g}, nondet_tol is {self.nondet_tol}"
                )

    def zeros(self, outputs: Sequence[Any]) -> None:
        """Zeros go in, zeros come out."""
        gs = [_like(o, self.xp.zeros(_flat(o).size)) for o in outputs]
        found = grad(outputs, self.inputs, gs, retain_graph=True, allow_unused=True)
        if any(g is not None and (_flat(_whole(g)) != 0).any() for g in found):
            raise GradcheckError("backward not multiplied by grad_output: a gradient of zero gave one that is not zero")

    def dtypes(self, outputs: Sequence[Any]) -> None:
        """A gradient has its input's dtype."""
        gs = [_like(o, self.xp.zeros(_flat(o).size)) for o in outputs]
        found = grad(outputs, self.inputs, gs, retain_graph=True, allow_unused=True)
        for j, (x, g) in enumerate(zip(self.inputs, found, strict=True)):
            if g is not None and g.dtype != x.dtype:
                raise GradcheckError(f"grad of input {j} is {g.dtype}, the input is {x.dtype}")

    def no_gradient(self) -> None:
        """No output requires grad, so none may depend on an input."""
        for j, x in enumerate(self.inputs):
            for i, moved in enumerate(self.along(x, self.random.standard_normal(_flat(x).size))):
                if (moved != 0).any():
                    raise GradcheckError(
                        f"Numerical gradient for function expected to be zero: output {i} depends on input {j}, but "
                        "requires no grad"
                    )


def _check_inputs(args: tuple[Any, ...]) -> None:
    if not any(_requires_grad(a) for a in args):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have "
            "requires_grad=True."
        )
    for i, x in enumerate(args):
        if not _requires_grad(x):
            continue
        if x.dtype.name not in ("float64", "complex128"):
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point or complex. This check "
                "will likely fail if all the inputs are not of double precision floating point or complex. ",
                stacklevel=4,
            )
        if isinstance(x._data, SparseArray):
            continue
        if any(s == 0 and n > 1 for s, n in zip(x.stride(), x.shape, strict=True)):
            raise GradcheckError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs that are "
                "non-overlapping to be able to compute the numerical gradients correctly. You should call .contiguous "
                "on the input before passing it to gradcheck."
            )


# ---------------------------------------------------------------------- tensors as flat arrays of real numbers


def _tuple(values: Any) -> tuple[Any, ...]:
    return (values,) if isinstance(values, TensorBase) else tuple(values)


def _requires_grad(value: Any) -> bool:
    return isinstance(value, TensorBase) and value.requires_grad  # type: ignore[attr-defined]


def _differentiable(outputs: Any) -> tuple[Any, ...]:
    return tuple(_whole(o) for o in _tuple(outputs) if _requires_grad(o))


def _floating(outputs: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(_whole(o) for o in outputs if isinstance(o, TensorBase) and o._data.dtype.kind in "fcV")


def _whole(output: Any) -> Any:
    """All elements of a sparse output; a dense one as it is."""
    from .sparse.core import dense_of

    return dense_of(output) if isinstance(output._data, SparseArray) else output


def _where_stored(x: Any, g: Any) -> Any:
    """The gradient of ``x`` at the places that ``x`` stores, if it is sparse."""
    if not isinstance(x._data, SparseArray):
        return _whole(g)
    from .sparse.core import values_at

    return values_at(g, x._data.pattern)


def _stored(tensor: Any) -> Any:
    data = tensor._data
    return data.values if isinstance(data, SparseArray) else data


def _flat(tensor: Any) -> Any:
    """The values as one flat float64 NumPy array; a complex one is a real and an imaginary part."""
    data = _stored(tensor)
    array = backend_of(data).to_numpy(data).reshape(-1)
    return array.astype("complex128").view("float64") if array.dtype.kind == "c" else array.astype("float64")


def _array_like(tensor: Any, flat: Any) -> Any:
    """An array of the tensor's backend, dtype and shape with the values of ``flat``."""
    data = _stored(tensor)
    backend = backend_of(data)
    values = flat.view("complex128") if data.dtype.kind == "c" else flat
    return backend.from_numpy(values.reshape(data.shape).astype(data.dtype), backend.device_of(data))


def _like(tensor: Any, flat: Any) -> Any:
    return wrap(_array_like(tensor, flat))


def _write(tensor: Any, flat: Any) -> None:
    _stored(tensor)[...] = _array_like(tensor, flat)


def _random_like(tensor: Any, seed: int, non_contiguous: bool) -> Any:
    """A Tensor of random numbers that requires grad, of the tensor's backend, dtype and shape."""
    flat = get_backend("cpu").xp.random.default_rng(seed + 1).standard_normal(_flat(tensor).size)
    array = _array_like(tensor, flat)
    if non_contiguous:
        xp = backend_of(array).xp
        array = xp.stack([array, array], axis=-1)[..., 0]
    result = wrap(array)
    result._rg = True
    return result
