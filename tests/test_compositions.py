"""Compositions of ``grad``, ``jvp``, ``vmap`` and their kin: the same numbers as PyTorch's and JAX's."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.func import grad, hessian, jacfwd, jacrev, jvp, vmap

from .op_checks import flat, values

MODEL = wg.nn.Sequential(wg.nn.Linear(3, 4), wg.nn.Tanh(), wg.nn.Linear(4, 2)).double()
W = wg.linspace(-1, 1, 12, dtype=wg.float64).reshape(4, 3)


def f(T: Any, x: Any) -> Any:
    w = T.linspace(-1, 1, 12, dtype=T.float64).reshape(4, 3)
    return T.softmax(T.tanh(T.nn.functional.linear(x, w)), -1)


def s(T: Any, x: Any) -> Any:
    return (f(T, x) ** 2).sum() + T.logsumexp(x, -1).sum()


def conv(T: Any, x: Any) -> Any:
    image = x.repeat(1, 3)[:, :9].reshape(-1, 1, 3, 3)
    kernel = T.linspace(0, 1, 8, dtype=T.float64).reshape(2, 1, 2, 2)
    return T.nn.functional.max_pool2d(T.nn.functional.conv2d(image, kernel).relu(), 2).sum()


F = Any
COMPOSITIONS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "jvp": lambda T, x, t: T.func.jvp(lambda a: f(T, a), (x,), (t,)),
    "jvp of jvp": lambda T, x, t: T.func.jvp(lambda a: T.func.jvp(lambda b: f(T, b), (a,), (t,))[1], (x,), (t,)),
    "jvp of grad": lambda T, x, t: T.func.jvp(T.func.grad(lambda a: s(T, a)), (x,), (t,)),
    "grad of jvp": lambda T, x, t: T.func.grad(lambda a: T.func.jvp(lambda b: f(T, b), (a,), (t,))[1].sum())(x),
    "grad of jvp of grad": lambda T, x, t: T.func.grad(
        lambda a: T.func.jvp(T.func.grad(lambda b: s(T, b)), (a,), (t,))[1].sum()
    )(x),
    "vjp of jvp": lambda T, x, t: T.func.vjp(lambda a: T.func.jvp(lambda b: f(T, b), (a,), (t,))[1], x)[1](
        T.ones(2, 4, dtype=T.float64)
    ),
    "jvp of vjp": lambda T, x, t: T.func.jvp(
        lambda a: T.func.vjp(lambda b: f(T, b), a)[1](T.ones(2, 4, dtype=T.float64))[0], (x,), (t,)
    ),
    "vmap of jvp": lambda T, x, t: T.vmap(lambda a, b: T.func.jvp(lambda c: f(T, c), (a,), (b,)))(x, t),
    "vmap of jvp of one point": lambda T, x, t: T.vmap(lambda b: T.func.jvp(lambda c: f(T, c), (x[0],), (b,))[1])(t),
    "jvp of vmap": lambda T, x, t: T.func.jvp(T.vmap(lambda a: f(T, a)), (x,), (t,)),
    "vmap of grad": lambda T, x, t: T.vmap(T.func.grad(lambda a: s(T, a)))(x),
    "grad of vmap": lambda T, x, t: T.func.grad(lambda a: T.vmap(lambda b: s(T, b))(a).sum())(x),
    "vmap of vmap": lambda T, x, t: T.vmap(T.vmap(lambda a: T.sin(a) * 2))(x),
    "vmap of grad of vmap": lambda T, x, t: T.vmap(
        T.func.grad(lambda a: T.vmap(lambda b: T.exp(b) * a.sum())(a).sum())
    )(x),
    "grad of vmap of jvp of grad": lambda T, x, t: T.func.grad(
        lambda a: T.vmap(lambda b, c: T.func.jvp(T.func.grad(lambda d: s(T, d)), (b,), (c,))[1])(a, t).sum()
    )(x),
    "vmap of jvp of grad": lambda T, x, t: T.vmap(lambda a, b: T.func.jvp(T.func.grad(lambda c: s(T, c)), (a,), (b,)))(
        x, t
    ),
    "jacfwd": lambda T, x, t: T.func.jacfwd(lambda a: f(T, a))(x),
    "jacrev": lambda T, x, t: T.func.jacrev(lambda a: f(T, a))(x),
    "jacfwd of jacrev": lambda T, x, t: T.func.jacfwd(T.func.jacrev(lambda a: s(T, a)))(x),
    "jacrev of jacfwd": lambda T, x, t: T.func.jacrev(T.func.jacfwd(lambda a: s(T, a)))(x),
    "jacfwd of jacfwd": lambda T, x, t: T.func.jacfwd(T.func.jacfwd(lambda a: s(T, a)))(x),
    "jacrev of jacrev": lambda T, x, t: T.func.jacrev(T.func.jacrev(lambda a: f(T, a)[0]))(x),
    "hessian": lambda T, x, t: T.func.hessian(lambda a: s(T, a))(x),
    "hessian of a vector": lambda T, x, t: T.func.hessian(lambda a: f(T, a)[:, 0])(x),
    "vmap of hessian": lambda T, x, t: T.vmap(T.func.hessian(lambda a: s(T, a)))(x),
    "vmap of jacrev": lambda T, x, t: T.vmap(T.func.jacrev(lambda a: f(T, a)))(x),
    "vmap of jacfwd": lambda T, x, t: T.vmap(T.func.jacfwd(lambda a: f(T, a)))(x),
    "jacrev of vmap": lambda T, x, t: T.func.jacrev(T.vmap(lambda a: f(T, a)))(x),
    "jacfwd of vmap": lambda T, x, t: T.func.jacfwd(T.vmap(lambda a: f(T, a)))(x),
    "third derivative": lambda T, x, t: T.func.jacfwd(T.func.jacrev(T.func.jacfwd(lambda a: (a**4).sum())))(x[0]),
    "linearize": lambda T, x, t: T.func.linearize(lambda a: f(T, a), x)[1](t),
    "vmap of linearize": lambda T, x, t: T.vmap(T.func.linearize(lambda a: f(T, a), x[0])[1])(t),
    "hvp": lambda T, x, t: T.autograd.functional.hvp(lambda a: s(T, a), x, t),
    "jacobian": lambda T, x, t: T.autograd.functional.jacobian(lambda a: f(T, a), x, vectorize=True),
    "jvp of convolution": lambda T, x, t: T.func.jvp(lambda a: conv(T, a), (x,), (t,)),
    "jvp of grad of convolution": lambda T, x, t: T.func.jvp(T.func.grad(lambda a: conv(T, a) ** 2), (x,), (t,)),
    "vmap of grad of convolution": lambda T, x, t: T.vmap(T.func.grad(lambda a: conv(T, a[None]) ** 2))(x),
    "jvp of two": lambda T, x, t: T.func.jvp(lambda a, b: (a * b, a.sum()), (x, t), (t, x)),
    "jvp with aux": lambda T, x, t: T.func.jvp(lambda a: (T.sin(a), a * 2), (x,), (t,), has_aux=True),
    "jacfwd with aux": lambda T, x, t: T.func.jacfwd(lambda a: (T.sin(a), a * 2), has_aux=True)(x[0]),
    "jacfwd by two": lambda T, x, t: T.func.jacfwd(lambda a, b: a @ b.T, argnums=(0, 1))(x, t),
    "chunks": lambda T, x, t: T.vmap(lambda a: f(T, a), chunk_size=1)(x),
    "out_dims": lambda T, x, t: T.vmap(lambda a: (f(T, a), a), out_dims=(1, 0))(x),
    "jvp of a Function": lambda T, x, t: T.func.jvp(lambda a: cube(T).apply(a), (x,), (t,)),
    "vmap of a Function": lambda T, x, t: T.vmap(lambda a: cube(T).apply(a))(x),
    "grad of vmap of a Function": lambda T, x, t: T.func.grad(lambda a: T.vmap(lambda b: cube(T).apply(b)[0])(a).sum())(
        x
    ),
    "vmap of a shared argument": lambda T, x, t: T.vmap(lambda a, b: T.tanh(a) * b, (0, None))(x, t[0]),
    "vmap over columns": lambda T, x, t: T.vmap(lambda a: T.exp(a).sum(), 1)(x),
    "vjp of two": lambda T, x, t: T.func.vjp(lambda a, b: T.tanh(a) * b, x, t)[1](t),
    "grad and value": lambda T, x, t: T.func.grad(lambda a: T.func.grad(lambda b: s(T, b))(a).sum())(x),
    "vmap of vjp": lambda T, x, t: T.vmap(lambda a, b: T.func.vjp(lambda c: T.tanh(c), a)[1](b))(x, t),
    "vjp of vmap": lambda T, x, t: T.func.vjp(T.vmap(lambda a: T.tanh(a) ** 2), x)[1](t),
    "fourth derivative": lambda T, x, t: T.func.grad(
        T.func.grad(T.func.grad(T.func.grad(lambda a: T.exp(a) * T.sin(a))))
    )(x[0, 0]),
    "jacrev by two": lambda T, x, t: T.func.jacrev(lambda a, b: a @ b.T, argnums=(0, 1))(x, t),
    "hvp by two modes": lambda T, x, t: T.func.vjp(lambda a: T.func.jvp(lambda b: s(T, b), (a,), (t,))[1], x)[1](
        T.ones((), dtype=T.float64)
    ),
    "is_grads_batched": lambda T, x, t: batched(T, x),
}


def cube(T: Any) -> Any:
    """A Function with rules of its own; its jvp is ten times what it should be, so that it is seen to be used."""

    class Cube(T.autograd.Function):
        @staticmethod
        def forward(x: Any) -> Any:
            return x**3, x * 1

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_backward(inputs[0])
            ctx.save_for_forward(inputs[0])

        @staticmethod
        def backward(ctx: Any, g: Any, g2: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * 3 * x**2 + g2

        @staticmethod
        def jvp(ctx: Any, t: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 30 * x**2 * t, t

        @staticmethod
        def vmap(info: Any, in_dims: Any, x: Any) -> Any:
            y, z = Cube.apply(x)
            return (y * info.batch_size, z), (in_dims[0], in_dims[0])

    return Cube


def batched(T: Any, x: Any) -> Any:
    x = x.clone().requires_grad_()
    y = f(T, x)
    return T.autograd.grad(y, x, T.eye(8, dtype=T.float64).reshape(8, 2, 4), is_grads_batched=True)


def point(T: Any) -> tuple[Any, Any]:
    return (
        T.tensor([[0.3, -0.2, 0.9], [1.1, 0.4, -0.7]], dtype=T.float64),
        T.tensor([[1.0, 0.5, -2.0], [0.1, 0.0, 1.0]], dtype=T.float64),
    )


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", COMPOSITIONS)
def test_compositions_are_pytorchs(name: str):
    torch = pytest.importorskip("torch")
    theirs = COMPOSITIONS[name](torch, *point(torch))
    ours = COMPOSITIONS[name](wg, *point(wg))
    theirs, ours = leaves(theirs), leaves(ours)
    assert len(theirs) == len(ours)
    for a, b in zip(ours, theirs, strict=True):
        assert tuple(a.shape) == tuple(b.shape)
        np.testing.assert_allclose(values(a), b.detach().numpy(), rtol=1e-9, atol=1e-12)


def leaves(tree: Any) -> list[Any]:
    return [x for part in tree for x in leaves(part)] if isinstance(tree, tuple | list) else [tree]


# What the table writes in PyTorch's words only: methods of tensors, Functions, and what JAX has no name for.
NOT_IN_JAX = {name for name in COMPOSITIONS if "Function" in name or "convolution" in name} | {
    *("hvp", "jacobian", "is_grads_batched", "chunks"),
}


def jax_as_torch(jax: Any) -> Any:
    """JAX under the names that the table uses."""
    jnp = jax.numpy
    jax.config.update("jax_enable_x64", True)

    def mapped(function: Any, in_dims: Any = 0, out_dims: Any = 0) -> Any:
        return jax.vmap(function, in_axes=in_dims, out_axes=out_dims)

    names = ("grad", "jvp", "vjp", "jacfwd", "jacrev", "hessian", "linearize")
    T = types.SimpleNamespace(func=types.SimpleNamespace(**{name: getattr(jax, name) for name in names}))
    T.vmap, T.func.vmap = mapped, mapped
    T.tanh, T.sin, T.exp, T.linspace, T.float64 = jnp.tanh, jnp.sin, jnp.exp, jnp.linspace, jnp.float64
    T.ones = lambda *shape, dtype: jnp.ones(shape if shape and isinstance(shape[0], int) else (), dtype)
    T.softmax, T.logsumexp = jax.nn.softmax, jax.scipy.special.logsumexp
    T.nn = types.SimpleNamespace(functional=types.SimpleNamespace(linear=lambda x, w: x @ w.T))
    return T


@pytest.mark.parametrize("name", [name for name in COMPOSITIONS if name not in NOT_IN_JAX])
def test_compositions_are_jaxs(name: str):
    jax = pytest.importorskip("jax")
    T = jax_as_torch(jax)
    theirs = leaves(COMPOSITIONS[name](T, *[jax.numpy.asarray(values(a)) for a in point(wg)]))
    ours = leaves(COMPOSITIONS[name](wg, *point(wg)))
    assert len(theirs) == len(ours)
    for a, b in zip(ours, theirs, strict=True):
        assert tuple(a.shape) == tuple(b.shape)
        np.testing.assert_allclose(values(a), np.asarray(b), rtol=1e-9, atol=1e-12)


def test_at_least_forty_are_compared_with_jax():
    assert len(COMPOSITIONS) - len(NOT_IN_JAX) >= 40


def test_derivatives_of_a_model_agree_in_every_mode():
    x = wg.tensor([0.3, -0.2, 0.9], dtype=wg.float64)
    assert wg.allclose(jacfwd(MODEL)(x), jacrev(MODEL)(x))
    scalar = lambda a: MODEL(a).prod()  # noqa: E731
    full = hessian(scalar)(x)
    direction = wg.tensor([1.0, 2.0, -1.0], dtype=wg.float64)
    assert wg.allclose(jvp(grad(scalar), (x,), (direction,))[1], full @ direction)
    assert wg.allclose(vmap(lambda d: jvp(grad(scalar), (x,), (d,))[1])(wg.eye(3, dtype=wg.float64)), full)
    assert flat(full)[0].shape == (3, 3)
