"""Programs of ``examples/`` as programs of PyTorch: the same files, read with ``torch`` for ``wengert``."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
IMPORT = re.compile(rb"^(import|from) (\w+)(?= import|$)", re.MULTILINE)


class TorchLoader(importlib.machinery.SourceFileLoader):
    """Reads a program of wengert as one of PyTorch."""

    def get_data(self, path: str) -> bytes:
        if not path.endswith(".py"):
            raise OSError("bytecode of the file is wengert's")
        # PyTorch has no `viz`; only the demonstration's `main` uses it.
        source = super().get_data(path).replace(b"nn, optim, viz", b"nn, optim").replace(b"wengert", b"torch")
        return IMPORT.sub(of_torch, source)

    def set_data(self, path: str, data: bytes, *, _mode: int = 0o666) -> None:
        """Keep no bytecode, which would be taken for the file's own."""


def of_torch(found: re.Match[bytes]) -> bytes:
    """An import of a program's neighbour, so that it gets the one that is read with ``torch``; others as they are."""
    verb, name = found.groups()
    place = EXAMPLES / name.decode()
    if not place.is_dir() and not place.with_suffix(".py").is_file():
        return found[0]
    return b"from torch_" + name if verb == b"from" else b"import torch_" + name + b" as " + name


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
