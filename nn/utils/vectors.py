"""All parameters of a model as one vector, and back."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ...autograd.base import TensorBase
from ...autograd.grad_mode import no_grad
from ...autograd.ops import cat
from ...backends.errors import ShapeError

if TYPE_CHECKING:
    from ...autograd.tensor import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Any]) -> Tensor:
    """The elements of all parameters, one after the other.

    Example:
        >>> import wengert as wg
        >>> wg.nn.utils.parameters_to_vector(wg.nn.Linear(3, 2).parameters()).shape
        wengert.Size([8])
    """
    return cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Any]) -> None:
    """Write the elements of a vector into the parameters, which stay where they are in memory.

    Raises:
        TypeError: ``vec`` is no tensor. RuntimeError: it is too short. Nothing is written then.
    """
    if not isinstance(vec, TensorBase):
        raise TypeError(f"expected wengert.Tensor, but got: {type(vec).__name__}")
    parameters = list(parameters)
    needed = sum(math.prod(p.shape) for p in parameters)
    if needed > len(vec):
        raise ShapeError(
            f"vector_to_parameters: the parameters have {needed} elements, the vector of shape {list(vec.shape)} has "
            f"{len(vec)}"
        )
    start = 0
    with no_grad():
        for p in parameters:
            end = start + math.prod(p.shape)
            p.copy_(vec[start:end].reshape(p.shape))
            start = end
