"""How far one distribution is from another: the Kullback-Leibler divergence, in closed form."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from ..autograd import ops
from .bounded import ContinuousBernoulli
from .continuous import Cauchy, Exponential, Gumbel, HalfCauchy, Laplace, Uniform
from .counts import Binomial, Poisson
from .discrete import Bernoulli, Categorical, Geometric, OneHotCategorical
from .distribution import Distribution
from .extreme import Pareto
from .gamma_family import Beta, Dirichlet, Gamma
from .gaussian import HalfNormal, Normal
from .multivariate import LowRankMultivariateNormal, MultivariateNormal, Wishart, _log_diagonal, _mahalanobis, _solved
from .transformed import Independent, TransformedDistribution
from .utils import _sum_rightmost, euler_constant

__all__ = ["kl_divergence", "register_kl"]

_RULES: dict[tuple[type, type], Callable[[Any, Any], Any]] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Any], Any]:
    """A decorator for the rule of a pair of classes, ``rule(p, q)``.

    Raises:
        TypeError: one is not a class of distributions.
    """
    for kind in (type_p, type_q):
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise TypeError(f"Expected type_p and type_q to be Distribution subclasses but got {kind}")

    def add(rule: Any) -> Any:
        _RULES[type_p, type_q] = rule
        return rule

    return add


def _rule_for(type_p: type, type_q: type) -> Any:
    """The rule of the nearest pair of classes: p's place in the order of bases first."""
    pairs = [pair for pair in _RULES if issubclass(type_p, pair[0]) and issubclass(type_q, pair[1])]
    if not pairs:
        return None
    orders = (type_p.__mro__.index, type_q.__mro__.index)
    left = min(pairs, key=lambda pair: (orders[0](pair[0]), orders[1](pair[1])))
    right = min(pairs, key=lambda pair: (orders[1](pair[1]), orders[0](pair[0])))
    if left != right and _RULES[left] is not _RULES[right]:
        warnings.warn(
            f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). Please register_kl"
            f"({left[0].__name__}, {right[1].__name__})",
            RuntimeWarning,
            stacklevel=3,
        )
    return _RULES[left]


def kl_divergence(p: Any, q: Any) -> Any:
    """The mean under ``p`` of ``log p - log q``, for each distribution of the batch.

    Raises:
        NotImplementedError: there is no rule for the two classes; see `register_kl`.

    Example:
        >>> import wengert as wg
        >>> n = wg.distributions.Normal
        >>> wg.distributions.kl_divergence(n(0.0, 1.0), n(1.0, 2.0))
        tensor(0.4431)
    """
    rule = _rule_for(type(p), type(q))
    if rule is None:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}"
        )
    return rule(p, q)


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Any, q: Any) -> Any:
    one = p.probs * (ops.softplus(-q.logits) - ops.softplus(-p.logits))
    one = ops.where(q.probs == 0, math.inf, one)
    one = ops.where(p.probs == 0, 0.0, one)
    none = (1 - p.probs) * (ops.softplus(q.logits) - ops.softplus(p.logits))
    none = ops.where(q.probs == 1, math.inf, none)
    return one + ops.where(p.probs == 1, 0.0, none)


@register_kl(Binomial, Binomial)
def _binomial(p: Any, q: Any) -> Any:
    if (p.total_count < q.total_count).any():
        raise NotImplementedError("KL between Binomials where q.total_count > p.total_count is not implemented")
    found = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
    return ops.where(p.total_count > q.total_count, math.inf, found)


@register_kl(Categorical, Categorical)
def _categorical(p: Any, q: Any) -> Any:
    terms = p.probs * (p.logits - q.logits)
    terms = ops.where((q.probs == 0).expand_as(terms), math.inf, terms)
    terms = ops.where((p.probs == 0).expand_as(terms), 0.0, terms)
    return terms.sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p: Any, q: Any) -> Any:
    return _categorical(p._categorical, q._categorical)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: Any, q: Any) -> Any:
    here = p.mean * (p.logits - q.logits)
    return here + p._log_norm() + ops.log1p(-p.probs) - q._log_norm() - ops.log1p(-q.probs)


