"""The gamma distribution and what is made of it: beta, Dirichlet, Student's t and others."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ..autograd import ops
from ..autograd.function import Function
from ..autograd.ops.size import Size
from ..backends.dtypes import finfo
from . import constraints
from .distribution import Distribution, ExponentialFamily
from .transformed import TransformedDistribution
from .transforms import PowerTransform
from .utils import broadcast_all

__all__ = ["Beta", "Chi2", "Dirichlet", "FisherSnedecor", "Gamma", "InverseGamma", "StudentT", "standard_gamma"]

TERMS = 400  # of the series for the slope; above that many, draws are as good as normal


class _StandardGamma(Function):
    """Draws of the gamma distribution with rate 1, and how they move with its shape.

    The slope is the implicit one, ``-(dF/dalpha) / density``: M. Figurnov and others, Implicit Reparameterization
    Gradients, arXiv:1805.08498.
    """

    @staticmethod
    def forward(ctx: Any, alpha: Any) -> Any:
        x = _drawn(alpha.double())
        ctx.save_for_backward(alpha, x)
        return x.to(alpha.dtype).clamp(min=finfo(alpha.dtype).tiny)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        alpha, x = ctx.saved_tensors
        return g * _slope(alpha.double(), x).to(g.dtype)


def standard_gamma(alpha: Any) -> Any:
    """Draws of the gamma distribution with rate 1, through which gradients go to ``alpha``."""
    return _StandardGamma.apply(alpha)


def _drawn(alpha: Any) -> Any:
    """Draws by the method of G. Marsaglia and W. W. Tsang (ACM Transactions on Mathematical Software 26, 2000)."""
    small = alpha < 1
    shape = ops.where(small, alpha + 1, alpha)
    d = shape - 1 / 3
    c = 1 / (9 * d).sqrt()
    x, done = ops.zeros_like(alpha), ops.zeros_like(alpha, dtype=bool)
    while not done.all():
        z, u = ops.randn_like(alpha), ops.rand_like(alpha)
        v = (1 + c * z) ** 3
        accept = (v > 0) & (u.log() < 0.5 * z**2 + d * (1 - v + v.clamp(min=1e-300).log()))
        x = ops.where(accept & ~done, d * v, x)
        done = done | accept
    return ops.where(small, x * ops.rand_like(alpha) ** (1 / alpha), x).clamp(min=1e-300)


def _slope(alpha: Any, x: Any) -> Any:
    """How draws ``x`` move with ``alpha``."""
    many = (x > TERMS / 2) | (alpha > TERMS / 2)
    a, y = ops.where(many, ops.ones_like(alpha), alpha), ops.where(many, ops.ones_like(x), x)
    count = int(min(TERMS, 30 + 2 * float(y.max()) + 10 * float(y.max()) ** 0.5)) if y.numel() else 0
    # F = sum of x^(a+k) exp(-x) / Gamma(a+k+1); divided by the density x^(a-1) exp(-x) / Gamma(a), term by term.
    term, total = y / a, ops.zeros_like(y)
    log_y, digamma = y.log(), ops.digamma(a + 1)
    for k in range(count):
        total = total + term * (log_y - digamma)
        digamma = digamma + 1 / (a + k + 1)
        term = term * y / (a + k + 1)
    normal = 1 + (x - alpha) / (2 * alpha)  # x = alpha + z sqrt(alpha)
    return ops.where(many, normal, -total)


class Gamma(ExponentialFamily):
    """The gamma distribution.

    Args:
        concentration: the shape.
        rate: one over the scale.
        validate_args: see `Distribution`.
    """

    arg_constraints: ClassVar[Any] = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return self._expanded(_instance, batch_shape, "concentration rate")

    @property
    def mean(self) -> Any:
        return self.concentration / self.rate

    @property
    def mode(self) -> Any:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Any:
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        value = standard_gamma(self.concentration.expand(shape)) / self.rate.expand(shape)
        value.detach().clamp_(min=finfo(value.dtype).tiny)
        return value

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        a = self.concentration
        return ops.xlogy(a, self.rate) + ops.xlogy(a - 1, value) - self.rate * value - ops.lgamma(a)

    def cdf(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        return ops.igamma(self.concentration, self.rate * value)

    def entropy(self) -> Any:
        a = self.concentration
        return a - ops.log(self.rate) + ops.lgamma(a) + (1.0 - a) * ops.digamma(a)


class Chi2(Gamma):
    """The sum of the squares of ``df`` normal numbers.

    Args:
        df: the degrees of freedom.
        validate_args: see `Distribution`.
    """

    arg_constraints: ClassVar[Any] = {"df": constraints.positive}

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return super().expand(batch_shape, self._get_checked_instance(Chi2, _instance))

    @property
    def df(self) -> Any:
        """The degrees of freedom."""
        return self.concentration * 2


class InverseGamma(TransformedDistribution):
    """One over a gamma number.

    Args:
        concentration: the shape.
        rate: the scale.
        validate_args: see `Distribution`.
    """

    arg_constraints: ClassVar[Any] = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        base = Gamma(concentration, rate, validate_args=validate_args)
        power = PowerTransform(-base.rate.new_ones(()))
        super().__init__(base, power, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return super().expand(batch_shape, _instance=self._get_checked_instance(InverseGamma, _instance))

    @property
    def concentration(self) -> Any:
        """The shape."""
        return self.base_dist.concentration

    @property
    def rate(self) -> Any:
        """The scale."""
        return self.base_dist.rate

    @property
    def mean(self) -> Any:
        return ops.where(self.concentration > 1, self.rate / (self.concentration - 1), math.inf)

    @property
    def mode(self) -> Any:
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Any:
        a = self.concentration
        return ops.where(a > 2, self.rate.square() / ((a - 1).square() * (a - 2)), math.inf)

    def entropy(self) -> Any:
        a = self.concentration
        return a + self.rate.log() + a.lgamma() - (1 + a) * a.digamma()


class Dirichlet(ExponentialFamily):
    """The Dirichlet distribution: of probabilities.

    Args:
        concentration: one positive number for each probability, at least one of them.
        validate_args: see `Distribution`.
    """

    arg_constraints: ClassVar[Any] = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: Any, validate_args: bool | None = None) -> None:
        if concentration.dim() < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return self._expanded(_instance, batch_shape, "concentration")

    def rsample(self, sample_shape: Any = ()) -> Any:
        x = standard_gamma(self.concentration.expand(self._extended_shape(sample_shape)))
        return x / x.sum(-1, keepdim=True)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        a = self.concentration
        return ops.xlogy(a - 1.0, value).sum(-1) + ops.lgamma(a.sum(-1)) - ops.lgamma(a).sum(-1)

    @property
    def mean(self) -> Any:
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self) -> Any:
        above = (self.concentration - 1).clamp(min=0.0)
        mode = above / above.sum(-1, True)
        flat = (self.concentration < 1).all(dim=-1)
        corner = ops.one_hot(ops.nan_to_num(mode).argmax(dim=-1), self.concentration.shape[-1]).to(mode)
        return ops.where(flat.unsqueeze(-1), corner, mode)

    @property
    def variance(self) -> Any:
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def entropy(self) -> Any:
        k, a = self.concentration.size(-1), self.concentration
        total = a.sum(-1)
        spread = (k - total) * ops.digamma(total) + ((a - 1.0) * ops.digamma(a)).sum(-1)
        return ops.lgamma(a).sum(-1) - ops.lgamma(total) - spread


class Beta(ExponentialFamily):
    """The beta distribution.

    Args:
        concentration1: the first shape.
        concentration0: the second shape.
        validate_args: see `Distribution`.
    """

    arg_constraints: ClassVar[Any] = {
        "concentration1": constraints.positive,
        "concentration0": constraints.positive,
    }
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        both = ops.stack(broadcast_all(concentration1, concentration0), -1)
        self._dirichlet = Dirichlet(both, validate_args=validate_args)
        super().__init__(self._dirichlet._batch_shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(Beta, _instance)
        new._dirichlet = self._dirichlet.expand(Size(batch_shape))
        Distribution.__init__(new, Size(batch_shape), validate_args=False)
        new._validate_args = self._validate_args
        return new

    @property
    def concentration1(self) -> Any:
        """The first shape."""
        return self._dirichlet.concentration[..., 0]

    @property
    def concentration0(self) -> Any:
        """The second shape."""
        return self._dirichlet.concentration[..., 1]

    @property
    def mean(self) -> Any:
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self) -> Any:
        return self._dirichlet.mode[..., 0]

    @property
    def variance(self) -> Any:
        total = self.concentration1 + self.concentration0
        return self.concentration1 * self.concentration0 / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self._dirichlet.rsample(sample_shape).select(-1, 0)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        return self._dirichlet.log_prob(ops.stack([value, 1.0 - value], -1))

    def entropy(self) -> Any:
        return self._dirichlet.entropy()


class FisherSnedecor(Distribution):
    """Fisher's F distribution: a ratio of two `Chi2` numbers, each divided by its degrees of freedom.

    Args:
        df1: the degrees of freedom above.
        df2: those below.
        validate_args: see `Distribution`.
    """

    arg_constraints: ClassVar[Any] = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, df1: Any, df2: Any, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = broadcast_all(df1, df2)
        self._gamma1 = Gamma(self.df1 * 0.5, self.df1)
        self._gamma2 = Gamma(self.df2 * 0.5, self.df2)
        super().__init__(self.df1.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._expanded(_instance, batch_shape, "df1 df2")
        new._gamma1, new._gamma2 = self._gamma1.expand(batch_shape), self._gamma2.expand(batch_shape)
        return new

    @property
    def mean(self) -> Any:
        df2 = ops.where(self.df2 <= 2, math.nan, self.df2)
        return df2 / (df2 - 2)

    @property
    def mode(self) -> Any:
        mode = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return ops.where(self.df1 <= 2, math.nan, mode)

    @property
    def variance(self) -> Any:
        df2 = ops.where(self.df2 <= 4, math.nan, self.df2)
        return 2 * df2.pow(2) * (self.df1 + df2 - 2) / (self.df1 * (df2 - 2).pow(2) * (df2 - 4))

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        tiny = finfo(self.df2.dtype).tiny
        above = self._gamma1.rsample(sample_shape).view(shape)
        below = self._gamma2.rsample(sample_shape).view(shape).clamp(min=tiny)
        return (above / below).clamp(min=tiny)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        half1, half2, ratio = self.df1 * 0.5, self.df2 * 0.5, self.df1 / self.df2
        gammas = (half1 + half2).lgamma() - half1.lgamma() - half2.lgamma()
        power = half1 * ratio.log() + (half1 - 1) * ops.log(value)
        return gammas + power - (half1 + half2) * ops.log1p(ratio * value)


class StudentT(Distribution):
    """Student's t distribution.

    Args:
        df: the degrees of freedom.
        loc: the middle.
        scale: the scale.
        validate_args: see `Distribution`.
    """

    arg_constraints: ClassVar[Any] = {
        "df": constraints.positive,
        "loc": constraints.real,
        "scale": constraints.positive,
    }
    support = constraints.real
    has_rsample = True

    def __init__(self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        self._chi2 = Chi2(self.df)
        super().__init__(self.df.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._expanded(_instance, batch_shape, "df loc scale")
        new._chi2 = self._chi2.expand(batch_shape)
        return new

    @property
    def mean(self) -> Any:
        return ops.where(self.df <= 1, math.nan, self.loc)

    @property
    def mode(self) -> Any:
        return self.loc

    @property
    def variance(self) -> Any:
        wide = self.scale.pow(2) * self.df / (self.df - 2)
        found = ops.where(self.df > 2, wide, math.inf)
        return ops.where(self.df <= 1, math.nan, found)

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        z = ops.randn(shape, dtype=self.df.dtype, device=self.df.device)
        return self.loc + self.scale * z * ops.rsqrt(self._chi2.rsample(sample_shape) / self.df)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        y = (value - self.loc) / self.scale
        gammas = ops.lgamma(0.5 * self.df) - ops.lgamma(0.5 * (self.df + 1.0))
        norm = self.scale.log() + 0.5 * self.df.log() + 0.5 * math.log(math.pi) + gammas
        return -0.5 * (self.df + 1.0) * ops.log1p(y**2.0 / self.df) - norm

    def entropy(self) -> Any:
        half = 0.5 * self.df
        beta = ops.lgamma(half) + math.lgamma(0.5) - ops.lgamma(half + 0.5)
        slope = ops.digamma(half + 0.5) - ops.digamma(half)
        return self.scale.log() + (half + 0.5) * slope + 0.5 * self.df.log() + beta
