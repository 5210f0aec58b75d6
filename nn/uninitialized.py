"""Parameters and buffers whose shape is not known yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..autograd import ops
from ..autograd.base import TensorBase
from ..autograd.tensor import Tensor
from ..backends import Device, DType, kernels_of
from ..backends.dtypes import FROM_NUMPY
from ..backends.errors import ArgumentError, GraphError, InvalidValueError
from .parameter import Buffer, Parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["UninitializedBuffer", "UninitializedParameter", "is_lazy"]


_DATA: Any = TensorBase.__dict__["_data"]  # the slot; whoever reads it by its name wants values


def _refusal(name: str) -> InvalidValueError:
    return InvalidValueError(
        f"Attempted to use an uninitialized parameter in {name}. This error happens when you are using a "
        "`LazyModule` or explicitly manipulating `nn.parameter.UninitializedParameter` objects. When using "
        "LazyModules Call `forward` with a dummy batch to initialize the parameters before calling functions"
    )


class Uninitialized:
    """What a parameter and a buffer without a shape share."""

    __slots__ = ()
    cls_to_become: ClassVar[type[Tensor]]

    @property
    def _data(self) -> Any:
        raise _refusal("an operation")

    @_data.setter
    def _data(self, array: Any) -> None:
        _DATA.__set__(self, array)

    @property
    def dtype(self) -> DType:
        """The element type that it will have."""
        return FROM_NUMPY[_DATA.__get__(self).dtype]

    @property
    def device(self) -> Device:
        """Where it will be."""
        array = _DATA.__get__(self)
        return kernels_of[type(array)].backend.device_of(array)

    @property
    def layout(self) -> Any:
        """Dense: a parameter of another layout has values."""
        return ops.strided

    @property
    def data(self) -> Any:
        """Itself: there are no values to share."""
        return self

    @data.setter
    def data(self: Any, value: Any) -> None:
        _DATA.__set__(self, ops.empty(0, dtype=value.dtype, device=value.device)._data)
        if not is_lazy(value):
            self.materialize(value.shape)
            self.data = value

    def materialize(self: Any, shape: int | Sequence[int], device: Any = None, dtype: Any = None) -> None:
        """Become an ordinary tensor of arbitrary values; the object stays the same.

        Args:
            shape: its shape from now on.
            device: where it is; where it was when left out.
            dtype: its dtype; what it was when left out.
        """
        place = self.device if device is None else device
        self._data = ops.empty(shape, device=place, dtype=self.dtype if dtype is None else dtype)._data
        self.__class__ = self.cls_to_become

    @property
    def shape(self) -> Any:
        """An error: there is none yet."""
        raise ArgumentError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
            "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` "
            "to initialize the parameters before accessing their attributes."
        )

    def numel(self, *args: Any) -> Any:
        """An error: there are no elements yet, and 0 would be a wrong count."""
        raise InvalidValueError(
            "Attempted to use an uninitialized parameter. Call `forward` of its module with a dummy batch to "
            "initialize the parameters first"
        )

    nelement = size = dim = numel

    def requires_grad_(self: Any, requires_grad: bool = True) -> Any:
        """Ask for gradients, or stop asking."""
        if requires_grad and not (self.dtype.is_floating_point or self.dtype.is_complex):
            raise GraphError("only Tensors of floating point and complex dtype can require gradients")
        self._rg = requires_grad
        return self

    def detach(self) -> Any:
        """Itself: there are no values to share."""
        return self

    def to(self: Any, *args: Any, **kwargs: Any) -> Any:
        """Another one, with another dtype or on another device; this one if nothing changes."""
        moved = ops.empty(0, device=self.device, dtype=self.dtype).to(*args, **kwargs)
        if (moved.device, moved.dtype) == (self.device, self.dtype):
            return self
        return type(self)(self._rg, moved.device, moved.dtype)

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self._rg, self.device, self.dtype)
        return memo[id(self)]

    def __reduce_ex__(self: Any, protocol: Any) -> tuple[Any, ...]:
        return type(self), (self._rg, str(self.device), self.dtype)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


# What may be asked of a tensor without a shape; everything else would compute with no elements.
ALLOWED = {
    "bfloat16", "char", "cpu", "cuda", "copy_", "double", "float", "get_device", "half", "int", "is_complex",
    "is_floating_point", "is_inference", "long", "register_hook", "requires_grad_", "short", "share_memory_", "type",
}  # fmt: skip
_ARITHMETIC = ("add", "sub", "mul", "truediv", "pow", "matmul")
OPERATORS = {before + name for name in _ARITHMETIC for before in ("", "r", "i")}
OPERATORS |= {"neg", "abs", "getitem", "setitem", "len", "iter", "bool", "float", "int"}


def _refused(name: str) -> Any:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise _refusal(name)

    return method


for _name in (*dir(Tensor), *(f"__{operator}__" for operator in OPERATORS)):
    _public = not _name.startswith("_") or _name[2:-2] in OPERATORS
    if _public and _name not in ALLOWED and _name not in vars(Uninitialized) and callable(getattr(Tensor, _name, None)):
        setattr(Uninitialized, _name, _refused(_name))


class UninitializedParameter(Uninitialized, Parameter):
    """A `Parameter` whose shape is not known yet.

    Args:
        requires_grad: whether gradients are wanted.
        device: where it will be.
        dtype: what it will have.

    Example:
        >>> import wengert as wg
        >>> p = wg.nn.UninitializedParameter()
        >>> p.materialize((2, 3))
        >>> p.shape
        wengert.Size([2, 3])
    """

    __slots__ = ()
    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        self = Parameter(ops.empty(0, device=device, dtype=dtype), requires_grad)
        self.__class__ = cls
        return self

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> None:
        """`__new__` has made it."""


class UninitializedBuffer(Uninitialized, Buffer):
    """A `Buffer` whose shape is not known yet.

    Args:
        requires_grad: whether gradients are wanted.
        device: where it will be.
        dtype: what it will have.
        persistent: whether it is part of the module's ``state_dict``.
    """

    __slots__ = ()
    cls_to_become = Tensor

    def __new__(
        cls, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True
    ) -> Any:
        data = ops.empty(0, device=device, dtype=dtype).requires_grad_(requires_grad)
        self = Buffer(data, persistent=persistent)
        self.__class__ = cls
        return self

    def __init__(
        self, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True
    ) -> None:
        """`__new__` has made it."""


def is_lazy(param: Any) -> bool:
    """Whether ``param`` has no shape yet."""
    return isinstance(param, Uninitialized)
