"""Distributions: densities, draws, entropies and divergences, with gradients to their parameters.

A distribution has a ``batch_shape``, of distributions side by side, and an ``event_shape``, of one draw.
"""

from __future__ import annotations

from typing import Any

from ..backends.paths import add_path as _add_path
from . import bounded, continuous, counts, discrete, extreme, gamma_family, gaussian, multivariate, relaxed, transformed
from . import constraint_registry as constraint_registry
from . import constraints as constraints
from . import distribution as distribution
from . import kl as kl
from . import transforms as transforms
from . import utils as utils
from .bounded import ContinuousBernoulli as ContinuousBernoulli
from .bounded import Kumaraswamy as Kumaraswamy
from .bounded import VonMises as VonMises
from .constraint_registry import biject_to as biject_to
from .constraint_registry import transform_to as transform_to
from .continuous import Cauchy as Cauchy
from .continuous import Exponential as Exponential
from .continuous import Gumbel as Gumbel
from .continuous import HalfCauchy as HalfCauchy
from .continuous import Laplace as Laplace
from .continuous import Uniform as Uniform
from .counts import Binomial as Binomial
from .counts import Multinomial as Multinomial
from .counts import NegativeBinomial as NegativeBinomial
from .counts import Poisson as Poisson
from .discrete import Bernoulli as Bernoulli
from .discrete import Categorical as Categorical
from .discrete import Geometric as Geometric
from .discrete import OneHotCategorical as OneHotCategorical
from .discrete import OneHotCategoricalStraightThrough as OneHotCategoricalStraightThrough
from .distribution import Distribution as Distribution
from .distribution import ExponentialFamily as ExponentialFamily
from .extreme import GeneralizedPareto as GeneralizedPareto
from .extreme import Pareto as Pareto
from .extreme import Weibull as Weibull
from .gamma_family import Beta as Beta
from .gamma_family import Chi2 as Chi2
from .gamma_family import Dirichlet as Dirichlet
from .gamma_family import FisherSnedecor as FisherSnedecor
from .gamma_family import Gamma as Gamma
from .gamma_family import InverseGamma as InverseGamma
from .gamma_family import StudentT as StudentT
from .gaussian import HalfNormal as HalfNormal
from .gaussian import LogisticNormal as LogisticNormal
from .gaussian import LogNormal as LogNormal
from .gaussian import Normal as Normal
from .kl import kl_divergence as kl_divergence
from .kl import register_kl as register_kl
from .multivariate import LKJCholesky as LKJCholesky
from .multivariate import LowRankMultivariateNormal as LowRankMultivariateNormal
from .multivariate import MultivariateNormal as MultivariateNormal
from .multivariate import Wishart as Wishart
from .relaxed import LogitRelaxedBernoulli as LogitRelaxedBernoulli
from .relaxed import RelaxedBernoulli as RelaxedBernoulli
from .relaxed import RelaxedOneHotCategorical as RelaxedOneHotCategorical
from .transformed import Independent as Independent
from .transformed import MixtureSameFamily as MixtureSameFamily
from .transformed import TransformedDistribution as TransformedDistribution
from .transforms import AbsTransform as AbsTransform
from .transforms import AffineTransform as AffineTransform
from .transforms import CatTransform as CatTransform
from .transforms import ComposeTransform as ComposeTransform
from .transforms import CorrCholeskyTransform as CorrCholeskyTransform
from .transforms import CumulativeDistributionTransform as CumulativeDistributionTransform
from .transforms import ExpTransform as ExpTransform
from .transforms import IndependentTransform as IndependentTransform
from .transforms import LowerCholeskyTransform as LowerCholeskyTransform
from .transforms import PositiveDefiniteTransform as PositiveDefiniteTransform
from .transforms import PowerTransform as PowerTransform
from .transforms import ReshapeTransform as ReshapeTransform
from .transforms import SigmoidTransform as SigmoidTransform
from .transforms import SoftmaxTransform as SoftmaxTransform
from .transforms import SoftplusTransform as SoftplusTransform
from .transforms import StackTransform as StackTransform
from .transforms import StickBreakingTransform as StickBreakingTransform
from .transforms import TanhTransform as TanhTransform
from .transforms import Transform as Transform
from .transforms import identity_transform as identity_transform

# The files of PyTorch are a class each.
_PATHS: dict[Any, str] = {
    bounded: "continuous_bernoulli kumaraswamy von_mises",
    continuous: "cauchy exponential gumbel half_cauchy laplace uniform",
    counts: "binomial multinomial negative_binomial poisson",
    discrete: "bernoulli categorical geometric one_hot_categorical",
    extreme: "generalized_pareto pareto weibull",
    gamma_family: "beta chi2 dirichlet fishersnedecor gamma inverse_gamma studentT",
    gaussian: "half_normal log_normal logistic_normal normal",
    multivariate: "lkj_cholesky lowrank_multivariate_normal multivariate_normal wishart",
    relaxed: "relaxed_bernoulli relaxed_categorical",
    transformed: "independent mixture_same_family transformed_distribution",
    distribution: "exp_family",
}
for _module, _names in _PATHS.items():
    for _name in _names.split():
        _found = {n: v for n, v in vars(_module).items() if n[0] != "_" and isinstance(v, type)}
        globals()[_name] = _add_path(f"{__name__}.{_name}", _found)
