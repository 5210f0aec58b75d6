"""`wengert.func` and `wengert.autograd.functional`: derivatives of functions, nested, by trees, and PyTorch's."""

from __future__ import annotations

import importlib
from collections import namedtuple
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import func
from wengert.autograd import functional

Pair = namedtuple("Pair", "first second")
X = np.array([0.3, -1.2, 2.0])
Y = np.array([1.5, 0.2, -0.7])


def tensors(*arrays: Any) -> tuple[Any, ...]:
    return tuple(wg.tensor(a) for a in arrays)


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(a.detach().numpy(), b, rtol=1e-10, atol=1e-12)


def test_grad_leaves_nothing_behind():
    x = wg.tensor(X, requires_grad=True)
    with wg.no_grad():
        g, value = func.grad_and_value(lambda t: (t**3).sum())(x)
    close(g, 3 * X**2)
    close(value, (X**3).sum())
    assert x.grad is None
    assert not g.requires_grad
    assert not value.requires_grad


def test_third_derivative_by_nesting():
    x = wg.tensor(0.7, dtype=wg.float64)
    third = func.grad(func.grad(func.grad(wg.sin)))(x)
    close(third, -np.cos(0.7))
    assert not third.requires_grad


def test_an_inner_gradient_is_seen_by_the_outer_one():
    def outer(x: Any) -> Any:
        return x * func.grad(lambda y: x * y * y)(wg.tensor(2.0))

    close(func.grad(outer)(wg.tensor(3.0)), 24.0)  # d/dx of x * 2xy at y = 2


def test_no_grad_inside_makes_a_constant():
    def f(x: Any) -> Any:
        with wg.no_grad():
            constant = x * x
        return (x * constant).sum()

    close(func.grad(f)(wg.tensor(X)), X**2)


def test_the_caller_may_differentiate_a_gradient():
    x, w = wg.tensor(X, requires_grad=True), wg.tensor(Y, requires_grad=True)
    g = func.grad(lambda t: (t * t * w).sum())(x)
    g.sum().backward()
    close(x.grad, 2 * Y)
    close(w.grad, 2 * X)


def test_grad_by_trees_and_auxiliary_values():
    def f(p: Any, scale: Any, *, power: int) -> Any:
        y = (p["a"] ** power * scale).sum() + p["b"].first.sum() + (p["b"].second[0] * 2).sum()
        return y, {"y": y}

    x, y = tensors(X, Y)
    p = {"a": x, "b": Pair(y, [x])}
    g, aux = func.grad(f, has_aux=True)(p, wg.tensor(2.0), power=2)
    assert isinstance(g["b"], Pair)
    close(g["a"], 4 * X)
    close(g["b"].first, np.ones(3))
    close(g["b"].second[0], np.full(3, 2.0))
    close(aux["y"], (2 * X**2).sum() + Y.sum() + 2 * X.sum())
    both = func.grad(lambda *a: f(*a, power=2)[0], argnums=(1, -2))(p, wg.tensor(2.0))
    assert isinstance(both, tuple)
    np.testing.assert_allclose(both[0].numpy(), (X**2).sum(), rtol=1e-6)  # float32, as the scale
    close(both[1]["a"], 4 * X)


def test_vjp_can_be_called_again():
    x, y = tensors(X, Y)
    out, pull = func.vjp(lambda a, b: {"p": a * b, "s": a.sum()}, x, y)
    for factor in (1.0, 2.0):
        ga, gb = pull({"p": wg.ones(3, dtype=wg.float64) * factor, "s": wg.tensor(1.0, dtype=wg.float64)})
        close(ga, Y * factor + 1)
        close(gb, X * factor)
    close(out["p"], X * Y)


