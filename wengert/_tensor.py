"""PyTorch's path to its class of tensors."""

from __future__ import annotations

from .autograd.tensor import Tensor as Tensor
