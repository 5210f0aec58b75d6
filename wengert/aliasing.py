"""Importing the package under another name.

A program that says ``import torch.nn.functional as F`` runs on this package after ``sys.modules["torch"] = wengert``.
Without the finder below Python would look for ``torch.nn`` in this package's folders, and load all of it a second
time, with a second ``Tensor`` that the first does not know.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["install"]


class SamePackage(MetaPathFinder, Loader):
    """Finds ``other.nn`` where ``sys.modules["other"]`` is the package: it is the package's own ``nn``.

    It also finds what is below a module that is a file, such as ``cuda.amp``: a module that is its attribute.

    Args:
        package: the module that other names may stand for.
    """

    def __init__(self, package: ModuleType) -> None:
        self.package = package

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        root, _, rest = fullname.partition(".")
        if not rest or sys.modules.get(root) is not self.package:
            return None
        if root != self.package.__name__ or (path is not None and not len(path)):
            if self._find(fullname) is not None:
                return ModuleSpec(fullname, self)
            # Nothing of the package may be loaded under the other name, so the search ends here.
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None

    def _find(self, fullname: str) -> ModuleType | None:
        """The package's module that ``fullname`` means, or None."""
        name = self.package.__name__ + fullname[fullname.index(".") :]
        if name != fullname:
            try:
                return importlib.import_module(name)
            except ModuleNotFoundError as error:
                if error.name is None or not name.startswith(error.name):
                    raise  # it is there, and imports something that is not
                return None
        parent, _, child = name.rpartition(".")
        found = getattr(sys.modules[parent], child, None)
        return found if isinstance(found, ModuleType) else None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module = self._find(spec.name)
        self._alias, self._own = spec.name, getattr(module, "__spec__", None)
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._own  # it has run already, and keeps its name
        # Its modules too, since an import would bind each to its name, which may be a function's: ``weight_norm``.
        alias, own = self._alias, module.__name__ + "."
        for name in [name for name in sys.modules if name.startswith(own)]:
            sys.modules.setdefault(f"{alias}.{name[len(own) :]}", sys.modules[name])


def install(package: ModuleType) -> None:
    """Let ``package`` be imported under every name that stands for it in ``sys.modules``."""
    sys.meta_path.insert(0, SamePackage(package))
