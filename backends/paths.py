"""Modules at the paths where PyTorch has them, for names that live elsewhere in this package.

A program that says ``from torch.nn.modules.batchnorm import _BatchNorm`` means a class of ours which is not in a file
of that name. Such a path is a line in a table, and not a file.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

__all__ = ["add_path"]


def add_path(path: str, members: Mapping[str, Any]) -> ModuleType:
    """Make ``path`` a module that holds ``members``, and can be imported.

    Args:
        path: the full name; the package that it is in must exist.
        members: what it holds, by name.

    Returns:
        The module, which the package should bind to its name.

    Example:
        >>> from wengert.backends.paths import add_path
        >>> _ = add_path("wengert.numbers", {"one": 1})
        >>> from wengert.numbers import one
        >>> one
        1
    """
    module = ModuleType(path, "Names that live elsewhere, where PyTorch's programs look for them.")
    vars(module).update(members)
    vars(module)["__all__"] = [name for name in members if not name.startswith("_")]
    sys.modules[path] = module
    return module
