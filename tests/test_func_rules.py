"""Derivatives by hand (`custom_jvp`, `custom_vjp`), by an equation (`fixed_point`, `root`), and by an adjoint."""

from __future__ import annotations

import importlib
import itertools
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.autograd import gradcheck, gradgradcheck
from wengert.func import (
    custom_jvp,
    custom_vjp,
    fixed_point,
    functional_call,
    grad,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    root,
    vmap,
)

X = wg.tensor([0.3, -1.2, 2.0], dtype=wg.float64)
T = wg.tensor([1.0, 0.5, -0.3], dtype=wg.float64)


def by_jvp() -> Any:
    """``sin(x) * y`` with its derivative by hand."""

    @custom_jvp
    def f(x: Any, y: Any) -> Any:
        return x.sin() * y

    @f.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        (x, y), (dx, dy) = primals, tangents
        return f(x, y), x.cos() * y * dx + x.sin() * dy

    return f


def by_vjp() -> Any:
    """The same with its gradient by hand."""

    @custom_vjp
    def f(x: Any, y: Any) -> Any:
        return x.sin() * y

    f.defvjp(
        lambda x, y: (x.sin() * y, {"cos": x.cos(), "sin": x.sin(), "y": y}),
        lambda kept, g: (g * kept["cos"] * kept["y"], g * kept["sin"]),
    )
    return f


@pytest.mark.parametrize("make", [by_jvp, by_vjp])
def test_derivatives_by_hand_are_those_of_the_function(make: Any):
    f, plain = make(), lambda x, y: x.sin() * y
    inputs = (X.clone().requires_grad_(), T.clone().requires_grad_())
    assert gradcheck(f, inputs, check_forward_ad=True)
    assert gradgradcheck(f, inputs)
    for transform in (
        lambda h: grad(lambda x, y: h(x, y).sum(), (0, 1))(X, T),
        lambda h: jvp(h, (X, T), (T, X)),
        lambda h: (jacrev(h)(X, T), jacfwd(h, (0, 1))(X, T)),
        lambda h: hessian(lambda x: h(x, T).sum())(X),
        lambda h: jvp(grad(lambda x: h(x, T).sum()), (X,), (T,)),
        lambda h: grad(lambda x: jvp(lambda z: h(z, T), (x,), (T,))[1].sum())(X),
        lambda h: vmap(grad(h))(X, T),
        lambda h: grad(lambda x: vmap(h)(x, T).sum())(X),
        lambda h: jacfwd(jacfwd(lambda x: h(x, T)))(X),
    ):
        for a, b in zip(flat(transform(f)), flat(transform(plain)), strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-12)


def flat(tree: Any) -> list[Any]:
    return [leaf for part in tree for leaf in flat(part)] if isinstance(tree, (tuple, list)) else [tree]


def test_rules_by_hand_are_used():
    @custom_vjp
    def f(x: Any) -> Any:
        return x * 2

    f.defvjp(lambda x: (x * 2, None), lambda kept, g: (g * 10,))
    assert grad(lambda x: f(x).sum())(X).tolist() == [10.0, 10.0, 10.0]
    assert jvp(f, (X,), (T,))[1].tolist() == [10.0, 5.0, -3.0]

    @custom_jvp
    def g(x: Any, y: Any) -> Any:
        return x * y

    g.defjvps(lambda dx, value, x, y: 10 * dx, None)
    assert grad(lambda x: g(x, T).sum())(X).tolist() == [10.0, 10.0, 10.0]
    assert grad(lambda y: g(X, y).sum())(T).tolist() == [0.0, 0.0, 0.0]


def test_rules_by_hand_take_trees_and_constants():
    f = custom_vjp(lambda power, d: {"y": d["a"] ** power + d["b"][0]}, nondiff_argnums=(0,))
    f.defvjp(
        lambda power, d: ({"y": d["a"] ** power + d["b"][0]}, d["a"]),
        lambda power, a, g: ({"a": g["y"] * power * a ** (power - 1), "b": [g["y"]]},),
    )
    found = grad(lambda d: f(3, d)["y"].sum())({"a": X, "b": [T]})
    assert wg.allclose(found["a"], 3 * X**2)
    assert wg.allclose(found["b"][0], wg.ones_like(T))


def test_what_rules_by_hand_refuse():
    f = custom_jvp(lambda x: x * 2)
    with pytest.raises(AttributeError, match="No JVP defined for custom_jvp function <lambda> using defjvp"):
        f(X)
    with pytest.raises(AttributeError, match="No VJP defined"):
        custom_vjp(lambda x: x)(X)
    f.defjvp(lambda primals, tangents: tangents[0])
    with pytest.raises(RuntimeError, match="must return a pair, the value and the derivative"):
        jvp(f, (X,), (T,))
    f.defjvp(lambda primals, tangents: (primals[0], tangents))
    with pytest.raises(RuntimeError, match="in the structure of the function's result"):
        jvp(f, (X,), (T,))
    g = custom_vjp(lambda x, y: x * y)
    g.defvjp(lambda x, y: (x * y, None), lambda kept, g: (g,))
    with pytest.raises(RuntimeError, match="a gradient \\(or None\\) for each of 2 arguments, got 1"):
        grad(lambda x: g(x, T).sum())(X)
    g.defvjp(lambda x, y: x * y, lambda kept, g: (g, g))
    with pytest.raises(RuntimeError, match="must return a pair, the value and what bwd needs"):
        g(X, T)


