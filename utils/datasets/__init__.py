"""Data sets: tables that come with scikit-learn, shapes made of numbers, and readers of well-known files.

Nothing is fetched from a network unless ``download=True`` is said.
"""

from __future__ import annotations

from .folder import DatasetFolder as DatasetFolder
from .folder import ImageFolder as ImageFolder
from .images import CIFAR10 as CIFAR10
from .images import CIFAR100 as CIFAR100
from .images import MNIST as MNIST
from .images import FashionMNIST as FashionMNIST
from .shapes import circles as circles
from .shapes import moons as moons
from .shapes import spirals as spirals
from .shapes import xor as xor
from .tables import Table as Table
from .tables import breast_cancer as breast_cancer
from .tables import california_housing as california_housing
from .tables import diabetes as diabetes
from .tables import digits as digits
from .tables import friedman as friedman
from .tables import iris as iris
from .tables import wine as wine
from .text import Characters as Characters
