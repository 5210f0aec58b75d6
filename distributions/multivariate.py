"""Distributions of vectors and of matrices."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ..autograd import ops
from ..autograd.grad_mode import no_grad
from ..autograd.ops.linalg_cholesky import cholesky
from ..autograd.ops.linalg_determinants import slogdet
from ..autograd.ops.linalg_solving import solve_triangular
from ..autograd.ops.size import Size
from . import constraints
from .distribution import Distribution, ExponentialFamily
from .gamma_family import Beta, Gamma
from .utils import lazy_property

__all__ = ["LKJCholesky", "LowRankMultivariateNormal", "MultivariateNormal", "Wishart"]


def _solved(lower: Any, right: Any) -> Any:
    """``lower`` inverse times ``right``."""
    return solve_triangular(lower, right, upper=False)


def _inverse_root(precision: Any) -> Any:
    """The Cholesky factor of the inverse of positive definite matrices."""
    flipped = cholesky(ops.flip(precision, (-2, -1)))
    upper = ops.flip(flipped, (-2, -1)).mT
    eye = ops.eye(precision.shape[-1], dtype=precision.dtype, device=precision.device)
    return _solved(upper, eye)


def _mahalanobis(lower: Any, x: Any) -> Any:
    """The square of the length of ``lower`` inverse times each vector."""
    return _solved(lower, x.unsqueeze(-1)).squeeze(-1).pow(2).sum(-1)


def _log_diagonal(lower: Any) -> Any:
    return lower.diagonal(dim1=-2, dim2=-1).log().sum(-1)


class _OfMatrix(Distribution):
    """What has a positive definite matrix, given as itself, as its inverse or as its Cholesky factor."""

    def _set_matrix(self, shape: Any, given: dict[str, Any]) -> Any:
        """Keep the matrix that was given, in a batch shape, and return its Cholesky factor."""
        (name,) = [name for name, value in given.items() if value is not None]
        matrix = given[name].expand(shape + given[name].shape[-2:])
        setattr(self, name, matrix)
        if name == "scale_tril":
            return matrix
        return cholesky(matrix) if name == "covariance_matrix" else _inverse_root(matrix)

    @lazy_property
    def scale_tril(self) -> Any:
        """The Cholesky factor of the matrix."""
        return self._unbroadcasted_scale_tril.expand(self._matrix_shape())

    @lazy_property
    def covariance_matrix(self) -> Any:
        """The matrix."""
        lower = self._unbroadcasted_scale_tril
        return (lower @ lower.mT).expand(self._matrix_shape())

    @lazy_property
    def precision_matrix(self) -> Any:
        """The inverse of the matrix."""
        return ops.cholesky_inverse(self._unbroadcasted_scale_tril).expand(self._matrix_shape())

    def _matrix_shape(self) -> Any:
        return self._batch_shape + self._event_shape[-1:] * 2

    _unbroadcasted_scale_tril: Any


class MultivariateNormal(_OfMatrix):
    """The normal distribution of vectors.

    Args:
        loc: the mean: (*, D).
        covariance_matrix: (*, D, D).
        precision_matrix: its inverse, instead.
        scale_tril: its Cholesky factor, instead, which is the quickest.
        validate_args: see `Distribution`.

    Raises:
        ValueError: not exactly one of the matrices is given, or a shape is too small.

    Example:
        >>> import wengert as wg
        >>> wg.distributions.MultivariateNormal(wg.zeros(2), wg.eye(2)).log_prob(wg.zeros(2))
        tensor(-1.8379)
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: Any,
        covariance_matrix: Any = None,
        precision_matrix: Any = None,
        scale_tril: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        given = {"scale_tril": scale_tril, "covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix}
        matrices = [(name, m) for name, m in given.items() if m is not None]
        if len(matrices) != 1:
            raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        name, matrix = matrices[0]
        if matrix.dim() < 2:
            raise ValueError(f"{name} must be at least two-dimensional, with optional leading batch dimensions")
        batch_shape = ops.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        setattr(self, name, matrix.expand((*batch_shape, -1, -1)))
        self.loc = loc.expand((*batch_shape, -1))
        super().__init__(batch_shape, self.loc.shape[-1:], validate_args=validate_args)
        if name == "scale_tril":
            self._unbroadcasted_scale_tril = matrix
        else:
            self._unbroadcasted_scale_tril = cholesky(matrix) if name == "covariance_matrix" else _inverse_root(matrix)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._expanded(_instance, batch_shape, "loc covariance_matrix precision_matrix scale_tril")
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril
        return new

    @property
    def mean(self) -> Any:
        return self.loc

    @property
    def mode(self) -> Any:
        return self.loc

    @property
    def variance(self) -> Any:
        shape = self._batch_shape + self._event_shape
        return self._unbroadcasted_scale_tril.pow(2).sum(-1).expand(shape)

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        noise = ops.randn(shape, dtype=self.loc.dtype, device=self.loc.device)
        return self.loc + (self._unbroadcasted_scale_tril @ noise.unsqueeze(-1)).squeeze(-1)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        distance = _mahalanobis(self._unbroadcasted_scale_tril, value - self.loc)
        half_log_det = _log_diagonal(self._unbroadcasted_scale_tril)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - half_log_det

    def entropy(self) -> Any:
        half_log_det = _log_diagonal(self._unbroadcasted_scale_tril)
        found = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + half_log_det
        return found if not self._batch_shape else found.expand(self._batch_shape)


class LowRankMultivariateNormal(Distribution):
    """The normal distribution of vectors whose covariance is ``cov_factor @ cov_factor.T + diag(cov_diag)``.

    Args:
        loc: the mean: (*, D).
        cov_factor: (*, D, R).
        cov_diag: (*, D), positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: the shapes do not fit.
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Any, cov_factor: Any, cov_diag: Any, validate_args: bool | None = None) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        event_shape = loc.shape[-1:]
        if cov_factor.dim() < 2:
            raise ValueError("cov_factor must be at least two-dimensional, with optional leading batch dimensions")
        if cov_factor.shape[-2:-1] != event_shape:
            raise ValueError(f"cov_factor must be a batch of matrices with shape {event_shape[0]} x m")
        if cov_diag.shape[-1:] != event_shape:
            raise ValueError(f"cov_diag must be a batch of vectors with shape {event_shape}")
        batch = ops.broadcast_shapes(loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        self.loc = loc.expand(batch + event_shape)
        self.cov_factor = cov_factor.expand(batch + cov_factor.shape[-2:])
        self.cov_diag = cov_diag.expand(batch + event_shape)
        self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag = cov_factor, cov_diag
        super().__init__(batch, event_shape, validate_args=validate_args)
        # I + W^T D^-1 W, whose size is the rank's: the matrix determinant and Woodbury's identity want no larger one.
        scaled = cov_factor.mT / cov_diag.unsqueeze(-2)
        eye = ops.eye(cov_factor.shape[-1], dtype=loc.dtype, device=loc.device)
        self._capacitance_tril = cholesky(scaled @ cov_factor + eye)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._expanded(_instance, batch_shape, "loc cov_factor cov_diag")
        for name in ("_unbroadcasted_cov_factor", "_unbroadcasted_cov_diag", "_capacitance_tril"):
            setattr(new, name, getattr(self, name))
        return new

    @property
    def mean(self) -> Any:
        return self.loc

    @property
    def mode(self) -> Any:
        return self.loc

    @lazy_property
    def variance(self) -> Any:
        """The variance."""
        found = self._unbroadcasted_cov_factor.pow(2).sum(-1) + self._unbroadcasted_cov_diag
        return found.expand(self._batch_shape + self._event_shape)

    @lazy_property
    def scale_tril(self) -> Any:
        """The Cholesky factor of the covariance."""
        return cholesky(self.covariance_matrix)

    @lazy_property
    def covariance_matrix(self) -> Any:
        """The covariance."""
        factor = self._unbroadcasted_cov_factor
        found = factor @ factor.mT + self._unbroadcasted_cov_diag.diag_embed()
        return found.expand(self._batch_shape + self._event_shape + self._event_shape)

    @lazy_property
    def precision_matrix(self) -> Any:
        """The inverse of the covariance."""
        return ops.inverse(self.covariance_matrix)

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        options = {"dtype": self.loc.dtype, "device": self.loc.device}
        inner = ops.randn(shape[:-1] + self.cov_factor.shape[-1:], **options)
        outer = ops.randn(shape, **options)
        correlated = (self._unbroadcasted_cov_factor @ inner.unsqueeze(-1)).squeeze(-1)
        return self.loc + correlated + self._unbroadcasted_cov_diag.sqrt() * outer

    def _half_log_det(self) -> Any:
        return _log_diagonal(self._capacitance_tril) + 0.5 * self._unbroadcasted_cov_diag.log().sum(-1)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        away = value - self.loc
        scaled = away / self._unbroadcasted_cov_diag
        inner = (self._unbroadcasted_cov_factor.mT @ scaled.unsqueeze(-1)).squeeze(-1)
        distance = (away * scaled).sum(-1) - _mahalanobis(self._capacitance_tril, inner)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - self._half_log_det()

    def entropy(self) -> Any:
        found = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + self._half_log_det()
        return found if not self._batch_shape else found.expand(self._batch_shape)


class Wishart(_OfMatrix, ExponentialFamily):
    """The distribution of the sum of ``df`` outer products of normal vectors.

    Args:
        df: the degrees of freedom, more than the size less one.
        covariance_matrix: the matrix of the vectors' distribution: (*, D, D).
        precision_matrix: its inverse, instead.
        scale_tril: its Cholesky factor, instead.
        validate_args: see `Distribution`.
    """

    support = constraints.positive_definite
    has_rsample = True

    @property
    def arg_constraints(self) -> Any:
        """What the parameters must be in."""
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self.event_shape[-1] - 1),
        }

    def __init__(
        self,
        df: Any,
        covariance_matrix: Any = None,
        precision_matrix: Any = None,
        scale_tril: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        given = {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril}
        matrices = [m for m in given.values() if m is not None]
        if len(matrices) != 1:
            raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        if matrices[0].dim() < 2:
            raise ValueError("scale_tril must be at least two-dimensional, with optional leading batch dimensions")
        number = isinstance(df, (int, float))
        batch_shape = matrices[0].shape[:-2] if number else ops.broadcast_shapes(matrices[0].shape[:-2], df.shape)
        event_shape = matrices[0].shape[-2:]
        df = ops.tensor(df, dtype=matrices[0].dtype, device=matrices[0].device) if number else df
        self.df = df.expand(batch_shape)
        if not self.df.gt(event_shape[-1] - 1).all():
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {event_shape[-1] - 1}.")
        self._unbroadcasted_scale_tril = self._set_matrix(batch_shape, given)
        super().__init__(batch_shape, event_shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._expanded(_instance, batch_shape, "df covariance_matrix precision_matrix scale_tril")
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril
        return new

    @property
    def mean(self) -> Any:
        return self.df.reshape((*self._batch_shape, 1, 1)) * self.covariance_matrix

    @property
    def mode(self) -> Any:
        factor = self.df - self.covariance_matrix.shape[-1] - 1
        factor = ops.where(factor <= 0, math.nan, factor)
        return factor.reshape((*self._batch_shape, 1, 1)) * self.covariance_matrix

    @property
    def variance(self) -> Any:
        v = self.covariance_matrix
        diagonal = v.diagonal(dim1=-2, dim2=-1)
        products = v.pow(2) + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2)
        return self.df.reshape((*self._batch_shape, 1, 1)) * products

    def rsample(self, sample_shape: Any = (), max_try_correction: Any = None) -> Any:
        n = self._event_shape[-1]
        shape = Size(sample_shape) + self._batch_shape
        steps = ops.arange(n, dtype=self.df.dtype, device=self.df.device)
        squares = Gamma((self.df.unsqueeze(-1) - steps) / 2, ops.tensor(0.5, dtype=self.df.dtype)).rsample(sample_shape)
        noise = ops.randn((*shape, n, n), dtype=self.df.dtype, device=self.df.device).tril(-1)
        lower = self._unbroadcasted_scale_tril @ (noise + squares.sqrt().diag_embed())
        return lower @ lower.mT

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        n, df = self._event_shape[-1], self.df
        lower = self._unbroadcasted_scale_tril
        trace = ops.cholesky_solve(value, lower).diagonal(dim1=-2, dim2=-1).sum(-1)
        log_det = slogdet(value).logabsdet
        norm = df * (_log_diagonal(lower) + 0.5 * n * math.log(2)) + ops.mvlgamma(0.5 * df, p=n)
        return -norm + 0.5 * (df - n - 1) * log_det - 0.5 * trace

    def entropy(self) -> Any:
        n, df = self._event_shape[-1], self.df
        half = 0.5 * df
        digammas = ops.digamma(half.unsqueeze(-1) - 0.5 * ops.arange(n, dtype=df.dtype, device=df.device)).sum(-1)
        log_det = _log_diagonal(self._unbroadcasted_scale_tril)
        constant = 0.5 * n * (n + 1) * math.log(2)
        return (n + 1) * log_det + constant + ops.mvlgamma(half, p=n) - 0.5 * (df - n - 1) * digammas + half * n


class LKJCholesky(Distribution):
    """Cholesky factors of correlation matrices.

    Args:
        dim: the size of the matrices.
        concentration: how near they are to the identity; 1 for all alike.
        validate_args: see `Distribution`.

    References:
        D. Lewandowski, D. Kurowicka and H. Joe, Generating random correlation matrices based on vines and extended
        onion method, Journal of Multivariate Analysis 100, 2009.
    """

    arg_constraints: ClassVar[Any] = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None) -> None:
        if dim < 2:
            raise ValueError(f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        self.dim = dim
        self.concentration = ops.tensor(concentration) if isinstance(concentration, (int, float)) else concentration
        offset = ops.arange(dim - 1, dtype=self.concentration.dtype, device=self.concentration.device)
        offset = ops.cat([offset.new_zeros((1,)), offset])
        marginal = self.concentration + 0.5 * (dim - 2)
        self._beta = Beta(offset + 0.5, marginal.unsqueeze(-1) - 0.5 * offset)
        super().__init__(self.concentration.size(), Size((dim, dim)), validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._expanded(_instance, batch_shape, "concentration")
        new.dim, new._beta = self.dim, self._beta.expand((*Size(batch_shape), self.dim))
        return new

    def sample(self, sample_shape: Any = ()) -> Any:
        with no_grad():
            y = self._beta.sample(sample_shape).unsqueeze(-1)
            noise = ops.randn(self._extended_shape(sample_shape), dtype=y.dtype, device=y.device).tril(-1)
            sphere = noise / noise.norm(dim=-1, keepdim=True)
            sphere = ops.cat([ops.zeros_like(sphere[..., :1, :]), sphere[..., 1:, :]], -2)
            w = ops.sqrt(y) * sphere
            tiny = 1e-38 if y.dtype.itemsize < 8 else 1e-300
            return w + ops.clamp(1 - (w**2).sum(dim=-1), min=tiny).sqrt().diag_embed()

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        order = ops.arange(2, self.dim + 1, device=self.concentration.device)
        order = 2 * (self.concentration - 1).unsqueeze(-1) + self.dim - order
        free = (order * diagonal.log()).sum(dim=-1)
        dm1 = self.dim - 1
        alpha = self.concentration + 0.5 * dm1
        norm = 0.5 * dm1 * math.log(math.pi) + ops.mvlgamma(alpha - 0.5, dm1) - ops.lgamma(alpha) * dm1
        return free - norm