def test_jacobian_and_hessian_of_functions():
    (x,) = tensors(X)
    close(
        func.jacrev(lambda t: t.outer(t))(x),
        np.einsum("ik,j->ijk", np.eye(3), X) + np.einsum("i,jk->ijk", X, np.eye(3)),
    )
    close(func.hessian(lambda t: (t**3).sum())(x), np.diag(6 * X))
    blocks = func.hessian(lambda a, b: (a * b.sin()).sum(), argnums=(0, 1))(x, wg.tensor(Y))
    close(blocks[0][1], np.diag(np.cos(Y)))
    close(blocks[1][1], np.diag(-X * np.sin(Y)))
    assert func.jacrev(lambda t: t[:0])(x).shape == (0, 3)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda x: func.grad(lambda t: t)(x), RuntimeError),
        (lambda x: func.grad(lambda t: 1.0)(x), RuntimeError),
        (lambda x: func.grad(wg.sum, argnums=1)(x), RuntimeError),
        (lambda x: func.grad(wg.sum, argnums=())(x), RuntimeError),
        (lambda x: func.grad(wg.sum, argnums=(0, 0))(x), RuntimeError),
        (lambda x: func.grad(wg.sum, argnums=[0])(x), RuntimeError),
        (lambda x: func.grad(wg.sum, has_aux=True)(x), RuntimeError),
        (lambda x: func.grad(wg.sum)(2.0), ValueError),
        (lambda x: func.grad(wg.sum)(wg.arange(3)), RuntimeError),
        (lambda x: func.vjp(wg.sin, x)[1]((x,)), RuntimeError),
        (lambda x: func.vjp(wg.sin, x)[1](x[:2]), RuntimeError),
        (lambda x: func.vjp(lambda t: [], x), RuntimeError),
        (lambda x: func.jacrev(lambda t: 1)(x), RuntimeError),
        (lambda x: func.jacrev(wg.sin, chunk_size=0), ValueError),
        (lambda x: functional.vjp(wg.sin, x), RuntimeError),
        (lambda x: functional.vjp(wg.sin, x, x[:2]), RuntimeError),
        (lambda x: functional.vjp(wg.sin, (x, 2)), TypeError),
        (lambda x: functional.vjp(lambda t: 2, x), TypeError),
        (lambda x: functional.jvp(lambda t: wg.ones(3), x, x, strict=True), RuntimeError),
        (lambda x: functional.jvp(lambda t: t * 2, x, x, strict=True, create_graph=True), RuntimeError),
        (lambda x: functional.jacobian(lambda a, b: a, (x, x), strict=True), RuntimeError),
        (lambda x: functional.jacobian(wg.sin, x, strategy="forward-mode"), NotImplementedError),
        (lambda x: functional.hessian(wg.sin, x), RuntimeError),
        (lambda x: functional.hessian(wg.sum, x, strict=True), RuntimeError),
        (lambda x: functional.vhp(lambda t: (t.sum(), t.sum()), x, x), RuntimeError),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, error: type[Exception]):
    with pytest.raises(error):
        call(wg.tensor(X))


class Tied(wg.nn.Module):
    """Two layers with one weight, and a buffer that a call counts up."""

    def __init__(self) -> None:
        super().__init__()
        self.a = wg.nn.Linear(2, 2, bias=False)
        self.b = wg.nn.Linear(2, 2, bias=False)
        self.b.weight = self.a.weight
        self.register_buffer("calls", wg.zeros(()))

    def forward(self, x: Any, factor: float = 10.0) -> Any:
        self.calls = self.calls + 1
        return self.a(x) + factor * self.b(x)


def test_functional_call_replaces_tied_weights_and_puts_all_back():
    model, ones = Tied(), wg.ones(2, 2)
    own, buffer = model.a.weight, model.calls
    given = {"b.weight": ones, "calls": wg.zeros(())}
    close(func.functional_call(model, given, wg.ones(2)), [22.0, 22.0])
    close(func.functional_call(model, given, (wg.ones(2),), {"factor": 100.0}), [202.0, 202.0])
    assert model.a.weight is own
    assert model.b.weight is own
    assert model.calls is buffer
    alone = func.functional_call(model, given, wg.ones(2), tie_weights=False) - 20
    np.testing.assert_allclose(alone.detach().numpy(), own.sum(1).detach().numpy(), rtol=1e-5, atol=1e-5)
    assert given["calls"].item() == 3.0  # what the module assigned
    func.functional_call(model, given, wg.ones(2), strict=True)
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\): 'c'.\s+Missing key\(s\): 'a.weight'"):
        func.functional_call(model, {**given, "c": ones}, wg.ones(2), tie_weights=False, strict=True)
    with pytest.raises(ValueError, match=r"multiple values for keys \['a.weight', 'b.weight'\]"):
        func.functional_call(model, {**given, "a.weight": wg.zeros(2, 2)}, wg.ones(2))
    with pytest.raises(TypeError, match="weight"):
        func.functional_call(model, {"calls": wg.zeros(()), "a.weight": 3}, wg.ones(2))
    assert model.calls is buffer
    with pytest.raises(ValueError, match="multiple"):
        func.functional_call(model, (given, given), wg.ones(2))


class Extra(wg.nn.Module):
    def forward(self, x: Any) -> Any:
        return x + self.extra, list(self.parameters())


