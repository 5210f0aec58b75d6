"""How elements lie in memory: strides, contiguity, memory formats, copies."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.batched import BatchedArray
from ...backends.errors import ArgumentError, InplaceError, ShapeError
from ...backends.layout import contiguous_strides as contiguous_strides
from ...backends.layout import is_channels_last, is_dense, relaid
from ...backends.sparse import SparseArray
from ..admission import need_tensors
from ..base import TensorBase
from ..primitive import Primitive, apply
from .dims import canonical_dim
from .size import Size

if TYPE_CHECKING:
    from ..tensor import Tensor


class MemoryFormat:
    """An order of dimensions in memory, such as ``wengert.channels_last``."""

    __slots__ = ("name", "ndim", "order")

    def __init__(self, name: str, order: tuple[int, ...] | None = None) -> None:
        self.name = name
        self.order = order  # dimensions from the slowest to the fastest; None for the usual order
        self.ndim = 0 if order is None else len(order)

    def __repr__(self) -> str:
        return f"wengert.{self.name}"

    def __reduce__(self) -> str:
        return self.name


contiguous_format = MemoryFormat("contiguous_format")
preserve_format = MemoryFormat("preserve_format")
channels_last = MemoryFormat("channels_last", (0, 2, 3, 1))
channels_last_3d = MemoryFormat("channels_last_3d", (0, 2, 3, 4, 1))


class Layout:
    """What kind of storage a tensor has; ``wengert.strided`` is the only one."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"wengert.{self.name}"

    def __reduce__(self) -> str:
        return self.name


strided = Layout("strided")


