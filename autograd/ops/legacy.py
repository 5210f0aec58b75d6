"""PyTorch's older constructors and names: ``FloatTensor``, ``LongTensor``, ``set_default_tensor_type``, ``x.new``."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Union

from ...backends import DType, set_default_device
from ...backends.sparse import SparseArray
from ..base import TensorBase
from ..promotion import set_default_dtype
from .conversion import LEGACY_NAMES
from .data import legacy_tensor

if TYPE_CHECKING:
    from ..tensor import Tensor


class TypedTensor:
    """A constructor of tensors of one type, such as ``wengert.FloatTensor``; ``isinstance`` knows it too.

    Example:
        >>> import wengert as wg
        >>> wg.LongTensor([1, 2])
        tensor([1, 2])
        >>> isinstance(wg.ones(2), wg.FloatTensor)
        True
    """

    __slots__ = ("__name__", "device", "dtype")

    def __init__(self, name: str, dtype: DType, device: str = "cpu") -> None:
        self.__name__, self.dtype, self.device = name, dtype, device

    def __call__(self, *data: Any) -> Tensor:
        return legacy_tensor(*data, dtype=self.dtype, device=self.device)

    def __instancecheck__(self, instance: Any) -> bool:
        return (
            isinstance(instance, TensorBase)
            and instance.dtype is self.dtype  # type: ignore[attr-defined]
            and instance.device.type == self.device  # type: ignore[attr-defined]
        )

    def __or__(self, other: Any) -> Any:
        """An annotation, ``FloatTensor | None``."""
        return Union[self, other]  # noqa: UP007

    def __ror__(self, other: Any) -> Any:
        return Union[other, self]  # noqa: UP007

    def __str__(self) -> str:
        return f"wengert.{self.__name__}" if self.device == "cpu" else f"wengert.{self.device}.{self.__name__}"

    def __repr__(self) -> str:
        return f"<class '{self}'>"


def typed_tensors(device: str) -> dict[str, TypedTensor]:
    """The constructors of all types on a device, by name."""
    return {name: TypedTensor(name, dtype, device) for name, dtype in LEGACY_NAMES.items()}


_cpu = typed_tensors("cpu")
BFloat16Tensor = _cpu["BFloat16Tensor"]
BoolTensor = _cpu["BoolTensor"]
ByteTensor = _cpu["ByteTensor"]
CharTensor = _cpu["CharTensor"]
DoubleTensor = _cpu["DoubleTensor"]
FloatTensor = _cpu["FloatTensor"]
HalfTensor = _cpu["HalfTensor"]
IntTensor = _cpu["IntTensor"]
LongTensor = _cpu["LongTensor"]
ShortTensor = _cpu["ShortTensor"]


class _VariableType(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, TensorBase)


class _Engine:
    """What PyTorch calls its engine: here only the callbacks at the end of a backward pass."""

    @staticmethod
    def queue_callback(callback: Callable[[], Any]) -> None:
        """Call a function when the backward pass that is running has finished.

        Raises:
            RuntimeError: none is running.
        """
        from ..edges import queue_callback

        queue_callback(callback)


class Variable(metaclass=_VariableType):
    """A tensor that may require grad: PyTorch's name for what every tensor is now.

    Args:
        data: a Tensor, whose memory is shared.
        requires_grad: whether gradients are wanted.
    """

    _execution_engine = _Engine()

    def __new__(cls, data: Any, requires_grad: bool = False, volatile: Any = None) -> Any:
        if volatile is not None:
            warnings.warn(
                "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.", stacklevel=2
            )
        t = data.detach()
        return t.requires_grad_() if requires_grad else t


def set_default_tensor_type(t: Any) -> None:
    """Set the default dtype and device by the name of a tensor type; `set_default_dtype` is the newer way.

    Args:
        t: ``"wengert.DoubleTensor"`` or ``wengert.DoubleTensor``.

    Raises:
        TypeError: there is no such type, or it is not floating.
    """
    text = str(t)
    name = text.rpartition(".")[2]
    if name not in LEGACY_NAMES:
        raise TypeError(f"invalid type name {text!r}; the types are {', '.join(LEGACY_NAMES)}")
    set_default_dtype(LEGACY_NAMES[name])
    set_default_device("cuda" if ".cuda." in text else "cpu")


def new(input: Tensor, *data: Any, device: Any = None, size: Any = None) -> Tensor:
    """``Tensor(...)`` with the dtype and on the device of ``input``."""
    if size is not None:
        data = tuple(size)
    if isinstance(input._data, SparseArray):
        from ..sparse.creation import sparse_coo_tensor

        where = input.device if device is None else device
        if not data or all(isinstance(n, int) for n in data):
            data = (data or (0,),)
        elif len(data) == 1 and not isinstance(data[0], tuple):
            raise TypeError(f"new(): a sparse tensor needs indices and values, or sizes, not {type(data[0]).__name__}")
        return sparse_coo_tensor(*data, dtype=input.dtype, device=where)
    return legacy_tensor(*data, dtype=input.dtype, device=input.device if device is None else device)