@register_kl(Geometric, Geometric)
def _geometric(p: Any, q: Any) -> Any:
    return -p.entropy() - ops.log1p(-q.probs) / p.probs - q.logits


@register_kl(Poisson, Poisson)
def _poisson(p: Any, q: Any) -> Any:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Normal, Normal)
def _normal(p: Any, q: Any) -> Any:
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


@register_kl(HalfNormal, HalfNormal)
@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: Any, q: Any) -> Any:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError("kl_divergence of distributions with different transforms")
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(HalfCauchy, HalfCauchy)
def _half_cauchy(p: Any, q: Any) -> Any:
    return _cauchy(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _laplace(p: Any, q: Any) -> Any:
    ratio, away = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + away / q.scale + ratio * ops.exp(-away / p.scale) - 1


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Any, q: Any) -> Any:
    around = ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log()
    return around - (4 * p.scale * q.scale).log()


@register_kl(Exponential, Exponential)
def _exponential(p: Any, q: Any) -> Any:
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(Gamma, Gamma)
def _gamma(p: Any, q: Any) -> Any:
    rates = q.concentration * (p.rate / q.rate).log()
    gammas = ops.lgamma(q.concentration) - ops.lgamma(p.concentration)
    shapes = (p.concentration - q.concentration) * ops.digamma(p.concentration)
    return rates + gammas + shapes + (q.rate - p.rate) * (p.concentration / p.rate)


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Any, q: Any) -> Any:
    ratio = p.scale / q.scale
    inner, outer = p.loc / q.scale, q.loc / q.scale
    spread = ops.exp(outer + (1 + ratio).lgamma() - inner)
    return -ratio.log() - outer + inner + ratio * euler_constant + spread - (1 + euler_constant)


@register_kl(Beta, Beta)
def _beta(p: Any, q: Any) -> Any:
    total_p, total_q = p.concentration1 + p.concentration0, q.concentration1 + q.concentration0
    first = q.concentration1.lgamma() + q.concentration0.lgamma() + total_p.lgamma()
    second = p.concentration1.lgamma() + p.concentration0.lgamma() + total_q.lgamma()
    one = (p.concentration1 - q.concentration1) * ops.digamma(p.concentration1)
    zero = (p.concentration0 - q.concentration0) * ops.digamma(p.concentration0)
    return first - second + one + zero + (total_q - total_p) * ops.digamma(total_p)


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Any, q: Any) -> Any:
    total_p, total_q = p.concentration.sum(-1), q.concentration.sum(-1)
    gammas = (p.concentration.lgamma() - q.concentration.lgamma()).sum(-1)
    slopes = p.concentration.digamma() - total_p.digamma().unsqueeze(-1)
    return total_p.lgamma() - total_q.lgamma() - gammas + ((p.concentration - q.concentration) * slopes).sum(-1)


@register_kl(Uniform, Uniform)
def _uniform(p: Any, q: Any) -> Any:
    found = ((q.high - q.low) / (p.high - p.low)).log()
    return ops.where((q.low > p.low) | (q.high < p.high), math.inf, found)


@register_kl(Pareto, Pareto)
def _pareto(p: Any, q: Any) -> Any:
    scales, shapes = p.scale / q.scale, q.alpha / p.alpha
    found = q.alpha * scales.log() - shapes.log() + shapes - 1
    return ops.where(p.scale < q.scale, math.inf, found)


def _trace(lower_q: Any, lower_p: Any) -> Any:
    """The trace of q's inverse covariance times p's, of their Cholesky factors."""
    n = lower_p.shape[-1]
    shape = ops.broadcast_shapes(lower_q.shape[:-2], lower_p.shape[:-2])
    both = _solved(lower_q.expand((*shape, n, n)), lower_p.expand((*shape, n, n)))
    return both.pow(2).sum((-2, -1))


