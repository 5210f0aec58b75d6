"""What the distributions have in common: parameters of one shape, and probabilities in two forms."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

from ..autograd import ops
from ..autograd.base import TensorBase
from ..autograd.grad_mode import enable_grad
from ..autograd.promotion import get_default_dtype
from ..backends.dtypes import finfo

__all__ = [
    "broadcast_all",
    "clamp_probs",
    "lazy_property",
    "logits_to_probs",
    "probs_to_logits",
    "tril_matrix_to_vec",
    "vec_to_tril_matrix",
]

T = TypeVar("T")
euler_constant = 0.57721566490153286060


def is_identically_zero(x: Any) -> bool:
    """Whether ``x`` is the Python number 0."""
    return isinstance(x, (int, float)) and x == 0


def broadcast_all(*values: Any) -> tuple[Any, ...]:
    """Tensors of one shape and type, of tensors and numbers.

    Args:
        values: tensors, or numbers, which become tensors of the first tensor's type.

    Raises:
        ValueError: one is neither.
    """
    if not all(isinstance(v, (TensorBase, int, float)) for v in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing __torch_function__."
        )
    tensor = next((v for v in values if isinstance(v, TensorBase)), None)
    options: dict[str, Any] = {"dtype": get_default_dtype()}
    if tensor is not None:
        options = {"dtype": tensor.dtype, "device": tensor.device}  # type: ignore[attr-defined]
    made = [v if isinstance(v, TensorBase) else ops.tensor(v, **options) for v in values]
    return tuple(ops.broadcast_tensors(*made))


def _standard_normal(shape: Any, dtype: Any, device: Any) -> Any:
    return ops.randn(shape, dtype=dtype, device=device)


def _sum_rightmost(value: Any, dim: int) -> Any:
    return value if dim == 0 else value.reshape((*value.shape[: value.dim() - dim], -1)).sum(-1)


def clamp_probs(probs: Any) -> Any:
    """Probabilities, moved away from 0 and 1 by the least number that makes a difference."""
    eps = finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def logits_to_probs(logits: Any, is_binary: bool = False) -> Any:
    """Probabilities of their logarithms (up to a constant), or of log-odds if ``is_binary``."""
    return ops.sigmoid(logits) if is_binary else ops.softmax(logits, dim=-1)


def probs_to_logits(probs: Any, is_binary: bool = False) -> Any:
    """Logarithms of probabilities, or log-odds if ``is_binary``."""
    safe = clamp_probs(probs)
    return ops.log(safe) - ops.log1p(-safe) if is_binary else ops.log(safe)


class lazy_property(Generic[T]):
    """A property that is computed when it is first asked for, with gradients, and then stays."""

    def __init__(self, wrapped: Callable[[Any], T]) -> None:
        self.wrapped = wrapped
        functools.update_wrapper(self, wrapped)  # type: ignore[arg-type]

    @overload
    def __get__(self, instance: None, owner: Any = None) -> lazy_property[T]: ...

    @overload
    def __get__(self, instance: Any, owner: Any = None) -> T: ...

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


def tril_matrix_to_vec(mat: Any, diag: int = 0) -> Any:
    """The elements of matrices on and below a diagonal, row by row.

    Raises:
        ValueError: the matrix has no such diagonal.
    """
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows, columns = ops.tril_indices(n, n, diag).unbind(0)
    return mat[..., rows, columns]


def vec_to_tril_matrix(vec: Any, diag: int = 0) -> Any:
    """The matrices that `tril_matrix_to_vec` makes such vectors of.

    Raises:
        ValueError: no matrix has that many elements there.
    """
    length = vec.shape[-1]
    n = (-(1 + 2 * diag) + ((1 + 2 * diag) ** 2 + 8 * length + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2
    if round(n) - n > finfo(vec.dtype).eps:
        raise ValueError(
            f"The size of last dimension is {length} which cannot be expressed as the lower triangular part of a "
            "square D x D matrix."
        )
    size = round(n)
    rows, columns = ops.tril_indices(size, size, diag).unbind(0)
    zeros = vec.new_zeros((*vec.shape[:-1], size * size))
    places = (rows * size + columns).expand(vec.shape)
    return zeros.scatter(-1, places, vec).reshape(*vec.shape[:-1], size, size)
