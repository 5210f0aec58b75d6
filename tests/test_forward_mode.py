"""Forward mode: `forward_ad`, `jvp`, and every row of the op table against its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
import wengert.autograd.forward_ad as fwAD
from wengert.func import grad, hessian, jacfwd, jacrev, jvp, vmap

from .cases.base import OpCase
from .cases.ops import CASES
from .op_checks import Inputs, differentiable, dot, flat, noise, run, samples, values

# A tangent of a sparse tensor would be sparse: forward mode is for dense ones. Some functions are left by the graph.
SPARSE = ("spmm", "smm", "sspaddmm", "hspmm", "Tensor.coalesce")


def skipped(case: OpCase) -> bool:
    return not case.orders or "sparse" in str(case) or case.name in SPARSE


@pytest.mark.parametrize("case", [c for c in CASES if not skipped(c)], ids=str)
def test_tangents_agree_with_gradients(case: OpCase):
    """``<v, J t> == <J' v, t>`` for random ``v`` and ``t``: the left side by forward mode, the right by backward."""
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        for sample in samples(case)[:4]:
            inputs = Inputs(sample, "cpu", grad=True)
            if not inputs.leaves:
                continue
            outputs = differentiable(run(case, inputs))
            if not outputs:
                continue
            vs = [noise(rng, o) for o in outputs]
            gs = wg.autograd.grad(outputs, inputs.leaves, [wg.from_numpy(v) for v in vs], allow_unused=True)
            directions = [noise(rng, x) for x in inputs.leaves]
            pairs = [(values(g), t) for g, t in zip(gs, directions, strict=True) if g is not None]
            right = dot([g for g, _ in pairs], [t for _, t in pairs])
            left = forward(case, sample, directions, vs)
            assert left == pytest.approx(right, rel=1e-6, abs=1e-7)


def forward(case: OpCase, sample: Any, directions: list[np.ndarray], vs: list[np.ndarray]) -> float:
    inputs = Inputs(sample, "cpu", grad=True)
    with fwAD.dual_level():
        duals = [
            fwAD.make_dual(x, wg.from_numpy(t).to(x.dtype)) for x, t in zip(inputs.leaves, directions, strict=True)
        ]
        places = {id(x): d for x, d in zip(inputs.leaves, duals, strict=True)}
        inputs.args = exchanged(inputs.args, places)
        outputs = differentiable(run(case, inputs))
        tangents = [fwAD.unpack_dual(o).tangent for o in outputs]
    found = [np.zeros_like(v) if t is None else values(t) for t, v in zip(tangents, vs, strict=True)]
    assert [t.shape for t in found] == [v.shape for v in vs]
    return dot(vs, found)


def exchanged(value: Any, places: dict[int, Any]) -> Any:
    if id(value) in places:
        return places[id(value)]
    if type(value) in (list, tuple):
        return type(value)(exchanged(v, places) for v in value)
    return {k: exchanged(v, places) for k, v in value.items()} if type(value) is dict else value


# ---------------------------------------------------------------------- forward_ad


def test_a_level_its_duals_and_its_end():
    x, t = wg.tensor([1.0, 2.0]), wg.tensor([3.0, 4.0])
    with fwAD.dual_level():
        dual = fwAD.make_dual(x, t)
        assert not dual.requires_grad
        y = (dual * dual).sin()
        primal, tangent = fwAD.unpack_dual(y)
        assert wg.allclose(tangent, (x * x).cos() * 2 * x * t)
        assert fwAD.unpack_dual(primal).tangent is None
        assert fwAD.unpack_dual(dual.detach()).tangent is None
        assert wg.equal(fwAD.unpack_dual(dual.clone()).tangent, t)
        assert fwAD.unpack_dual(x).tangent is None
    assert fwAD.unpack_dual(y).tangent is None
    assert (x * x)._grad is None


def test_what_make_dual_refuses():
    x = wg.ones(2)
    with pytest.raises(RuntimeError, match="no level exists"):
        fwAD.make_dual(x, x)
    with fwAD.dual_level():
        with pytest.raises(RuntimeError, match="different size"):
            fwAD.make_dual(x, wg.ones(3))
        with pytest.raises(ValueError, match="floating point"):
            fwAD.make_dual(wg.ones(2, dtype=wg.int64), x)
        dual = fwAD.make_dual(x, x)
        with pytest.raises(RuntimeError, match="already has a forward gradient"):
            fwAD.make_dual(dual, x)
        with pytest.raises(RuntimeError, match="Nested"):
            fwAD.enter_dual_level()
    with pytest.raises(RuntimeError, match="positive"):
        fwAD.exit_dual_level()