@register_kl(MultivariateNormal, MultivariateNormal)
@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _multivariate_normal(p: Any, q: Any) -> Any:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two Multivariate Normals with different event shapes cannot be computed"
        )
    lower_p, lower_q = p.scale_tril, q.scale_tril
    half_log = _log_diagonal(lower_q) - _log_diagonal(lower_p)
    distance = _mahalanobis(lower_q, q.loc - p.loc)
    return half_log + 0.5 * (_trace(lower_q, lower_p) + distance - p.event_shape[0])


@register_kl(Independent, Independent)
def _independent(p: Any, q: Any) -> Any:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("kl_divergence of Independent distributions over different numbers of dimensions")
    return _sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


def _where(condition: Any, found: Any) -> Any:
    """The divergence, infinite where ``condition`` holds: where p has values that q cannot have."""
    return ops.where(condition, math.inf, found)


def _mean_log(p: Any) -> Any:
    """The mean of the logarithm of a positive number."""
    if isinstance(p, Gamma):
        return p.concentration.digamma() - p.rate.log()
    if isinstance(p, Exponential):
        return -euler_constant - p.rate.log()
    if isinstance(p, Beta):
        return p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()
    if isinstance(p, Pareto):
        return p.scale.log() + p.alpha.reciprocal()
    return (ops.xlogy(p.high, p.high) - ops.xlogy(p.low, p.low)) / (p.high - p.low) - 1  # of Uniform


def _mean_exp(p: Any, scale: Any) -> Any:
    """The mean of ``exp(-x / scale)``."""
    if isinstance(p, Exponential):
        return p.rate / (p.rate + scale.reciprocal())
    if isinstance(p, Gamma):
        return (1 + (p.rate * scale).reciprocal()).pow(-p.concentration)
    return scale * ((-p.low / scale).exp() - (-p.high / scale).exp()) / (p.high - p.low)  # of Uniform


def _improper(p: Any, q: Any) -> Any:
    """Where p has values, or a tail, that make the divergence from a density on the positive numbers infinite."""
    if isinstance(p, Uniform):
        return p.low < 0
    if isinstance(p, Pareto):
        return p.alpha <= (2 if isinstance(q, Normal) else 1)
    return ops.zeros((), dtype=bool, device=p.mean.device)


@register_kl(Beta, Exponential)
@register_kl(ContinuousBernoulli, Exponential)
@register_kl(Gamma, Exponential)
@register_kl(Pareto, Exponential)
@register_kl(Uniform, Exponential)
def _to_exponential(p: Any, q: Any) -> Any:
    return _where(_improper(p, q), -p.entropy() - q.rate.log() + q.rate * p.mean)


@register_kl(Beta, Gamma)
@register_kl(Exponential, Gamma)
@register_kl(Pareto, Gamma)
@register_kl(Uniform, Gamma)
def _to_gamma(p: Any, q: Any) -> Any:
    a = q.concentration
    cross = a * q.rate.log() - a.lgamma() + (a - 1) * _mean_log(p) - q.rate * p.mean
    return _where(_improper(p, q), -p.entropy() - cross)


@register_kl(Beta, Normal)
@register_kl(ContinuousBernoulli, Normal)
@register_kl(Exponential, Normal)
@register_kl(Gamma, Normal)
@register_kl(Gumbel, Normal)
@register_kl(Laplace, Normal)
@register_kl(Pareto, Normal)
@register_kl(Uniform, Normal)
def _to_normal(p: Any, q: Any) -> Any:
    """Of a normal density only the mean and the variance of ``p`` matter."""
    variance = q.scale.pow(2)
    spread = (p.variance + (p.mean - q.loc).pow(2)) / (2 * variance)
    found = -p.entropy() + 0.5 * (2 * math.pi * variance).log() + spread
    return _where(_improper(p, q), found) if isinstance(p, Pareto) else found


@register_kl(Exponential, Gumbel)
@register_kl(Gamma, Gumbel)
@register_kl(Uniform, Gumbel)
def _to_gumbel(p: Any, q: Any) -> Any:
    away = (p.mean - q.loc) / q.scale
    return -p.entropy() + q.scale.log() + away + (q.loc / q.scale).exp() * _mean_exp(p, q.scale)


