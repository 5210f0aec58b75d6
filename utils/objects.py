"""Files of whole objects, such as modules: pickles, of which only data is read unless the caller trusts the file.

A pickle names functions that are called when it is read, so a file of this kind can run any code. What holds nothing
but data is written by ``serialization`` in another form, which cannot.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any

from ..autograd.ops import exchange
from ..autograd.ops.size import Size
from ..autograd.tensor import Tensor
from ..backends import Device, DType
from ..nn.parameter import Buffer, Parameter, rebuilt
from .safetensors import FileFormatError, Target, complete

__all__ = ["MAGIC", "SAFE", "UntrustedFileError", "read", "write"]

MAGIC = b"wengert object\n"


class UntrustedFileError(FileFormatError, pickle.UnpicklingError):
    """A file that may run code, read by someone who did not say that it may."""


def write(target: Target, obj: Any, protocol: int) -> None:
    """Write an object, which appears under its name when the file is complete.

    Raises:
        Exception: what pickle raises for an object that it cannot take, such as a lambda. Nothing is written then.
    """
    content = pickle.dumps(obj, max(protocol, 4))  # before 4 some names are those of Python 2
    with complete(target) as file:
        file.write(MAGIC + content)


def read(content: bytes, where: Any, weights_only: bool, move: Callable[[Any], Any] | None) -> Any:
    """The object of a file of this kind.

    Args:
        content: the file's bytes.
        where: what to call the file in errors.
        weights_only: make only tensors, plain containers, and what `SAFE` names.
        move: puts each tensor where it shall be.

    Raises:
        UntrustedFileError: ``weights_only`` is True, and the file asks for more.
        FileFormatError: the file is damaged, or needs a class or function that is not there.
    """
    kind = DataUnpickler if weights_only else Unpickler
    try:
        return kind(io.BytesIO(content[len(MAGIC) :]), move).load()
    except UntrustedFileError as error:
        raise UntrustedFileError(f"{error}, which {where} asks for.") from None
    except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError) as error:
        raise FileFormatError(
            f"cannot load {where}: {error}; it is damaged, or its classes are not where they were when it was written"
        ) from error


class Unpickler(pickle.Unpickler):
    """An unpickler that moves tensors as they come."""

    def __init__(self, file: io.BytesIO, move: Callable[[Any], Any] | None) -> None:
        super().__init__(file)
        self.move = move

    def find_class(self, module: str, name: str) -> Any:
        """The class or function of that name; what makes tensors also moves them."""
        found = super().find_class(module, name)
        if self.move is not None and found in (exchange.rebuild, exchange.rebuild_sparse):
            return lambda *args: self.move(found(*args))
        return found


class DataUnpickler(Unpickler):
    """An unpickler that makes tensors and plain containers, and what the program has said to be safe."""

    def find_class(self, module: str, name: str) -> Any:
        """The class or function of that name.

        Raises:
            UntrustedFileError: it is not known to be safe.
        """
        full = f"{module}.{name}"
        for entry in SAFE:
            safe, known_as = entry if isinstance(entry, tuple) else (entry, f"{entry.__module__}.{entry.__qualname__}")
            if full == known_as:
                return safe
        if full in DATA or module.startswith(ARRAYS):
            return super().find_class(module, name)
        raise UntrustedFileError(
            f"Weights only load failed. Reading a whole object may run code from the file, so this is done only with "
            f"load(f, weights_only=False), for a file that you trust; a module's state_dict() needs no trust. "
            f"Unsupported global: GLOBAL {full} was not an allowed global by default. Please use "
            f"`torch.serialization.add_safe_globals([{name}])` or the `torch.serialization.safe_globals([{name}])` "
            f"context manager to allowlist {full}"
        )


SAFE: list[Any] = []  # what the program trusts: classes and functions, or pairs of one and the name it has in files
# What data is made of: each of these arranges what it is given, and does nothing else.
DATA = {
    *(f"builtins.{name}" for name in ("bytearray", "complex", "frozenset", "range", "set", "slice")),
    *(
        "wengert.backends.dtypes._by_name",
        "_codecs.encode",
        "collections.Counter",
        "collections.OrderedDict",
        "collections.defaultdict",
    ),
    *(f"{kind.__module__}.{kind.__qualname__}" for kind in (Tensor, Device, DType, Size, Parameter, Buffer)),
    *(f"{f.__module__}.{f.__qualname__}" for f in (exchange.rebuild, exchange.rebuild_sparse, rebuilt)),
    *(f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
    *("numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer", "numpy.ndarray", "numpy.dtype"),
}
ARRAYS = ("numpy.dtypes", "ml_dtypes")
