"""Random numbers: seeds, states, distributions, and the same numbers on every device."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg

N = 40_000


def rounds(draw: Callable[[], Any]) -> list[Any]:
    """Two draws after one seed, and the first again."""
    wg.manual_seed(3)
    first, second = draw(), draw()
    wg.manual_seed(3)
    return [first, second, draw()]


DRAWS: dict[str, Callable[..., Any]] = {
    "rand": lambda device: wg.rand(5, device=device),
    "rand float64": lambda device: wg.rand(5, device=device, dtype=wg.float64),
    "randn": lambda device: wg.randn(5, device=device),
    "randn float16": lambda device: wg.randn(5, device=device, dtype=wg.float16),
    "randn complex": lambda device: wg.randn(5, device=device, dtype=wg.complex64),
    "randint": lambda device: wg.randint(0, 1000, (5,), device=device),
    "randperm": lambda device: wg.randperm(9, device=device),
    "normal": lambda device: wg.normal(2.0, 3.0, (5,), device=device),
    "bernoulli": lambda device: wg.bernoulli(wg.full((60,), 0.5, device=device)),
    "multinomial": lambda device: wg.multinomial(wg.ones(20, device=device), 5),
    "uniform_": lambda device: wg.empty(5, device=device).uniform_(-1, 1),
    "exponential_": lambda device: wg.empty(5, device=device).exponential_(),
    "random_": lambda device: wg.empty(5, device=device, dtype=wg.int64).random_(),
}


@pytest.mark.parametrize("name", DRAWS)
def test_a_seed_fixes_the_numbers(name: str, backend: str) -> None:
    first, second, again = [x.cpu() for x in rounds(lambda: DRAWS[name](backend))]
    assert bool((first == again).all())
    assert not bool((first == second).all())
    wg.manual_seed(3)
    assert bool((DRAWS[name]("cpu") == first).all()), "another device draws other numbers"


def test_parts_of_a_draw_are_the_draw() -> None:
    wg.manual_seed(1)
    whole = wg.rand(8)
    wg.manual_seed(1)
    assert bool((wg.cat([wg.rand(4), wg.rand(4)]) == whole).all())


def test_generators_are_apart() -> None:
    wg.manual_seed(0)
    expected = wg.rand(3)
    wg.manual_seed(0)
    g = wg.Generator()
    assert g.initial_seed() == 67280421310721
    g.manual_seed(5)
    a = wg.rand(3, generator=g)
    assert bool((wg.rand(3) == expected).all()), "a generator of one's own moved the default one"
    assert not bool((a == expected).any())
    assert bool((a == wg.rand(3, generator=g.manual_seed(5))).all())
    assert g.seed() == g.initial_seed() != 5


def test_states() -> None:
    wg.manual_seed(7)
    wg.rand(10)
    state = wg.get_rng_state()
    assert (state.dtype, tuple(state.shape), state.device.type) == (wg.uint8, (16,), "cpu")
    a = wg.rand(3)
    wg.set_rng_state(state)
    assert bool((wg.rand(3) == a).all())
    g = wg.Generator().set_state(state)
    for twin in (g.clone_state(), copy.deepcopy(g), pickle.loads(pickle.dumps(g))):
        assert bool((wg.rand(3, generator=twin) == a).all())
    assert wg.initial_seed() == 7


def test_fork_leaves_the_generator_as_it_was() -> None:
    wg.manual_seed(1)
    a = wg.rand(3)
    wg.manual_seed(1)
    with wg.random.fork_rng():
        wg.manual_seed(9)
        wg.rand(100)
    assert bool((wg.rand(3) == a).all())


@pytest.mark.parametrize("seed", [0, -1, 2**63, 2**64 - 1, -(2**63)])
def test_seeds(seed: int) -> None:
    assert wg.manual_seed(seed).initial_seed() == seed % 2**64


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        (lambda: wg.manual_seed(2**64), ValueError, "18446744073709551616"),
        (lambda: wg.set_rng_state(wg.zeros(3, dtype=wg.uint8)), RuntimeError, "16"),
        (lambda: wg.set_rng_state(wg.zeros(16)), TypeError, "ByteTensor"),
        (lambda: wg.rand(2, generator=3), TypeError, "Generator"),
        (lambda: wg.rand(2, dtype=wg.int64), RuntimeError, "randint"),
        (lambda: wg.randint(3, 3, (2,)), RuntimeError, "from=3"),
        (lambda: wg.randint(0, 257, (2,), dtype=wg.uint8), RuntimeError, "out of bounds"),
        (lambda: wg.normal(0.0, -1.0, (2,)), RuntimeError, "std"),
        (lambda: wg.bernoulli(wg.tensor([2.0])), RuntimeError, "probability"),
        (lambda: wg.multinomial(wg.tensor([1.0]), 2), RuntimeError, "without replacement"),
        (lambda: wg.multinomial(wg.tensor([0.0, 0.0]), 1), RuntimeError, "sum of prob"),
        (lambda: wg.multinomial(wg.tensor([-1.0, 2.0]), 1), RuntimeError, "element < 0"),
        (lambda: wg.ones(2).uniform_(2, 1), RuntimeError, "from=2"),
        (lambda: wg.ones(2, dtype=wg.int64).normal_(), NotImplementedError, "int64"),
        (lambda: wg.ones(2).exponential_(0), RuntimeError, "lambda"),
        (lambda: wg.ones(2, requires_grad=True).normal_(), RuntimeError, "leaf"),
    ],
)
def test_bad_input(wrong: Callable[[], Any], error: type[Exception], text: str) -> None:
    before = wg.get_rng_state()
    with pytest.raises(error, match=text):
        wrong()
    assert bool((wg.get_rng_state() == before).all()), "a failed draw moved the generator"


def test_overwriting_keeps_the_graph() -> None:
    x = wg.ones(3, requires_grad=True)
    y = x * 2
    assert y.normal_().requires_grad
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.0]


MOMENTS: dict[str, tuple[Callable[[], Any], float, float]] = {
    "rand": (lambda: wg.rand(N), 0.5, math.sqrt(1 / 12)),
    "randn": (lambda: wg.randn(N), 0.0, 1.0),
    "normal": (lambda: wg.normal(wg.full((N,), 2.0), 3.0), 2.0, 3.0),
    "uniform_": (lambda: wg.empty(N).uniform_(-1, 3), 1.0, 4 / math.sqrt(12)),
    "exponential_": (lambda: wg.empty(N).exponential_(2.0), 0.5, 0.5),
    "geometric_": (lambda: wg.empty(N).geometric_(0.25), 4.0, math.sqrt(0.75) / 0.25),
    "log_normal_": (
        lambda: wg.empty(N).log_normal_(0.0, 0.5),
        math.exp(0.125),
        math.sqrt(math.expm1(0.25)) * math.exp(0.125),
    ),
    "bernoulli_": (lambda: wg.empty(N).bernoulli_(0.3), 0.3, math.sqrt(0.21)),
    "poisson": (lambda: wg.poisson(wg.full((N,), 3.0)), 3.0, math.sqrt(3.0)),
    "randint": (lambda: wg.randint(0, 10, (N,)).float(), 4.5, math.sqrt(8.25)),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_moments(name: str) -> None:
    draw, mean, deviation = MOMENTS[name]
    x = draw().numpy().astype(np.float64)
    assert abs(x.mean() - mean) < 6 * deviation / math.sqrt(N)
    assert abs(x.std() / deviation - 1) < 0.06


def test_multinomial_draws_by_weight() -> None:
    weights = wg.tensor([1.0, 2.0, 3.0, 4.0])
    drawn = wg.multinomial(weights.expand(20_000, 4), 1)[:, 0]
    share = np.bincount(drawn.numpy(), minlength=4) / 20_000
    np.testing.assert_allclose(share, [0.1, 0.2, 0.3, 0.4], atol=0.02)
    assert sorted(wg.multinomial(weights, 4).tolist()) == [0, 1, 2, 3]
    assert set(wg.multinomial(wg.tensor([0.0, 1.0, 1.0]), 500, replacement=True).tolist()) == {1, 2}


def test_random_fills_the_range_of_the_type() -> None:
    x = wg.empty(5000, dtype=wg.uint8).random_()
    assert (int(x.min()), int(x.max())) == (0, 255)
    assert set(wg.empty(100, dtype=wg.bool).random_().tolist()) == {True, False}
    assert set(wg.empty(100).random_(2, 4).tolist()) == {2.0, 3.0}
    assert float(wg.empty(1000, dtype=wg.float16).random_().max()) <= 2048


def test_the_order_in_memory_is_kept() -> None:
    x = wg.zeros(2, 3, 4, 5).contiguous(memory_format=wg.channels_last)
    assert wg.rand_like(x).is_contiguous(memory_format=wg.channels_last)
    wg.manual_seed(0)
    a = wg.rand_like(x)
    wg.manual_seed(0)
    assert bool((a == wg.rand(2, 3, 4, 5)).all()), "the layout changes which element gets which number"


def test_a_number_is_filled_within_its_bounds(backend: str) -> None:
    x = wg.zeros((), device=backend).uniform_(1, 3)
    assert 1 <= x.item() < 3
    assert wg.nn.functional.rrelu(-x, training=True).shape == ()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", "complex64"])
def test_every_floating_type_can_be_filled(dtype: str, backend: str) -> None:
    d = getattr(wg, dtype)
    x = wg.zeros(50, dtype=d, device=backend)
    draws = [x.normal_(1, 2)] if d.is_complex else []
    if not d.is_complex:
        draws = [x.clone().uniform_(1, 3), x.clone().normal_(), x.clone().exponential_(2), x.clone().bernoulli_(0.5)]
        draws += [x.clone().geometric_(0.5), x.clone().log_normal_(0, 0.5), x.clone().cauchy_(), x.clone().random_(9)]
        draws += [wg.normal(x + 1, 2.0), wg.bernoulli(x + 0.5), wg.poisson(x + 2), wg.rand_like(x)]
    for y in draws:
        assert (y.dtype, y.device.type) == (d, backend)
        assert len(set(y.tolist())) > 1
    if not d.is_complex:
        assert bool(((draws[0] >= 1) & (draws[0] <= 3)).all())


def test_parameters_of_a_distribution_get_no_gradient_but_zero():
    p = wg.full((3,), 0.5, requires_grad=True)
    draws = wg.bernoulli(p) + wg.normal(p, p) + wg.poisson(p) + wg.binomial(wg.ones(3), p)
    assert draws.requires_grad
    draws.sum().backward()
    assert p.grad.tolist() == [0, 0, 0]


def test_a_draw_without_dimensions_is_a_tensor():
    assert wg.normal(wg.tensor(1.0), wg.tensor(0.0)).item() == 1
    assert wg.normal(wg.tensor(1.0), wg.tensor(0.0), out=wg.empty(0)).shape == ()


def test_randint_with_one_bound_and_the_size_by_name():
    assert wg.randint(3, size=(4,)).shape == (4,)
    assert wg.randint(0, 3, size=(4,)).max() < 3


def test_bounds_of_integers_are_told_apart():
    for low, high, text in ((-1, 1, "from is out of bounds"), (0, 3, "to - 1 is out of bounds")):
        with pytest.raises(RuntimeError, match=text):
            wg.empty(3, dtype=wg.bool).random_(low, high)