@register_kl(Beta, ContinuousBernoulli)
@register_kl(Uniform, ContinuousBernoulli)
def _to_continuous_bernoulli(p: Any, q: Any) -> Any:
    found = -p.entropy() - p.mean * q.logits - ops.log1p(-q.probs) - q._log_norm()
    return _where((p.high > 1) | (p.low < 0), found) if isinstance(p, Uniform) else found


@register_kl(Beta, Uniform)
@register_kl(ContinuousBernoulli, Uniform)
def _to_uniform(p: Any, q: Any) -> Any:
    return _where((q.low > 0) | (q.high < 1), -p.entropy() + (q.high - q.low).log())


@register_kl(Uniform, Beta)
def _uniform_beta(p: Any, q: Any) -> Any:
    one, zero = q.concentration1, q.concentration0
    flipped = Uniform(1 - p.high, 1 - p.low, validate_args=False)
    logs = (one - 1) * _mean_log(p) + (zero - 1) * _mean_log(flipped)
    found = -p.entropy() - logs + one.lgamma() + zero.lgamma() - (one + zero).lgamma()
    return _where((p.high > 1) | (p.low < 0), found)


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Any, q: Any) -> Any:
    found = -p.entropy() - (q.alpha * q.scale.pow(q.alpha)).log() + (q.alpha + 1) * _mean_log(p)
    return _where(p.low < q.scale, found)


@register_kl(Normal, Laplace)
def _normal_laplace(p: Any, q: Any) -> Any:
    away = p.loc - q.loc
    scaled = away / p.scale
    mean = math.sqrt(2 / math.pi) * p.scale * ops.exp(-0.5 * scaled.pow(2)) + away * ops.erf(math.sqrt(0.5) * scaled)
    return -p.entropy() + mean / q.scale + (2 * q.scale).log()


@register_kl(Normal, Gumbel)
def _normal_gumbel(p: Any, q: Any) -> Any:
    mean = (p.loc - q.loc) / q.scale
    return -p.entropy() + mean + ops.exp(-mean + 0.5 * (p.scale / q.scale).pow(2)) + q.scale.log()


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Any, q: Any) -> Any:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Wishart, Wishart)
def _wishart(p: Any, q: Any) -> Any:
    n = p.event_shape[-1]
    log_det = _log_diagonal(p._unbroadcasted_scale_tril) - _log_diagonal(q._unbroadcasted_scale_tril)
    trace = _trace(q._unbroadcasted_scale_tril, p._unbroadcasted_scale_tril)
    half_p, half_q = 0.5 * p.df, 0.5 * q.df
    steps = ops.arange(n, dtype=half_p.dtype, device=half_p.device)
    slopes = (half_p - half_q) * (half_p.unsqueeze(-1) - 0.5 * steps).digamma().sum(-1)
    gammas = ops.mvlgamma(half_q, p=n) - ops.mvlgamma(half_p, p=n)
    return -q.df * log_det + half_p * (trace - n) + gammas + slopes


def _never(names: str, *narrow: type) -> None:
    """Say that distributions of these classes have values that those others cannot have, with infinite divergence."""
    for kind in (_CLASSES[name] for name in names.split()):
        for other in narrow:
            register_kl(kind, other)(lambda p, q: ops.full(p.batch_shape, math.inf, dtype=p.mean.dtype))


_CLASSES: dict[str, type] = {
    kind.__name__: kind
    for kind in (Beta, Exponential, Gamma, Gumbel, Laplace, Normal, Pareto, Poisson, ContinuousBernoulli)
}
_never("Normal Laplace Gumbel", Exponential, Gamma, Beta, Pareto, Uniform, ContinuousBernoulli)
_never("Exponential Gamma", Beta, Pareto, Uniform, ContinuousBernoulli)
_never("Beta ContinuousBernoulli", Pareto)
_never("Pareto", Beta, Uniform, ContinuousBernoulli)
_never("Poisson", Bernoulli, Binomial)
