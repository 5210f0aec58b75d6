"""The old names of types of sparse tensors: ``sparse.FloatTensor(indices, values, size)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..base import TensorBase
from ..ops.conversion import LEGACY_NAMES
from .core import is_sparse, pattern_of
from .creation import sparse_coo_tensor

if TYPE_CHECKING:
    from ...backends import DType
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


class SparseTypedTensor:
    """A constructor of sparse tensors of one element type; ``isinstance`` knows it too.

    Example:
        >>> import wengert as wg
        >>> s = wg.sparse.FloatTensor(wg.tensor([[0, 1]]), wg.tensor([1.0, 2.0]), wg.Size([2]))
        >>> isinstance(s, wg.sparse.FloatTensor)
        True
    """

    __slots__ = ("__name__", "dtype")

    def __init__(self, name: str, dtype: DType) -> None:
        self.__name__, self.dtype = name, dtype

    def __call__(self, *args: Any) -> Tensor:
        if not args or all(isinstance(n, int) for n in args):
            return sparse_coo_tensor(args or (0,), dtype=self.dtype)
        return sparse_coo_tensor(*args, dtype=self.dtype)

    def __instancecheck__(self, instance: Any) -> bool:
        return (
            isinstance(instance, TensorBase)
            and is_sparse(instance)
            and pattern_of(instance).layout == "sparse_coo"
            and instance.dtype is self.dtype  # type: ignore[attr-defined]
        )

    def __repr__(self) -> str:
        return f"<class 'wengert.sparse.{self.__name__}'>"


_all = {name: SparseTypedTensor(name, dtype) for name, dtype in LEGACY_NAMES.items()}
BFloat16Tensor = _all["BFloat16Tensor"]
ByteTensor = _all["ByteTensor"]
CharTensor = _all["CharTensor"]
DoubleTensor = _all["DoubleTensor"]
FloatTensor = _all["FloatTensor"]
HalfTensor = _all["HalfTensor"]
IntTensor = _all["IntTensor"]
LongTensor = _all["LongTensor"]
ShortTensor = _all["ShortTensor"]
