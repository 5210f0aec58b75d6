"""Invertible functions of random vectors and matrices, and of values side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..autograd import ops
from ..autograd.ops.linalg_cholesky import cholesky
from ..backends.dtypes import finfo
from . import constraints
from .transform_base import Transform
from .transforms_elementwise import SigmoidTransform, _Simple
from .utils import tril_matrix_to_vec, vec_to_tril_matrix

__all__ = [
    "CatTransform",
    "CorrCholeskyTransform",
    "LowerCholeskyTransform",
    "PositiveDefiniteTransform",
    "SoftmaxTransform",
    "StackTransform",
    "StickBreakingTransform",
]


class SoftmaxTransform(_Simple):
    """Probabilities in proportion to ``exp(x)``."""

    domain = constraints.real_vector
    codomain = constraints.simplex

    def _call(self, x: Any) -> Any:
        return ops.softmax(x, -1)

    def _inverse(self, y: Any) -> Any:
        return y.log()


class StickBreakingTransform(_Simple):
    """Numbers to probabilities, one more: each says how much of what is left of a stick is broken off."""

    domain = constraints.real_vector
    codomain = constraints.simplex
    bijective = True

    def _call(self, x: Any) -> Any:
        left = x.shape[-1] + 1 - x.new_ones(x.shape[-1]).cumsum(-1)
        z = SigmoidTransform()(x - left.log())
        rest = (1 - z).cumprod(-1)
        return ops.pad(z, [0, 1], value=1) * ops.pad(rest, [1, 0], value=1)

    def _inverse(self, y: Any) -> Any:
        cropped = y[..., :-1]
        left = y.shape[-1] - cropped.new_ones(cropped.shape[-1]).cumsum(-1)
        rest = ops.clamp(1 - cropped.cumsum(-1), min=finfo(y.dtype).tiny)
        return cropped.log() - rest.log() + left.log()

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        left = x.shape[-1] + 1 - x.new_ones(x.shape[-1]).cumsum(-1)
        x = x - left.log()
        return (-x + ops.logsigmoid(x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Any) -> Any:
        return (*ops.Size(shape[:-1]), shape[-1] + 1)

    def inverse_shape(self, shape: Any) -> Any:
        return (*ops.Size(shape[:-1]), shape[-1] - 1)


class LowerCholeskyTransform(_Simple):
    """Matrices to lower triangular ones with a positive diagonal."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def _call(self, x: Any) -> Any:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Any) -> Any:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(_Simple):
    """Matrices to positive definite ones."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def _call(self, x: Any) -> Any:
        x = LowerCholeskyTransform()(x)
        return x @ x.mT

    def _inverse(self, y: Any) -> Any:
        return LowerCholeskyTransform().inv(cholesky(y))


class CorrCholeskyTransform(Transform):
    """Numbers to the Cholesky factor of a correlation matrix."""

    domain = constraints.real_vector
    codomain = constraints.corr_cholesky
    bijective = True

    def _call(self, x: Any) -> Any:
        eps = finfo(x.dtype).eps
        r = vec_to_tril_matrix(ops.tanh(x).clamp(min=-1 + eps, max=1 - eps), diag=-1)
        rest = (1 - r**2).sqrt().cumprod(-1)
        r = r + ops.eye(r.shape[-1], dtype=r.dtype, device=r.device)
        return r * ops.pad(rest[..., :-1], [1, 0], value=1)

    def _inverse(self, y: Any) -> Any:
        rest = ops.pad((1 - ops.cumsum(y * y, dim=-1))[..., :-1], [1, 0], value=1)
        t = tril_matrix_to_vec(y, diag=-1) / tril_matrix_to_vec(rest, diag=-1).sqrt()
        return (t.log1p() - t.neg().log1p()) / 2

    def log_abs_det_jacobian(self, x: Any, y: Any, intermediates: Any = None) -> Any:
        rest = tril_matrix_to_vec((1 - (y * y).cumsum(dim=-1))[..., :-1], diag=-2) if y.shape[-1] > 2 else None
        stretched = 0.0 if rest is None else 0.5 * rest.log().sum(-1)
        return stretched - 2 * (x + ops.softplus(-2 * x) - math.log(2.0)).sum(dim=-1)

    def forward_shape(self, shape: Any) -> Any:
        n = shape[-1]
        size = round((0.25 + 2 * n) ** 0.5 + 0.5)
        if size * (size - 1) // 2 != n:
            raise ValueError("Input is not a flattened lower-diagonal number")
        return (*ops.Size(shape[:-1]), size, size)

    def inverse_shape(self, shape: Any) -> Any:
        if shape[-2] != shape[-1]:
            raise ValueError("Input is not square")
        return (*ops.Size(shape[:-2]), shape[-1] * (shape[-1] - 1) // 2)


class _Joined(Transform):
    """Several transforms side by side."""

    def __init__(self, tseq: Sequence[Any], dim: int, lengths: Sequence[int] | None, cache_size: int) -> None:
        super().__init__(cache_size=cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        self.dim = dim
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)

    @property
    def bijective(self) -> bool:  # type: ignore[override]
        """Whether it has an inverse everywhere."""
        return all(t.bijective for t in self.transforms)

    def _parts(self, x: Any) -> Any:
        raise NotImplementedError

    def _whole(self, parts: list[Any]) -> Any:
        raise NotImplementedError

    def _call(self, x: Any) -> Any:
        return self._whole([t(part) for t, part in zip(self.transforms, self._parts(x), strict=True)])

    def _inverse(self, y: Any) -> Any:
        return self._whole([t.inv(part) for t, part in zip(self.transforms, self._parts(y), strict=True)])

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        triples = zip(self.transforms, self._parts(x), self._parts(y), strict=True)
        return self._whole([t.log_abs_det_jacobian(a, b) for t, a, b in triples])


class CatTransform(_Joined):
    """Several transforms, each for some places of a dimension.

    Args:
        tseq: the transforms.
        dim: the dimension.
        lengths: how many places each has; one each unless told.
        cache_size: see `Transform`.
    """

    def __init__(self, tseq: Sequence[Any], dim: int = 0, lengths: Any = None, cache_size: int = 0) -> None:
        super().__init__(tseq, dim, lengths, cache_size)

    def _parts(self, x: Any) -> Any:
        return x.split(self.lengths, self.dim)

    def _whole(self, parts: list[Any]) -> Any:
        return ops.cat(parts, self.dim)

    @property
    def domain(self) -> Any:
        """Where it is defined."""
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @property
    def codomain(self) -> Any:
        """Where its values are."""
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)


class StackTransform(_Joined):
    """Several transforms, one for each slice of a dimension.

    Args:
        tseq: the transforms.
        dim: the dimension.
        cache_size: see `Transform`.
    """

    def __init__(self, tseq: Sequence[Any], dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(tseq, dim, None, cache_size)

    def _parts(self, x: Any) -> Any:
        return x.unbind(self.dim)

    def _whole(self, parts: list[Any]) -> Any:
        return ops.stack(parts, self.dim)

    @property
    def domain(self) -> Any:
        """Where it is defined."""
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @property
    def codomain(self) -> Any:
        """Where its values are."""
        return constraints.stack([t.codomain for t in self.transforms], self.dim)
