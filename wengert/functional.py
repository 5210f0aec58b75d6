"""Functions that PyTorch also has at ``torch.functional``."""

from __future__ import annotations

from .autograd.ops import atleast_1d as atleast_1d
from .autograd.ops import atleast_2d as atleast_2d
from .autograd.ops import atleast_3d as atleast_3d
from .autograd.ops import block_diag as block_diag
from .autograd.ops import broadcast_shapes as broadcast_shapes
from .autograd.ops import broadcast_tensors as broadcast_tensors
from .autograd.ops import cartesian_prod as cartesian_prod
from .autograd.ops import cdist as cdist
from .autograd.ops import chain_matmul as chain_matmul
from .autograd.ops import einsum as einsum
from .autograd.ops import meshgrid as meshgrid
from .autograd.ops import norm as norm
from .autograd.ops import split as split
from .autograd.ops import tensordot as tensordot
from .autograd.ops import unique as unique
from .autograd.ops import unique_consecutive as unique_consecutive
