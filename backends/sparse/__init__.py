"""Sparse arrays: a pattern, which says where the stored elements are, and a dense array of their values.

The arrays of a pattern and the values belong to any backend; nothing here asks which.
"""

from __future__ import annotations

from .array import SparseArray as SparseArray
from .compressed import Compressed as Compressed
from .coordinates import Coordinates as Coordinates
from .coordinates import Pattern as Pattern
