"""Files of whole objects, such as modules: pickles, which are read only where the caller trusts the file.

A pickle names functions that are called when it is read, so a file of this kind can run any code. What holds nothing
but data is written by ``serialization`` in another form, which cannot.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any

from ..autograd.ops import exchange
from .safetensors import FileFormatError, Target, complete

__all__ = ["MAGIC", "UntrustedFileError", "read", "write"]

MAGIC = b"wengert object\n"


class UntrustedFileError(FileFormatError, pickle.UnpicklingError):
    """A file that may run code, read by someone who did not say that it may."""


def write(target: Target, obj: Any, protocol: int) -> None:
    """Write an object, which appears under its name when the file is complete.

    Raises:
        Exception: what pickle raises for an object that it cannot take, such as a lambda. Nothing is written then.
    """
    content = pickle.dumps(obj, max(protocol, 2))
    with complete(target) as file:
        file.write(MAGIC + content)


def read(content: bytes, where: Any, weights_only: bool, move: Callable[[Any], Any] | None) -> Any:
    """The object of a file of this kind.

    Args:
        content: the file's bytes.
        where: what to call the file in errors.
        weights_only: refuse to run code of the file.
        move: puts each tensor where it shall be.

    Raises:
        UntrustedFileError: ``weights_only`` is True.
        FileFormatError: the file is damaged, or needs a class or function that is not there.
    """
    if weights_only:
        raise UntrustedFileError(
            f"Weights only load failed. {where} holds a whole object, not only tensors and numbers, and reading it "
            "runs code from the file. Do so only if you trust it: load(f, weights_only=False). Better save a module's "
            "state_dict(), which needs no trust."
        )
    try:
        return Unpickler(io.BytesIO(content[len(MAGIC) :]), move).load()
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