def test_writes_in_place_move_tangents():
    t = wg.tensor([1.0, 1.0, 1.0])
    with fwAD.dual_level():
        x = fwAD.make_dual(wg.tensor([1.0, 2.0, 3.0]), t)
        y = x.clone()
        y.mul_(x)
        y[1] = 5.0
        y[0:1].add_(x[2:3] * 10)
        assert fwAD.unpack_dual(y).tangent.tolist() == [12.0, 0.0, 6.0]
        z = wg.zeros(3)
        z[2] = x[1] ** 2
        assert fwAD.unpack_dual(z).tangent.tolist() == [0.0, 0.0, 4.0]
        z.zero_()
        assert fwAD.unpack_dual(z).tangent.tolist() == [0.0, 0.0, 0.0]


def test_backward_within_a_level_gives_gradients_with_tangents():
    x = wg.tensor([1.0, 2.0], requires_grad=True)
    with fwAD.dual_level():
        dual = fwAD.make_dual(x, wg.tensor([1.0, 0.5]))
        (g,) = wg.autograd.grad((dual**3).sum(), dual)
        assert wg.allclose(g, 3 * x.detach() ** 2)
        assert wg.allclose(fwAD.unpack_dual(g).tangent, 6 * x.detach() * wg.tensor([1.0, 0.5]))


def test_the_graph_goes_through_tangents():
    x = wg.tensor([1.0, 2.0], requires_grad=True)
    with fwAD.dual_level():
        tangent = fwAD.unpack_dual(fwAD.make_dual(x, wg.ones(2)).exp()).tangent
    tangent.sum().backward()
    assert wg.allclose(x.grad, x.detach().exp())


def test_nothing_is_asked_outside_of_levels():
    from wengert.autograd import primitive

    with fwAD.dual_level():
        assert primitive._forward is not None
    assert primitive._forward is None


# ---------------------------------------------------------------------- compositions

MODEL = wg.nn.Sequential(wg.nn.Linear(3, 4), wg.nn.Tanh(), wg.nn.Linear(4, 2)).double()
W = wg.linspace(-1, 1, 12, dtype=wg.float64).reshape(4, 3)


def f(T: Any, x: Any) -> Any:
    w = T.linspace(-1, 1, 12, dtype=T.float64).reshape(4, 3)
    return T.tanh(T.nn.functional.linear(x, w)).softmax(-1)


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
    "vmap of vmap": lambda T, x, t: T.vmap(T.vmap(lambda a: a.sin() * 2))(x),
    "vmap of grad of vmap": lambda T, x, t: T.vmap(T.func.grad(lambda a: T.vmap(lambda b: b.exp() * a.sum())(a).sum()))(
        x
    ),
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
    "jvp with aux": lambda T, x, t: T.func.jvp(lambda a: (a.sin(), a * 2), (x,), (t,), has_aux=True),
    "jacfwd with aux": lambda T, x, t: T.func.jacfwd(lambda a: (a.sin(), a * 2), has_aux=True)(x[0]),
    "jacfwd by two": lambda T, x, t: T.func.jacfwd(lambda a, b: a @ b.T, argnums=(0, 1))(x, t),
    "chunks": lambda T, x, t: T.vmap(lambda a: f(T, a), chunk_size=1)(x),
    "out_dims": lambda T, x, t: T.vmap(lambda a: (f(T, a), a), out_dims=(1, 0))(x),
    "jvp of a Function": lambda T, x, t: T.func.jvp(lambda a: cube(T).apply(a), (x,), (t,)),
    "vmap of a Function": lambda T, x, t: T.vmap(lambda a: cube(T).apply(a))(x),
    "grad of vmap of a Function": lambda T, x, t: T.func.grad(lambda a: T.vmap(lambda b: cube(T).apply(b)[0])(a).sum())(
        x
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


def test_derivatives_of_a_model_agree_in_every_mode():
    x = wg.tensor([0.3, -0.2, 0.9], dtype=wg.float64)
    assert wg.allclose(jacfwd(MODEL)(x), jacrev(MODEL)(x))
    scalar = lambda a: MODEL(a).prod()  # noqa: E731
    full = hessian(scalar)(x)
    direction = wg.tensor([1.0, 2.0, -1.0], dtype=wg.float64)
    assert wg.allclose(jvp(grad(scalar), (x,), (direction,))[1], full @ direction)
    assert wg.allclose(vmap(lambda d: jvp(grad(scalar), (x,), (d,))[1])(wg.eye(3, dtype=wg.float64)), full)
    assert flat(full)[0].shape == (3, 3)
