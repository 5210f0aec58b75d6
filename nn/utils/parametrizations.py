"""Parametrizations of weights: length and direction, a largest singular value of 1, orthogonal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...autograd import ops
from ...autograd.grad_mode import no_grad
from ...autograd.ops.linalg_solving import solve
from ...backends.dtypes import finfo
from ...backends.errors import InvalidValueError
from .. import functional as F
from ..conv import ConvTransposeNd
from ..module import Module
from . import parametrize
from .norms import weight_of

if TYPE_CHECKING:
    from ...autograd.tensor import Tensor

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


class _WeightNorm(Module):
    """A weight from its length and its direction."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        """``weight_g * weight_v / |weight_v|``."""
        return weight_of(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """The length and the direction of ``weight``."""
        return ops.norm_except_dim(weight, 2, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Train the length and the direction of a weight apart: ``weight = g * v / |v|``.

    ``g`` is ``parametrizations.<name>.original0`` and ``v`` is ``original1``. A state dict of the older
    `wengert.nn.utils.weight_norm` can be loaded.

    Args:
        module: the owner of the weight.
        name: the weight's name.
        dim: one length for each index of this dimension; None for one length altogether.

    Returns:
        ``module``.

    Example:
        >>> import wengert as wg
        >>> layer = wg.nn.utils.parametrizations.weight_norm(wg.nn.Linear(20, 40))
        >>> layer.parametrizations.weight.original0.shape, layer.parametrizations.weight.original1.shape
        (wengert.Size([40, 1]), wengert.Size([40, 20]))

    References:
        T. Salimans and D. P. Kingma, "Weight normalization", arXiv:1602.07868.
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def rename_older(state_dict: dict[str, Any], prefix: str, *_: Any) -> None:
        older = [f"{prefix}{name}_g", f"{prefix}{name}_v"]
        if all(key in state_dict for key in older):
            for i, key in enumerate(older):
                state_dict[f"{prefix}parametrizations.{name}.original{i}"] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(rename_older)
    return module


class _SpectralNorm(Module):
    """A weight over its largest singular value, which power iteration estimates."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{weight.ndim}, {weight.ndim - 1}] but got {dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got n_power_iterations=" + str(n_power_iterations)
            )
        self.dim = dim if dim >= 0 else dim + weight.ndim
        self.eps = eps
        if weight.ndim > 1:
            self.n_power_iterations = n_power_iterations
            with no_grad():
                matrix = self._matrix(weight)
                h, w = matrix.shape
                u, v = matrix.new_empty(h).normal_(0, 1), matrix.new_empty(w).normal_(0, 1)
                self.register_buffer("_u", F.normalize(u, dim=0, eps=eps))
                self.register_buffer("_v", F.normalize(v, dim=0, eps=eps))
                self._iterate(matrix, 15)

    def _matrix(self, weight: Tensor) -> Tensor:
        if self.dim:
            weight = weight.permute(self.dim, *(d for d in range(weight.ndim) if d != self.dim))
        return weight.flatten(1)

    @no_grad()
    def _iterate(self, matrix: Tensor, times: int) -> None:
        for _ in range(times):
            self._u.copy_(F.normalize(ops.mv(matrix, self._v), dim=0, eps=self.eps))
            self._v.copy_(F.normalize(ops.mv(matrix.mH, self._u), dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        """``weight`` over its largest singular value; in training the estimate gets better each time."""
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix, self.n_power_iterations)
        u, v = self._u.clone(), self._v.clone()  # the next call writes to the buffers
        return weight / ops.vdot(u, ops.mv(matrix, v))  # type: ignore[no-any-return]

    def right_inverse(self, value: Tensor) -> Tensor:
        """``value``: its scale is lost anyway."""
        return value


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divide a weight by its largest singular value, so that the layer stretches nothing.

    Args:
        module: the owner of the weight.
        name: the weight's name.
        n_power_iterations: steps of power iteration each time in training.
        eps: keeps norms away from zero.
        dim: the dimension of the outputs; 1 for transposed convolutions and 0 for all else when left out.

    Returns:
        ``module``.

    Raises:
        ValueError: the module has no such tensor.

    Example:
        >>> import wengert as wg
        >>> layer = wg.nn.utils.parametrizations.spectral_norm(wg.nn.Linear(4, 4))
        >>> list(layer.state_dict())  # doctest: +NORMALIZE_WHITESPACE
        ['bias', 'parametrizations.weight.original', 'parametrizations.weight.0._u', 'parametrizations.weight.0._v']

    References:
        T. Miyato et al., "Spectral normalization for generative adversarial networks", arXiv:1802.05957.
    """
    weight = getattr(module, name, None)
    if weight is None:
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if dim is None:
        dim = 1 if isinstance(module, ConvTransposeNd) else 0
    return parametrize.register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))


class _Orthogonal(Module):
    """An orthogonal (or unitary) matrix from any matrix."""

    base: Tensor | None

    def __init__(self, weight: Tensor, orthogonal_map: str, *, use_trivialization: bool = True) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        self.register_buffer("base", _new_orthogonal(weight) if use_trivialization else None)

    def forward(self, X: Tensor) -> Tensor:  # PyTorch's name
        """An orthogonal matrix, in which only a part of ``X`` takes part."""
        n, k = X.shape[-2:]
        wide = n < k
        if wide:
            X, n, k = X.mT, k, n
        if self.orthogonal_map == "householder":
            scale = 2.0 / (1.0 + (X * X).tril(-1).sum(-2))
            q = ops.orgqr(X.tril(-1), scale)
            q = q * X.diagonal(dim1=-2, dim2=-1).int()[..., None, :]
        else:
            a = X.tril()
            if n != k:
                a = ops.cat([a, a.new_zeros(*a.shape[:-2], n, n - k)], -1)
            a = a - a.mH
            if self.orthogonal_map == "matrix_exp":
                q = ops.matrix_exp(a)
            else:
                identity = ops.eye(n, dtype=a.dtype, device=a.device)
                q = solve(identity - 0.5 * a, identity + 0.5 * a)
            if n != k:
                q = q[..., :k]
        if self.base is not None:
            q = self.base @ q
        return q.mT if wide else q

    @no_grad()
    def right_inverse(self, Q: Tensor) -> Tensor:  # PyTorch's name
        """What `forward` makes ``Q`` of, or the orthogonal matrix nearest in direction."""
        if Q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {Q.shape}."
            )
        n, k = Q.shape[-2:]
        wide = n < k
        if wide:
            Q, n, k = Q.mT, k, n
        if self.base is None:
            if self.orthogonal_map in ("cayley", "matrix_exp"):
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                    "use_trivialization=False."
                )
            a, tau = ops.geqrf(Q)
            diagonal = a.diagonal(dim1=-2, dim2=-1)
            signs = ops.where(diagonal < 0, -1.0, 1.0)
            # Where LAPACK skips a reflection, tau is zero; `forward` reflects there, which turns the sign.
            diagonal.copy_(ops.where(tau == 0, -signs, signs))
            return a.mT if wide else a  # type: ignore[no-any-return]
        if n == k:
            Q = Q if _is_orthogonal(Q) else _project(Q)
        else:  # complete the basis
            more = ops.randn(*Q.shape[:-2], n, n - k, dtype=Q.dtype, device=Q.device)
            Q = _project(ops.cat([Q, more], -1))
        self.base = Q.contiguous()
        zero = Q.new_zeros(*Q.shape[:-2], n, k)
        zero.diagonal(dim1=-2, dim2=-1).fill_(-1.0)  # its skew part is zero
        return zero.mT if wide else zero  # type: ignore[no-any-return]


def _is_orthogonal(q: Tensor) -> bool:
    identity = ops.eye(q.shape[-1], dtype=q.dtype, device=q.device)
    eps = 10.0 * q.shape[-2] * finfo(q.dtype).eps
    return bool(((q.mH @ q) - identity).abs().max() <= eps)


def _project(x: Tensor) -> Tensor:
    """The orthogonal factor of ``x``, with the signs that leave an orthogonal ``x`` as it is."""
    q, r = ops.qr(x)
    return q * r.diagonal(dim1=-2, dim2=-1).sgn()[..., None, :]  # type: ignore[no-any-return]


def _new_orthogonal(weight: Tensor) -> Tensor:
    n = max(weight.shape[-2:])
    return _project(ops.randn(*weight.shape[:-2], n, n, dtype=weight.dtype, device=weight.device))


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Module:
    """Keep a weight orthogonal: ``Q.mH @ Q`` is the identity (``Q @ Q.mH`` where it is wider than high).

    Args:
        module: the owner of the weight.
        name: the weight's name.
        orthogonal_map: ``matrix_exp``, ``cayley`` or ``householder``; the first for square and complex weights, and
            the last for others, when left out.
        use_trivialization: let the map start at a fixed matrix, which makes training better behaved.

    Returns:
        ``module``.

    Raises:
        ValueError: there is no such weight, it has less than two dimensions, or the map is none of these.

    Example:
        >>> import wengert as wg
        >>> layer = wg.nn.utils.parametrizations.orthogonal(wg.nn.Linear(3, 3), orthogonal_map="cayley")
        >>> wg.allclose(layer.weight @ layer.weight.T, wg.eye(3), atol=1e-5)
        True

    References:
        M. Lezcano-Casado, "Trivializations for gradient-based optimization on manifolds", arXiv:1909.09501.
    """
    weight = getattr(module, name, None)
    if weight is None:
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if weight.ndim < 2:
        raise InvalidValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1] or weight.is_complex()
        orthogonal_map = "matrix_exp" if square else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ValueError(
            'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: ' + orthogonal_map
        )
    orth = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    return parametrize.register_parametrization(module, name, orth, unsafe=True)
