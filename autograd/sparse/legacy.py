"""The old names of constructors by type: ``sparse.FloatTensor(indices, values, size)``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...backends import dtypes
from .creation import sparse_coo_tensor

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "BFloat16Tensor",
    "ByteTensor",
    "CharTensor",
    "DoubleTensor",
    "FloatTensor",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "ShortTensor",
]


def _constructor(name: str, dtype: Any) -> Callable[..., Tensor]:
    def make(*args: Any) -> Tensor:
        if args and all(isinstance(n, int) for n in args):
            return sparse_coo_tensor(args, dtype=dtype)
        return sparse_coo_tensor(*args, dtype=dtype) if args else sparse_coo_tensor((0,), dtype=dtype)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"`sparse_coo_tensor` of {dtype.name}: of indices, values and sizes, or of sizes."
    return make


FloatTensor = _constructor("FloatTensor", dtypes.float32)
DoubleTensor = _constructor("DoubleTensor", dtypes.float64)
HalfTensor = _constructor("HalfTensor", dtypes.float16)
BFloat16Tensor = _constructor("BFloat16Tensor", dtypes.bfloat16)
ByteTensor = _constructor("ByteTensor", dtypes.uint8)
CharTensor = _constructor("CharTensor", dtypes.int8)
ShortTensor = _constructor("ShortTensor", dtypes.int16)
IntTensor = _constructor("IntTensor", dtypes.int32)
LongTensor = _constructor("LongTensor", dtypes.int64)