class Clone(Primitive):
    """A copy with memory of its own."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, memory_format: MemoryFormat) -> Any:
        return arranged(x, memory_format)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g


def arranged(x: Any, memory_format: MemoryFormat) -> Any:
    """A copy of an array whose elements lie in the order that the format asks for.

    Raises:
        RuntimeError: the format has another number of dimensions.
    """
    order, k = memory_format.order, kernels_of[type(x)]
    if order is None:
        if memory_format is contiguous_format or x.flags.c_contiguous:
            return k.compact(x)
        return relaid(k, x.copy("K"), [x])
    check_rank(x, memory_format)
    return k.compact(x.transpose(order)).transpose([order.index(i) for i in range(len(order))])


def check_rank(x: Any, memory_format: MemoryFormat) -> None:
    """Raise unless the array has as many dimensions as the format.

    Raises:
        RuntimeError: it has not.
    """
    if x.ndim != memory_format.ndim:
        raise ShapeError(
            f"required rank {memory_format.ndim} tensor to use {memory_format.name} format, got shape {list(x.shape)}"
        )


def _has_gaps(x: Any) -> bool:
    """Whether elements overlap or leave memory between them."""
    return not is_dense(x.shape, tuple([s // x.itemsize for s in x.strides]))


def clone(input: Tensor, *, memory_format: MemoryFormat = preserve_format) -> Tensor:
    """A copy of ``input`` through which gradients flow back to it.

    Args:
        input: any shape.
        memory_format: how the copy lies in memory; the default keeps the strides of dense tensors.
    """
    return apply(Clone, input, memory_format=memory_format)


def is_contiguous(input: Tensor, memory_format: MemoryFormat = contiguous_format) -> bool:
    """Whether the elements lie one after another in the order of the format."""
    x = input._data
    if memory_format.order is None:
        return bool(x.flags.c_contiguous) and not isinstance(x, SparseArray)
    return x.ndim == memory_format.ndim and bool(x.transpose(memory_format.order).flags.c_contiguous)


def has_format(input: Tensor, memory_format: MemoryFormat) -> bool:
    """Whether a tensor's strides suggest the format, dense or not: what `to` asks before it copies."""
    x = input._data
    strides = tuple([s // x.itemsize for s in x.strides])
    last = is_channels_last(x.shape, strides) and not x.flags.c_contiguous
    if memory_format.order is None:
        return not last
    check_rank(x, memory_format)
    return last or bool(x.transpose(memory_format.order).flags.c_contiguous)


def suggested_format(input: Tensor) -> MemoryFormat:
    """The format that the tensor's strides suggest: channels last, or the usual one."""
    for memory_format in (channels_last, channels_last_3d):
        if input._data.ndim == memory_format.ndim and not has_format(input, contiguous_format):
            return memory_format
    return contiguous_format


def contiguous(input: Tensor, memory_format: MemoryFormat = contiguous_format) -> Tensor:
    """``input`` itself if it is contiguous in the format, else a copy that is."""
    if memory_format is preserve_format and not is_contiguous(input):
        raise ShapeError("preserve memory format is unsupported by the contiguous operator")
    if memory_format.order is not None:
        check_rank(input._data, memory_format)
    return input if is_contiguous(input, memory_format) else clone(input, memory_format=memory_format)


def laid_out_like(y: Any, input: Any) -> Any:
    """``y``, copied if need be, with its channels closest together in memory if those of ``input`` are."""
    x = input._data
    if x.flags.c_contiguous or x.ndim not in (4, 5):
        return y
    memory_format = channels_last if x.ndim == 4 else channels_last_3d
    if y._data.ndim != x.ndim or not is_contiguous(input, memory_format):
        return y
    return y if _strides_of(y._data, memory_format) else clone(y, memory_format=memory_format)


def _strides_of(x: Any, memory_format: MemoryFormat) -> bool:
    """Whether the strides are those of the format, where a dimension of one element says nothing as well."""
    step = x.itemsize
    for dim in reversed(memory_format.order or ()):
        if x.strides[dim] != step:
            return False
        step *= x.shape[dim]
    return True


def stride(input: Tensor, dim: int | None = None) -> Any:
    """How many elements apart neighbours are, for all dimensions as a tuple or for one of them."""
    x = input._data
    if isinstance(x, SparseArray):
        strides: tuple[int, ...] = sparse_strides(x)
    elif x.size or any(x.strides):
        strides = tuple([s // x.itemsize for s in x.strides])
    else:  # new arrays without elements have strides of 0; views without elements keep those of the whole
        strides = contiguous_strides(x.shape)
    return strides if dim is None else strides[canonical_dim(dim, x.ndim, "stride")]


def sparse_strides(x: SparseArray) -> tuple[int, ...]:
    """Zeros, as in PyTorch, for a tensor by coordinates; compressed ones have none."""
    if x.pattern.layout != "sparse_coo":
        raise ArgumentError("Sparse CSR tensors do not have strides")
    return (0,) * x.ndim


def storage_offset(input: Tensor) -> int:
    """How many elements after the beginning of its memory the tensor starts."""
    x = input._data
    while isinstance(x, BatchedArray):  # the memory of all examples
        x = x._all
    if x.base is None or not hasattr(x.base, "itemsize"):
        return 0
    k = kernels_of[type(x)]
    return int((k.address(x) - k.address(x.base)) // x.itemsize)


def data_ptr(input: Tensor) -> int:
    """The address of the first element."""
    x = input._data
    if isinstance(x, SparseArray):
        raise ArgumentError("Cannot access data pointer of Tensor that doesn't have storage; ask its indices or values")
    return int(kernels_of[type(x)].address(x)) if x.size else 0


def dim_order(input: Tensor) -> tuple[int, ...]:
    """The dimensions in the order in which they lie in memory, the slowest first."""
    if isinstance(input._data, SparseArray):
        raise AttributeError(
            f"Can't get dim order on sparse type: {input.layout} Use Tensor.to_dense() to convert to a dense tensor "
            "first."
        )
    strides = stride(input)
    return tuple(sorted(range(len(strides)), key=lambda i: (-strides[i], i)))


def element_size(input: Tensor) -> int:
    """Bytes per element."""
    return input._data.itemsize


def numel(input: Tensor) -> int:
    """The number of elements."""
    try:
        return input._data.size
    except AttributeError:
        need_tensors("numel", input=input)
        raise


def dim(input: Tensor) -> int:
    """The number of dimensions."""
    return input._data.ndim


def size(input: Tensor, dim: int | None = None) -> Any:
    """The sizes of all dimensions, or of one."""
    shape = input._data.shape
    return tuple.__new__(Size, shape) if dim is None else shape[canonical_dim(operator.index(dim), len(shape), "size")]


def _extent(x: Any) -> tuple[int, int]:
    """The addresses between which the elements of an array lie."""
    start = kernels_of[type(x)].address(x)
    return start, start + sum([(n - 1) * s for n, s in zip(x.shape, x.strides, strict=True)]) + x.itemsize


def shared(written: Any, read: Any) -> str:
    """How the memory of two Tensors overlaps: ``"whole"``, ``"part"``, or ``""`` for not at all.

    Of tensors with gaps between their elements nothing is said, as in PyTorch, unless they are the same.
    """
    if read is written:
        return "whole"
    if written._ver is None or read._ver is not written._ver:
        return ""
    x, y = written._data, read._data
    if type(x) is not type(y) or not x.size or not y.size:
        return ""
    (a, b), (c, d) = _extent(x), _extent(y)
    if b <= c or d <= a or _has_gaps(x) or _has_gaps(y):
        return ""
    return "whole" if a == c and b == d and x.strides == y.strides else "part"


def refuse_overlap(op: str, written: Any, *read: Any, whole: bool = True) -> None:
    """Raise if a Tensor that is to be written shares memory with one that is read.

    Args:
        op: for the message.
        written: the Tensor; None for none.
        read: Tensors, and other values, which are passed over.
        whole: whether reading the very elements that are written is wrong too.
    """
    if written is None:
        return
    for value in read:
        how = shared(written, value) if isinstance(value, TensorBase) else ""
        if how == "part" or (how and whole):
            raise InplaceError(
                f"{op}: unsupported operation: some elements of the input tensor and the written-to tensor refer to a "
                "single memory location. Please clone() the tensor before performing the operation."
            )


def apart(op: str, target: Any, written: Any, source: Any) -> Any:
    """``source``, or a copy of it if writing to ``target`` might change it before all of it has been read.

    Args:
        op: for the message.
        target: the array that will be written, a part of the memory of the Tensor ``written``.
        written: the Tensor.
        source: the Tensor that is read.

    Raises:
        RuntimeError: both are dense and share some of their memory, though not all in the same order.
    """
    x = source._data
    if source._ver is None or source._ver is not written._ver or type(x) is not type(target):
        return source
    if not x.size or not target.size:
        return source
    (a, b), (c, d) = _extent(x), _extent(target)
    if b <= c or d <= a or (a == c and x.strides == target.strides and x.shape == target.shape):
        return source
    if _has_gaps(x) or _has_gaps(target):
        return clone(source)
    raise InplaceError(
        f"{op}: unsupported operation: some elements of the input tensor and the written-to tensor refer to a single "
        "memory location. Please clone() the tensor before performing the operation."
    )
