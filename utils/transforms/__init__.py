"""Transforms of images, with torchvision's names: for single ones and, vectorised, for batches."""

from __future__ import annotations

from .base import Compose as Compose
from .base import Lambda as Lambda
from .base import RandomApply as RandomApply
from .base import Transform as Transform
from .color import ColorJitter as ColorJitter
from .color import Cutout as Cutout
from .color import GaussianNoise as GaussianNoise
from .color import Grayscale as Grayscale
from .color import Normalize as Normalize
from .color import RandomErasing as RandomErasing
from .color import ToTensor as ToTensor
from .geometry import CenterCrop as CenterCrop
from .geometry import Pad as Pad
from .geometry import RandomAffine as RandomAffine
from .geometry import RandomCrop as RandomCrop
from .geometry import RandomHorizontalFlip as RandomHorizontalFlip
from .geometry import RandomResizedCrop as RandomResizedCrop
from .geometry import RandomRotation as RandomRotation
from .geometry import RandomVerticalFlip as RandomVerticalFlip
from .geometry import Resize as Resize
from .mixing import CutMix as CutMix
from .mixing import MixUp as MixUp
from .mixing import RandAugment as RandAugment
