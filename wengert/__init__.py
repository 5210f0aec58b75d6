"""wengert: reverse-mode automatic differentiation with PyTorch's names, on NumPy and CuPy."""

from __future__ import annotations

import os as _os

# In a checkout the sub-packages are folders beside this one; installed, they are inside it. Python started in the
# checkout's root finds this folder before any installed copy, so the package looks for its parts there too.
if not _os.path.isdir(_os.path.join(_os.path.dirname(__file__), "autograd")):
    __path__.append(_os.path.dirname(_os.path.dirname(_os.path.abspath(__file__))))

__version__ = "0.1.0"
