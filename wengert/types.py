"""Names for kinds of arguments, for annotations."""

from __future__ import annotations

import builtins
import os
from collections.abc import Sequence
from typing import IO, Any, TypeAlias

from .autograd.ops import Size
from .autograd.ops.storage import UntypedStorage as Storage
from .autograd.tensor import Tensor as _Tensor
from .backends import Device as _Device
from .backends import DType as _DType

__all__ = ["Device", "FileLike", "Number", "Storage"]

Number: TypeAlias = builtins.int | builtins.float | builtins.bool
Device: TypeAlias = _Device | str | builtins.int | None
FileLike: TypeAlias = str | os.PathLike[str] | IO[bytes]

_TensorOrTensors: TypeAlias = _Tensor | Sequence[_Tensor]
_size: TypeAlias = Size | list[builtins.int] | tuple[builtins.int, ...]
_device, _int, _float, _bool, _complex = _Device, builtins.int, builtins.float, builtins.bool, builtins.complex
_symint: TypeAlias = builtins.int
_layout: TypeAlias = Any
_dtype: TypeAlias = _DType
