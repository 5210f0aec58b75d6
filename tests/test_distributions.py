"""Distributions agree with their own densities and draws, and with PyTorch's where it is installed."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

import wengert as wg

D = wg.distributions
A, B = [0.4, 1.7], [2.5, 0.8]
SIMPLEX = [[0.5, 0.2, 0.3], [0.1, 0.5, 0.4]]
MATRIX = [[2.0, 0.5, 0.1], [0.5, 1.0, 0.2], [0.1, 0.2, 1.5]]
# Name: the arguments, of which lists become float64 tensors.
TABLE: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("Normal", "LogNormal", "Laplace", "Cauchy", "Gumbel", "LogisticNormal"), (A, B)),
    **dict.fromkeys(("Gamma", "Beta", "Weibull", "Pareto", "Kumaraswamy", "InverseGamma"), (A, B)),
    **dict.fromkeys(("HalfNormal", "HalfCauchy", "Exponential", "Poisson", "Chi2"), (A,)),
    **dict.fromkeys(("Bernoulli", "Geometric", "ContinuousBernoulli"), ([0.3, 0.8],)),
    **dict.fromkeys(("Categorical", "OneHotCategorical", "OneHotCategoricalStraightThrough"), (SIMPLEX,)),
    **dict.fromkeys(("Binomial", "NegativeBinomial"), (5, [0.3, 0.8])),
    "Uniform": ([0.1, -2.0], [0.5, 2.0]),
    "VonMises": (A, B),
    "StudentT": ([3.0, 5.0], A, B),
    "FisherSnedecor": ([3.0, 5.0], [5.0, 6.0]),
    "Dirichlet": ([[0.5, 2.0, 3.0], [1.0, 1.5, 0.2]],),
    "Multinomial": (5, SIMPLEX),
    "MultivariateNormal": ([0.1, 0.2, 0.3], MATRIX),
    "LowRankMultivariateNormal": ([0.1, 0.2, 0.3], [[1.0, 0.2], [0.3, 0.4], [0.5, -0.6]], [0.5, 0.6, 0.7]),
    "Wishart": ([4.0], [MATRIX]),
    "LKJCholesky": (3, [1.5]),
    "RelaxedBernoulli": ([0.7], [0.3, 0.8]),
    "RelaxedOneHotCategorical": ([0.7], [SIMPLEX[0]]),
}


def made(T: Any, name: str) -> tuple[Any, list[Any]]:
    """A distribution of one library, and the tensors that it is made of."""
    arguments = [a if isinstance(a, int) else T.tensor(a, dtype=T.float64, requires_grad=True) for a in TABLE[name]]
    return getattr(T.distributions, name)(*arguments), [a for a in arguments if not isinstance(a, int)]


def drawn(name: str) -> Any:
    wg.manual_seed(3)
    return made(wg, name)[0].sample((4,))


@pytest.mark.parametrize("name", TABLE)
def test_draws_have_the_shape_and_are_in_the_support(name: str):
    distribution, _ = made(wg, name)
    x = drawn(name)
    assert x.shape == (4, *distribution.batch_shape, *distribution.event_shape)
    assert bool(distribution.support.check(x).all())
    assert distribution.log_prob(x).shape == (4, *distribution.batch_shape)
    wide = distribution.expand((4, *distribution.batch_shape))
    assert wide.batch_shape == (4, *distribution.batch_shape)
    assert wg.allclose(wide.log_prob(x), distribution.log_prob(x))


@pytest.mark.parametrize("name", ["Normal", "Gamma", "Beta", "Uniform", "Exponential", "Poisson", "Laplace", "Gumbel"])
def test_draws_have_the_mean_and_the_variance(name: str):
    wg.manual_seed(0)
    distribution, _ = made(wg, name)
    x = distribution.sample((40_000,))
    assert wg.allclose(x.mean(0), distribution.mean, rtol=0.05, atol=0.02)
    assert wg.allclose(x.var(0), distribution.variance, rtol=0.1, atol=0.02)


def test_gradients_go_through_gamma_draws():
    wg.manual_seed(0)
    shape = wg.tensor([0.3, 2.0, 30.0, 900.0], dtype=wg.float64, requires_grad=True)
    D.Gamma(shape, 1.0).rsample((20_000,)).mean(0).sum().backward()
    assert wg.allclose(shape.grad, wg.ones(4, dtype=wg.float64), rtol=0.05)  # the mean is the shape


def test_densities_sum_to_one():
    x = wg.linspace(-60, 60, 24_001, dtype=wg.float64)
    for d in (D.Normal(0.5, 2.0), D.Laplace(0.5, 2.0), D.StudentT(5.0, 0.5, 1.0), D.Gumbel(0.5, 2.0)):
        assert float(wg.trapezoid(d.log_prob(x).exp(), x)) == pytest.approx(1, abs=1e-3)


def test_parameters_and_values_are_checked():
    with pytest.raises(ValueError, match=r"parameter scale .* Normal\(loc: 0.0, scale: -1.0\) .* GreaterThan"):
        D.Normal(0.0, -1.0)
    with pytest.raises(ValueError, match=r"within the support \(Boolean"):
        D.Bernoulli(0.5).log_prob(wg.tensor(2.0))
    with pytest.raises(ValueError, match="not both"):
        D.Categorical(probs=wg.ones(2), logits=wg.ones(2))
    D.Normal(0.0, -1.0, validate_args=False)


def test_mixtures_and_independent_batches():
    parts = D.Independent(D.Normal(wg.zeros(2, 3), wg.ones(2, 3)), 1)
    mixture = D.MixtureSameFamily(D.Categorical(wg.tensor([0.3, 0.7])), parts)
    assert float(mixture.log_prob(wg.zeros(3))) == pytest.approx(-1.5 * math.log(2 * math.pi))
    assert mixture.sample((5,)).shape == (5, 3)
    assert parts.entropy().shape == (2,)


def test_transforms_lead_to_constraints_and_back():
    for constraint in (D.constraints.positive, D.constraints.unit_interval, D.constraints.simplex, D.constraints.real):
        x = wg.tensor([0.3, -0.2, 0.8], dtype=wg.float64)
        to = D.biject_to(constraint)
        y = to(x)
        assert bool(constraint.check(y).all())
        assert wg.allclose(to.inv(y), x)
        assert to.inv.inv is to or to.inv.inv == to
    squashed = D.TransformedDistribution(D.Normal(0.0, 1.0), [D.TanhTransform(cache_size=1), D.AffineTransform(1, 2)])
    value = squashed.rsample((4,))
    assert bool(wg.isfinite(squashed.log_prob(value)).all())


def test_a_rule_of_the_users_own():
    class Mine(D.Normal):
        pass

    @D.register_kl(Mine, D.Normal)
    def rule(p: Any, q: Any) -> Any:
        return wg.tensor(7.0)

    assert float(D.kl_divergence(Mine(0.0, 1.0), D.Normal(0.0, 1.0))) == 7
    with pytest.raises(NotImplementedError, match="No KL"):
        D.kl_divergence(D.Normal(0.0, 1.0), D.Poisson(1.0))


# ------------------------------------------------------------------ the same as PyTorch


def outcome(function: Any) -> Any:
    try:
        return function()
    except NotImplementedError:
        return NotImplemented


def same(ours: Any, theirs: Any) -> bool:
    if ours is None or theirs is None or ours is NotImplemented or theirs is NotImplemented:
        return ours is theirs
    theirs = wg.tensor(theirs.detach().tolist(), dtype=wg.float64).reshape(tuple(theirs.shape))
    return bool(wg.allclose(ours.detach().double(), theirs, rtol=1e-6, atol=1e-8, equal_nan=True))


@pytest.mark.parity
@pytest.mark.parametrize("name", TABLE)
def test_values_and_gradients_are_those_of_torch(name: str):
    torch = pytest.importorskip("torch")
    x = drawn(name)
    pairs = [(wg, x), (torch, torch.tensor(x.tolist(), dtype=torch.float64))]
    for property_ in ("mean", "variance", "entropy", "log_prob", "cdf", "enumerate_support"):
        results = []
        for T, value in pairs:
            distribution, parameters = made(T, name)
            member = outcome(lambda d=distribution, p=property_: getattr(d, p))
            given = (value,) if property_ in ("log_prob", "cdf") else ()
            result = outcome(lambda m=member, g=given: m(*g)) if callable(member) else member
            slopes: list[Any] = []
            if property_ == "log_prob":
                slopes = list(T.autograd.grad(result.sum(), parameters, allow_unused=True))
            results.append([result, *slopes])
        assert all(itertools.starmap(same, zip(*results, strict=True))), (property_, results)


@pytest.mark.parity
def test_divergences_are_those_of_torch():
    torch = pytest.importorskip("torch")
    for p, q in itertools.product(TABLE, TABLE):
        if made(wg, p)[0].event_shape == made(wg, q)[0].event_shape:
            ours, theirs = (
                outcome(lambda T=T, p=p, q=q: T.distributions.kl_divergence(made(T, p)[0], made(T, q)[0]))
                for T in (wg, torch)
            )
            assert same(ours, theirs), (p, q, ours, theirs)
