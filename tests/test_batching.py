"""``vmap``, ``jvp`` and what belongs to them do what PyTorch's do."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import wengert as wg


def inputs(T: Any) -> tuple[Any, Any]:
    return T.linspace(-1, 1, 12).double().reshape(3, 4), T.linspace(0, 2, 12).double().reshape(3, 4)


def ensemble(T: Any) -> Any:
    models = [T.nn.Linear(4, 2).double() for _ in range(3)]
    for i, model in enumerate(models):
        for p in model.parameters():
            p.data.fill_(i + 0.5)
    params, buffers = T.func.stack_module_state(models)

    def call(p: Any, b: Any, x: Any) -> Any:
        return T.func.functional_call(models[0], (p, b), (x,))

    out = T.func.vmap(call, in_dims=(0, 0, None))(params, buffers, inputs(T)[0])
    out.square().sum().backward()
    return out, *(p.grad for p in params.values())


def gradient_of_each_example(T: Any) -> Any:
    model, (x, _) = T.nn.Linear(4, 2).double(), inputs(T)
    params = {name: p.detach().fill_(0.5) for name, p in model.named_parameters()}

    def loss(p: Any, a: Any, t: Any) -> Any:
        return T.nn.functional.cross_entropy(T.func.functional_call(model, p, (a[None],)), t[None])

    return list(T.vmap(T.func.grad(loss), (None, 0, 0))(params, x, T.tensor([0, 1, 0])).values())


def leaves(value: Any) -> list[Any]:
    return [leaf for part in value for leaf in leaves(part)] if isinstance(value, (tuple, list)) else [value]


CASES = {
    "dot": lambda T, x, y: T.vmap(T.dot)(x, y),
    "in_dims": lambda T, x, y: T.vmap(T.mv, in_dims=(None, 0))(y[:2], x),
    "out_dims": lambda T, x, y: T.vmap(lambda a: (a * 2, a.sum()), out_dims=(1, 0))(x),
    "trees": lambda T, x, y: T.vmap(lambda d, k: [d["a"] + k], in_dims=({"a": 1}, None))({"a": x}, y[:, 0])[0],
    "nested": lambda T, x, y: T.vmap(lambda a: T.vmap(lambda b: (a * b).sum())(y))(x),
    "negative": lambda T, x, y: T.vmap(T.sum, in_dims=-1)(x),
    "empty": lambda T, x, y: T.vmap(lambda a: a * 2)(x[:0]),
    "gradient": lambda T, x, y: T.vmap(T.func.grad(lambda w, a: (w * a).sin().sum()), (None, 0))(y[0], x),
    "hessian": lambda T, x, y: T.vmap(T.func.hessian(lambda a: (a**3).sum()))(x),
    "jvp": lambda T, x, y: T.func.jvp(lambda a, b: a.sin() * b, (x, y), (y, x)),
    "jvp of several": lambda T, x, y: T.func.jvp(lambda a: (a.exp(), T.ones(2).double()), (x,), (y,)),
    "jvp with aux": lambda T, x, y: T.func.jvp(lambda a: (a**3, a + 1), (x,), (y,), has_aux=True),
    "gradient of jvp": lambda T, x, y: T.func.grad(lambda a: T.func.jvp(T.sin, (a,), (y,))[1].sum())(x),
    "jvp of gradient": lambda T, x, y: T.func.jvp(T.func.grad(lambda a: (a**3).sum()), (x,), (y,))[1],
    "linearize": lambda T, x, y: T.func.linearize(T.sin, x)[1](y),
    "jacfwd": lambda T, x, y: T.func.jacfwd(T.func.jacrev(lambda a: (a**3).sum()))(x[0]),
    "ensemble": lambda T, x, y: ensemble(T),
    "gradient of each": lambda T, x, y: gradient_of_each_example(T),
    "sizes differ": lambda T, x, y: T.vmap(T.dot)(x, y.T),
    "structure differs": lambda T, x, y: T.vmap(T.dot, in_dims=(0,))(x, y),
    "no tensor returned": lambda T, x, y: T.vmap(lambda a: 3)(x),
    "no such dimension": lambda T, x, y: T.vmap(T.sum, in_dims=3)(x),
    "no inputs": lambda T, x, y: T.vmap(lambda: x)(),
    "a number is mapped": lambda T, x, y: T.vmap(T.mul)(x, 3),
    "nothing is mapped": lambda T, x, y: T.vmap(T.mul, in_dims=(None, None))(x, x),
    "tangents differ": lambda T, x, y: T.func.jvp(T.sin, (x,), (y, y)),
}


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")  # PyTorch warns of its own compiler
@pytest.mark.parametrize("name", CASES)
def test_does_what_torch_does(name: str):
    torch = pytest.importorskip("torch")
    try:
        theirs = CASES[name](torch, *inputs(torch))
    except Exception as error:
        with pytest.raises(next(t for t in type(error).__mro__ if t.__module__ == "builtins")):
            CASES[name](wg, *inputs(wg))
        return
    ours = CASES[name](wg, *inputs(wg))
    for a, b in zip(leaves(ours), leaves(theirs), strict=True):
        assert wg.allclose(a, wg.from_numpy(b.detach().numpy())), name
        assert tuple(a.shape) == tuple(b.shape)


def test_randomness():
    x = wg.ones(2, 3)
    same = wg.vmap(lambda a: a + wg.rand(3), randomness="same")(x)
    assert wg.equal(same[0], same[1])
    different = wg.vmap(lambda a: a + wg.rand(3), randomness="different")(x)
    assert not wg.equal(different[0], different[1])
    with pytest.raises(RuntimeError, match="Only allowed values"):
        wg.vmap(wg.sum, randomness="often")


def test_other_threads_know_nothing_of_a_mapped_function():
    drawn: list[Any] = []

    def f(a: Any) -> Any:
        other = threading.Thread(target=lambda: drawn.append(wg.rand(3).shape))
        other.start()
        other.join()
        return a * 2

    wg.vmap(f)(wg.ones(2, 3))
    assert drawn == [(3,)]
