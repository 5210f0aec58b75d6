"""Continuous distributions on an interval or on the circle."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ..autograd import ops
from ..autograd.grad_mode import no_grad
from ..autograd.ops.bessel import i0e, i1e
from ..autograd.ops.classification import binary_cross_entropy_with_logits
from ..autograd.ops.size import Size
from . import constraints
from .continuous import Uniform
from .discrete import ODDS, _OfOdds
from .distribution import Distribution, ExponentialFamily
from .transformed import TransformedDistribution
from .transforms import AffineTransform, PowerTransform
from .utils import broadcast_all, clamp_probs, euler_constant, lazy_property, logits_to_probs

__all__ = [
    "ContinuousBernoulli",
    "Kumaraswamy",
    "VonMises",
]


class Kumaraswamy(TransformedDistribution):
    """The Kumaraswamy distribution, which resembles `Beta` and is easier to draw from.

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
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        base = Uniform(ops.zeros_like(self.concentration0), ops.ones_like(self.concentration0), validate_args=False)
        transforms = [
            PowerTransform(exponent=self.concentration0.reciprocal()),
            AffineTransform(loc=1.0, scale=-1.0),
            PowerTransform(exponent=self.concentration1.reciprocal()),
        ]
        super().__init__(base, transforms, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        self._get_checked_instance(Kumaraswamy, _instance)
        shape = Size(batch_shape)
        a, b = self.concentration1.expand(shape), self.concentration0.expand(shape)
        return Kumaraswamy(a, b, validate_args=self._validate_args)

    def _moment(self, n: int) -> Any:
        a, b = self.concentration1, self.concentration0
        value = 1 + n / a
        return b * ops.exp(ops.lgamma(value) + ops.lgamma(b) - ops.lgamma(value + b))

    @property
    def mean(self) -> Any:
        return self._moment(1)

    @property
    def mode(self) -> Any:
        a, b = self.concentration1, self.concentration0
        value = ((-1 / a).log1p() - (-1 / (a * b)).log1p()) / a
        found = ops.exp(value)
        return ops.where((a < 1) | (b < 1), math.nan, found)

    @property
    def variance(self) -> Any:
        return self._moment(2) - self._moment(1).pow(2)

    def entropy(self) -> Any:
        a, b = self.concentration1, self.concentration0
        harmonic = ops.digamma(b + 1) + euler_constant
        return (1 - b.reciprocal()) + (1 - a.reciprocal()) * harmonic - ops.log(a) - ops.log(b)


class VonMises(Distribution):
    """The von Mises distribution: of an angle.

    Args:
        loc: the mean angle.
        concentration: how near to it angles are.
        validate_args: see `Distribution`.

    References:
        D. J. Best and N. I. Fisher, Efficient Simulation of the von Mises Distribution, Applied Statistics 28, 1979.
    """

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return self._expanded(_instance, batch_shape, "loc concentration")

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        kappa = self.concentration
        scaled = i0e(kappa).log() + kappa
        return kappa * ops.cos(value - self.loc) - math.log(2 * math.pi) - scaled

    def sample(self, sample_shape: Any = ()) -> Any:
        with no_grad():
            shape = self._extended_shape(sample_shape)
            kappa = self.concentration.double()
            tau = 1 + (1 + 4 * kappa**2).sqrt()
            rho = (tau - (2 * tau).sqrt()) / (2 * kappa)
            r = ops.where(kappa < 1e-5, 1 / kappa + kappa, (1 + rho**2) / (2 * rho)).expand(shape)
            kappa = kappa.expand(shape)
            x, done = ops.zeros_like(r), ops.zeros_like(r, dtype=bool)
            while not done.all():
                u1, u2, u3 = ops.rand((3, *shape), dtype=r.dtype, device=r.device).unbind(0)
                z = ops.cos(math.pi * u1)
                f = (1 + r * z) / (r + z)
                c = kappa * (r - f)
                accept = ((c * (2 - c) - u2) > 0) | ((c / u2).log() + 1 - c >= 0)
                x = ops.where(accept & ~done, (u3 - 0.5).sign() * ops.acos(f), x)
                done = done | accept
            angle = (x + math.pi + self.loc.double()) % (2 * math.pi) - math.pi
            return angle.to(self.loc.dtype)

    @property
    def mean(self) -> Any:
        return self.loc

    @property
    def mode(self) -> Any:
        return self.loc

    @property
    def variance(self) -> Any:
        """The circular variance."""
        return 1 - i1e(self.concentration) / i0e(self.concentration)


class ContinuousBernoulli(_OfOdds, ExponentialFamily):
    """A number between 0 and 1 whose density is that of `Bernoulli`, made to sum to one.

    Args:
        probs: its parameter.
        logits: the logarithm of its odds, instead.
        lims: between which parameters a series is used, near one half.
        validate_args: see `Distribution`.

    References:
        G. Loaiza-Ganem and J. P. Cunningham, The continuous Bernoulli: fixing a pervasive error in variational
        autoencoders, arXiv:1907.06845.
    """

    arg_constraints: ClassVar[Any] = ODDS
    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        self._set(probs, logits)
        if probs is not None:
            if validate_args and not self.arg_constraints["probs"].check(self.probs).all():
                raise ValueError("The parameter probs has invalid values")
            self.probs = clamp_probs(self.probs)
        self._lims = lims
        super().__init__(self._param.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._expanded(_instance, batch_shape, "probs logits")
        new._lims = self._lims
        return new

    @lazy_property
    def probs(self) -> Any:
        """The parameter."""
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    def _outside(self) -> Any:
        """Where the parameter is not near one half."""
        return ops.logical_or(self.probs <= self._lims[0], self.probs > self._lims[1])

    def _cut(self) -> Any:
        return ops.where(self._outside(), self.probs, self._lims[0] * ops.ones_like(self.probs))

    def _log_norm(self) -> Any:
        cut = self._cut()
        low = ops.where(cut <= 0.5, cut, ops.zeros_like(cut))
        high = ops.where(cut >= 0.5, cut, ops.ones_like(cut))
        gap = ops.where(cut <= 0.5, ops.log1p(-2.0 * low), ops.log(2.0 * high - 1.0))
        norm = ops.log(ops.abs(ops.log1p(-cut) - ops.log(cut))) - gap
        x = ops.pow(self.probs - 0.5, 2)
        return ops.where(self._outside(), norm, math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x)

    @property
    def mean(self) -> Any:
        cut = self._cut()
        far = cut / (2.0 * cut - 1.0) + 1.0 / (ops.log1p(-cut) - ops.log(cut))
        x = self.probs - 0.5
        return ops.where(self._outside(), far, 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * ops.pow(x, 2)) * x)

    @property
    def stddev(self) -> Any:
        return ops.sqrt(self.variance)

    @property
    def variance(self) -> Any:
        cut = self._cut()
        far = cut * (cut - 1.0) / ops.pow(1.0 - 2.0 * cut, 2) + 1.0 / ops.pow(ops.log1p(-cut) - ops.log(cut), 2)
        x = ops.pow(self.probs - 0.5, 2)
        return ops.where(self._outside(), far, 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x)

    def sample(self, sample_shape: Any = ()) -> Any:
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        return self.icdf(ops.rand(shape, dtype=self.probs.dtype, device=self.probs.device))

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none") + self._log_norm()

    def cdf(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        cut = self._cut()
        far = (ops.pow(cut, value) * ops.pow(1.0 - cut, 1.0 - value) + cut - 1.0) / (2.0 * cut - 1.0)
        found = ops.where(self._outside(), far, value)
        inside = ops.where(ops.ge(value, 1.0), ops.ones_like(found), found)
        return ops.where(ops.le(value, 0.0), ops.zeros_like(value), inside)

    def icdf(self, value: Any) -> Any:
        cut = self._cut()
        far = (ops.log1p(-cut + value * (2.0 * cut - 1.0)) - ops.log1p(-cut)) / (ops.log(cut) - ops.log1p(-cut))
        return ops.where(self._outside(), far, value)

    def entropy(self) -> Any:
        none, one = ops.log1p(-self.probs), ops.log(self.probs)
        return self.mean * (none - one) - self._log_norm() - none
