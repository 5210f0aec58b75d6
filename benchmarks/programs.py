"""Programs of ``examples/`` as programs of PyTorch: the same files, read with ``torch`` for ``wengert``."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


class TorchLoader(importlib.machinery.SourceFileLoader):
    """Reads a program of wengert as one of PyTorch."""

    def get_data(self, path: str) -> bytes:
        if not path.endswith(".py"):
            raise OSError("bytecode of the file is wengert's")
        # PyTorch has no `viz`; only `main` of a program uses it.
        return super().get_data(path).replace(b"nn, optim, viz", b"nn, optim").replace(b"wengert", b"torch")

    def set_data(self, path: str, data: bytes, *, _mode: int = 0o666) -> None:
        """Keep no bytecode, which would be taken for the file's own."""


class TorchFinder(importlib.machinery.PathFinder):
    """Finds ``torch_models`` in the folder of ``models``, and ``torch_digits`` in ``digits.py``."""

    @classmethod
    def find_spec(cls, fullname: str, path: Any = None, target: Any = None) -> Any:
        package, _, rest = fullname.partition(".")
        if not package.startswith("torch_"):
            return None
        place = EXAMPLES / package.removeprefix("torch_")
        file = place / (f"{rest}.py" if rest else "__init__.py") if place.is_dir() else place.with_suffix(".py")
        if not file.is_file():
            return None
        places = [str(place)] if place.is_dir() and not rest else None
        return importlib.util.spec_from_file_location(
            fullname, file, loader=TorchLoader(fullname, str(file)), submodule_search_locations=places
        )


def example(lib: Any, name: str) -> ModuleType:
    """A module of ``examples/``, such as ``models``, for wengert or for PyTorch."""
    if lib.__name__ != "torch":
        if str(EXAMPLES) not in sys.path:
            sys.path.append(str(EXAMPLES))
        return importlib.import_module(name)
    if TorchFinder not in sys.meta_path:
        sys.meta_path.insert(0, TorchFinder)
    return importlib.import_module(f"torch_{name}")
