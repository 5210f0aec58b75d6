"""Initialisers: bounds, moments, structure, what they refuse, and that layers start as PyTorch's do."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.nn import init

from .backends import backend  # noqa: F401  (a fixture)


def numbers(t: Any) -> np.ndarray:
    return np.array(t.detach().cpu().tolist())


# Each row: how to call it on a (200, 100) tensor, then the standard deviation and the largest magnitude it must have.
RANDOM = {
    "uniform_": (lambda t: init.uniform_(t, -2, 4), 6 / math.sqrt(12), 4.0),
    "normal_": (lambda t: init.normal_(t, 0, 3), 3.0, math.inf),
    "trunc_normal_": (lambda t: init.trunc_normal_(t), 0.8796, 2.0),
    "xavier_uniform_": (lambda t: init.xavier_uniform_(t, gain=2), 2 * math.sqrt(2 / 300), 2 * math.sqrt(6 / 300)),
    "xavier_normal_": (lambda t: init.xavier_normal_(t), math.sqrt(2 / 300), math.inf),
    "kaiming_uniform_": (
        lambda t: init.kaiming_uniform_(t, nonlinearity="relu"),
        0.1 * math.sqrt(2),
        0.1 * math.sqrt(6),
    ),
    "kaiming_normal_": (lambda t: init.kaiming_normal_(t, mode="fan_out"), math.sqrt(2 / 200), math.inf),
}


@pytest.mark.parametrize("name", RANDOM)
def test_distribution(name: str, backend: str):  # noqa: F811
    call, std, bound = RANDOM[name]
    with wg.device(backend):
        t = nn.Parameter(wg.empty(200, 100))
        assert call(t) is t
    x = numbers(t)
    assert t.is_leaf
    assert abs(x.std() - std) < 0.03 * std
    assert np.abs(x).max() <= bound * (1 + 1e-6)


def test_trunc_normal_with_other_bounds_and_types():
    for dtype in (wg.float64, wg.float32, wg.float16, wg.bfloat16):
        x = numbers(init.trunc_normal_(wg.empty(5000, dtype=dtype), 1.0, 2.0, 0.0, 1.5))
        assert x.min() >= 0.0
        assert x.max() <= 1.5
        assert 0.7 < x.mean() < 0.8
    with pytest.warns(UserWarning, match="more than 2 std"):
        init.trunc_normal_(wg.empty(3), 10.0, 1.0)


def test_generators_and_seeds_decide_the_numbers():
    calls = [
        lambda t, g: init.uniform_(t, generator=g),
        lambda t, g: init.normal_(t, generator=g),
        lambda t, g: init.trunc_normal_(t, generator=g),
        lambda t, g: init.xavier_uniform_(t, generator=g),
        lambda t, g: init.kaiming_normal_(t, generator=g),
        lambda t, g: init.orthogonal_(t, generator=g),
        lambda t, g: init.sparse_(t, 0.5, generator=g),
    ]
    for call in calls:
        a = call(wg.empty(5, 4), wg.Generator().manual_seed(7))
        b = call(wg.empty(5, 4), wg.Generator().manual_seed(7))
        c = call(wg.empty(5, 4), wg.Generator().manual_seed(8))
        assert a.tolist() == b.tolist() != c.tolist()


def test_constants_and_identities(backend: str):  # noqa: F811
    with wg.device(backend):
        check_constants_and_identities()


def check_constants_and_identities():
    assert numbers(init.constant_(wg.empty(2, 2), 3.5)).tolist() == [[3.5] * 2] * 2
    assert numbers(init.ones_(wg.empty(2))).tolist() == [1, 1]
    assert numbers(init.zeros_(wg.ones(2))).tolist() == [0, 0]
    assert numbers(init.eye_(wg.empty(2, 3))).tolist() == [[1, 0, 0], [0, 1, 0]]
    p = nn.Parameter(wg.empty(3, 3))
    init.eye_(p)
    assert p.is_leaf


@pytest.mark.parametrize(("conv", "shape"), [(nn.Conv1d, (7,)), (nn.Conv2d, (5, 6)), (nn.Conv3d, (3, 4, 5))])
def test_dirac_hands_channels_on(conv: Any, shape: tuple[int, ...]):
    layer = conv(4, 4, 3, padding=1, groups=2, bias=False)
    init.dirac_(layer.weight, groups=2)
    x = wg.randn(2, 4, *shape)
    np.testing.assert_allclose(numbers(layer(x)), numbers(x), atol=1e-6)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 2, 3), (2, 0)])
def test_orthogonal(shape: tuple[int, ...], backend: str):  # noqa: F811
    with wg.device(backend):
        w = numbers(init.orthogonal_(wg.empty(shape, dtype=wg.float64), gain=2.0)).reshape(shape[0], -1)
    product = w @ w.T if w.shape[0] < w.shape[1] else w.T @ w
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)


def test_sparse(backend: str):  # noqa: F811
    with wg.device(backend):
        x = numbers(init.sparse_(wg.empty(10, 6), 0.31, std=0.5))
    assert ((x == 0).sum(0) == 4).all()
    assert x.std() > 0.1


def test_gain():
    assert (
        init.calculate_gain("linear") == init.calculate_gain("sigmoid") == init.calculate_gain("conv_transpose3d") == 1
    )
    assert init.calculate_gain("tanh") == 5 / 3
    assert init.calculate_gain("relu") == math.sqrt(2)
    assert init.calculate_gain("leaky_relu", 0.2) == math.sqrt(2 / 1.04)
    assert init.calculate_gain("selu") == 0.75


REFUSED = {
    "gain": (lambda: init.calculate_gain("gelu"), "Unsupported nonlinearity gelu"),
    "slope": (lambda: init.calculate_gain("leaky_relu", "a"), "negative_slope a not a valid number"),
    "eye": (lambda: init.eye_(wg.empty(2)), "2 dimensions"),
    "dirac": (lambda: init.dirac_(wg.empty(2, 2)), "3, 4, or 5 dimensions"),
    "dirac groups": (lambda: init.dirac_(wg.empty(3, 2, 2), 2), "divisible by groups"),
    "fan": (lambda: init.xavier_normal_(wg.empty(3)), "fewer than 2 dimensions"),
    "mode": (lambda: init.kaiming_normal_(wg.empty(3, 3), mode="both"), "Mode both not supported"),
    "orthogonal": (lambda: init.orthogonal_(wg.empty(3)), "2 or more dimensions"),
    "sparse": (lambda: init.sparse_(wg.empty(3), 0.1), "2 dimensions"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(what: str):
    call, message = REFUSED[what]
    with pytest.raises(ValueError, match=message):
        call()


def test_nothing_to_fill():
    with pytest.warns(UserWarning, match="zero-element"):
        init.kaiming_uniform_(wg.empty(0, 3))


def test_integers_are_refused():
    with pytest.raises(RuntimeError):
        init.normal_(wg.zeros(3, dtype=wg.int64))


# How layers start: a layer, then for each parameter the bound of a uniform distribution or "normal".
STARTS: dict[str, tuple[Any, dict[str, float | str]]] = {
    "Linear": (lambda T: T.nn.Linear(100, 200), {"weight": 0.1, "bias": 0.1}),
    "Bilinear": (lambda T: T.nn.Bilinear(25, 30, 40), {"weight": 0.2, "bias": 0.2}),
    "Conv2d": (lambda T: T.nn.Conv2d(16, 64, 5), {"weight": 0.05, "bias": 0.05}),
    "grouped Conv1d": (lambda T: T.nn.Conv1d(64, 64, 4, groups=4), {"weight": 0.125, "bias": 0.125}),
    "ConvTranspose2d": (lambda T: T.nn.ConvTranspose2d(16, 64, 5), {"weight": 0.025, "bias": 0.025}),
    "Embedding": (lambda T: T.nn.Embedding(200, 100), {"weight": "normal"}),
}


@pytest.mark.parametrize("name", STARTS)
@pytest.mark.parametrize("library", ["wengert", pytest.param("torch", marks=pytest.mark.parity)])
def test_layers_start_like_those_of_torch(name: str, library: str):
    T = pytest.importorskip(library)
    T.manual_seed(0)
    build, starts = STARTS[name]
    layer = build(T)
    assert {n for n, _ in layer.named_parameters()} == set(starts)
    for parameter, bound in starts.items():
        x = numbers(getattr(layer, parameter))
        if bound == "normal":
            assert abs(x.std() - 1) < 0.03
        else:
            assert isinstance(bound, float)
            assert bound * 0.8 < np.abs(x).max() <= bound * (1 + 1e-6)
            assert abs(x.std() - bound / math.sqrt(3)) < 0.15 * bound


@pytest.mark.parity
def test_all_of_torch_is_there():
    torch = pytest.importorskip("torch")
    theirs = {n for n, f in vars(torch.nn.init).items() if inspect.isfunction(f) and n.endswith("_") and n[0] != "_"}
    assert theirs <= set(init.__all__)
    for name in theirs:
        mine = inspect.signature(getattr(init, name)).parameters
        assert list(mine) == list(inspect.signature(getattr(torch.nn.init, name)).parameters)


def test_the_names_without_an_underscore_still_work():
    for name in ("uniform", "normal", "eye", "dirac", "orthogonal", "xavier_uniform", "kaiming_normal"):
        with pytest.warns(FutureWarning, match=f"`nn.init.{name}` is now deprecated in favor of `nn.init.{name}_`"):
            getattr(wg.nn.init, name)(wg.empty(3, 3, 3) if name == "dirac" else wg.empty(3, 3))
    with pytest.warns(FutureWarning):
        assert wg.nn.init.constant(wg.empty(2), 3.0).tolist() == [3.0, 3.0]