def test_functional_call_of_names_that_the_module_has_not():
    model, extra = Extra(), wg.nn.Parameter(wg.ones(2))
    y, parameters = func.functional_call(model, {"extra": extra}, wg.ones(2))
    close(y, [2.0, 2.0])
    assert parameters[0] is extra
    assert not hasattr(model, "extra")
    assert func.functional_call(model, {"extra": wg.ones(2)}, wg.ones(2))[1] == []
    model.size = 3
    with pytest.raises(TypeError, match="attribute `size`: 3 is not an instance of"):
        func.functional_call(model, {"size": wg.ones(2)}, wg.ones(2))
    layer = wg.nn.Linear(2, 2)
    close(func.functional_call(layer, {"weight": wg.eye(2), "bias": None}, wg.ones(2)), [1.0, 1.0])
    assert layer.bias is not None
    layer.itself = layer  # names go in circles
    close(func.functional_call(layer, {"itself.bias": wg.zeros(2), "weight": wg.eye(2)}, wg.ones(2), tie_weights=False),
          [1.0, 1.0])  # fmt: skip


def test_the_older_functional_call_warns():
    with pytest.warns(FutureWarning, match=r"Please use `torch.func.functional_call`"):
        y = wg.nn.utils.stateless.functional_call(wg.nn.Linear(2, 1), {"weight": wg.ones(1, 2)}, wg.ones(2), {})
    assert y.shape == (1,)


def test_gradients_by_a_modules_parameters():
    model = wg.nn.Linear(3, 1, dtype=wg.float64)
    values = {name: p.detach() for name, p in model.named_parameters()}
    g = func.grad(lambda p: func.functional_call(model, p, wg.tensor(X)).sum())(values)
    close(g["weight"], X[None])
    close(g["bias"], [1.0])
    assert model.weight.grad is None


# ---------------------------------------------------------------------- beside PyTorch

PROGRAMS = {
    "jacrev": lambda T, f, A, x, y: f.jacrev(lambda a, b: (a * b.sin(), {"s": (a * a).sum()}), argnums=(0, 1))(x, y),
    "hessian": lambda T, f, A, x, y: f.hessian(lambda a, d: (a**3 * d["k"].exp()).sum(), argnums=(0, 1))(x, {"k": y}),
    "nested": lambda T, f, A, x, y: f.jacrev(f.grad(lambda a, b: (a * b).sin().prod(), argnums=(0, 1)), argnums=1)(
        x, y
    ),
    "vjp": lambda T, f, A, x, y: f.vjp(lambda a, b: [a * b, a.cumsum(0)], x, y)[1]([x, y]),
    "a.vjp": lambda T, f, A, x, y: A.vjp(lambda a, b: (a * b, a.sum()), (x, y), (x, y[0])),
    "a.jvp": lambda T, f, A, x, y: A.jvp(lambda a, b: (a * b.exp(), a.sum()), (x, y), (y, x)),
    "a.jvp linear": lambda T, f, A, x, y: A.jvp(lambda a: a * 2, x, y),
    "a.jacobian": lambda T, f, A, x, y: A.jacobian(lambda a, b: (a * b, b.cumsum(0), a.sum()), (x, y)),
    "a.jacobian unused": lambda T, f, A, x, y: A.jacobian(lambda a, b: a.sin(), (x, y)),
    "a.hessian": lambda T, f, A, x, y: A.hessian(lambda a, b: (a * a * b).sum().reshape(1), (x, y)),
    "a.hessian linear": lambda T, f, A, x, y: A.hessian(lambda a: a.sum(), x),
    "a.hvp": lambda T, f, A, x, y: A.hvp(lambda a, b: (a * a * b).sum(), (x, y), (y, x)),
    "a.vhp": lambda T, f, A, x, y: A.vhp(lambda a: (a**3).sum(), x, y),
    "a.jvp recorded": lambda T, f, A, x, y: T.autograd.grad(
        A.jvp(lambda a: a**3, x.requires_grad_(), y, create_graph=True)[1].sum(), x
    ),
    "a.jacobian recorded": lambda T, f, A, x, y: T.autograd.grad(
        A.jacobian(lambda a: a**3, x.requires_grad_(), create_graph=True).sum(), x
    ),
}


def flat(tree: Any) -> list[Any]:
    """The arrays of a tree, in order."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [a for part in tree for a in flat(part)] if isinstance(tree, list | tuple) else [tree.detach().numpy()]


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # its forward mode warns about itself
@pytest.mark.parametrize("name", PROGRAMS)
def test_as_pytorch(name: str):
    torch = pytest.importorskip("torch")
    theirs_functional = importlib.import_module("torch.autograd.functional")
    run = PROGRAMS[name]
    ours = flat(run(wg, func, functional, *tensors(X, Y)))
    theirs = flat(run(torch, torch.func, theirs_functional, torch.tensor(X), torch.tensor(Y)))
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
