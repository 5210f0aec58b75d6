"""Invertible functions of random values, and how much they stretch."""

from __future__ import annotations

from .transform_base import ComposeTransform as ComposeTransform
from .transform_base import IndependentTransform as IndependentTransform
from .transform_base import ReshapeTransform as ReshapeTransform
from .transform_base import Transform as Transform
from .transform_base import identity_transform as identity_transform
from .transforms_elementwise import AbsTransform as AbsTransform
from .transforms_elementwise import AffineTransform as AffineTransform
from .transforms_elementwise import CumulativeDistributionTransform as CumulativeDistributionTransform
from .transforms_elementwise import ExpTransform as ExpTransform
from .transforms_elementwise import PowerTransform as PowerTransform
from .transforms_elementwise import SigmoidTransform as SigmoidTransform
from .transforms_elementwise import SoftplusTransform as SoftplusTransform
from .transforms_elementwise import TanhTransform as TanhTransform
from .transforms_structured import CatTransform as CatTransform
from .transforms_structured import CorrCholeskyTransform as CorrCholeskyTransform
from .transforms_structured import LowerCholeskyTransform as LowerCholeskyTransform
from .transforms_structured import PositiveDefiniteTransform as PositiveDefiniteTransform
from .transforms_structured import SoftmaxTransform as SoftmaxTransform
from .transforms_structured import StackTransform as StackTransform
from .transforms_structured import StickBreakingTransform as StickBreakingTransform

__all__ = [
    "AbsTransform",
    "AffineTransform",
    "CatTransform",
    "ComposeTransform",
    "CorrCholeskyTransform",
    "CumulativeDistributionTransform",
    "ExpTransform",
    "IndependentTransform",
    "LowerCholeskyTransform",
    "PositiveDefiniteTransform",
    "PowerTransform",
    "ReshapeTransform",
    "SigmoidTransform",
    "SoftmaxTransform",
    "SoftplusTransform",
    "StackTransform",
    "StickBreakingTransform",
    "TanhTransform",
    "Transform",
    "identity_transform",
]
