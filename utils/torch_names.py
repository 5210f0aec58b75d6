"""What things are called in PyTorch's files, in both directions: memory, types, and the classes and functions here.

A pickle names a class by its module. A file that shall be read on both sides names this package's classes by the place
that PyTorch has for them: ``wengert.nn.linear.Linear`` is ``torch.nn.modules.linear.Linear`` in a file.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Iterator
from typing import Any

from ..backends.dtypes import FLOAT8, WIDE_UNSIGNED

__all__ = ["DTYPES", "OURS", "STORAGES", "TYPED", "found_here", "name_in_files"]

OURS, THEIRS = __name__.partition(".")[0], "torch"

STORAGES = {  # a class of PyTorch's for each type of number that has one
    **{"FloatStorage": "float32", "DoubleStorage": "float64", "HalfStorage": "float16"},
    **{"BFloat16Storage": "bfloat16", "BoolStorage": "bool", "ByteStorage": "uint8", "CharStorage": "int8"},
    **{"ShortStorage": "int16", "IntStorage": "int32", "LongStorage": "int64"},
    **{"ComplexFloatStorage": "complex64", "ComplexDoubleStorage": "complex128", "UntypedStorage": "uint8"},
}
TYPED = {dtype: name for name, dtype in STORAGES.items() if name != "UntypedStorage"}
DTYPES = {*TYPED, *(kind.name for kind in WIDE_UNSIGNED + FLOAT8)}

# Modules of PyTorch's whose names are looked at first; of the layers' own modules see `_layers`.
PLACES = (
    *("nn.parameter", "nn.utils.rnn", "nn.functional", "nn.init", "nn", "optim"),
    *("optim.lr_scheduler", "optim.swa_utils", "distributions", "utils.data", "special", "linalg", "fft", ""),
)
# Layers that are in one file here and in several of PyTorch's: what their names have in them, and the file there.
SPLIT = {
    **{"InstanceNorm": "instancenorm", "BatchNorm": "batchnorm", "Conv": "conv", "Linear": "linear"},
    **{"ChannelShuffle": "channelshuffle", "Flatten": "flatten", "Unflatten": "flatten", "Unfold": "fold"},
    **{"Fold": "fold", "Pixel": "pixelshuffle", "Upsampl": "upsampling"},
}


def name_in_files(value: Any) -> tuple[str, str] | None:
    """The module and name that a class or function of this package has in a file; None if PyTorch has none for it."""
    module = getattr(value, "__module__", None)
    if not isinstance(module, str) or module.partition(".")[0] != OURS:
        return None
    try:
        return _public().get(inspect.unwrap(value))
    except TypeError:  # it cannot be a key
        return None


@functools.cache
def _public() -> dict[Any, tuple[str, str]]:
    """All that has a public name, with that name; of several the first.

    A function may have another one before it, which asks subclasses of tensors: both have the same name.
    """
    names: dict[Any, tuple[str, str]] = {}
    for path, name, value in (*_layers(), *_in_places()):
        if isinstance(value, type) or callable(value):
            names.setdefault(inspect.unwrap(value), (f"{THEIRS}.{path}".rstrip("."), name))
    return names


def _layers() -> Iterator[tuple[str, str, Any]]:
    """The layers, by the module of PyTorch's that defines each."""
    prefix = f"{OURS}.nn.modules."
    for module in sorted(name for name in sys.modules if name.startswith(prefix)):
        path = module.removeprefix(prefix)
        for name, value in list(vars(sys.modules[module]).items()):
            if name.startswith("_") or getattr(value, "__name__", "") != name:
                continue
            part = next((part for part in SPLIT if part in name), None)
            if part is None or SPLIT[part] == path:
                yield f"nn.modules.{path}", name, value


def _in_places() -> Iterator[tuple[str, str, Any]]:
    for path in PLACES:
        module = importlib.import_module(f"{OURS}.{path}".rstrip("."))
        for name in getattr(module, "__all__", None) or dir(module):
            value = getattr(module, name, None)
            own = str(getattr(value, "__module__", "")).partition(".")[0] == OURS
            if own and not name.startswith("_") and getattr(type(value), "__hash__", None) is not None:
                yield path, name, value


def found_here(module: str, name: str) -> Any:
    """The class or function of this package that ``torch.….name`` means.

    Raises:
        AttributeError: there is none.
    """
    parts = module.split(".")[1:]
    while True:  # the file in which PyTorch has it may be another than here: then it is looked for where it is public
        try:
            place: Any = importlib.import_module(".".join([OURS, *parts]))
            return functools.reduce(getattr, name.split("."), place)
        except (ImportError, AttributeError):
            if not parts:
                raise AttributeError(f"{module}.{name} has no counterpart in {OURS}") from None
        parts.pop()
