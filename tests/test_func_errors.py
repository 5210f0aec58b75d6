"""What transforms refuse, and what they say: the transform, the argument's place in its tree, and the way out."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import pytest

import wengert as wg
from wengert import func
from wengert.autograd import forward_ad, functional

X = wg.tensor([1.0, 2.0])


@dataclass(frozen=True)
class Line:
    slope: Any
    offset: Any


def captured(transform: Any) -> Any:
    kept = wg.zeros(2)

    def f(x: Any) -> Any:
        kept.copy_(x)
        return (x * kept).sum()

    return transform(f)


def ones(n: int = 2) -> Any:
    return wg.ones(n)


REFUSED = {
    "number in a tree": (
        lambda: func.grad(lambda d: d["a"].sum())({"a": X, "b": [X, 3]}),
        ValueError,
        "Thing passed to transform API must be Tensor, got <class 'int'>: grad differentiates by every leaf of the "
        "arguments in argnums, and args[0]['b'][1] is none",
    ),
    "integers": (
        lambda: func.grad(lambda line: line.slope.sum())(Line(wg.arange(2), X)),
        RuntimeError,
        "only Tensors of floating point dtype can require gradients, not wengert.int64: grad is asked to differentiate "
        "by args[0].slope",
    ),
    "no scalar": (
        lambda: func.grad(lambda x: x)(X),
        RuntimeError,
        "got tensor with 1 dims. Maybe you wanted to use the vjp or jacrev APIs instead?",
    ),
    "no tensor": (lambda: func.grad(lambda x: 1.0)(X), RuntimeError, "Expected f(*args) to return a Tensor"),
    "no pair": (
        lambda: func.vjp(lambda x: [x, x], X, has_aux=True),
        RuntimeError,
        "vjp(f, *primals): output of function f should be a tuple: (output, aux) if has_aux is True",
    ),
    "aux": (
        lambda: func.jvp(lambda x: (x, {"a": [x, "b"]}), (X,), (X,), has_aux=True),
        RuntimeError,
        "Expected tensors, got unsupported type <class 'str'> at aux['a'][1]",
    ),
    "nothing returned": (
        lambda: func.jacrev(lambda x: None)(X),
        RuntimeError,
        "vjp(f, *primals): Expected f to be a function that has non-empty output",
    ),
    "a number returned": (
        lambda: func.jvp(lambda x: {"y": x, "n": 3}, (X,), (X,)),
        RuntimeError,
        "jvp(f, primals, tangents): expected f(*primals) to return only tensors, got unsupported type <class 'int'> at "
        "output['n']",
    ),
    "other cotangents": (
        lambda: func.vjp(lambda x: {"y": x}, X)[1]({"y": ones(3)}),
        RuntimeError,
        "Mismatch in shape: cotangents['y'] has a shape of [3]",
    ),
    "cotangent is a number": (lambda: func.vjp(wg.sum, X)[1](1.0), TypeError, "but got float: cotangents"),
    "other tree": (
        lambda: func.jvp(lambda a, b: a * b, (X, X), (X,)),
        RuntimeError,
        "Expected primals and tangents to have the same python structure",
    ),
    "no tuple": (lambda: func.jvp(wg.sin, X, X), RuntimeError, "Expected primals to be a tuple"),
    "tangent is a number": (
        lambda: func.jvp(lambda d: d["a"], ({"a": X},), ({"a": 1.0},)),
        RuntimeError,
        "Expected tangents to only contain Tensors, got <class 'float'> at tangents[0]['a']",
    ),
    "tangent of another shape": (
        lambda: func.jvp(lambda d: d["a"], ({"a": X},), ({"a": ones(3)},)),
        RuntimeError,
        "Tensor is of size [2] while the given forward gradient is of size [3]: tangents[0]['a']",
    ),
    "integer primal": (lambda: func.jvp(wg.sum, (wg.arange(2),), (wg.arange(2),)), ValueError, "floating point"),
    "hvp": (lambda: func.hvp(wg.sum, (X,), (ones(3),)), RuntimeError, "tangents[0] of hvp(f, primals, tangents)"),
    "complex": (
        lambda: func.jacrev(lambda d: d["a"].abs())({"a": X + 1j}),
        RuntimeError,
        "jacrev: Expected all inputs to be real but received complex tensor at flattened input idx: 0 (input['a'])",
    ),
    "strict": (
        lambda: func.jvp(lambda x: (x, ones()), (X,), (X,), strict=True),
        RuntimeError,
        "independent of the input at output[1]",
    ),
    "linearize": (
        lambda: func.linearize(wg.sin, X)[1](ones(3)),
        RuntimeError,
        "Expected tangents[0] in flattened pytree doesn't match the shape",
    ),
    "in_dims out of range": (
        lambda: func.vmap(lambda d: d["a"], in_dims=({"a": 1},))({"a": X}),
        ValueError,
        "Got in_dim=1 for some input, but that input is a Tensor of dimensionality 1 so expected in_dim to satisfy "
        "-1 <= in_dim < 1. (The input is args[0]['a'])",
    ),
    "in_dims of a number": (
        lambda: func.vmap(lambda a, b: a, in_dims=(0, [0]))(X, [3]),
        ValueError,
        "please use None as the respective in_dim. (The input is args[1][0])",
    ),
    "in_dims in a list": (
        lambda: func.vmap(wg.mul, in_dims=[0, 0])(X, X),
        ValueError,
        "expected `in_dims` to be int or a (potentially nested) tuple",
    ),
    "sizes": (lambda: func.vmap(wg.mul)(X, ones(3)), ValueError, "(args[0]: 2, args[1]: 3)"),
    "nothing mapped": (lambda: func.vmap(wg.mul, in_dims=None)(X, X), ValueError, "expected `in_dims` to be int"),
    "out_dims": (
        lambda: func.vmap(lambda x: x, out_dims="a")(X),
        ValueError,
        "`out_dims` must be an int, None or a python collection of ints",
    ),
    "batched and out_dims None": (
        lambda: func.vmap(lambda x: (x, x), out_dims=(0, None))(X),
        ValueError,
        "can not return a BatchedTensor when out_dim is None at output[1]",
    ),
    "write to a capture": (
        lambda: captured(func.grad)(X),
        RuntimeError,
        "would mutate a captured Tensor: grad of f writes values that depend on its arguments",
    ),
    "write to a capture, forward": (
        lambda: captured(lambda f: lambda x: func.jvp(f, (x,), (x,)))(X),
        RuntimeError,
        "would mutate a captured Tensor: jvp of f",
    ),
    "requires_grad_": (
        lambda: func.grad(lambda x: x.requires_grad_().sum())(X),
        RuntimeError,
        "Tensor.requires_grad_() (or perhaps using torch.autograd.functional.* APIs) inside of a function being "
        "transformed by a functorch transform: grad of <lambda>",
    ),
    "retain_grad": (lambda: func.vjp(lambda x: (x * 2).retain_grad(), X), RuntimeError, "Tensor.retain_grad()"),
    "backward": (
        lambda: func.vmap(lambda x: (x * x).backward())(X),
        RuntimeError,
        "backward() called inside a functorch transform",
    ),
    "functional": (
        lambda: func.grad(lambda x: functional.jacobian(wg.sum, x).sum())(X),
        RuntimeError,
        "torch.autograd.functional.* APIs (jacobian)",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_and_how(name: str):
    call, error, text = REFUSED[name]
    with pytest.raises(error) as caught:
        call()
    assert text in str(caught.value)


def test_a_function_that_runs_for_each_example_says_so_once(monkeypatch: pytest.MonkeyPatch):
    from wengert.backends.batched import level

    monkeypatch.setattr(level, "_slow", set())
    x = wg.tensor([[1, 1, 0], [2, 0, 2]])
    with pytest.warns(
        UserWarning, match=r"There is a performance drop.*nonzero, which runs once for each of 2 examples"
    ):
        first = func.vmap(wg.nonzero)(x)
    assert wg.equal(first, func.vmap(wg.nonzero)(x))  # a second warning would be an error
    assert first.tolist() == [[[0], [1]], [[0], [2]]]


def test_trees_of_every_kind_go_in_and_come_out():
    tree = {"line": Line(X, X * 2), "queue": deque([X], maxlen=2), "pair": (X, [X])}
    g = func.grad(lambda t: (t["line"].slope * t["line"].offset).sum() + t["queue"][0].sum() + t["pair"][1][0].sum())(
        tree
    )
    assert isinstance(g["line"], Line)
    assert g["line"].slope.tolist() == [2.0, 4.0]
    assert g["queue"].maxlen == 2
    assert g["pair"][0].tolist() == [0.0, 0.0]
    value, along = func.jvp(lambda t: Line(t["line"].slope, t["pair"][0] * 3), (tree,), (tree,))
    assert value.offset.tolist() == along.offset.tolist() == [3.0, 6.0]
    assert func.vmap(lambda t: t["line"], in_dims=(0,))(tree).offset.tolist() == [2.0, 4.0]
    wg.utils._pytree.register_pytree_node(Celsius, lambda c: ([c.degrees], None), lambda parts, _: Celsius(*parts))
    assert func.grad(lambda c: c.degrees.sum() * 2)(Celsius(X)).degrees.tolist() == [2.0, 2.0]


class Celsius:
    def __init__(self, degrees: Any) -> None:
        self.degrees = degrees


def test_modules_are_trees_of_their_parameters():
    model = wg.nn.Sequential(wg.nn.Linear(2, 3), wg.nn.BatchNorm1d(3), wg.nn.Linear(3, 1))
    x = wg.ones(4, 2)
    g = func.grad(lambda m: (m(x) ** 2).sum())(model)
    (model(x) ** 2).sum().backward()
    assert type(g) is wg.nn.Sequential
    for (name, ours), (_, theirs) in zip(g.named_parameters(), model.named_parameters(), strict=True):
        assert wg.allclose(ours, theirs.grad, atol=1e-5), name
    assert isinstance(model[0].weight, wg.nn.Parameter)
    assert func.vmap(lambda m, row: m[0](row), in_dims=(None, 0))(model, x).shape == (4, 3)


def test_tensors_print_within_vmap():
    texts: list[str] = []
    func.vmap(func.vmap(lambda a: (texts.append(repr(a)), a)[1]))(wg.zeros(2, 3))
    assert texts[0].startswith("BatchedTensor(lvl=2, bdim=0, value=\n    BatchedTensor(lvl=1, bdim=0, value=\n")
    seen: list[Any] = []
    func.vmap(lambda a: (seen.append(func.debug_unwrap(a).shape), a)[1])(wg.zeros(2, 3))
    assert seen == [(2, 3)]


def test_transforms_within_inference_mode_and_no_grad():
    x = wg.ones(3)
    with wg.inference_mode():
        inside = wg.ones(3)
        assert func.grad(lambda a: (a**2).sum())(inside).tolist() == [2.0, 2.0, 2.0]
        assert func.jvp(lambda a: (a**2).sum(), (inside,), (inside,))[1].item() == 6.0
        assert func.hessian(lambda a: (a**3).sum())(inside).diagonal().tolist() == [6.0, 6.0, 6.0]
    leaf = wg.tensor(3.0, requires_grad=True)
    with wg.no_grad():
        out, pull = func.vjp(lambda a: a**2, leaf)
    assert not out.requires_grad
    (g,) = pull(wg.ones(()))
    assert wg.autograd.grad(g, leaf)[0].item() == 2.0
    with forward_ad._set_fwd_grad_enabled(False):
        assert func.jvp(wg.sin, (x,), (x,))[1].shape == (3,)


def test_backward_passes_deep_inside_each_other_keep_tangents():
    class Nested(wg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, depth: int) -> Any:
            ctx.save_for_backward(x)
            ctx.depth = depth
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            if ctx.depth:
                with wg.enable_grad():
                    inner = x.detach().requires_grad_() * 1.0
                    wg.autograd.grad(Nested.apply(inner, ctx.depth - 1), inner)
            return 2 * x * g, None

    x = wg.tensor(3.0, requires_grad=True)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, wg.tensor(1.0))
        (g,) = wg.autograd.grad(Nested.apply(dual, 90), dual)
        assert forward_ad.unpack_dual(g).tangent.item() == 2.0
