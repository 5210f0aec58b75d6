"""Distributions of what is large: of largest and of exceeding values."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ..autograd import ops
from ..autograd.ops.size import Size
from . import constraints
from .continuous import Exponential, _uniform
from .distribution import Distribution
from .transformed import TransformedDistribution
from .transforms import AffineTransform, ExpTransform, PowerTransform
from .utils import broadcast_all, euler_constant

__all__ = [
    "GeneralizedPareto",
    "Pareto",
    "Weibull",
]


class Weibull(TransformedDistribution):
    """The Weibull distribution.

    Args:
        scale: the scale.
        concentration: the shape.
        validate_args: see `Distribution`.
    """

    arg_constraints: ClassVar[Any] = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        self.concentration_reciprocal = self.concentration.reciprocal()
        base = Exponential(ops.ones_like(self.scale), validate_args=validate_args)
        transforms = [PowerTransform(exponent=self.concentration_reciprocal), AffineTransform(loc=0, scale=self.scale)]
        super().__init__(base, transforms, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        self._get_checked_instance(Weibull, _instance)
        shape = Size(batch_shape)
        return Weibull(self.scale.expand(shape), self.concentration.expand(shape), validate_args=self._validate_args)

    @property
    def mean(self) -> Any:
        return self.scale * ops.exp(ops.lgamma(1 + self.concentration_reciprocal))

    @property
    def mode(self) -> Any:
        share = (self.concentration - 1) / self.concentration
        return self.scale * share.clamp(min=0) ** self.concentration_reciprocal

    @property
    def variance(self) -> Any:
        once = ops.exp(2 * ops.lgamma(1 + self.concentration_reciprocal))
        return self.scale.pow(2) * (ops.exp(ops.lgamma(1 + 2 * self.concentration_reciprocal)) - once)

    def entropy(self) -> Any:
        k = self.concentration_reciprocal
        return euler_constant * (1 - k) + ops.log(self.scale * k) + 1


class Pareto(TransformedDistribution):
    """The Pareto distribution.

    Args:
        scale: the least value.
        alpha: the shape.
        validate_args: see `Distribution`.
    """

    arg_constraints: ClassVar[Any] = {"alpha": constraints.positive, "scale": constraints.positive}

    def __init__(self, scale: Any, alpha: Any, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = broadcast_all(scale, alpha)
        base = Exponential(self.alpha, validate_args=validate_args)
        super().__init__(base, [ExpTransform(), AffineTransform(0, self.scale)], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        self._get_checked_instance(Pareto, _instance)
        shape = Size(batch_shape)
        return Pareto(self.scale.expand(shape), self.alpha.expand(shape), validate_args=self._validate_args)

    @property
    def mean(self) -> Any:
        a = self.alpha.clamp(min=1)
        return a * self.scale / (a - 1)

    @property
    def mode(self) -> Any:
        return self.scale

    @property
    def variance(self) -> Any:
        a = self.alpha.clamp(min=2)
        return self.scale.pow(2) * a / ((a - 1).pow(2) * (a - 2))

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        """The set that draws are in."""
        return constraints.greater_than_eq(self.scale)

    def entropy(self) -> Any:
        return (self.scale / self.alpha).log() + (1 + self.alpha.reciprocal())


class GeneralizedPareto(Distribution):
    """What is above a high threshold.

    Args:
        loc: the threshold.
        scale: the scale.
        concentration: the shape; 0 for exponential tails.
        validate_args: see `Distribution`.
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real,
        "scale": constraints.positive,
        "concentration": constraints.real,
    }
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return self._expanded(_instance, batch_shape, "loc scale concentration")

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        """The set that draws are in."""
        upper = ops.where(self.concentration < 0, self.loc - self.scale / self.concentration, math.inf)
        return constraints.interval(self.loc, upper)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.icdf(_uniform(self, self.loc, sample_shape))

    def _log_survival(self, value: Any) -> Any:
        """The logarithm of the probability of more than ``value``."""
        z, k = (value - self.loc) / self.scale, self.concentration
        flat = ops.isclose(k, ops.zeros_like(k))
        safe = ops.where(flat, ops.ones_like(k), k)
        return ops.where(flat, -z, -ops.log1p(safe * z) / safe)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        return (1 + self.concentration) * self._log_survival(value) - self.scale.log()

    def cdf(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        return -ops.expm1(self._log_survival(value))

    def icdf(self, value: Any) -> Any:
        k, flat = self.concentration, ops.isclose(self.concentration, ops.zeros_like(self.concentration))
        safe = ops.where(flat, ops.ones_like(k), k)
        rest = ops.log1p(-value)
        return self.loc + self.scale * ops.where(flat, -rest, ops.expm1(-safe * rest) / safe)

    @property
    def mean(self) -> Any:
        k = self.concentration
        return ops.where(k < 1, self.loc + self.scale / (1 - k), math.inf)

    @property
    def mode(self) -> Any:
        return self.loc

    @property
    def variance(self) -> Any:
        k = self.concentration
        return ops.where(k < 0.5, self.scale**2 / ((1 - k) ** 2 * (1 - 2 * k)), math.inf)

    def entropy(self) -> Any:
        return ops.log(self.scale) + self.concentration + 1