# ---------------------------------------------------------------------- by an equation


def equilibrium(w: Any, x: Any) -> Any:
    return fixed_point(lambda z, w, x: wg.tanh(w @ z + x), wg.zeros(3, dtype=wg.float64), w, x)


def test_gradients_of_a_fixed_point():
    w = (wg.arange(9.0, dtype=wg.float64).reshape(3, 3) / 40).requires_grad_()
    x = X.clone().requires_grad_()
    assert gradcheck(equilibrium, (w, x), check_forward_ad=True)
    assert gradgradcheck(equilibrium, (w, x))
    y = equilibrium(w, x)
    assert wg.allclose(y, wg.tanh(w @ y + x))
    each = wg.stack([grad(lambda a: equilibrium(w.detach(), a).sum())(x.detach() * i) for i in (1.0, 2.0)])
    both = wg.stack([x.detach(), x.detach() * 2])
    assert wg.allclose(vmap(grad(lambda a: equilibrium(w.detach(), a).sum()))(both), each)


def test_gradients_of_a_root_and_of_a_solver_of_ones_own():
    a = wg.tensor([8.0, 27.0], dtype=wg.float64, requires_grad=True)
    start = {"y": wg.ones(2, dtype=wg.float64)}
    cube = lambda tree, a: {"y": tree["y"] ** 3 - a}  # noqa: E731
    assert gradcheck(lambda a: root(cube, start, a)["y"], (a,), check_forward_ad=True)
    assert gradgradcheck(lambda a: root(cube, start, a)["y"], (a,))
    known = lambda f, init: {"y": wg.tensor([2.0, 3.0], dtype=wg.float64)}  # noqa: E731
    found = grad(lambda a: root(cube, start, a, solver=known)["y"].sum())(a.detach())
    assert wg.allclose(found, 1 / (3 * wg.tensor([4.0, 9.0], dtype=wg.float64)))


def test_what_an_equation_refuses():
    with pytest.raises(RuntimeError, match="did not come to rest in max_iter=20 steps"):
        fixed_point(lambda y: -2 * y + 1, wg.ones(2), max_iter=20)
    with pytest.raises(RuntimeError, match="Newton's method did not come to rest"):
        root(lambda y: y * y + 1, wg.full((1,), 0.3), max_iter=10)
    with pytest.raises(RuntimeError, match="fixed_point: func must return a tree like init"):
        fixed_point(lambda y: (y, y), wg.ones(2))


# ---------------------------------------------------------------------- by an adjoint


@pytest.fixture
def ode(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The example as a module."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "examples"))
    return importlib.import_module("neural_ode")


def test_the_solver_of_the_example_is_as_exact_as_told(ode: ModuleType):
    decay = lambda t, y: -y * t  # noqa: E731
    y = ode.integrate(decay, wg.ones(1, dtype=wg.float64), 0.0, 2.0, 1e-10)
    assert y.item() == pytest.approx(np.exp(-2.0), rel=1e-8)
    assert ode.integrate(decay, y, 2.0, 0.0, 1e-10).item() == pytest.approx(1.0, rel=1e-8)


def test_gradients_of_the_example_are_those_of_its_solution(ode: ModuleType):
    net = wg.nn.Linear(2, 2).double()
    params = {k: p.detach() for k, p in net.named_parameters()}
    y0 = wg.tensor([[1.0, -0.5]], dtype=wg.float64)
    times = [0.0, 0.3, 0.7]
    field = lambda t, p, y: functional_call(net, p, (y,)).tanh()  # noqa: E731

    def adjoint(p: Any, y: Any) -> Any:
        return (ode.odeint(field, times, 1e-9, p, y) ** 2).sum()

    def through_the_steps(p: Any, y: Any) -> Any:
        states = [y]
        for a, b in itertools.pairwise(times):
            for i in range(40):
                h, t = (b - a) / 40, a + (b - a) * i / 40
                k1 = field(t, p, states[-1])
                k2 = field(t, p, states[-1] + h / 2 * k1)
                k3 = field(t, p, states[-1] + h / 2 * k2)
                k4 = field(t, p, states[-1] + h * k3)
                y = states[-1] + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
                states.append(y)
        return (states[0] ** 2 + states[40] ** 2 + states[80] ** 2).sum()

    ours, theirs = (grad(f, (0, 1))(params, y0) for f in (adjoint, through_the_steps))
    assert wg.allclose(ours[1], theirs[1], rtol=1e-5)
    for name in params:
        assert wg.allclose(ours[0][name], theirs[0][name], rtol=1e-5)
