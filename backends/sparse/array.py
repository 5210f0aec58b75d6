"""``SparseArray``: what a sparse tensor carries in place of an array, and the kernels of its kind: none.

Whatever treats it as an array that stores every element raises `SparseOperandError`. Ops that have a meaning for sparse
operands are found then, on the path that would otherwise fail, so that dense operands pay nothing for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import ArgumentError, SparseOperandError
from ..registry import Backend, kernels_of

if TYPE_CHECKING:
    from .coordinates import Pattern

__all__ = ["SparseArray", "bind_operators"]


class SparseConversionError(SparseOperandError, TypeError):
    """A sparse array on its way to a library that has only dense ones."""


class _Strides(tuple[Any, ...]):
    """Equal to themselves and to no strides of a dense array; who reads them wants a dense array."""

    __slots__ = ()

    def __iter__(self) -> Any:
        refuse("strides")


class _Flags:
    c_contiguous = f_contiguous = True
    owndata = writeable = True


class SparseArray:
    """Values at the places of a pattern, zero elsewhere.

    Attributes:
        pattern: where the values are.
        values: what is there, in the order of the pattern; see `Pattern` for its shape.
    """

    __slots__ = ("pattern", "values")
    base = None
    flags = _Flags()
    strides = _Strides(("sparse",))
    __array_priority__ = 2000

    def __init__(self, pattern: Pattern, values: Any) -> None:
        self.pattern, self.values = pattern, values

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes, with the elements that are not stored."""
        return self.pattern.shape

    @property
    def ndim(self) -> int:
        """The number of dimensions, sparse and dense ones together."""
        return len(self.pattern.shape)

    @property
    def size(self) -> int:
        """The number of elements, stored or not."""
        return self.pattern.size

    @property
    def dtype(self) -> Any:
        """The values' type."""
        return self.values.dtype

    @property
    def itemsize(self) -> int:
        """Bytes of one value."""
        return self.values.itemsize

    @property
    def nbytes(self) -> int:
        """Not one number: refused."""
        raise ArgumentError(
            "nbytes is not defined for sparse tensors.  If you want the size of the constituent tensors, "
            "add the nbytes of the indices and values.  If you want the size of the  equivalent dense tensor, "
            "multiply numel() by element_size()"
        )

    def __len__(self) -> int:
        return self.pattern.shape[0]

    def item(self) -> Any:
        """The only element, as a Python number."""
        values = self.values
        return (values.any() if values.dtype.kind == "b" else values.sum()).item()

    def packed(self) -> tuple[Any, ...]:
        """Layout, index arrays and values in main memory, and what else a pattern is made of."""
        arrays = [kernels_of[type(a)].backend.to_numpy(a) for a in (*self.pattern.arrays, self.values)]
        return self.pattern.layout, arrays, self.pattern.shape, getattr(self.pattern, "block", self.pattern.coalesced)

    # ------------------------------------------------------------------ the same elements as another object

    def copy(self, order: str = "C") -> SparseArray:
        """A copy with memory of its own."""
        return SparseArray(self.pattern.copy(), self.values.copy())

    def __getitem__(self, key: Any) -> SparseArray:
        if key is not Ellipsis:
            raise SparseConversionError("Cannot assign to a sparse tensor, or index it as dense ones; to_dense() first")
        return SparseArray(self.pattern, self.values)

    def __setitem__(self, key: Any, value: Any) -> None:
        """Become ``value``: in the memory of the values if its pattern is the same one."""
        if key is not Ellipsis or not isinstance(value, SparseArray):
            refuse("copy_")
        if value.pattern is self.pattern:
            self.values[...] = value.values
        else:
            dtype = self.values.dtype
            values = value.values
            self.pattern = value.pattern
            self.values = values if values.dtype == dtype else kernels_of[type(values)].astype(values, dtype)

    # ------------------------------------------------------------------ arithmetic, as gradient rules write it

    def __add__(self, other: Any) -> Any:
        return _operators["add"](self, other)

    def __radd__(self, other: Any) -> Any:
        return _operators["add"](other, self)

    def __sub__(self, other: Any) -> Any:
        return _operators["sub"](self, other)

    def __rsub__(self, other: Any) -> Any:
        return _operators["sub"](other, self)

    def __mul__(self, other: Any) -> Any:
        return _operators["mul"](self, other)

    def __rmul__(self, other: Any) -> Any:
        return _operators["mul"](other, self)

    def __truediv__(self, other: Any) -> Any:
        return _operators["div"](self, other)

    def __neg__(self) -> Any:
        return _operators["neg"](self)

    def __abs__(self) -> Any:
        return _operators["abs"](self)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        name = UFUNCS.get(ufunc.__name__)
        if method != "__call__" or name is None or options:
            refuse(ufunc.__name__)
        return _operators[name](*inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> NoReturn:
        refuse(function.__name__)

    def __array__(self, *args: Any, **options: Any) -> NoReturn:
        refuse("__array__")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        refuse(name)


UFUNCS = {"add": "add", "subtract": "sub", "multiply": "mul", "true_divide": "div", "divide": "div"}
_operators: dict[str, Callable[..., Any]] = {}


def bind_operators(operators: dict[str, Callable[..., Any]]) -> None:
    """Tell sparse arrays how they are added and multiplied; called once by what is built on them."""
    _operators.update(operators)


def refuse(name: str) -> NoReturn:
    """Raise the error for an operation that needs every element stored."""
    raise SparseOperandError(
        f"{name} is not implemented for sparse tensors; to_dense() gives a tensor that has every operation"
    )


class _Namespace:
    """The few functions that the engine asks of an array namespace."""

    @staticmethod
    def add(a: Any, b: Any, out: Any) -> Any:
        """``a + b`` written to ``out``, which is ``a``: a sparse array, or a dense one that ``b`` is added to."""
        out[...] = a + b
        return out


class _SparseBackend(Backend):
    def __init__(self) -> None:
        self.name, self.xp, self.array_type = "sparse", _Namespace, SparseArray
        self.kernels = _SparseKernels(self)  # type: ignore[assignment]

    def device_of(self, array: Any) -> Any:
        return kernels_of[type(array.values)].backend.device_of(array.values)

    def to_numpy(self, array: Any) -> Any:
        raise SparseConversionError("can't convert Sparse layout tensor to numpy. Use Tensor.to_dense() first.")

    def from_numpy(self, array: Any, device: Any, non_blocking: bool = False) -> Any:
        refuse("from_numpy")


class _SparseKernels:
    """No kernels: asking for one says so."""

    nocontext: Any
    direct = False

    def __init__(self, backend: _SparseBackend) -> None:
        self.backend, self.xp = backend, backend.xp

    def has(self, name: str) -> bool:
        """There are none."""
        return False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        refuse(name)


kernels_of[SparseArray] = _SparseBackend().kernels
